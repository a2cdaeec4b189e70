// Listening sockets, for the control socket and its HTTP. Their structures stay in C. Nothing here waits.
#ifndef HERMES_INIT_CONTROL_H
#define HERMES_INIT_CONTROL_H

/// A listening Unix stream socket of mode 0666 at a path where nothing is. -1 and errno (EADDRINUSE: something is there).
int hi_listen_unix(const char *path);

/// A listening TCP socket at an address of 4 or 16 bytes, in network order. -1 and errno.
int hi_listen_tcp(const uint8_t *address, size_t length, uint16_t port);

/// Who is at the other end of a Unix socket, as it was when it connected (SO_PEERCRED). For TCP all are UINT32_MAX.
struct hi_peer {
    uint32_t user, group;
};

/// The next connection, non-blocking and close-on-exec. -1 and errno (EAGAIN: there is none; ECONNABORTED: it is gone already). accept4(2).
int hi_accept(int socket, struct hi_peer *peer);

/// recv(2) with MSG_DONTWAIT.
ssize_t hi_receive(int socket, void *bytes, size_t capacity);

/// No more will be said: shutdown(2) of the writing side, or (`whole`) of both.
void hi_shutdown(int socket, bool whole);

/// Changes what an epoll waits for: `reads` and `writes`; neither: only for the end of the other side. epoll_ctl(2).
int hi_epoll_change(int epoll, int descriptor, bool reads, bool writes, uint64_t token);

/// unlink(2); glibc's own declaration refuses a pointer that Swift calls optional.
static inline int hi_unlink(const char *path) { return unlink(path); }

/// The size of a page of memory.
static inline int64_t hi_page_size(void) { return sysconf(_SC_PAGESIZE); }

#endif
