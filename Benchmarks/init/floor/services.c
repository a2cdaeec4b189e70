// services N PROGRAM [ARGUMENT...]: the least that a supervisor does. It starts the program N times, starts each
// again that ends, and at SIGTERM ends them all and then itself. The floor of everything that is measured with
// services.
#include "floor.h"

static pid_t services[4096];

int main(int count, char **words) {
    int number = count > 2 ? atoi(words[1]) : 0, running = 0, stopping = 0, status;
    if (number < 1 || number > 4096) return 64;
    sigset_t wanted;
    siginfo_t what;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, 0);
    for (int each = 0; each < number; each++)
        if ((services[each] = start(words + 2)) > 0) running++;
    for (;;) {
        if (sigwaitinfo(&wanted, &what) == SIGTERM) {
            stopping = 1;
            for (int each = 0; each < number; each++) kill(services[each], SIGTERM);
        }
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
            for (int each = 0; each < number; each++) {
                if (services[each] != ended) continue;
                if (stopping)
                    running--;
                else
                    services[each] = start(words + 2);
            }
        if (stopping && running == 0) return 0;
    }
}
