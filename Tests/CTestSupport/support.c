#include "CTestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

struct call {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct call *call = argument;
    call->body(call->context);
    return NULL;
}

void test_in_thread(void (*body)(void *), void *context) {
    struct call call = {body, context};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &call) != 0) abort();
    pthread_join(thread, NULL);
}

int test_become(uint32_t uid, uint32_t gid) {
    // libc's functions would change all threads.
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0) return -1;
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}

static int filter(struct sock_filter *rules, unsigned short count, unsigned flags) {
    struct sock_fprog program = {.len = count, .filter = rules};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int test_use_old_kernel(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmodat2, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return filter(rules, sizeof rules / sizeof rules[0], 0);
}

int test_own_mounts(void) {
    if (unshare(CLONE_NEWNS | CLONE_FS) < 0) return -1;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}
int test_mount_memory(const char *path, const char *options) { return mount("test", path, "tmpfs", 0, options); }
int test_bind(const char *from, const char *to) { return mount(from, to, NULL, MS_BIND, NULL); }
int test_make_read_only(const char *path) {
    if (mount(path, path, NULL, MS_BIND, NULL) < 0) return -1;
    return mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

int test_make_immutable(const char *path, bool immutable) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    int flags = 0;
    int result = ioctl(file, FS_IOC_GETFLAGS, &flags);
    flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    if (result == 0) result = ioctl(file, FS_IOC_SETFLAGS, &flags);
    close(file);
    return result;
}

size_t test_make_folder(char *path, size_t size, bool in_memory) {
    const char *base = getenv("TMPDIR");
    if (base == NULL || *base == 0) base = "/tmp";
    if (in_memory && access("/dev/shm", W_OK) == 0) base = "/dev/shm";
    snprintf(path, size, "%s/hermes-init-XXXXXX", base);
    // A path that leads through a link is what the stages refuse.
    char *made = mkdtemp(path);
    char *real = made ? realpath(made, NULL) : NULL;
    if (real == NULL || strlen(real) >= size) abort();
    strcpy(path, real);
    free(real);
    return strlen(path);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)place;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}
void test_remove_tree(const char *path) { nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS); }

int test_make_special(const char *path, char kind) {
    if (kind == 'f') return mkfifo(path, 0644);
    if (kind == 'n') return mknod(path, S_IFCHR | 0644, makedev(1, 3));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = bind(end, (struct sockaddr *)&address, sizeof address);
    close(end);
    return result;
}

// --- the enemy -----------------------------------------------------------------------------------------------------------

static char enemy_inside[4096], enemy_outside[4096];
static uint32_t enemy_uid;
static atomic_bool enemy_goes_on;
static atomic_ullong enemy_count;
static pthread_t enemy_threads[2];

static void swap(int folder, const char *a, const char *b) {
    syscall(SYS_renameat2, folder, a, folder, b, 2 /* RENAME_EXCHANGE */);
}

static void touch(int folder, const char *name) {
    int file = openat(folder, name, O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (file >= 0) close(file);
}

/// Swaps names for links, as the owner of the folder can.
static void *swapper(void *unused) {
    (void)unused;
    test_become(enemy_uid, enemy_uid);
    int inside = open(enemy_inside, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char link[4200];
    static const char *folders[] = {"tree", "a", "data"};
    static const char *files[] = {"file", ".env", "pid", ".file.hermes-init", "..env.hermes-init"};
    for (uint64_t round = 0; atomic_load(&enemy_goes_on); round++) {
        for (size_t which = round % 3; which < 3; which += 3) {
            char other[64];
            snprintf(other, sizeof other, "%s.other", folders[which]);
            symlinkat(enemy_outside, inside, other);
            mkdirat(inside, folders[which], 0777);
            fchmodat(inside, folders[which], 0777, 0);
            swap(inside, folders[which], other);
        }
        for (size_t which = round % 5; which < 5; which += 5) {
            char other[64];
            snprintf(link, sizeof link, "%s/secret", enemy_outside);
            snprintf(other, sizeof other, "tree/%s", files[which]);
            touch(inside, other);
            snprintf(other, sizeof other, "a/%s", files[which]);
            if (round / 5 % 3 == 0) unlinkat(inside, other, 0);
            if (round / 5 % 3 == 1) symlinkat(link, inside, other);
            if (round / 5 % 3 == 2) touch(inside, other);
            unlinkat(inside, files[which], 0);
            if (round / 5 % 2 == 0) symlinkat(link, inside, files[which]);
            else touch(inside, files[which]);
        }
        // A folder that is a link the next moment, deeper down.
        mkdirat(inside, "tree/below", 0777);
        touch(inside, "tree/below/x");
        symlinkat(enemy_outside, inside, "tree/link");
        syscall(SYS_renameat2, inside, "tree/below", inside, "tree/link", 2);
        if (round % 16 == 0) {
            unlinkat(inside, "tree/below", 0);
            unlinkat(inside, "tree/link", 0);
        }
        atomic_fetch_add(&enemy_count, 1);
    }
    close(inside);
    return NULL;
}

/// Hard links to files outside, which a user can make where fs.protected_hardlinks is 0.
static void *linker(void *unused) {
    (void)unused;
    int inside = open(enemy_inside, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int outside = open(enemy_outside, O_PATH | O_DIRECTORY | O_CLOEXEC);
    static const char *folders[] = {".", "tree", "a"};
    static const char *names[] = {"file", ".env", ".file.hermes-init", "hard", "..env.hermes-init"};
    for (uint64_t round = 0; atomic_load(&enemy_goes_on); round++) {
        // Not through the links of the other thread: as root that would change what lies outside.
        int folder = openat(inside, folders[round % 3], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0) continue;
        const char *name = names[round % 5];
        unlinkat(folder, name, 0);
        // The only link inside comes and goes: who opened it a moment ago holds a file with one link, the one outside.
        if (linkat(outside, "linked", folder, name, 0) == 0) {
            if (round % 2 == 0) sched_yield();
            unlinkat(folder, name, 0);
        }
        close(folder);
    }
    close(inside);
    close(outside);
    return NULL;
}

void test_enemy_start(const char *inside, const char *outside, uint32_t uid) {
    snprintf(enemy_inside, sizeof enemy_inside, "%s", inside);
    snprintf(enemy_outside, sizeof enemy_outside, "%s", outside);
    enemy_uid = uid;
    atomic_store(&enemy_count, 0);
    atomic_store(&enemy_goes_on, true);
    if (pthread_create(&enemy_threads[0], NULL, swapper, NULL) != 0) abort();
    if (pthread_create(&enemy_threads[1], NULL, linker, NULL) != 0) abort();
}
uint64_t test_enemy_rounds(void) { return atomic_load(&enemy_count); }
void test_enemy_stop(void) {
    atomic_store(&enemy_goes_on, false);
    pthread_join(enemy_threads[0], NULL);
    pthread_join(enemy_threads[1], NULL);
}

// --- the watch -----------------------------------------------------------------------------------------------------------

static const struct {
    int number;
    const char *name;
} watched[] = {
    {SYS_openat2, "open"},     {SYS_openat, "open"},      {SYS_write, "write"},         {SYS_fchmod, "fchmod"},
    {SYS_fsync, "fsync"},      {SYS_renameat, "rename"},  {SYS_renameat2, "rename"},    {SYS_unlinkat, "unlink"},
    {SYS_mkdirat, "mkdir"},    {SYS_symlinkat, "symlink"}, {SYS_fchownat, "fchown"},    {SYS_fchmodat2, "fchmod"},
};
enum { WATCHED = sizeof watched / sizeof watched[0] };

const char *test_call_name(int number) {
    for (int place = 0; place < WATCHED; place++)
        if (watched[place].number == number) return watched[place].name;
    return "?";
}

static struct {
    struct call call;
    atomic_int listener;
} watch;

static void *run_watched(void *unused) {
    (void)unused;
    struct sock_filter rules[WATCHED + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    for (int place = 0; place < WATCHED; place++)
        rules[1 + place] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)watched[place].number, (unsigned char)(WATCHED - place), 0);
    rules[1 + WATCHED] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    rules[2 + WATCHED] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    int listener = filter(rules, WATCHED + 3, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    atomic_store(&watch.listener, listener < 0 ? -errno : listener);
    if (listener >= 0) watch.call.body(watch.call.context);
    return NULL;
}

int test_watch(void (*body)(void *), void (*before)(void *, int, uint64_t), void *context) {
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    watch.call = (struct call){body, context};
    atomic_store(&watch.listener, 0);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_watched, NULL) != 0) abort();
    int listener;
    while ((listener = atomic_load(&watch.listener)) == 0) sched_yield();
    while (listener > 0) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        poll(&ready, 1, -1);
        if (!(ready.revents & POLLIN)) break;
        struct seccomp_notif request = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) continue;
        before(context, request.data.nr, request.data.args[0]);
        struct seccomp_notif_resp answer = {.id = request.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    pthread_join(thread, NULL);
    if (listener > 0) close(listener);
    pthread_mutex_unlock(&one);
    if (listener > 0) return 0;
    errno = -listener;
    return -1;
}
