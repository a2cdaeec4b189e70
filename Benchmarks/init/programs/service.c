// A service, and the main program where it only has to run: tells that it has come to life, and when SIGUSR1 reached
// it; lives until a signal ends it. SIGTERM does, by its default action; as PID 1's child it obeys at once.
#include <signal.h>

#include "page.h"

static struct page *page;

static void reached(int number) {
    int64_t now = monotonic();
    (void)number;
    stamp(page, now);
}

int main(void) {
    int64_t now = monotonic();
    page = map_page(PAGE_INSIDE);
    struct sigaction action = {.sa_handler = reached};
    sigaction(SIGUSR1, &action, 0);
    stamp(page, now);
#ifdef NOTIFY
    if (write(NOTIFY, "\n", 1) == 1) close(NOTIFY);
#endif
    for (;;) pause();
}
