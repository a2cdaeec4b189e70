"""The dashboard, and docker exec."""

import re

import pytest
from conftest import lines_of


def test_the_dashboard_runs_as_hermes_in_the_volume(start):
    container = start(["--env", "HERMES_DASHBOARD=true", "--workdir", "/tmp"], "gateway", "run")
    said = lines_of("dashboard", container.until("hermes: dashboard is up"))
    assert [line for line in said if "argument=" in line] == [
        f"hermes: argument={word}" for word in ["dashboard", "--host", "0.0.0.0", "--port", "9119", "--no-open"]]
    assert "hermes: uid=10000 gid=10000 groups=10000" in said and "hermes: home=/opt/data cwd=/opt/data" in said, said


@pytest.mark.parametrize("value", ["", "0", "false", "2"])
def test_else_it_is_skipped_and_not_running(run, value):
    result = run(["--env", f"HERMES_DASHBOARD={value}"], "sh", "-c", "until hermes-init health; do sleep 0.05; done; "
                 "! grep -lsxz '[-]-no-open' /proc/[0-9]*/cmdline")
    assert result.returncode == 0 and lines_of("dashboard", result.stdout + result.stderr) == [], result


def test_insecure_is_never_given_and_one_warning_says_so(start):
    container = start(["--env", "HERMES_DASHBOARD=1", "--env", "HERMES_DASHBOARD_INSECURE=1"], "gateway", "run")
    said = container.until("hermes: dashboard is up")
    assert len(re.findall("HERMES_DASHBOARD_INSECURE has no effect", said)) == 1 and "argument=--insecure" not in said, said


def test_without_that_variable_no_warning(run):
    result = run(["--env", "HERMES_DASHBOARD_INSECURE="], "true")
    assert "no effect" not in result.stdout + result.stderr, result


# docker exec


def facts(result):
    return [line for line in result.stdout.splitlines() if line.startswith("hermes: ")]


@pytest.fixture
def running(start):
    container = start(["--env", "PUID=1500", "--env", "PGID=1600", "--env", "FROM_RUN=yes"], "gateway", "run")
    container.until("gateway is up")
    return container


def test_exec_of_hermes_as_root_is_hermes_with_the_services_environment(running):
    result = running.execute("hermes", "chat", "--leave", "of-exec")
    assert result.returncode == 0 and "hermes: uid=1500 gid=1600 groups=1600" in facts(result), result
    assert "hermes: home=/opt/data cwd=/opt/data" in facts(result), result
    # What it writes can be read by the services.
    assert running.execute("stat", "-c", "%u:%g", "/opt/data/sessions/of-exec").stdout.strip() == "1500:1600"


def test_exec_keeps_arguments_directory_and_exit_code(running):
    result = running.execute("hermes", "unknown", "two words", "", "--help", options=["--workdir", "/tmp"])
    assert result.returncode == 2, result
    assert [line for line in facts(result) if "argument=" in line] == [
        "hermes: argument=unknown", "hermes: argument=two words", "hermes: argument=", "hermes: argument=--help"], result
    assert "hermes: home=/opt/data cwd=/tmp" in facts(result), result


def test_exec_has_what_the_stages_exported(running):
    result = running.execute("hermes-init", "exec", "--like", "main", "--", "env")
    assert "AGENT_BROWSER_EXECUTABLE_PATH=/opt/hermes/.playwright/" in result.stdout and "FROM_RUN=yes" in result.stdout, result


@pytest.mark.parametrize("value, user", [("1", "0"), ("true", "0"), ("0", "1500"), ("", "1500")])
def test_exec_as_root_on_request(running, value, user):
    result = running.execute("hermes", "chat", options=["--env", f"HERMES_DOCKER_EXEC_AS_ROOT={value}"])
    assert result.returncode == 0 and any(line.startswith(f"hermes: uid={user} ") for line in facts(result)), result


@pytest.mark.parametrize("user, numbers", [("4000:4001", "uid=4000 gid=4001"), ("hermes", "uid=1500 gid=1600")])
def test_exec_as_another_user_is_left_as_it_is(running, user, numbers):
    result = running.execute("hermes", "chat", options=["--user", user])
    assert result.returncode == 0 and any(numbers in line for line in facts(result)), result


def test_the_shim_does_not_call_itself(running):
    # Also where PATH has nothing but the shim.
    result = running.execute("/opt/hermes/bin/hermes", "--version", options=["--env", "PATH=/opt/hermes/bin:/usr/bin:/bin"])
    assert result.returncode == 0 and result.stdout.count("hermes stand-in 1.0") == 1, result
