"""The name `dumb-init`: what dumb-init documents of itself holds for hermes-init under that name. HERMES_INIT_COMPAT=peer
runs the same tests against the machine's own dumb-init."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import DEADLINE, Life, alive, status, until
from terminal import Terminal

pytestmark = pytest.mark.plain
SIGNALS = str(Path(__file__).with_name("signals.py"))
SUSPENDING = [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU]
FORWARDED = sorted(set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *SUSPENDING})


def run(words, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(words, capture_output=True, timeout=DEADLINE, text=True, **options)


@pytest.fixture(params=["session", "single-child"])
def mode(request):
    """The words that ask for each of the two modes."""
    return [] if request.param == "session" else ["-c"]


@pytest.fixture
def start(dumb_init, tmp_path):
    lives = []

    def start(*words, **how):
        folder = tmp_path / str(len(lives))
        folder.mkdir()
        lives.append(Life(folder, words, how=how.pop("how", "plain"), binary=dumb_init, **how))
        return lives[-1]

    yield start
    for life in lives:
        life.end()


def signals_program(start, *options, **how):
    life = start(*options, sys.executable, SIGNALS, **how)
    life.until_out("ready")
    life.program = int(life.stdout().split()[1])
    return life


def received(life):
    return [int(word) for word in life.stdout().split()[2:]]


def expect(life, numbers):
    life.until(lambda: received(life) == [int(n) for n in numbers], f"the program got {numbers}")


def state(pid):
    return status(pid).get("State", "X")[0]


def test_every_exit_code_comes_back(dumb_init, mode):
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: run([dumb_init, *mode, "sh", "-c", f"exit {n}"]).returncode, range(256)))
    assert codes == list(range(256))


@pytest.mark.parametrize("number", [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31,
    *(pytest.param(number, marks=pytest.mark.native("qemu-user gives real-time signals other numbers")) for number in (34, 64)),
])
def test_a_signal_that_ends_the_program_is_128_and_its_number(dumb_init, mode, number):
    program = f"import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " \
              f"{number} == 9 or signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})"
    assert run([dumb_init, *mode, sys.executable, "-c", program]).returncode == 128 + number


@pytest.mark.native("qemu-user takes SIGILL and its like itself, and the init never sees them")
def test_signals_are_forwarded(start, mode):
    life = signals_program(start, *mode)
    expected = []
    for number in FORWARDED:
        life.signal(number)
        expected.append(number)
        expect(life, expected)


def test_in_session_mode_the_program_leads_a_session(start):
    result = start("sh", "-c", "ps -o pid=,pgid=,sid= -p $$").wait()
    assert len(set(result.out.split())) == 1, result


@pytest.mark.parametrize("how", ["-c", "--single-child", "variable"])
def test_in_single_child_mode_it_does_not(start, how):
    env = dict(os.environ, DUMB_INIT_SETSID="0") if how == "variable" else None
    words = [how] if how.startswith("-") else []
    result = start(*words, "sh", "-c", "ps -o pid=,sid= -p $$", env=env).wait()
    assert len(set(result.out.split())) == 2, result


GROUP = "sleep 1000 & echo $! > {0}/child; sleep 1000 & echo $! > {0}/other; wait"


def group_life(start, tmp_path, *options):
    life = start(*options, "sh", "-c", GROUP.format(tmp_path))
    files = [tmp_path / "child", tmp_path / "other"]
    life.until(lambda: all(f.exists() and f.read_text().strip() for f in files), "the children are up")
    return life, [int(f.read_text()) for f in files]


def test_in_session_mode_the_whole_group_is_signalled(start, tmp_path):
    life, pids = group_life(start, tmp_path)
    life.signal(signal.SIGTERM)
    assert life.wait().code == 143
    until(lambda: not any(alive(pid) for pid in pids), "the children are gone")


def test_in_single_child_mode_only_the_program_is_signalled(start, tmp_path):
    life, pids = group_life(start, tmp_path, "-c")
    life.signal(signal.SIGTERM)
    assert life.wait().code == 143
    assert all(alive(pid) for pid in pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_in_session_mode_what_is_left_gets_sigterm_at_the_end(start, tmp_path):
    script = f"sh -c \"trap 'echo told > {tmp_path}/told; exit' TERM; echo > {tmp_path}/up; while :; do sleep 0.02; done\" & " \
             f"while ! [ -e {tmp_path}/up ]; do sleep 0.02; done; exit 9"
    assert start("sh", "-c", script).wait().code == 9
    until((tmp_path / "told").exists, "what was left was told")


@pytest.mark.parametrize("rules, sent, got", [
    ([], [15, 3, 18, 2], [15, 3, 18, 2]),
    (["15:2"], [15, 3, 18, 2], [2, 3, 18, 2]),
    (["15:2", "2:15", "3:3"], [15, 3, 18, 2], [2, 3, 18, 15]),
    (["1:31", "31:1"], [1, 31], [31, 1]),
    (["15:3", "2:0", "28:0"], [15, 2, 28, 1], [3, 1]),
])
def test_signals_are_rewritten(start, mode, rules, sent, got):
    words = [word for rule in rules for word in ("-r", rule)]
    life = signals_program(start, *mode, *words)
    for count, number in enumerate(sent, 1):
        life.signal(number)
        arrived = [n for n in got][:len([s for s in sent[:count] if f"{s}:0" not in rules])]
        expect(life, arrived)
    expect(life, got)


def test_rewriting_has_long_forms(start):
    life = signals_program(start, "--rewrite", "15:1", "--rewrite=2:3")
    life.signal(15)
    expect(life, [1])
    life.signal(2)
    expect(life, [1, 3])


@pytest.mark.parametrize("words", [
    ["-r"], ["-r", ""], ["-r", "word"], ["-r", "word:word"], ["-r", "15"], ["-r", "15::12"], ["-r", "15:word"],
    ["-r", "15:12", "-r"], ["-r", "15:12", "-r", "0"], ["-r", "15:12", "-r", "1:32"], ["-r", "0:1"], ["-r", "32:1"],
])
def test_a_wrong_rewriting_is_wrong_usage(dumb_init, words):
    result = run([dumb_init, *words, "echo", "hi"])
    assert result.returncode == 1 and result.stdout == "", result
    assert "-r option takes <signum>:<signum>" in result.stderr and "between 1 and 31" in result.stderr, result


def test_in_session_mode_a_terminal_stop_suspends_both(start):
    life = signals_program(start)
    for count, number in enumerate(SUSPENDING, 1):
        life.signal(number)
        life.until(lambda: state(life.pid) == "T" and state(life.program) == "T", f"both are stopped by {number}")
        life.signal(signal.SIGCONT)
        life.until(lambda: state(life.pid) in "SR" and state(life.program) in "SR", "both go on")
        # A stop takes away a SIGCONT that was not yet seen.
        expect(life, [18] * count)


def test_in_single_child_mode_it_is_forwarded_and_the_init_suspends(start):
    life = signals_program(start, "-c")
    expected = []
    for number in SUSPENDING:
        life.signal(number)
        expected.append(number)
        expect(life, expected)
        life.until(lambda: state(life.pid) == "T", f"it suspends itself at {number}")
        assert state(life.program) in "SR"
        life.signal(signal.SIGCONT)
        expected.append(18)
        expect(life, expected)


def test_a_rewritten_terminal_stop_still_suspends_the_init(start):
    life = signals_program(start, "-r", "21:15", "-r", "22:2", "-r", "20:1")
    expected = []
    for number, other in ((21, 15), (22, 2), (20, 1)):
        life.signal(number)
        expected.append(other)
        expect(life, expected)
        life.until(lambda: state(life.pid) == "T", "it suspends itself")
        life.signal(signal.SIGCONT)
        expected.append(18)
        expect(life, expected)


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_is_on_stderr(dumb_init, flag):
    result = run([dumb_init, flag])
    assert result.returncode == 0 and re.fullmatch(r"dumb-init v\d+\.\d+\.\d+.*\n", result.stderr), result


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_on_stderr(dumb_init, flag):
    result = run([dumb_init, flag])
    assert result.returncode == 0 and result.stdout == "", result
    for words in ("Usage:", "[option] command", "-c, --single-child", "-r, --rewrite", "-v, --verbose", "-h, --help",
                  "-V, --version", "rewrite it to 0"):
        assert words in result.stderr, words


def test_no_program_is_wrong_usage(dumb_init):
    result = run([dumb_init])
    assert result.returncode == 1 and "[option] program [args]" in result.stderr and "--help" in result.stderr, result


@pytest.mark.parametrize("words", [["--nope", "true"], ["-x", "true"]])
def test_an_unknown_option_is_wrong_usage(dumb_init, words):
    result = run([dumb_init, *words])
    assert result.returncode == 1 and words[0].lstrip("-") in result.stderr and "option" in result.stderr, result


def test_options_end_at_the_first_word(dumb_init):
    assert run([dumb_init, "printf", "%s", "-c", "-V"]).stdout == "-c-V"
    assert run([dumb_init, "--", "printf", "%s", "--version"]).stdout == "--version"


@pytest.mark.parametrize("words", [["/no/such"], ["--", "/no/such"], ["-c", "/no/such"]])
def test_a_program_that_does_not_exist_is_told(dumb_init, words):
    result = run([dumb_init, *words])
    assert result.returncode != 0
    assert "[dumb-init] /no/such: No such file or directory\n" in result.stderr, result


@pytest.mark.parametrize("words, env", [(["-v"], {}), (["--verbose"], {}), ([], {"DUMB_INIT_DEBUG": "1"})])
def test_verbose_tells_what_happens(dumb_init, words, env):
    result = run([dumb_init, *words, "echo", "hi"], env=dict(os.environ, **env))
    assert result.returncode == 0 and result.stdout == "hi\n"
    for pattern in (r"\[dumb-init\] setsid complete\.\n", r"\[dumb-init\] Child spawned with PID \d+\.\n",
                    r"\[dumb-init\] Received signal 17\.\n",
                    r"\[dumb-init\] A child with PID \d+ exited with exit status 0.\n",
                    r"\[dumb-init\] Forwarded signal 15 to children\.\n",
                    r"\[dumb-init\] Child exited with status 0\. Goodbye\.\n$"):
        assert re.search(pattern, result.stderr), pattern + "\n" + result.stderr


def test_verbose_tells_of_rewriting_and_forwarding(start):
    life = signals_program(start, "-v", "-r", "15:1", "-r", "28:0")
    life.signal(15)
    life.until_err("[dumb-init] Forwarded signal 1 to children.")
    assert "[dumb-init] Received signal 15." in life.stderr() and "Translating signal 15 to 1." in life.stderr()
    life.signal(28)
    life.until_err("to children (ignored)")


def test_without_verbose_it_is_silent(dumb_init):
    result = run([dumb_init, "true"], env=dict(os.environ, DUMB_INIT_DEBUG="0"))
    assert result.stderr == "" and result.stdout == ""


def test_the_program_keeps_the_working_directory_and_the_init_leaves_it(dumb_init, tmp_path):
    # A mount that the container was started in can be unmounted later. The init moves after the start of the program.
    script = 'readlink /proc/$$/cwd; n=0; until [ "$(readlink /proc/$PPID/cwd)" = / ]; do n=$((n+1)); [ $n -lt 100 ] || ' \
             'exit 1; sleep 0.02; done'
    result = run([dumb_init, "sh", "-c", script], cwd=tmp_path)
    assert result.returncode == 0 and result.stdout == f"{tmp_path}\n", result


@pytest.fixture
def terminal():
    """Runs words on a terminal of their own, as its session leader."""
    terminals = []

    def terminal(*words):
        terminals.append(Terminal(words))
        return terminals[-1]

    yield terminal
    for one in terminals:
        one.end()


def test_the_program_gets_the_terminal(dumb_init, mode, terminal):
    screen = terminal(dumb_init, *mode, "sh", "-c", "test -t 0 && test -t 1 && echo 'is a terminal'; exit 5")
    assert screen.wait() == 5
    assert b"is a terminal" in screen.text


def test_a_shell_under_it_has_job_control(dumb_init, mode, terminal):
    screen = terminal(dumb_init, *mode, "bash", "--norc", "-m")
    screen.send('echo "flags [[$-]]"; sleep 1000 & kill %1; wait; exit 4\n')
    assert screen.wait() == 4
    assert b"no job control" not in screen.text and re.search(rb"flags \[\[[a-zA-Z]*m", screen.text), screen.text


def test_the_hangup_of_giving_the_terminal_away_is_not_forwarded(dumb_init, terminal):
    # Giving up the controlling terminal sends its former owner SIGHUP and SIGCONT; those are nobody's business.
    screen = terminal(dumb_init, "-v", "sh", "-c",
                      "trap 'echo got-hup; exit 7' HUP; sleep 0.1; echo is-up; while :; do sleep 0.02; done")
    seen = screen.until("is-up")
    deadline = time.monotonic() + DEADLINE
    while (seen + screen.text).count(b"hand-off") < 2:
        screen.read(deadline)
    assert b"got-hup" not in seen + screen.text
    os.kill(screen.pid, signal.SIGHUP)
    assert screen.wait() == 7
    assert b"got-hup" in screen.text


def test_orphans_are_reaped_as_pid_1(start, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs a PID namespace")
    script = "sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.0$i & done'; n=0; " \
             "while [ \"$(ps -A -o state= | grep -c Z)\" != 0 ] || [ \"$(ps -o pid= --ppid 1 | wc -l)\" != 1 ]; do " \
             "n=$((n+1)); [ $n -lt 200 ] || exit 9; sleep 0.02; done"
    assert start("sh", "-c", script, how="pid1").wait().code == 0
