// What the host of stages, and the stages themselves, need of the kernel. Stages run in a child of their own and may wait.

#include "CSystem.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

void hi_set_pipe_size(int pipe, int size) { fcntl(pipe, F_SETPIPE_SZ, size); }

int hi_lock_file(int file) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_SETLK, &lock);
}

int hi_group_of(const char *path, uint32_t *group) {
    struct stat status;
    if (stat(path, &status) < 0) return -1;
    *group = status.st_gid;
    return 0;
}

int hi_poll_one(int descriptor, bool writes, int milliseconds) {
    struct pollfd ready = {.fd = descriptor, .events = writes ? POLLOUT : POLLIN};
    return poll(&ready, 1, milliseconds) > 0;
}

bool hi_give_terminal_size(int terminal) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0 || (size.ws_row > 0 && size.ws_col > 0)) return false;
    if (size.ws_row == 0) size.ws_row = 24;
    if (size.ws_col == 0) size.ws_col = 80;
    return ioctl(terminal, TIOCSWINSZ, &size) == 0;
}

int hi_wait_for(pid_t process, int *code, int *ended_by) {
    int status;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    *ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 0;
}
