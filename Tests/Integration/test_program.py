"""The main program runs as if the init were not there: arguments, environment, descriptors, directory, signals, exit code."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import DEADLINE, REAL_TIME, namespace, reachable, signal_set, status, until

SIGNALS = str(Path(__file__).with_name("signals.py"))
PLAIN_SIGNALS = sorted(
    (set(range(1, 32)) | REAL_TIME)
    - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
    - {signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
    - {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


def test_every_exit_code_comes_back(boot):
    def one(code):
        return subprocess.run([*namespace(), reachable(), "--config", boot.config, "--", "sh", "-c", f"exit {code}"],
                              stdin=subprocess.DEVNULL, timeout=DEADLINE).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(256))) == list(range(256))


def test_a_signal_that_ends_the_program_is_128_and_its_number(boot):
    fatal = sorted((set(range(1, 32)) | REAL_TIME & {34, 50, 64}) - {
        signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN,
        signal.SIGTTOU})

    def one(number):
        program = f"import os, resource, signal; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " \
                  f"{number} == 9 or signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})"
        return subprocess.run(
            [*namespace(), reachable(), "--config", boot.config, "--", sys.executable, "-c", program],
            stdin=subprocess.DEVNULL, timeout=DEADLINE, capture_output=True).returncode

    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(fatal, pool.map(one, fatal))) == {number: 128 + number for number in fatal}


@pytest.mark.parametrize("words", [
    [b"--version"], [b"--help"], [b"--tui", b"-x", b"--"], [b"--", b"--"], [b""], [b"a", b"", b"b c", b"\n"],
    [b"\xff\xfe\x80", b"\xc3"], [b"${HOME}", b"$HOME", b"$${X}"], [b"x" * 100_000], [b"@"],
])
def test_arguments_arrive_unchanged(boot, words):
    result = boot(["printf", "%s\\0", *words]).wait()
    assert result.code == 0 and result.stdout == b"".join(word + b"\0" for word in words), result


def test_an_option_of_the_inits_own_after_the_dashes_is_the_programs(boot):
    result = boot(["echo", "--config", "/x", "--check"]).wait()
    assert result.out == "--config /x --check\n"


def test_the_environment_arrives_byte_for_byte(boot):
    env = {b"PATH": os.environb[b"PATH"], b"BYTES": b"\xff\xfe=\x01\n", b"EMPTY": b"", b"lower-case.odd": b"1"}
    result = boot(["env", "-0"], env=env).wait()
    got = dict(line.split(b"=", 1) for line in result.stdout.split(b"\0") if line)
    assert {key: got.get(key) for key in env} == env
    assert set(got) - set(env) <= {b"HERMES_INIT_SERVICE", b"HERMES_INIT_INSTANCE"}


def test_the_working_directory_is_kept(boot, tmp_path):
    assert boot(["pwd"], cwd=tmp_path).wait().out == f"{tmp_path}\n"


def test_stdin_is_the_programs(boot):
    read, write = os.pipe()
    life = boot(["sh"], stdin=read)
    os.close(read)
    os.write(write, b"exit 6\n")
    os.close(write)
    assert life.wait().code == 6


def test_the_program_has_no_descriptor_of_the_inits(boot):
    # The shell's own glob opens the folder; cat does not.
    result = boot(["sh", "-c", "ls -l /proc/self/fd | awk 'NR > 1 { print $9 }'"]).wait()
    assert set(result.out.split()) <= {"0", "1", "2", "3"}, result
    result = boot(["sh", "-c", "test -e /proc/$$/fd/3; echo $?"]).wait()
    assert result.out == "1\n"


def test_descriptors_that_were_passed_on_purpose_stay(boot):
    # systemd's and s6's descriptors, a shell's 3>file: as without an init.
    read, write = os.pipe()
    os.set_inheritable(write, True)
    folder = boot.folder / "pass"
    folder.mkdir()
    subprocess.run([*namespace(), reachable(), "--config", boot.config, "--", sys.executable, "-c",
                    f"import os; os.write({write}, b'hi\\n')"],
                   pass_fds=[write], timeout=DEADLINE, check=True)
    os.close(write)
    assert os.read(read, 10) == b"hi\n"
    os.close(read)


def test_signals_are_forwarded(boot):
    life = boot([sys.executable, SIGNALS])
    life.until_out("ready")
    expected = []
    for number in PLAIN_SIGNALS:
        life.signal(number)
        expected.append(str(int(number)))
        life.until(lambda: life.stdout().split()[2:] == expected, f"signal {number} arrives")
    for _ in range(2):
        life.signal(signal.SIGUSR1)
        expected.append("10")
        life.until(lambda: life.stdout().split()[2:] == expected, "SIGUSR1 arrives")
    assert life.wait().code == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_asks_for_the_end_is_forwarded_too(boot, number):
    life = boot(["sh", "-c", f"trap 'echo got; exit 7' {int(number)}; echo up; while :; do sleep 0.02; done"])
    life.until_out("up")
    life.signal(number)
    result = life.wait()
    assert "got" in result.out and result.code == 7, result


def test_a_signal_from_before_the_first_moment_is_not_lost(boot):
    # Pending already when the init is executed; the program would see it too, were it ever started.
    program = "import signal, time; signal.pthread_sigmask(signal.SIG_SETMASK, []); time.sleep(1000)"
    life = boot([sys.executable, "-c", program], before="kill -TERM $$",
                preexec=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}))
    assert life.wait().code in (0, 143)


OTHER_NUMBERS = pytest.mark.native("qemu-user gives real-time signals other numbers")


@pytest.mark.parametrize("settings, sent, expected", [
    ('SIGUSR2 = "SIGUSR1"', [12], [10]),
    ('SIGUSR2 = "ignore"', [12, 1], [1]),
    ('SIGTERM = "forward"', [15, 1], [15, 1]),
    pytest.param('SIGINT = "SIGRTMIN+3"', [2], [37], marks=OTHER_NUMBERS),
    pytest.param('"SIGRTMIN+3" = "SIGHUP"', [37], [1], marks=OTHER_NUMBERS),
    # Not applied a second time.
    ('SIGHUP = "SIGUSR2"\nSIGUSR2 = "SIGHUP"', [1, 12], [12, 1]),
])
def test_signals_can_be_rewritten(boot, settings, sent, expected):
    life = boot([sys.executable, SIGNALS], {"init": f"[signals]\n{settings}\n"})
    life.until_out("ready")
    for count, number in enumerate(sent, 1):
        life.signal(number)
        until(lambda: not signal_set(pending(life)), "the signal was taken")
        # Two signals that are pending at once would be taken in the order of their numbers.
        if len(sent) == len(expected):
            life.until(lambda: len(life.stdout().split()[2:]) == count, f"{count} came")
    life.until(lambda: life.stdout().split()[2:] == [str(n) for n in expected], f"{expected}")


def pending(life):
    return status(life.pid).get("ShdPnd", "0")


def test_a_signal_can_be_made_to_stop_the_container(boot):
    life = boot(["sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done"],
                {"init": '[signals]\nSIGUSR1 = "stop"\n'})
    life.until_out("up")
    life.signal(signal.SIGUSR1)
    assert life.wait().code in (9, 138)


def test_a_signal_can_be_forwarded_to_the_whole_group(boot):
    # An ignored signal stays ignored in a child of a POSIX shell: Python gives it back.
    program = ("import signal, subprocess, sys; signal.signal(10, signal.SIG_IGN); "
               "sys.exit(subprocess.Popen(['sleep', '1000'], preexec_fn=lambda: (signal.signal(10, signal.SIG_DFL), "
               "print('up', flush=True))).wait() + 20)")
    life = boot([sys.executable, "-c", program], {"init": '[signals]\nSIGUSR1 = "forward-group"\n'})
    life.until_out("up")
    life.signal(signal.SIGUSR1)
    assert life.wait().code == 10


def ignore_and_block():
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTTOU, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGTERM, signal.SIGTTIN, signal.SIGUSR2, 40})


def test_the_program_keeps_ignored_and_blocked_signals(boot):
    result = boot(["cat", "/proc/self/status"], preexec=ignore_and_block).wait()
    table = dict(line.split(":\t", 1) for line in result.out.splitlines() if ":\t" in line)
    assert {signal.SIGINT, signal.SIGUSR1, signal.SIGTTOU, signal.SIGPIPE} <= signal_set(table["SigIgn"])
    assert signal.SIGTERM not in signal_set(table["SigIgn"])
    assert signal_set(table["SigBlk"]) == {signal.SIGTERM, signal.SIGTTIN, signal.SIGUSR2, 40}


def test_ignored_sigchld_does_not_lose_the_exit_code(boot):
    assert boot(["sh", "-c", "exit 42"], preexec=ignore_and_block).wait().code == 42


def test_an_init_with_blocked_and_ignored_signals_still_stops(boot):
    life = boot(["sh", "-c", "echo up; exec sleep 1000"], {"web": 'command = ["sleep", "1000"]\n'},
                preexec=lambda: (signal.signal(signal.SIGTERM, signal.SIG_IGN),
                                 signal.pthread_sigmask(signal.SIG_SETMASK, set(range(1, 65)))))
    life.until_out("up")
    # sleep itself keeps SIGTERM ignored and blocked: it is killed at its stop timeout.
    life.signal(signal.SIGTERM)
    assert life.wait().code == 137


def test_a_program_that_does_not_exist_is_127(boot):
    result = boot(["no-such-program"]).wait()
    assert result.code == 127, result
    assert "no-such-program" in result.err and "hermes-init" in result.err, result


def test_a_path_that_does_not_exist_is_127(boot):
    result = boot(["/no/such"]).wait()
    assert result.code == 127 and "/no/such" in result.err and "no such file" in result.err.lower(), result


def test_a_program_that_is_not_executable_is_126(boot):
    path = boot.folder / "text"
    path.write_text("hello\n")
    result = boot([str(path)]).wait()
    assert result.code == 126 and str(path) in result.err, result
    assert "not executable" in result.err or "Permission denied" in result.err, result
    assert boot(["/etc"]).wait().code == 126


def test_a_script_with_a_bad_interpreter_says_so(boot):
    path = boot.folder / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    result = boot([str(path)]).wait()
    assert result.code in (126, 127) and str(path) in result.err, result
    # "No such file" of a file that is there is the puzzle; the interpreter is the answer.
    assert "/no/such/interpreter" in result.err or "#!" in result.err or "interpreter" in result.err, result


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_descriptors_harm_nobody(boot, closed):
    def close():
        for descriptor in closed:
            os.close(descriptor)

    # The service's pipes must not land on 0, 1 or 2 of anybody.
    life = boot(["sh", "-c", "until [ -e @/done ]; do sleep 0.02; done; exit 5".replace("@", str(boot.folder))],
                {"web": "type = \"oneshot\"\nscript = 'echo out; echo err >&2; echo yes > @/done'\n"}, preexec=close)
    assert life.wait().code == 5


def test_as_root_or_not_without_services_it_is_silent(boot):
    for how in ("pid1", "plain", "user"):
        result = boot(["true"], how=how).wait()
        assert (result.code, result.out, result.err) == (0, "", ""), (how, result)


@pytest.mark.parametrize("how", ["plain", "user"])
def test_not_as_pid_1_everything_holds(boot, how):
    life = boot(["sh", "-c", "until [ -e @/up ]; do sleep 0.02; done; exit 42".replace("@", str(boot.folder))],
                {"web": "script = 'touch @/up; exec sleep 1000'\n"}, how=how)
    assert life.wait().code == 42


@pytest.mark.parametrize("how", ["pid1", pytest.param("plain", marks=pytest.mark.native("qemu-user makes no process a subreaper"))])
def test_orphans_are_reaped(boot, how):
    script = """
    i=0
    while [ $i -lt 20 ]; do
        ( j=0; while [ $j -lt 100 ]; do : & j=$((j+1)); done )
        i=$((i+1))
    done
    n=0
    while cat /proc/[0-9]*/stat 2>/dev/null | awk -v init=$PPID '$4 == init && $3 == "Z"' | grep -q .; do
        n=$((n+1)); [ $n -lt 200 ] || exit 9
        sleep 0.05
    done
    # An orphan's new parent is the init.
    sh -c 'sleep 1000 & echo $!' > "$1/orphan"
    read orphan < "$1/orphan"
    n=0
    until [ "$(awk '{ print $4 }' /proc/$orphan/stat)" = $PPID ]; do
        n=$((n+1)); [ $n -lt 200 ] || exit 8
        sleep 0.05
    done
    """
    result = boot(["sh", "-c", script, "sh", str(boot.folder)], how=how).wait()
    assert result.code == 0, result


def test_under_the_name_init_all_words_are_the_programs(boot):
    link = boot.folder / "init"
    link.symlink_to(reachable())
    assert boot.run(["printf", "%s", "--version"], binary=link).wait().out == "--version"
    assert boot.run(["sh", "-c", "exit 5"], binary=link).wait().code == 5
    result = boot.run(["--version"], binary=link).wait()
    assert result.code == 127 and "--version" in result.err, result
