#!/usr/bin/env python3
"""A program for the tests: says `ready`, then the number of each signal that it gets; the third SIGUSR1 ends it with 3."""

import os
import signal
import sys

caught = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
signal.pthread_sigmask(signal.SIG_BLOCK, caught)
os.write(1, f"ready {os.getpid()}\n".encode())
users = 0
while True:
    number = signal.sigwait(caught)
    os.write(1, f"{int(number)}\n".encode())
    users += number == signal.SIGUSR1
    if users == 3 or "once" in sys.argv:
        sys.exit(3)
