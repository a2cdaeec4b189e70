"""Every verb of the control socket, on the release binary, with and without the right to it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from control import OWN_RUN, PYTHON, SCRIPT, Client, ask, ask_as, good, path_of, status, until_state, wrong
from harness import AM_ROOT, ORDINARY, ROOT, until

SLEEP = 'command = ["sleep", "1000"]\n'
LONELY = "autostart = false\n" + SLEEP
needs_root = pytest.mark.skipif(not AM_ROOT, reason="other users can be tried by root only")


def start(boot, services, command=(), init="", **how):
    files = dict(services)
    if init:
        files["init"] = init
    life = boot(command, files, before=OWN_RUN, **how)
    until(lambda: os.path.exists(path_of(life)), "the control socket is there")
    return life


def test_a_client_is_greeted(boot):
    life = start(boot, {"web": SLEEP})
    with Client(life) as client:
        assert client.greeting["protocol"] == 1
        assert client.greeting["hermes-init"] == good_version(client)


def good_version(client):
    return client.ask("version")[-1]["version"]


def test_the_socket_is_for_everybody_and_goes_with_the_container(boot):
    life = start(boot, {"web": SLEEP})
    path = path_of(life)
    assert os.stat(path).st_mode & 0o7777 == 0o666
    assert os.stat(os.path.dirname(path)).st_mode & 0o7777 == 0o755
    life.stop()
    assert not os.path.exists(path)


def test_status_tells_what_is_known(boot):
    life = start(boot, {"web": 'description = "pages"\n' + SLEEP, "setup": 'type = "oneshot"\ncommand = ["true"]',
                        "never": SLEEP + '[when]\nenv = ["NOPE"]',
                        "later": LONELY, "bad": 'type = "oneshot"\noptional = true\ncommand = ["sh", "-c", "exit 7"]'})
    until_state(life, "web", "up")
    until_state(life, "bad", "failed")
    until_state(life, "setup", "done")
    lines = ask(life, "status")
    last, services = lines[-1], {line["name"]: line for line in lines[:-1]}
    assert last["ok"] and last["services"] == 5 and not last["stopping"]
    assert last["boot"]["done"] and last["uptime"] >= last["boot"]["seconds"]
    web = services["web"]
    assert web["state"] == "up" and web["ready"] and web["well"] and web["words"] == "up"
    assert web["description"] == "pages" and web["restarts"] == 0 and web["last-exit"] is None
    assert abs(web["since"] / 1000 - time.time()) < 3600 and web["for"] >= 0
    assert web["memory"] > 0 and web["autostart"] and not web["optional"]
    assert services["setup"]["last-exit"] == {"code": 0}
    assert services["setup"]["pid"] is None and services["setup"]["memory"] is None
    assert services["bad"]["last-exit"] == {"code": 7} and "code 7" in services["bad"]["problem"]
    assert services["bad"]["well"] and services["bad"]["optional"]
    assert services["never"]["state"] == "skipped" and "NOPE" in services["never"]["skipped-because"]
    assert services["later"]["state"] == "idle" and not services["later"]["autostart"]


def test_status_of_one_that_is_waiting_for_its_next_start(boot):
    life = start(boot, {"web": 'command = ["sh", "-c", "kill -SEGV $$"]\n[restart]\ndelay = "1h"\nmax-delay = "1h"'})
    line = until_state(life, "web", "backing-off")
    assert line["next-start"] > 3000
    assert line["last-exit"]["signal"] == "SIGSEGV"


def test_list_names_every_service(boot):
    life = start(boot, {"web": SLEEP, "all": 'type = "group"\nrequires = ["web"]'})
    lines = good(life, "list")
    assert {line["name"]: line["type"] for line in lines} == {"web": "longrun", "all": "group"}
    assert all(line["template"] is False and line["instance-of"] is None for line in lines)


def test_start_waits_until_it_is_up_and_tells_the_way(boot):
    life = start(boot, {"db": LONELY + '[ready]\npath = "@/ready"', "web": 'requires = ["db"]\n' + LONELY,
                        "other": SLEEP})
    with Client(life) as client:
        client.send("start web")
        states = [client.line()]
        assert states[0]["name"] == "web" and states[0]["state"] == "waiting"
        until_state(life, "db", "running")
        (boot.folder / "ready").touch()
        while "ok" not in states[-1]:
            states.append(client.line())
        assert states[-1] == {"ok": True}
        assert states[-2]["state"] == "up"
    # It is up: nothing to wait for.
    assert good(life, "start web") == []


def test_start_fails_with_the_reason(boot):
    life = start(boot, {"bad": "autostart = false\n" + 'type = "oneshot"\ncommand = ["sh", "-c", "exit 3"]',
                        "loop": 'autostart = false\ncommand = ["sh", "-c", "exit 4"]\n[ready]\npath = "/nowhere"',
                        "never": LONELY + '[when]\nenv = ["NOPE"]', "web": SLEEP})
    error = wrong(life, "start bad")
    assert error["error"] == "failed" and "bad failed: exited with code 3" in error["message"]
    error = wrong(life, "start loop")
    assert error["error"] == "failed" and "code 4" in error["message"] and "wait --up loop" in error["hint"]
    error = wrong(life, "start never")
    assert error["error"] == "failed" and "NOPE" in error["message"]


def test_start_without_waiting_and_with_a_timeout(boot):
    life = start(boot, {"slow": LONELY + '[ready]\npath = "@/ready"', "web": SLEEP})
    assert good(life, "start slow --no-wait") == []
    good(life, "start web --wait")
    assert status(life, "web")["state"] == "up"
    error = wrong(life, "start --timeout=50ms slow")
    assert error["error"] == "timeout" and "slow" in error["message"] and error["hint"]
    error = wrong(life, "wait --up slow --timeout 50ms")
    assert error["error"] == "timeout" and "hint" not in error


def test_stop_waits_until_it_is_down_and_takes_with_it_what_requires_it(boot):
    life = start(boot, {"db": SLEEP, "web": 'requires = ["db"]\n' + SLEEP})
    until_state(life, "web", "up")
    lines = good(life, "stop db")
    assert lines[-1]["state"] == "stopped"
    assert status(life, "db")["pid"] is None
    assert status(life, "web")["state"] == "stopped"
    assert good(life, "stop db") == []


def test_what_a_stop_command_leaves_behind_is_killed(boot):
    held = boot.folder / "held"
    os.mkfifo(held)
    pipe = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    life = start(boot, {"web": SLEEP + '[stop]\ncommand = ["sh", "-c", "exec 3>@/held; echo here >&3; sleep 1000 & exit 0"]\n'})
    until_state(life, "web", "up")
    good(life, "stop web")

    def is_let_go():
        try:
            return os.read(pipe, 100) == b""
        except BlockingIOError:
            return False

    assert os.read(pipe, 100) == b"here\n"
    life.until(is_let_go, "nobody holds the pipe any more")
    os.close(pipe)


def test_stop_of_what_the_main_program_needs_is_refused(boot):
    life = start(boot, {"db": SLEEP, "main": 'type = "main"\nrequires = ["db"]\n' + SLEEP})
    until_state(life, "main", "up")
    error = wrong(life, "stop db")
    assert error["error"] == "conflict" and "main program requires it" in error["message"]
    assert status(life, "db")["state"] == "up"


def test_stop_gives_way_to_a_start(boot):
    stubborn = "trap 'touch @/told; rm @/ok' TERM; touch @/ok; while [ -e @/ok ] || [ ! -e @/go ]; do sleep 0.01; done"
    life = start(boot, {"web": f'command = ["sh", "-c", "{stubborn}"]\n[ready]\npath = "@/ok"\n[stop]\ntimeout = "1h"'})
    until_state(life, "web", "up")
    with Client(life) as client:
        client.send("stop web")
        assert client.line()["state"] == "stopping"
        life.until(lambda: (boot.folder / "told").exists(), "it was told to stop")
        good(life, "start web --no-wait")
        (boot.folder / "go").touch()
        while "ok" not in (line := client.line()):
            pass
        assert line["error"] == "failed" and "start again" in line["message"]


def test_restart_gives_a_new_process(boot):
    life = start(boot, {"web": SLEEP, "all": 'type = "group"\nrequires = ["web"]'})
    before = until_state(life, "web", "up")
    good(life, "restart web")
    after = status(life, "web")
    assert after["state"] == "up" and after["pid"] != before["pid"] and after["restarts"] == 1
    # A group is asked in the name of its members.
    good(life, "restart all")
    assert status(life, "web")["pid"] != after["pid"]


def test_wait_for_up_and_down(boot):
    life = start(boot, {"web": LONELY, "other": SLEEP})
    with Client(life) as up, Client(life) as down:
        up.send("wait --up web other")
        assert up.socket.getblocking()
        good(life, "start web")
        while "ok" not in (line := up.line()):
            pass
        assert line["ok"]
        down.send("wait --down web")
        good(life, "stop web")
        while "ok" not in (line := down.line()):
            pass
        assert line["ok"]


def test_reload_of_a_service_waits_for_its_command(boot):
    life = start(boot, {
        "web": SLEEP + '[reload]\ncommand = ["sh", "-c", "while [ ! -e @/go ]; do sleep 0.01; done; exit $(cat @/go)"]',
        "hup": SLEEP + '[reload]\nsignal = "SIGWINCH"', "none": SLEEP})
    for name in ["web", "hup", "none"]:
        until_state(life, name, "up")
    assert good(life, "reload hup") == []
    assert "no [reload]" in wrong(life, "reload none")["message"]
    with Client(life) as client:
        client.send("reload web")
        (boot.folder / "go").write_text("0")
        assert client.line() == {"ok": True}
    (boot.folder / "go").write_text("5")
    error = wrong(life, "reload web")
    assert error["error"] == "failed" and "code 5" in error["message"]


def test_signal(boot):
    script = "trap 'echo got' USR1; echo ready; while :; do sleep 0.01; done"
    life = start(boot, {"web": f'command = ["sh", "-c", "{script}"]', "later": LONELY})
    life.until_out("ready")
    assert good(life, "signal USR1 web") == []
    life.until_out("got")
    assert wrong(life, "signal SIGTERM later")["error"] == "conflict"
    assert wrong(life, "signal NOPE web")["error"] == "usage"
    pid = status(life, "web")["pid"]
    good(life, "signal KILL web --group")
    until(lambda: status(life, "web")["pid"] not in (None, pid), "it was started again")


def test_logs_have_time_and_stream(boot):
    # Each stream has a pipe of its own: which of two lines came first is known only where the second waits for the first.
    script = "echo one; until [ -e @/one ]; do sleep 0.02; done; echo two >&2; until [ -e @/two ]; do sleep 0.02; done; " \
             "printf 'b\\377d\\n'; exec sleep 1000"
    life = start(boot, {"web": "script = '''\n" + script + "\n'''"}, stdout=None)
    for number, seen in enumerate(["one", "two", "all"], 1):
        until(lambda: len(good(life, "logs web")) == number, f"{number} lines")
        (boot.folder / seen).touch()
    lines = good(life, "logs web")
    assert [line["line"] for line in lines] == ["one", "two", "b\ufffdd"]
    assert [line["stream"] for line in lines] == ["stdout", "stderr", "stdout"]
    assert all(line["name"] == "web" for line in lines)
    assert lines[0]["time"] < lines[1]["time"]
    assert abs(lines[0]["time"] / 1000 - time.time()) < 3600
    assert [line["line"] for line in good(life, "logs -n 1 web")] == ["b\ufffdd"]
    assert [line["line"] for line in good(life, "logs --lines=2 web")] == ["two", "b\ufffdd"]
    assert good(life, "logs -n 0 web") == []
    assert len(good(life, "logs --since=3600 web")) == 3
    time.sleep(0.01)
    assert good(life, "logs --since=1ms web") == []


def test_logs_of_several_are_in_the_order_of_time(boot):
    life = start(boot, {"a": 'command = ["sh", "-c", "echo a1; while [ ! -e @/go ]; do sleep 0.01; done; echo a2; exec sleep 1000"]',
                        "b": 'command = ["sh", "-c", "while [ ! -e @/go ]; do sleep 0.01; done; sleep 0.1; echo b1; exec sleep 1000"]'})
    life.until_out("a1")
    (boot.folder / "go").touch()
    until(lambda: len(good(life, "logs")) == 3, "three lines")
    lines = good(life, "logs")
    assert [line["line"] for line in lines][0] == "a1"
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_logs_of_one_that_has_the_container_s_own_output_are_not_kept(boot):
    life = start(boot, {"web": SLEEP + '[log]\nto = "inherit"'})
    assert ask(life, "logs web") == [{"ok": True, "not-kept": ["web"]}]


def test_logs_are_followed(boot):
    life = start(boot, {"web": 'autostart = false\ncommand = ["sh", "-c", "echo one; while [ ! -e @/go ]; do sleep 0.01; done; echo two; exec sleep 1000"]',
                        "other": SLEEP})
    with Client(life) as client:
        client.send("logs -f")
        # It follows one that has not said anything yet, and half a connection is enough.
        client.socket.shutdown(socket.SHUT_WR)
        good(life, "start web")
        assert client.line()["line"] == "one"
        (boot.folder / "go").touch()
        assert client.line()["line"] == "two"
        life.signal(signal.SIGTERM)
        assert client.line() == {"ok": True}
        assert client.line() is None


def test_logs_wait_for_a_service_that_starts_again(boot):
    life = start(boot, {"web": 'command = ["sh", "-c", "echo life $$; exec sleep 1000"]'})
    with Client(life) as client:
        client.send("logs -f web")
        first = client.line()["line"]
        good(life, "restart web")
        assert client.line()["line"] not in ("", first)


def test_events(boot):
    life = start(boot, {"web": LONELY, "other": SLEEP})
    until_state(life, "other", "up")
    with Client(life) as client:
        client.send("events")
        assert client.line() == {"event": "hello"}
        good(life, "start web")
        lines = []
        while not lines or lines[-1].get("to") != "up":
            lines.append(client.line())
        states = [(line["name"], line["from"], line["to"]) for line in lines if line["event"] == "state"]
        assert states[0] == ("web", "idle", "waiting") and states[-1][:1] == ("web",)
        logs = [line for line in lines if line["event"] == "log"]
        assert any("web: asked to start" in line["text"] and line["level"] == "info" for line in logs)
        assert all(abs(line["time"] / 1000 - time.time()) < 3600 for line in lines)


def test_show_has_every_key_and_no_secret(boot):
    life = start(boot, {
        "db": SLEEP,
        "web": 'description = "x"\ncommand = ["sleep", "${N:-1000}"]\nrequires = ["db"]\n'
               '[environment]\nAPI_TOKEN = "hunter22"\nMODE = "fast"\nDB_PASSWORD = "${PW:-sesame77}"\nUNSET = false\n[stop]\ntimeout = "3s"',
        "web.d/10.toml": "umask = 0o27"})
    until_state(life, "db", "up")
    lines = ask(life, "show web")
    shown = lines[0]
    configuration = shown["configuration"]
    assert lines[1] == {"ok": True}
    assert shown["file"].endswith("/web.toml") and len(shown["files"]) == 2 and shown["files"][1].endswith("web.d/10.toml")
    assert configuration["command"] == ["sleep", "${N:-1000}"]
    assert configuration["environment"] == {"API_TOKEN": "***", "MODE": "fast", "DB_PASSWORD": "***", "UNSET": None}
    assert configuration["stop"] == {"signal": "SIGTERM", "timeout": 3}
    assert configuration["restart"]["policy"] == "always" and configuration["umask"] == "027".rjust(4, "0")
    assert shown["waits-for"] == [{"name": "db", "kind": "requires", "state": "up"}]
    assert good(life, "show db")[0]["needed-by"][0]["name"] == "web"
    assert "hunter" not in json.dumps(lines) and "sesame" not in json.dumps(lines)


def test_blame_tells_what_the_boot_waited_for(boot):
    life = start(boot, {"slow": 'type = "oneshot"\ncommand = ["sleep", "0.2"]', "fast": 'type = "oneshot"\ncommand = ["true"]',
                        "web": 'requires = ["slow", "fast"]\n' + SLEEP, "later": LONELY})
    until_state(life, "web", "up")
    lines = ask(life, "blame")
    entries = {line["name"]: line for line in lines[:-1]}
    assert set(entries) == {"slow", "fast", "web"}
    assert entries["web"]["waited-for"] == "slow" and entries["slow"]["waited-for"] is None
    assert entries["slow"]["up"] - entries["slow"]["started"] >= 190
    assert entries["web"]["started"] >= entries["slow"]["up"] > 0
    assert lines[-1]["critical"] == ["slow", "web"] and lines[-1]["total"] == entries["web"]["up"]
    # What happens later is no part of the boot.
    good(life, "restart web")
    assert ask(life, "blame") == lines


def test_metrics_are_open_metrics(boot):
    life = start(boot, {"web": SLEEP, "bad": 'type = "oneshot"\noptional = true\ncommand = ["sh", "-c", "exit 7"]'})
    until_state(life, "web", "up")
    until_state(life, "bad", "failed")
    text = good(life, "metrics")[0]["metrics"]
    assert 'hermes_init_service_up{service="web"} 1\n' in text
    assert 'hermes_init_service_last_exit_code{service="bad"} 7\n' in text
    assert 'hermes_init_service_restarts_total{service="web"} 0\n' in text
    assert text.endswith("# EOF\n")
    check_metrics(text)


def check_metrics(text):
    """The parser of Prometheus' own client library, where it is installed."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert families["hermes_init_service_restarts"].type == "counter"
    assert families["process_resident_memory_bytes"].samples[0].value > 0


def test_metrics_please_promtool(boot):
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian: prometheus) is not installed")
    life = start(boot, {"web": SLEEP})
    until_state(life, "web", "up")
    text = good(life, "metrics --plain")[0]["metrics"]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("request_", "code"), [("shutdown", 143), ("shutdown 5", 5), ("shutdown 0", 0)])
def test_shutdown(boot, request_, code):
    life = start(boot, {"web": SLEEP, "main": 'type = "main"\n' + SLEEP})
    until_state(life, "main", "up")
    assert good(life, request_) == []
    assert life.wait().code == code
    assert "stopping (asked to, over the control socket" in life.stderr()


def test_requests_while_the_container_stops(boot):
    life = start(boot, {"web": 'command = ["sh", "-c", "trap \'\' TERM; echo deaf; while :; do sleep 0.01; done"]', "other": LONELY},
                 init='shutdown-timeout = "1h"')
    life.until_out("deaf")
    good(life, "shutdown 9")
    assert wrong(life, "start other")["error"] == "stopping"
    assert ask(life, "status")[-1]["stopping"]
    good(life, "signal KILL web")
    assert life.wait().code == 9


def test_mistakes_are_told(boot):
    life = start(boot, {"web": SLEEP})
    with Client(life) as client:
        for text, code, hint in [
            ("strat web", "unknown-verb", "start"), ("start wbe", "unknown-service", "web"), ("start", "usage", "start NAME"),
            ("start web --fast", "usage", ""), ("wait web", "usage", "--up"), ("start web --timeout=soon", "usage", "30s"),
            ('status "web', "usage", ""), ("shutdown 256", "usage", "0 to 255"), ("remove web", "conflict", None),
        ]:
            error = client.ask(text)[-1]
            assert error["error"] == code, (text, error)
            assert hint is None or hint in error.get("hint", ""), (text, error)
        # A mistake ends no connection.
        assert client.ask("  status   \"web\" ")[0]["name"] == "web"
        assert len(client.ask("help")) > 10


def test_several_requests_in_one_piece(boot):
    life = start(boot, {"web": SLEEP})
    with Client(life) as client:
        client.send(b"version\nlist\n\nstatus web\nversion")
        client.socket.shutdown(socket.SHUT_WR)
        lines = []
        while (line := client.line()) is not None:
            lines.append(line)
        assert sum("ok" in line for line in lines) == 4
        assert "version" in lines[-1]


def test_a_service_that_is_asked_while_it_is_told_of_in_a_half_open_connection(boot):
    life = start(boot, {"web": LONELY + '[ready]\npath = "@/ready"', "other": SLEEP})
    with Client(life) as client:
        client.send("start web")
        client.socket.shutdown(socket.SHUT_WR)
        until_state(life, "web", "running")
        (boot.folder / "ready").touch()
        while "ok" not in (line := client.line()):
            pass
        assert line["ok"] and client.line() is None


def test_a_container_without_services_has_no_socket(boot):
    life = boot.run(["--", "sh", "-c", "ls /run; echo listed"], before=OWN_RUN)
    life.until_out("listed")
    assert life.stdout() == "listed\n"
    life.wait()


def test_a_socket_of_a_dead_init_is_replaced_and_that_of_a_live_one_is_not(boot):
    leave = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('/run/hermes-init/control.sock')"
    dead = OWN_RUN + f'; mkdir /run/hermes-init; python3 -c "{leave}"'
    life = boot((), {"web": SLEEP}, before=dead)
    until_state(life, "web", "up")
    live = OWN_RUN + f'; mkdir /run/hermes-init; python3 -c "{leave}; s.listen(); print(1, flush=True); import time; time.sleep(1000)" &'
    live += "while ! [ -S /run/hermes-init/control.sock ]; do sleep 0.01; done; sleep 0.2"
    boot.services({"init": '[control]\noperators = ["nobody"]'})
    other = boot(("sh", "-c", "sleep 0.1; ls -i /run/hermes-init/control.sock"), {}, before=live)
    assert "another hermes-init has its control socket" in other.wait().err


def test_the_socket_is_not_given_to_services(boot):
    life = start(boot, {"web": 'command = ["sh", "-c", "ls -l /proc/self/fd; echo listed; exec sleep 1000"]'})
    life.until_out("listed")
    assert "socket" not in life.stdout()


def test_mode_off_makes_no_socket(boot):
    life = boot((), {"init": '[control]\nmode = "off"', "web": 'command = ["sh", "-c", "ls /run/hermes-init; echo listed; exec sleep 1000"]'},
                before=OWN_RUN)
    life.until_out("listed")
    assert "control.sock" not in life.stdout()


# --- who may do what ---------------------------------------------------------------------------------------------------

PEOPLE = """
hermes:x:{0}:{0}::/:/bin/sh
ops:x:{1}:{1}::/:/bin/sh
""".format(ORDINARY, ORDINARY + 1)
GROUPS = f"wheel:x:{ORDINARY + 2}:ops\n"
OPERATORS = 'operators = [{ user = "hermes", services = ["gate*", "other"] }, { group = "wheel" }]'
READING = ["status", "status web", "list", "wait --down later", "blame", "version", "help"]
ACTING = ["start web", "stop web", "restart web", "reload web", "signal CONT web", "logs web", "show web", "remove web"]
WHOLE = ["shutdown", "reload"]


def guarded(boot, mode="status"):
    (boot.folder / "passwd").write_text("root:x:0:0::/:/bin/sh\n" + PEOPLE)
    (boot.folder / "group").write_text("root:x:0:\n" + GROUPS)
    files = f"; mount --bind {boot.folder}/passwd /etc/passwd; mount --bind {boot.folder}/group /etc/group"
    services = {"web": SLEEP, "gate": SLEEP, "later": LONELY, "other": SLEEP, "front": 'requires = ["other"]\n' + SLEEP,
                "gatehouse": 'type = "group"\nrequires = ["other"]',
                "init": f'[control]\nmode = "{mode}"\n{OPERATORS}'}
    life = boot((), services, before=OWN_RUN + files)
    for name in ["web", "gate", "front"]:
        until_state(life, name, "up")
    return life


def refused(life, requests, uid, **who):
    for text in requests:
        error = ask_as(life, text, uid, **who)[-1]
        assert error.get("error") == "refused", (text, error)
        assert "only root" in error["message"] and "[control] operators" in error["hint"]


def allowed(life, requests, uid, **who):
    for text in requests:
        assert ask_as(life, text, uid, **who)[-1].get("error") != "refused", text


@needs_root
def test_a_stranger_may_read_the_status_and_nothing_else(boot):
    life = guarded(boot)
    stranger = ORDINARY + 7
    allowed(life, READING, stranger)
    refused(life, [*ACTING, *WHOLE, "logs", "metrics"], stranger)
    assert f"uid {stranger} may not ask for: stop web" in ask_as(life, "stop web", stranger)[-1]["message"]
    assert status(life, "web")["state"] == "up"


@needs_root
def test_a_stranger_may_nothing_where_the_mode_says_so(boot):
    life = guarded(boot, mode="operators")
    refused(life, [*READING, *ACTING, *WHOLE, "events", "metrics", "logs"], ORDINARY + 7)
    allowed(life, READING, ORDINARY)


@needs_root
def test_an_operator_may_do_everything_with_its_services(boot):
    life = guarded(boot)
    pid = status(life, "gate")["pid"]
    assert ask_as(life, "restart gate", ORDINARY)[-1] == {"ok": True}
    assert status(life, "gate")["pid"] != pid
    allowed(life, ["stop gate", "start gate", "logs gate", "show gate", "signal CONT gate", "metrics", *READING], ORDINARY)
    refused(life, [*ACTING, *WHOLE, "restart gate web"], ORDINARY)
    error = ask_as(life, "stop other", ORDINARY)[-1]
    assert error["error"] == "refused" and "front requires other" in error["message"]
    assert "hermes (uid" in error["message"]
    # The same by way of a group: its members are its own, who requires one of them is not.
    error = ask_as(life, "stop gatehouse", ORDINARY)[-1]
    assert error["error"] == "refused" and "front requires a member of gatehouse" in error["message"]
    assert status(life, "other")["state"] == status(life, "front")["state"] == "up"


@needs_root
def test_an_operator_sees_the_logs_of_its_services_only(boot):
    life = guarded(boot)
    boot_lines = ask_as(life, "logs", ORDINARY)
    assert boot_lines[-1]["ok"] and {line["name"] for line in boot_lines[:-1]} <= {"gate", "other"}


@needs_root
def test_a_group_of_operators_may_do_all(boot):
    life = guarded(boot)
    ops = ORDINARY + 1
    allowed(life, [*READING, *ACTING, "metrics"], ops)
    # What the kernel says of its group counts as well as what /etc/group says of its name.
    allowed(life, ["restart gate"], ORDINARY + 8, gid=ORDINARY + 2)
    # Groups that a process only says it has are not known to the other end of a socket.
    refused(life, ["stop web"], ORDINARY + 8, groups=[ORDINARY + 2])
    assert ask_as(life, "shutdown 3", ops)[-1]["ok"]
    assert life.wait().code == 3


@needs_root
def test_events_without_the_right_to_all_have_states_only(boot):
    life = guarded(boot)
    assert ask_as(life, "version", ORDINARY)[-1]["ok"]
    reader = subprocess.Popen(
        ["nsenter", "--target", str(life.pid), "--mount", "setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}",
         "--clear-groups", PYTHON, "-uc", SCRIPT, "/run/hermes-init/control.sock", "events"], stdout=subprocess.PIPE)
    try:
        assert b"protocol" in reader.stdout.readline() and b"hello" in reader.stdout.readline()
        good(life, "restart gate")
        life.stop()
        lines = [json.loads(line) for line in reader.stdout.read().splitlines()]
        assert lines[-1] == {"ok": True}
        assert {line["event"] for line in lines[:-1]} == {"state"}
    finally:
        reader.kill()
        reader.wait()


@needs_root
def test_the_user_that_the_init_runs_as_may_do_all(boot):
    life = boot(["sleep", "1000"], {"web": SLEEP}, how="user", binary=None)
    # It is not alone on this machine: another init may have the place. Then there is nothing to see.
    path = "/dev/shm/hermes-init/control.sock"
    until(lambda: life.descriptors() > 5, "it runs")
    if not os.path.exists(path) or os.stat(path).st_uid != ORDINARY:
        pytest.skip("another hermes-init has the socket")
    done = subprocess.run(
        ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", PYTHON, "-c", SCRIPT, path, "restart web"],
        capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == {"ok": True}


# --- HTTP --------------------------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http(port, request):
    """What comes back, until the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        try:
            client.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        while data := client.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body.decode()


def get(port, path, more=""):
    return http(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())


def test_http_serves_three_paths_and_nothing_else(boot):
    port = free_port()
    life = start(boot, {"web": SLEEP, "slow": SLEEP + '[ready]\npath = "@/ready"'}, init=f'[control]\nhttp = "127.0.0.1:{port}"')
    until_state(life, "slow", "running")
    code, head, body = get(port, "/ready")
    assert code == 503 and "slow: not ready yet" in body
    assert get(port, "/health")[0] == 503
    (boot.folder / "ready").touch()
    until_state(life, "slow", "up")
    assert get(port, "/ready")[::2] == (200, "ok\n")
    assert get(port, "/health")[::2] == (200, "ok\n")
    code, head, body = get(port, "/metrics")
    assert code == 200 and "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8" in head
    assert body.endswith("# EOF\n") and 'hermes_init_service_up{service="web"} 1' in body
    code, head, body = get(port, "/metrics?x=1", "Accept: text/plain\r\n")
    assert "text/plain; version=0.0.4" in head and "# TYPE hermes_init_service_restarts_total counter" in body
    assert http(port, b"HEAD /metrics HTTP/1.0\r\n\r\n")[::2] == (200, "")
    assert get(port, "/")[0] == 404 and get(port, "/metrics/..")[0] == 404
    assert http(port, b"POST /metrics HTTP/1.1\r\n\r\n")[0] == 405
    assert http(port, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")[0] == 431
    assert http(port, b"hello\r\n\r\n")[0] == 400
    good(life, "stop web")
    assert get(port, "/ready")[0] == 200


def test_http_that_cannot_be_had_is_said(boot):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        life = start(boot, {"web": SLEEP}, init=f'[control]\nhttp = "127.0.0.1:{port}"')
        life.until_err(f"cannot listen on 127.0.0.1:{port} ([control] http): Address")


# --- docs/control.md ---------------------------------------------------------------------------------------------------


def example(name):
    """A piece of code of the page, by its name."""
    text = (ROOT / "docs" / "control.md").read_text()
    return text.split(f" name={name}\n", 1)[1].split("```", 1)[0]


def test_the_python_of_the_page(boot):
    life = start(boot, {"web": SLEEP})
    until_state(life, "web", "up")
    result = life.enter([PYTHON, "-c", example("python")])
    lines = result.out.splitlines()
    assert "'state': 'up'" in lines[-2] and lines[-1] == "{'ok': True}", result


def has_nc():
    return shutil.which("nc") is not None and b"-N" in subprocess.run(["nc", "-h"], capture_output=True).stderr


@pytest.mark.parametrize("tool", ["socat", "nc"])
def test_the_shell_of_the_page(boot, tool):
    if not has_nc() if tool == "nc" else shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    life = start(boot, {"web": SLEEP})
    until_state(life, "web", "up")
    result = life.enter(["sh", "-c", example(tool)])
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [lines[0]["protocol"], lines[1]["name"], lines[2]["ok"]] == [1, "web", True]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_of_the_page(boot):
    port = free_port()
    life = start(boot, {"web": SLEEP}, init=f'[control]\nhttp = "127.0.0.1:{port}"')
    until_state(life, "web", "up")
    done = subprocess.run(["sh", "-ec", example("curl").replace("9464", str(port))], capture_output=True, text=True)
    assert done.stdout.startswith("ok\n") and 'hermes_init_service_up{service="web"} 1' in done.stdout, done


def test_the_page_names_every_verb(boot):
    life = start(boot, {"web": SLEEP})
    text = (ROOT / "docs" / "control.md").read_text()
    for line in good(life, "help"):
        assert f"`{line['request'].split()[0]}" in text, line
