"""hermes-init ctl against an init that is made up (fake_init.py): what it asks, what it shows, how it fails; in pipes and on a
terminal. How it gets on with the real one is tested in test_ctl.py."""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import xml.etree.ElementTree

import fake_init
import pytest
from harness import DEADLINE, ORDINARY, AM_ROOT, ROOT, reachable, until
from terminal import Terminal

pytestmark = pytest.mark.plain
send = fake_init.FakeInit.send
NAMES = ["home", "db", "web", "worker", "gateway@writer"]


@pytest.fixture
def fake(boot):
    init = fake_init.FakeInit(boot.folder)
    yield init
    init.close()


@pytest.fixture
def environment(fake):
    return os.environ | {"HERMES_INIT_CONTROL": fake.path, "NO_COLOR": "", "TERM": "xterm"}


@pytest.fixture
def ctl(environment):
    def run(*words, binary=None, **how):
        command = [str(binary or reachable()), "ctl", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE, **how)

    return run


# --- what is shown in a pipe ---------------------------------------------------------------------------------------------


def test_status_is_plain_words_in_a_pipe(ctl, fake):
    result = ctl("status")
    assert result.returncode == 0 and result.stderr == "", result
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "SINCE", "PID", "RESTARTS", "MEMORY", "READY", "LAST", "EXIT"]
    assert lines[3].split() == ["web", "up", "3m", "12s", "7", "2", "11.7", "MiB", "yes", "killed", "by", "SIGKILL"]
    assert "exit 78: configuration" in lines[4]
    assert "5 services, 1 is not well; booted in 1.2 s, up for 3m 15s" in result.stdout
    assert "\x1b" not in result.stdout and fake.asked == [["status"]]


def test_json_is_what_the_init_said(ctl, fake):
    result = ctl("status", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == fake_init.SERVICES + [fake_init.LAST]
    result = ctl("--json", "status", "nope")
    assert result.returncode == 66 and json.loads(result.stdout)["error"] == "unknown-service", result


def test_a_service_in_detail(ctl, fake):
    result = ctl("status", "worker", "db")
    assert result.returncode == 0, result
    for words in ("restarting for 0s", "exited with code 78, starting again in 2.5 s", "exit 78: configuration",
                  "db  keeps the data", "43.5 MiB", "waits for  db (up), worker (wants, restarting)", "listening on :80"):
        assert words in result.stdout, words
    assert fake.asked == [["status", "worker", "db"], ["show", "worker"], ["logs", "-n", "10", "worker"], ["show", "db"],
                          ["logs", "-n", "10", "db"]]


def test_what_one_may_not_see_is_left_out(ctl, fake):
    fake.answers["show"] = fake.answers["logs"] = fake_init.refusal("refused", "you may not")
    result = ctl("status", "web")
    assert result.returncode == 0 and "waits for" not in result.stdout, result
    assert "may be read by root and operators" in result.stdout


def test_names_alone(ctl):
    assert ctl("list", "--names").stdout.split() == NAMES + ["gateway@"]


def test_the_tree(ctl):
    assert ctl("tree").stdout == (
        "web  up\n├─ db  up\n│  └─ home  done\n└─ worker (wants)  exited with code 78, starting again\n"
        "   ├─ home (after)  done\n   └─ db  up  (see above)\n")
    assert ctl("tree", "home").stdout == "home  done\n"
    result = ctl("tree", "wob")
    assert result.returncode == 66 and "did you mean: web" in result.stderr


def test_blame_as_bars_and_as_a_picture(ctl, boot):
    result = ctl("blame")
    assert result.stdout.splitlines()[0] == "the boot took 1.2 s; home, db and web decided that"
    bars = [line for line in result.stdout.splitlines() if "█" in line]
    assert len(bars) == 3 and all(line.startswith("* ") for line in bars)
    picture = boot.folder / "boot.svg"
    assert ctl("blame", "--svg", str(picture)).returncode == 0
    root = xml.etree.ElementTree.parse(picture).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert set(NAMES[:4]) <= {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    result = ctl("blame", "--svg", str(boot.folder / "no" / "boot.svg"))
    assert result.returncode == 74 and "cannot write" in result.stderr and "No such file" in result.stderr


def test_the_plan_with_the_timings_of_the_last_boot(boot, environment):
    boot.services({"web": 'command = ["sleep", "1000"]\n'})
    words = [reachable(), "--plan", "--timings", "--config", str(boot.config)]
    result = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert result.returncode == 0 and "wave 1" in result.stdout and "the boot took 1.2 s" in result.stdout, result


def test_show_is_toml_that_can_be_read(ctl):
    import tomllib

    result = ctl("show", "web")
    assert result.stdout.startswith("# /etc/hermes-init.d/web.toml, /etc/hermes-init.d/web.d/10-port.toml\n")
    assert tomllib.loads(result.stdout)["environment"] == {"API_KEY": "***", "A B": "x\ty"}


def test_logs_of_one_and_of_several(ctl, fake):
    assert ctl("logs", "web").stdout == "listening on :80\nready\n"
    assert ctl("logs", "web", "db", "-n", "5").stdout == "web  | listening on :80\ndb   | ready\n"
    assert ctl("logs", "-t").stdout.splitlines()[0].endswith(" | 2026-03-01T00:00:00.123Z listening on :80")
    fake.answers["logs"] = [fake_init.log("web", "a\x1b[2J\x1b[31mred\tb"), {"dropped": 3}, {"ok": True}]
    # In a pipe a line is what the service wrote.
    assert ctl("logs", "web").stdout.startswith("a\x1b[2J\x1b[31mred\tb\n")
    assert "3 lines lost" in ctl("logs", "web").stdout


def test_metrics_are_as_they_come(ctl, fake):
    assert ctl("metrics").stdout == fake.answers["metrics"][0]["metrics"]


@pytest.mark.parametrize("words, said", [
    (["start", "web"], r"web is up \(pid 7\) after \d+ ms\n"),
    (["start", "--no-wait", "web"], r"web is up \(pid 7\) now\n"),
    (["restart", "web", "db"], r"web is up \(pid 7\) after \d+ ms\ndb is up \(pid 42\) after \d+ ms\n"),
    (["wait", "--up", "home"], r"home is done after \d+ ms\n"),
    (["remove", "gateway@writer"], r"gateway@writer is removed\n"),
    (["reload", "web"], r"web is reloaded\n"),
    (["reload"], r"added      a, b\nrestarted  web\nchanged    db \(without a restart\)\n"),
    (["signal", "SIGHUP", "web", "db"], r"sent SIGHUP to web and db\n"),
    (["shutdown", "3"], r"the container stops\n"),
    (["events"], r"2026-03-01T00:00:00.000Z web: starting → up\n2026-03-01T00:00:00.000Z web: up\n"),
])
def test_what_is_so_now(ctl, words, said):
    result = ctl(*words)
    assert result.returncode == 0 and re.fullmatch(said, result.stdout) and result.stderr == "", result


def test_a_reload_of_what_did_not_change(ctl, fake):
    fake.answers["reload"] = [{"added": [], "removed": [], "restarted": [], "changed": []}, {"ok": True}]
    assert ctl("reload").stdout == "no service has changed\n"


# --- how it fails --------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_shutdown_is_not_lost_to_the_sigterm_of_the_stop(ctl, fake):
    def answer(connection, _):
        peer = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        os.kill(peer, signal.SIGTERM)
        return [{"ok": True}]

    fake.answers["shutdown"] = answer
    result = ctl("shutdown")
    assert (result.returncode, result.stdout, result.stderr) == (0, "the container stops\n", "")
    # Ctrl-C is another matter.
    fake.answers["shutdown"] = lambda connection, _: os.kill(
        struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0], signal.SIGINT)
    assert ctl("shutdown").returncode == -signal.SIGINT


@pytest.mark.parametrize("error, code", [
    ("usage", 64), ("unknown-verb", 64), ("unknown-service", 66), ("refused", 77), ("failed", 1), ("timeout", 75),
    ("busy", 75), ("stopping", 1), ("conflict", 1), ("configuration", 78),
])
def test_an_error_of_the_init(ctl, fake, error, code):
    fake.answers["stop"] = fake_init.refusal(error, "it is so", "do this")
    result = ctl("stop", "web")
    assert result.returncode == code and result.stdout == "", result
    assert result.stderr.startswith("hermes-init: it is so\n  do this\n")


def test_a_start_that_fails_shows_the_last_lines(ctl, fake):
    fake.answers["start"] = fake_init.refusal("failed", "web did not come up: it exited with code 1")
    result = ctl("start", "web")
    assert result.returncode == 1, result
    assert result.stderr == ("hermes-init: web did not come up: it exited with code 1\n"
                             "  the last lines of web:\n    listening on :80\n    ready\n")


def test_a_reload_with_mistakes_shows_the_report(ctl, fake):
    fake.answers["reload"] = fake_init.refusal("configuration", "1 mistake", report="web.toml:1:1: error\x1b[2J\n")
    result = ctl("reload")
    assert result.returncode == 78 and result.stderr == "web.toml:1:1: error\nhermes-init: 1 mistake\n".replace(
        "error", "error\\x1B[2J"), result


def test_no_init_at_all(boot):
    if os.path.exists("/run/hermes-init") or os.path.exists("/dev/shm/hermes-init"):
        pytest.skip("an init runs on this machine")
    result = subprocess.run([reachable(), "ctl", "status"], env={}, capture_output=True, text=True)
    assert result.returncode == 69 and result.stdout == "", result
    assert result.stderr == (
        "hermes-init: no hermes-init runs here: there is no /run/hermes-init/control.sock or "
        "/dev/shm/hermes-init/control.sock\n  inside of a container: docker exec CONTAINER hermes-init ctl …\n")


def test_a_socket_that_nobody_listens_at(ctl, fake):
    fake.close()
    result = ctl("status")
    assert result.returncode == 69 and "is gone" in result.stderr, result


@pytest.mark.skipif(not AM_ROOT, reason="needs another user")
def test_a_socket_that_is_not_for_everybody(ctl, fake):
    os.chmod(fake.path, 0o600)
    result = ctl("status", user=ORDINARY, group=ORDINARY, extra_groups=[])
    assert result.returncode == 77 and "Permission denied" in result.stderr, result


@pytest.mark.parametrize("greeting, code, said", [
    (b"SSH-2.0-OpenSSH\r\n", 69, "is no hermes-init"),
    (b'{"a":1}\n', 69, "is no hermes-init"),
    ({"hermes-init": "9.0", "protocol": 2}, 69, "another protocol"),
    ({"ok": False, "error": "busy", "message": "too many clients"}, 75, "too many clients"),
])
def test_a_greeting_that_is_none(ctl, fake, greeting, code, said):
    fake.greeting = greeting
    result = ctl("status")
    assert result.returncode == code and said in result.stderr, result


@pytest.mark.parametrize("answer", [
    b"\n", b"garbage\n", b'{"name":"web"\n', b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'"' + b"\\ud800" * 1000 + b"\n",
])
def test_garbage_is_an_error_and_nothing_worse(ctl, fake, answer):
    fake.answers["status"] = answer
    result = ctl("status")
    assert result.returncode == 69 and "cannot be read" in result.stderr, result


@pytest.mark.parametrize("answer", [b"", b'{"name":"web","st', b'{"name":"web"}\n'])
def test_an_init_that_hangs_up(ctl, fake, answer):
    def hang_up(connection, _):
        connection.sendall(answer)

    fake.answers["status"] = hang_up
    result = ctl("status")
    assert result.returncode == 69 and "closed the connection" in result.stderr, result


def test_an_answer_byte_by_byte(ctl, fake):
    def slowly(connection, words):
        for line in fake.status(connection, words):
            for byte in json.dumps(line).encode() + b"\n":
                connection.send(bytes([byte]))
        return []

    fake.answers["status"] = slowly
    assert ctl("status").stdout.count("\n") == 9


def test_an_answer_of_many_megabytes(ctl, fake):
    line = "x" * 1000
    fake.answers["logs"] = [fake_init.log("web", line)] * 20_000 + [{"ok": True}]
    assert ctl("logs", "web").stdout == (line + "\n") * 20_000
    fake.answers["metrics"] = [{"metrics": "x" * 5_000_000}, {"ok": True}]
    assert len(ctl("metrics").stdout) == 5_000_000


def test_names_that_could_move_the_cursor(ctl, fake):
    fake.answers["status"] = [fake_init.service("\x1b[2Jweb", "\x1b]0;x\x07", words="\x1b[2J")] + [{"ok": True}]
    fake.answers["start"] = fake_init.refusal("failed", "\x1b[2Jno", "\x1b[2J")
    for words in (["status"], ["status", "web"], ["start", "x"]):
        result = ctl(*words)
        assert "\x1b" not in result.stdout + result.stderr, result


# --- streams -------------------------------------------------------------------------------------------------------------


def stream(environment, *words):
    return subprocess.Popen([reachable(), "ctl", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def endless(connection, _):
    for number in range(10_000_000):
        send(connection, [fake_init.log("web", f"line {number}")])


def test_a_stream_shows_each_line_as_it_comes_and_ends_with_sigint(fake, environment):
    def one(connection, _):
        send(connection, [fake_init.log("web", "first")])
        connection.recv(1)  # until it goes away

    fake.answers["logs"] = one
    process = stream(environment, "logs", "-f", "web")
    assert process.stdout.readline() == b"first\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == -signal.SIGINT and process.stderr.read() == b""
    assert fake.ended.wait(DEADLINE)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_reader_that_goes_away(fake, environment, ignored):
    fake.answers["logs"] = endless
    how = signal.SIG_IGN if ignored else signal.SIG_DFL
    process = subprocess.Popen(
        [reachable(), "ctl", "logs", "-f", "web"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        restore_signals=False, preexec_fn=lambda: signal.signal(signal.SIGPIPE, how))
    assert process.stdout.readline() == b"line 0\n"
    process.stdout.close()
    assert process.wait(DEADLINE) == (74 if ignored else -signal.SIGPIPE) and process.stderr.read() == b""


def test_a_full_disk_is_told_by_the_code(ctl, environment):
    with open("/dev/full", "w") as full:
        result = subprocess.run([reachable(), "ctl", "status"], env=environment, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 74, result


def test_signals_that_interrupt_reading_change_nothing(fake, environment):
    def later(connection, _):
        connection.recv(1)

    fake.answers["events"] = later
    process = stream(environment, "events")
    until(lambda: fake.asked == [["events"]], "the request")
    for _ in range(20):
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGWINCH)
    assert process.poll() is None
    process.terminate()
    assert process.wait(DEADLINE) == -signal.SIGTERM


def test_who_no_longer_waits_is_told_that_it_goes_on(fake, environment):
    def never(connection, _):
        connection.recv(1)

    fake.answers["start"] = never
    process = stream(environment, "start", "web")
    until(lambda: fake.asked == [["start", "web"]], "the request")
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 130
    assert process.stderr.read() == b"hermes-init: no longer waiting; what was asked for goes on\n"


# --- on a terminal -------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(environment):
    made = []

    def make(*words, columns=80, rows=24, **more):
        made.append(Terminal([reachable(), "ctl", *words], rows=rows, columns=columns, env=environment | more))
        return made[-1]

    yield make
    for each in made:
        each.end()


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text.decode())


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_table_fits_the_terminal(terminal, columns):
    shell = terminal("status", columns=columns)
    assert shell.wait() == 0
    lines = plain(shell.text).split("\r\n")
    assert max(len(line) for line in lines) <= columns
    assert any(line.startswith("● web") for line in lines) and b"\x1b[32mup" in shell.text
    assert (columns < 100) or "killed by SIGKILL" in plain(shell.text)


def test_no_color_on_a_terminal(terminal):
    shell = terminal("status", NO_COLOR="1")
    assert shell.wait() == 0 and b"\x1b" not in shell.text
    shell = terminal("status", "--color=never")
    assert shell.wait() == 0 and b"\x1b" not in shell.text


def test_progress_is_shown_where_somebody_looks(terminal):
    shell = terminal("start", "web", "--color=never")
    assert shell.wait() == 0
    assert re.fullmatch(r"  web: starting\r\n  web: up\r\nweb is up \(pid 7\) after \d+ ms\r\n", shell.text.decode())


def test_lines_of_a_service_cannot_act_on_the_terminal(terminal, fake):
    fake.answers["logs"] = [fake_init.log("web", "\x1b[31mred\x1b[2J\x1b]0;title\x07"), {"ok": True}]
    shell = terminal("logs", "web")
    assert shell.wait() == 0
    assert shell.text == b"\x1b[31mred\\x1B[2J\\x1B]0;title\\x07\x1b[0m\r\n"


def modes(shell):
    import termios

    return termios.tcgetattr(shell.descriptor)


@pytest.mark.parametrize("end", ["q", "\x03"])
def test_watch_redraws_in_place_and_gives_the_terminal_back(terminal, fake, end):
    shell = terminal("status", "--watch", rows=10)
    before = modes(shell)
    shell.until("\x1b[?1049h\x1b[?25l")
    frame = plain(shell.until("q ends"))
    assert "● web" in frame and "5 services" in frame
    fake.answers["status"] = [fake_init.service("newcomer", "failed", well=False), {"ok": True}]
    shell.until("newcomer")
    assert modes(shell) != before
    shell.resize(10, 30)
    shell.until("\x1b[H")
    shell.until("q ends")
    shell.send(end)
    shell.until("\x1b[?25h\x1b[?1049l")
    assert shell.wait() == 0


def test_watch_of_an_init_that_goes_away(terminal, fake):
    shell = terminal("status", "--watch")
    shell.until("q ends")

    def gone(connection, words):
        return None

    fake.answers["status"] = gone
    shell.until("\x1b[?25h\x1b[?1049l")
    shell.until("closed the connection")
    assert shell.wait() == 69


def test_watch_of_an_init_that_hangs_can_be_left(terminal, fake):
    shell = terminal("status", "--watch")
    shell.until("q ends")

    asked = threading.Event()

    def hang(connection, _):
        asked.set()
        connection.recv(1)

    fake.answers["status"] = hang
    assert asked.wait(DEADLINE)
    shell.send("\x03")
    shell.until("\x1b[?25h\x1b[?1049l")
    assert shell.wait() == 130 and shell.text.strip() == b"", shell.text


def test_watch_needs_a_terminal(ctl):
    result = ctl("status", "--watch")
    assert result.returncode == 64 and "needs a terminal" in result.stderr


def test_watch_in_a_terminal_of_tmux(environment, boot):
    """What a person sees, kept by a real terminal."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    server = ["tmux", "-f", "/dev/null", "-S", str(boot.folder / "tmux")]
    subprocess.run(server + ["new-session", "-d", "-x", "80", "-y", "12", "sh"], env=environment, check=True)
    try:
        def screen():
            return subprocess.run(server + ["capture-pane", "-p"], capture_output=True, text=True).stdout

        subprocess.run(server + ["send-keys", f"PS1='ready$ '; clear; {reachable()} ctl status --watch", "Enter"])
        until(lambda: "q ends" in screen(), screen)
        lines = screen().splitlines()
        assert lines[0].startswith("NAME") and lines[1].startswith("● home") and "ready$" not in screen()
        subprocess.run(server + ["send-keys", "q"])
        until(lambda: "ready$" in screen() and "NAME" not in screen(), screen)
        subprocess.run(server + ["send-keys", "echo typed", "Enter"])
        until(lambda: "\ntyped" in screen(), screen)
    finally:
        subprocess.run(server + ["kill-server"])


# --- completion ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_path(boot):
    """A folder with nothing but hermes-init in it."""
    folder = boot.folder / "bin"
    folder.mkdir()
    (folder / "hermes-init").symlink_to(reachable())
    return str(folder)


BASH = r"""
eval "$(hermes-init completion bash)"
complete_line() {
    COMP_LINE=$1 COMP_POINT=${#1}
    _hermes_init
    printf '%s\n' "${COMPREPLY[@]}"
}
"""


def bash(environment, on_path, line, setup=""):
    script = BASH + setup + f"\ncomplete_line {line!r}\n"
    result = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True,
                            env=environment | {"PATH": on_path + ":" + os.environ["PATH"]})
    assert result.returncode == 0 and result.stderr == "", result
    return result.stdout.split()


@pytest.mark.parametrize("line, words", [
    ("hermes-init ct", ["ctl"]),
    ("hermes-init ctl st", ["status", "start", "stop"]),
    ("hermes-init ctl start w", ["web", "worker"]),
    ("hermes-init ctl start web ", ["home", "db", "worker", "gateway@writer"]),
    ("hermes-init ctl start gateway@w", ["writer"]),
    ("hermes-init ctl --color=al", ["always"]),
    ("hermes-init completion ", ["bash", "zsh", "fish"]),
    ("hermes-init -- ctl st", []),
])
def test_completion_of_bash(environment, on_path, line, words):
    if "=" in line:
        line = line.replace("=", " ")
    assert bash(environment, on_path, line) == words


def test_completion_of_bash_where_at_divides_no_words(environment, on_path):
    words = bash(environment, on_path, "hermes-init ctl start gateway@w", "COMP_WORDBREAKS=' '")
    assert words == ["gateway@writer"]


def test_completion_of_bash_gives_folders(environment, on_path, boot):
    (boot.folder / "services").mkdir(exist_ok=True)
    assert bash(environment, on_path, f"hermes-init --config {boot.folder}/serv") == [f"{boot.folder}/services"]


def test_completion_is_silent_where_no_init_runs(environment, on_path):
    environment["HERMES_INIT_CONTROL"] = "/nowhere"
    assert bash(environment, on_path, "hermes-init ctl start ") == []


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_completion_of_zsh(environment, on_path):
    """In a terminal, as zsh completes nowhere else."""
    shell = Terminal(["zsh", "-f", "-i"], columns=120, env=environment | {"PATH": on_path + ":" + os.environ["PATH"]})
    try:
        shell.send("PS1='READY> '; autoload -U compinit; compinit -D -u; eval \"$(hermes-init completion zsh)\"; echo set$((1))\n")
        shell.until("set1\r\n")
        shell.send("hermes-init ctl start wo\t")
        shell.until("worker")
        shell.send("\x15hermes-init ctl st\t\t")
        shell.until("starts services and waits")
    finally:
        shell.end()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_completion_of_fish(environment, on_path, boot):
    script = "hermes-init completion fish | source; complete -C 'hermes-init ctl start w'; complete -C 'hermes-init ctl sta'"
    result = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=DEADLINE,
                            env=environment | {"PATH": on_path + ":" + os.environ["PATH"], "HOME": str(boot.folder)})
    assert result.returncode == 0, result
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["web", "worker", "start", "status"], result


def test_the_scripts_are_right_for_shellcheck(boot):
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    script = subprocess.run([reachable(), "completion", "bash"], capture_output=True, check=True).stdout
    result = subprocess.run(["shellcheck", "--shell=bash", "-"], input=script, capture_output=True)
    assert result.returncode == 0, result.stdout.decode()


# --- docs/control.md -----------------------------------------------------------------------------------------------------


def examples():
    text = (ROOT / "docs" / "control.md").read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", text.split("\n## Protocol")[0], re.MULTILINE | re.DOTALL)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("hermes-init ctl "):
                found.append((command, output))
    return found


def test_there_are_examples():
    assert len(examples()) >= 9


@pytest.mark.parametrize("command, output", examples(), ids=[command for command, _ in examples()])
def test_an_example_of_the_page(ctl, command, output):
    def shape(text):
        return re.sub(r"after \d+ ms", "after N ms", text)

    assert shape(ctl(*command.split()[2:]).stdout) == shape(output)


def test_every_verb_and_option_is_in_the_page():
    page = (ROOT / "docs" / "control.md").read_text()
    result = subprocess.run([reachable(), "completion", "words", "ctl", ""], capture_output=True, text=True)
    for line in result.stdout.splitlines():
        verb = line.split("\t")[0]
        row = next(row for row in page.splitlines() if row.startswith(f"| `{verb}"))
        options = subprocess.run([reachable(), "completion", "words", "ctl", verb, "-"], capture_output=True, text=True)
        for option in options.stdout.splitlines():
            option = option.split("\t")[0]
            assert option in row or option in ("--json", "--color", "--help"), (verb, option)
