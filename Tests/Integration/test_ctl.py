"""hermes-init ctl in a container, as `docker exec` runs it: every verb against the real init, as root and as another user."""

import os
import re
import subprocess

import pytest
from control import OWN_RUN, path_of
from harness import AM_ROOT, ORDINARY, reachable, until
from terminal import Terminal

SLEEP = 'command = ["sleep", "1000"]\n'
LATER = "autostart = false\n" + SLEEP
needs_root = pytest.mark.skipif(not AM_ROOT, reason="other users can be tried by root only")


@pytest.fixture
def start(boot):
    def begin(services, command=(), init="", **how):
        files = dict(services)
        if init:
            files["init"] = init
        life = boot(command, files, before=OWN_RUN, **how)
        until(lambda: os.path.exists(path_of(life)), "the control socket is there")
        life.ctl = lambda *words, **more: life.enter([str(reachable()), "ctl", *words], **more)
        return life

    return begin


def good(result, said=None):
    assert result.code == 0 and result.err == "", result
    if said is not None:
        assert re.fullmatch(said, result.out), result
    return result.out


def test_status_and_what_it_says_of_each(start):
    life = start({
        "home": 'type = "oneshot"\ncommand = ["true"]', "web": 'requires = ["home"]\ndescription = "pages"\n' + SLEEP,
        "never": SLEEP + '[when]\nenv = ["NOPE"]', "later": LATER,
        "bad": 'type = "oneshot"\noptional = true\ncommand = ["sh", "-c", "echo oh no; exit 78"]',
    })
    good(life.ctl("wait", "web", "--timeout=20s"))
    until(lambda: "failed" in life.ctl("status").out, "bad has failed")
    rows = {line.split()[0]: line for line in good(life.ctl("status")).splitlines() if line}
    assert re.match(r"web +up +\d+s +\d+ +0 +\S+ [KM]iB +yes +-$", rows["web"]), rows
    assert re.match(r"home +done +\d+s +- +0 +- +- +exit 0$", rows["home"]), rows
    assert re.match(r"later +not started +- +- ", rows["later"]), rows
    assert "exit 78: configuration" in rows["bad"] and "skipped" in rows["never"], rows
    detail = good(life.ctl("status", "bad"))
    assert "oh no" in detail and "failed" in detail and "78" in detail, detail
    detail = good(life.ctl("status", "web"))
    assert "web  pages" in detail and "waits for  home (done)" in detail and "web.toml" in detail, detail
    assert "NOPE" in good(life.ctl("status", "never"))


def test_start_stop_restart_and_wait_say_what_is_so(start):
    life = start({"web": LATER, "other": SLEEP})
    good(life.ctl("start", "web"), r"web is up \(pid \d+\) after [\d.]+ m?s\n")
    first = life.ctl("status", "web").out
    good(life.ctl("restart", "web"), r"web is up \(pid \d+\) after \d+ ms\n")
    assert life.ctl("status", "web").out != first
    good(life.ctl("stop", "web"), r"web is stopped after \d+ ms\n")
    good(life.ctl("wait", "--down", "web"), r"web is stopped after \d+ ms\n")
    good(life.ctl("start", "--wait", "other"), r"other is up \(pid \d+\) after \d+ ms\n")
    good(life.ctl("start", "--no-wait", "web"), r"web is [a-z ]+(\(pid \d+\) )?now\n")
    good(life.ctl("wait", "--up", "web", "other"))


def test_a_start_that_fails_says_why(start):
    life = start({"bad": 'autostart = false\ncommand = ["sh", "-c", "echo oh no; exit 3"]\n[restart]\npolicy = "never"\n'
                         '[ready]\npath = "/nowhere"', "other": SLEEP})
    result = life.ctl("start", "bad")
    assert result.code == 1 and result.out == "", result
    assert result.err.startswith("hermes-init: bad ") and "code 3" in result.err and "    oh no\n" in result.err, result


def test_codes_of_what_does_not_come_to_be(start):
    life = start({"web": LATER})
    assert life.ctl("wait", "--up", "web", "--timeout=50ms").code == 75
    result = life.ctl("start", "wob")
    assert result.code == 66 and "web" in result.err, result
    assert life.ctl("signal", "SIGNONE", "web").code == 64
    assert life.ctl("signal", "SIGHUP", "web").code in (1, 64)


def test_tree_list_show_and_blame(start):
    life = start({
        "home": 'type = "oneshot"\ncommand = ["sleep", "0.1"]', "db": 'wants = ["home"]\n' + SLEEP,
        "web": 'requires = ["db"]\n' + SLEEP + '[environment]\nAPI_TOKEN = "hush"\nPORT = "80"\n[stop]\ntimeout = "2s"',
    })
    good(life.ctl("wait", "web"))
    assert good(life.ctl("tree", "web")) == "web  up\n└─ db  up\n   └─ home (wants)  done\n"
    assert good(life.ctl("list", "--names")).split() == ["db", "home", "web"]
    import tomllib

    shown = tomllib.loads(good(life.ctl("show", "web")))
    assert shown["command"] == ["sleep", "1000"] and shown["environment"] == {"API_TOKEN": "***", "PORT": "80"}, shown
    chart = good(life.ctl("blame"))
    assert "the boot took" in chart and re.search(r"\* home +█+ +\d\d\d+ ms", chart), chart
    result = life.enter([str(reachable()), "--plan", "--timings", "--config", str(life.folder.parent / "config")])
    assert result.code == 0 and "wave 1" in result.out and "the boot took" in result.out, result


def test_logs_of_the_past_and_of_the_future(start):
    life = start({
        "web": 'command = ["sh", "-c", "echo one; echo two; sleep 1000"]',
        "talker": 'command = ["sh", "-c", "while :; do echo more; sleep 0.01; done"]',
    })
    until(lambda: "two" in life.ctl("logs", "web").out, "its output is kept")
    good(life.ctl("logs", "web"), "one\ntwo\n")
    good(life.ctl("logs", "-n", "1", "web"), "two\n")
    lines = good(life.ctl("logs", "-n", "2")).splitlines()
    assert "web    | two" in lines and "talker | more" in lines, lines
    command = ["nsenter", "--target", str(life.pid), "--pid", "--mount", "--", str(reachable()), "ctl", "logs", "-f", "-t",
               "talker"]
    if not AM_ROOT:
        pytest.skip("needs root")
    follower = subprocess.Popen(command, stdout=subprocess.PIPE)
    for _ in range(20):
        assert re.fullmatch(rb"\d{4}-\d\d-\d\dT[\d:.]+Z more\n", follower.stdout.readline())
    follower.kill()
    follower.wait()


def test_events_as_they_happen(start):
    if not AM_ROOT:
        pytest.skip("needs root")
    life = start({"web": LATER})
    command = ["nsenter", "--target", str(life.pid), "--pid", "--mount", "--", str(reachable()), "ctl", "events"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.set_blocking(watcher.stdout.fileno(), False)
    seen = []

    def heard():
        # Only once its connection is there does it hear of what happens: asked again until it did.
        good(life.ctl("restart", "web"))
        seen.append(watcher.stdout.read() or b"")
        return "→".encode() in b"".join(seen)

    try:
        until(heard, "it hears of a change")
        assert b"web: " in b"".join(seen)
    finally:
        watcher.kill()
        watcher.wait()


def test_signal_reload_and_metrics(start):
    life = start({"web": 'command = ["sh", "-c", "trap \'echo heard\' USR1; echo up; while :; do sleep 0.05; done"]'})
    until(lambda: "up" in life.ctl("logs", "web").out, "it has set its trap")
    good(life.ctl("signal", "SIGUSR1", "web"), "sent SIGUSR1 to web\n")
    until(lambda: "heard" in life.ctl("logs", "web").out, "the signal came")
    assert good(life.ctl("metrics")).endswith("# EOF\n")


def test_instances_come_and_go(start):
    life = start({"gateway@": SLEEP, "other": SLEEP})
    good(life.ctl("start", "gateway@writer"), r"gateway@writer is up \(pid \d+\) after \d+ ms\n")
    assert "gateway@writer  longrun            gateway@" in good(life.ctl("list"))
    result = life.enter([str(reachable()), "completion", "words", "ctl", "stop", "gate"])
    assert result.out == "gateway@writer\t\n", result
    good(life.ctl("remove", "gateway@writer"), "gateway@writer is removed\n")
    assert "writer" not in good(life.ctl("list"))


def test_shutdown_with_a_code(boot, start):
    # The container ends when ctl has said it: what is left there at the end is killed, a ctl that is slow too.
    script = "trap 'until [ -e @/said ]; do sleep 0.02; done; exit' TERM; touch @/up; while :; do sleep 0.02; done"
    life = start({"web": f'script = """{script}"""'})
    life.until((boot.folder / "up").exists, "it obeys")
    good(life.ctl("shutdown", "42"), "the container stops\n")
    (boot.folder / "said").touch()
    assert life.wait().code == 42


@needs_root
def test_another_user_may_read_the_status_and_no_more(start):
    life = start({"web": SLEEP})
    for words in (["status"], ["list"], ["tree"], ["blame"], ["wait", "web"], ["status", "web"]):
        good(life.ctl(*words, user=ORDINARY))
    assert "may be read by root and operators" in life.ctl("status", "web", user=ORDINARY).out
    for words in (["stop", "web"], ["logs", "web"], ["show", "web"], ["shutdown"], ["metrics"], ["reload"]):
        result = life.ctl(*words, user=ORDINARY)
        assert result.code == 77 and result.out == "", (words, result)


def test_without_a_socket(boot):
    life = boot([], {"web": SLEEP, "init": '[control]\nmode = "off"\n'}, before=OWN_RUN)
    until(lambda: life.health().code == 0, "it is up")
    result = life.enter([str(reachable()), "ctl", "status"])
    assert result.code == 69 and "has no control socket" in result.err and '"off"' in result.err, result


@needs_root
@pytest.mark.parametrize("columns", [80, 200])
def test_watch_follows_what_happens(start, columns):
    life = start({"web": SLEEP, "other": LATER})
    shell = Terminal(["nsenter", "--target", str(life.pid), "--pid", "--mount", "--", str(reachable()), "ctl", "status", "-w"],
                     columns=columns, env=os.environ | {"TERM": "xterm"})
    try:
        shell.until("q ends")
        good(life.ctl("start", "other"))
        shell.until("2 services, all well")
        good(life.ctl("stop", "web"))
        shell.until("stopped")
        shell.send("q")
        assert shell.wait() == 0
    finally:
        shell.end()
