// What the floors share: a process started with posix_spawn(3), with no signal blocked, as every init has to start it.
#ifndef FLOOR_H
#define FLOOR_H

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static inline pid_t start(char **words) {
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t process;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    int problem = posix_spawn(&process, words[0], 0, &attributes, words, environ);
    return problem ? -1 : process;
}

static inline int code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

#endif
