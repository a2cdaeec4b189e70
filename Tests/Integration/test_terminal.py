"""On a terminal: the main program is the foreground group and has the screen, the keyboard and the signals of its keys."""

import os
import signal
import sys

import pytest
from harness import namespace, reachable
from terminal import Terminal


@pytest.fixture(params=["pid1", "plain"])
def screen(request, boot):
    """Runs the init on a terminal of its own: screen(command, services)."""
    terminals = []

    def screen(command, services=None, **size):
        boot.services(services or {})
        words = [str(reachable()), "--config", str(boot.config), "--", *command]
        terminals.append(Terminal((namespace() if request.param == "pid1" else []) + words, **size))
        return terminals[-1]

    yield screen
    for one in terminals:
        one.end()


def test_the_program_has_the_terminal(screen):
    terminal = screen(["sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size && exit 5"], rows=40, columns=101)
    assert terminal.wait() == 5
    assert b"40 101" in terminal.text


def test_the_program_is_the_foreground_group(screen):
    program = "import os; print('fg', os.tcgetpgrp(0) == os.getpgrp() == os.getpid())"
    terminal = screen([sys.executable, "-c", program])
    assert terminal.wait() == 0
    assert b"fg True" in terminal.text, terminal.text


def test_ctrl_c_reaches_the_program_only(screen, boot):
    services = {"web": "script = '''trap 'touch @/web-told; exit' INT; touch @/up; while :; do sleep 0.02; done'''\n"}
    terminal = screen(["sh", "-c", "trap 'echo got-int; sleep 0.3; ls @; exit 5' INT; until [ -e @/up ]; do sleep 0.02; done; "
                       "echo ready; while :; do sleep 0.02; done".replace("@", str(boot.folder))], services)
    terminal.until("ready")
    terminal.send("\x03")
    terminal.until("got-int")
    assert terminal.wait() == 5
    assert b"web-told" not in terminal.text


def test_ctrl_c_ends_a_program_that_does_not_mind_it(screen):
    terminal = screen(["sh", "-c", "echo ready; exec sleep 1000"])
    terminal.until("ready")
    terminal.send("\x03")
    assert terminal.wait() == 130


def test_a_shell_has_job_control(screen):
    terminal = screen(["bash", "--norc"])
    terminal.send("echo is-$((40+2))\n")
    terminal.until("is-42")
    # A key that comes before the line was read takes the line away: wait until the job says that it runs.
    terminal.send("sh -c 'echo runs-$((1+1)); exec sleep 1000'\n")
    terminal.until("runs-2")
    terminal.press("\x1a", "Stopped")
    terminal.send("jobs; bg; kill %1; wait; echo done-$((1+1))\n")
    terminal.until("done-2")
    terminal.send("exit 7\n")
    assert terminal.wait() == 7
    assert b"no job control" not in terminal.text


def test_changes_of_the_windows_size_arrive(screen):
    terminal = screen(["bash", "-c", "trap 'echo size-$(stty size | tr \" \" x)' WINCH; echo ready; while :; do sleep 0.02; done"])
    terminal.until("ready")
    terminal.resize(33, 77)
    terminal.until("size-33x77")


def test_a_program_that_is_stopped_and_continued_from_outside_goes_on(screen):
    terminal = screen(["sh", "-c", "echo ready; kill -STOP $$; echo went-on; exit 4"])
    terminal.until("ready")
    # Nobody above it may take that stop for an end.
    from harness import descendants, status, until

    def all_stopped():
        return [pid for pid in [terminal.pid, *descendants(terminal.pid)] if status(pid).get("State", "")[:1] == "T"]

    stopped = until(all_stopped, "it is stopped")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    assert terminal.wait() == 4


def test_services_output_reaches_the_terminal_behind_its_name(screen, boot):
    services = {"web": "type = \"oneshot\"\nscript = 'echo hello; test -t 0 && echo has-terminal || echo has-none'\n"}
    terminal = screen(["true"], services)
    assert terminal.wait() == 0
    assert b"[web] hello" in terminal.text and b"[web] has-none" in terminal.text


def test_a_hangup_of_the_terminal_ends_it(screen, boot):
    terminal = screen(["sh", "-c", f"trap 'touch {boot.folder}/hup; exit' HUP; echo ready; while :; do sleep 0.02; done"])
    terminal.until("ready")
    os.close(terminal.descriptor)
    terminal.descriptor = os.open("/dev/null", os.O_RDONLY)
    from harness import until
    until((boot.folder / "hup").exists, "the program was told of the hangup")
