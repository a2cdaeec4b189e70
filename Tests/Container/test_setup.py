"""What has been done before any service starts, each test for a line of what users of the image rely on: identity, data volume,
home, migration, browser, terminal UI."""

import os
import re
import socket
import stat

import pytest
from conftest import lines_of, podman

TREES = ["cron", "sessions", "logs", "hooks", "memories", "skills", "skins", "plans", "workspace", "home", "profiles", "pairing",
         "platforms/pairing", "lazy-packages"]
FILES = ["auth.json", "auth.lock", ".env", "state.db", "state.db-shm", "state.db-wal", "hermes_state.db", "response_store.db",
         "response_store.db-shm", "response_store.db-wal", "gateway.lock", "gateway_state.json", "active_profile", "config.yaml"]
WHO = ["sh", "-c", "echo who=$(id -u):$(id -g):$(id -G | tr ' ' ,) home=$HOME"]


def mount(folder, to="/opt/data", more=""):
    return ["--volume", f"{folder}:{to}{more}"]


def who(result):
    found = re.search(r"^who=(\S+)", result.stdout, re.MULTILINE)
    assert found, result
    return found.group(1)


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


# 1. identity


@pytest.mark.parametrize("variables, numbers", [
    ({}, "10000:10000:10000"),
    ({"HERMES_UID": "1500", "HERMES_GID": "1600"}, "1500:1600:1600"),
    ({"PUID": "1500", "PGID": "1600"}, "1500:1600:1600"),
    # The HERMES_ names win.
    ({"HERMES_UID": "1500", "PUID": "1700", "HERMES_GID": "1600", "PGID": "1800"}, "1500:1600:1600"),
    # NAS systems; macOS, whose group 20 is another here.
    ({"PUID": "99", "PGID": "100"}, "99:100:100"),
    ({"PUID": "501", "PGID": "20"}, "501:20:20"),
    ({"PUID": "1", "PGID": "65534"}, "1:65534:65534"),
])
def test_hermes_gets_the_numbers_that_are_asked_for(run, data, variables, numbers):
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    result = run([*options, *mount(data)], *WHO)
    assert result.returncode == 0 and who(result) == numbers and "home=/opt/data" in result.stdout, result
    uid, gid = (int(number) for number in numbers.split(":")[:2])
    assert owner(data) == (uid, gid) and owner(data / "config.yaml") == (uid, gid) and owner(data / "logs") == (uid, gid)


@pytest.mark.parametrize("value", ["0", "65535", "-5", "1000x", "0x10", " 7", "99999999999999999999"])
def test_a_number_that_will_not_do_is_reported_and_ignored(run, value):
    result = run(["--env", f"PUID={value}", "--env", "PGID=1600"], *WHO)
    assert result.returncode == 0 and who(result) == "10000:1600:1600", result
    assert "cannot use PUID=" in result.stdout + result.stderr, result


@pytest.mark.parametrize("path, number, groups", [
    ("/var/run/docker.sock", 4321, "10000,4321"), ("/run/docker.sock", 4322, "10000,4322"),
    # The socket of root, and the number of a group that is there: 50 is staff.
    ("/var/run/docker.sock", 0, "10000,0"), ("/run/docker.sock", 50, "10000,50"),
    ("/dev/dri/renderD128", 4323, "10000,4323"),
])
def test_hermes_joins_the_group_of_sockets_and_devices(run, tmp_path, path, number, groups):
    host = tmp_path / "there"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.fsencode(host))
        os.chown(host, 0, number)
        os.chmod(host, 0o660)
        result = run(mount(host, path), "sh", "-c", f"{WHO[2]}; test -w {path} && getent group {number}")
    assert result.returncode == 0, result
    assert sorted(who(result).split(":")[2].split(",")) == sorted(groups.split(",")), result
    if number in (4321, 4322):
        assert f"hostdocker:x:{number}:hermes" in result.stdout, result


def test_start_as_a_user_that_is_neither_root_nor_hermes_is_refused_with_the_remedy(run):
    result = run(["--user", "1234"], "sh", "-c", "echo the program runs")
    said = result.stdout + result.stderr
    assert result.returncode != 0 and "the program runs" not in said, result
    assert "1234 is not supported" in said, result
    for remedy in ("-e HERMES_UID=$(id -u) -e HERMES_GID=$(id -g)", "-e PUID=$(id -u) -e PGID=$(id -g)"):
        assert remedy in said, result


def test_the_remedy_works(run, data):
    os.chown(data, 1234, 1235)
    result = run(["--env", "HERMES_UID=1234", "--env", "HERMES_GID=1235", *mount(data)], *WHO)
    assert result.returncode == 0 and who(result) == "1234:1235:1235" and owner(data / "config.yaml") == (1234, 1235), result


def test_start_as_hermes_itself_sets_up_its_volume(run, data):
    os.chown(data, 10000, 10000)
    result = run(["--user", "10000:10000", *mount(data)], *WHO)
    assert result.returncode == 0 and who(result) == "10000:10000:10000", result
    assert owner(data / "config.yaml") == (10000, 10000) and mode(data / ".env") == 0o600


def test_numbers_hold_on_a_read_only_root_too(run, data):
    result = run(["--read-only", "--env", "PUID=1500", "--env", "PGID=1600", *mount(data)], *WHO)
    assert result.returncode == 0 and who(result) == "1500:1600:1600", result
    assert owner(data / "config.yaml") == (1500, 1600)


# 2. data volume


def fill(folder, uid, gid):
    """A volume as another user, or root, left it: all that is hermes', and files of other people."""
    made = []
    for name in TREES + ["logs/gateways/writer"]:
        (folder / name / "deep" / "er").mkdir(parents=True, exist_ok=True)
        (folder / name / "deep" / "er" / "file").write_text("x")
        made += [name, f"{name}/deep", f"{name}/deep/er", f"{name}/deep/er/file"]
    for name in FILES:
        (folder / name).write_text("x")
        made.append(name)
    for name in ["photos", "photos/2024", "platforms/other"]:
        (folder / name).mkdir(parents=True, exist_ok=True)
    foreign = ["photos/2024/a.jpg", "notes.txt", "platforms/other/x", ".profile"]
    for name in foreign:
        (folder / name).write_text("foreign")
    for name in foreign + ["photos", "photos/2024", "platforms", "platforms/other"]:
        os.chown(folder / name, 3000, 3000)
    for name in made + ["."]:
        os.chown(folder / name, uid, gid)
    return made, foreign


def test_what_is_hermes_is_given_to_hermes_and_nothing_else(run, data):
    made, foreign = fill(data, 0, 0)
    modes = {name: mode(data / name) for name in foreign}
    result = run(mount(data), "true")
    assert result.returncode == 0, result
    assert {name: owner(data / name) for name in made} == {name: (10000, 10000) for name in made}
    assert owner(data) == (10000, 10000)
    for name in foreign + ["photos", "platforms", "platforms/other"]:
        assert owner(data / name) == (3000, 3000), name
    for name in foreign:
        assert (data / name).read_text() == "foreign" and mode(data / name) == modes[name]
    assert mode(data / ".env") == 0o600 and mode(data / "config.yaml") == 0o640


def test_a_warm_volume_is_read_and_not_written(run, data):
    fill(data, 10000, 10000)
    assert run(mount(data), "true").returncode == 0

    def changes():
        return {os.path.join(path, name): os.lstat(os.path.join(path, name)).st_ctime_ns
                for path, folders, files in os.walk(data) for name in folders + files}

    before = changes()
    result = run(mount(data), "true")
    assert result.returncode == 0 and changes() == before, result
    for stage in ("identity", "data", "home"):
        assert lines_of(stage, result.stdout + result.stderr) == [], result


def test_the_group_of_what_is_hermes_already_stays(run, data):
    (data / "workspace").mkdir()
    (data / "workspace" / "shared").write_text("")
    for name in [".", "workspace", "workspace/shared"]:
        os.chown(data / name, 10000, 3000)
    assert run(mount(data), "true").returncode == 0
    assert owner(data / "workspace" / "shared") == (10000, 3000)


def test_a_file_that_root_left_in_a_tree_is_mended_at_the_next_boot(start, volume):
    container = start(["--volume", f"{volume}:/opt/data"], "gateway", "run")
    container.until("gateway is up")
    assert container.execute("sh", "-c", "echo x >/opt/data/sessions/of-root; chmod 600 /opt/data/sessions/of-root").returncode == 0
    container.restart()
    container.until("gateway is up", 2)
    result = container.execute("stat", "-c", "%u:%g", "/opt/data/sessions/of-root")
    assert result.stdout.strip() == "10000:10000", container.logs()
    assert "gave 1 entry in /opt/data/sessions" in container.logs()


def test_another_home_is_made_with_its_parents(run, data):
    result = run(["--env", "HERMES_HOME=/srv/a/b/hermes", *mount(data, "/srv/a")], "sh", "-c",
                 "stat -c %u:%g:%n /srv/a /srv/a/b $HERMES_HOME $HERMES_HOME/config.yaml; echo home=$HOME; ls /opt/data/config.yaml")
    assert "10000:10000:/srv/a/b/hermes\n" in result.stdout and "10000:10000:/srv/a/b/hermes/config.yaml" in result.stdout, result
    assert "0:0:/srv/a/b\n" in result.stdout and "home=/opt/data" in result.stdout and result.returncode != 0, result


# Symbolic links, read-only mounts


def test_links_are_refused_with_one_line_each_and_the_boot_goes_on(run, data, tmp_path):
    outside = tmp_path / "outside"
    (outside / "sessions").mkdir(parents=True)
    for name in ["secret", "sessions/x", "env"]:
        (outside / name).write_text("outside")
    (data / "sessions").symlink_to("/outside/sessions")
    (data / "config.yaml").symlink_to("/outside/secret")
    (data / ".env").symlink_to("/outside/env")
    (data / "platforms").symlink_to("/outside")
    (data / "memories").mkdir()
    (data / "memories" / "link").symlink_to("/outside/secret")
    before = {name: (owner(outside / name), mode(outside / name)) for name in ["secret", "sessions", "sessions/x", "env"]}
    result = run([*mount(data), *mount(outside, "/outside")], "sh", "-c", "echo the program runs")
    said = result.stdout + result.stderr
    assert result.returncode == 0 and "the program runs" in said, result
    for path in ["sessions", "config.yaml", ".env", "platforms/pairing"]:
        assert re.search(rf"refusing /opt/data/{re.escape(path)}\b", said), (path, result)
    assert {name: (owner(outside / name), mode(outside / name)) for name in before} == before
    assert all((outside / name).read_text() == "outside" for name in ["secret", "sessions/x", "env"])
    assert sorted(os.listdir(outside)) == ["env", "secret", "sessions"] and os.listdir(outside / "sessions") == ["x"]
    # In a tree the link itself is given away, and not what it leads to.
    assert owner(data / "memories" / "link") == (10000, 10000)


def test_a_volume_that_is_a_link_is_refused(run, data, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (data / "home").symlink_to("/outside")
    result = run(["--env", "HERMES_HOME=/mnt/home", *mount(data, "/mnt"), *mount(outside, "/outside")], "sh", "-c", "echo runs")
    said = result.stdout + result.stderr
    assert result.returncode == 0 and "runs" in said and "refusing /mnt/home" in said, result
    assert os.listdir(outside) == [] and owner(outside) == (0, 0)


def test_a_volume_that_cannot_be_written_to_is_told_and_the_boot_goes_on(run, data):
    fill(data, 0, 0)
    result = run(mount(data, more=":ro"), "sh", "-c", "echo runs")
    said = result.stdout + result.stderr
    assert result.returncode == 0 and "runs" in said, result
    assert len([line for line in lines_of("data", said) if "read-only" in line]) == 1, said


def test_root_without_the_right_to_change_owners_gets_one_warning(run, data):
    fill(data, 0, 0)
    os.chmod(data, 0o777)
    result = run(["--cap-drop", "CHOWN", *mount(data)], "sh", "-c", "echo runs")
    said = result.stdout + result.stderr
    assert result.returncode == 0 and "runs" in said, result
    assert len([line for line in lines_of("data", said) if "capability CHOWN" in line]) == 1, said


# 3. home

FOLDERS = ["backups", "cron", "sessions", "logs", "logs/gateways", "hooks", "memories", "skills", "skins", "plans", "workspace",
           "home", "pairing", "platforms/pairing", "lazy-packages"]


def test_the_first_boot_makes_folders_and_files(run, data):
    result = run(["--env", 'HERMES_AUTH_JSON_BOOTSTRAP={"token": "t"}', "--env", "HERMES_GATEWAY_BOOTSTRAP_STATE=running",
                  *mount(data)], "true")
    assert result.returncode == 0, result
    for name in FOLDERS:
        assert (data / name).is_dir() and owner(data / name) == (10000, 10000), name
    text = (data / ".env").read_text()
    assert re.search(r"^API_SERVER_KEY=[0-9a-f]{64}$", text, re.MULTILINE) and "OPENROUTER_API_KEY=" in text, text
    assert "stand-in" in (data / "config.yaml").read_text() and "stand-in" in (data / "SOUL.md").read_text()
    assert (data / "auth.json").read_text() == '{"token": "t"}'
    assert (data / "gateway_state.json").read_text() == '{"gateway_state":"running"}'
    modes = {name: oct(mode(data / name)) for name in [".env", "config.yaml", "auth.json"]}
    assert modes == {".env": "0o600", "config.yaml": "0o640", "auth.json": "0o600"}
    for name in [".env", "config.yaml", "SOUL.md", "auth.json", "gateway_state.json"]:
        assert owner(data / name) == (10000, 10000), name
    # Not a secret in the log.
    key = re.search(r"API_SERVER_KEY=(\w+)", text).group(1)
    assert key not in result.stdout + result.stderr and '"t"' not in result.stdout + result.stderr


def test_the_next_boot_changes_nothing_of_it(run, data):
    files = {".env": "API_SERVER_KEY=mine\n", "config.yaml": "mine: 1\n", "SOUL.md": "mine", "auth.json": "{}",
             "gateway_state.json": '{"gateway_state":"stopped"}'}
    for name, text in files.items():
        (data / name).write_text(text)
    result = run(["--env", "HERMES_AUTH_JSON_BOOTSTRAP={}", "--env", "HERMES_GATEWAY_BOOTSTRAP_STATE=running", *mount(data)], "true")
    assert result.returncode == 0 and {name: (data / name).read_text() for name in files} == files, result


@pytest.mark.parametrize("before, kept", [
    ("A=1\n", "A=1\n"), ("API_SERVER_KEY=\nB=2\n", "B=2"), ("API_SERVER_KEY=''\n", ""), ("# API_SERVER_KEY=no\n", "# API_SERVER_KEY=no"),
])
def test_a_key_for_the_api_where_there_is_none(run, data, before, kept):
    (data / ".env").write_text(before)
    assert run(mount(data), "true").returncode == 0
    text = (data / ".env").read_text()
    assert re.search(r"^API_SERVER_KEY=[0-9a-f]{64}$", text, re.MULTILINE) and kept in text, text


@pytest.mark.parametrize("variables", [
    {}, {"HERMES_AUTH_JSON_BOOTSTRAP": "", "HERMES_GATEWAY_BOOTSTRAP_STATE": "stopped"},
    {"HERMES_GATEWAY_BOOTSTRAP_STATE": "Running"}, {"HERMES_GATEWAY_BOOTSTRAP_STATE": "running "},
])
def test_without_the_variables_no_session_and_no_state(run, data, variables):
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    assert run([*options, *mount(data)], "true").returncode == 0
    assert not (data / "auth.json").exists() and not (data / "gateway_state.json").exists()


def test_what_the_last_life_left_is_removed(run, data):
    (data / "profiles" / "writer").mkdir(parents=True)
    for name in ["gateway.pid", "processes.json", "profiles/writer/gateway.pid", "profiles/writer/processes.json"]:
        (data / name).write_text("17")
    (data / "profiles" / "writer" / "SOUL.md").write_text("kept")
    (data / ".install_method").write_text("docker\n")
    assert run(mount(data), "true").returncode == 0
    for name in ["gateway.pid", "processes.json", "profiles/writer/gateway.pid", "profiles/writer/processes.json", ".install_method"]:
        assert not (data / name).exists(), name
    assert (data / "profiles" / "writer" / "SOUL.md").read_text() == "kept"


def test_another_install_method_stays(run, data):
    (data / ".install_method").write_text("pip\n")
    assert run(mount(data), "true").returncode == 0
    assert (data / ".install_method").read_text() == "pip\n"


def test_a_named_volume_keeps_what_is_in_it(run, volume):
    options = ["--volume", f"{volume}:/opt/data"]
    first = run(options, "sh", "-c", "grep API_SERVER_KEY /opt/data/.env; echo mine >>/opt/data/SOUL.md")
    second = run(options, "sh", "-c", "grep API_SERVER_KEY /opt/data/.env; tail -n 1 /opt/data/SOUL.md")
    assert second.stdout == first.stdout.strip() + "\nmine\n", (first, second)


# 4. migrate, rebootstrap, skills


def scripts(text):
    """The scripts of hermes-agent in the order in which they ran, without their folder, and how."""
    found = re.findall(r"python: uid=(\d+) gid=\d+ home=(\S+) cwd=(\S+) script=(.*)", text)
    return [words.removeprefix("/opt/hermes/") for *_, words in found], {tuple(how) for *how, _ in found}


def test_the_scripts_run_as_hermes_in_their_order(run):
    result = run(["--env", "HERMES_AUTH_JSON_REBOOTSTRAP=x"], "sh", "-c", "echo main-runs")
    said = result.stdout + result.stderr
    assert scripts(said) == ([
        "scripts/docker_config_migrate.py", "scripts/docker_rebootstrap_nous_session.py /opt/data/auth.json",
        "tools/skills_sync.py"], {("10000", "/opt/data", "/opt/hermes")}), result


def test_a_session_is_renewed_only_where_it_is_asked_for(run):
    result = run([], "true")
    assert scripts(result.stdout + result.stderr)[0] == ["scripts/docker_config_migrate.py", "tools/skills_sync.py"], result


@pytest.mark.parametrize("script", ["docker_config_migrate.py", "docker_rebootstrap_nous_session.py", "skills_sync.py"])
def test_a_script_that_fails_is_told_and_the_boot_goes_on(run, script):
    result = run(["--env", "HERMES_AUTH_JSON_REBOOTSTRAP=x", "--env", f"STAND_IN_FAILS={script}"], "sh", "-c", "echo runs; exit 4")
    said = result.stdout + result.stderr
    assert result.returncode == 4 and "runs" in said and len(scripts(said)[0]) == 3, result
    assert re.search(r"hermes-init: (migrate|rebootstrap|skills).*3", said), result


def test_nothing_is_migrated_where_there_is_no_configuration(run, data):
    # A folder in its place: nothing can be put there, and it is no configuration.
    result = run([*mount(data), "--env", "HERMES_HOME=/proc/nowhere"], "true")
    assert "docker_config_migrate" not in result.stdout + result.stderr, result


# 5. browser


def test_the_browser_is_found_by_its_exact_name(run):
    result = run([], "sh", "-c", "echo browser=$AGENT_BROWSER_EXECUTABLE_PATH")
    assert "browser=/opt/hermes/.playwright/chromium_headless_shell-1/chrome-linux/headless_shell\n" in result.stdout, result


def test_a_browser_that_is_named_stays(run):
    result = run(["--env", "AGENT_BROWSER_EXECUTABLE_PATH=/usr/bin/mine"], "sh", "-c", "echo browser=$AGENT_BROWSER_EXECUTABLE_PATH")
    assert "browser=/usr/bin/mine\n" in result.stdout, result


def test_the_browser_is_sought_where_playwright_has_it(run, tmp_path):
    (tmp_path / "b").mkdir()
    for name in ["libchrome.so", "chromium"]:
        (tmp_path / "b" / name).write_text("#!/bin/sh\n")
        (tmp_path / "b" / name).chmod(0o755)
    result = run(["--env", "PLAYWRIGHT_BROWSERS_PATH=/browsers", *mount(tmp_path / "b", "/browsers")], "sh", "-c",
                 "echo browser=$AGENT_BROWSER_EXECUTABLE_PATH")
    assert "browser=/browsers/chromium\n" in result.stdout, result


# 6. tui


@pytest.mark.parametrize("options, words", [([], ["--tui"]), (["--env", "HERMES_TUI=1"], ["chat"])])
def test_a_full_screen_program_has_the_terminal_to_itself(terminal, options, words):
    screen = terminal([*options, "--env", "HERMES_DASHBOARD=1", "--env", "TERM=dumb"], *words)
    assert screen.wait() == 0
    text = screen.text.decode()
    assert "hermes: tty=yes" in text and "hermes-init" not in text and "[" not in text, text


def test_the_terminal_ui_without_a_terminal_says_what_is_missing(run):
    result = run([], "--tui")
    assert result.returncode != 0 and "docker run -it" in result.stdout + result.stderr, result


def test_nothing_of_the_setup_needs_a_shell(run):
    # No program but those that hermes brings: without sh in the image the boot is the same.
    result = run(["--user", "0"], "hermes-init", "--plan", "--format", "json", "--config", "/etc/hermes-init.d")
    assert result.returncode == 0 and "/bin/sh" not in result.stdout, result
    assert podman("run", "--rm", "--entrypoint", "/bin/sh", "localhost/hermes-init-test:image", "-c",
                  "! grep -rlE '^(script|plugin = \"[^\"]*/)' /etc/hermes-init.d").returncode == 0
