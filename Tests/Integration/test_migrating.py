"""docs/migrating.md: each "after" boots as PID 1 from /etc/hermes-init.d, with small programs in the place of the real ones, and does
what the page says. A section with service files that no test here boots is a failure too."""

import pwd
import re
import signal
import socket

import pytest
from harness import AM_ROOT, ROOT, reachable
from image import Image

PAGE = (ROOT / "docs" / "migrating.md").read_text()
pytestmark = pytest.mark.skipif(not AM_ROOT, reason="needs root: the services run as a user")

def section(title):
    """The text below a heading, to the next heading."""
    return re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def named(text):
    """The blocks of code that have a name: what a reader writes to a file."""
    return dict(re.findall(r"^```\w+ name=(\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


@pytest.fixture
def image(boot):
    return lambda title, programs, before="": Image(boot, named(section(title)), programs, before)


TESTED = [
    "From tini", "From dumb-init", "From an entrypoint script", "cont-init.d and cont-finish.d", "s6-rc.d", "up and down", "services.d",
    "From supervisord",
]


@pytest.mark.plain
def test_each_section_with_files_is_booted():
    titles = re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
    assert [title for title in titles if named(section(title))] == TESTED


@pytest.mark.plain
@pytest.mark.parametrize("title", TESTED)
def test_the_files_of_a_section_pass_check(boot, title):
    boot.services({name: text.encode() for name, text in named(section(title)).items() if name.endswith(".toml")})
    result = boot.run(["--check", "--strict", "--files-only", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result


def test_from_tini(image):
    it = image("From tini", {"metrics-exporter": "", "server": 'sleep 1000 & say "child $!"'})
    life = it.run("--fast")
    it.until("metrics-exporter start: --port 9100", "server start: --fast", "server child")
    result = life.stop()
    it.until("metrics-exporter got TERM", "server got TERM")
    assert result.code == 0, result


def test_tini_restarts_the_service_and_returns_the_exit_code(image):
    it = image("From tini", {"metrics-exporter": "exit 1", "server": 'until [ "$(grep -c ^metrics "$FACTS")" -ge 2 ]; do sleep 0.02; done; exit 7'})
    assert it.run().wait().code == 7


def test_from_dumb_init(image):
    it = image("From dumb-init", {"nginx": ""})
    life = it.run()
    it.until("nginx start: -g daemon off;")
    life.signal(signal.SIGHUP)
    assert life.stop().code == 0
    assert [line for line in it.said() if "got" in line] == ["nginx got QUIT"]


def test_from_an_entrypoint_script(image):
    with socket.create_server(("127.0.0.1", 0)) as database:
        it = image("From an entrypoint script", {"server": "", "worker": 'say "password $DB_PASSWORD"'},
                   before="mkdir /opt/app; echo first > /opt/app/app.conf.example; echo sesame > /opt/password; mkdir /srv/data; touch /srv/data/old")
        life = it.run("--quick", PUID="51999", DB_PASSWORD_FILE="/opt/password", DB_HOST="127.0.0.1",
                      DB_PORT=str(database.getsockname()[1]), WORKERS="3")
        it.until("server start: --quick (user app, in /srv/data,", "worker start: --count 3 (user app,", "worker password sesame")
        listed = life.enter(["stat", "-c", "%u %n", "/srv/data", "/srv/data/old", "/srv/data/app.conf"]).out.splitlines()
        assert [line.split()[0] for line in listed] == ["51999"] * 3, listed
        assert life.enter(["cat", "/srv/data/app.conf"]).out == "first\n"
        life.stop()
    it.in_order("server got TERM", "worker got TERM")


def test_without_what_the_script_asks_for_the_worker_is_left_out_and_the_boot_fails_where_the_database_is_missing(image):
    it = image("From an entrypoint script", {"server": "", "worker": ""}, before="mkdir /opt/app; echo first > /opt/app/app.conf.example")
    path = it.etc / "hermes-init.d" / "database.toml"
    path.write_text(path.read_text() + 'timeout = "300ms"\n')
    result = it.run(DB_HOST="127.0.0.1", DB_PORT="1").wait()
    assert result.code == 1 and "database: failed" in result.err and it.said() == [], result


def test_from_cont_init(image):
    it = image("cont-init.d and cont-finish.d", {"manage": "exit 0", "deregister": "exit 0", "server": ""}, before="mkdir /srv/app; touch /srv/app/of-root")
    life = it.run("server", DATABASE_URL="postgres://db")
    it.until("manage start: migrate --url postgres://db (user app, in /srv/app,", "server start:")
    assert life.enter(["stat", "-c", "%U", "/srv/app", "/srv/app/of-root"]).out.split() == ["app", "app"]
    life.stop()
    it.in_order("manage start", "server start", "server got TERM", "deregister start: box")


def test_a_failed_step_of_cont_init_stops_the_boot(image):
    it = image("cont-init.d and cont-finish.d", {"manage": "exit 3", "deregister": "exit 0", "server": ""})
    result = it.run("server", DATABASE_URL="x").wait()
    assert result.code == 3 and not any("server" in line for line in it.said()), result


def test_from_s6_rc(image):
    it = image("s6-rc.d", {"database": "sleep 0.1; say ready; echo >&3", "schema": "exit 0", "api": "echo out; echo err >&2"}, before="mkdir -p /srv/app")
    life = it.run(PORT="81")
    it.until("database start: --dir /srv/db --ready-fd 3 (user app,", "api start: --port 81 (user app, in /srv/app,")
    it.in_order("database ready", "schema start: --latest", "api start")
    life.until(lambda: life.enter(["cat", "/var/log/api/current"]).out.count("\n") == 2, "two lines in the log")
    text = life.enter(["cat", "/var/log/api/current"]).out
    assert re.fullmatch(r"20\S+Z out\n20\S+Z err\n", text) and "out\n" not in life.stdout(), text
    assert it.ctl("status", "backend").code == 0
    assert life.stop().code == 0
    it.in_order("api got TERM", "database got INT")


def test_code_78_of_the_finish_script_is_final(image):
    it = image("s6-rc.d", {"database": "echo >&3", "schema": "exit 0", "api": "exit 78"}, before="mkdir -p /srv/app")
    life = it.run()
    life.until_err("api: failed: exited with code 78")
    assert sum("api start" in line for line in it.said()) == 1
    life.stop()


def test_up_and_down(image):
    it = image("up and down", {"tunnel": 'exit 0'})
    (it.etc / "hermes-init.d" / "main.toml").write_text('type = "main"\nrequires = ["tunnel"]\n')
    assert it.run("sh", "-c", 'echo main >> "$FACTS"').wait().code == 0
    it.in_order("tunnel start: up", "main", "tunnel start: down")


def test_from_services_d(image):
    it = image("services.d", {"broker": "echo one; sleep 0.1; exit 5"}, before="mkdir -m 777 /var/log/broker")
    result = it.run().wait()
    assert result.code == 5 and "[broker] one" in result.out, result


@pytest.mark.parametrize("code, starts", [(3, 1), (1, 2)])
def test_supervisord_unexpected(image, code, starts):
    """exitcodes=0,3: 3 is expected, 1 is not."""
    it = image("From supervisord", {"web": f"exit {code}", "cache": "", "job": "", "report": ""}, before="mkdir /srv/app")
    life = it.run(PORT="80")
    if starts == 1:
        life.until(lambda: '"state":"ended"' in it.ctl("status", "web", "--json").out, "web has ended")
        assert sum("web start" in line for line in it.said()) == 1
    else:
        life.until(lambda: sum("web start" in line for line in it.said()) >= starts, "web is started again")
    life.stop()


def test_from_supervisord(image):
    it = image("From supervisord", {"web": 'say "env $MODE $WORKERS $LANG"; sleep 1000 & echo out', "cache": "echo cached; echo err >&2", "job": "", "report": ""},
               before="mkdir /srv/app")
    life = it.run(PORT="80")
    it.until("web start: --port 80 (user app, in /srv/app, umask 0027)", "web env full 4 C.UTF-8", "job start: --number 0", "job start: --number 1")
    life.until_out("[web] out")
    life.until(lambda: life.enter(["cat", "/var/log/cache.log"]).out == "cached\nerr\n", "the log of cache")
    assert not any("report" in line for line in it.said()) and "cached" not in life.stdout()
    # What supervisorctl did.
    assert {line.split()[0] for line in it.ctl("list").out.splitlines()} >= {"web", "cache", "job@0", "job@1", "report", "all"}
    assert it.ctl("stop", "job@1").code == 0
    it.until("job got TERM")
    assert it.ctl("start", "report").code == 0
    it.until("report start")
    assert it.ctl("restart", "cache").code == 0 and it.ctl("logs", "web").out == "out\n" and it.ctl("reload").code == 0
    assert it.ctl("status", "all").code == 0
    assert life.enter([str(reachable()), "ctl", "signal", "SIGHUP", "job@0"], user=pwd.getpwnam("nobody").pw_uid).code == 77
    assert life.enter([str(reachable()), "ctl", "signal", "SIGHUP", "job@0"], user=51234).code == 0
    it.ctl("shutdown")
    assert life.wait().code == 0
    assert any(line == "web got QUIT" for line in it.said())
