// Thin covers of the system calls behind log files. No decision is made here but one: no link is ever followed.

#include "CSystem.h"

#include <grp.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif

enum { HIGHEST_DESCRIPTOR_TO_TRY = 65536, SEND_BUFFER = 212992, LOG_MODE = 0640, FOLDER_MODE = 0750 };

int64_t hi_realtime_milliseconds(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

size_t hi_line_length(const uint8_t *bytes, size_t count) {
    size_t place = 0;
#ifdef __SSE2__
    // musl's memchr looks at eight bytes at a time and costs a third of all that is done for a line.
    const __m128i wanted = _mm_set1_epi8('\n');
    for (; place + 16 <= count; place += 16) {
        __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)(bytes + place));
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(piece, wanted));
        if (found) return place + (size_t)__builtin_ctz((unsigned)found);
    }
#endif
    if (place == count) return count;
    const uint8_t *end = memchr(bytes + place, '\n', count - place);
    return end ? (size_t)(end - bytes) : count;
}

size_t hi_line_count(const uint8_t *bytes, size_t count) {
    size_t lines = 0;
    for (size_t place = 0; place < count; lines++) {
        place += hi_line_length(bytes + place, count - place);
        if (place++ == count) break;
    }
    return lines;
}

int hi_message_pair(int *sender, int *receiver) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
    int size = SEND_BUFFER;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    fcntl(ends[0], F_SETFL, O_RDWR | O_NONBLOCK);
    *sender = ends[0];
    *receiver = ends[1];
    return 0;
}

ssize_t hi_peek_message(int receiver, void *bytes, size_t capacity) {
    ssize_t count;
    do {
        count = recv(receiver, bytes, capacity, MSG_PEEK);
    } while (count < 0 && errno == EINTR);
    return count;
}

void hi_drop_message(int receiver) {
    char none;
    recv(receiver, &none, 0, MSG_DONTWAIT);
}

static void close_between(unsigned first, unsigned last) {
    if (first > last) return;
    if (syscall(SYS_close_range, first, last, 0) == 0) return;
    if (last > HIGHEST_DESCRIPTOR_TO_TRY) last = HIGHEST_DESCRIPTOR_TO_TRY;
    for (unsigned descriptor = first; descriptor <= last; descriptor++) close((int)descriptor);
}

pid_t hi_fork_writer(int receiver, int reports) {
    // Without an exit signal: waitpid(-1) does not count it among the children.
    pid_t process = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (process < 0 && errno == EINVAL) process = fork();  // an emulator (qemu-user) knows only this form
    if (process != 0) return process;
    setsid();
    prctl(PR_SET_NAME, "hermes-log");
    umask(0);
    hi_leave_folder();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int target = 0; null >= 0 && target < 3; target++) dup2(null, target);
    unsigned low = (unsigned)(receiver < reports ? receiver : reports);
    unsigned high = (unsigned)(receiver < reports ? reports : receiver);
    close_between(3, low - 1);
    close_between(low + 1, high - 1);
    close_between(high + 1, ~0U);
    return 0;
}

bool hi_reap_writer(pid_t process, int *ended_by) {
    int status = 0;
    pid_t reaped;
    do {
        reaped = waitpid(process, &status, (int)__WCLONE | WNOHANG);
    } while (reaped < 0 && errno == EINTR);
    *ended_by = reaped == process && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return reaped != 0;
}

void hi_act_as(uint32_t user, uint32_t group, const uint32_t *groups, size_t count) {
    static gid_t *own = NULL;
    static int own_count = -1;
    if (own_count < 0) {
        own_count = getgroups(0, NULL);
        if (own_count > 0) own = malloc((size_t)own_count * sizeof(gid_t));
        own_count = own ? getgroups(own_count, own) : 0;
    }
    // Who may not change them has them still, and is no root whose groups would open anything.
    if ((groups ? setgroups(count, groups) : setgroups((size_t)own_count, own)) < 0) errno = 0;
    setfsgid(group);
    setfsuid(user);
}

enum { PLACE = O_PATH | O_DIRECTORY | O_NOFOLLOW };

int hi_root_folder(void) { return hi_openat(AT_FDCWD, "/", PLACE); }

int hi_enter_folder(int parent, const char *name) {
    int folder = hi_openat(parent, name, PLACE);
    if (folder >= 0 || errno != ENOTDIR) return folder;
    struct stat status;
    int is_link = fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    errno = is_link ? ELOOP : ENOTDIR;
    return -1;
}

static int refusal(const struct stat *status) {
    if (S_ISREG(status->st_mode)) return 0;
    if (S_ISLNK(status->st_mode)) return ELOOP;
    return S_ISDIR(status->st_mode) ? EISDIR : ENOTSUP;
}

int hi_open_log(int folder, const char *name) {
    struct stat status;
    // Looked at before, because opening some devices does something; and after, because it may have been exchanged between.
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = refusal(&status);
        if (errno) return -1;
    }
    int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int file = (int)syscall(SYS_openat, folder, name, flags, LOG_MODE);
    if (file < 0) return -1;
    int error = fstat(file, &status) < 0 ? errno : refusal(&status);
    if (!error) return file;
    close(file);
    errno = error;
    return -1;
}

int hi_stat_at(int folder, const char *name, struct hi_file *file) {
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -1;
    *file = (struct hi_file){status.st_mode, status.st_dev, status.st_ino, status.st_rdev, status.st_size, status.st_uid};
    return 0;
}

int hi_rename_at(int folder, const char *from, const char *to) { return renameat(folder, from, folder, to); }
int hi_unlink_at(int folder, const char *name) { return unlinkat(folder, name, 0); }
int hi_make_folder_at(int folder, const char *name) { return mkdirat(folder, name, FOLDER_MODE); }

int hi_last_byte(int file, int64_t size) {
    uint8_t byte;
    return size > 0 && pread(file, &byte, 1, size - 1) == 1 ? byte : -1;
}
