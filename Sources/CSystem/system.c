// Thin covers of system calls that Swift cannot make itself: variadic ones, raw ones, and those whose structures it reads
// badly. No decision is made here.

#include "CSystem.h"

#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { MASK_SIZE = sizeof(uint64_t), SIGNALS = 64 };
// How long the loop rests after a call has failed that was not to fail, in milliseconds.
enum { REST = 10 };

// One thread: a plain flag will do.
static bool stumbled;

void hi_stumble(void) { stumbled = true; }

bool hi_recover(void) {
    if (!stumbled) return false;
    int error = errno;
    stumbled = false;
    poll(NULL, 0, REST);
    errno = error;
    return true;
}

uint64_t hi_block_all_signals(void) {
    uint64_t all = ~0ULL;
    uint64_t before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, MASK_SIZE);
    return before;
}

struct kernel_sigaction {
    uintptr_t handler;
    unsigned long rest[4];
};

uint64_t hi_ignored_signals(void) {
    uint64_t ignored = 0;
    for (int signal = 1; signal <= SIGNALS; signal++) {
        struct kernel_sigaction action = {0};
        if (syscall(SYS_rt_sigaction, signal, 0, &action, MASK_SIZE) == 0 && action.handler == (uintptr_t)SIG_IGN)
            ignored |= 1ULL << (signal - 1);
    }
    return ignored;
}

void hi_default_signal(int number) { signal(number, SIG_DFL); }

int hi_signalfd(void) {
    uint64_t all = ~0ULL;
    return (int)syscall(SYS_signalfd4, -1, &all, MASK_SIZE, SFD_NONBLOCK | SFD_CLOEXEC);
}

pid_t hi_reap(int *code, int *ended_by, bool *dumped_core) {
    int status = 0;
    pid_t process;
    do {
        process = waitpid(-1, &status, WNOHANG);
    } while (process < 0 && errno == EINTR);
    if (process <= 0) return process;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    *ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *dumped_core = WIFSIGNALED(status) && WCOREDUMP(status);
    return process;
}

// Where the processes begin among the entries of /proc; a kernel that has them elsewhere shows fewer from here on, the caller
// among those that are missing, since the lowest come first.
enum { FIRST_PROCESS = 256 };

bool hi_is_alone(pid_t own) {
    _Alignas(8) char entries[2048];
    bool shows_own = false, shows_other = false;
    ssize_t size = -1;
    int folder = hi_open("/proc", O_RDONLY | O_DIRECTORY);
    if (folder < 0) return false;
    lseek(folder, FIRST_PROCESS, SEEK_SET);
    while (!shows_other && (size = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct dirent *entry = (const struct dirent *)(const void *)(entries + at);
            int process = atoi(entry->d_name);
            shows_own |= process == own;
            shows_other |= process > 0 && process != own;
            at += entry->d_reclen;
        }
    }
    close(folder);
    return size == 0 && shows_own && !shows_other;
}

int hi_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

char **hi_environment(void) { return environ; }

static int describe(int result, const struct stat *status, struct hi_file *file) {
    if (result < 0) return -1;
    *file = (struct hi_file){status->st_mode, status->st_dev, status->st_ino, status->st_rdev, status->st_size, status->st_uid};
    return 0;
}

int hi_stat(const char *path, struct hi_file *file) {
    struct stat status;
    return describe(stat(path, &status), &status, file);
}

bool hi_is_folder_itself(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int hi_lstat(const char *path, struct hi_file *file) {
    struct stat status;
    return describe(lstat(path, &status), &status, file);
}

int hi_fstat(int descriptor, struct hi_file *file) {
    struct stat status;
    return describe(fstat(descriptor, &status), &status, file);
}

int hi_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    // Only the read end: a service that meets a full pipe waits, as it would on a terminal.
    if (fcntl(ends[0], F_SETFL, O_RDONLY | O_NONBLOCK) < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        errno = error;
        return -1;
    }
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int hi_bounded_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int hi_memory_file(const void *bytes, size_t count) {
    int file = (int)syscall(SYS_memfd_create, "script", 1U /* MFD_CLOEXEC */);
    if (file < 0) return -1;
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(file, next, count);
        if (written < 0) {
            int error = errno;
            close(file);
            errno = error;
            return -1;
        }
        next += written;
        count -= (size_t)written;
    }
    return file;
}

int hi_open(const char *path, int flags) { return hi_openat(AT_FDCWD, path, flags); }

int hi_openat(int folder, const char *path, int flags) {
    int descriptor;
    do {
        // musl's openat(3) calls fcntl(2) after it, for kernels that do not know O_CLOEXEC.
        descriptor = (int)syscall(SYS_openat, folder, path, flags | O_CLOEXEC, 0644);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

ssize_t hi_write_nowait(int descriptor, const void *bytes, size_t count) {
    struct iovec piece = {(void *)(uintptr_t)bytes, count};
    // An offset of -1 means the current one; the position is passed in two halves.
    return syscall(SYS_pwritev2, descriptor, &piece, 1L, -1L, -1L, RWF_NOWAIT);
}

ssize_t hi_send_nowait(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int hi_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    int result = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    // A file of the disk (EPERM) is nothing to wait for.
    if (result < 0 && errno != EPERM) hi_stumble();
    return result;
}

int hi_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0); }

int hi_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec when = {0};
    when.it_value.tv_sec = (time_t)(nanoseconds / 1000000000);
    when.it_value.tv_nsec = (long)(nanoseconds % 1000000000);
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, 0);
}

bool hi_raise_descriptor_limit(struct rlimit *before) {
    if (getrlimit(RLIMIT_NOFILE, before) < 0 || before->rlim_cur >= before->rlim_max) return false;
    struct rlimit raised = {before->rlim_max, before->rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

int64_t hi_monotonic_nanoseconds(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004
#endif

#ifndef __GLIBC__
// Swift's hashing asks for it; musl 1.2.3 does not have it. It seeds hash tables and nothing that must stay secret, so it
// never waits for the kernel's entropy: in a virtual machine that has just started, PID 1 would hang there.
void arc4random_buf(void *bytes, size_t count) {
    unsigned char *next = bytes;
    unsigned flags = GRND_INSECURE;
    while (count > 0) {
        ssize_t got = getrandom(next, count, flags);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EINVAL && flags == GRND_INSECURE) {
            flags = GRND_NONBLOCK;  // kernels before 5.6
            continue;
        }
        if (got < 0) {
            *next = (unsigned char)(hi_monotonic_nanoseconds() >> 3);
            got = 1;
        }
        next += got;
        count -= (size_t)got;
    }
}
#endif
