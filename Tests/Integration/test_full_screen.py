"""Full-screen programs under the stage tui-detect in a real terminal (tmux): less, vim, nano and one with curses, beside a service
that prints without end. What is on the screen is compared with the same program in a terminal of its own."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from harness import namespace, reachable, until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

NOISY = "while :; do echo NOISE on stdout; echo NOISE on stderr >&2; sleep 0.005; done"
CURSES = """
import curses
def draw(screen):
    curses.curs_set(0)
    while True:
        rows, columns = screen.getmaxyx()
        screen.erase()
        screen.addstr(0, 0, f"TOP {columns}x{rows}")
        screen.addstr(rows - 2, 0, "BOTTOM " + "=" * (columns - 8))
        screen.refresh()
        if screen.getch() == ord("q"):
            return
curses.wrapper(draw)
print("left the screen")
"""
# The program, what shows that it has drawn, and the keys that end it.
PROGRAMS = {
    "less": (["less", "-S", "@/text"], "@/text", ["q"]),
    "vim": (["vim", "-u", "NONE", "-n", "-N", "@/text"], "line 20", [":q!", "Enter"]),
    "nano": (["nano", "-I", "@/text"], "GNU nano", ["C-x"]),
    "curses": ([sys.executable, "@/draw.py"], "BOTTOM", ["q"]),
}


class Screen:
    """A terminal of tmux, in a server of its own."""

    def __init__(self, socket, command, columns=80, rows=24):
        self.socket = str(socket)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "one", "-x", str(columns), "-y", str(rows), command)

    def tmux(self, *words):
        # Python's readline sets LINES and COLUMNS, which curses would believe before the terminal.
        env = {name: value for name, value in os.environ.items() if name not in ("LINES", "COLUMNS")}
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, env=dict(env, LC_ALL="C.UTF-8"))
        assert done.returncode == 0, done
        return done.stdout

    def text(self):
        return self.tmux("capture-pane", "-p", "-t", "one")

    def is_alternate(self):
        return self.tmux("display-message", "-p", "-t", "one", "#{alternate_on}").strip() == "1"

    def until(self, text):
        until(lambda: text in self.text(), lambda: f"{text!r} on the screen:\n{self.text()}")

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "one", *keys)

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


@pytest.fixture
def screens(boot):
    made = []

    def screen(command, **size):
        """Runs words between two lines of a shell, which stays until the test ends."""
        shown = f"clear; echo BEFORE; {shlex.join(map(str, command))}; echo AFTER $?; exec sleep 1000"
        made.append(Screen(boot.folder / f"tmux{len(made)}", shlex.join(["sh", "-c", shown]), **size))
        return made[-1]

    yield screen
    for one in made:
        one.end()


@pytest.fixture
def container(boot, screens):
    """A boot with a service that prints and a program that fills the screen: the screen, and the log of the service."""

    def start(program, *, asked=True, how=namespace(), more="", **size):
        (boot.folder / "text").write_text("".join(f"line {number} of the text\n" for number in range(1, 200)))
        (boot.folder / "draw.py").write_text(CURSES)
        words = [word.replace("@", str(boot.folder)) for word in program]
        boot.services({
            "tui": 'plugin = "tui-detect"\n', "noisy": f'requires = ["tui"]\nscript = "{NOISY}"\n[log]\nfile = "@/noisy.log"\n' + more,
            "main": f'type = "main"\nrequires = ["noisy"]\ncommand = {words}\n'.replace("'", '"')})
        tui = {"HERMES_TUI": "1"} if asked else {}
        command = ["env", *[f"{key}={value}" for key, value in tui.items()], *how, reachable(), "--config", boot.config]
        return screens(command, **size), words

    return start


def lines_of(log):
    return log.read_bytes().count(b"\n") if log.exists() else 0


def until_it_printed(log):
    """A hundred lines from now on: long enough for one to have come to the screen."""
    before = lines_of(log)
    until(lambda: lines_of(log) >= before + 100, "the service prints into its log")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_screen_is_the_programs_alone_and_comes_back(boot, container, screens, name):
    if shutil.which(PROGRAMS[name][0][0]) is None:
        pytest.skip(f"{name} is not installed")
    program, sign, keys = PROGRAMS[name]
    log = boot.folder / "noisy.log"
    screen, words = container(program)
    alone = screens(words)
    for one in (screen, alone):
        one.until(sign.replace("@", str(boot.folder)))
    assert screen.is_alternate()
    until_it_printed(log)
    # A program may still be drawing when its sign shows.
    until(lambda: screen.text() == alone.text(), lambda: f"both screens are the same:\n{screen.text()}\n---\n{alone.text()}")
    until_it_printed(log)
    assert screen.text() == alone.text() and screen.is_alternate()
    for one in (screen, alone):
        one.keys(*keys)
        one.until("AFTER 0")
    assert not screen.is_alternate()
    # What was there before is there again, and not a word more.
    assert screen.text() == alone.text() and screen.text().startswith("BEFORE\n"), screen.text()
    assert b"NOISE on stdout" in log.read_bytes() and b"NOISE on stderr" in log.read_bytes()


@pytest.mark.parametrize("how", [namespace(), []], ids=["pid1", "plain"])
def test_another_size_of_the_window_is_drawn_anew(boot, container, how):
    screen, _ = container(PROGRAMS["curses"][0], how=how)
    screen.until("TOP 80x24")
    screen.tmux("resize-window", "-t", "one", "-x", "100", "-y", "30")
    screen.until("TOP 100x30")
    until_it_printed(boot.folder / "noisy.log")
    lines = screen.text().split("\n")
    assert lines[0] == "TOP 100x30" and lines[28] == "BOTTOM " + "=" * 92 and not any(lines[1:28]), screen.text()
    screen.keys("q")
    screen.until("AFTER 0")
    assert "left the screen" in screen.text() and "NOISE" not in screen.text()


def test_a_service_that_crashes_again_and_again_does_not_disturb_it(boot, container):
    crash = '[restart]\ndelay = "10ms"\nmax-delay = "10ms"\n'
    boot.services({"crash": 'requires = ["tui"]\nscript = "echo NOISE; echo >>@/crashes; exit 3"\n' + crash})
    screen, _ = container(PROGRAMS["curses"][0])
    screen.until("BOTTOM")
    crashes = boot.folder / "crashes"
    before = lines_of(crashes)
    until(lambda: lines_of(crashes) > before + 5, "it crashes again and again")
    lines = screen.text().split("\n")
    assert lines[0] == "TOP 80x24" and not any(lines[1:22]), screen.text()
    screen.keys("q")
    screen.until("AFTER 0")
    assert "NOISE" not in screen.text() and "crash" not in screen.text(), screen.text()


def test_ctrl_z_and_ctrl_c_are_the_programs(boot, container):
    """Under a shell that is the main program: the full-screen program is a job of its own."""
    screen, _ = container(["bash", "--norc", "-i"])
    screen.keys(f"{sys.executable} {boot.folder}/draw.py", "Enter")
    screen.until("BOTTOM")
    until_it_printed(boot.folder / "noisy.log")
    screen.keys("C-z")
    screen.until("Stopped")
    assert "NOISE" not in screen.text() and not screen.is_alternate()
    screen.keys("fg", "Enter")
    screen.until("BOTTOM")
    screen.keys("q")
    screen.until("left the screen")
    # Its own word, once it has the terminal: what was typed is on the screen before.
    screen.keys("sh -c \"echo IT RU''NS; exec sleep 1000\"", "Enter")
    screen.until("IT RUNS")
    screen.keys("C-c")
    screen.until("^C")
    screen.keys("exit 6", "Enter")
    screen.until("AFTER 6")
    assert "NOISE" not in screen.text(), screen.text()


def test_where_it_was_not_asked_for_services_print(boot, container):
    screen, _ = container(["sh", "-c", "sleep 1000"], asked=False, more='to = "prefix"\n')
    screen.until("[noisy] NOISE on stdout")
    screen.keys("C-c")
    screen.until("AFTER 130")
