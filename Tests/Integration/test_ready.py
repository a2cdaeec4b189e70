"""When a service counts as ready: every way of `[ready]`, and what each does with programs that are late, silent, hostile or
dead. Whether it is up shows by `top`, which requires it and leaves a file."""

import fcntl
import os
import re
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest
from harness import descendants
from servers import Server, Web, status

TOP = {"top": "requires = [\"web\"]\nscript = 'touch @/top; exec sleep 1000'\n"}
STAY = "script = 'exec sleep 1000'\n"
WAIT = "until [ -e @/go ]; do sleep 0.02; done; "
NEVER = "[restart]\npolicy = \"never\"\n"
PYTHON = "/usr/bin/python3"


def boots(boot, web, **how):
    return boot(["sleep", "1000"], {"web": web, **TOP}, **how)


def is_up(boot):
    return (boot.folder / "top").exists()


def lines(boot, name):
    path = boot.folder / name
    return path.read_text().split() if path.exists() else []


def becomes_up(boot, life):
    life.until(lambda: is_up(boot), "web is up")
    # What was started because of it may run before the line is written.
    life.until_err("web: up (ready after ")


def not_ready(life, why=""):
    """It is told to stop for being late; after how long is counted, and a machine may be slow."""
    life.until(
        lambda: re.search(r"web: not ready after \S+ m?s " + re.escape(why), life.stderr().replace("s;", "s ;")),
        f"it is not ready {why}")


# --- probes


def test_tcp_that_listens_late(boot, server):
    web = server(Server, listening=False)
    life = boots(boot, STAY + f'[ready]\ntcp = "{web.address}"\ninterval = "20ms"\n')
    # It was tried, and refused, more than once: the interval has passed many times.
    time.sleep(0.2)
    assert not is_up(boot)
    web.listen()
    becomes_up(boot, life)


def test_a_port_out_of_the_services_own_environment_and_localhost(boot, server):
    web = server(Server)
    life = boots(boot, STAY + '[environment]\nPORT = "%d"\n[ready]\ntcp = "localhost:${PORT}"\n' % web.port)
    becomes_up(boot, life)


def test_a_name_of_etc_hosts(boot, server):
    web = server(Server)
    hosts = boot.folder / "hosts"
    hosts.write_text("127.0.0.2 other\n127.0.0.1 one two.example # three\n")
    services = STAY + f'[ready]\ntcp = "Two.example:{web.port}"\n'
    life = boots(boot, services, before=f"mount --bind {hosts} /etc/hosts")
    becomes_up(boot, life)


@pytest.mark.parametrize("address, reason", [
    ("no-such-host.example:80", "it is not in /etc/hosts, and hermes-init asks no name server"),
    ("127.0.0.1:${NOTHING}0", "NOTHING is not set ([ready] tcp"),
    ("${HOSTLESS:-}:80", 'tcp = ":80": the host is missing'),
    ("127.0.0.1:${PORT}", 'tcp = "127.0.0.1:99999": the port must be a number from 1 to 65535'),
])
def test_an_address_that_is_wrong_is_told_with_its_key_and_value(boot, address, reason):
    life = boots(boot, STAY + NEVER + f'[ready]\ntcp = "{address}"\ninterval = "20ms"\ntimeout = "150ms"\n'
                 '[environment]\nPORT = "99999"\n')
    not_ready(life, "(the last try: ")
    assert reason in life.stderr(), life.said()
    assert not is_up(boot)


def test_unix(boot, server):
    path = boot.folder / "socket"
    web = server(Server, path=path, listening=False)
    life = boots(boot, STAY + '[ready]\nunix = "@/socket"\ninterval = "20ms"\n')
    time.sleep(0.1)
    assert not is_up(boot)
    web.listen()
    becomes_up(boot, life)


@pytest.mark.parametrize("path, reason", [
    ("@/nothing", "No such file or directory"), ("${LONG}", "at most 107 bytes"),
    ("/etc/passwd", "Connection refused"),
], ids=["missing", "long", "file"])
def test_unix_that_cannot_be(boot, path, reason):
    life = boots(boot, STAY + NEVER + f'[ready]\nunix = "{path}"\ninterval = "20ms"\ntimeout = "150ms"\n'
                 '[environment]\nLONG = "/%s"\n' % ("x" * 120))
    not_ready(life, "(the last try: cannot connect to ")
    assert reason in life.stderr(), life.said()


def test_path(boot):
    life = boots(boot, STAY + '[ready]\npath = "@/there"\ninterval = "20ms"\n')
    life.until_err("")
    time.sleep(0.1)
    assert not is_up(boot)
    (boot.folder / "there").touch()
    becomes_up(boot, life)


def test_http_asks_as_a_client_does_until_the_answer_is_good(boot, server):
    web = server(Web, status(503))
    life = boots(boot, STAY + f'[ready]\nhttp = "http://{web.address}/health?full=1"\ninterval = "20ms"\n')
    life.until(lambda: len(web.requests) >= 3, "three questions")
    assert not is_up(boot)
    head = web.requests[0].decode().split("\r\n")
    assert head[0] == "GET /health?full=1 HTTP/1.1" and f"Host: {web.address}" in head and "Connection: close" in head
    web.reply = status(204)
    becomes_up(boot, life)
    asked = len(web.requests)
    time.sleep(0.2)
    assert len(web.requests) <= asked + 1


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200\n", status(302), status(399), status(200) + b"x" * 1_000_000],
                         ids=["1.0", "302", "399", "long"])
def test_http_answers_that_are_good(boot, server, answer):
    web = server(Web, answer)
    becomes_up(boot, boots(boot, STAY + f'[ready]\nhttp = "http://{web.address}"\n'))


@pytest.mark.parametrize("answer, reason", [
    (status(404), "answered 404"), (status(199), "answered 199"), (b"", "closed the connection without an answer"),
    (b"HTTP/1.1 2", "closed the connection within its first line"), (b"\0\1\2\xff" * 1000, "that is not HTTP"),
    (b"x" * 1_000_000, "that is not HTTP"), (b"HTTP/1.1 2000", "that is not HTTP"),
], ids=["404", "199", "nothing", "cut", "binary", "flood", "2000"])
def test_http_answers_that_are_not(boot, server, answer, reason):
    web = server(Web, answer)
    service = STAY + NEVER + f'[ready]\nhttp = "http://{web.address}/x"\ninterval = "20ms"\ntimeout = "1s"\n'
    life = boots(boot, service)
    not_ready(life, "(the last try: http://" + web.address + "/x ")
    assert reason in life.stderr() and not is_up(boot), life.said()


def test_http_a_byte_at_a_time(boot, server):
    def serve(connection):
        connection.recv(4096)
        for byte in b"HTTP/1.1 200 OK\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    web = server(Server, serve)
    becomes_up(boot, boots(boot, STAY + f'[ready]\nhttp = "http://{web.address}"\n'))


def test_servers_that_never_answer_keep_nobody_else_waiting(boot, server):
    hangs = server(Server)  # connections are accepted, and that is all
    services = {
        f"hang{n}": STAY + f'[ready]\nhttp = "http://{hangs.address}"\ntimeout = "20s"\n[restart]\npolicy = "never"\n'
        for n in range(50)
    }
    good = server(Web)
    services["web"] = STAY + f'[ready]\nhttp = "http://{good.address}"\n'
    life = boot(["sleep", "1000"], {**services, **TOP})
    began = time.monotonic()
    becomes_up(boot, life)
    result = life.stop()
    # Their timeout is not waited for.
    assert time.monotonic() - began < 15, result
    assert result.code == 143, result


def test_one_try_is_given_up_after_three_seconds_and_another_made(boot, server):
    def serve(connection):
        connection.recv(4096)
        if web.count > 1:
            connection.sendall(status(200))
        else:
            time.sleep(60)

    web = server(Server, serve)
    life = boots(boot, STAY + f'[ready]\nhttp = "http://{web.address}"\ninterval = "10ms"\n')
    becomes_up(boot, life)
    assert web.count == 2


def test_command_runs_as_the_service_would_and_its_words_are_in_the_services_log(boot):
    service = (
        STAY + f'directory = "{boot.folder}"\n[environment]\nMARK = "there"\n'
        '[ready]\ninterval = "20ms"\ncommand = ["sh", "-c", "echo looked for $MARK in $(pwd); [ -e $MARK ]"]\n')
    life = boots(boot, service)
    life.until_out(f"[web] looked for there in {boot.folder}", 3)
    assert not is_up(boot)
    (boot.folder / "there").touch()
    becomes_up(boot, life)


@pytest.mark.parametrize("command, reason", [
    ('["sh", "-c", "exit 7"]', "sh exited with code 7"), ('["sh", "-c", "kill -9 $$"]', "sh was ended by SIGKILL"),
    ('["/no/such/program"]', "cannot run /no/such/program"), ('["${NOTHING}"]', "NOTHING is not set ([ready] command"),
])
def test_command_that_fails_is_told(boot, command, reason):
    life = boots(boot, STAY + NEVER + f'[ready]\ncommand = {command}\ninterval = "20ms"\ntimeout = "1s"\n')
    not_ready(life, "(the last try: ")
    assert reason in life.stderr(), life.said()


def test_a_command_that_hangs_is_killed_with_all_it_started_at_the_timeout(boot):
    service = STAY + NEVER + (
        '[ready]\ntimeout = "2s"\ncommand = ["sh", "-c", "echo $$ > @/probe; sleep 12345 & wait"]\n')
    life = boots(boot, service)
    not_ready(life)
    probe = lines(boot, "probe")[0]
    life.until(lambda: b"12345" not in b"".join(cmdlines(life)), f"probe {probe} and its child are gone")
    assert not is_up(boot)


def cmdlines(life):
    for pid in descendants(life.pid):
        try:
            yield Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            pass


# --- the descriptor of s6


@pytest.mark.parametrize("number", [3, 4, 9, 300])
def test_a_newline_on_the_descriptor(boot, number):
    service = f"command = [\"bash\", \"-c\", '''{WAIT} echo -n half >&{number}; echo >&{number}; exec sleep 1000''']\n"
    life = boots(boot, service + f"[ready]\nnotify = {number}\n")
    time.sleep(0.1)
    assert not is_up(boot)
    (boot.folder / "go").touch()
    becomes_up(boot, life)


def test_a_script_that_is_read_through_a_descriptor_has_that_of_readiness_too(boot):
    service = "script = '''#!/bin/bash\necho >&4; exec sleep 1000'''\n[ready]\nnotify = 4\n"
    becomes_up(boot, boots(boot, service))


def test_a_descriptor_that_is_closed_without_a_newline_is_told_and_waited_for(boot):
    life = boots(boot, "script = 'exec 3>&-; exec sleep 1000'\n" + NEVER + '[ready]\nnotify = 3\ntimeout = "400ms"\n')
    life.until_err("web: closed the descriptor of [ready] notify without a newline, so it will not become ready")
    not_ready(life)
    assert not is_up(boot)


def test_only_the_services_process_has_the_descriptor(boot):
    services = {
        "web": "script = 'echo >&3; exec sleep 1000'\n[ready]\nnotify = 3\n",
        "other": "requires = [\"web\"]\nscript = 'ls /proc/self/fd > @/other; touch @/top; exec sleep 1000'\n",
    }
    life = boot(["sleep", "1000"], services)
    life.until(lambda: is_up(boot), "other runs")
    assert len(lines(boot, "other")) == 4  # 0, 1, 2 and the folder itself


def test_main_can_be_waited_for(boot):
    life = boot((), {
        "main": f"type = \"main\"\nscript = '{WAIT} echo >&3; exec sleep 1000'\n[ready]\nnotify = 3\n",
        "after": "requires = [\"main\"]\nscript = 'touch @/top; exec sleep 1000'\n",
    })
    time.sleep(0.1)
    assert not is_up(boot)
    (boot.folder / "go").touch()
    life.until(lambda: is_up(boot), "main is ready")
    life.until_err("main: up (ready after ")


@pytest.mark.skipif(shutil.which("s6-notifyoncheck") is None, reason="s6 is not installed")
def test_s6_notifyoncheck(boot):
    # It asks for what s6-supervise has: a folder for events, and a lock that is held.
    folder = boot.folder / "service"
    for name in ("data", "supervise"):
        (folder / name).mkdir(parents=True)
    check = folder / "data" / "check"
    check.write_text(f"#!/bin/sh\ntest -e {boot.folder}/go\n")
    check.chmod(0o755)
    lock = open(folder / "supervise" / "lock", "w")
    fcntl.lockf(lock, fcntl.LOCK_EX)
    service = (
        f'directory = "{folder}"\n'
        'command = ["sh", "-c", "s6-mkfifodir event; exec s6-notifyoncheck -3 3 -w 50 -n 0 sleep 1000"]\n'
        "[ready]\nnotify = 3\n")
    life = boots(boot, service)
    time.sleep(0.3)
    assert not is_up(boot), life.said()
    (boot.folder / "go").touch()
    becomes_up(boot, life)


# --- the text


def test_a_text_in_the_output_of_this_life(boot):
    service = "script = 'echo server starts; echo no; %s echo :: ready to serve ::; exec sleep 1000'\n" % WAIT
    life = boots(boot, service + '[ready]\nlog = "ready to serve"\n')
    life.until_out("[web] no")
    assert not is_up(boot)
    (boot.folder / "go").touch()
    becomes_up(boot, life)


def test_a_text_on_stderr_is_found_anew_in_each_life(boot):
    service = "script = 'echo $$ >> @/starts; echo listening >&2; exec sleep 1000'\n"
    life = boots(boot, service + '[ready]\nlog = "listening"\n[restart]\ndelay = "10ms"\n')
    becomes_up(boot, life)
    os.kill(life.inside(lines(boot, "starts")[0]), signal.SIGKILL)
    life.until(lambda: life.stderr().count("web: up (ready after ") == 2, "it is ready again")


# --- systemd


def send(words):
    """A program that sends these datagrams, each a Python expression of bytes, to NOTIFY_SOCKET."""
    sends = "; ".join(f"s.send({word})" for word in words)
    return ("import os, socket, sys, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
            f"s.connect(os.environ['NOTIFY_SOCKET'].replace(chr(64), chr(0))); {sends}; time.sleep(1000)")


def speaker(*words):
    return f'command = ["{PYTHON}", "-c", """{send(words)}"""]\n'


SYSTEMD = '[ready]\nnotify = "systemd"\n'
has_systemd_notify = pytest.mark.skipif(shutil.which("systemd-notify") is None, reason="systemd is not installed")


@has_systemd_notify
def test_systemd_notify_from_a_script(boot):
    # Its sender is a child of the service; it waits until the message was read (BARRIER).
    script = WAIT + "systemd-notify --ready --status=serving; touch @/told; exec sleep 1000"
    life = boots(boot, f"script = '{script}'\n" + SYSTEMD)
    time.sleep(0.1)
    assert not is_up(boot)
    (boot.folder / "go").touch()
    becomes_up(boot, life)
    life.until(lambda: (boot.folder / "told").exists(), "systemd-notify did not wait in vain")


def test_the_client_of_python3_systemd(boot):
    if os.system(f"{PYTHON} -c 'import systemd.daemon' 2>/dev/null") != 0:
        pytest.skip("python3-systemd is not installed")
    program = "import systemd.daemon, time; systemd.daemon.notify('READY=1'); time.sleep(1000)"
    becomes_up(boot, boots(boot, f'command = ["{PYTHON}", "-c", "{program}"]\n' + SYSTEMD))


def test_messages_that_say_nothing_make_nothing_ready(boot):
    life = boots(boot, speaker(
        "b''", "b'\\\\0' * 100", "b'READY=0'", "b'READY'", "b'=' * 4096", "b'READY=1' + b'x' * 5000", "b'STATUS=late'",
    ) + SYSTEMD + 'timeout = "3s"\n' + NEVER)
    not_ready(life)
    assert not is_up(boot)
    assert "it has more than 4096 bytes" in life.stderr(), life.said()


def test_a_flood_before_ready_is_borne(boot):
    life = boots(boot, speaker(
        "b'x'", "[s.send(b'STATUS=' + str(n).encode()) for n in range(20000)] and b''",
        "[s.send(os.urandom(2000)) for n in range(500)] and b'READY=1'") + SYSTEMD)
    becomes_up(boot, life)


@pytest.mark.native("qemu-user takes more descriptors from the kernel than it hands on, and keeps the rest")
def test_descriptors_that_are_passed_are_closed(boot):
    many = "[socket.send_fds(s, [b'FDSTORE=1'], [0] * 200) for n in range(300)] and b'READY=1'"
    life = boots(boot, speaker(many) + SYSTEMD)
    becomes_up(boot, life)
    assert life.descriptors() < 40


def test_strangers_are_not_heard_and_told_once(boot):
    stranger = ("import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
                "s.connect(chr(0) + open('@/name').read().strip()); "
                "[s.send(b'READY=1') for n in range(3)]; open('@/sent', 'w').close(); import time; time.sleep(1000)")
    services = {
        "web": "script = 'printf %s $NOTIFY_SOCKET | cut -c 2- > @/name.new; mv @/name.new @/name; exec sleep 1000'\n"
               + SYSTEMD,
        "stranger": f"script = '''until [ -e @/name ]; do sleep 0.02; done; exec {PYTHON} -c \"{stranger}\"'''\n",
        **TOP,
    }
    life = boot(["sleep", "1000"], services)
    life.until(lambda: (boot.folder / "sent").exists(), "the stranger spoke")
    # From outside of the namespace too: there its sender has no number at all.
    outside = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    outside.connect("\0" + (boot.folder / "name").read_text().strip())
    outside.send(b"READY=1")
    life.until_err("web: passed over a message to its NOTIFY_SOCKET from process ")
    assert "it is not of this service" in life.stderr(), life.said()
    time.sleep(0.1)
    assert not is_up(boot) and life.stderr().count("passed over") == 1, life.said()


def test_more_time_by_extend_timeout(boot):
    words = ("b'EXTEND_TIMEOUT_USEC=20000000'", "time.sleep(3.5) or b'READY=1'")
    life = boots(boot, speaker(*words) + SYSTEMD + 'timeout = "3s"\n')
    becomes_up(boot, life)


def test_a_service_goes_on_in_the_process_that_it_names(boot):
    # Its shell tells by the number of a child which goes on after it; it speaks as itself, so that the sender is known.
    program = ("import os, time\nimport socket\nchild = os.fork()\nif child == 0:\n time.sleep(1000)\n"
               "open('@/starts', 'a').write(str(child) + chr(10))\n"
               "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
               "s.connect(os.environ['NOTIFY_SOCKET'].replace(chr(64), chr(0)))\n"
               "s.send(b'READY=1' + bytes([10]) + b'MAINPID=%d' % child)\n")
    services = {"web": f'command = ["{PYTHON}", "@/program"]\n' + SYSTEMD + '[restart]\ndelay = "10ms"\n', **TOP}
    (boot.folder / "program").write_text(program.replace("@", str(boot.folder)))
    life = boot(["sleep", "1000"], services)
    becomes_up(boot, life)
    life.until_err("web: goes on in process ")
    first = lines(boot, "starts")[0]
    assert "exited" not in life.stderr(), life.said()
    os.kill(life.inside(first), signal.SIGKILL)
    life.until(lambda: len(lines(boot, "starts")) == 2, "it was started again")
    assert "web: was ended by SIGKILL" in life.stderr(), life.said()
    # And it is what the stop is for.
    second = life.inside(lines(boot, "starts")[1])
    life.until(lambda: life.stderr().count("goes on in process") == 2, "the second life goes on")
    result = life.stop()
    assert result.code == 143 and "killed" not in result.err, result
    assert not os.path.exists(f"/proc/{second}")


def test_a_mainpid_of_another_service_is_not_believed(boot):
    services = {
        "other": "script = 'echo $$ > @/other; exec sleep 1000'\n",
        "web": f'requires = ["other"]\ncommand = ["{PYTHON}", "-c", """'
               + send(["b'READY=1\\\\nMAINPID=' + open('@/other').read().strip().encode()"])
               + '"""]\n' + SYSTEMD,
        **TOP,
    }
    life = boot(["sleep", "1000"], services)
    becomes_up(boot, life)
    life.until_err("which is no process of its own; passed over")


# --- ends


def test_death_before_ready_is_told_as_such(boot):
    life = boots(boot, "script = 'exit 4'\n" + NEVER + "[ready]\nnotify = 3\n")
    life.until_err("web: failed: exited with code 4, before it was ready")
    assert "closed the descriptor" not in life.stderr() and "not ready after" not in life.stderr(), life.said()


def test_what_is_never_ready_follows_its_restart_policy(boot):
    service = "script = 'echo $$ >> @/starts; exec sleep 1000'\n[ready]\npath = \"@/nothing\"\ntimeout = \"50ms\"\n"
    life = boots(boot, service + '[restart]\ndelay = "10ms"\nmax-delay = "10ms"\nlimit = 5\n')
    life.until_err("web: failed: ")
    assert len(lines(boot, "starts")) == 5 and not is_up(boot), life.said()


@pytest.mark.parametrize("ready", ["notify = 3", 'notify = "systemd"', 'tcp = "127.0.0.1:1"', 'command = ["sleep", "5"]'])
def test_no_descriptor_is_left_of_many_lives(boot, ready):
    service = "script = 'echo $$ >> @/starts; sleep 0.01'\n[restart]\ndelay = \"0s\"\n[ready]\n" + ready + "\n"
    life = boots(boot, service)
    life.until(lambda: len(lines(boot, "starts")) >= 10, "ten lives")
    # There are more within a life than between two; one that was kept of each life would show all the same.
    most = max(life.descriptors() for _ in range(200))
    life.until(lambda: len(lines(boot, "starts")) >= 60, "sixty lives")
    assert min(life.descriptors() for _ in range(200)) <= most + 5


def test_what_speaks_before_it_is_asked_for_does_not_count_for_the_next_life(boot):
    service = (
        "script = 'echo $$ >> @/starts; if [ $(wc -l < @/starts) = 1 ]; then echo >&3; exit 1; fi; exec sleep 1000'\n"
        '[ready]\nnotify = 3\n[restart]\ndelay = "10ms"\n')
    life = boots(boot, service)
    life.until(lambda: len(lines(boot, "starts")) == 2, "the second life")
    assert life.stderr().count("ready after") == 1, life.said()
