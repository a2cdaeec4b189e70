// Thin covers of socket calls and of a file that is replaced whole. No decision is made here.

#include "CSystem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

int hi_parse_address(const char *text, uint8_t bytes[16]) {
    if (inet_pton(AF_INET, text, bytes) == 1) return 4;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

static int failed(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int begin_connection(int family, const struct sockaddr *address, socklen_t length) {
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    // An interrupted connect goes on, as one that is in progress does.
    if (connect(descriptor, address, length) < 0 && errno != EINPROGRESS && errno != EINTR) return failed(descriptor);
    return descriptor;
}

int hi_connect_tcp(const uint8_t *address, size_t length, uint16_t port) {
    if (length == 4) {
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&four.sin_addr, address, 4);
        return begin_connection(AF_INET, (const struct sockaddr *)&four, sizeof four);
    }
    if (length == 16) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&six.sin6_addr, address, 16);
        return begin_connection(AF_INET6, (const struct sockaddr *)&six, sizeof six);
    }
    errno = EINVAL;
    return -1;
}

int hi_connect_unix(const uint8_t *path, size_t length) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    if (length >= sizeof place.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(place.sun_path, path, length);
    return begin_connection(AF_UNIX, (const struct sockaddr *)&place,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1));
}

int hi_socket_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int hi_notify_socket(uint8_t *name, size_t *length) {
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int yes = 1;
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    socklen_t size = sizeof place;
    // An address of nothing but its family: the kernel chooses a free name.
    if (setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
        bind(descriptor, (const struct sockaddr *)&place, sizeof place.sun_family) < 0 ||
        getsockname(descriptor, (struct sockaddr *)&place, &size) < 0)
        return failed(descriptor);
    size_t before = offsetof(struct sockaddr_un, sun_path) + 1;
    *length = size > before ? size - before : 0;
    memcpy(name, place.sun_path + 1, *length);
    return descriptor;
}

enum { MOST_PASSED = 16 };

// The part behind this one; musl's own macro compares numbers of different signs.
static struct cmsghdr *next_part(struct msghdr *message, struct cmsghdr *part) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
    return CMSG_NXTHDR(message, part);
#pragma GCC diagnostic pop
}

ssize_t hi_receive_notification(int descriptor, void *bytes, size_t capacity, struct hi_sender *sender) {
    struct iovec piece = {bytes, capacity};
    // Descriptors for which there is no room here are closed by the kernel.
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MOST_PASSED * sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *sender = (struct hi_sender){0, UINT32_MAX, false};
    ssize_t count;
    do {
        count = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        if (errno != EAGAIN) hi_stumble();
        return -1;
    }
    sender->is_cut = (message.msg_flags & MSG_TRUNC) != 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = next_part(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS && part->cmsg_len >= CMSG_LEN(sizeof(struct ucred))) {
            struct ucred who;
            memcpy(&who, CMSG_DATA(part), sizeof who);
            sender->process = who.pid;
            sender->user = who.uid;
        }
        if (part->cmsg_type == SCM_RIGHTS) {
            size_t passed = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t index = 0; index < passed; index++) {
                int number;
                memcpy(&number, CMSG_DATA(part) + index * sizeof(int), sizeof number);
                close(number);
            }
        }
    }
    return count;
}

int hi_open_own_folder(const char *path) {
    bool is_new = mkdir(path, 0755) == 0;
    if (!is_new && errno != EEXIST) return -1;
    int descriptor = hi_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (descriptor < 0) return -1;
    // The umask does not decide who may read it.
    if (is_new) fchmod(descriptor, 0755);
    struct stat status;
    if (fstat(descriptor, &status) < 0) return failed(descriptor);
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH))) {
        errno = EPERM;
        return failed(descriptor);
    }
    return descriptor;
}

// Gives the descriptor back where what it leads to is of that type and nobody but root and this user can have made it.
static int trusted(int descriptor, mode_t type) {
    struct stat status;
    if (descriptor < 0) return -1;
    if (fstat(descriptor, &status) < 0) return failed(descriptor);
    if ((status.st_mode & S_IFMT) != type || (status.st_uid != 0 && status.st_uid != geteuid()) ||
        (status.st_mode & (S_IWGRP | S_IWOTH))) {
        errno = EPERM;
        return failed(descriptor);
    }
    return descriptor;
}

int hi_open_trusted_folder(const char *path) {
    return trusted(hi_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), S_IFDIR);
}

int hi_open_trusted_file(int folder, const char *name) {
    // O_NONBLOCK: opening a fifo would otherwise wait for its writer.
    return trusted(hi_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), S_IFREG);
}

int hi_replace_file(int folder, const char *name, const void *bytes, size_t count, mode_t mode) {
    static const char new_name[] = ".new";
    // A file of its own, which nobody has open: what is in it may not be for everybody.
    unlinkat(folder, new_name, 0);
    int file = openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return -1;
    const char *next = bytes;
    bool is_written = fchmod(file, mode) == 0;
    while (is_written && count > 0) {
        ssize_t written = write(file, next, count);
        if (written < 0 && errno == EINTR) continue;
        is_written = written > 0;
        if (is_written) {
            next += written;
            count -= (size_t)written;
        }
    }
    if (is_written) is_written = renameat(folder, new_name, folder, name) == 0;
    if (is_written) {
        close(file);
        return 0;
    }
    failed(file);
    int error = errno;
    unlinkat(folder, new_name, 0);
    errno = error;
    return -1;
}

int hi_remove_file(int folder, const char *name) { return unlinkat(folder, name, 0); }
