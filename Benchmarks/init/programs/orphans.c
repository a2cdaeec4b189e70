// orphans N SECONDS: makes N orphans that end at once, and waits until PID 1 has reaped them all.
//
// A child starts N processes that end and does not reap them; then it ends itself, and PID 1 inherits N zombies in
// one moment. The three stamps are: ready to begin, the moment before the child's end, all reaped (or the seconds are
// over: then page->left is how many are left). The launcher reads PID 1's processor time after the first and the
// last.
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "page.h"

static struct page *page;
static int32_t *orphans;

static char stack[16384] __attribute__((aligned(16)));

static int end(void *nothing) {
    (void)nothing;
    _exit(0);
}

static void make(int count) {
    for (int number = 0; number < count; number++) {
        // Shared memory, and this process asleep until it has ended: the cheapest process that there is.
        orphans[number] = clone(end, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
        if (orphans[number] < 0) _exit(1);
    }
    stamp(page, monotonic());
    _exit(0);
}

int main(int words, char **word) {
    int count = words > 1 ? atoi(word[1]) : 20000;
    int64_t patience = (words > 2 ? atoi(word[2]) : 10) * 1000000000LL;
    page = map_page(PAGE_INSIDE);
    orphans = mmap(0, count * sizeof *orphans, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!page || orphans == MAP_FAILED) return 1;
    stamp(page, monotonic());
    while (!atomic_load(&page->go)) syscall(SYS_futex, &page->go, FUTEX_WAIT_OPERATION, 0, 0, 0, 0);
    signal(SIGCHLD, SIG_DFL);
    int child = fork(), status;
    if (child == 0) make(count);
    waitpid(child, &status, 0);
    int64_t end = monotonic() + patience;
    struct timespec moment = {0, 200000};
    int reaped = 0, left = 0;
    while (reaped < count) {
        if (kill(orphans[reaped], 0) != 0)
            reaped++;
        else if (monotonic() < end)
            nanosleep(&moment, 0);
        else {
            left++;
            reaped++;
        }
    }
    atomic_store(&page->left, status ? (uint32_t)count : (uint32_t)left);
    stamp(page, monotonic());
    for (;;) pause();
}
