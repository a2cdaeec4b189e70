"""What `[health]` watches and what is done about it, and `hermes-init health`, which tells of it from outside."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from control import good
from harness import AM_ROOT, ORDINARY, alive, descendants, reachable, status, until
from servers import Server, Web
from servers import status as http
from test_ready import speaker

STAY = "script = 'echo $$ >> @/starts; exec sleep 1000'\n"
QUICK = '[restart]\ndelay = "10ms"\nmax-delay = "10ms"\n'
NEVER = '[restart]\npolicy = "never"\n'
HEALTH = '[health]\ninterval = "30ms"\nfailures = 2\n'
RUN = "mount -t tmpfs tmpfs /run"


def starts(boot):
    path = boot.folder / "starts"
    return path.read_text().split() if path.exists() else []


def boots(boot, web, **how):
    return boot(["sleep", "1000"], {"web": web}, **how)


# --- what is done


@pytest.mark.parametrize("bad, reason", [
    (http(500), " answered 500, 2 times in a row"), (b"", "closed the connection without an answer, 2 times in a row"),
], ids=["500", "nothing"])
def test_an_unhealthy_service_is_stopped_and_started_again(boot, server, bad, reason):
    web = server(Web)
    life = boots(boot, STAY + QUICK + HEALTH + f'http = "http://{web.address}/health"\n')
    life.until(lambda: len(web.requests) >= 3, "it is asked again and again")
    assert len(starts(boot)) == 1
    web.reply = bad
    life.until(lambda: len(starts(boot)) == 2, "a new process")
    web.reply = http(200)
    told = good(life, "status web")[0]["last-exit"]
    assert told["because"].startswith("unhealthy (http://") and reason in told["because"], told
    assert f"web: unhealthy: http://{web.address}/health" in life.stderr() and reason in life.stderr(), life.said()
    assert "web: stopped, because it was unhealthy" in life.stderr(), life.said()


def test_a_server_that_hangs_is_unhealthy(boot, server):
    web = server(Server)
    life = boots(boot, STAY + NEVER + HEALTH + f'timeout = "100ms"\nhttp = "http://{web.address}"\n')
    life.until_err("web: unhealthy: no answer within 100 ms, 2 times in a row; stopping it")
    life.until_err("web: failed: unhealthy (no answer within 100 ms")


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_socket_that_goes_away(boot, server, kind):
    web = server(Server, path=boot.folder / "socket" if kind == "unix" else None)
    where = web.address if kind == "tcp" else boot.folder / "socket"
    life = boots(boot, STAY + NEVER + HEALTH + f'{kind} = "{where}"\n')
    life.until_err("web: up")
    # Nobody accepts: what the kernel takes for the server is enough.
    time.sleep(0.2)
    assert "unhealthy" not in life.stderr(), life.said()
    web.close()
    life.until_err(f"web: unhealthy: cannot connect to {where}: Connection refused, 2 times in a row")


def test_action_none_says_so_once_and_once_more_when_it_is_well(boot, server):
    web = server(Web, http(503))
    life = boots(boot, STAY + HEALTH + f'action = "none"\nhttp = "http://{web.address}"\n')
    life.until_err("web: unhealthy: ")
    asked = len(web.requests)
    life.until(lambda: len(web.requests) > asked + 4, "it is asked on")
    web.reply = http(200)
    life.until_err("web: healthy again after ")
    assert life.stderr().count("unhealthy: ") == 1 and len(starts(boot)) == 1, life.said()


def test_action_stop_container(boot, server):
    web = server(Web, http(503))
    result = boots(boot, STAY + HEALTH + f'action = "stop-container"\nhttp = "http://{web.address}"\n').wait()
    assert result.code == 1 and "web is unhealthy" in result.err, result


def test_one_that_flaps_follows_its_restart_policy(boot):
    life = boots(boot, STAY + QUICK + "limit = 4\n" + HEALTH + 'command = ["false"]\n')
    life.until_err("web: failed: started 4 times")
    assert len(starts(boot)) == 4


def test_in_the_start_period_failures_do_not_count_until_a_first_success(boot, server):
    web = server(Web, http(503))
    life = boots(boot, STAY + NEVER + HEALTH + f'start-period = "10m"\nhttp = "http://{web.address}"\n')
    life.until(lambda: len(web.requests) >= 6, "six questions")
    assert "unhealthy" not in life.stderr(), life.said()
    web.reply = http(200)
    asked = len(web.requests)
    life.until(lambda: len(web.requests) > asked + 1, "a success")
    web.reply = http(503)
    life.until_err("web: unhealthy: ")


# --- commands


@pytest.mark.skipif(not AM_ROOT, reason="needs root")
def test_a_command_runs_as_the_service_does(boot):
    service = (
        f'user = "{ORDINARY}"\ndirectory = "/tmp"\numask = "077"\n' + STAY
        + '[environment]\nMARK = "here"\n' + HEALTH
        + 'command = ["sh", "-c", "echo $(id -u) $(pwd) $(umask) $MARK $HERMES_INIT_SERVICE; echo bad >&2"]\n')
    life = boots(boot, service)
    life.until_out(f"[web] {ORDINARY} /tmp 0077 here web")
    life.until_err("[web] bad")


def test_a_command_that_hangs_dies_with_what_it_started(boot):
    service = STAY + NEVER + HEALTH + 'timeout = "500ms"\ncommand = ["sh", "-c", "sleep 12345 & echo $! >> @/sleeps; wait"]\n'
    life = boots(boot, service)
    life.until_err("web: unhealthy: no answer within 500 ms, 2 times in a row")
    assert len((boot.folder / "sleeps").read_text().split()) >= 2
    life.until(lambda: not sleeps(life, "12345"), "all of them are gone")


def sleeps(life, word):
    found = []
    for pid in descendants(life.pid):
        try:
            if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                found.append(pid)
        except OSError:
            pass
    return found


def test_a_command_dies_with_its_service(boot):
    service = STAY + '[restart]\ndelay = "1h"\nmax-delay = "1h"\n' + HEALTH + (
        'timeout = "1h"\ncommand = ["sh", "-c", "touch @/probes; sleep 12345"]\n')
    life = boots(boot, service)
    life.until(lambda: (boot.folder / "probes").exists(), "a probe runs")
    os.kill(life.inside(starts(boot)[0]), signal.SIGKILL)
    life.until_err("web: was ended by SIGKILL")
    life.until(lambda: not sleeps(life, "12345"), "the probe is gone")


def test_a_probe_that_runs_holds_up_no_stop(boot):
    life = boots(boot, STAY + HEALTH + 'timeout = "1h"\ncommand = ["sh", "-c", "touch @/probes; sleep 12345"]\n')
    life.until(lambda: (boot.folder / "probes").exists(), "a probe runs")
    began = time.monotonic()
    result = life.stop()
    assert result.code == 143 and time.monotonic() - began < 15, result


# --- the watchdog


WATCHED = '[ready]\nnotify = "systemd"\n[health]\nwatchdog = "1s"\n'


def test_the_watchdogs_variables_reach_the_service_and_its_silence_is_noticed(boot):
    told = ("open('@/told', 'a').write(os.environ['WATCHDOG_USEC'] + "
            "(' me ' if os.environ['WATCHDOG_PID'] == str(os.getpid()) else ' no ')) and b'READY=1'")
    feeds = "[s.send(b'WATCHDOG=1') and time.sleep(0.05) for n in range(40)] and open('@/fed', 'w') and b'STATUS=tired'"
    life = boots(boot, speaker(told, feeds) + NEVER + WATCHED)
    life.until_err("web: up")
    life.until_err("web: unhealthy: no WATCHDOG=1 for 1 s; stopping it")
    # Not before it fell silent: twice as long as its interval it was fed.
    assert (boot.folder / "fed").exists()
    assert (boot.folder / "told").read_text() == "1000000 me "


def test_watchdog_trigger(boot):
    life = boots(boot, speaker("b'READY=1\\\\nWATCHDOG=trigger'") + NEVER + WATCHED.replace("1s", "1h"))
    life.until_err("web: unhealthy: it says so itself (WATCHDOG=trigger); stopping it")


def test_one_that_tells_that_it_stops_is_not_asked_any_more(boot):
    life = boots(boot, speaker("b'READY=1'", "b'STOPPING=1'") + NEVER + WATCHED)
    life.until_err("web: up")
    time.sleep(2)
    assert "unhealthy" not in life.stderr(), life.said()


# --- reloading


def test_a_signal_that_reloads_reaches_every_service_that_can(boot):
    services = {
        "init.toml": '[signals]\nSIGHUP = "reload"\n',
        "web": "script = '''trap 'echo got USR1' USR1; echo trapped; while :; do sleep 0.05; done'''\n[reload]\nsignal = \"SIGUSR1\"\n",
        "api": "script = 'echo $$ > @/api; exec sleep 1000'\ndirectory = \"/tmp\"\n[reload]\n"
               'command = ["sh", "-c", "echo reload of $MAINPID in $(pwd); exit $(cat @/code)"]\n',
        "plain": "script = 'exec sleep 1000'\n",
    }
    (boot.folder / "code").write_text("0")
    life = boot(["sleep", "1000"], services)
    life.until_out("[web] trapped")
    life.until(lambda: (boot.folder / "api").exists(), "api runs")
    life.signal(signal.SIGHUP)
    life.until_out("[web] got USR1")
    life.until_out(f"[api] reload of {(boot.folder / 'api').read_text().strip()} in /tmp")
    life.until_err("api: reloaded")
    (boot.folder / "code").write_text("3")
    life.signal(signal.SIGHUP)
    life.until_err("api: cannot reload: its [reload] command exited with code 3; it goes on as before")


def test_a_reload_command_that_hangs_does_not_hold_up_a_stop(boot):
    services = {
        "init.toml": '[signals]\nSIGHUP = "reload"\n',
        "web": STAY + '[reload]\ncommand = ["sh", "-c", "touch @/reloads; sleep 12345"]\n',
    }
    life = boot(["sleep", "1000"], services)
    life.until_err("web: up")
    life.signal(signal.SIGHUP)
    life.until(lambda: (boot.folder / "reloads").exists(), "it reloads")
    began = time.monotonic()
    assert life.stop().code == 143 and time.monotonic() - began < 15


# --- hermes-init health


def healthy(life, **how):
    return life.health(**how).code == 0


root = pytest.mark.skipif(not AM_ROOT, reason="a mount of its own needs root")


@root
def test_health_tells_what_is_not_ready_and_then_that_all_is_well(boot):
    services = {
        "web": "script = 'until [ -e @/go ]; do sleep 0.02; done; echo >&3; exec sleep 1000'\n[ready]\nnotify = 3\n",
        "once": "type = \"oneshot\"\nscript = 'true'\n",
        "never": "script = 'true'\n[when]\nenv = [\"NOT_SET_AT_ALL\"]\n",
        "optional": 'command = ["/no/such"]\noptional = true\n',
        "manual": STAY + "autostart = false\n",
    }
    life = boot(["sleep", "1000"], services, before=RUN)
    life.until(lambda: life.health().out == "web: not ready yet\n", lambda: repr(life.health()))
    assert life.health().code == 1
    (boot.folder / "go").touch()
    life.until(lambda: healthy(life), lambda: repr(life.health()))
    for user in (None, ORDINARY):
        result = life.health(user=user)
        assert (result.code, result.err) == (0, "") and result.out == "5 services are well\n", result


@root
def test_the_reason_of_an_unhealthy_stop_is_told_until_the_next_start_and_after_it(boot, server):
    web = server(Web, http(500))
    text = "script = 'trap \"exit 0\" TERM; while :; do sleep 0.05; done'\n" + HEALTH
    life = boot(["sleep", "1000"], {"web": text + f'http = "http://{web.address}"\n[restart]\ndelay = "1h"\nmax-delay = "1h"\n'}, before=RUN)
    why = f"unhealthy (http://{web.address} answered 500, 2 times in a row)"
    life.until(lambda: life.health().out == f"web: {why}, starting again\n", lambda: repr(life.health()))
    said = life.enter([str(reachable()), "ctl", "status", "web"]).out
    assert f"why  {why}, starting again in " in said and f"last exit  exit 0, told to end: {why}\n" in said, said


@root
def test_health_of_services_that_fail_crash_and_say_what_they_do(boot, server):
    web = server(Web, http(500))
    services = {
        "failed": 'command = ["/no/such"]\n',
        "crashes": "script = 'exit 3'\n[restart]\ndelay = \"1h\"\nmax-delay = \"1h\"\n",
        "sick": STAY + HEALTH + f'action = "none"\nhttp = "http://{web.address}"\n',
        "tells": speaker("b'STATUS=loading 30%'") + '[ready]\nnotify = "systemd"\n',
        "waits": "requires = [\"tells\"]\nscript = 'exec sleep 1000'\n",
    }
    life = boot(["sleep", "1000"], services, before=RUN)
    expected = (
        "crashes: exited with code 3, starting again\nfailed: failed\n"
        f"sick: unhealthy: http://{web.address} answered 500, 2 times in a row\n"
        "tells: not ready yet (loading 30%)\nwaits: waiting for other services\n")
    try:
        until(lambda: life.health().out == expected, "all are told")
    except AssertionError:
        assert life.health().out == expected, life.said()
    assert life.health().code == 1
    web.reply = http(200)
    life.until(lambda: "sick" not in life.health().out, "sick is well")


@root
def test_health_without_an_init_or_with_the_file_of_a_former_one(boot):
    nobody = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{RUN}; mount -t tmpfs tmpfs /dev/shm; exec {reachable()} health"],
        capture_output=True, text=True)
    assert nobody.returncode == 1 and "no hermes-init runs here" in nobody.stderr
    # A file that stays behind: of a process number that is somebody else's now.
    stale = f"{RUN}; mkdir /run/hermes-init; echo 'hermes-init 1 1 5' > /run/hermes-init/status; exec {reachable()} health"
    result = subprocess.run(["unshare", "--mount", "sh", "-c", stale], capture_output=True, text=True)
    assert result.returncode == 1 and "no hermes-init runs here" in result.stderr, result


@root
@pytest.mark.parametrize("text, owner, reason", [
    ("nonsense", 0, "it was not written by hermes-init"), ("hermes-init 1 $$ $(start)", ORDINARY + 1, "it belongs to user"),
], ids=["nonsense", "stranger"])
def test_health_believes_no_file_of_somebody_else(text, owner, reason):
    script = (
        f"{RUN}; start() {{ sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20; }}; mkdir /run/hermes-init; "
        f'echo "{text}" > /run/hermes-init/status; chown -R {owner} /run/hermes-init; exec {reachable()} health')
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    assert result.returncode == 1 and reason in result.stderr, result


@root
def test_the_status_moves_to_dev_shm_where_run_cannot_be_written(boot):
    scene = "mount -t tmpfs -o ro tmpfs /run; mount -t tmpfs tmpfs /dev/shm"
    life = boot(["sleep", "1000"], {"web": STAY}, before=scene)
    life.until(lambda: healthy(life), lambda: repr(life.health()))
    assert life.enter(["cat", "/dev/shm/hermes-init/status"]).out.splitlines()[1:] == ["+ web up", "+ main up"]


@root
def test_where_no_status_can_be_kept_that_is_said_only_if_it_matters(boot):
    scene = "mount -t tmpfs -o ro tmpfs /run; mount -t tmpfs -o ro tmpfs /dev/shm"
    life = boots(boot, STAY + "[ready]\npath = \"/\"\n", before=scene)
    life.until_err("hermes-init health will not work: cannot write in /run/hermes-init")
    assert life.stderr().count("will not work") == 1
    quiet = boot(["sleep", "0.3"], {"web": STAY}, before=scene)
    assert "will not work" not in quiet.wait().err


@root
def test_a_folder_that_somebody_else_made_is_not_used(boot):
    scene = (f"{RUN}; mount -t tmpfs tmpfs /dev/shm; mkdir /tmp/there$$; ln -s /tmp/there$$ /run/hermes-init; "
             f"mkdir /dev/shm/hermes-init; chown {ORDINARY} /dev/shm/hermes-init")
    life = boots(boot, STAY + "[ready]\npath = \"/\"\n", before=scene)
    life.until_err("hermes-init health will not work")
    assert life.enter(["sh", "-c", "ls /run/hermes-init/ /dev/shm/hermes-init"]).out.split() == [
        "/dev/shm/hermes-init:", "/run/hermes-init/:"]


@root
def test_the_status_is_there_for_who_is_in_the_container(boot):
    life = boot(
        ["sh", "-c", f"until {reachable()} health; do sleep 0.05; done; ls -l /run/hermes-init"], {"web": STAY}, before=RUN)
    result = life.wait()
    assert result.code == 0 and re.search(r"^-rw-r--r-- .* status$", result.out, re.M), result
    assert "2 services are well" in result.out, result


@pytest.mark.plain
def test_health_takes_no_words():
    result = subprocess.run([reachable(), "health", "web"], capture_output=True, text=True)
    assert result.returncode == 64 and "health takes no words" in result.stderr


# --- idle


def switches(life):
    return int(status(life.pid)["voluntary_ctxt_switches"])


def quiet(life):
    before = switches(life)
    time.sleep(0.3)
    return switches(life) == before


def test_an_interval_is_all_that_wakes_it(boot):
    service = STAY + '[health]\ninterval = "1s"\nunix = "@/socket"\n'
    with_socket = Server(path=boot.folder / "socket")
    life = boots(boot, service)
    life.until_err("web: up")
    until(lambda: quiet(life), "the boot is done")
    before, began = switches(life), time.monotonic()
    time.sleep(5)
    # A probe a second: the timer wakes it, and the connection.
    assert 4 <= switches(life) - before <= 2 * (time.monotonic() - began) + 2
    with_socket.close()


@pytest.mark.native("strace sees the threads of the emulator, too")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_with_readiness_and_without_health_nothing_wakes_it_once_it_is_up(boot, server):
    web = server(Web)
    services = {
        "a": STAY + f'[ready]\nhttp = "http://{web.address}"\n',
        "b": "script = 'echo >&3; exec sleep 1000'\n[ready]\nnotify = 3\n",
        "c": speaker("b'READY=1'") + '[ready]\nnotify = "systemd"\n',
        "d": "script = 'echo ready; exec sleep 1000'\n[ready]\nlog = \"ready\"\n",
    }
    life = boot(["sleep", "1000"], services)
    for name in services:
        life.until_err(f"{name}: up (ready after ")
    until(lambda: quiet(life), "the boot is done")
    trace = boot.folder / "trace"
    with subprocess.Popen(["strace", "-f", "-p", str(life.pid), "-o", str(trace)], stderr=subprocess.DEVNULL) as tracer:
        until(lambda: status(life.pid).get("TracerPid", "0") != "0", "strace is there")
        time.sleep(3)
        tracer.send_signal(signal.SIGINT)
    calls = [line for line in trace.read_text().splitlines() if "(" in line]
    assert len(calls) <= 1 and all("epoll" in call for call in calls), calls
    assert alive(life.pid)
