"""An exec that hangs, as on a file system that does not answer: it hangs alone. Of a oneshot nobody tells the init that its
program runs; it finds out."""

import ctypes
import os
import shutil
import signal

import pytest
from harness import AM_ROOT, reachable, status

pytestmark = pytest.mark.skipif(not AM_ROOT, reason="only root can hold the exec of others (fanotify)")

FAN_CLASS_CONTENT, FAN_CLOEXEC, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD = 4, 1, 1, 0x40000, -100


class Gate:
    """A program whose exec waits until the gate is opened (fanotify(7))."""

    def __init__(self, path):
        shutil.copy(shutil.which("sleep"), path)
        libc = ctypes.CDLL(None, use_errno=True)
        self.watch = libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, os.O_RDONLY)
        marked = self.watch >= 0 and libc.fanotify_mark(
            self.watch, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_EXEC_PERM), AT_FDCWD, os.fsencode(path)) == 0
        if not marked:
            reason = os.strerror(ctypes.get_errno())
            self.open()
            pytest.skip(f"this machine holds no exec (fanotify): {reason}")

    def open(self):
        if self.watch >= 0:
            os.close(self.watch)
        self.watch = -1


@pytest.fixture
def gate(boot):
    made = Gate(boot.folder / "program")
    yield made
    made.open()


def state(life, service):
    """What `ctl status` says of a service."""
    result = life.enter([str(reachable()), "ctl", "status", service])
    assert result.code == 0, f"{result}{life.said()}"
    return result.out


ONESHOT = 'type = "oneshot"\ncommand = ["@/program", "1000"]\n'
WEB = 'command = ["sleep", "1000"]\n'


def test_others_go_on_and_it_is_seen_that_it_runs_at_last(boot, gate):
    life = boot(services={"slow": ONESHOT, "next": 'after = ["slow"]\n' + WEB, "web": WEB})
    life.until_err("web: up")
    assert "starting" in state(life, "slow")
    gate.open()
    life.until(lambda: "starting" not in state(life, "slow"), "it is known to run")
    assert "next: up" not in life.stderr()
    process = next(each for each in os.listdir("/proc") if each.isdigit() and program(each) == f"{boot.folder}/program")
    os.kill(int(process), signal.SIGKILL)
    result = life.wait()
    assert "slow: failed: was ended by SIGKILL" in result.err and result.code == 137, result


def program(process):
    try:
        return os.readlink(f"/proc/{process}/exe")
    except OSError:
        return ""


def test_the_status_file_learns_of_it_although_nobody_tells(boot, gate):
    life = boot(services={"slow": 'optional = true\n' + ONESHOT, "web": WEB})

    def line():
        file = life.enter(["cat", "/run/hermes-init/status"]).out
        return next((each for each in file.splitlines() if "slow" in each), "")

    life.until(lambda: "starting" in line(), "the status file has it")
    gate.open()
    life.until(lambda: "not ready yet" in line(), "the status file has that it runs")
    life.stop()


def test_its_patience_ends_all_the_same(boot, gate):
    result = boot(["true"], {"slow": 'start-timeout = "300ms"\n' + ONESHOT}).wait()
    assert "slow: not up after " in result.err and "all that its start may take" in result.err, result
    assert result.code != 0


def test_it_can_be_stopped(boot, gate):
    life = boot(services={"slow": 'optional = true\n' + ONESHOT, "web": WEB})
    life.until_err("web: up")
    assert status(life.pid)["State"].startswith("S")
    assert "starting" in state(life, "slow")
    assert "stopped" in life.enter([str(reachable()), "ctl", "stop", "slow"]).out + state(life, "slow")
    life.stop()
