"""The configuration read again while the container runs, and instances that are made and removed: `hermes-init ctl reload`,
`start`, `remove`. What a service runs as is written down by the service itself, so that nothing is believed that the init says
of itself."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from control import OWN_RUN, Client, ask, ask_as, path_of
from harness import AM_ROOT, ORDINARY, children, descendants, reachable, status, until
from test_control import free_port, get

STAY = "exec sleep 1000"
STAYS = 'command = ["sleep", "1000"]\n'
MAIN = ["sleep", "1000"]
# Says who it is and stays. `@` is the folder of the test.
SAYS = "script = 'echo $HERMES_INIT_SERVICE is %s; echo %s >> @/$HERMES_INIT_SERVICE.ran; " + STAY + "'\n"


def says(what):
    return SAYS % (what, what)


def begun(boot, command, services=None):
    """A life with a control socket of its own: tests that run at the same time share the machine's /run."""
    life = boot(command, services, before=OWN_RUN)
    until(lambda: os.path.exists(path_of(life)), "the control socket is there")
    return life


def ctl(life, *words):
    return life.enter([str(reachable()), "ctl", *words])


def reload(life):
    result = ctl(life, "reload")
    assert result.code == 0, f"{result}{life.said()}"
    return result


def ran(boot, name):
    path = boot.folder / (name + ".ran")
    return path.read_text().split() if path.exists() else []


def runs(boot, life, name, *what):
    life.until(lambda: ran(boot, name) == list(what), f"{name} ran as {what}, not {ran(boot, name)}")


def memory(life):
    """Its own; the pages of its file come and go."""
    with open(f"/proc/{life.pid}/status", encoding="ascii") as file:
        return int(re.search(r"RssAnon:\s+(\d+)", file.read())[1])


def mixed(life):
    """Lines under the name of another service."""
    found = []
    for line in life.stdout().splitlines():
        match = re.match(r"\[(\S+)\] (\S+) is ", line)
        if match and match[1] != match[2]:
            found.append(line)
    return found


def test_the_difference_is_applied(boot):
    life = begun(boot, MAIN, {"same": says("1"), "other": says("1"), "gone": says("1"), "told": says("1")})
    for name in ("same", "other", "gone", "told"):
        runs(boot, life, name, "1")
    boot.services({"other": says("2"), "new": says("1"), "told": 'description = "x"\n' + says("1")})
    (boot.config / "gone.toml").unlink()
    reload(life)
    runs(boot, life, "other", "1", "2")
    runs(boot, life, "new", "1")
    life.until_err("gone: stopped")
    assert ran(boot, "same") == ["1"] and ran(boot, "told") == ["1"]
    # Nothing is different now.
    reload(life)
    life.until_err("configuration read again: no service has changed")
    assert not mixed(life)
    life.stop()


def test_a_mistake_changes_nothing(boot):
    life = begun(boot, MAIN, {"a": says("1"), "b": says("1")})
    runs(boot, life, "a", "1")
    runs(boot, life, "b", "1")
    boot.services({"a": says("2"), "c": says("1") + 'requires = ["nobody"]\n'})
    (boot.config / "b.toml").unlink()
    result = ctl(life, "reload")
    assert result.code == 78, result
    assert "c.toml" in result.out + result.err
    (boot.config / "c.toml").write_text("type = \n")
    assert ctl(life, "reload").code == 78
    assert ran(boot, "a") == ["1"]
    # The service that has no file any more still runs, and is still known.
    assert "removed" not in life.stderr()
    (boot.config / "c.toml").unlink()
    reload(life)
    runs(boot, life, "a", "1", "2")
    life.stop()


def test_the_main_program_goes_on(boot):
    life = begun(boot, (), {"main": "type = \"main\"\ncommand = [\"sleep\", \"1000\"]\n", "a": says("1")})
    runs(boot, life, "a", "1")
    life.until(lambda: len(children(life.pid)) == 2, "main runs, too")
    before = sorted(children(life.pid))
    boot.services({"main": "type = \"main\"\ncommand = [\"sleep\", \"2000\"]\n"})
    reload(life)
    life.until_err("main: changed; that takes effect when it is started again")
    (boot.config / "main.toml").unlink()
    reload(life)
    life.until(lambda: sorted(children(life.pid)) == before, "nobody else is left")
    life.stop()


def test_one_that_is_removed_and_comes_back_before_it_is_down(boot):
    slow = ("script = 'trap \"until [ -e @/go ]; do sleep 0.02; done; exit 0\" TERM; echo 1 >> @/slow.ran; "
            "while :; do sleep 0.05; done'\n[stop]\ntimeout = \"60s\"\n")
    life = begun(boot, MAIN, {"slow": slow})
    runs(boot, life, "slow", "1")
    (boot.config / "slow.toml").unlink()
    reload(life)
    life.until_err("slow: removed")
    boot.services({"slow": slow})
    reload(life)
    (boot.folder / "go").touch()
    runs(boot, life, "slow", "1", "1")
    life.stop()


@pytest.mark.timeout(180)
def test_a_hundred_at_once_under_load(boot):
    """Services are edited, added, masked and removed, a hundred at once, while others write and die all the time."""
    count = 100
    services = {f"s{number}": says("1") for number in range(count)}
    services["writer"] = "script = 'while :; do echo writer is here; done'\n[log]\nto = \"null\"\n"
    services["dies"] = "script = 'sleep 0.02; exit 1'\n[restart]\ndelay = \"10ms\"\nmax-delay = \"20ms\"\nlimit = 10000\n"
    life = begun(boot, MAIN, services)
    for number in range(count):
        runs(boot, life, f"s{number}", "1")
    descriptors = life.descriptors()
    wanted = {f"s{number}": ["1"] for number in range(count)}
    there = set(wanted)
    for turn in range(2, 6):
        for number in range(count):
            name = f"s{number}"
            kind = (number + turn) % 4
            if kind == 0:
                boot.services({name: says(str(turn))})
            elif kind == 1 and (boot.config / f"{name}.toml").exists():
                (boot.config / f"{name}.toml").unlink()
            elif kind == 2:
                boot.services({name: ""})
            else:
                boot.services({f"n{turn}-{number}": says("1")})
                wanted[f"n{turn}-{number}"] = ["1"]
                there.add(f"n{turn}-{number}")
            if kind == 0:
                wanted[name] = wanted[name] + [str(turn)]
                there.add(name)
            elif kind in (1, 2):
                there.discard(name)
        reload(life)
        for name in sorted(there):
            runs(boot, life, name, *wanted[name])
    # main, the writer and the one that dies, and nothing of what is gone.
    expected = len(there) + 2
    life.until(lambda: abs(len(children(life.pid)) - expected) <= 1, "what was removed is gone")
    boot.services({"last": says("1")})
    for name in there:
        (boot.config / f"{name}.toml").unlink()
    reload(life)
    life.until(lambda: len(children(life.pid)) <= 4, "all are gone")
    life.until(lambda: life.descriptors() < descriptors // 2, "their descriptors are closed")
    assert not mixed(life)
    life.stop()


# --- [control] of init.toml


def init(*lines):
    return {"init": "[control]\n" + "".join(line + "\n" for line in lines)}


@pytest.mark.skipif(not AM_ROOT, reason="other users can be tried by root only")
def test_who_may_ask_changes_at_once(boot):
    life = begun(boot, MAIN, {"web": STAYS, **init()})
    user = ORDINARY
    assert ask_as(life, "status web", user)[-1]["ok"]
    assert ask_as(life, "stop web", user)[-1]["error"] == "refused"
    boot.services(init(f'operators = ["{user}"]'))
    reload(life)
    assert ask_as(life, "stop web", user)[-1] == {"ok": True}
    boot.services(init('mode = "operators"'))
    reload(life)
    assert ask_as(life, "status web", user)[-1]["error"] == "refused"
    boot.services(init())
    reload(life)
    assert ask_as(life, "status web", user)[-1]["ok"]
    life.stop()


@pytest.mark.skipif(not AM_ROOT, reason="other users can be tried by root only")
def test_a_connection_that_was_open_before_has_the_rights_of_now(boot):
    life = begun(boot, MAIN, {"web": STAYS, **init(f'operators = ["{ORDINARY}"]')})
    script = ("import socket, sys\n"
              "s = socket.socket(socket.AF_UNIX); s.connect('/run/hermes-init/control.sock'); f = s.makefile('rw')\n"
              "print(f.readline(), end='', flush=True)\n"
              "for line in ['events', 'stop web']:\n"
              "    f.write(line + '\\n'); f.flush(); answer = ''\n"
              "    while '\"ok\"' not in answer:\n"
              "        answer = f.readline(); print(answer, end='', flush=True)\n")
    words = ["nsenter", "--target", str(life.pid), "--mount", "setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}",
             "--clear-groups", "/usr/bin/python3", "-c", script]
    client = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert "protocol" in client.stdout.readline() and "hello" in client.stdout.readline()
        boot.services(init())
        reload(life)
        lines = [json.loads(line) for line in client.stdout.read().splitlines()]
        assert {"ok": True} in lines and lines[-1]["error"] == "refused", lines
    finally:
        client.kill()
        client.wait()
    life.stop()


def test_the_address_of_http_changes_at_once(boot):
    first, second = free_port(), free_port()
    life = begun(boot, MAIN, {"web": STAYS, **init()})
    boot.services(init(f'http = "127.0.0.1:{first}"'))
    reload(life)
    assert get(first, "/metrics")[0] == 200
    boot.services(init(f'http = "127.0.0.1:{second}"'))
    reload(life)
    assert get(second, "/metrics")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        get(first, "/metrics")
    files = life.descriptors()
    reload(life)
    assert get(second, "/metrics")[0] == 200 and life.descriptors() <= files + 1
    boot.services(init())
    reload(life)
    with pytest.raises(ConnectionRefusedError):
        get(second, "/metrics")
    life.until_err("/metrics, /health and /ready are off now")
    life.stop()


def test_the_socket_goes_at_once_and_whoever_asked_for_it_is_answered(boot):
    port = free_port()
    life = begun(boot, MAIN, {"web": STAYS, **init(f'http = "127.0.0.1:{port}"')})
    with Client(life) as idle, Client(life) as follower:
        follower.send("events")
        assert follower.line() == {"event": "hello"}
        boot.services(init('mode = "off"', f'http = "127.0.0.1:{port}"'))
        reload(life)
        life.until_err("the control socket (hermes-init ctl) is off now")
        assert not os.path.exists(path_of(life))
        while (line := follower.line()) is not None:
            last = line
        assert last == {"ok": True} and idle.line() is None
    assert ctl(life, "status").code == 69
    with pytest.raises(ConnectionRefusedError):
        get(port, "/metrics")
    life.until(lambda: len(children(life.pid)) == 2, "main and web are its only children")
    life.stop()


# --- instances


GATEWAY = says("1")


def test_an_instance_comes_and_goes(boot):
    boot.services({"gateway@.toml": GATEWAY})
    life = begun(boot, MAIN)
    assert ctl(life, "start", "gateway@writer").code == 0
    runs(boot, life, "gateway@writer", "1")
    # It stays over a reload, and is another where its template is.
    boot.services({"gateway@.toml": says("2")})
    reload(life)
    runs(boot, life, "gateway@writer", "1", "2")
    assert ctl(life, "remove", "gateway@writer").code == 0
    assert ctl(life, "stop", "gateway@writer").code == 66
    assert ctl(life, "start", "gateway@-x").code != 0
    assert ctl(life, "start", "gatewai@x").code == 66
    life.stop()


def test_instances_that_names_says_are_not_removed(boot):
    boot.services({"gateway@.toml": GATEWAY + '[instances]\nnames = ["writer"]\n'})
    life = begun(boot, MAIN)
    runs(boot, life, "gateway@writer", "1")
    result = ctl(life, "remove", "gateway@writer")
    assert result.code != 0 and "names" in result.out + result.err, result
    life.stop()


@pytest.mark.timeout(180)
def test_five_hundred_instances(boot):
    boot.services({"gateway@.toml": "command = [\"sleep\", \"1000\"]\n"})
    life = begun(boot, MAIN)
    names = [f"gateway@{number}" for number in range(500)]
    for start in range(0, 500, 50):
        assert ctl(life, "start", *names[start:start + 50]).code == 0
    life.until(lambda: len(children(life.pid)) == 501, "all run")
    for start in range(0, 500, 50):
        assert ctl(life, "remove", *names[start:start + 50]).code == 0
    life.until(lambda: len(children(life.pid)) == 1, "none runs")
    life.stop()


@pytest.mark.native("the file in memory is the emulator's own")
@pytest.mark.timeout(300)
def test_while_it_waits_little_of_its_file_is_in_memory(boot):
    def mapped():
        with open(f"/proc/{life.pid}/status", encoding="ascii") as file:
            return int(re.search(r"RssFile:\s+(\d+)", file.read())[1])

    boot.services({"gateway@.toml": says("1")})
    life = begun(boot, MAIN)
    until(lambda: mapped() <= 256, "what only the boot needed is given back")
    assert ctl(life, "start", "gateway@a").code == 0
    until(lambda: mapped() <= 256, "and what the request needed")
    life.stop()


def test_making_and_removing_takes_up_nothing(boot):
    boot.services({"gateway@.toml": says("1")})
    life = begun(boot, MAIN)

    def cycle(first, count):
        for number in range(first, first + count, 10):
            names = [f"gateway@i{other}" for other in range(number, number + 10)]
            assert ctl(life, "start", *names).code == 0
            assert ctl(life, "remove", *names).code == 0

    cycle(0, 300)
    descriptors, taken = life.descriptors(), memory(life)
    cycle(300, 2000)
    until(lambda: life.descriptors() <= descriptors + 2, "no descriptor is left over")
    # The kept output of one service is 64 KiB; 2,000 of them would be 128 MiB.
    assert memory(life) <= taken + 1024, (taken, memory(life))
    assert not mixed(life)
    life.stop()


def test_what_a_removed_service_left_running_keeps_its_name(boot):
    """A descendant in a session of its own outlives its service, where there are no cgroups; what it says is not another's."""
    left = ("script = '(setsid sh -c \"until [ -e @/go ]; do sleep 0.02; done; echo gateway is still here; "
            "touch @/said\" &) ; " + STAY + "'\n")
    life = begun(boot, MAIN, {"left": left})
    life.until(lambda: len(descendants(life.pid)) >= 3, "both run")
    (boot.config / "left.toml").unlink()
    reload(life)
    life.until_err("left: stopped")
    boot.services({"taker": says("1")})
    reload(life)
    runs(boot, life, "taker", "1")
    if len(descendants(life.pid)) >= 3:
        (boot.folder / "go").touch()
        life.until(lambda: (boot.folder / "said").exists(), "it said it")
        life.until_out("[left] gateway is still here")
    assert "[taker] gateway" not in life.stdout()
    assert os.path.exists(f"/proc/{life.pid}")
    life.stop()


# --- what does not answer ------------------------------------------------------------------------------------------------

# A volume that hangs: a FUSE mount whose server never says a word, until its standard input ends. Then all that waits there fails.
HANGS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
device = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % device
if libc.mount(b"hung", sys.argv[1].encode(), b"fuse", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not AM_ROOT or not os.path.exists("/dev/fuse"), reason="needs root and /dev/fuse")
def test_a_folder_that_hangs_holds_up_the_reload_and_nothing_else(boot):
    profiles = boot.folder / "profiles"
    (profiles / "one").mkdir(parents=True)
    life = begun(boot, MAIN, {"web": says("1"), "p@": says("p") + '[instances]\nfrom = "@/profiles/*"\n'})
    runs(boot, life, "web", "1")
    runs(boot, life, "p@one", "p")
    inside = ["nsenter", "--target", str(life.pid), "--pid", "--mount", "--"]
    with subprocess.Popen([*inside, sys.executable, "-c", HANGS, str(profiles)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as volume:
        if volume.stdout.readline() != "mounted\n":
            pytest.skip(f"no FUSE here: {volume.stderr.read()}")
        with Client(life) as client:
            client.send("reload")
            # Before its answer comes there are others, and a service that dies is started again.
            os.kill(life.inside(int(ask(life, "status web")[0]["pid"])), signal.SIGKILL)
            runs(boot, life, "web", "1", "1")
            answer = client.line()
            assert answer["error"] == "failed" and "takes longer than 10 s" in answer["message"], answer
            volume.stdin.close()
            # The one that hung is gone, and the folder fails instead of hanging.
            life.until(lambda: ask(life, "reload")[-1]["ok"], "a reload goes through")
    life.until_err("cannot look for instances of p@")
    life.until(lambda: not [pid for pid in children(life.pid) if status(pid).get("State", "").startswith("Z")], "no zombie is left")
    life.stop()
