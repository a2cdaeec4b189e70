// launch --root DIR --page FILE [--log FILE] [--bind FROM:TO]... [--deadline MS] [--settle MS]
//     WHAT COUNT -- INIT [ARGUMENT...]
//
// Runs one init as PID 1 of a fresh PID and mount namespace whose root is DIR, with a /proc, a /run and a /tmp of its
// own, and prints what it measured, a line of nanoseconds each. All times are CLOCK_MONOTONIC; the first is taken by
// PID 1 itself right before its exec, when the container stands, so that making it is in no figure. This program
// sleeps while it measures. WHAT is
//
//     exit      from the exec until PID 1 has ended
//     stamps    from the exec until COUNT programs have come to life (the first line of their main)
//     signal    with the first program alive: from kill(2) of SIGUSR1 to PID 1 until its handler runs, COUNT times
//     kill      with COUNT services alive: from kill(2) of one with SIGKILL until its replacement lives, for each
//     term      with COUNT services alive: from kill(2) of SIGTERM to PID 1 until it has ended
//     orphans   with orphans.c alive: PID 1's processor time, the time until all are reaped, how many are left
//     hold      with COUNT programs alive: prints PID 1's number, and waits for the end of stdin
//
// Ends with 0, or 1 and a reason on stderr; with 124 where the deadline passed. PID 1 and all it started are gone then.
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "page.h"

static struct page *page;
static pid_t init;

static void end(int code) {
    if (init > 0) {
        kill(init, SIGKILL);
        waitpid(init, 0, 0);
    }
    fflush(stdout);
    _exit(code);
}

static void fail(const char *what) {
    fprintf(stderr, "cannot measure: %s: %s\n", what, strerror(errno));
    end(1);
}

static void too_late(int number) {
    (void)number;
    if (init > 0) kill(init, SIGKILL);
    _exit(124);
}

static void rest(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, 0);
}

static void become(const char *root, char **binds, const char *log, char **words) {
    char path[4096];
    sigset_t none;
    snprintf(path, sizeof path, "%s/proc", root);
    if (mount("proc", path, "proc", 0, 0)) fail(path);
    for (const char **name = (const char *[]){"run", "tmp", 0}; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", root, *name);
        if (mount("tmpfs", path, "tmpfs", 0, "mode=755")) fail(path);
    }
    for (; *binds; binds++) {
        char *to = strchr(*binds, ':');
        *to = 0;
        snprintf(path, sizeof path, "%s%s", root, to + 1);
        if (mount(*binds, path, 0, MS_BIND, 0)) fail(path);
    }
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644), input = open("/dev/null", O_RDONLY);
    if (output < 0 || input < 0) fail(log);
    if (chroot(root) || chdir("/")) fail(root);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    for (int descriptor = 3; descriptor < 32; descriptor++) close(descriptor);
    struct itimerval never = {0};
    setitimer(ITIMER_REAL, &never, 0);
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    page->start = monotonic();
    execvp(words[0], words);
    _exit(127);
}

// Sleeps until so many stamps are there and written down; gives the latest.
static int64_t await(uint32_t wanted) {
    int64_t latest = 0;
    for (uint32_t count; (count = atomic_load(&page->count)) < wanted;) {
        struct timespec moment = {0, 50000000};
        syscall(SYS_futex, &page->count, FUTEX_WAIT_OPERATION, count, &moment, 0, 0);
        if (waitpid(init, 0, WNOHANG) == init) {
            init = 0;
            errno = ESRCH;
            fail("PID 1 ended before its time");
        }
    }
    for (uint32_t each = 0; each < wanted; each++) {
        while (*(volatile int64_t *)&page->stamps[each] == 0) sched_yield();
        if (page->stamps[each] > latest) latest = page->stamps[each];
    }
    return latest;
}

static void want(uint32_t count) { atomic_store(&page->wanted, count); }

// The host's number of a process that the container numbers so.
static pid_t outside(pid_t inside) {
    char path[300], line[256];
    struct stat own, its;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", init);
    if (stat(path, &own)) fail(path);
    DIR *folder = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *entry; !found && (entry = readdir(folder));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%s/ns/pid", entry->d_name);
        if (stat(path, &its) || its.st_ino != own.st_ino) continue;
        snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file))
            if (strncmp(line, "NSpid:", 6) == 0 && atoi(strrchr(line, '\t') + 1) == inside) found = atoi(entry->d_name);
        if (file) fclose(file);
    }
    closedir(folder);
    if (!found) fail("no such service");
    return found;
}

static int64_t processor_time(void) {
    char path[64];
    long long time = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", init);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%lld", &time) != 1) fail(path);
    fclose(file);
    return time;
}

static void print(int64_t time) { printf("%lld\n", (long long)time); }

static void measure(const char *what, int count, int settle) {
    int64_t before;
    if (strcmp(what, "exit") == 0) {
        int status;
        waitpid(init, &status, 0);
        int64_t now = monotonic();
        init = 0;
        if (status) {
            errno = ECHILD;
            fail("PID 1 ended with another code than 0");
        }
        print(now - page->start);
    } else if (strcmp(what, "stamps") == 0) {
        print(await(count) - page->start);
    } else if (strcmp(what, "signal") == 0) {
        await(1);
        rest(settle);
        for (int each = 2; each < count + 2; each++) {
            want(each);
            rest(2);
            before = monotonic();
            kill(init, SIGUSR1);
            await(each);
            print(page->stamps[each - 1] - before);
        }
    } else if (strcmp(what, "kill") == 0) {
        await(count);
        rest(settle);
        for (int each = 0; each < count; each++) {
            pid_t victim = outside(page->pids[each]);
            want(count + each + 1);
            rest(2);
            before = monotonic();
            kill(victim, SIGKILL);
            await(count + each + 1);
            print(page->stamps[count + each] - before);
        }
    } else if (strcmp(what, "term") == 0) {
        await(count);
        rest(settle);
        before = monotonic();
        kill(init, SIGTERM);
        waitpid(init, 0, 0);
        int64_t now = monotonic();
        init = 0;
        print(now - before);
    } else if (strcmp(what, "orphans") == 0) {
        await(1);
        rest(settle);
        before = processor_time();
        want(3);
        atomic_store(&page->go, 1);
        syscall(SYS_futex, &page->go, FUTEX_WAKE_OPERATION, 1, 0, 0, 0);
        await(3);
        print(processor_time() - before);
        print(page->stamps[2] - page->stamps[1]);
        print(atomic_load(&page->left));
    } else if (strcmp(what, "hold") == 0) {
        char byte;
        await(count);
        printf("%d\n", init);
        fflush(stdout);
        while (read(0, &byte, 1) > 0) continue;
    }
}

int main(int words, char **word) {
    const char *root = 0, *file = 0, *log = "/dev/null", *what = 0;
    char *binds[16] = {0};
    int bound = 0, deadline = 10000, settle = 20, count = 1, next = 1;
    for (; next + 1 < words && strcmp(word[next], "--") != 0; next += 2) {
        char *value = word[next + 1];
        if (strcmp(word[next], "--root") == 0) root = value;
        else if (strcmp(word[next], "--page") == 0) file = value;
        else if (strcmp(word[next], "--log") == 0) log = value;
        else if (strcmp(word[next], "--bind") == 0 && bound < 15 && strchr(value, ':')) binds[bound++] = value;
        else if (strcmp(word[next], "--deadline") == 0) deadline = atoi(value);
        else if (strcmp(word[next], "--settle") == 0) settle = atoi(value);
        else what = word[next], count = atoi(value);
    }
    if (!root || !file || !what || next + 1 >= words) {
        fprintf(stderr, "usage: launch --root DIR --page FILE [OPTION VALUE]... WHAT COUNT -- INIT [ARGUMENT...]\n");
        return 64;
    }
    int handle = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (handle < 0 || ftruncate(handle, 0) || ftruncate(handle, sizeof *page)) fail(file);
    close(handle);
    page = map_page(file);
    if (!page) fail(file);
    memset(page, 0, sizeof *page);
    want(strcmp(what, "exit") == 0 || strcmp(what, "signal") == 0 || strcmp(what, "orphans") == 0 ? 1 : count);
    signal(SIGALRM, too_late);
    struct itimerval limit = {.it_value = {deadline / 1000, deadline % 1000 * 1000}};
    setitimer(ITIMER_REAL, &limit, 0);
    init = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (init < 0) fail("clone");
    if (init == 0) become(root, binds, log, word + next + 1);
    measure(what, count, settle);
    end(0);
}
