// Sockets, as far as the init needs them: connections of probes, and the sockets that services tell of themselves through.
// Their structures stay in C. Nothing here waits.
#ifndef HERMES_INIT_CSOCKET_H
#define HERMES_INIT_CSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The bytes of an address in dots or colons, in network order; gives how many there are: 4, 16, or 0 where it is none.
/// inet_pton(3).
int hi_parse_address(const char *text, uint8_t bytes[16]);

/// Begins a TCP connection to a port of an address of 4 or 16 bytes, in network order. Gives the socket, which becomes
/// writable when it is known how that came out; -1 and errno where it is known already. connect(2).
int hi_connect_tcp(const uint8_t *address, size_t length, uint16_t port);

/// Begins a connection to a Unix stream socket. As above; ENAMETOOLONG for a path of more than 107 bytes. unix(7).
int hi_connect_unix(const uint8_t *path, size_t length);

/// How a connection came out: 0, or the errno. SO_ERROR.
int hi_socket_error(int socket);

/// A datagram socket with a name of the kernel's choice in the abstract namespace, which tells of each sender who it is
/// (SO_PASSCRED). `name` gets what stands behind the NUL, `length` its length, at most 107. -1 and errno. unix(7).
int hi_notify_socket(uint8_t *name, size_t *length);

/// Who sent a datagram, as the kernel says; process 0: it is in no PID namespace that the init can see.
struct hi_sender {
    pid_t process;
    uint32_t user;
    bool is_cut;  // it was longer than the room for it
};

/// One datagram. Descriptors that came with it are closed. Gives its length, -1 and errno (EAGAIN: there is none).
ssize_t hi_receive_notification(int socket, void *bytes, size_t capacity, struct hi_sender *sender);

/// Makes a folder of mode 0755 where there is none and opens it. -1 and errno; EPERM where it is another user's, or others
/// may write to it; ENOTDIR where it is a link.
int hi_open_own_folder(const char *path);

/// Puts a file of that mode in the place of the one that has that name, in one step (rename(2)). -1 and errno.
int hi_replace_file(int folder, const char *name, const void *bytes, size_t count, mode_t mode);

/// Opens a folder that is no link and belongs to root or to the effective user, and that nobody else may write to. -1 and
/// errno; ENOTDIR, ELOOP, EPERM.
int hi_open_trusted_folder(const char *path);

/// Opens a file of such a folder for reading, where the same holds for it and it is a regular file; EPERM where not.
int hi_open_trusted_file(int folder, const char *name);

/// Takes a file away. unlinkat(2).
int hi_remove_file(int folder, const char *name);

#endif
