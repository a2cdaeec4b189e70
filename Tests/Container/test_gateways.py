"""A gateway for each profile, made, started, stopped and removed by the user hermes while the container runs."""

import os
import re

import pytest
from conftest import podman

pytestmark = pytest.mark.usefixtures("control")


@pytest.fixture
def profiles(data):
    """A volume with profiles; what stands in the file `stand-in` of one is how its gateway ends."""

    def profiles(**ends):
        for name, end in ends.items():
            folder = data / "profiles" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "SOUL.md").write_text(f"I am {name}.\n")
            if end is not None:
                (folder / "stand-in").write_text(f"{end}\n")
        return ["--volume", f"{data}:/opt/data"]

    return profiles


@pytest.fixture
def up(start):
    def up(options=(), *command):
        container = start(options, *(command or ["sleep", "infinity"]))
        wait = container.execute("sh", "-c", "until hermes-init health; do sleep 0.05; done", timeout=60)
        assert wait.returncode == 0, container.logs()
        return container

    return up


def ctl(container, *words, code=0):
    result = container.ctl(*words)
    assert result.returncode == code, (words, result, container.logs())
    return result.stdout + result.stderr


def state(container, name):
    return container.ctl("status", name).stdout


def test_each_profile_with_a_soul_is_known_and_down(up, profiles, data):
    options = profiles(writer=None, coder=None)
    (data / "profiles" / "empty").mkdir()
    container = up(options)
    listed = container.ctl("list").stdout
    assert "gateway@writer" in listed and "gateway@coder" in listed and "gateway@empty" not in listed, listed
    assert "is up" not in container.logs()


def test_hermes_starts_one_which_runs_as_its_profile(up, profiles):
    container = up(profiles(writer=None))
    ctl(container, "start", "gateway@writer")
    said = container.until("gateway-writer: gateway writer is up")
    words = re.findall(r"^hermes: argument=(.*)", said, re.MULTILINE)
    assert words == ["-p", "writer", "gateway", "run", "--replace"], said
    assert "gateway-writer: supervised=1 instance=writer uid=10000" in said, said


def test_the_output_is_raw_for_docker_logs_and_timed_in_the_files(up, profiles, data):
    container = up(profiles(writer=None))
    ctl(container, "start", "gateway@writer")
    said = container.until("gateway-writer: gateway writer is up")
    assert re.search(r"^gateway-writer: gateway writer is up$", said, re.MULTILINE), said
    path = data / "logs" / "gateways" / "writer" / "current"
    from harness import until
    until(lambda: path.exists() and "is up" in path.read_text(), f"{path} to tell", 10)
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z gateway-writer: gateway writer is up$", path.read_text(), re.MULTILINE)
    for place in (path, path.parent):
        assert (os.lstat(place).st_uid, os.lstat(place).st_gid) == (10000, 10000)


def test_one_is_made_stopped_and_removed_while_the_container_runs(up, profiles):
    container = up(profiles())
    # hermes makes the profile, and then its gateway.
    made = container.execute("sh", "-c", "mkdir -p profiles/new && echo soul >profiles/new/SOUL.md", options=["--user", "hermes"])
    assert made.returncode == 0, made
    ctl(container, "start", "gateway@new")
    container.until("gateway new is up")
    ctl(container, "stop", "gateway@new")
    container.until("gateway new told to stop")
    ctl(container, "start", "gateway@new")
    container.until("gateway new is up", 2)
    ctl(container, "remove", "gateway@new")
    container.until("gateway new told to stop", 2)
    assert "gateway@new" not in container.ctl("list").stdout


def test_what_was_up_is_up_after_a_restart_and_what_was_stopped_stays_stopped(up, profiles):
    container = up(profiles(writer=None, coder=None, idle=None))
    ctl(container, "start", "gateway@writer", "gateway@coder")
    container.until("gateway writer is up")
    container.until("gateway coder is up")
    ctl(container, "stop", "gateway@coder")
    container.restart()
    container.until("gateway writer is up", 2)
    assert container.execute("sh", "-c", "until hermes-init health; do sleep 0.05; done").returncode == 0
    said = container.logs()
    assert said.count("gateway coder is up") == 1 and "gateway idle is up" not in said, said


def test_the_default_gateway_is_asked_for_and_remembered(up, profiles):
    container = up(profiles())
    assert "gateway-default: " not in container.logs()
    ctl(container, "start", "gateway-default")
    said = container.until("gateway-default: gateway default is up")
    assert re.findall(r"^hermes: argument=(.*)", said, re.MULTILINE) == ["gateway", "run", "--replace"], said
    container.restart()
    container.until("gateway default is up", 2)
    ctl(container, "stop", "gateway-default")
    container.restart()
    assert container.execute("sh", "-c", "until hermes-init health; do sleep 0.05; done").returncode == 0
    assert container.logs().count("gateway default is up") == 2


def test_the_default_gateway_is_up_from_the_first_boot_where_that_is_asked_for(up, profiles):
    container = up([*profiles(), "--env", "HERMES_GATEWAY_BOOTSTRAP_STATE=running"])
    container.until("gateway default is up")
    # What was asked of it since counts more.
    ctl(container, "stop", "gateway-default")
    container.restart()
    assert container.execute("sh", "-c", "until hermes-init health; do sleep 0.05; done").returncode == 0
    assert container.logs().count("gateway default is up") == 1


@pytest.mark.parametrize("code", [0, 78])
def test_exit_codes_0_and_78_are_final(up, profiles, code):
    container = up(profiles(writer=code))
    container.ctl("start", "gateway@writer")
    container.until(f"gateway-writer: ends with {code}")
    # The one after it would come within a second and a tenth.
    assert container.execute("sleep", "2").returncode == 0
    assert container.logs().count("gateway-writer: ends with") == 1


def test_a_crash_is_started_again_later_each_time(up, profiles):
    container = up(profiles(writer=9))
    container.ctl("start", "--no-wait", "gateway@writer")
    container.until("gateway-writer: ends with 9", 3)
    waits = [float(wait) for wait in re.findall(r"gateway@writer.* again in ([\d.]+) ?s", container.logs())]
    assert len(waits) >= 2 and waits[1] > waits[0], container.logs()


def test_a_killed_gateway_comes_back(up, profiles, data):
    container = up(profiles(writer=None))
    ctl(container, "start", "gateway@writer")
    container.until("gateway writer is up")
    pid = (data / "profiles" / "writer" / "gateway.pid").read_text().strip()
    assert container.execute("sh", "-c", f"kill -KILL {pid}").returncode == 0
    container.until("gateway writer is up", 2)


def test_hermes_may_not_touch_the_other_services(up, profiles):
    container = up([*profiles(), "--env", "HERMES_DASHBOARD=1"])
    container.until("dashboard is up")
    for words in (["stop", "dashboard"], ["stop", "main"], ["shutdown"], ["reload"]):
        assert ctl(container, *words, code=77), words
    assert container.execute("hermes-init", "ctl", "stop", "gateway-default", options=["--user", "4000"]).returncode == 77


def test_none_starts_beside_a_dashboard_of_its_own(up, profiles):
    container = up([*profiles(writer=None), "--env", "HERMES_GATEWAY_BOOTSTRAP_STATE=running"], "dashboard", "--no-open")
    container.until("dashboard is up")
    container.ctl("start", "gateway@writer")
    assert "gateway writer is up" not in container.logs() and "gateway default is up" not in container.logs()


def test_with_multiplexed_profiles_only_the_default_one_starts(up, profiles):
    container = up([*profiles(writer=None), "--env", "GATEWAY_MULTIPLEX_PROFILES=1", "--env",
                    "HERMES_GATEWAY_BOOTSTRAP_STATE=running"])
    container.until("gateway default is up")
    container.ctl("start", "gateway@writer")
    assert "gateway writer is up" not in container.logs()


def test_another_home_has_its_own_profiles_and_logs(up, profiles, data):
    profiles(writer=None)
    container = up(["--volume", f"{data}:/srv/hermes", "--env", "HERMES_HOME=/srv/hermes"])
    ctl(container, "start", "gateway@writer")
    container.until("gateway writer is up")
    assert (data / "logs" / "gateways" / "writer" / "current").exists()


def test_what_was_asked_for_holds_in_the_next_container_of_the_volume(up, volume):
    options = ["--volume", f"{volume}:/opt/data"]
    container = up(options)
    made = container.execute("sh", "-c", "mkdir -p profiles/new && echo soul >profiles/new/SOUL.md", options=["--user", "hermes"])
    assert made.returncode == 0, made
    ctl(container, "start", "gateway@new")
    container.until("gateway new is up")
    assert container.stop() == 143
    podman("rm", container.name, check=True)
    up(options).until("gateway new is up")
