// What the services' output needs of the kernel: the process that writes log files, and opening a file for it without ever
// following a link. Included by CSystem.h.
#ifndef HERMES_INIT_CSYSTEM_LOGS_H
#define HERMES_INIT_CSYSTEM_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hi_file;

/// CLOCK_REALTIME in milliseconds. clock_gettime(2).
int64_t hi_realtime_milliseconds(void);

/// The number of bytes before the first line end among `count` bytes; `count` where there is none.
size_t hi_line_length(const uint8_t *bytes, size_t count);
/// How many of these bytes are ends of lines.
size_t hi_line_count(const uint8_t *bytes, size_t count);

/// Two connected sockets that keep the borders of messages (unix(7), SOCK_SEQPACKET), both close-on-exec: one that never
/// waits, and one that does. 0, or -1 and errno.
int hi_message_pair(int *sender, int *receiver);

/// The next message, left where it is (recv(2), MSG_PEEK): its length, 0 at the end, -1 and errno. Waits.
ssize_t hi_peek_message(int receiver, void *bytes, size_t capacity);
/// Takes the next message away.
void hi_drop_message(int receiver);

/// Starts the process that writes log files: a copy of the init (clone(2)) in a session of its own, in the root folder, called
/// hermes-log, with no descriptor but /dev/null at 0 to 2 and the two that are named. It is no child in the sense of
/// waitpid(-1), so that it is not taken for something that is left over when the container stops. Gives its process ID; 0
/// in the copy, which must end with hi_exit; -1 and errno.
pid_t hi_fork_writer(int receiver, int reports);
/// Reaps it, without waiting; false where it has not ended yet. `ended_by`: the signal that ended it, or 0.
bool hi_reap_writer(pid_t process, int *ended_by);

/// The user and groups as which files are looked up and made from now on, with the rights of those only (setfsuid(2),
/// setgroups(2)). NULL instead of supplementary groups: those that the process began with.
void hi_act_as(uint32_t user, uint32_t group, const uint32_t *groups, size_t count);

/// The root folder, as hi_enter_folder gives one.
int hi_root_folder(void);
/// A folder in a folder, to be used as a place only. -1 and errno, which is ELOOP for a symbolic link. openat(2)
int hi_enter_folder(int parent, const char *name);
/// Opens a regular file to append to, or makes it (mode 0640). -1 and errno: ELOOP for a symbolic link, EISDIR for a folder,
/// ENOTSUP for whatever else is no regular file. openat(2)
int hi_open_log(int folder, const char *name);
/// What lies at a name, links not followed. -1 and errno. fstatat(2)
int hi_stat_at(int folder, const char *name, struct hi_file *file);
/// Gives a file in a folder another name there, in place of whatever has that name. renameat(2)
int hi_rename_at(int folder, const char *from, const char *to);
/// Removes a file from a folder. unlinkat(2)
int hi_unlink_at(int folder, const char *name);
/// Makes a folder in a folder (mode 0750). mkdirat(2)
int hi_make_folder_at(int folder, const char *name);
/// The last byte of a file that has `size` bytes; -1 where it cannot be read. pread(2)
int hi_last_byte(int file, int64_t size);

#endif
