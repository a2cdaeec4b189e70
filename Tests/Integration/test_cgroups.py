"""A cgroup for each service, and what daemons do without one. The init runs in a group of its own with a cgroup namespace, as a
container engine would have it, where this machine's cgroup v2 tree can be written."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from cgroups import MOUNT, TREE, Container
from harness import alive, descendants, status


@pytest.fixture
def container(boot):
    numbers = time.monotonic_ns()
    try:
        made = Container(numbers)
    except (OSError, TypeError, StopIteration) as error:
        pytest.skip(f"no cgroup v2 tree that can be written: {error}")
    yield made
    boot.end()
    made.remove()


# A program that puts itself in the background, in a session of its own.
DAEMON = "script = '''\nsetsid sh -c 'echo $$ > @/daemon.new; mv @/daemon.new @/daemon; exec sleep 1000' &\n" \
         "while [ ! -e @/daemon ]; do sleep 0.01; done\n"
ONCE = '[restart]\npolicy = "never"\n'


def inside(life, text):
    """The host's number of a process of the container; the daemon may have been killed since."""
    for pid in descendants(life.pid):
        if status(pid).get("NSpid", "").split()[-1:] == [text.strip()]:
            return pid
    return None


def test_each_service_has_a_group_and_main_none(boot, container):
    stays = 'command = ["sleep", "1000"]\n'
    life = boot(["sleep", "1001"], {"web": stays, "worker": stays}, preexec=container.enter, before=MOUNT)
    life.until(lambda: container.processes("web.service") and container.processes("worker.service"), "both have entered")
    assert [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in container.processes("web.service")] == [b"sleep\x001000\x00"]
    assert life.pid in [int(word) for word in (container.folder / "cgroup.procs").read_text().split()]
    assert life.stop().code == 143


def test_what_a_service_leaves_behind_is_killed_at_its_end(boot, container):
    text = DAEMON + "exec sleep 1000'''\n"
    main = "trap 'while kill -0 $(cat @/daemon) 2>/dev/null; do sleep 0.01; done; exit 5' TERM; sleep 1000 & wait"
    life = boot([], {"web": text, "main": f'type = "main"\nrequires = ["web"]\nscript = """{main}"""\n'},
                preexec=container.enter, before=MOUNT)
    life.until((boot.folder / "daemon").exists, "it has daemonised")
    daemon = life.inside(int((boot.folder / "daemon").read_text()))
    assert daemon in container.processes("web.service")
    web = next(pid for pid in container.processes("web.service") if b"1000" in Path(f"/proc/{pid}/cmdline").read_bytes()
               and pid != daemon)
    os.kill(web, signal.SIGKILL)
    # The next one starts only when nothing is left of the last: a daemon with the same name would be found alive.
    life.until(lambda: not alive(daemon), "what it left is killed with it")


def test_a_program_that_daemonises_is_named_and_killed(boot, container):
    life = boot(["sleep", "1001"], {"web": DAEMON + "exit 0'''\n[restart]\ndelay = \"100s\"\n"}, preexec=container.enter, before=MOUNT)
    life.until_err("behind, which is not supervised")
    daemon = (boot.folder / "daemon").read_text().strip()
    assert f"web: its process ended and left process {daemon} (" in life.stderr(), life.said()
    assert "what it left is killed" in life.stderr() and "MAINPID" in life.stderr(), life.said()
    life.until(lambda: inside(life, daemon) is None, "the daemon is killed")
    assert "web: exited with code 0" in life.stderr()
    life.stop()


def test_a_command_of_stop_outlives_the_process_that_it_stops(boot, container):
    ends = "kill -KILL $MAINPID; while kill -0 $MAINPID 2>/dev/null; do sleep 0.01; done; sleep 0.1; echo all > @/done"
    text = f'command = ["sleep", "1000"]\n[stop]\ncommand = ["sh", "-c", "{ends}"]\n'
    life = boot(["sleep", "1001"], {"web": text}, preexec=container.enter, before=MOUNT)
    life.until(lambda: container.processes("web.service"), "it runs")
    life.stop()
    assert (boot.folder / "done").read_text() == "all\n", life.said()


def test_resources_are_refused_by_name_and_the_rest_runs(boot, container):
    if "memory" in (container.folder / "cgroup.controllers").read_text().split():
        pytest.skip("this machine has the memory controller in its cgroup v2 tree")
    services = {
        "small": 'optional = true\ncommand = ["sleep", "1000"]\n[resources]\nmemory-max = "64M"\n',
        "web": 'command = ["sleep", "1000"]\n',
    }
    life = boot(["sleep", "1001"], services, preexec=container.enter, before=MOUNT)
    life.until(lambda: container.processes("web.service"), "web runs")
    life.until_err("small: failed: cannot set memory-max ([resources]): the controller memory is not in")
    assert "docker run --memory" in life.stderr(), life.said()
    assert life.stop().code == 143


@pytest.fixture
def limited(boot, container):
    """Boots with controllers that the kernel has in its cgroup v2 tree; skips where it has not."""

    def run(needed, services):
        there = (container.folder / "cgroup.controllers").read_text().split()
        if not set(needed) <= set(there):
            pytest.skip(f"this machine's cgroup v2 tree has only these controllers: {' '.join(there)}")
        # The parent of the namespace's PID 1 is no part of a real container's group.
        alone = f"{MOUNT}\nwhile grep -qx 0 {TREE}/cgroup.procs; do sleep 0.01; done"
        life = boot(["sleep", "1001"], services, preexec=container.enter, before=alone)
        (container.folder.parent / "cgroup.procs").write_text(str(life.process.pid))
        return life

    return run


def test_resources_are_the_files_of_the_group(limited, container):
    stays = 'command = ["sleep", "1000"]\n'
    limits = '[resources]\nmemory-max = "64M"\nmemory-high = "48M"\ncpu-max = 0.5\ncpu-weight = 50\npids-max = 20\n'
    life = limited(["memory", "cpu", "pids"], {"small": stays + limits, "web": stays})
    life.until(lambda: container.processes("small.service") and container.processes("web.service"), "both have entered")
    group = container.folder / "hermes-init" / "small.service"
    got = {name: (group / name).read_text().strip() for name in ("memory.max", "memory.high", "cpu.max", "cpu.weight", "pids.max")}
    assert got == {"memory.max": str(64 << 20), "memory.high": str(48 << 20), "cpu.max": "50000 100000", "cpu.weight": "50",
                   "pids.max": "20"}
    assert life.pid in container.processes("init")
    assert life.stop().code == 143


def test_a_kill_for_want_of_memory_is_named(limited):
    eats = "x = []\nwhile True: x.append(bytes(1 << 20))"
    text = f'command = ["{sys.executable}", "-c", """{eats}"""]\n[resources]\nmemory-max = "32M"\n'
    life = limited(["memory"], {"small": text})
    life.until_err("small: was killed by the kernel: out of memory (memory-max 32 MiB)")
    life.until_err("small: was ended by SIGKILL")
    life.stop()


def test_resources_are_refused_where_no_cgroup_can_be_written(boot):
    small = 'optional = true\ntype = "oneshot"\ncommand = ["true"]\n[resources]\npids-max = 10\n'
    result = boot(["true"], {"small": small}, how="user").wait()
    assert result.code == 0 and "small: failed: cannot set pids-max ([resources]): " in result.err, result


def test_a_daemon_without_a_group_is_known_by_its_environment(boot):
    # The machine's own root group is nobody's: no group is made in it, and a session of its own escapes the kill.
    life = boot(["sleep", "1001"], {"web": DAEMON + "exit 0'''\n" + ONCE}, how="pid1")
    life.until_err("behind, which is not supervised")
    daemon = (boot.folder / "daemon").read_text().strip()
    assert f"left process {daemon} (" in life.stderr() and "goes on until the container stops" in life.stderr(), life.said()
    assert inside(life, daemon) is not None
    life.stop()


def test_what_stays_in_the_group_of_a_daemonising_program_is_killed(boot):
    text = "script = 'sleep 1000 & exit 0'\n"
    life = boot(["sleep", "1001"], {"web": text + "[restart]\ndelay = \"100s\"\n"})
    life.until_err("behind, which is not supervised")
    assert "left process" in life.stderr() and "what it left is killed" in life.stderr(), life.said()
    life.until(lambda: len(descendants(life.pid)) == 1, "it is killed")
    life.stop()


def test_a_service_that_was_told_to_end_is_not_said_to_have_put_itself_in_the_background(boot):
    text = "script = 'trap \"exit 0\" TERM; sleep 1000 & wait'\n[ready]\npath = \"/nonexistent\"\ntimeout = \"300ms\"\n"
    life = boot(["sleep", "1001"], {"web": text})
    life.until_err("stopped, because it was not ready")
    assert "behind, which is not supervised" not in life.stderr(), life.said()
    life.stop()


def test_it_is_said_once_for_a_service_and_not_of_those_that_leave_nothing(boot):
    services = {
        "web": "script = 'sleep 1000 & echo began; exit 0'\n[restart]\ndelay = \"10ms\"\njitter = 0\nfactor = 1\n",
        "quick": "type = \"oneshot\"\nscript = 'exit 0'\n",
    }
    life = boot(["sleep", "1001"], services)
    life.until_out("[web] began", 3)
    assert life.stderr().count("not supervised") == 1, life.said()
    assert "quick: its process" not in life.stderr()
    life.stop()
