// What Swift cannot say: the child between clone and exec, errno, macros and variadic calls of libc, raw signal sets.
// Every module reaches libc through this header, in the debug build (glibc) and in the release build (musl) alike.
#ifndef HERMES_INIT_CSYSTEM_H
#define HERMES_INIT_CSYSTEM_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "CSocket.h"

/// environ(7): the environment that the process was started with.
char **hi_environment(void);

/// From now on, Swift's objects are cut from one mapping that is never given back: for a process that ends soon. In a build
/// against glibc it does nothing.
void hi_arena_begin(void);
/// From here on the process waits where there is no memory, and keeps address space for that; also makes that anew where it
/// was used up. Without this call it ends with a message.
void hi_keep_memory(void);
/// What was kept is used up.
bool hi_memory_is_short(void);
/// There is no memory now: to be asked for again after this.
void hi_wait_for_memory(void);

/// errno of the last call that failed; a macro in C, which Swift does not import.
static inline int hi_errno(void) { return errno; }

// --- signals -------------------------------------------------------------------------------------------------------------
// Sets of signals are 64-bit masks as the kernel keeps them, bit n-1 for signal n. libc's sigset_t functions leave out the
// real-time signals that libc uses itself (32 to 34 in musl), which Docker and the shell send as SIGRTMIN.

/// Blocks every signal that can be blocked; gives the mask that was in force. rt_sigprocmask(2).
uint64_t hi_block_all_signals(void);

/// The signals whose disposition is "ignore". rt_sigaction(2).
uint64_t hi_ignored_signals(void);

/// Sets one signal's disposition to the default. rt_sigaction(2).
void hi_default_signal(int signal);

/// A signalfd for every signal, non-blocking, close-on-exec; -1 and errno. signalfd4(2).
int hi_signalfd(void);

/// What one read of the signalfd gave, as far as the init needs it. signalfd(2).
struct hi_signal {
    int32_t signal;
    int32_t sender;
};

/// Reads up to `capacity` signals; gives how many (0: none is pending), or -1 and errno.
int hi_read_signals(int descriptor, struct hi_signal *signals, int capacity);

/// From now on hi_epoll_wait reads the signalfd, whose event has this token, by itself, and sends on those signals that have a
/// bit here (that of signal 1 the lowest): to that process, or where `target` is negative to that process group. hi_read_signals
/// gives the others. 0: none is sent on.
void hi_forward(uint64_t signals, pid_t target, int descriptor, uint64_t token);

// --- processes -----------------------------------------------------------------------------------------------------------

/// Where a child failed on its way to its program, in the order in which a child goes through them.
enum hi_stage {
    HI_STAGE_NONE = 0,
    HI_STAGE_SESSION,       // setsid(2), setpgid(2)
    HI_STAGE_CGROUP,        // its cgroup's folder and cgroup.procs
    HI_STAGE_DESCRIPTORS,   // dup2(2), close_range(2)
    HI_STAGE_TERMINAL,      // TIOCSCTTY
    HI_STAGE_OOM_SCORE,     // /proc/self/oom_score_adj
    HI_STAGE_LIMITS,        // prlimit(2)
    HI_STAGE_NICE,          // setpriority(2)
    HI_STAGE_BOUNDING_SET,  // PR_CAPBSET_DROP, PR_SET_KEEPCAPS
    HI_STAGE_GROUPS,        // setgroups(2)
    HI_STAGE_GID,           // setresgid(2)
    HI_STAGE_UID,           // setresuid(2)
    HI_STAGE_CAPABILITIES,  // capset(2), PR_CAP_AMBIENT
    HI_STAGE_PRIVILEGES,    // PR_SET_NO_NEW_PRIVS
    HI_STAGE_DIRECTORY,     // chdir(2)
    HI_STAGE_EXEC,          // execve(2)
};

/// A limit of the child's own (prlimit(2)).
struct hi_limit {
    int resource;
    struct rlimit values;
};
enum { HI_MOST_LIMITS = 9, HI_CGROUP_NAME = 80 };

/// What a child sends through its report pipe, or leaves in its request, where it fails; nothing is sent where the exec succeeds.
struct hi_report {
    int32_t stage;
    int32_t error;
    int32_t candidate;  // at HI_STAGE_EXEC: which of the candidates the error is about; at HI_STAGE_LIMITS: which of the
                        // limits, -1 for the one that the init had raised; at HI_STAGE_BOUNDING_SET: which capability
};

/// Everything a child needs, in one block of memory that does not move: the child runs in the init's memory until its exec.
/// Made by hi_request_create, freed by hi_request_free once the report pipe, or hi_has_left, says that the child needs it no longer.
struct hi_request {
    char **candidates;  // paths to try, in order, as execvp(3) does; NULL at the end
    char **arguments;   // argv; one free slot stands before it
    char **environment;
    const char *directory;  // NULL: stays where the init is
    uint32_t *groups;
    size_t group_count;
    int standard[3];       // what becomes 0, 1 and 2
    int script;            // becomes 3 and stays open: the text of a script for its interpreter, or where a stage's
                           // exports go; -1: none
    int notify_source;     // becomes notify_target and stays open: where the program tells that it is ready; -1: none
    int notify_target;     // 3 or more; not 3 with a script
    int report;            // the report pipe's write end, close-on-exec; -1: none, the child writes into `told`
    struct hi_report told; // without a pipe: the failure, once its stage is not 0
    int32_t is_here;       // without a pipe: not 0 while the child runs in this memory; read it with hi_has_left
    bool new_session;      // setsid; else a process group of its own
    bool keep_descriptors; // leaves inherited descriptors above 2 open (the main program)
    bool take_foreground;  // becomes the foreground process group of descriptor 0's terminal
    bool take_terminal;    // with new_session: makes descriptor 0's terminal the controlling terminal
    bool set_groups, set_gid, set_uid;
    bool set_umask;
    bool set_descriptor_limit;
    bool tell_own_process; // WATCHDOG_PID=, followed by room for ten digits, gets the child's process ID in the environment
    bool shell_fallback;   // ENOEXEC: /bin/sh runs it, as execvp(3) does
    uint32_t gid, uid;
    uint32_t umask;
    struct rlimit descriptor_limit;
    // [limits], nice, oom-score-adj, [security].
    struct hi_limit limits[HI_MOST_LIMITS];
    int limit_count;
    bool set_nice, set_oom_score, set_capabilities, no_new_privileges;
    bool ambient;           // the user is not root: the kept capabilities become ambient
    int32_t nice, oom_score;
    uint64_t capabilities;  // those that are kept, bit n for capability n
    // The group of the child's own: a folder `cgroup` in the open folder `cgroup_folder`, made where it is not there.
    int cgroup_folder;      // -1: stays in the init's
    bool cgroup_required;   // else it is no failure where it cannot enter it
    char cgroup[HI_CGROUP_NAME];
    uint64_t default_signals;  // dispositions to set to the default
    uint64_t ignored_signals;  // dispositions to set to "ignore"
    uint64_t signal_mask;      // in force when the program starts
    void *stack;               // of the child; belongs to spawn.c
    struct in_place *in_place; // no child: where to go back to; belongs to spawn.c
};

/// Makes a request. `strings` holds, one after the other and each ended by a NUL: the candidates, the arguments, the
/// environment, and the directory if there is one. NULL where memory is short or the counts do not fit the strings.
struct hi_request *hi_request_create(const uint8_t *strings, size_t length, size_t candidates, size_t arguments,
                                     size_t environment, bool has_directory, const uint32_t *groups,
                                     size_t group_count);

/// Copies a text up to its first NUL, if there is one, and puts a NUL behind it; gives how many bytes that are.
size_t hi_copy_text(void *place, const void *text, size_t length);

/// Adds a limit. `name`: its place in LimitName (nofile, nproc, core, stack, memlock, as, fsize, data, cpu). What there is
/// no room for, or no name, is left out.
void hi_request_limit(struct hi_request *request, int name, uint64_t soft, uint64_t hard);

/// The hard limit of the init itself, by its place in LimitName; UINT64_MAX: unlimited. getrlimit(2).
uint64_t hi_limit_ceiling(int name);

/// No limit (RLIM_INFINITY).
static inline uint64_t hi_unlimited(void) { return RLIM_INFINITY; }

/// The permitted capabilities of the init, bit n for capability n. capget(2).
uint64_t hi_permitted_capabilities(void);

/// Frees a request. NULL is allowed.
void hi_request_free(struct hi_request *request);

/// Starts the child. Gives its process ID, or -1 and errno (clone(2): EAGAIN, ENOMEM). Does not wait for the exec. Without a
/// report pipe EINVAL says that the child would have memory of its own here, so that it needs one.
pid_t hi_spawn(struct hi_request *request);

/// Without a report pipe: the child has left the init's memory. It runs its program, or has ended (see `told`); the request may
/// be freed.
bool hi_has_left(const struct hi_request *request);

/// As hi_spawn, but there is no exec: gives 0 in the child, which is a copy of the init with one thread (fork(2)) and has
/// gone through the same steps. It must end with hi_exit.
pid_t hi_fork(struct hi_request *request);

/// Makes this process itself what a child would become (limits, priority, capabilities, groups, group, user, folder, umask) and
/// runs the program in it. Descriptors, signals, session and terminal stay as they are. Gives back how far it came where that
/// fails; by then the process may have become a part of it, and should end.
struct hi_report hi_become(struct hi_request *request);

/// _exit(2): ends without touching what the parent shares.
static inline _Noreturn void hi_exit(int code) { _exit(code); }

/// kill(2), for a process group: kill(-group).
static inline int hi_kill_group(pid_t group, int signal) { return group > 1 ? kill(-group, signal) : -1; }

/// waitpid(2) for any child, without waiting. Gives the process ID, 0 where none has ended, -1 and errno (ECHILD).
/// `ended_by` becomes 0 for an exit, else the signal's number.
pid_t hi_reap(int *code, int *ended_by, bool *dumped_core);

/// Whether /proc shows that process and no other; false also where that cannot be known. Stops at the first other.
bool hi_is_alone(pid_t own);

/// pidfd_open(2); -1 and errno.
int hi_pidfd_open(pid_t process);

// --- descriptors ---------------------------------------------------------------------------------------------------------

/// A pipe with both ends close-on-exec, the read end non-blocking. pipe2(2).
int hi_pipe(int *read_end, int *write_end);

/// A pipe, both ends close-on-exec and non-blocking: what does not fit is refused. pipe2(2).
int hi_bounded_pipe(int *read_end, int *write_end);

/// What a pipe can hold (fcntl(2) F_SETPIPE_SZ); where that is refused it stays as it is.
void hi_set_pipe_size(int pipe, int size);

/// A file in memory that holds these bytes, for an interpreter to read: memfd_create(2). -1 and errno.
int hi_memory_file(const void *bytes, size_t count);

/// open(2) with O_CLOEXEC.
int hi_open(const char *path, int flags);
/// openat(2) with O_CLOEXEC.
int hi_openat(int folder, const char *path, int flags);

/// writev(2) that never waits: pwritev2(2) with RWF_NOWAIT; EOPNOTSUPP where the file cannot do that.
ssize_t hi_write_nowait(int descriptor, const void *bytes, size_t count);
/// send(2) with MSG_DONTWAIT and MSG_NOSIGNAL.
ssize_t hi_send_nowait(int descriptor, const void *bytes, size_t count);

/// The foreground process group of a terminal; -1 and errno. tcgetpgrp(3).
static inline pid_t hi_foreground_group(int terminal) { return tcgetpgrp(terminal); }

/// Adds a descriptor to an epoll; level-triggered. epoll_ctl(2).
int hi_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
/// Takes it out again.
int hi_epoll_remove(int epoll, int descriptor);

struct hi_ready {
    uint64_t token;
    uint32_t events;
};
/// epoll_wait(2). `timeout` in milliseconds, -1: for ever. `capacity` at most 64. Where it `rests`, the memory that only the work
/// before needed goes back to the kernel first (wait.c).
int hi_epoll_wait(int epoll, struct hi_ready *ready, int capacity, int timeout, bool rests);

/// A call failed that no input can make fail, or for lack of memory, and what it was for is still to be done. A loop that
/// is told of it at once, again and again, would take a whole processor until it goes better.
void hi_stumble(void);
/// Whether that has happened since the last time it was asked; then it has waited for 10 ms, so that such a fault costs
/// a hundred turns of the loop in a second and no more.
bool hi_recover(void);

/// Arms a timerfd to a moment of CLOCK_MONOTONIC in nanoseconds; 0 disarms it. timerfd_settime(2).
int hi_timer_set(int timer, int64_t nanoseconds);

/// Raises the soft limit of open files to the hard one and gives what it was before; false where nothing changed.
bool hi_raise_descriptor_limit(struct rlimit *before);

/// CLOCK_MONOTONIC in nanoseconds. clock_gettime(2).
int64_t hi_monotonic_nanoseconds(void);

/// ioctl TIOCNOTTY: gives up the controlling terminal.
static inline int hi_give_up_terminal(int terminal) { return ioctl(terminal, TIOCNOTTY); }

/// Takes O_NONBLOCK and O_APPEND off an open file (fcntl(2)). `access`: O_RDONLY, O_WRONLY or O_RDWR, as it was opened.
static inline void hi_make_blocking(int descriptor, int access) { fcntl(descriptor, F_SETFL, access); }

/// How many bytes wait in a pipe (ioctl FIONREAD); 0 also where that cannot be known.
static inline int hi_unread(int pipe) {
    int count = 0;
    return ioctl(pipe, FIONREAD, &count) < 0 ? 0 : count;
}

/// What the init wants to know of a file (stat(2)); a structure of our own, since libc's differs between builds.
struct hi_file {
    uint32_t mode;
    uint64_t device, inode, special;  // special: the number of a device file
    int64_t size;
    uint32_t user;
};
/// Whether a descriptor is open (fcntl(2)).
static inline bool hi_is_open(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }
/// Opens /dev/null for reading and writing at the lowest free descriptor, without close-on-exec.
static inline int hi_open_null(void) { return open("/dev/null", O_RDWR); }

/// chdir("/"): a process that stays for long keeps no mount busy.
static inline void hi_leave_folder(void) {
    if (chdir("/") < 0) return;
}

/// prctl(2): orphaned descendants become children of this process.
static inline void hi_become_subreaper(void) { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
/// prctl(2): whether this process is a subreaper already; the property survives an exec.
static inline bool hi_is_subreaper(void) {
    int is = 0;
    return prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) == 0 && is;
}
/// prctl(2): the signal that comes when the parent dies.
static inline void hi_set_parent_death_signal(int signal) { prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

/// stat(2), links followed; -1 and errno.
int hi_stat(const char *path, struct hi_file *file);
/// Whether a path is a folder itself and no link to one (lstat(2)).
bool hi_is_folder_itself(const char *path);
/// lstat(2): a link itself; -1 and errno.
int hi_lstat(const char *path, struct hi_file *file);
/// fstat(2); -1 and errno.
int hi_fstat(int descriptor, struct hi_file *file);

/// opendir(3), readlink(2) and access(2); glibc's own declarations refuse a pointer that Swift calls optional.
static inline DIR *hi_opendir(const char *path) { return opendir(path); }
/// readdir(3), which tells a mistake from the end by errno alone: it is in `error`, 0 at the end.
static inline struct dirent *hi_readdir(DIR *folder, int *error) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    *error = errno;
    return entry;
}
static inline ssize_t hi_readlink(const char *path, void *target, size_t size) { return readlink(path, target, size); }
static inline int hi_access(const char *path, int mode) { return access(path, mode); }

static inline bool hi_is_regular(mode_t mode) { return S_ISREG(mode); }
static inline bool hi_is_directory(mode_t mode) { return S_ISDIR(mode); }
static inline bool hi_is_character_device(mode_t mode) { return S_ISCHR(mode); }
static inline bool hi_is_socket(mode_t mode) { return S_ISSOCK(mode); }

#include "CSystemLogs.h"

// --- stages --------------------------------------------------------------------------------------------------------------

/// Locks a whole file against other writers (fcntl(2) F_SETLK); does not wait: -1 and EAGAIN or EACCES where somebody has it.
int hi_lock_file(int file);

/// The group that a file belongs to, links followed (stat(2)); -1 and errno.
int hi_group_of(const char *path, uint32_t *group);

/// Waits for the end of a child: its exit code, or the signal that ended it, else 0. waitpid(2); -1 and errno.
int hi_wait_for(pid_t process, int *code, int *ended_by);

/// An address of 4 or 16 bytes, in network order.
struct hi_host {
    uint8_t length, bytes[16];
};
/// The addresses of a name: in dots or colons, of /etc/hosts, or what a name server says. Waits so long at most. Gives how
/// many there are.
int hi_resolve(const char *name, struct hi_host *hosts, int capacity, int milliseconds);

/// Waits until a socket or pipe can be written, or read (poll(2)); 0 where that did not come in time.
int hi_poll_one(int descriptor, bool writes, int milliseconds);

/// Where a terminal has no size, gives it 24 rows of 80 columns (ioctl TIOCSWINSZ). False where it has one.
bool hi_give_terminal_size(int terminal);

#include "control.h"
#include "tree.h"
#include "screen.h"

#endif
