#!/usr/bin/env python3
"""Tests/Stress/stress.py [--seconds N] [--seed N] [--services N]: the release binary as PID 1 over services of all kinds that die,
hang, flood and leave orphans, all from a seed; then a judge over what was written down.

Two lives with the same services. In the first they are calm: what it takes up then is the measure, and nothing may wake it up.
In the second they are not, for the given time, while this program kills some of them and lets their output pile up; then they
are calm again, and the init must take up no more than in the first. Each life ends with SIGTERM, within shutdown-timeout.
"""

import argparse
import os
import random
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "Integration")]

import cgroups  # noqa: E402
import judge  # noqa: E402
import plan  # noqa: E402
from harness import AM_ROOT, can_unshare, children, descendants, kill_all, namespace, reachable, status, until  # noqa: E402

# What may come to the time of the stop on a machine that is busy with this test, in seconds.
SLACK = 10
# What the init keeps of each service's output (64 KiB), what its pipes and its state take, and what allocation rounds up to.
BYTES_FOR_SERVICE = 96 << 10
BYTES_AT_ALL = 2 << 20


class Server:
    """What probes of readiness and health talk to: answers soon, or (unless it is calm) with 503, or too late."""

    def __init__(self, folder, dice):
        calm = folder / "calm"

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    self.request.settimeout(5)
                    if b"GET" in self.request.recv(4096):
                        good = calm.exists() or dice.random() < 0.7
                        self.request.sendall(b"HTTP/1.1 %s\r\nConnection: close\r\n\r\n" % (b"204 Yes" if good else b"503 No"))
                except OSError:
                    pass

        class TCP(socketserver.ThreadingTCPServer):
            daemon_threads, request_queue_size = True, 512

        class Unix(socketserver.ThreadingUnixStreamServer):
            daemon_threads, request_queue_size = True, 512

        self.servers = [TCP(("127.0.0.1", 0), Handler), Unix(str(folder / "socket"), Handler)]
        self.port = self.servers[0].server_address[1]
        (folder / "socket").chmod(0o777)
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()


class Life:
    """One life of the init: its lines, what it takes up."""

    def __init__(self, folder, container):
        words = namespace()
        preexec = None
        if container:
            preexec = container.enter
            words += ["sh", "-c", cgroups.MOUNT + '\nexec "$@"', "sh"]
        self.lines, self.bytes, self.pause, self.last = [], 0, 0, b""
        self.process = subprocess.Popen(
            words + [str(reachable()), "--config", str(folder / "config"), "--"], preexec_fn=preexec, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.init = until(lambda: children(self.process.pid), "unshare starts the init")[0]
        until(lambda: "hermes-init" in status(self.init).get("Name", ""), "the shell becomes the init")

    def read(self):
        rest = b""
        while chunk := os.read(self.process.stdout.fileno(), 1 << 16):
            self.bytes += len(chunk)
            self.last = self.last[-4096:] + chunk[-4096:]
            *lines, rest = (rest + chunk).split(b"\n")
            self.lines += [line[13:].decode() for line in lines if line.startswith(b"hermes-init: ")]
            if self.pause:
                time.sleep(self.pause)
                self.pause = 0

    def must_live(self):
        if self.process.poll() is not None:
            self.reader.join()
            raise AssertionError(f"the init ended with {self.process.returncode}; it said last:\n" + self.last.decode("utf-8", "replace"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.init}/fd"))

    def memory(self):
        """Its own, in bytes; the pages of its file come and go."""
        rollup = Path(f"/proc/{self.init}/smaps_rollup").read_text()
        return int(re.search(r"^Pss_Anon:\s+(\d+)", rollup, re.MULTILINE)[1]) << 10

    def programs(self):
        """The commands of all processes below the init, by their host's number; of a zombie, None."""
        found = {}
        for pid in descendants(self.init):
            table = status(pid)
            if table:
                found[pid] = None if table["State"][0] in "ZX" else table["Name"]
        return found

    def strace(self, folder, seconds):
        """The lines of strace(1) for so long; None where it is not there or not allowed."""
        if shutil.which("strace") is None:
            return None
        output = folder / "strace"
        tracer = subprocess.Popen(["strace", "-q", "-o", str(output), "-p", str(self.init)], stderr=subprocess.DEVNULL)
        try:
            tracer.wait(seconds)
            return None
        except subprocess.TimeoutExpired:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        return output.read_text().splitlines()

    def stop(self):
        """SIGTERM; gives how long the end took."""
        began = time.monotonic()
        os.kill(self.init, signal.SIGTERM)
        try:
            self.process.wait(plan.SHUTDOWN_TIMEOUT + SLACK)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"it had not ended {plan.SHUTDOWN_TIMEOUT + SLACK} s after SIGTERM") from None
        self.reader.join()
        return time.monotonic() - began

    def end(self):
        kill_all(self.process)


class Stress:
    def __init__(self, seed, seconds, services, kinds):
        self.seed, self.seconds = seed, seconds
        self.dice = random.Random(seed + 1)
        self.folder = Path(tempfile.mkdtemp(prefix="hermes-init-stress-", dir="/tmp"))
        self.folder.chmod(0o777)
        self.server = Server(self.folder, random.Random(seed + 2))
        self.plans = plan.make(seed, services, kinds)
        self.wrong = []
        self.life = self.container = None

    def say(self, text):
        print(f"stress: {text}", flush=True)

    def prepare(self, calm):
        """Files as if nothing had happened yet."""
        for name in ("config", "plan", "state"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
        for name in ("starts", "violations"):
            (self.folder / name).write_text("")
        (self.folder / "calm").unlink(missing_ok=True)
        if calm:
            (self.folder / "calm").write_text("")
        shutil.copy(Path(__file__).parent / "work.sh", self.folder)
        (self.folder / "config" / "init.toml").write_text(f'shutdown-timeout = "{plan.SHUTDOWN_TIMEOUT}s"\n')
        for each in self.plans:
            (self.folder / "config" / f"{each.name}.toml").write_text(
                each.toml(self.folder, self.server.port, is_watched=not calm))
            (self.folder / "plan" / each.name).write_text(each.work())

    def boot(self):
        try:
            self.container = cgroups.Container(time.monotonic_ns()) if AM_ROOT else None
        except (OSError, TypeError, StopIteration):
            self.container = None
        self.life = Life(self.folder, self.container)

    def all_calm(self):
        """Nothing is left but the services' own processes, each asleep, and the probes of the moment."""
        self.life.must_live()
        longruns = sum(each.type == "longrun" for each in self.plans)
        programs = [name for name in self.life.programs().values()]
        direct = [status(pid).get("Name") for pid in children(self.life.init)]
        return None not in programs and direct.count("sleep") == longruns and len(programs) <= longruns + 20

    def seen(self):
        programs = list(self.life.programs().values())
        return (f"{programs.count(None)} zombies, {len(programs)} processes ({programs.count('sleep')} asleep), "
                f"{self.life.descriptors()} descriptors; last lines:\n" + "\n".join(self.life.lines[-20:]))

    def over(self):
        """The end of a life, and what is written down of it."""
        took = self.life.stop()
        (self.folder / "log").write_text("\n".join(self.life.lines))
        if took > plan.SHUTDOWN_TIMEOUT + 1 + SLACK / 2:
            self.wrong.append(f"the stop took {took:.1f} s")
        if self.life.process.returncode not in (0, 143):
            self.wrong.append(f"exit code {self.life.process.returncode}")
        self.wrong += (self.folder / "violations").read_text().splitlines()
        self.wrong += judge.log(self.plans, self.life.lines)
        self.wrong += judge.starts(self.plans, (self.folder / "starts").read_text().splitlines())
        if self.container:
            self.container.remove()
            self.container = None
        return took

    def first_life(self):
        self.prepare(calm=True)
        began = time.monotonic()
        self.boot()
        until(self.all_calm, self.seen, 60)
        self.say(f"{len(self.plans)} services are up after {time.monotonic() - began:.1f} s"
                 + (", each in a cgroup" if self.container else ""))
        until(lambda: self.life.descriptors() == self.life.descriptors(), "its descriptors")
        self.descriptors, self.memory = self.life.descriptors(), self.life.memory()
        # What is still on its way (the end of a probe, a line) has its effect before it counts. Nobody's health is watched.
        calls = self.life.strace(self.folder, 1) and self.life.strace(self.folder, 2)
        if calls is None:
            self.say("no strace here: whether it sleeps while idle is not looked at")
        else:
            calls = [call for call in calls if not re.match(r"epoll_\w+\(.*(<unfinished|<detached|resumed)|---|strace", call)]
            self.wrong += [f"woken up while idle: {call}" for call in calls[:5]]
        took = self.over()
        self.say(f"calm: {self.descriptors} descriptors, {self.memory >> 10} KiB, stopped in {took:.2f} s")

    def chaos(self):
        """Lets them live, and kills some. Gives the system calls that were seen, or None."""
        end = time.monotonic() + self.seconds
        calls, traced = None, None
        if shutil.which("strace"):
            traced = threading.Thread(target=lambda: box.append(self.life.strace(self.folder, min(5, self.seconds / 3))))
        box = []
        killed = 0
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(0.005, 0.06))
            action = self.dice.random()
            if traced and traced.ident is None and time.monotonic() > end - self.seconds / 2:
                traced.start()
            if action < 0.05:
                self.life.pause = self.dice.uniform(0, 0.3)
            elif action < 0.8:
                victims = children(self.life.init)
                number = self.dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
                for _ in range(self.dice.choice([1, 1, 1, 20])):
                    if not victims:
                        break
                    try:
                        os.kill(self.dice.choice(victims), number)
                        killed += 1
                    except ProcessLookupError:
                        pass
            elif action < 0.82:
                os.kill(self.life.init, self.dice.choice([signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE, 40]))
            self.life.must_live()
        if traced and traced.ident:
            traced.join()
            calls = box[0]
        self.say(f"{killed} kills, {len((self.folder / 'starts').read_text().splitlines())} starts, "
                 f"{self.life.bytes / 1e6:.1f} MB of output, {len(self.life.lines)} lines of the init")
        return calls

    def second_life(self):
        self.prepare(calm=False)
        self.boot()
        calls = self.chaos()
        if calls is None:
            self.say("no strace here: its system calls are not looked at")
        else:
            self.wrong += judge.system_calls(calls)
        (self.folder / "calm").write_text("")
        # Those that are deaf, flood or wait in the middle of what they do are told to begin anew.
        for pid in children(self.life.init):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        # The four ends of a service's pipes are made at its first start, and a few first start under the load. A leak would
        # grow with the kills, of which there are hundreds.
        until(lambda: self.all_calm() and self.life.descriptors() <= self.descriptors + 16, self.seen, 60)
        memory = self.life.memory()
        allowed = self.memory + BYTES_FOR_SERVICE * len(self.plans) + BYTES_AT_ALL
        if memory > allowed:
            self.wrong.append(f"{memory >> 10} KiB of memory, more than {allowed >> 10}; before the load it was {self.memory >> 10}")
        descriptors = self.life.descriptors()
        took = self.over()
        self.say(f"after it: {descriptors} descriptors, {memory >> 10} KiB, stopped in {took:.2f} s")

    def run(self):
        try:
            self.first_life()
            self.second_life()
        except AssertionError as error:
            self.wrong.append(str(error))
        finally:
            if self.life:
                self.life.end()
            if self.container:
                self.container.remove()
        for line in self.wrong[:40]:
            self.say("WRONG: " + line)
        if self.wrong:
            self.say(f"{len(self.wrong)} things are wrong. Again: Tests/Stress/stress.py --seed {self.seed} --seconds "
                     f"{self.seconds:g} --services {len(self.plans)}; files: {self.folder}")
            return 1
        shutil.rmtree(self.folder, ignore_errors=True)
        self.say("every rule held")
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--services", type=int, default=300)
    parser.add_argument("--without", default="", help="keys that are not used, with commas: ready,health,reload,log")
    words = parser.parse_args()
    if not can_unshare():
        print("stress: PID namespaces are forbidden on this machine: skipped")
        return 0
    seed = random.SystemRandom().randrange(1 << 32) if words.seed is None else words.seed
    print(f"stress: seed {seed}, {words.seconds:g} s", flush=True)
    return Stress(seed, words.seconds, words.services, plan.KINDS - set(words.without.split(","))).run()


if __name__ == "__main__":
    sys.exit(main())
