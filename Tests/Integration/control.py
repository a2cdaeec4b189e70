"""A client of the control socket: what docs/control.md says can be written in ten lines of Python, with deadlines for tests."""

import json
import os
import socket

from harness import DEADLINE, until

# A folder of its own for the control socket: the machine's /run is shared by every test that runs at the same time.
OWN_RUN = "mount -t tmpfs tmpfs /run"
# One that other users may run, too: a Python of a developer often lies in a home folder.
PYTHON = "/usr/bin/python3"

# What another user runs, in the container: prints every line of the answer, also of a stop that ends everybody.
SCRIPT = """
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\\n"); s.shutdown(socket.SHUT_WR)
while True:
    data = s.recv(65536)
    if not data: break
    sys.stdout.buffer.write(data); sys.stdout.flush()
"""


def path_of(life):
    """The socket as this process sees it, once the container has a /run of its own: before that, somebody else's is there."""
    run = f"/proc/{life.pid}/root/run"
    life.until(lambda: os.path.ismount(run) or os.stat(run).st_dev != os.stat("/run").st_dev, "it has its own /run")
    return f"{run}/hermes-init/control.sock"


def connected(path):
    """A connection; None where nobody listens (yet)."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(DEADLINE)
    try:
        made.connect(path)
    except ConnectionRefusedError:
        made.close()
        return None
    return made


class Client:
    """One connection. A context."""

    def __init__(self, life, greet=True):
        path = life if isinstance(life, str) else path_of(life)
        until(lambda: os.path.exists(path), f"{path} is there")
        self.socket = until(lambda: connected(path), f"somebody listens at {path}")
        self.rest = b""
        self.greeting = self.line() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")

    def line(self):
        """The next line of an answer; None at the end of the connection."""
        while b"\n" not in self.rest:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\n")
        return json.loads(text)

    def ask(self, text):
        """All lines of the answer; the last has "ok"."""
        self.send(text)
        lines = []
        while True:
            line = self.line()
            if line is None:
                raise AssertionError(f"{text!r}: the connection ended after {lines}")
            lines.append(line)
            if "ok" in line:
                return lines


def ask(life, text):
    """One request on a connection of its own."""
    with Client(life) as client:
        return client.ask(text)


def good(life, text):
    """The lines before the last one, which says that it went well."""
    lines = ask(life, text)
    assert lines[-1]["ok"], (text, lines)
    return lines[:-1]


def wrong(life, text):
    """The error of a request that is not carried out."""
    lines = ask(life, text)
    assert not lines[-1]["ok"], (text, lines)
    return lines[-1]


def status(life, name):
    return good(life, f"status {name}")[0]


def until_state(life, name, state):
    """Waits until a service is in a state, and gives what is known of it."""
    return until(lambda: (s := status(life, name))["state"] == state and s, lambda: f"{name} {state}: {status(life, name)}")


def ask_as(life, text, uid, gid=None, groups=()):
    """One request of another user, out of the container; the lines behind the greeting."""
    words = ["setpriv", f"--reuid={uid}", f"--regid={gid if gid is not None else uid}"]
    words += [f"--groups={','.join(map(str, groups))}"] if groups else ["--clear-groups"]
    result = life.enter([*words, PYTHON, "-c", SCRIPT, "/run/hermes-init/control.sock", text])
    # Who is still there when the container stops is ended with it.
    assert result.code in (0, -15), result
    return [json.loads(line) for line in result.out.splitlines()][1:]
