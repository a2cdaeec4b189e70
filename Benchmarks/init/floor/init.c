// init PROGRAM [ARGUMENT...]: the least that an init does. It starts the program, forwards it every signal, reaps
// every orphan, and ends with the program's code. The floor of everything that is measured without services.
#include "floor.h"

int main(int count, char **words) {
    sigset_t all;
    siginfo_t what;
    (void)count;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, 0);
    pid_t program = start(words + 1);
    if (program < 0) return 127;
    for (;;) {
        int number = sigwaitinfo(&all, &what);
        if (number > 0 && number != SIGCHLD) kill(program, number);
        if (number != SIGCHLD) continue;
        int status;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
            if (ended == program) return code(status);
    }
}
