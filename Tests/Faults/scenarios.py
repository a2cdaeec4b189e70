"""Faults that are real: full disks, limits that are reached, a stopped init, helpers that are killed, children that mean harm. No
strace. The first words of each function, before the arrow, are the fault; behind it stands what must come of it: both go into
the table of docs/reliability.md.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness import AM_ROOT, alive, descendants, status
from scene import Scene, Wrong

SCENARIOS = []


class Skipped(Exception):
    """It cannot be tried on this machine."""


def scenario(quick=False):
    def add(function):
        function.quick = quick
        SCENARIOS.append(function)
        return function

    return add


def need(condition, what):
    if not condition:
        raise Wrong(what)


def need_root():
    if not AM_ROOT:
        raise Skipped("only root can do that")


def in_scene(scene, script):
    """Runs a script in the container's namespaces."""
    done = subprocess.run(["nsenter", "--target", str(scene.init), "--pid", "--mount", "--", "sh", "-c", script], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    need(done.returncode == 0, f"{script}: {done.stderr.decode()}")


def pid_of(scene, name):
    """The host's number of a service's process."""
    for line in scene.ask(f"status {name}") or []:
        if line.get("pid"):
            for pid in descendants(scene.init):
                if status(pid).get("NSpid", "").split()[-1:] == [str(line["pid"])]:
                    return pid
    return None


def whole(scene, lost=""):
    missing, written = scene.missing_ticks()
    need(written > 0, "nothing was written")
    for stream, count in missing.items():
        need(count == 0 or stream == lost, f"{count} of {written} lines are missing on {stream}{scene.said()}")


def writer_of(scene):
    for pid in descendants(scene.init):
        if status(pid).get("Name") == "hermes-log" and alive(pid):
            return pid
    return None


# --- Disks ----------------------------------------------------------------------------------------------------------------


@scenario(quick=True)
def full_disk_for_log_files():
    """The disk of a log file is full (a tmpfs) -> the lines that do not fit are counted and told of, stdout has them all; it
    goes on when there is room"""
    need_root()
    with Scene(more={}) as scene:
        logs = scene.folder / "logs"
        scene.go()
        scene.until_well(60)
        in_scene(scene, f"mount -t tmpfs -o size=16k tmpfs {logs} && head -c 16000 /dev/zero > {logs}/ballast || true")
        scene.until(lambda: "cannot write its log file" in scene.stderr(), "it says that the disk is full", 60)
        in_scene(scene, f"rm {logs}/ballast")
        scene.until(lambda: "writes its log file" in scene.stderr(), "it says that it writes again", 60)
        scene.stop()
        missing, _ = scene.missing_ticks()
        need(missing["stdout"] == 0, f"{missing}{scene.said()}")


@scenario()
def full_disk_for_the_state():
    """The state directory is full -> it is said that what was asked is not kept; it is written at the end of the container, if there
    is room by then"""
    need_root()
    with Scene() as scene:
        state = scene.folder / "state"
        scene.go()
        scene.until_well(60)
        in_scene(scene, f"mount -t tmpfs -o size=4k tmpfs {state} && head -c 4096 /dev/zero > {state}/ballast")
        scene.ask("stop gateway@a --no-wait")
        scene.until(lambda: "cannot keep in" in scene.stderr(), "it says that nothing is kept")
        in_scene(scene, f"rm {state}/ballast; (while :; do cp {state}/asked /tmp/hermes-init-faults-{os.getpid()} 2>/dev/null"
                        " && exit; sleep 0.1; done) >/dev/null 2>&1 &")
        root = f"/proc/{scene.init}/root"
        end = os.open(f"{root}{state}", os.O_RDONLY)
        scene.stop()
        names = os.listdir(end)
        os.close(end)
        need("asked" in names, f"it is not there: {names}")


@scenario(quick=True)
def stdout_is_dev_full():
    """stdout of the container is /dev/full -> told on stderr; services go on, and the stop goes its way"""
    with open("/dev/full", "wb") as full, Scene(stdout=full) as scene:
        scene.go()
        scene.until_well(60)
        scene.until(lambda: "cannot write to stdout" in scene.stderr(), "it says so")
        scene.stop()
        need(scene.missing_ticks()[0]["file"] == 0, "the log file has all lines")


@scenario(quick=True)
def run_is_removed():
    """A service removes /run/hermes-init -> the status is written to a new folder and the control socket made again with the next
    change of a state"""
    need_root()
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        in_scene(scene, "rm -r /run/hermes-init")
        scene.until(lambda: "it is made again" in scene.stderr(), "it says so")
        scene.until_well(60)
        scene.stop()
        whole(scene)


@scenario()
def run_is_full():
    """/run is full -> the status is old for as long; all else goes on"""
    need_root()
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        in_scene(scene, "mount -o remount,size=4k /run; head -c 100000 /dev/zero > /run/ballast || true")
        scene.ask("restart bell --no-wait")
        scene.until_well(60)
        scene.stop()
        whole(scene)


# --- Limits ---------------------------------------------------------------------------------------------------------------


def limited(scene, limit, values):
    resource.prlimit(scene.init, limit, values)


@scenario(quick=True)
def no_descriptors_left():
    """RLIMIT_NOFILE is reached -> what cannot start tries again, connections wait, what runs goes on"""
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        before = resource.prlimit(scene.init, resource.RLIMIT_NOFILE)
        limited(scene, resource.RLIMIT_NOFILE, (scene.quiet_descriptors(), before[1]))
        scene.act()
        limited(scene, resource.RLIMIT_NOFILE, before)
        scene.recover()
        scene.stop()
        whole(scene)


@scenario(quick=True)
def no_memory_left():
    """RLIMIT_AS is reached -> PID 1 goes on with what it keeps for that, then waits, which it says; all goes on when there is memory
    again"""
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        size = int(status(scene.init)["VmSize"].split()[0]) << 10
        before = resource.prlimit(scene.init, resource.RLIMIT_AS)
        limited(scene, resource.RLIMIT_AS, (size - (400 << 10), before[1]))
        for _ in range(3):
            scene.act()
        limited(scene, resource.RLIMIT_AS, before)
        # What was started meanwhile has had that limit, too.
        scene.recover(all_of_them=True)
        scene.stop()
        whole(scene)


def pids_cgroup(scene, most):
    root = Path("/sys/fs/cgroup/pids")
    if not AM_ROOT or not os.access(root, os.W_OK) or not root.is_dir():
        raise Skipped("there is no pids cgroup here that may be written")
    folder = root / f"hermes-init-faults-{scene.init}"
    try:
        folder.mkdir()
        (folder / "pids.max").write_text(str(most))
    except OSError as error:
        raise Skipped(f"the pids cgroup: {error}") from None
    for pid in [scene.init, *descendants(scene.init)]:
        try:
            (folder / "cgroup.procs").write_text(str(pid))
        except OSError:
            pass
    return folder


def remove(folder):
    for _ in range(200):
        try:
            return folder.rmdir()
        except OSError:
            time.sleep(0.05)


@scenario()
def a_fork_bomb():
    """A service forks until the container is at its limit of processes (pids cgroup) -> what cannot start tries again; when the
    bomb is stopped, all is well"""
    bomb = {"bomb": 'autostart = false\nscript = """while :; do sleep 1000 & done"""\n[restart]\npolicy = "never"\n'
                    '[stop]\ntimeout = "1s"\n'}
    with Scene(more=bomb) as scene:
        folder = None
        try:
            scene.go()
            scene.until_well(60)
            folder = pids_cgroup(scene, 120)
            scene.ask("start bomb --no-wait")
            scene.until(lambda: int((folder / "pids.current").read_text()) >= 115, "the limit is reached")
            scene.act()
            scene.until(lambda: scene.ask("stop bomb --timeout=20s", 25) is not None, "the bomb is stopped")
            scene.recover()
            scene.stop()
            whole(scene)
        finally:
            if folder:
                remove(folder)


# --- Time -----------------------------------------------------------------------------------------------------------------


@scenario(quick=True)
def the_init_is_stopped():
    """SIGSTOP of PID 1, from outside; meanwhile services die, write and clients ask; then SIGCONT -> all is caught up with, no line
    is lost, clients get their answers"""
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        victims = [pid_of(scene, name) for name in ("bell", "gateway@b")]
        os.kill(scene.init, signal.SIGSTOP)
        scene.until(lambda: status(scene.init)["State"][0] == "T", "it stands still")
        for pid in filter(None, victims):
            os.kill(pid, signal.SIGKILL)
        clients = []
        for _ in range(20):
            client = socket.socket(socket.AF_UNIX)
            client.connect(f"/proc/{scene.init}/root/run/hermes-init/control.sock")
            client.sendall(b"status\n")
            clients.append(client)
        time.sleep(1)
        os.kill(scene.init, signal.SIGCONT)
        for client in clients:
            client.settimeout(30)
            text = b""
            while b'"ok":true' not in text:
                data = client.recv(65536)
                need(data, "a client was not answered")
                text += data
            client.close()
        scene.until_well(60)
        need(all(not alive(pid) for pid in victims if pid), "they were replaced")
        scene.stop()
        whole(scene)


@scenario()
def the_container_is_frozen():
    """The freezer cgroup (docker pause) for a second -> as if nothing had been"""
    root = Path("/sys/fs/cgroup/freezer")
    if not AM_ROOT or not os.access(root / "tasks", os.W_OK):
        raise Skipped("there is no freezer cgroup here that may be written")
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        folder = root / f"hermes-init-faults-{scene.init}"
        try:
            folder.mkdir()
            (folder / "cgroup.procs").write_text(str(scene.init))
            for pid in descendants(scene.init):
                try:
                    (folder / "cgroup.procs").write_text(str(pid))
                except OSError:
                    pass
            (folder / "freezer.state").write_text("FROZEN")
        except OSError as error:
            raise Skipped(f"the freezer cgroup: {error}") from None
        try:
            time.sleep(1)
            (folder / "freezer.state").write_text("THAWED")
            scene.until_well(60)
            scene.stop()
            whole(scene)
        finally:
            (folder / "freezer.state").write_text("THAWED")
            remove(folder)


@scenario()
def another_monotonic_clock():
    """CLOCK_MONOTONIC and CLOCK_BOOTTIME begin a year later (a time namespace, as after a checkpoint was restored) -> nothing: only
    differences count"""
    need_root()
    words = ["unshare", "--time", "--monotonic", "31536000", "--boottime", "31536000", "--fork", "true"]
    if subprocess.run(words, capture_output=True).returncode:
        raise Skipped("there are no time namespaces here")
    with Scene(prefix=words[:-1]) as scene:
        scene.go()
        scene.until_well(60)
        scene.act()
        scene.until_well(60)
        scene.stop()
        whole(scene)


# --- Helpers --------------------------------------------------------------------------------------------------------------


@scenario(quick=True)
def the_log_writer_is_killed():
    """SIGKILL of the process that writes log files, ten times -> it is started again, at most once a second; no line is lost, one may
    be there twice"""
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        for _ in range(10):
            writer = writer_of(scene)
            if writer:
                os.kill(writer, signal.SIGKILL)
            time.sleep(0.1)
        scene.until(lambda: writer_of(scene), "it is there again")
        scene.until(lambda: "is started again" in scene.stderr(), "it says so")
        scene.until_well(60)
        scene.stop()
        whole(scene)


@scenario(quick=True)
def clients_are_killed():
    """Clients that are killed in the middle of an answer, of `logs -f`, of `events` -> their place is free again"""
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        before = scene.quiet_descriptors()
        for text in (b"status\n", b"logs -f ticker\n", b"events\n", b"wait --down ticker\n", b"star", b"metrics\nmetrics\n") * 8:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"/proc/{scene.init}/root/run/hermes-init/control.sock")
                client.sendall(text)
                client.recv(1)
        scene.until(lambda: scene.quiet_descriptors() <= before, lambda: f"{before} descriptors: {scene.descriptors()}", 60)
        scene.until_well()
        scene.stop()
        whole(scene)


# --- Children that mean harm ----------------------------------------------------------------------------------------------


def hostile(text, more=""):
    """A service that is one, beside all the others."""
    return {"enemy": f'script = """{text}"""\n{more}\n[stop]\ntimeout = "1s"\n'}


def survives(scene, seconds=1.5):
    scene.go()
    scene.until_well(60)
    time.sleep(seconds)
    scene.act()
    scene.until_well(60)
    scene.stop()
    whole(scene)


@scenario()
def a_line_without_end():
    """A service writes 200 MB without a line feed -> cut into pieces, in bounded memory; nobody else waits"""
    with Scene(more=hostile("head -c 200000000 /dev/zero; exec sleep 1000", '[log]\nto = "null"')) as scene:
        scene.go()
        scene.until_well(60)
        scene.until(lambda: len([pid for pid in descendants(scene.init) if status(pid).get("Name") == "head"]) == 0, "it is read", 120)
        size = int(status(scene.init)["VmRSS"].split()[0])
        need(size < 8192, f"{size} KiB")
        scene.stop()
        whole(scene)


@scenario(quick=True)
def children_of_all_kinds():
    """Services that close their output, stop themselves (SIGSTOP), ignore SIGTERM, leave grandchildren with the pipe, spin on dying
    children -> none disturbs another; the stop ends within its ceiling"""
    more = {
        "closer": 'script = "exec >&- 2>&-; exec sleep 1000"\n',
        "sleeper": 'script = "kill -STOP $$; exec sleep 1000"\n[stop]\ntimeout = "1s"\n',
        "deaf": 'script = """trap "" TERM; while :; do sleep 0.2; done"""\n[stop]\ntimeout = "1s"\n',
        "parent": 'script = "setsid sleep 1000 & sleep 0.2; exit 1"\n',
        "mother": 'script = "while :; do (true &) ; done"\nnice = 10\n[stop]\ntimeout = "1s"\n',
    }
    with Scene(more=more) as scene:
        survives(scene)


@scenario()
def a_flood_of_notifications():
    """A service floods its notification socket -> bounded work in each turn of the loop; nobody else waits"""
    flood = {"flood": f'command = ["{sys.executable}", "-S", "-E", "-c", \'\'\'\nimport os, socket\n'
                      's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nn = os.environ["NOTIFY_SOCKET"]\n'
                      's.connect(chr(0) + n[1:] if n[0] == "@" else n)\nwhile True: s.send(b"READY=1" + b"x" * 900)\n\'\'\']\n'
                      'nice = 10\n[ready]\nnotify = "systemd"\n[stop]\ntimeout = "1s"\n'}
    with Scene(more=flood) as scene:
        survives(scene)


@scenario()
def the_number_of_a_dead_process_comes_again():
    """The number of a dead service is given to another process at once (ns_last_pid) -> neither is taken for the other"""
    need_root()
    with Scene() as scene:
        scene.go()
        scene.until_well(60)
        path = "/proc/sys/kernel/ns_last_pid"
        try:
            in_scene(scene, f"test -w {path}")
        except Wrong:
            raise Skipped("ns_last_pid cannot be written here") from None
        for _ in range(20):
            number = next(line["pid"] for line in scene.ask("status gateway@b") if "pid" in line)
            victim = pid_of(scene, "gateway@b")
            if number is None or victim is None:
                time.sleep(0.1)
                continue
            os.kill(victim, signal.SIGKILL)
            in_scene(scene, f"echo {number - 1} > {path}")
            time.sleep(0.05)
        scene.until_well(60)
        scene.stop()
        whole(scene)
