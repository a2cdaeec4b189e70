// Thin covers of the terminal calls that `hermes-init ctl` needs. One terminal at a time.

#include "CSystem.h"

#include <sys/signalfd.h>
#include <termios.h>

int hi_terminal_columns(int terminal, int *rows) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return 0;
    if (rows) *rows = size.ws_row;
    return size.ws_col;
}

static struct termios before;
static bool has_before;

bool hi_begin_keys(int terminal) {
    if (!has_before && tcgetattr(terminal, &before) < 0) return false;
    has_before = true;
    struct termios keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    return tcsetattr(terminal, TCSANOW, &keys) == 0;
}

void hi_end_keys(int terminal) {
    if (has_before) tcsetattr(terminal, TCSANOW, &before);
}

static sigset_t set_of(uint64_t signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal = 1; signal <= 31; signal++) {
        if (signals >> (signal - 1) & 1) sigaddset(&set, signal);
    }
    return set;
}

int hi_catch_signals(uint64_t signals) {
    sigset_t set = set_of(signals);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void hi_release_signals(uint64_t signals) {
    sigset_t set = set_of(signals);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int hi_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int hi_wait_for_input(int first, int second, int third, int milliseconds) {
    struct pollfd waiting[3] = {
        {.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}, {.fd = third, .events = POLLIN}};
    int count;
    int64_t end = hi_monotonic_nanoseconds() / 1000000 + milliseconds;
    do {
        count = poll(waiting, 3, milliseconds);
        if (count < 0 && milliseconds > 0) {
            int64_t left = end - hi_monotonic_nanoseconds() / 1000000;
            milliseconds = left > 0 ? (int)left : 0;
        }
    } while (count < 0 && errno == EINTR);
    int ready = 0;
    for (int place = 0; place < 3; place++) {
        if (count > 0 && waiting[place].revents) ready |= 1 << place;
    }
    return ready;
}

int hi_create_file(const char *path) { return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644); }
