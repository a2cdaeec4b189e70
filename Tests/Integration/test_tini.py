"""The name `tini`: what tini documents of itself holds for hermes-init under that name. HERMES_INIT_COMPAT=peer runs the same
tests against the machine's own tini."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import DEADLINE, REAL_TIME, Life, alive, signal_set, until

pytestmark = pytest.mark.plain
SIGNALS = str(Path(__file__).with_name("signals.py"))
# What a process can be sent and live to tell; tini leaves SIGTTIN, SIGTTOU and the signals of its own mistakes alone.
FORWARDED = sorted(
    set(range(1, 32))
    - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU}
    - {signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
)


def run(words, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(words, capture_output=True, timeout=DEADLINE, text=True, **options)


@pytest.fixture
def start(tini, tmp_path):
    lives = []

    def start(*words, **how):
        folder = tmp_path / str(len(lives))
        folder.mkdir()
        lives.append(Life(folder, words, how=how.pop("how", "plain"), binary=tini, **how))
        return lives[-1]

    yield start
    for life in lives:
        life.end()


def test_every_exit_code_comes_back(tini):
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: run([tini, "-s", "--", "sh", "-c", f"exit {n}"]).returncode, range(256)))
    assert codes == list(range(256))


def test_an_exit_code_is_remapped_to_zero(tini):
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(
            lambda n: run([tini, "-s", "-e", str(n), "--", "sh", "-c", f"exit {n}"]).returncode, range(256)))
    assert codes == [0] * 256


def test_other_exit_codes_stay_when_all_but_one_are_remapped(tini):
    def one(code):
        remapped = [word for other in range(256) if other != code for word in ("-e", str(other))]
        return run([tini, "-s", *remapped, "--", "sh", "-c", f"exit {code}"]).returncode

    assert [one(code) for code in (0, 1, 2, 31, 32, 63, 127, 128, 143, 254, 255)] == [
        0, 1, 2, 31, 32, 63, 127, 128, 143, 254, 255]


def test_a_signal_that_ends_the_program_is_128_and_its_number(tini):
    fatal = sorted(set(range(1, 32)) - {
        signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN,
        signal.SIGTTOU}) + sorted(REAL_TIME & {34, 50, 64})

    def one(number):
        # A shell would catch some of them.
        program = f"import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " \
                  f"({number} in (9, 19)) or signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})"
        return run([tini, "-s", "--", sys.executable, "-c", program]).returncode

    assert {number: one(number) for number in fatal} == {number: 128 + number for number in fatal}


def test_the_exit_code_of_a_signal_can_be_remapped(tini):
    assert run([tini, "-s", "-e", "143", "--", "sh", "-c", "kill -TERM $$"]).returncode == 0


def test_signals_are_forwarded(start):
    life = start("-s", "--", sys.executable, SIGNALS)
    life.until_out("ready")
    expected = []
    for number in [n for n in FORWARDED if n != signal.SIGUSR1] + sorted(REAL_TIME & {35, 64}):
        life.signal(number)
        expected.append(str(int(number)))
        life.until(lambda: life.stdout().split()[2:] == expected, f"signal {number} arrives")
    for _ in range(3):
        life.signal(signal.SIGUSR1)
        expected.append("10")
        life.until(lambda: life.stdout().split()[2:] == expected, "SIGUSR1 arrives")
    assert life.wait().code == 3


@pytest.mark.parametrize("group", ["option", "variable"])
def test_signals_go_to_the_whole_group_where_it_is_asked_for(start, tmp_path, group):
    # The shell ignores the signal and waits; only its child, which does not, can end all this.
    script = f"trap '' USR1; {sys.executable} -c 'import signal, time; signal.signal(signal.SIGUSR1, signal.SIG_DFL); " \
             f"open(\"{tmp_path}/up\", \"w\"); time.sleep(1000)'; echo ended"
    words = ["-g"] if group == "option" else []
    env = dict(os.environ, TINI_KILL_PROCESS_GROUP="") if group == "variable" else None
    life = start("-s", *words, "--", "sh", "-c", script, env=env)
    life.until((tmp_path / "up").exists, "the child is up")
    life.signal(signal.SIGUSR1)
    result = life.wait()
    assert "ended" in result.out and result.code == 0, result


def test_without_it_only_the_program_is_signalled(start, tmp_path):
    life = start("-s", "--", "sh", "-c", f"trap 'echo told; exit 5' TERM; sleep 1000 & echo $! > {tmp_path}/child; wait")
    child = int(life.until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip(), "child"))
    life.signal(signal.SIGUSR2)
    result = life.wait()
    assert result.code == 128 + signal.SIGUSR2, result
    if alive(child):
        os.kill(child, signal.SIGKILL)


def test_the_program_has_a_process_group_of_its_own(start):
    life = start("-s", "--", "sh", "-c", "ps -o pid=,pgid= -p $$")
    pid, group = life.wait().out.split()
    assert pid == group


@pytest.mark.native("qemu-user makes no process a subreaper")
@pytest.mark.parametrize("how", ["option", "variable"])
def test_orphans_are_reaped_as_subreaper(start, tmp_path, how):
    program = tmp_path / "orphans.sh"
    # 50 grandchildren whose parent is gone; then nothing but this shell may be left below the init.
    program.write_text(
        "sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.0$i & sleep 0.1 & sleep 0.2 & sleep 0.05 & sleep 0.15 & done'\n"
        "n=0; while [ \"$(ps -o pid= --ppid $PPID | wc -l)\" != 1 ]; do n=$((n+1)); [ $n -lt 200 ] || exit 9; sleep 0.05; done\n"
        "ps -eo ppid=,state= | awk -v init=$PPID '$1 == init && $2 ~ /Z/' | wc -l\n")
    env = dict(os.environ, TINI_SUBREAPER="") if how == "variable" else None
    words = ["-s"] if how == "option" else []
    result = start(*words, "--", "sh", str(program), env=env).wait()
    assert result.code == 0 and result.out.strip() == "0", result
    assert "zombie reaping won't work" not in result.err and "Reaped zombie" not in result.err, result


@pytest.mark.native("qemu-user makes no process a subreaper")
def test_w_tells_of_each_orphan_that_was_reaped(start):
    life = start("-s", "-w", "--", "sh", "-c", "sh -c 'sleep 0.05 & echo $!'; sleep 0.5")
    result = life.wait()
    assert f"Reaped zombie process with pid={result.out.strip()}" in result.err, result


def test_neither_pid_1_nor_subreaper_is_warned_of(start):
    result = start("--", "true").wait()
    assert result.code == 0
    assert "zombie reaping won't work" in result.err and "-s" in result.err and "TINI_SUBREAPER" in result.err, result


def test_then_orphans_are_not_taken_in(start):
    # Without -s the orphan goes to somebody above.
    result = start("--", "sh", "-c", "sh -c 'sleep 1 & echo $!' > pid; read p < pid; ps -o ppid= -p $p; echo $PPID; kill $p",
                   cwd=start("--", "true").folder).wait()
    parent, init = result.out.split()
    assert parent != init, result


def test_as_pid_1_there_is_no_warning(start):
    result = start("--", "true", how="pid1").wait()
    assert result.code == 0 and result.err == "", result


def told(result):
    """What the init said at a verbosity above 1: tini says it on stdout, hermes-init on stderr, where it cannot get among data."""
    return result.out + result.err


@pytest.mark.parametrize("words, env", [(["-v"], {}), ([], {"TINI_VERBOSITY": "2"})])
def test_verbosity_2_tells_of_the_program(start, words, env):
    result = start("-s", *words, "--", "sh", "-c", "exit 4", env=dict(os.environ, **env)).wait()
    assert result.code == 4
    assert re.search(r"Spawned child process 'sh' with [Pp][Ii][Dd] '?\d+", told(result)), result
    assert re.search(r"Main child exited normally \(with status '4'\)", told(result)), result
    assert "SIGCHLD" not in told(result)


@pytest.mark.parametrize("words, env", [(["-vv"], {}), (["-v", "-v"], {}), (["-vvv"], {}), ([], {"TINI_VERBOSITY": "3"})])
def test_verbosity_3_tells_of_signals(start, words, env):
    result = start("-s", *words, "--", "true", env=dict(os.environ, **env)).wait()
    assert "Received SIGCHLD" in told(result), result
    assert re.search(r"Reaped child with pid: '\d+'", told(result)), result


def test_verbosity_0_is_silent_about_reaping(start):
    result = start("--", "true", env=dict(os.environ, TINI_VERBOSITY="0")).wait()
    assert result.err == "", result


def test_version(tini):
    result = run([tini, "--version"])
    assert result.returncode == 0 and result.stdout.startswith("tini version"), result
    assert run([tini, "--", "printf", "%s", "--version"]).stdout == "--version"


def test_help_is_on_stdout(tini):
    result = run([tini, "-h"])
    assert result.returncode == 0
    for words in ("Usage: tini", "supervision of a valid init process", "more verbose", "-s", "-p", "-g", "-e", "-w", "-l",
                  "TINI_SUBREAPER", "TINI_VERBOSITY", "TINI_KILL_PROCESS_GROUP"):
        assert words in result.stdout, words


def test_no_program_is_wrong_usage(tini):
    result = run([tini])
    assert result.returncode == 1 and "Usage: tini" in result.stderr and result.stdout == "", result
    assert run([tini, "-s"]).returncode == 1
    assert run([tini, "--"]).returncode == 1


def test_license(tini):
    result = run([tini, "-l"])
    assert result.returncode == 0 and "MIT" in result.stdout and "Copyright" in result.stdout, result


def test_an_unknown_option_is_wrong_usage(tini):
    result = run([tini, "-x", "--", "true"])
    assert result.returncode == 1 and "invalid option -- 'x'" in result.stderr and "Usage" in result.stderr, result


def test_an_option_without_its_value_is_wrong_usage(tini):
    result = run([tini, "-e"])
    assert result.returncode == 1 and "requires an argument -- 'e'" in result.stderr, result


@pytest.mark.parametrize("value", ["256", "-1", "abc", "1x", "99999999999999999999"])
def test_a_wrong_exit_code_for_e_is_wrong_usage(tini, value):
    result = run([tini, "-e", value, "--", "true"])
    assert result.returncode == 1 and re.search(rf"-e:? {re.escape(value)}\b", result.stderr), result


@pytest.mark.parametrize("value", ["SIGNOPE", "TERM", "15", ""])
def test_a_wrong_signal_for_p_is_wrong_usage(tini, value):
    result = run([tini, "-p", value, "--", "true"])
    assert result.returncode == 1 and "-p" in result.stderr and value in result.stderr, result


def test_values_may_be_joined_to_their_option(tini):
    assert run([tini, "-se7", "--", "sh", "-c", "exit 7"]).returncode == 0


def test_p_sends_that_signal_when_the_parent_ends(tini, tmp_path):
    # A parent that starts the init and goes; the init gets SIGUSR1 and forwards it.
    code = (f"import subprocess, time, os\n"
            f"subprocess.Popen([{tini!r}, '-s', '-p', 'SIGUSR1', '--', 'sh', '-c', "
            f"\"trap 'echo told > {tmp_path}/told; exit' USR1; echo up > {tmp_path}/up; while :; do sleep 0.02; done\"])\n"
            f"while not os.path.exists('{tmp_path}/up'): time.sleep(0.01)\n")
    subprocess.run([sys.executable, "-c", code], timeout=30)
    until((tmp_path / "told").exists, "the program was sent SIGUSR1")


def test_a_program_that_does_not_exist_is_127(tini):
    result = run([tini, "-s", "--", "no-such-program"])
    assert result.returncode == 127 and "no-such-program" in result.stderr, result


def test_a_program_that_cannot_be_executed_is_126(tini):
    result = run([tini, "-s", "--", "/etc"])
    assert result.returncode == 126 and "/etc" in result.stderr, result


def test_two_dashes_twice_are_a_program_named_so(tini):
    assert run([tini, "-s", "--", "--", "true"]).returncode == 127


def test_without_two_dashes_the_first_word_is_the_program(tini):
    assert run([tini, "-s", "true"]).returncode == 0
    assert run([tini, "-s", "sh", "-c", "exit 3"], env=dict(os.environ, POSIXLY_CORRECT="1")).returncode == 3


def test_stdin_reaches_the_program(tini):
    result = subprocess.run([tini, "-s", "sh"], input=b"exit 6\n", timeout=30)
    assert result.returncode == 6


def test_ignored_and_blocked_signals_reach_the_program_unchanged(start):
    def before():
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGTTIN, signal.SIGTERM, signal.SIGILL})

    result = start("-s", "--", "cat", "/proc/self/status", preexec=before).wait()
    table = dict(line.split(":\t", 1) for line in result.out.splitlines() if ":\t" in line)
    ignored, blocked = signal_set(table["SigIgn"]), signal_set(table["SigBlk"])
    assert {signal.SIGTTOU, signal.SIGINT, signal.SIGUSR1} <= ignored
    assert signal.SIGTERM not in ignored and signal.SIGTTIN not in ignored
    assert blocked == {signal.SIGTTIN, signal.SIGTERM, signal.SIGILL}


def test_the_environment_reaches_the_program(start):
    env = {b"PATH": os.environb[b"PATH"], b"BYTES": b"\xff\xfe=\x01", b"EMPTY": b"", b"TINI_SUBREAPER": b""}
    result = start("--", "env", "-0", env=env).wait()
    got = dict(line.split(b"=", 1) for line in result.stdout.split(b"\0") if line)
    assert {key: got.get(key) for key in env} == env
