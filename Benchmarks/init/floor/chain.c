// chain N ONESHOT PROGRAM [ARGUMENT...]: runs the oneshot N times, one after the other, and then the program. The
// floor of a chain of oneshots that require each other.
#include "floor.h"

int main(int count, char **words) {
    int status;
    if (count < 4) return 64;
    char *oneshot[] = {words[2], 0};
    for (int left = atoi(words[1]); left > 0; left--) {
        pid_t process = start(oneshot);
        if (process < 0 || waitpid(process, &status, 0) != process || status) return 1;
    }
    pid_t program = start(words + 3);
    if (program < 0) return 127;
    for (pid_t ended; (ended = waitpid(-1, &status, 0)) > 0;)
        if (ended == program) return code(status);
    return 1;
}
