"""Boots the real binary, mostly as PID 1 of a fresh PID namespace, and watches it from outside.

What a test waits for is always a fact that shows (a line, a file, an end), with a deadline that is far longer than needed;
no test sleeps and hopes. Output goes to files, so that nothing blocks on a pipe that nobody reads.
"""

import atexit
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("HERMES_INIT", ROOT / ".build" / "release" / "hermes-init")).resolve()
DEADLINE = float(os.environ.get("HERMES_INIT_TEST_DEADLINE", "30"))
AM_ROOT = os.geteuid() == 0


def machine(path):
    """What an ELF file is made for (e_machine); None where it is none."""
    try:
        head = Path(path).read_bytes()[:20]
    except OSError:
        return None
    return int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" else None


# Built for another machine than this one, and run by an emulator (scripts/emulate).
EMULATED = machine(BINARY) not in (None, machine("/proc/self/exe"))
# Real-time signals, but for those that libc takes for itself. An emulator gives them other numbers.
REAL_TIME = set() if EMULATED else set(range(34, 65))
# Ordinary Swift, a dynamic program with a runtime of its own.
IS_DEBUG = BINARY.parent.name == "debug"
# An ordinary user who has no other process, not even of another run of these tests: limits on the number of processes count
# all of a user's.
ORDINARY = 50_000 + os.getpid() % 10_000


@functools.cache
def reachable():
    """A copy of the binary in a folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="hermes-init-", dir="/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(BINARY, folder / "hermes-init")
    return folder / "hermes-init"


def until(condition, what, deadline=DEADLINE):
    """Waits for a condition to be true and gives what it gave."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not come true within {deadline} s: {what() if callable(what) else what}")
        time.sleep(0.005)


def namespace():
    """The words that make what follows PID 1 of a fresh PID namespace; None where that is forbidden."""
    words = ["unshare", "--pid", "--fork", "--mount", "--mount-proc"]
    if not AM_ROOT:
        words += ["--user", "--map-root-user"]
    return words


def can_unshare():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(namespace() + ["true"], capture_output=True).returncode == 0


LIBC = ctypes.CDLL(None, use_errno=True)


def own_run(then):
    """What a child does before its exec: it takes an empty /run of its own, and then what it would have done. The machine's
    /run is shared by every test that runs at the same time, and an init looks who answers on the socket there."""

    def scene():
        for failed in (
            LIBC.unshare(0x00020000),  # CLONE_NEWNS
            LIBC.mount(None, b"/", None, 0x4000 | 0x40000, None),  # MS_REC | MS_PRIVATE
            LIBC.mount(b"tmpfs", b"/run", b"tmpfs", 0, None),
        ):
            if failed:
                raise OSError(ctypes.get_errno(), "a /run of its own")
        if then:
            then()

    return scene


def children(pid):
    """The direct children of a process, as the host numbers them."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        pass
    return [int(child) for child in found]


def descendants(pid):
    found = []
    for child in children(pid):
        found.append(child)
        found += descendants(child)
    return found


def kill_all(process):
    """Ends a child and all that it started, if it still runs."""
    if process.poll() is None:
        for pid in [*descendants(process.pid), process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()


def status(pid):
    """/proc/PID/status as a table; empty where the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def alive(pid):
    return status(pid).get("State", "Z")[0] not in "ZX"


def signal_set(mask):
    """The signals in one of the hexadecimal masks of /proc/PID/status."""
    bits = int(mask, 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


class Result:
    """How a life ended, and what was said in it."""

    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr
        self.out = stdout.decode("utf-8", "backslashreplace")
        self.err = stderr.decode("utf-8", "backslashreplace")

    def __repr__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Life:
    """One run of the init. `how` is "pid1", "plain" (its parent is this test) or "user" (plain, as ORDINARY)."""

    def __init__(self, folder, words, *, how="pid1", env=None, cwd=None, stdin=subprocess.DEVNULL, preexec=None,
                 stdout=None, stderr=None, binary=None, before=None):
        self.folder = folder
        self.out_path, self.err_path = folder / "stdout", folder / "stderr"
        command = [str(binary or reachable())] + [os.fsencode(word) if isinstance(word, str) else word for word in words]
        if before:
            # Words for a shell that sets the scene in the namespace and then becomes the init.
            command = ["sh", "-c", before + '\nexec "$@"', "sh"] + command
        if how == "pid1":
            command = namespace() + command
        elif how == "user" and AM_ROOT:
            command = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"] + command
        self.how = how
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=stdin, stdout=stdout if stdout is not None else out,
                stderr=stderr if stderr is not None else err,
                preexec_fn=own_run(preexec) if how == "pid1" and AM_ROOT else preexec)

    @property
    def pid(self):
        """The init's process as the host numbers it."""
        if self.how != "pid1":
            return self.process.pid
        return until(lambda: children(self.process.pid), "unshare starts the init")[0]

    def stdout(self):
        return self.out_path.read_bytes().decode("utf-8", "backslashreplace")

    def stderr(self):
        return self.err_path.read_bytes().decode("utf-8", "backslashreplace")

    def said(self):
        return f"\n--- stdout\n{self.stdout()}\n--- stderr\n{self.stderr()}"

    def until(self, condition, what):
        """Waits for a condition; says what the init said where it does not come true."""
        return until(condition, lambda: (what() if callable(what) else what) + self.said())

    def until_out(self, text, count=1):
        self.until(lambda: self.stdout().count(text) >= count, f"{text!r} on stdout, {count} times")

    def until_err(self, text):
        self.until(lambda: text in self.stderr(), f"{text!r} on stderr")

    def signal(self, number):
        os.kill(self.pid, number)

    def inside(self, number):
        """The host's number of the process that is `number` in the init's namespace."""
        if self.how != "pid1":
            return number

        def find():
            for pid in descendants(self.pid):
                if status(pid).get("NSpid", "").split()[-1:] == [str(number)]:
                    return pid
            return None

        return self.until(find, f"process {number} of the namespace is there")

    def descriptors(self):
        """How many the init has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def enter(self, words, *, user=None):
        """Runs a program in the init's namespaces, as `docker exec` does, and gives what came of it."""
        command = ["nsenter", "--target", str(self.pid), "--pid", "--mount"]
        if not AM_ROOT:
            command += ["--user", "--preserve-credentials"]
        if user is not None:
            words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *words]
        done = subprocess.run([*command, "--", *words], capture_output=True, stdin=subprocess.DEVNULL)
        return Result(done.returncode, done.stdout, done.stderr)

    def health(self, **how):
        """`hermes-init health` in the container."""
        return self.enter([str(reachable()), "health"], **how)

    def wait(self, deadline=DEADLINE):
        try:
            code = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            said = self.said()
            self.end()
            raise AssertionError(f"it did not end within {deadline} s{said}") from None
        return Result(code, self.out_path.read_bytes(), self.err_path.read_bytes())

    def stop(self):
        """SIGTERM, and the end."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def end(self):
        """Whatever is left of it is killed."""
        kill_all(self.process)


class Boot:
    """Starts lives in a folder of the test's own, and ends them with the test."""

    def __init__(self, folder):
        self.folder = folder
        self.lives = []
        self.config = folder / "config"
        self.config.mkdir()
        folder.chmod(0o777)

    def services(self, services):
        """Writes service files: "web" or "web.toml" or "web.d/10.toml" → text or bytes."""
        for name, text in services.items():
            path = self.config / (name if name.endswith(".toml") or "/" in name else name + ".toml")
            path.parent.mkdir(exist_ok=True, parents=True)
            text = text.replace("@", str(self.folder)) if isinstance(text, str) else text
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    def __call__(self, command=(), services=None, *, options=(), **how):
        """A life with those services: `hermes-init --config FOLDER -- COMMAND`. `@` in a service is the test's folder."""
        self.services(services or {})
        words = ["--config", str(self.config), *options]
        if command:
            words += ["--", *command]
        return self.run(words, **how)

    def run(self, words, **how):
        """A life with exactly those words."""
        folder = self.folder / f"life{len(self.lives)}"
        folder.mkdir()
        life = Life(folder, words, **how)
        self.lives.append(life)
        return life

    def end(self):
        for life in self.lives:
            life.end()
