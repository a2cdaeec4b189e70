"""What `docker run IMAGE …` runs, in the image that the Dockerfile builds, with a stand-in for hermes-agent that says what it
was run as. Each test is a line of what users of that image rely on."""

import re

import pytest


def facts(text):
    """What the stand-in said of itself, as one text without process ids and prefixes."""
    return [line for line in text.replace("\r", "").splitlines() if line.startswith("hermes: ") and "pid=" not in line]


AS_HERMES = ["hermes: uid=10000 gid=10000 groups=10000", "hermes: home=/opt/data cwd=/opt/data"]


def arguments(text):
    return [line.removeprefix("hermes: argument=") for line in facts(text) if line.startswith("hermes: argument=")]


def test_nothing_runs_hermes(run):
    result = run()
    assert result.returncode == 0, result
    assert facts(result.stdout)[:2] == AS_HERMES and "hermes: arguments=0" in result.stdout, result


@pytest.mark.parametrize("words", [
    ["chat", "-q", "hi"], ["chat", "-q", ""], ["--version"], ["--help"], ["-h"],
    ["chat", "--", "-x", "two words", "$HOME", "*"],
])
def test_words_that_are_no_program_are_arguments_of_hermes(run, words):
    result = run([], *words)
    assert result.returncode == 0, result
    assert arguments(result.stdout) == words and facts(result.stdout)[:2] == AS_HERMES, result


def test_an_executable_on_path_is_run_as_it_is(run):
    result = run([], "sh", "-c", "echo $(id -u):$(id -g):$(id -G):$HOME:$USER:$PWD")
    assert result.returncode == 0 and result.stdout.strip() == "10000:10000:10000:/opt/data:hermes:/opt/data", result


def test_sleep_is_run_and_ends_when_told(start):
    container = start([], "sleep", "infinity")
    assert container.execute("sh", "-c", "until grep -qsz sleep /proc/[0-9]*/cmdline; do sleep 0.05; done").returncode == 0
    assert container.stop() == 143


def test_bash_c_is_run(run):
    result = run([], "bash", "-c", 'echo "$BASH_VERSION $0 $1"', "zero", "one")
    assert re.match(r"5\.\S+ zero one\n", result.stdout), result


@pytest.mark.parametrize("code", [0, 1, 42, 126, 127, 255])
def test_the_exit_code_is_the_programs(run, code):
    assert run([], "sh", "-c", f"exit {code}").returncode == code


def test_a_program_that_a_signal_ended_is_128_and_the_signal(run):
    assert run([], "sh", "-c", "kill -TERM $$").returncode == 143


def test_the_environment_reaches_the_program_and_home_is_never_roots(run):
    result = run(["--env", "ONE=1", "--env", "EMPTY=", "--env", "SPACES=a  b"], "sh", "-c",
                 'echo "$ONE|${EMPTY-unset}|$SPACES|$HOME|$HERMES_HOME|$PATH"')
    assert result.stdout.strip() == (
        "1||a  b|/opt/data|/opt/data|/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:"
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), result


def test_the_working_directory_of_docker_run_holds(run, tmp_path):
    # Docker would make the folder; podman wants it to be there.
    result = run(["--volume", f"{tmp_path}:/work", "--workdir", "/work"], "chat")
    assert "cwd=/work" in result.stdout, result


def test_tui_is_on_the_terminal(terminal):
    screen = terminal([], "--tui", rows=40, columns=101)
    assert screen.wait() == 0
    text = screen.text.decode()
    assert "hermes: tty=yes" in text and "screen is up" in text and arguments(text) == ["--tui"], text


def test_the_size_of_the_terminal_arrives_and_its_changes(terminal):
    wait_for = "until [ \"$(stty size)\" = '%s' ]; do sleep 0.02; done; echo got-%s;"
    screen = terminal([], "bash", "-c", wait_for % ("40 101", 1) + wait_for % ("31 77", 2), rows=40, columns=101)
    screen.until("got-1")
    screen.resize(31, 77)
    screen.until("got-2")
    assert screen.wait() == 0


def test_an_interactive_bash_has_job_control(terminal):
    screen = terminal([], "bash", "--norc")
    screen.send("echo is-$(tty | cut -c1-8)\n")
    screen.until("is-/dev/pts")
    screen.send("sh -c 'echo runs-$((1+1)); exec sleep 1000'\n")
    screen.until("runs-2")
    screen.press("\x1a", "Stopped")
    screen.until("exec sleep 1000")
    screen.send("fg\n")
    # bash repeats the job's words when it has it in the foreground.
    screen.until("exec sleep 1000")
    # Its prompt, and not ^C: that shows, too, while the foreground is still bash's own.
    screen.press("\x03", "bash-")
    screen.send("echo code-$? jobs-$(jobs | wc -l)\n")
    screen.until("code-130 jobs-0")
    screen.send("exit 7\n")
    assert screen.wait() == 7
    assert b"no job control" not in screen.text


def test_ctrl_c_reaches_the_program_and_nobody_else(terminal):
    # With the dashboard running: it must not be told.
    screen = terminal(["--env", "HERMES_DASHBOARD=1"], "bash", "-c",
                      "trap 'echo got-int; sleep 0.3; exit 5' INT; echo is-up; while :; do sleep 0.05; done")
    screen.until("is-up")
    screen.send("\x03")
    screen.until("got-int")
    assert screen.wait() == 5


@pytest.mark.parametrize("entrypoint", ["tini", "/usr/bin/tini"])
def test_an_entrypoint_pinned_to_tini_runs_the_same(run, entrypoint):
    result = run(["--entrypoint", entrypoint], "-g", "--", "chat", "-q", "hi")
    assert result.returncode == 0 and arguments(result.stdout) == ["chat", "-q", "hi"], result
    assert facts(result.stdout)[:2] == AS_HERMES, result
    assert run(["--entrypoint", entrypoint], "-g", "--", "sh", "-c", "exit 9").returncode == 9


def test_under_tini_the_services_run_too(start):
    container = start(["--entrypoint", "tini", "--env", "HERMES_DASHBOARD=1"], "-g", "--", "gateway", "run")
    container.until("hermes: dashboard is up")


def test_an_entrypoint_pinned_to_init_runs_the_same(run):
    result = run(["--entrypoint", "/init"], "chat", "-q", "hi")
    assert result.returncode == 0 and arguments(result.stdout) == ["chat", "-q", "hi"], result
    result = run(["--entrypoint", "/init"], "--version")
    assert arguments(result.stdout) == ["--version"], result


@pytest.mark.parametrize("user", ["10000:10000", "hermes"])
def test_as_the_hermes_user(run, user):
    result = run(["--user", user], "chat")
    assert result.returncode == 0 and facts(result.stdout)[:2] == AS_HERMES, result


def test_under_another_init_the_services_are_supervised(start):
    container = start(["--init", "--env", "HERMES_DASHBOARD=1"], "gateway", "run")
    container.until("hermes: gateway is up")
    container.until("hermes: dashboard is up")
    assert "hermes-init" not in container.execute("cat", "/proc/1/cmdline").stdout.split("\0")[0]
    kill_dashboard(container)
    container.until("hermes: dashboard is up", 2)
    assert container.stop() == 0
    assert container.logs().count("told to stop") == 2, container.logs()


def test_under_another_init_the_exit_code_comes_back(run):
    assert run(["--init"], "sh", "-c", "exit 42").returncode == 42


def dashboards(container):
    """The process ids that the dashboard said, oldest first."""
    return re.findall(r"^\[dashboard\] hermes: pid=(\d+)", container.logs(), re.MULTILINE)


def kill_dashboard(container):
    assert container.execute("sh", "-c", f"kill -9 {dashboards(container)[-1]}").returncode == 0


@pytest.mark.parametrize("value", ["1", "true", "yes", "on", "True"])
def test_the_dashboard_runs_where_it_is_asked_for(start, value):
    container = start(["--env", f"HERMES_DASHBOARD={value}"], "sleep", "infinity")
    container.until("[dashboard] hermes: dashboard is up")
    log = container.logs().replace("[dashboard] ", "")
    assert arguments(log) == ["dashboard", "--host", "0.0.0.0", "--port", "9119", "--no-open"], log
    assert facts(log)[:2] == AS_HERMES and "hermes: service=dashboard" in log


def test_the_dashboards_address_comes_from_the_environment(start):
    container = start(["--env", "HERMES_DASHBOARD=1", "--env", "HERMES_DASHBOARD_HOST=127.0.0.1", "--env",
                       "HERMES_DASHBOARD_PORT=80"], "sleep", "infinity")
    log = container.until("dashboard is up").replace("[dashboard] ", "")
    assert arguments(log) == ["dashboard", "--host", "127.0.0.1", "--port", "80", "--no-open"], log


@pytest.mark.parametrize("options", [[], ["--env", "HERMES_DASHBOARD=0"], ["--env", "HERMES_DASHBOARD="]])
def test_without_being_asked_for_the_dashboard_does_not_run(run, options):
    result = run(options, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert result.returncode == 0 and "no-open" not in result.stdout and "[dashboard]" not in result.stdout, result


def test_a_killed_dashboard_comes_back(start):
    container = start(["--env", "HERMES_DASHBOARD=1"], "gateway", "run")
    container.until("hermes: dashboard is up")
    container.until("hermes: gateway is up")
    kill_dashboard(container)
    container.until("hermes: dashboard is up", 2)
    first, second = dashboards(container)
    assert first != second
    assert container.logs().count("gateway is up") == 1
    assert container.stop() == 0


def test_docker_stop_tells_everyone(start):
    container = start(["--env", "HERMES_DASHBOARD=1"], "gateway", "run")
    container.until("hermes: dashboard is up")
    container.until("hermes: gateway is up")
    assert container.stop() == 0
    assert "hermes: gateway told to stop" in container.logs()
    assert "[dashboard] hermes: dashboard told to stop" in container.logs()


ORPHANS = """
i=0
while [ $i -lt 200 ]; do
    # A shell that leaves a hundred children behind.
    ( j=0; while [ $j -lt 100 ]; do : & j=$((j+1)); done )
    i=$((i+1))
done
n=0
while grep -qs '^State:.Z' /proc/[0-9]*/status; do
    n=$((n+1)); [ $n -lt 300 ] || { echo "zombies are left"; exit 9; }
    sleep 0.1
done
echo "made $((i * j_all))"
"""


@pytest.mark.parametrize("options", [[], ["--init"]])
def test_20000_orphans_leave_no_zombie(run, options):
    result = run([*options, "--env", "j_all=100"], "sh", "-c", ORPHANS)
    assert result.returncode == 0 and "made 20000" in result.stdout, result


@pytest.mark.parametrize("tmpfs", ["true", "false"])
def test_read_only_without_any_capability(start, tmpfs):
    container = start(["--read-only", f"--read-only-tmpfs={tmpfs}", "--cap-drop=ALL", "--user", "10000:10000", "--env",
                       "HERMES_DASHBOARD=1"], "gateway", "run")
    container.until("hermes: gateway is up")
    container.until("hermes: dashboard is up")
    assert facts(container.logs())[:2] == AS_HERMES
    assert container.stop() == 0
    assert container.logs().count("told to stop") == 2, container.logs()


def test_root_without_the_right_to_change_user_is_refused_and_told_why(run):
    # Never run as root what was to be run as hermes.
    result = run(["--read-only", "--cap-drop=ALL"], "chat", "-q", "hi")
    assert result.returncode not in (0, 1) and "hermes: uid=" not in result.stdout, result
    assert "hermes" in result.stderr and "Operation not permitted" in result.stderr, result
    assert "CAP_SETUID" in result.stderr or "SETUID" in result.stderr or "--user" in result.stderr, result


def test_without_a_network(run):
    assert run(["--network=none"], "chat").returncode == 0


def test_restart_boots_again(start):
    from conftest import podman

    container = start(["--env", "HERMES_DASHBOARD=1"], "gateway", "run")
    container.until("gateway is up")
    podman("restart", "--time", "30", container.name, check=True)
    container.until("gateway is up", 2)
    container.until("dashboard is up", 2)
    assert container.stop() == 0
