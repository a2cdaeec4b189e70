// The wait of the event loop, and what can be done without leaving it: a signal that means no more than that the main program
// gets it is sent on from here, by three system calls and nothing between them. Which signals these are, and to whom they
// go, says the core (Core.plainForwarding); the driver copies it here before each wait, and what the table says holds until
// the next event is handled, since nobody is reaped and no state changes in between. All others are held for hi_read_signals,
// in their order: the first that is not in the table ends the sending on, but for SIGCHLD, which comes last anyway.
//
// It all lies within one page, the one that is not given back: the init sleeps and forwards in that page alone, and
// everything else is fetched again when something happens.
#include "CSystem.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "call.h"
#include "pages.h"

enum { MOST_READY = 64, MOST_SIGNALS = 32 };

static struct {
    uint64_t signals, token;
    int descriptor;
    // Of a process; negative: of a process group.
    pid_t target;
    // What was read and is to be handled by the loop; -1: nothing was read in this wait.
    int held;
    struct hi_signal signal[MOST_SIGNALS];
} forwarding = {.held = -1};

void hi_forward(uint64_t signals, pid_t target, int descriptor, uint64_t token) {
    forwarding.signals = signals;
    forwarding.target = target;
    forwarding.descriptor = descriptor;
    forwarding.token = token;
}

// Reads the signals and sends on those of the table. False where some are left, or none could be read.
static inline __attribute__((always_inline)) bool forward(void) {
    struct signalfd_siginfo read[MOST_SIGNALS];
    long size = raw_call(SYS_read, forwarding.descriptor, (long)read, sizeof read, 0, 0, 0);
    if (size <= 0) return false;
    int held = 0;
    bool sends = true;
    for (int each = 0; each < (int)((size_t)size / sizeof read[0]); each++) {
        uint32_t number = read[each].ssi_signo;
        if (sends && forwarding.signals >> (number - 1) & 1 &&
            raw_call(SYS_kill, forwarding.target, number, 0, 0, 0, 0) == 0)
            continue;
        if (number != SIGCHLD) sends = false;
        forwarding.signal[held].signal = (int32_t)number;
        forwarding.signal[held++].sender = (int32_t)read[each].ssi_pid;
    }
    forwarding.held = held;
    return held == 0;
}

// Gives back the parts, waits and forwards, in one piece of code that lies within one page: whatever it touched besides would
// be there again before the wait. That page stays; what the caller touches comes when the wait is over.
__attribute__((noinline, aligned(1024))) static long rest_and_wait(const struct hi_part *parts, int count, uintptr_t page,
                                                                   int epoll, struct epoll_event *events, int capacity,
                                                                   int timeout) {
    uintptr_t own = (uintptr_t)rest_and_wait & ~(page - 1);
    for (int each = 0; each < count; each++) {
        uintptr_t first = parts[each].first, end = parts[each].end;
        if (own >= first && own < end) {
            if (own > first) raw_call(SYS_madvise, (long)first, (long)(own - first), MADV_DONTNEED, 0, 0, 0);
            first = own + page;
        }
        if (first < end) raw_call(SYS_madvise, (long)first, (long)(end - first), MADV_DONTNEED, 0, 0, 0);
    }
    for (;;) {
        long ready = raw_call(SYS_epoll_pwait, epoll, (long)events, capacity, timeout, 0, sizeof(uint64_t));
        if (!forwarding.signals) return ready;
        long each = 0;
        while (each < ready && events[each].data.u64 != forwarding.token) each++;
        // Nothing else to do: it waits again.
        if (each >= ready || !forward() || ready > 1 || timeout == 0) return ready;
        forwarding.held = -1;
    }
}

int hi_epoll_wait(int epoll, struct hi_ready *ready, int capacity, int timeout, bool rests) {
    struct epoll_event events[MOST_READY];
    struct hi_part parts[HI_MOST_PARTS];
    uintptr_t page = getauxval(AT_PAGESZ);
    int count = 0;
    if (capacity > MOST_READY) capacity = MOST_READY;
    if (rests) {
        hi_give_back_kept();
        count = hi_read_only_parts(parts, page);
    }
    long found = rest_and_wait(parts, count, page, epoll, events, capacity, timeout);
    if (found < 0) {
        errno = (int)-found;
        return errno == EINTR ? 0 : -1;
    }
    for (long index = 0; index < found; index++) {
        ready[index].token = events[index].data.u64;
        ready[index].events = events[index].events;
    }
    return (int)found;
}

int hi_read_signals(int descriptor, struct hi_signal *signals, int capacity) {
    struct signalfd_siginfo information[MOST_SIGNALS];
    if (capacity > MOST_SIGNALS) capacity = MOST_SIGNALS;
    if (forwarding.held >= 0) {
        int held = forwarding.held < capacity ? forwarding.held : capacity;
        memcpy(signals, forwarding.signal, (size_t)held * sizeof *signals);
        forwarding.held = -1;
        return held;
    }
    ssize_t count = read(descriptor, information, (size_t)capacity * sizeof information[0]);
    if (count < 0) {
        if (errno == EAGAIN || errno == EINTR) return 0;
        hi_stumble();
        return -1;
    }
    int found = (int)((size_t)count / sizeof information[0]);
    for (int index = 0; index < found; index++) {
        signals[index].signal = (int32_t)information[index].ssi_signo;
        signals[index].sender = (int32_t)information[index].ssi_pid;
    }
    return found;
}
