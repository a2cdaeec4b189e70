// Thin covers of the calls that the control socket needs. No decision is made here.

#include "CSystem.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { WAITING_CONNECTIONS = 128 };

static int failed(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int listen_at(int family, const struct sockaddr *address, socklen_t length) {
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int yes = 1;
    if (family != AF_UNIX) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // Who may do what is decided by who connects, not by who may connect.
    mode_t before = umask(0111);
    int result = bind(descriptor, address, length);
    umask(before);
    if (result < 0 || listen(descriptor, WAITING_CONNECTIONS) < 0) return failed(descriptor);
    return descriptor;
}

int hi_listen_unix(const char *path) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof place.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(place.sun_path, path, length);
    return listen_at(AF_UNIX, (const struct sockaddr *)&place,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1));
}

int hi_listen_tcp(const uint8_t *address, size_t length, uint16_t port) {
    if (length == 4) {
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&four.sin_addr, address, 4);
        return listen_at(AF_INET, (const struct sockaddr *)&four, sizeof four);
    }
    if (length == 16) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&six.sin6_addr, address, 16);
        return listen_at(AF_INET6, (const struct sockaddr *)&six, sizeof six);
    }
    errno = EINVAL;
    return -1;
}

int hi_accept(int socket, struct hi_peer *peer) {
    int descriptor;
    do {
        descriptor = accept4(socket, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) return -1;
    struct ucred who;
    socklen_t size = sizeof who;
    // A process of another PID namespace has the number 0 here; its user counts all the same.
    *peer = (struct hi_peer){UINT32_MAX, UINT32_MAX};
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
        *peer = (struct hi_peer){who.uid, who.gid};
    return descriptor;
}

ssize_t hi_receive(int socket, void *bytes, size_t capacity) {
    ssize_t count;
    do {
        count = recv(socket, bytes, capacity, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count;
}

void hi_shutdown(int socket, bool whole) { shutdown(socket, whole ? SHUT_RDWR : SHUT_WR); }

int hi_epoll_change(int epoll, int descriptor, bool reads, bool writes, uint64_t token) {
    struct epoll_event event = {.events = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0), .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
}
