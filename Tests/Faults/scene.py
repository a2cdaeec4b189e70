"""A life of the init with a little of everything, strace(1) that makes its system calls fail, and an oracle.

The init is PID 1 of a namespace of its own, with a /run of its own. strace is attached to it from outside, and with `follow` to
what it starts from then on; the fault lasts until strace is taken away. What must hold after that is in `Scene.judge`.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "Integration")]

from harness import children, descendants, kill_all, namespace, reachable, status, until  # noqa: E402

CEILING = 3
# What may come to the ceiling on a machine that is busy with other tests.
SLACK = 20
# How many calls that fail there may be in a second: far fewer than a loop makes that never waits.
MOST_FAILURES = 600
PYTHON = sys.executable + '", "-S", "-E'
PROGRAM = Path(__file__).parent / "program.py"

INIT = """
shutdown-timeout = "3s"
state-directory = "@/state"
[restart]
delay = "100ms"
max-delay = "300ms"
"""

SERVICES = {
    "init": INIT,
    "seed": """
plugin = "seed"
[options]
root = "@/root"
directories = ["a/b"]
[[options.file]]
path = "secret"
random = 16
[[options.file]]
path = "a/text"
content = "some\\n"
""",
    "setup": 'type = "oneshot"\nrequires = ["seed"]\nscript = "echo set up"\n',
    "user": 'type = "oneshot"\nuser = "65534"\nscript = "id -u"\nnice = 5\n[limits]\nnofile = "100:200"\n'
            '[security]\nno-new-privileges = true\n',
    "ticker": f'command = ["{PYTHON}", "@@", "tick", "@"]\nrequires = ["setup"]\n'
              '[log]\nfile = "@/logs/ticker.log"\n[reload]\ncommand = ["true"]\n',
    "flappy": 'command = ["false"]\n',
    "server": f'command = ["{PYTHON}", "@@", "server", "@"]\n[ready]\nunix = "@/server.sock"\ninterval = "50ms"\n'
              '[health]\nunix = "@/server.sock"\ninterval = "100ms"\n[stop]\ncommand = ["true"]\n',
    "checked": 'command = ["sleep", "1000"]\n[ready]\ncommand = ["true"]\n[health]\ncommand = ["true"]\ninterval = "100ms"\n',
    "bell": f'command = ["{PYTHON}", "@@", "notify", "@"]\n[ready]\nnotify = 3\n',
    "dog": f'command = ["{PYTHON}", "@@", "systemd", "@"]\n[ready]\nnotify = "systemd"\n[health]\nwatchdog = "20s"\n',
    "gateway@": 'command = ["sleep", "1000"]\n[instances]\nnames = ["a", "b"]\nremember = true\ndefault = "up"\n',
}
# What must be in which state when all is well. flappy comes and goes.
WELL = {"up": {"ticker", "server", "checked", "bell", "dog", "gateway@a", "gateway@b"}, "done": {"seed", "setup", "user"}}


class Wrong(AssertionError):
    """A rule that did not hold."""


class Scene:
    """One life. A context."""

    def __init__(self, services=None, more=None, stdout=None, prefix=()):
        self.folder = Path(tempfile.mkdtemp(prefix="hermes-init-faults-", dir="/tmp"))
        self.folder.chmod(0o755)
        for name in ("config", "ticks", "logs", "state", "root"):
            (self.folder / name).mkdir()
        for name, text in {**(SERVICES if services is None else services), **(more or {})}.items():
            (self.folder / "config" / f"{name}.toml").write_text(
                text.replace("@@", str(PROGRAM)).replace("@/", f"{self.folder}/").replace('"@"', f'"{self.folder}"'))
        # `failed`: how many calls did, once the fault is over.
        self.tracer, self.failed = None, None
        self.out, self.err = self.folder / "stdout", self.folder / "stderr"
        fifo = self.folder / "go"
        os.mkfifo(fifo)
        # It waits to be let go, so that strace is there before its first call.
        words = [*prefix, *namespace(), "sh", "-c", f'mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev/shm\nread go < {fifo}\nexec "$@"', "sh", str(reachable()),
                 "--config", str(self.folder / "config")]
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out if stdout is None else stdout, stderr=err)
        self.fifo = fifo
        self.init = until(self.find, "unshare starts the shell")
        self.end_of_fifo = None

    def find(self):
        """The host's number of what is PID 1 of the namespace."""
        for pid in descendants(self.process.pid):
            numbers = status(pid).get("NSpid", "").split()
            if len(numbers) > 1 and numbers[-1] == "1":
                return pid
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.detach()
        kill_all(self.process)
        if self.end_of_fifo is not None:
            os.close(self.end_of_fifo)
        if not os.environ.get("HERMES_INIT_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- The fault --------------------------------------------------------------------------------------------------------

    def attach(self, inject, follow=False, pid=None, trace=()):
        """Makes calls fail from now on. `inject` is a list of what strace's --inject takes."""
        self.trace_path = self.folder / "strace"
        self.trace_path.write_bytes(b"")
        calls = ",".join(sorted({each.split(":")[0] for each in inject} | set(trace)))
        words = ["strace", "-q", "-o", str(self.trace_path), "-e", f"trace={calls}", "-e", "signal=none"]
        for each in inject:
            words += ["-e", f"inject={each}"]
        words += ["-f"] if follow else []
        target = pid or self.init
        self.tracer = subprocess.Popen([*words, "-p", str(target)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def attached():
            if self.tracer.poll() is not None:
                raise Wrong("strace: " + self.tracer.stderr.read().decode())
            return status(target).get("TracerPid", "0") != "0"

        until(attached, "strace is there")
        self.began, self.cpu = time.monotonic(), self.time_used()

    def detach(self):
        """The fault passes. Gives how many calls failed in a second, and what part of a processor the init took."""
        if self.tracer is None:
            return 0, 0
        took, used = max(time.monotonic() - self.began, 0.2), self.time_used() - self.cpu
        if self.tracer.poll() is None:
            self.tracer.send_signal(signal.SIGINT)
            try:
                self.tracer.wait(10)
            except subprocess.TimeoutExpired:
                self.tracer.kill()
                self.tracer.wait()
        self.tracer.stderr.close()
        self.tracer = None
        text = self.trace_path.read_bytes()
        self.failed = text.count(b"(INJECTED)")
        return self.failed / took, used / took

    def time_used(self):
        try:
            fields = Path(f"/proc/{self.init}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- What it does -----------------------------------------------------------------------------------------------------

    def go(self):
        """Lets the init start."""
        self.end_of_fifo = os.open(self.fifo, os.O_RDWR)
        os.write(self.end_of_fifo, b"\n")

    def stderr(self):
        return self.err.read_text(errors="replace")

    def said(self):
        return f"\n--- its last words\n{self.stderr()[-3000:]}"

    def must_live(self):
        if self.process.poll() is not None:
            raise Wrong(f"it ended with {self.process.returncode}{self.said()}")

    def ask(self, text, patience=5):
        """All lines of an answer; None where there is none."""
        path = f"/proc/{self.init}/root/run/hermes-init/control.sock"
        end = time.monotonic() + patience
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(patience)
                one.connect(path)
                one.sendall(text.encode() + b"\n")
                rest = b""
                lines = []
                while time.monotonic() < end:
                    data = one.recv(65536)
                    if not data:
                        return None
                    *whole, rest = (rest + data).split(b"\n")
                    lines += [json.loads(line) for line in whole]
                    if any("ok" in line for line in lines):
                        return lines[1:]
        except (OSError, ValueError):
            pass
        return None

    def states(self):
        lines = self.ask("status") or []
        found = {}
        for line in lines[:-1]:
            found.setdefault(line["state"], set()).add(line["name"])
        return found

    def is_well(self):
        states = self.states()
        return all(names <= states.get(state, set()) for state, names in WELL.items())

    def until(self, condition, what, seconds=30):
        def look():
            self.must_live()
            return condition()

        try:
            return until(look, what, seconds)
        except Wrong:
            raise
        except AssertionError as error:
            raise Wrong(f"{error}; states: {self.states()}{self.said()}") from None

    def until_well(self, seconds=30):
        self.until(self.is_well, "all is well", seconds)

    def recover(self, all_of_them=False):
        """After a fault: what is to come back by itself has to. A oneshot gives up after some tries, which a busy machine can
        make of a short fault, and what requires it has failed too; and whose start did not reach the init stays stopped. These
        are asked for, and with `all_of_them` every one."""
        self.until(lambda: self.ask("status"), "the control socket answers")
        states = self.states()
        for name in WELL["done"] | WELL["up"]:
            gave_up = name in WELL["done"] | {"ticker"} and name in states.get("failed", ())
            if all_of_them or gave_up or name in states.get("stopped", ()):
                self.ask(f"start {name} --no-wait")
        self.until_well(60)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.init}/fd"))

    def quiet_descriptors(self):
        """The fewest of some looks: a probe or a start under way has some for a moment."""
        return min(self.descriptors() for _ in range(40) if not time.sleep(0.005))

    def zombies(self):
        """Name, parent and tracer of each."""
        tables = [status(pid) for pid in descendants(self.init)]
        return [(table["Name"], table["PPid"], table["TracerPid"]) for table in tables if table.get("State", "?")[0] == "Z"]

    def act(self):
        """A little of everything that a container does in its life. What comes of it is judged when the fault is over."""
        for text in ("status", "logs -n 3 ticker", "stop gateway@a --no-wait", "restart ticker --no-wait", "reload ticker --no-wait",
                     "metrics", "show ticker", "signal KILL gateway@b bell", "start gateway@a --no-wait", "restart setup --no-wait",
                     "restart seed --no-wait", "restart user --no-wait", "reload"):
            self.ask(text, patience=0.3)
            self.must_live()
        os.kill(self.init, signal.SIGHUP)

    # --- The oracle -------------------------------------------------------------------------------------------------------

    def missing_ticks(self):
        """Lines that ticker has written and that did not come out, of stdout and of its file."""
        files = {"stdout": self.out, **{path.name: path for path in (self.folder / "logs").glob("ticker.log*")}}
        seen = {"stdout": set(), "file": set()}
        for name, path in files.items():
            into = seen["stdout" if name == "stdout" else "file"]
            into.update(re.findall(rb"tick (\S+) (\d+)$", path.read_bytes(), re.MULTILINE))
        missing = {"stdout": 0, "file": 0}
        written = 0
        for record in (self.folder / "ticks").iterdir():
            count = int(record.read_bytes() or b"0")
            written += count
            for name, lines in seen.items():
                there = {int(number) for life, number in lines if life.decode() == record.name}
                missing[name] += len(set(range(1, count + 1)) - there)
        return missing, written

    def stop(self, code=0):
        """SIGTERM; the end comes within its ceiling."""
        self.must_live()
        began = time.monotonic()
        os.kill(self.init, signal.SIGTERM)
        return self.wait_for_end(began, code)

    def wait_for_end(self, began, code=None):
        try:
            ended = self.process.wait(CEILING + SLACK)
        except subprocess.TimeoutExpired:
            raise Wrong(f"it had not ended {CEILING + SLACK} s after SIGTERM{self.said()}") from None
        took = time.monotonic() - began
        if code is not None and ended != code:
            raise Wrong(f"exit code {ended}, not {code}{self.said()}")
        return took, ended
