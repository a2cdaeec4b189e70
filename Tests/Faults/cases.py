"""The table of the faults that are injected: what fails, where, and what must come of it. docs/reliability.md has it as a table,
which `faults.py --write` makes and a test compares.

A case is tried in a life with a little of everything (scene.py). It lasts while that life boots, while a second and more of all
kinds of requests and restarts passes, or during its stop; then it is over, and all must be well again.
"""

from dataclasses import dataclass

FIRST, ALWAYS, THIRD = "1", "1+", "1+3"


@dataclass
class Case:
    calls: str
    """System calls, with commas; each is a case of its own."""
    faults: str
    """Errors, or `signal=KILL`; each is a case of its own."""
    happens: str
    """For the table: what comes of it."""
    says: str = ""
    """What stands on the container's stderr then, a regular expression; empty: nothing has to be said."""
    phase: str = "life"
    """boot, life or stop."""
    when: str = f"{FIRST} {ALWAYS}"
    """Which of the calls fail, as strace's --inject has it."""
    where: str = "init"
    """init; or children: in whatever the init starts from then on, from its clone to its end."""
    ends: int | None = None
    """The init ends at once with that code, which is what is right here."""
    comes_back: bool = True
    """By itself; else once it is asked to (`ctl start`): the failure is one that no waiting mends."""
    loses: str = ""
    """stdout, file or both: whose lines may be lost, which must be said."""
    quick: bool = False
    """Also part of make test."""

    def each(self):
        for call in self.calls.split(","):
            for fault in self.faults.split(","):
                what = fault if "=" in fault else f"error={fault}"
                for when in self.when.split():
                    yield f"{self.phase}/{self.where}/{call}/{fault}/{when}", f"{call}:{what}:when={when}"


AGAIN = "what needed it is tried again after its restart delay"
BOOT = "the boot ends with the reason: nothing has run yet, and half of a configuration is not booted"

CASES = [
    # --- The loop ---
    Case("epoll_pwait", "EINTR", "it waits again", when=FIRST),
    Case("epoll_pwait", "EBADF,ENOMEM", "deaths, signals and deadlines are looked at every 10 ms until it can wait again",
         "cannot wait for events", quick=True),
    Case("epoll_pwait", "ENOMEM", "as above: the stop goes its way", "cannot wait for events", phase="stop"),
    Case("timerfd_settime", "ENOMEM", "deadlines are looked at every 10 ms until the timer can be set", quick=True),
    Case("timerfd_settime", "ENOMEM", "the same", phase="boot", when=ALWAYS),
    Case("timerfd_settime", "ENOMEM", "the same", phase="stop", when=ALWAYS),
    Case("epoll_ctl", "ENOMEM,ENOSPC", AGAIN, "Out of memory|No space left"),
    Case("epoll_create1,signalfd4,timerfd_create", "EMFILE,ENOMEM", BOOT, "cannot set up the event loop", phase="boot", when=FIRST,
         ends=71, quick=False),
    Case("epoll_create1,timerfd_create", "EMFILE", AGAIN, "too many files are open", phase="boot", when="2"),
    Case("read", "EINTR", "it is read again", when=f"{FIRST} {THIRD}"),
    Case("read", "EIO,ENOMEM", "signals, reports and lines are still there, and read in the next turn, 10 ms later",
         when=f"{FIRST} {THIRD}", quick=True),
    Case("wait4", "EINTR", "it is asked again; no zombie stays", when=f"{FIRST} 1+2"),
    Case("wait4", "ECHILD", "the death is seen with the next one", when=FIRST),
    Case("fcntl", "EPERM", "what needs a pipe has failed, with the reason", "cannot start a process", when=ALWAYS,
         comes_back=False),
    # --- Starting ---
    Case("pipe2", "EMFILE,ENFILE,ENOMEM", AGAIN, "cannot start a process|cannot keep", when=f"{FIRST} 3 {ALWAYS}", quick=True),
    Case("pipe2", "EMFILE", AGAIN, "too many files are open", phase="boot", when="1 2 3 5 1+"),
    Case("clone,fork", "EAGAIN,ENOMEM", AGAIN, "cannot start a process|cannot keep", quick=True),
    Case("clone,fork", "EAGAIN,ENOMEM", AGAIN, "cannot start a process", phase="boot", when="1 1+"),
    Case("openat", "EMFILE,ENFILE,ENOMEM", f"{AGAIN}; accounts, status and conditions are looked at again", when=ALWAYS),
    Case("openat", "EIO,EACCES", "what cannot be read counts as not there", when=ALWAYS),
    Case("openat", "EMFILE,EIO", BOOT, "nothing was started", phase="boot", when="3 3+", ends=78),
    Case("getdents64", "EIO,ENOMEM", "a reload changes nothing, and who asked for it is told why", when=ALWAYS,
         quick=True),
    Case("getdents64", "EIO", BOOT, "cannot read the configuration folder", phase="boot", when=FIRST, ends=78),
    Case("read", "EIO", BOOT, "nothing was started", phase="boot", when="5", ends=78),
    Case("fstat", "EIO", BOOT, "nothing was started", phase="boot", when="3+", ends=78),
    Case("fchown", "EPERM", "nothing", when=ALWAYS),
    Case("getrandom", "ENOSYS,EAGAIN", "the clock seeds its hash tables and jitter, which keep no secret", phase="boot", when=ALWAYS),
    Case("mmap", "ENOMEM", "it waits for memory, and goes on when there is some", "out of memory: waiting|Out of memory",
         when=ALWAYS, quick=True),
    Case("mmap", "ENOMEM", "it goes on with what it keeps for this", when=FIRST),
    Case("mmap", "ENOMEM", "the same", phase="boot", when="10 20"),
    Case("brk", "ENOMEM", "nothing", when=ALWAYS),
    # --- Output ---
    Case("write", "EAGAIN,EINTR", "it is written later", when=FIRST),
    Case("write", "ENOSPC,EDQUOT,EIO,ENOMEM", "what cannot be written is lost, counted and told of; then it goes on",
         "can write to std.* again", loses="stdout", quick=True),
    Case("write", "ENOSPC,EIO", "the stop goes its way", phase="stop", when=ALWAYS, loses="stdout"),
    Case("write", "EPIPE", "nobody reads any more: what is written there is dropped, as the kernel would drop it", when=ALWAYS,
         loses="stdout"),
    Case("sendto", "ENOBUFS,ENOMEM", "lines for log files and answers wait", when=ALWAYS, quick=True),
    Case("sendto", "EPIPE", "the lines are not in the log file, which is told", "they are not in the files", when=ALWAYS,
         loses="file"),
    Case("socketpair", "EMFILE,ENOMEM", AGAIN, "cannot start a process", phase="boot", when=ALWAYS),
    # --- Control, probes, notifications, status ---
    Case("accept4", "EMFILE,ENFILE,ENOMEM,ENOBUFS,EPERM", "connections wait, and are taken a second later", when=ALWAYS, quick=True),
    Case("accept4", "ECONNABORTED,EINTR", "the next one is taken", when=FIRST),
    Case("recvfrom", "ENOMEM,ECONNRESET", "that client, or that probe, has ended", when=ALWAYS),
    Case("recvmsg", "ENOMEM", "notifications wait", when=f"{FIRST} {ALWAYS}"),
    Case("getsockopt,socket,connect", "ENOMEM", "the probe has failed; what `failures` and `action` say follows",
         "unhealthy|", when=ALWAYS),
    Case("socket", "EMFILE,ENOBUFS", "the same", "unhealthy|", when=ALWAYS),
    Case("connect", "EAGAIN,ECONNREFUSED", "the same", "unhealthy|", when=ALWAYS),
    Case("ioctl", "EIO", "nothing", when=ALWAYS),
    Case("shutdown", "ENOTCONN", "nothing", when=ALWAYS),
    Case("unlinkat,renameat,fchmod", "EROFS,EACCES,ENOSPC", "the status is written at the next change", when=ALWAYS),
    Case("unlink", "EROFS", "nothing, where no former life left a socket", phase="boot", when=ALWAYS),
    Case("access", "EIO", "nothing: the state directory is tried when there is something to write", phase="boot", when=ALWAYS),
    Case("bind", "ENOMEM,ENOSPC", "no control socket at first; it is made when something changes next", "is there now", phase="boot",
         when=ALWAYS),
    Case("kill", "EPERM", "it is KILLed when its `[stop] timeout` is over; at the ceiling the container ends all the same",
         phase="stop", when=ALWAYS),
    # --- The stop ---
    Case("openat,pipe2,clone,getdents64,poll,unlinkat,epoll_ctl", "EMFILE,ENOMEM", "the stop goes its way", phase="stop",
         when=ALWAYS),
    Case("wait4", "EINTR", "the stop goes its way", phase="stop", when="1+2"),
    Case("pidfd_open", "ENOSYS", "sessions of `docker exec` are not waited for, and end with the container", phase="stop",
         when=ALWAYS),
    # --- The child between clone and exec ---
    Case("execve", "ENOMEM,EAGAIN,ETXTBSY", AGAIN, "trying again in", where="children", when=ALWAYS, quick=True),
    Case("execve", "EACCES,EIO", "failed, with the reason: waiting does not mend it", "cannot run", where="children", when=ALWAYS,
         comes_back=False),
    Case("dup3", "EMFILE", AGAIN, "cannot set up its file descriptors", where="children", when="1 2"),
    Case("setgroups,setresuid", "ENOMEM,EAGAIN", AGAIN, "cannot set the supplementary groups|cannot become user", where="children",
         when=ALWAYS),
    Case("setgroups,setresuid,setpriority,prctl,prlimit64", "EPERM", "failed, with the reason and what to give the container",
         "cannot set|cannot become", where="children", when=ALWAYS, comes_back=False),
    Case("setsid", "EPERM", "failed, with the reason", "cannot make a session", where="children", when=ALWAYS, comes_back=False),
    Case("close_range", "ENOSYS", "older kernels: the descriptors are closed one by one", where="children", when=ALWAYS, quick=True),
    Case("setsid,dup3,close_range,execve", "signal=KILL", "as if the program had been killed: its `[restart]` decides",
         "SIGKILL", where="children", when=FIRST, comes_back=False),
    # --- Helper processes: stages, the writer of log files, the writer of the state ---
    Case("openat2", "ENOSYS", "older kernels: the path is walked folder by folder", where="children", when=ALWAYS, quick=True),
    Case("openat2", "signal=KILL", "the stage has failed and left things as they were; the state is written by another writer",
         "SIGKILL", where="children", when=ALWAYS, comes_back=False, quick=True),
    Case("fsync", "EIO", "the state is not kept, which is said; it is tried again", "cannot keep", where="children", when=ALWAYS),
    Case("fsync", "signal=KILL", "the state is written by another writer, three times, then once a minute", "cannot keep",
         where="children", when=ALWAYS),
    Case("exit_group", "signal=KILL", "as if the program had been killed at its end", "SIGKILL", where="children", when=ALWAYS,
         comes_back=False),
    Case("mkdirat,renameat2", "ENOSPC,EROFS", "said by who needed it", where="children", when=ALWAYS),
]
