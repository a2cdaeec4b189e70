// Folders and files below a folder that is held open: the system calls that libc does not have in all its versions, and the
// walk that stands in for openat2(2). What is done with them is decided in Sources/System/OpenFolder.swift and above.

#include "CSystem.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

// linux/openat2.h and linux/stat.h, which musl's headers do not bring.
struct how {
    uint64_t flags, mode, resolve;
};
enum { NO_MAGIC_LINKS = 0x02, NO_SYMBOLIC_LINKS = 0x04, BENEATH = 0x08, NO_REPLACE = 1 };
static int64_t nanoseconds(int64_t seconds, int64_t rest) {
    // A file can be stamped with any moment.
    return (int64_t)((uint64_t)seconds * 1000000000U + (uint64_t)rest);
}

enum { BASIC_STATUS = 0x7ff, MOUNT_NUMBER = 0x1000 };

struct moment {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};
struct extended_status {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, reserved;
    uint64_t inode, size, blocks, known_attributes;
    struct moment accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint64_t spare[13];
};
_Static_assert(sizeof(struct extended_status) == 256, "the kernel writes 256 bytes");

int hi_read_status(int folder, const char *name, struct hi_status *status) {
    int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
    struct extended_status found;
    if (syscall(SYS_statx, folder, name, flags, BASIC_STATUS | MOUNT_NUMBER, &found) == 0) {
        status->mode = found.mode;
        status->uid = found.uid;
        status->gid = found.gid;
        status->links = found.links;
        status->device = (uint64_t)found.device_major << 32 | found.device_minor;
        status->inode = found.inode;
        status->mount = found.mask & MOUNT_NUMBER ? found.mount : 0;
        status->size = (int64_t)found.size;
        status->changed = nanoseconds(found.changed.seconds, found.changed.nanoseconds);
        return 0;
    }
    if (errno != ENOSYS && errno != EPERM) return -1;
    // Older than the kernel's statx(2), or a filter of system calls that is.
    struct stat plain;
    if (fstatat(folder, name, &plain, flags) < 0) return -1;
    *status = (struct hi_status){
        .mode = plain.st_mode,
        .uid = plain.st_uid,
        .gid = plain.st_gid,
        .links = (uint32_t)plain.st_nlink,
        .device = plain.st_dev,
        .inode = plain.st_ino,
        .size = plain.st_size,
        .changed = nanoseconds(plain.st_ctim.tv_sec, plain.st_ctim.tv_nsec),
    };
    return 0;
}

static int open_one(int folder, const char *name, int flags, uint32_t mode) {
    int file;
    do {
        file = (int)syscall(SYS_openat, folder, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    } while (file < 0 && errno == EINTR);
    if (file < 0 && errno == ENOTDIR) {
        // What a link gives where a folder is asked for; openat2(2) says ELOOP.
        struct stat status;
        errno = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode) ? ELOOP : ENOTDIR;
    }
    return file;
}

static int walk(int folder, const char *path, int flags, uint32_t mode) {
    char name[NAME_MAX + 1];
    int here = folder;
    while (true) {
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        int next = -1;
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
        } else if (length == 2 && path[0] == '.' && path[1] == '.') {
            errno = EXDEV;
        } else {
            memcpy(name, path, length);
            name[length] = 0;
            bool is_last = *rest == 0;
            next = open_one(here, name, is_last ? flags : O_PATH | O_DIRECTORY, is_last ? mode : 0);
        }
        int error = errno;
        if (here != folder) close(here);
        errno = error;
        if (next < 0 || *rest == 0) return next;
        here = next;
        path = rest;
    }
}

int hi_open_beneath(int folder, const char *path, int flags, uint32_t mode) {
    struct how how = {
        .flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
        .mode = mode,
        .resolve = BENEATH | NO_SYMBOLIC_LINKS | NO_MAGIC_LINKS,
    };
    int file;
    do {
        file = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    } while (file < 0 && errno == EINTR);
    // ENOTDIR: a folder was asked for, and the last part may be a link; the walk tells the two apart.
    if (file >= 0 || (errno != ENOSYS && errno != EPERM && errno != ENOTDIR)) return file;
    return walk(folder, path, flags, mode);
}

ssize_t hi_read_folder(int folder, void *buffer, size_t size) {
    return syscall(SYS_getdents64, folder, buffer, size);
}

int hi_change_owner(int file, uint32_t uid, uint32_t gid) {
    return (int)syscall(SYS_fchownat, file, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

int hi_change_mode(int folder, const char *name, int file, uint32_t mode) {
    if (syscall(SYS_fchmodat2, file, "", mode, AT_EMPTY_PATH) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM && errno != EINVAL) return -1;
    char path[32] = "/proc/self/fd/";
    size_t end = strlen(path);
    int digits = 1;
    for (int rest = file; rest >= 10; rest /= 10) digits++;
    for (int place = digits, rest = file; place > 0; rest /= 10) path[end + (size_t)--place] = (char)('0' + rest % 10);
    // A link of /proc leads to the file that is open, whatever its path has become.
    if (chmod(path, mode) == 0) return 0;
    if (errno != ENOENT && errno != ENOTDIR) return -1;
    int again = open_one(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (again < 0) return -1;
    struct stat first, second;
    int result = -1;
    if (fstat(file, &first) == 0 && fstat(again, &second) == 0) {
        if (first.st_ino == second.st_ino && first.st_dev == second.st_dev)
            result = fchmod(again, mode);
        else
            errno = ENOENT;
    }
    int error = errno;
    close(again);
    errno = error;
    return result;
}

int hi_copy_link(int from, int to, const char *name) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0) return -1;
    target[length] = 0;
    return symlinkat(target, to, name);
}

int hi_rename(int folder, const char *from, const char *to, bool replacing) {
    if (replacing) return renameat(folder, from, folder, to);
    if (syscall(SYS_renameat2, folder, from, folder, to, NO_REPLACE) == 0) return 0;
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
    struct stat status;
    if (fstatat(folder, to, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(folder, from, folder, to);
}

int hi_sync_folder(int folder) {
    int file = open_one(folder, ".", O_RDONLY | O_DIRECTORY, 0);
    if (file < 0) return 0;
    int result = fsync(file);
    int error = errno;
    close(file);
    errno = error;
    return result < 0 && (error == EIO || error == ENOSPC || error == EDQUOT) ? -1 : 0;
}

int64_t hi_file_clock(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int hi_random(void *bytes, size_t count) {
    ssize_t got;
    do {
        got = getrandom(bytes, count, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)count ? 0 : -1;
}
