// The child between clone and exec.
//
// A child is made with clone(CLONE_VM) and without CLONE_VFORK: it runs in the init's memory, on a small stack of its own,
// at the same time as the init. That copies no page tables, which is what makes starting hundreds of services quick, and the
// init never waits for an exec that hangs on a slow file system. The price is paid in this file alone:
//   - nothing here calls libc once the child runs: errno, malloc and stdio belong to the init. System calls are made directly
//   - the child writes to its own stack and to its request, and to no other memory
//   - what the kernel keeps with the memory and not with the process (oom_score_adj) needs a child with memory of its own
//   - every signal is blocked in the init (it reads them from a signalfd), so no handler can run in the child by mistake
// How it went the init learns from a pipe whose end the exec closes, or, with none, from the request itself: the child writes
// there where it fails, and the kernel clears a mark in it when the child leaves the memory, by its exec or its end. That wakes
// nobody: it is for programs of which the init need only know at their end that they ran.
// Where an emulator does not know this form of clone (qemu-user), the same code runs in a plain fork. What makes a process who
// and what it is to be (become, execute) also runs in a process that is no child: hi_become, for `hermes-init exec`.

#include "CSystem.h"

#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "call.h"

static long system_call(long number, long a, long b, long c, long d, long e) { return raw_call(number, a, b, c, d, e, 0); }

#define CALL0(n) system_call(SYS_##n, 0, 0, 0, 0, 0)
#define CALL1(n, a) system_call(SYS_##n, (long)(a), 0, 0, 0, 0)
#define CALL2(n, a, b) system_call(SYS_##n, (long)(a), (long)(b), 0, 0, 0)
#define CALL3(n, a, b, c) system_call(SYS_##n, (long)(a), (long)(b), (long)(c), 0, 0)
#define CALL4(n, a, b, c, d) system_call(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0)
#define PRCTL(a, b, c) system_call(SYS_prctl, (long)(a), (long)(b), (long)(c), 0, 0)

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { STACK_SIZE = 16 * 1024, IDLE_STACKS = 8, SIGNALS = 64, HIGHEST_DESCRIPTOR_TO_TRY = 65536, SCRIPT = 3 };

// The kernel's own form of struct sigaction, all zero but for the handler; large enough for both architectures.
struct kernel_sigaction {
    uintptr_t handler;
    unsigned long rest[4];
};

static void set_dispositions(uint64_t signals, uintptr_t handler) {
    struct kernel_sigaction action = {.handler = handler};
    for (int signal = 1; signal <= SIGNALS; signal++) {
        if (signals & (1ULL << (signal - 1))) CALL4(rt_sigaction, signal, &action, 0, sizeof(uint64_t));
    }
}

// Where a process that is no child goes back to, with the reason.
struct in_place {
    jmp_buf back;
    struct hi_report report;
};

static _Noreturn void fail(const struct hi_request *request, int32_t stage, long error, int32_t candidate) {
    struct hi_report report = {.stage = stage, .error = (int32_t)-error, .candidate = candidate};
    if (request->in_place) {
        request->in_place->report = report;
        longjmp(request->in_place->back, 1);
    }
    if (request->report < 0) {
        // The request is in memory that the init shares, and stays until this process is reaped, or known to be on its way out.
        struct hi_report *told = (struct hi_report *)(uintptr_t)&request->told;
        told->error = report.error;
        told->candidate = report.candidate;
        __atomic_store_n(&told->stage, stage, __ATOMIC_RELEASE);
    } else {
        CALL3(write, request->report, &report, sizeof report);
    }
    CALL1(exit_group, 127);
    __builtin_unreachable();
}

static void close_between(unsigned first, unsigned last) {
    if (first > last) return;
    if (CALL3(close_range, first, last, 0) == 0) return;
    // Kernels before 5.9. The init's own descriptors are all close-on-exec; this is for what it inherited.
    if (last > HIGHEST_DESCRIPTOR_TO_TRY) last = HIGHEST_DESCRIPTOR_TO_TRY;
    for (unsigned descriptor = first; descriptor <= last; descriptor++) CALL1(close, descriptor);
}

// Moves one of the init's descriptors out of the way of what is to stand there. The request is the child's own to change.
static void make_way(const struct hi_request *request, int *descriptor, int target) {
    if (*descriptor != target) return;
    long moved = CALL3(fcntl, *descriptor, F_DUPFD_CLOEXEC, request->notify_target + 1);
    if (moved < 0) fail(request, HI_STAGE_DESCRIPTORS, moved, 0);
    *descriptor = (int)moved;
}

// Gives a descriptor its number in the program, where it stays open.
static void place(const struct hi_request *request, int source, int target) {
    long result = source == target ? CALL3(fcntl, source, F_SETFD, 0) : CALL3(dup3, source, target, 0);
    if (result < 0) fail(request, HI_STAGE_DESCRIPTORS, result, 0);
}

static void set_descriptors(struct hi_request *request) {
    for (int target = 0; target < 3; target++) {
        if (request->standard[target] != target) place(request, request->standard[target], target);
    }
    // What stays open, in ascending order: at most three, and the report pipe until the exec.
    int kept[3];
    int count = 0;
    if (request->script >= 0) {
        // None of the init's own descriptors is 3: they begin above it.
        place(request, request->script, SCRIPT);
        kept[count++] = SCRIPT;
    }
    if (request->notify_source >= 0) {
        make_way(request, &request->report, request->notify_target);
        place(request, request->notify_source, request->notify_target);
        kept[count++] = request->notify_target;
    }
    if (request->keep_descriptors) return;
    if (request->report >= 0) kept[count++] = request->report;
    unsigned first = 3;
    while (count > 0) {
        int least = 0;
        for (int index = 1; index < count; index++) {
            if (kept[index] < kept[least]) least = index;
        }
        unsigned next = (unsigned)kept[least];
        if (next > first) close_between(first, next - 1);
        first = next + 1;
        kept[least] = kept[--count];
    }
    close_between(first, ~0U);
}

// Writes the child's own process ID behind WATCHDOG_PID= in its environment: only the child knows it before its exec.
static void tell_own_process(struct hi_request *request) {
    static const char name[] = "WATCHDOG_PID=";
    enum { LENGTH = sizeof name - 1, DIGITS = 10 };
    for (char **entry = request->environment; *entry; entry++) {
        int place = 0;
        while (place < LENGTH && (*entry)[place] == name[place]) place++;
        if (place < LENGTH) continue;
        char digits[DIGITS];
        int count = 0;
        for (unsigned long left = (unsigned long)CALL0(getpid); count < DIGITS && (left > 0 || count == 0); left /= 10)
            digits[count++] = (char)('0' + left % 10);
        char *text = *entry + LENGTH;
        for (int room = 0; room < DIGITS && text[room]; room++) {
            text[room] = count > 0 ? digits[--count] : 0;
            if (!text[room]) break;
        }
        return;
    }
}

// The service's own cgroup, made and entered by the child itself, so that the init waits for none of it: the kernel may take
// milliseconds to move a process. Before the change of user, whose right to it would be none.
static void enter_cgroup(const struct hi_request *request) {
    if (request->cgroup_folder < 0) return;
    CALL3(mkdirat, request->cgroup_folder, request->cgroup, 0755);
    long result = CALL4(openat, request->cgroup_folder, request->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (result >= 0) {
        long folder = result;
        result = CALL4(openat, folder, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
        CALL1(close, folder);
    }
    if (result >= 0) {
        long file = result;
        result = CALL3(write, file, "0", 1);
        CALL1(close, file);
    }
    if (result < 0 && request->cgroup_required) fail(request, HI_STAGE_CGROUP, result, 0);
}

static void set_oom_score(const struct hi_request *request) {
    if (!request->set_oom_score) return;
    char text[12];
    char *first = text + sizeof text;
    int32_t value = request->oom_score;
    uint32_t rest = value < 0 ? -(uint32_t)value : (uint32_t)value;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) *--first = '-';
    long result = CALL4(openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
    if (result >= 0) {
        long file = result;
        result = CALL3(write, file, first, text + sizeof text - first);
        CALL1(close, file);
    }
    if (result < 0) fail(request, HI_STAGE_OOM_SCORE, result, 0);
}

static void set_limits(const struct hi_request *request) {
    if (request->set_descriptor_limit) {
        long result = CALL4(prlimit64, 0, RLIMIT_NOFILE, &request->descriptor_limit, 0);
        if (result < 0) fail(request, HI_STAGE_LIMITS, result, -1);
    }
    for (int index = 0; index < request->limit_count; index++) {
        const struct hi_limit *limit = &request->limits[index];
        long result = CALL4(prlimit64, 0, limit->resource, &limit->values, 0);
        if (result < 0) fail(request, HI_STAGE_LIMITS, result, index);
    }
    if (request->set_nice) {
        long result = CALL3(setpriority, PRIO_PROCESS, 0, request->nice);
        if (result < 0) fail(request, HI_STAGE_NICE, result, 0);
    }
}

static bool is_kept(const struct hi_request *request, int capability) {
    return request->capabilities >> capability & 1;
}

// While there still is the right to do so: what has left the bounding set cannot come back by any exec.
static void limit_bounding_set(const struct hi_request *request) {
    if (!request->set_capabilities) return;
    for (int capability = 0; capability < 64; capability++) {
        if (is_kept(request, capability)) continue;
        long result = PRCTL(PR_CAPBSET_READ, capability, 0);
        if (result < 0) break;  // The kernel knows no more of them.
        if (result == 0) continue;
        result = PRCTL(PR_CAPBSET_DROP, capability, 0);
        // With no-new-privileges no exec can make use of the set, so it is no harm that it stays.
        if (result == -EPERM && request->no_new_privileges) break;
        if (result < 0) fail(request, HI_STAGE_BOUNDING_SET, result, capability);
    }
    if (request->set_uid && request->ambient) {
        long result = PRCTL(PR_SET_KEEPCAPS, 1, 0);
        if (result < 0) fail(request, HI_STAGE_BOUNDING_SET, result, -1);
    }
}

// linux/capability.h, which musl does not come with: version 3, 64 bits in two halves.
struct capability_header {
    uint32_t version;
    int32_t process;
};
struct capability_data {
    uint32_t effective, permitted, inheritable;
};
enum { CAPABILITY_VERSION = 0x20080522 };

static void set_capabilities(const struct hi_request *request) {
    if (request->set_capabilities) {
        struct capability_header header = {.version = CAPABILITY_VERSION};
        struct capability_data data[2];
        for (int half = 0; half < 2; half++) {
            uint32_t kept = (uint32_t)(request->capabilities >> (32 * half));
            data[half].effective = data[half].permitted = kept;
            data[half].inheritable = request->ambient ? kept : 0;
        }
        long result = CALL2(capset, &header, data);
        // A kernel before 4.3 has no ambient set, and nothing to clear.
        if (result >= 0) PRCTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
        for (int capability = 0; result >= 0 && request->ambient && capability < 64; capability++) {
            if (is_kept(request, capability)) result = PRCTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
        }
        if (result < 0) fail(request, HI_STAGE_CAPABILITIES, result, 0);
    }
    if (request->no_new_privileges) {
        long result = PRCTL(PR_SET_NO_NEW_PRIVS, 1, 0);
        if (result < 0) fail(request, HI_STAGE_PRIVILEGES, result, 0);
    }
}

// execvp(3)'s rules: the next candidate after "not there"; a denial is remembered and told if none of the rest is there.
static _Noreturn void execute(const struct hi_request *request) {
    long denial = 0;
    int32_t denied = 0;
    long error = -ENOENT;
    int32_t index = 0;
    for (; request->candidates[index]; index++) {
        char *path = request->candidates[index];
        error = CALL3(execve, path, request->arguments, request->environment);
        if (error == -ENOEXEC && request->shell_fallback) {
            char **arguments = request->arguments - 1;
            arguments[0] = (char *)"/bin/sh";
            if (arguments[1]) arguments[1] = path;
            error = CALL3(execve, "/bin/sh", arguments, request->environment);
            break;
        }
        if (error == -EACCES) {
            if (!denial) denied = index;
            denial = error;
            continue;
        }
        // ENOENT of a file that is there is its interpreter's; telling the two apart is the init's work.
        if (error == -ENOENT && CALL4(faccessat, AT_FDCWD, path, F_OK, 0) == 0) break;
        if (error != -ENOENT && error != -ENOTDIR && error != -ESTALE && error != -ENODEV && error != -ETIMEDOUT) break;
    }
    if (!request->candidates[index]) {
        if (denial) fail(request, HI_STAGE_EXEC, denial, denied);
        index = 0;
    }
    fail(request, HI_STAGE_EXEC, error, index);
}

// Makes the process who and what it is to be. The order matters: the right to raise a limit, to drop capabilities and to change
// groups ends with the user ID.
static void become(const struct hi_request *request) {
    long result = 0;

    set_oom_score(request);
    set_limits(request);
    limit_bounding_set(request);
    if (request->set_groups) {
        result = CALL2(setgroups, request->group_count, request->groups);
        if (result < 0) fail(request, HI_STAGE_GROUPS, result, 0);
    }
    if (request->set_gid) {
        result = CALL3(setresgid, request->gid, request->gid, request->gid);
        if (result < 0) fail(request, HI_STAGE_GID, result, 0);
    }
    if (request->set_uid) {
        result = CALL3(setresuid, request->uid, request->uid, request->uid);
        if (result < 0) fail(request, HI_STAGE_UID, result, 0);
    }
    set_capabilities(request);
    // After the change of user: what the user may not enter is refused here and not met later.
    if (request->directory) {
        result = CALL1(chdir, request->directory);
        if (result < 0) fail(request, HI_STAGE_DIRECTORY, result, 0);
    }
    if (request->set_umask) CALL1(umask, request->umask);
}

// Everything up to the program itself.
static void prepare(struct hi_request *request) {
    long result = 0;

    if (request->new_session) {
        result = CALL0(setsid);
    } else {
        result = CALL2(setpgid, 0, 0);
    }
    if (result < 0) fail(request, HI_STAGE_SESSION, result, 0);

    enter_cgroup(request);
    set_descriptors(request);
    if (request->tell_own_process) tell_own_process(request);

    if (request->take_terminal) {
        // Another session may hold the terminal; then the program runs without one, as it would under dumb-init.
        CALL3(ioctl, 0, TIOCSCTTY, 0);
    } else if (request->take_foreground) {
        // Allowed from a background group because SIGTTOU is blocked here. Where it fails there is no job control to hand over.
        int32_t group = (int32_t)CALL0(getpid);
        CALL3(ioctl, 0, TIOCSPGRP, &group);
    }

    become(request);

    set_dispositions(request->default_signals, (uintptr_t)SIG_DFL);
    set_dispositions(request->ignored_signals, (uintptr_t)SIG_IGN);
    CALL4(rt_sigprocmask, SIG_SETMASK, &request->signal_mask, 0, sizeof(uint64_t));
}

static int child(void *argument) {
    struct hi_request *request = argument;
    prepare(request);
    execute(request);
}

struct hi_report hi_become(struct hi_request *request) {
    // Static: what setjmp(3) comes back to must not be in a register.
    static struct in_place place;
    request->in_place = &place;
    if (setjmp(place.back) == 0) {
        become(request);
        execute(request);
    }
    request->in_place = 0;
    return place.report;
}

// A few stacks are kept for the next child: a restart then costs no mmap. Each keeps a page of memory in use. One thread, so
// a plain array will do.
static void *idle_stacks[IDLE_STACKS];
static int idle_stack_count;

static void *take_stack(void) {
    if (idle_stack_count > 0) return idle_stacks[--idle_stack_count];
    void *stack = mmap(0, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return stack == MAP_FAILED ? 0 : stack;
}

static void give_back_stack(void *stack) {
    if (!stack) return;
    if (idle_stack_count < IDLE_STACKS) {
        idle_stacks[idle_stack_count++] = stack;
    } else {
        munmap(stack, STACK_SIZE);
    }
}

pid_t hi_spawn(struct hi_request *request) {
    if (request->script == 3 || request->report == 3) {
        errno = EINVAL;
        return -1;
    }
    request->stack = take_stack();
    if (!request->stack) {
        errno = ENOMEM;
        return -1;
    }
    char *top = (char *)request->stack + STACK_SIZE;
    // The kernel gives an oom_score_adj to everybody who shares the memory, which would be the init and its other children.
    int shared = request->set_oom_score ? 0 : CLONE_VM;
    pid_t process;
    if (request->report < 0) {
        // Who tells in the init's memory must share it. The kernel clears the mark once the child leaves that memory.
        request->is_here = 1;
        errno = EINVAL;
        process = shared ? clone(child, top, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, request, 0, 0, &request->is_here) : -1;
    } else {
        process = clone(child, top, shared | SIGCHLD, request);
        if (process < 0 && errno == EINVAL) process = clone(child, top, SIGCHLD, request);
    }
    if (process < 0) {
        int error = errno;
        give_back_stack(request->stack);
        request->stack = 0;
        errno = error;
        return -1;
    }
    // The group must stand before a signal is sent to it; whichever of the two is first wins.
    if (!request->new_session) setpgid(process, process);
    return process;
}

bool hi_has_left(const struct hi_request *request) { return __atomic_load_n(&request->is_here, __ATOMIC_ACQUIRE) == 0; }

pid_t hi_fork(struct hi_request *request) {
    if (request->script == 3 || request->report == 3) {
        errno = EINVAL;
        return -1;
    }
    pid_t process = fork();
    if (process == 0) {
        prepare(request);
        // As an exec would: the other side learns that the child is on its way.
        CALL1(close, request->report);
        return 0;
    }
    if (process > 0 && !request->new_session) setpgid(process, process);
    return process;
}

struct hi_request *hi_request_create(const uint8_t *strings, size_t length, size_t candidates, size_t arguments,
                                     size_t environment, bool has_directory, const uint32_t *groups,
                                     size_t group_count) {
    // Each list ends in a NULL, and one free slot stands before the arguments.
    size_t pointers = candidates + 1 + 1 + arguments + 1 + environment + 1;
    size_t size = sizeof(struct hi_request) + pointers * sizeof(char *) + group_count * sizeof(uint32_t) + length;
    if (length > 0 && strings[length - 1] != 0) return 0;
    struct hi_request *request = calloc(1, size);
    if (!request) return 0;
    request->script = -1;
    request->notify_source = -1;
    request->cgroup_folder = -1;
    char **slot = (char **)(request + 1);
    request->groups = (uint32_t *)(slot + pointers);
    request->group_count = group_count;
    if (group_count) memcpy(request->groups, groups, group_count * sizeof(uint32_t));
    char *text = (char *)(request->groups + group_count);
    char *end = text + length;
    if (length) memcpy(text, strings, length);

    size_t counts[3] = {candidates, arguments, environment};
    char ***lists[3] = {&request->candidates, &request->arguments, &request->environment};
    for (int list = 0; list < 3; list++) {
        if (list == 1) *slot++ = 0;
        *lists[list] = slot;
        for (size_t index = 0; index < counts[list]; index++) {
            if (text >= end) {
                free(request);
                return 0;
            }
            *slot++ = text;
            text += strlen(text) + 1;
        }
        *slot++ = 0;
    }
    if (has_directory) {
        if (text >= end) {
            free(request);
            return 0;
        }
        request->directory = text;
    }
    return request;
}

size_t hi_copy_text(void *place, const void *text, size_t length) {
    char *copy = place;
    const char *end = length ? memccpy(copy, text, 0, length) : 0;
    if (end) return (size_t)(end - copy);
    copy[length] = 0;
    return length + 1;
}

// In the order of LimitName.
static const int resources[HI_MOST_LIMITS] = {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE,  RLIMIT_STACK, RLIMIT_MEMLOCK,
                                              RLIMIT_AS,     RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_CPU};

void hi_request_limit(struct hi_request *request, int name, uint64_t soft, uint64_t hard) {
    if (request->limit_count >= HI_MOST_LIMITS || name < 0 || name >= HI_MOST_LIMITS) return;
    struct hi_limit *limit = &request->limits[request->limit_count++];
    limit->resource = resources[name];
    limit->values.rlim_cur = soft;
    limit->values.rlim_max = hard;
}

uint64_t hi_limit_ceiling(int name) {
    struct rlimit values = {0};
    if (name >= 0 && name < HI_MOST_LIMITS) getrlimit(resources[name], &values);
    return values.rlim_max;
}

uint64_t hi_permitted_capabilities(void) {
    struct capability_header header = {.version = CAPABILITY_VERSION};
    struct capability_data data[2] = {0};
    if (syscall(SYS_capget, &header, data) < 0) return 0;
    return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

void hi_request_free(struct hi_request *request) {
    if (!request) return;
    give_back_stack(request->stack);
    free(request);
}
