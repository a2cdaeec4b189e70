"""The rules that a life must have kept, judged by what was written down: the init's own lines, in its own order, and what each start
of a service's program saw (work.sh). Nothing here depends on how quick the machine is."""

import re

UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}
AGAIN = re.compile(r"(starting it|trying) again (?:in (.+?)|at once)(?: \((\d+)\w\w quick death in a row\))?$")
# Of each, how the log says that a service is where those that require it may start.
SATISFIED = ("up (", "done after", "skipped:")


def seconds(text):
    words = text.split()
    return sum(float(number) * UNITS[unit] for number, unit in zip(words[::2], words[1::2]))


def log(plans, lines):
    """Requirements' order, one process for a service, waits within their bounds; from the lines of the init."""
    by_name = {plan.name: plan for plan in plans}
    satisfied, running, wrong, stopping = set(), set(), [], False

    def is_satisfied(name):
        plan = by_name[name]
        # A group says nothing; it is up when all that it requires is.
        return all(is_satisfied(other) for other in plan.requires) if plan.type == "group" else name in satisfied

    for line in lines:
        name, _, text = line.partition(": ")
        stopping |= line.startswith("stopping (")
        if name not in by_name:
            continue
        plan = by_name[name]
        if text == "up" or text.startswith(SATISFIED):
            for other in plan.requires:
                if name not in satisfied and not is_satisfied(other):
                    wrong.append(f"{name} was up before {other}, which it requires: {line}")
            if name in running:
                wrong.append(f"{name} was up twice without an end between: {line}")
            running.add(name)
            satisfied.add(name)
        if text.startswith("failed:"):
            running.discard(name)
            if plan.optional:
                satisfied.add(name)
            else:
                wrong.append(f"{name} gave up, which nothing gives it reason to: {line}")
        found = AGAIN.search(text)
        if found:
            running.discard(name)
            if stopping:
                wrong.append(f"{name} is started again during the stop: {line}")
            if found[1] == "starting it":
                wrong += wait(plan, seconds(found[2] or "0 ms"), int(found[3] or 1), line)
    return wrong


def wait(plan, said, deaths, line):
    """Whether the wait after so many quick deaths in a row is one that [restart] allows."""
    base = min(plan.delay * plan.factor ** min(deaths - 1, 1000), plan.most)
    least = max(base, plan.delay) * (1 - plan.jitter)
    most = min(base * (1 + plan.jitter), plan.most)
    rounding = 0.0011 if said < 1 else 0.051
    if least - rounding <= said <= most + rounding:
        return []
    return [f"a wait of {said} s, which is not from {least:.3f} to {most:.3f}: {line}"]


def starts(plans, lines):
    """From one end of a service's process to the next start, by its own clock, at least its delay."""
    by_name = {plan.name: plan for plan in plans}
    wrong = []
    for line in lines:
        name, number, began, end = line.split()
        plan = by_name[name]
        if plan.type == "oneshot" and int(number) > 1:
            wrong.append(f"{name}, a oneshot, ran {number} times")
        # The clock has hundredths. The program looks at it before its end and after its start, so the true wait is shorter
        # than what it saw.
        if end != "-" and (int(began) - int(end)) / 100 < plan.delay * (1 - plan.jitter) - 0.011:
            wrong.append(f"{name}: start {number} came {(int(began) - int(end)) / 100} s after an end, its delay is {plan.delay} s")
    return wrong


# What the init calls, by what it is for.
CALLS = set("""
    epoll_wait epoll_pwait epoll_ctl timerfd_settime read readv write writev pwritev2 sendto recvmsg recvfrom close
    clone clone3 fork vfork setpgid getsid getpgid kill tgkill wait4 waitid pidfd_open pidfd_send_signal rt_sigprocmask rt_sigaction gettid getpid
    pipe2 fcntl open openat stat fstat newfstatat lstat statx getdents64 lseek access faccessat readlink fchown chown memfd_create
    socket socketpair connect accept4 bind listen getsockname getsockopt setsockopt getpeername shutdown poll ppoll ioctl tee splice
    mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 fchmod chmod ftruncate utimensat
    mmap munmap mremap brk madvise mprotect clock_gettime getrandom prlimit64 getrlimit capget getgroups geteuid getuid
    restart_syscall rt_sigreturn set_tid_address set_robust_list
""".split())


def system_calls(lines):
    """Whether it called anything that it has no reason for."""
    wrong = {}
    for line in lines:
        found = re.match(r"(?:<\.\.\. )?(\w+)(?:\(| resumed)", line)
        if found and found[1] not in CALLS:
            wrong.setdefault(found[1], line)
    return [f"an unexpected system call: {line}" for line in wrong.values()]
