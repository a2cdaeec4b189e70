// A kernel that is made up, for `make endurance`: the whole of hermes-init as it is shipped, its core, its driver and its libc's
// malloc, lives a year in minutes. What the linker's --wrap puts here in the place of CSystem's functions (and of kill(2)):
//   - the clock is a number. When the init has nothing left to do and would wait, it jumps to what comes next
//   - a process is an entry in a table. Its "program" is told by its arguments what to do (see `words`): how long to live, how
//     to end, what to say, whether to obey SIGTERM
// All else is real: pipes, epoll, the signalfd, the timerfd, the lines that go through them, the process that writes log files.
// Each simulated day a line goes to the report: the day, how many processes were started, the resident memory and its private,
// written part in KiB, and the open descriptors. At the end of the last day comes a SIGTERM.
//
// HERMES_INIT_ENDURANCE="DAYS FILE" in the environment says how long, and where the report goes. This is part of no shipped file.

#include "CSystem.h"

#include <stdio.h>

enum { MOST_PROCESSES = 4096, FIRST_PROCESS = 300, LAST_PROCESS = 4194303 };
static const int64_t MILLISECOND = 1000000, DAY = 86400LL * 1000000000;

enum state { FREE, STARTS, LIVES, DEAD };
struct process {
    enum state state;
    pid_t process;
    int output;     // the service's pipe, as the program would have it; -1: none
    int lines;      // said at the beginning and at the end
    int64_t due;    // when it goes on
    int64_t death;  // when it ends by itself
    int code, ended_by;
    bool is_deaf;  // SIGTERM does nothing
};
static struct process processes[MOST_PROCESSES];
static int highest;
static pid_t last_process = FIRST_PROCESS;
static int64_t now = 1000000000000, timer_due, sample_due, end_due;
static int timer = -1, report = -1, loop = -1;
static bool is_timer_real;
static uint64_t starts, rests_asked, seed = 1;

int __real_hi_epoll_wait(int epoll, struct hi_ready *ready, int capacity, int timeout, bool rests);
int __real_hi_timer_set(int timer, int64_t nanoseconds);
int __real_kill(pid_t process, int signal);

// SplitMix64 (Steele, Lea, Flood 2014): the same year each time.
static int64_t from_to(int64_t least, int64_t most) {
    uint64_t bits = seed += 0x9E3779B97F4A7C15;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    bits ^= bits >> 31;
    return most <= least ? least : least + (int64_t)(bits % (uint64_t)(most - least + 1));
}

static void begin(void) {
    if (end_due) return;
    long days = 1;
    char path[1024] = "/dev/null";
    const char *words = getenv("HERMES_INIT_ENDURANCE");
    if (words) sscanf(words, "%ld %1023s", &days, path);
    report = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    // Above what a test would give the init, and below where its own pipes are.
    sample_due = now + DAY;
    end_due = now + days * DAY + 1;
}

// A number of KiB behind a name in a file of /proc.
static long kibibytes(const char *text, const char *name) {
    const char *place = strstr(text, name);
    return place ? atol(place + strlen(name)) : -1;
}

static void sample(void) {
    char text[4096];
    struct hi_ready none[1];
    __real_hi_epoll_wait(loop, none, 1, 0, true);
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    text[count > 0 ? count : 0] = 0;
    int open_now = 0;
    for (int descriptor = 0; descriptor < 4096; descriptor++) open_now += hi_is_open(descriptor);
    dprintf(report, "%lld %llu %ld %ld %d\n", (long long)((sample_due - 1000000000000) / DAY), (unsigned long long)starts,
            kibibytes(text, "\nRss:"), kibibytes(text, "\nPrivate_Dirty:"), open_now);
}

static struct process *find(pid_t number) {
    for (int index = 0; index < highest; index++) {
        if (processes[index].state != FREE && processes[index].process == number) return &processes[index];
    }
    return 0;
}

// What a program says: lines of many lengths. A full pipe would hold a real one up; this one says nothing then.
static void speak(const struct process *one) {
    char line[256];
    for (int count = 0; count < one->lines && one->output >= 0; count++) {
        int length = snprintf(line, sizeof line, "process %d says line %d at %lld", one->process, count, (long long)now);
        for (int end = (int)from_to(length, 240); length < end; length++) line[length] = (char)('a' + length % 26);
        line[length++] = '\n';
        if (hi_poll_one(one->output, true, 0) == 1 && write(one->output, line, (size_t)length) < 0) return;
    }
}

static void go_on(struct process *one) {
    speak(one);
    if (one->state == STARTS && one->death > now) {
        one->state = LIVES;
        one->due = one->death;
        return;
    }
    one->state = DEAD;
    one->due = 0;
    if (one->output >= 0) close(one->output);
    __real_kill(getpid(), SIGCHLD);
}

// What the program is to be, by the words of its arguments: life=MIN:MAX (milliseconds; without it, until it is told to end),
// code=N, signal=N, fails=PERCENT (code 1 in so many), say=LINES, deaf.
static void words(struct process *one, char **arguments) {
    long first = 0, second = 0;
    one->death = INT64_MAX;
    for (; *arguments; arguments++) {
        if (sscanf(*arguments, "life=%ld:%ld", &first, &second) == 2) one->death = now + from_to(first, second) * MILLISECOND;
        if (sscanf(*arguments, "code=%ld", &first) == 1) one->code = (int)first;
        if (sscanf(*arguments, "signal=%ld", &first) == 1) one->ended_by = (int)first;
        if (sscanf(*arguments, "fails=%ld", &first) == 1) one->code = from_to(1, 100) <= first;
        if (sscanf(*arguments, "say=%ld", &first) == 1) one->lines = (int)first;
        if (strcmp(*arguments, "deaf") == 0) one->is_deaf = true;
    }
}

pid_t __wrap_hi_spawn(struct hi_request *request) {
    begin();
    int index = 0;
    while (index < highest && processes[index].state != FREE) index++;
    if (index == MOST_PROCESSES) {
        errno = EAGAIN;
        return -1;
    }
    if (index == highest) highest++;
    do {
        last_process = last_process == LAST_PROCESS ? FIRST_PROCESS : last_process + 1;
    } while (find(last_process));
    struct process *one = &processes[index];
    *one = (struct process){.state = STARTS, .process = last_process, .due = now + MILLISECOND};
    words(one, request->arguments);
    one->output = one->lines ? fcntl(request->standard[1], F_DUPFD_CLOEXEC, 3) : -1;
    starts++;
    return one->process;
}

pid_t __wrap_hi_reap(int *code, int *ended_by, bool *dumped_core) {
    bool is_any = false;
    for (int index = 0; index < highest; index++) {
        struct process *one = &processes[index];
        is_any = is_any || one->state != FREE;
        if (one->state != DEAD) continue;
        *code = one->ended_by ? 0 : one->code;
        *ended_by = one->ended_by;
        *dumped_core = false;
        one->state = FREE;
        return one->process;
    }
    errno = ECHILD;
    return is_any ? 0 : -1;
}

static void tell(struct process *one, int signal) {
    if (one->state == DEAD || (signal != SIGKILL && (signal != SIGTERM || one->is_deaf))) return;
    one->ended_by = signal == SIGKILL ? signal : 0;
    one->code = 0;
    one->state = LIVES;
    one->due = now + (signal == SIGKILL ? 1 : from_to(1, 50)) * MILLISECOND;
}

int __wrap_kill(pid_t process, int signal) {
    if (process == getpid()) return __real_kill(process, signal);
    bool is_any = false;
    for (int index = 0; index < highest; index++) {
        struct process *one = &processes[index];
        // Each program has a group of its own, which ends with it.
        if (one->state == FREE || (process != -1 && one->process != process && one->process != -process)) continue;
        is_any = true;
        if (signal) tell(one, signal);
    }
    errno = ESRCH;
    return is_any ? 0 : -1;
}

int64_t __wrap_hi_monotonic_nanoseconds(void) { return now; }
// From 2026 on.
int64_t __wrap_hi_realtime_milliseconds(void) { return 1767225600000 + now / MILLISECOND; }

int __wrap_hi_timer_set(int descriptor, int64_t nanoseconds) {
    timer = descriptor;
    timer_due = nanoseconds;
    // The real one is only set where it is to be seen, which is an interrupt each time.
    if (!is_timer_real) return 0;
    is_timer_real = false;
    return __real_hi_timer_set(descriptor, 0);
}

// The next thing that happens, at its moment. False where nothing does.
static bool advance(void) {
    begin();
    struct process *next = 0;
    int64_t due = sample_due < end_due ? sample_due : end_due;
    for (int index = 0; index < highest; index++) {
        struct process *one = &processes[index];
        if ((one->state != STARTS && one->state != LIVES) || one->due > due) continue;
        due = one->due;
        next = one;
    }
    bool is_timer = timer_due && timer_due <= due;
    if (is_timer) due = timer_due;
    if (due == INT64_MAX) return false;
    if (due > now) now = due;
    if (is_timer) {
        timer_due = 0;
        is_timer_real = true;
        __real_hi_timer_set(timer, 1);  // A moment long ago.
    } else if (next) {
        go_on(next);
    } else if (due == sample_due) {
        sample();
        sample_due += DAY;
    } else {
        end_due = sample_due = INT64_MAX;
        __real_kill(getpid(), SIGTERM);
    }
    return true;
}

// Forwarding within the wait knows only real processes: here every signal goes through kill(2) above.
void __wrap_hi_forward(uint64_t signals, pid_t target, int descriptor, uint64_t token) {
    (void)signals, (void)target, (void)descriptor, (void)token;
}

int __wrap_hi_epoll_wait(int epoll, struct hi_ready *ready, int capacity, int timeout, bool rests) {
    loop = epoll;
    // The init gives its program's pages back whenever it has done something and waits. That is no moment here, and to have them
    // back took a third of the year: it does so once in so many times, and before each sample.
    bool is_resting = rests && rests_asked++ % 16 == 0;
    for (;;) {
        int count = __real_hi_epoll_wait(epoll, ready, capacity, 0, is_resting);
        is_resting = false;
        if (count || timeout == 0) return count;
        if (!advance()) return __real_hi_epoll_wait(epoll, ready, capacity, timeout, rests);
    }
}
