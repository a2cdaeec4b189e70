"""Stages on the release: what is built in, executables as plugins, and `hermes-init stage`."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

import pytest
from harness import AM_ROOT, ROOT, children, descendants, reachable, until
from terminal import Terminal

needs_root = pytest.mark.skipif(not AM_ROOT, reason="needs root")


def plugin(boot, text, name="plugin"):
    """An executable in the test's folder; gives the line that names it."""
    path = boot.folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return f'plugin = "{path}"\n'


def stage(boot, *words, before=None, services=None, env=None):
    """`hermes-init stage` with those words, to its end."""
    boot.services(services or {})
    return boot.run(["stage", "--config", str(boot.config), *words], how="plain", before=before, env=env).wait()


# Executables


def test_an_executable_gets_its_options_as_json_and_what_it_exports_is_there_for_all_that_comes_later(boot):
    services = {
        "first": plugin(boot, 'cat > "$OUT"\necho "SEEN=$OWN" >&3\necho "A B=c=d  e" >&3\necho said >&2\n')
        + '[options]\ntext = "x-${NAME:-none}"\nlist = [1, 2.5, true, {"a.b" = "${NAME}"}]\nday = 2026-01-02\n'
          '[environment]\nOWN = "mine"\nNAME = "née\\"\\n"\nOUT = "@/options"\n',
        "main": 'type = "main"\nrequires = ["first"]\ncommand = ["env"]\n',
    }
    result = boot(services=services).wait()
    assert result.code == 0, result
    assert "SEEN=mine\n" in result.out and "A B=c=d  e\n" in result.out
    assert "[first] said\n" in result.err
    assert json.loads((boot.folder / "options").read_text()) == {
        "text": 'x-née"\n', "list": [1, 2.5, True, {"a.b": 'née"\n'}], "day": "2026-01-02"}


@needs_root
def test_an_executable_runs_as_the_user_of_its_service_in_its_directory(boot):
    (boot.folder / "work").mkdir()
    (boot.folder / "work").chmod(0o777)
    services = {"first": plugin(boot, 'id -u > who\nls -l /proc/self/fd | grep -c "[0-9] ->" > open\n')
                + 'user = "nobody"\ndirectory = "@/work"\n'}
    assert boot(["true"], services).wait().code == 0
    assert (boot.folder / "work" / "who").read_text() == "65534\n"


@pytest.mark.parametrize("text, code, said", [
    ("exit 3", 3, "exited with code 3"),
    ("kill -SEGV $$", 139, "SIGSEGV"),
    ("echo word >&3", 1, "it wrote word to descriptor 3, which is no NAME=value"),
    ("printf 'A=1\\nB=2' >&3", 1, "the last line that it wrote to descriptor 3 has no end"),
    ("echo '=user root 5 5' >&3", 1, "which is no NAME=value"),
    ("i=0; while [ $i -lt 40000 ]; do echo A=$i >&3; i=$((i+1)); done; exit 0", 1, "more than 64 KiB"),
], ids=["fails", "crashes", "no variable", "half a line", "a word for the init", "floods"])
def test_an_executable_that_fails_crashes_or_talks_nonsense_fails_the_boot_with_a_word(boot, text, code, said):
    services = {"first": plugin(boot, "exec 2>/dev/null\n" + text + "\n"),
                "main": 'type = "main"\nrequires = ["first"]\ncommand = ["echo", "ran"]\n'}
    result = boot(services=services).wait()
    assert result.code == code and said in result.err and "ran" not in result.out, result


def test_an_executable_that_does_not_read_its_options_or_leaves_a_child_holds_nothing_up(boot):
    services = {"first": plugin(boot, "sleep 100 &\necho A=1 >&3\n") + f'options = {{a = "{"x" * 200_000}"}}\n',
                "main": 'type = "main"\nrequires = ["first"]\ncommand = ["printenv", "A"]\n'}
    result = boot(services=services).wait()
    assert result.code == 0 and result.out == "1\n", result


@pytest.mark.plain
def test_an_executable_that_is_not_there_is_no_plugin(boot):
    result = stage(boot, services={"a": 'plugin = "no-such"\n'})
    assert result.code == 78 and "there is no plugin" in result.err
    boot.services({"a": 'plugin = "/no/such"\n'})
    result = boot.run(["stage", "a", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 127 and "no such file" in result.err


def test_the_examples_of_executables_work(boot):
    (boot.folder / "in").write_text("listen @host@:@port@\n")
    examples = ROOT / "examples" / "plugins"
    services = {
        "limits": f'plugin = "{examples}/workers"\n[options]\nmemory-per-worker = 1\nmost = 7\n',
        "render": f'plugin = "{examples}/render"\n[options]\ntemplate = "@/in"\nto = "@/out"\n'
                  '[options.values]\nhost = "${HOST_NAME:-localhost}"\nport = 80\n',
        "main": 'type = "main"\nrequires = ["limits", "render"]\ncommand = ["printenv", "WORKERS", "RENDERED"]\n',
    }
    for said in (True, False):
        result = boot(services=services).wait()
        assert result.code == 0 and result.out == f"7\n{boot.folder}/out\n", result
        assert ("[render] wrote " in result.err) == said
    assert (boot.folder / "out").read_text() == "listen localhost:80\n"
    (boot.folder / "in").write_text("@nothing@\n")
    result = boot(services=services).wait()
    assert result.code == 1 and "[render] no value for nothing; add it to [options.values]" in result.err


# The host


@pytest.mark.release("Swift's runtime catches the signal, prints a backtrace and ends with a code")
def test_a_stage_that_crashes_is_a_failed_service_and_the_init_goes_on(boot):
    services = {"slow": 'plugin = "wait-for"\noptional = true\noptions.path = "/no/such"\n',
                "main": 'type = "main"\nrequires = ["slow"]\ncommand = ["echo", "ran"]\n'}
    life = boot(services=services)
    child = life.until(lambda: [pid for pid in children(life.pid)], "the stage runs")[0]
    os.kill(child, signal.SIGSEGV)
    result = life.wait()
    assert result.code == 0 and "slow" in result.err and "SIGSEGV" in result.err and result.out == "ran\n", result


@pytest.mark.parametrize("hangs", [
    lambda boot: 'plugin = "wait-for"\noptions = {path = "/no/such", timeout = "1h"}\n',
    lambda boot: plugin(boot, "trap '' TERM\nwhile :; do read line < @/fifo; done\n".replace("@", str(boot.folder)))
    + "[stop]\ntimeout = 0.1\n",
], ids=["built in", "an executable that ignores SIGTERM"])
@pytest.mark.parametrize("is_optional", [False, True])
def test_start_timeout_ends_a_stage_that_hangs(boot, hangs, is_optional):
    os.mkfifo(boot.folder / "fifo")
    services = {"slow": f'start-timeout = "300ms"\noptional = {str(is_optional).lower()}\n' + hangs(boot),
                "main": 'type = "main"\nrequires = ["slow"]\ncommand = ["echo", "ran"]\n'}
    result = boot(services=services).wait()
    assert "hermes-init: slow: not up after " in result.err and "all that its start may take" in result.err, result
    assert (result.code == 0 and result.out == "ran\n") if is_optional else (result.code != 0 and result.out == ""), result


@pytest.mark.plain
def test_stages_are_listed_and_run_by_hand(boot):
    services = {
        "browser": 'plugin = "find-executable"\noptions = {in = "@/tree", names = "chrome", export = "BROWSER"}\n',
        "mine": plugin(boot, "echo hello >&2\necho X=1 >&3\n"),
        "web": 'command = ["sleep", "1"]\n',
    }
    (boot.folder / "tree").mkdir()
    shutil.copy("/bin/true", boot.folder / "tree" / "chrome")
    listed = stage(boot, services=services)
    assert listed.code == 0 and "find-executable\n" in listed.out and "used by browser\n" in listed.out
    assert f"{boot.folder}/plugin\n    an executable\n    used by mine\n" in listed.out
    result = stage(boot, "browser")
    assert result.code == 0 and result.out.endswith(f"browser: done\nexports BROWSER={boot.folder}/tree/chrome\n"), result
    result = stage(boot, "mine")
    assert (result.code, result.out, result.err) == (0, "mine: done\nexports X=1\n", "hello\n")
    result = stage(boot, "mine", "--dry-run")
    assert result.code == 0 and result.out.startswith(f"would run {boot.folder}/plugin, with this") and result.err == ""
    for words, text in [(["browse"], "did you mean: browser"), (["web"], "web is no stage: it has no `plugin`"),
                        (["find-executable"], "the service that uses it is browser"), (["a", "b"], "takes one name")]:
        result = stage(boot, *words)
        assert result.code == 64 and text in result.err, result


# uid-remap

IDENTITY = """plugin = "uid-remap"
[options]
user = "hermes"
uid-from = ["HERMES_UID", "PUID"]
gid-from = ["HERMES_GID", "PGID"]
join-groups-of = ["@/docker.sock"]
"""
PASSWD = "root:x:0:0:root:/root:/bin/sh\nhermes:x:10000:10000::/opt/data:/bin/sh\n"
GROUP = "root:x:0:\nstaff:x:20:\nhermes:x:10000:\n"


def etc(boot):
    """Another /etc, and the words for a shell that mounts it."""
    folder = boot.folder / "etc"
    folder.mkdir()
    (folder / "passwd").write_text(PASSWD)
    (folder / "group").write_text(GROUP)
    (boot.folder / "docker.sock").touch()
    os.chown(boot.folder / "docker.sock", -1, 10000)
    return folder, f"mount --make-rprivate / && mount --bind {folder} /etc"


def environment(**more):
    return {**{"PATH": os.environ["PATH"]}, **more}


MAIN = 'type = "main"\nrequires = ["identity"]\nuser = "hermes"\ncommand = ["sh", "-c", "id -u; id -g; id -G"]\n'


@needs_root
def test_programs_run_with_the_numbers_that_variables_ask_for_and_with_the_groups_of_sockets(boot):
    folder, mount = etc(boot)
    os.chown(boot.folder / "docker.sock", -1, 998)
    services = {"identity": IDENTITY, "main": MAIN}
    result = boot(services=services, before=mount, env=environment(HERMES_UID="99", PUID="5", PGID="20")).wait()
    assert result.code == 0 and result.out == "99\n20\n20 998\n", result
    assert "[identity] created group hostdocker (998) for hermes" in result.err
    assert (folder / "passwd").read_text() == PASSWD.replace("hermes:x:10000:10000", "hermes:x:99:20")
    again = boot(before=mount, env=environment(HERMES_UID="99", PGID="20")).wait()
    assert again.code == 0 and again.out == result.out and "[identity]" not in again.err, again


@needs_root
def test_where_etc_is_read_only_programs_have_the_numbers_all_the_same_and_it_is_said(boot):
    folder, mount = etc(boot)
    os.chown(boot.folder / "docker.sock", -1, 998)
    services = {"identity": IDENTITY, "main": MAIN + 'group = "hermes"\n'}
    result = boot(services=services, before=mount + " && mount -o remount,bind,ro /etc",
                  env=environment(PUID="99", PGID="4711")).wait()
    assert result.code == 0 and result.out == "99\n4711\n4711 998\n", result
    assert "Read-only file system; what hermes-init starts as hermes gets uid 99, gid 4711 all the same" in result.err
    assert (folder / "passwd").read_text() == PASSWD


@needs_root
def test_a_container_that_is_started_as_a_stranger_is_refused(boot):
    _, mount = etc(boot)
    services = {"identity": IDENTITY, "main": 'type = "main"\nrequires = ["identity"]\ncommand = ["echo", "ran"]\n'}
    boot.services(services)
    (boot.folder / "docker.sock").chmod(0o666)

    def run(user):
        words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", str(reachable()), "--config", str(boot.config)]
        return subprocess.run(["unshare", "--mount", "sh", "-c", mount + ' && exec "$@"', "sh", *words],
                              capture_output=True, text=True, timeout=30)

    stranger = run(1234)
    assert stranger.returncode == 1 and "ran" not in stranger.stdout, stranger
    assert "to start the container as user 1234 is not supported" in stranger.stderr
    assert "-e HERMES_UID=$(id -u) -e HERMES_GID=$(id -g), or -e PUID=$(id -u) -e PGID=$(id -g)" in stranger.stderr
    own = run(10000)
    assert own.returncode == 0 and own.stdout == "ran\n", own


@needs_root
@pytest.mark.plain
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_killed_at_any_system_call_it_leaves_each_file_as_it_was_or_as_it_is_to_be(boot):
    folder, mount = etc(boot)
    os.chown(boot.folder / "docker.sock", -1, 998)
    boot.services({"identity": IDENTITY})
    stage = [str(reachable()), "stage", "identity", "--config", str(boot.config)]
    # Those that change something on the disk, and those around them that only the stage makes. Between two that change
    # something the disk is the same.
    calls = "openat2 write fchownat fchmod fsync renameat2 renameat rename unlinkat".split()

    def run(words):
        return subprocess.run(["unshare", "--mount", "sh", "-c", mount + ' && exec "$@"', "sh", *words],
                              capture_output=True, text=True, timeout=30, env=environment(PUID="99", PGID="20"))

    after = {"passwd": PASSWD.replace("hermes:x:10000:10000", "hermes:x:99:20"),
             "group": GROUP.replace("hermes:x:10000:", "hermes:x:20:") + "hostdocker:x:998:hermes\n"}
    before = {"passwd": PASSWD, "group": GROUP}
    states, kills = set(), 0
    for call in calls:
        for place in range(1, 100):
            for name, text in before.items():
                (folder / name).write_text(text)
            # strace counts each system call, and each process, by itself.
            result = run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                          f"inject={call}:signal=KILL:when={place}", *stage])
            if "not permitted" in result.stderr:
                pytest.skip("strace may not trace here")
            found = {name: (folder / name).read_text() for name in before}
            for name in before:
                assert found[name] in (before[name], after[name]), (call, place, name)
            states.add(tuple(found[name] == after[name] for name in sorted(before)))
            if result.returncode == 0:
                break
            kills += 1
            assert run(stage).returncode == 0
            assert {name: (folder / name).read_text() for name in before} == after
            assert sorted(os.listdir(folder)) == [".pwd.lock", "group", "passwd"]
    assert kills > 15 and len(states) == 3, (kills, states)


@needs_root
@pytest.mark.plain
def test_somebody_who_holds_the_lock_for_ever_does_not_hold_up_the_boot_for_ever(boot):
    folder, mount = etc(boot)
    boot.services({"identity": IDENTITY})
    with open(folder / ".pwd.lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        result = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount + ' && exec "$@"', "sh", str(reachable()), "stage", "identity",
             "--config", str(boot.config)], capture_output=True, text=True, timeout=60, env=environment(PUID="99"))
    assert result.returncode == 0 and "somebody holds the lock /etc/.pwd.lock" in result.stderr, result
    assert "gives hermes uid 99 and gid 10000 in services" in result.stdout
    assert (folder / "passwd").read_text() == PASSWD


# secrets


def test_secrets_become_variables_and_are_never_said(boot):
    folder = boot.folder / "secrets"
    folder.mkdir()
    (folder / "API_KEY").write_text("geheim-1\n")
    (folder / "two-words").write_text("geheim-2")
    (folder / "HERE").write_text("geheim-3")
    (folder / ".hidden").write_text("geheim-4")
    (boot.folder / "password").write_bytes(b"geheim\xff\n\r\n")
    (boot.folder / "large").write_text("x" * 40_000)
    services = {
        "secrets": 'plugin = "secrets"\noptions.from = ["*_FILE", "@/secrets", "@/none", "IN_*"]\n',
        "main": 'type = "main"\nrequires = ["secrets"]\ncommand = ["env", "-0"]\n',
    }
    result = boot(services=services, env=environment(
        DB_FILE=str(boot.folder / "password"), OWN_FILE="/no/such", OWN="set", HERE="set", SSL_CERT_FILE=str(boot.folder / "large"),
        IN_X=str(folder / "API_KEY"))).wait()
    assert result.code == 0, result
    variables = dict(entry.split(b"=", 1) for entry in result.stdout.split(b"\0") if entry)
    assert variables[b"DB"] == b"geheim\xff\n" and variables[b"API_KEY"] == b"geheim-1" and variables[b"X"] == b"geheim-1"
    assert variables[b"OWN"] == b"set" and variables[b"HERE"] == b"set" and b"SSL_CERT" not in variables
    assert "geheim" not in result.err and "two-words is left" in result.err and "SSL_CERT_FILE is left" in result.err
    by_hand = stage(boot, "secrets", env=environment(DB_FILE=str(boot.folder / "password")))
    assert "exports DB (8 bytes)" in by_hand.out and "geheim" not in by_hand.out + by_hand.err, by_hand


@pytest.mark.parametrize("make, said", [
    (lambda path: None, "No such file"), (lambda path: os.mkfifo(path), "no regular file"),
    (lambda path: path.write_bytes(b"a\0b"), "NUL byte")], ids=["missing", "a fifo", "a NUL"])
def test_a_secret_that_cannot_be_had_fails_the_boot(boot, make, said):
    make(boot.folder / "secret")
    result = boot(["echo", "ran"], {"secrets": 'plugin = "secrets"\noptions.from = "*_FILE"\n'},
                  env=environment(DB_FILE=str(boot.folder / "secret"))).wait()
    assert result.code == 1 and said in result.err and "ran" not in result.out, result


@needs_root
@pytest.mark.plain
def test_a_link_in_a_folder_that_others_can_write_to_is_refused(boot):
    folder = boot.folder / "secrets"
    folder.mkdir()
    (folder / "SHADOW").symlink_to("/etc/shadow")
    folder.chmod(0o777)
    result = stage(boot, "secrets", services={"secrets": 'plugin = "secrets"\noptions.from = "@/secrets"\n'})
    assert result.code == 1 and "refusing" in result.err and "SHADOW" in result.err, result
    folder.chmod(0o755)
    assert "exports SHADOW" in stage(boot, "secrets").out


# wait-for


class Server(threading.Thread):
    """Answers each connection with a text."""

    def __init__(self, answer=b"", address=("127.0.0.1", 0), family=socket.AF_INET):
        super().__init__(daemon=True)
        self.socket = socket.socket(family)
        self.socket.bind(address)
        self.socket.listen()
        self.answer, self.asked = answer, b""
        self.start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def run(self):
        try:
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    if self.answer:
                        self.asked += connection.recv(65536)
                        connection.sendall(self.answer)
        except OSError:
            pass


def waits(boot, options, timeout="30s"):
    boot.services({"wait": f'plugin = "wait-for"\n[options]\ntimeout = "{timeout}"\n' + options})
    return boot.run(["stage", "wait", "--config", str(boot.config)], how="plain")


@pytest.mark.plain
def test_wait_for_waits_until_there_is_an_answer(boot):
    page = Server(b"HTTP/1.0 204 No Content\r\n\r\n")
    assert waits(boot, f'tcp = ["127.0.0.1:{page.port}", "localhost:{page.port}"]\n').wait().code == 0
    assert waits(boot, f'http = "http://localhost:{page.port}/health?x=1"\n').wait().code == 0
    assert page.asked.startswith(b"GET /health?x=1 HTTP/1.1\r\nHost: localhost:%d\r\n" % page.port)
    life = waits(boot, 'path = ["/", "@/comes"]\n')
    until(lambda: descendants(life.process.pid), "the stage runs")
    assert life.process.poll() is None
    (boot.folder / "comes").touch()
    assert life.wait().code == 0
    life = waits(boot, 'unix = "@/socket"\n')
    until(lambda: descendants(life.process.pid), "the stage runs")
    Server(address=str(boot.folder / "socket"), family=socket.AF_UNIX)
    assert life.wait().code == 0


@pytest.mark.plain
@pytest.mark.parametrize("options, said", [
    ('tcp = "127.0.0.1:1"\n', "127.0.0.1:1 (tcp) in vain: cannot connect to 127.0.0.1:1: Connection refused"),
    ('path = "/no/such"\n', "in vain: there is nothing"),
    ('unix = "/no/such"\n', "in vain: cannot connect to /no/such: No such file or directory"),
    ('http = "http://127.0.0.1:PORT/"\n', "/ answered 503"),
    ('tcp = "127.0.0.1:${NO_PORT:-x}"\n', "the port must be a number from 1 to 65535"),
], ids=["nobody", "no path", "no socket", "unwell", "no address"])
def test_wait_for_fails_in_time_and_says_what_it_met_with(boot, options, said):
    page = Server(b"HTTP/1.1 503 Sorry\r\n\r\n")
    result = waits(boot, options.replace(":PORT/", f":{page.port}/"), timeout="300ms").wait()
    assert result.code == 1 and said in result.err, result


@needs_root
@pytest.mark.plain
def test_wait_for_asks_the_name_servers_and_search_list_of_resolv_conf(boot):
    page = Server()
    asked = []
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.9.8.7", 53))

    def serve():
        while True:
            packet, peer = server.recvfrom(1500)
            place, labels = 12, []
            while packet[place]:
                labels.append(packet[place + 1:place + 1 + packet[place]].decode())
                place += 1 + packet[place]
            kind = packet[place + 2]
            asked.append((".".join(labels), kind))
            header = packet[:2] + b"\x81\x80\x00\x01"
            question = packet[12:place + 5]
            if ".".join(labels) == "db.ns.local" and kind == 1:
                # An alias, and the address of what it stands for.
                answer = b"\xc0\x0c\x00\x05\x00\x01\0\0\0\1\x00\x04\x01x\xc0\x0c" + b"\x01x\xc0\x0c\x00\x01\x00\x01\0\0\0\1\x00\x04\x7f\0\0\1"
                server.sendto(header + b"\x00\x02\0\0\0\0" + question + answer, peer)
            else:
                server.sendto(b"\0\0junk", peer)
                server.sendto(header + b"\xff\xff\0\0\0\0" + question + b"\xc0", peer)

    threading.Thread(target=serve, daemon=True).start()
    folder = boot.folder / "etc"
    folder.mkdir()
    (folder / "hosts").write_text("# db\n127.0.0.1 other\n")
    (folder / "resolv.conf").write_text("; a comment\nsearch a.local ns.local\noptions ndots:2\nnameserver 127.9.8.7\n")
    boot.services({"wait": f'plugin = "wait-for"\noptions.tcp = "db:{page.port}"\noptions.timeout = "20s"\n'})
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'mount --make-rprivate / && mount --bind {folder} /etc && exec "$@"', "sh",
         str(reachable()), "stage", "wait", "--config", str(boot.config)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result
    assert asked[:2] == [("db.a.local", 1), ("db.a.local", 28)] and ("db.ns.local", 1) in asked


# tui-detect

TUI = {
    "tui": 'plugin = "tui-detect"\noptions.export = "IS_TUI"\n',
    "noisy": 'requires = ["tui"]\nscript = "while :; do echo NOISE; echo NOISE >&2; touch @/printed; done"\n',
    "main": 'type = "main"\nrequires = ["noisy"]\nroute = "append"\ncommand = ["sh", "@/screen"]\n',
}
SCREEN = r"""
while [ ! -e %s/printed ]; do :; done
printf '\033[?1049h'; echo "size=$(stty size) term=$TERM tui=$IS_TUI ready"; stty -echo -icanon
key=$(dd bs=1 count=1 2>/dev/null)
printf '\033[?1049l'; stty sane; echo "back $key"
"""


@pytest.fixture
def terminal():
    opened = []

    def make(boot, words, services, rows=24, columns=80, env=None):
        boot.services(services)
        (boot.folder / "screen").write_text(SCREEN % boot.folder)
        opened.append(Terminal([str(reachable()), "--config", str(boot.config), "--", *words], rows, columns,
                               env or dict(os.environ, TERM="xterm")))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


@pytest.mark.plain
def test_the_screen_of_a_full_screen_program_stays_clean_and_comes_back(boot, terminal):
    screen = terminal(boot, ["--tui"], TUI, rows=40, columns=100)
    before = screen.until("size=40 100 term=xterm tui=1 ready")
    assert before == b"\x1b[?1049h", before
    (boot.folder / "printed").unlink()
    until(lambda: (boot.folder / "printed").exists(), "the service goes on printing")
    screen.send("q")
    assert screen.wait() == 0
    assert b"NOISE" not in screen.text and b"\x1b[?1049l" in screen.text and b"back q" in screen.text, screen.text


@pytest.mark.plain
def test_without_being_asked_for_everything_is_printed_as_always(boot, terminal):
    screen = terminal(boot, [], TUI)
    screen.until("[noisy] NOISE")
    screen.until("tui= ready")
    screen.send("q")
    assert screen.wait() == 0


@pytest.mark.plain
def test_a_terminal_without_a_size_or_a_name_gets_one(boot, terminal):
    screen = terminal(boot, [], TUI, rows=0, columns=0, env={"PATH": os.environ["PATH"], "HERMES_TUI": "Yes"})
    screen.until("size=24 80 term=xterm-256color tui=1 ready")
    screen.send("q")
    assert screen.wait() == 0


@pytest.mark.plain
def test_a_boot_that_fails_says_what_it_held(boot, terminal):
    services = {"tui": TUI["tui"], "bad": 'type = "oneshot"\nrequires = ["tui"]\nscript = "echo why; exit 5"\n',
                "main": 'type = "main"\nrequires = ["bad"]\ncommand = ["echo", "ran"]\n'}
    screen = terminal(boot, ["--tui"], services)
    assert screen.wait() == 5
    assert b"[bad] why" in screen.text and b"hermes-init: " in screen.text and b"exited with code 5" in screen.text, screen.text


@pytest.mark.plain
@pytest.mark.parametrize("log", ['file = "@/noisy.log"', 'to = "json"', 'to = "inherit"'])
def test_no_target_of_a_log_reaches_the_screen_and_a_file_gets_every_line(boot, terminal, log):
    services = {**TUI, "noisy": TUI["noisy"] + "[log]\n" + log + "\n"}
    screen = terminal(boot, ["--tui"], services)
    assert screen.until("size=24 80 term=xterm tui=1 ready") == b"\x1b[?1049h"
    if "file" in log:
        written = boot.folder / "noisy.log"
        before = written.stat().st_size if written.exists() else 0
        until(lambda: written.exists() and written.stat().st_size > before, "its lines go on into its file")
    (boot.folder / "printed").unlink()
    until(lambda: (boot.folder / "printed").exists(), "the service goes on printing")
    screen.send("q")
    assert screen.wait() == 0 and b"NOISE" not in screen.text, screen.text


def test_a_full_screen_program_without_a_terminal_is_refused(boot):
    result = boot(["--tui"], {"tui": TUI["tui"], "main": 'type = "main"\ncommand = ["echo", "ran"]\n'}).wait()
    assert result.code == 1 and "ran" not in result.out and "docker run -it" in result.err, result
    # Behind `--` it is the program's own word.
    result = boot(["--", "--tui"], env=environment(HERMES_TUI="0")).wait()
    assert result.code == 0 and result.out == "ran -- --tui\n", result


@pytest.mark.plain
def test_what_the_init_says_still_goes_to_a_file_beside_the_terminal(boot):
    boot.services({**TUI, "crash": 'requires = ["tui"]\nscript = "exit 9"\n[restart]\npolicy = "never"\n'})
    (boot.folder / "screen").write_text(SCREEN % boot.folder)
    screen = Terminal(["sh", "-c", f'exec "$@" 2>{boot.folder}/log', "sh", str(reachable()), "--config", str(boot.config), "--", "--tui"],
                      env=dict(os.environ, TERM="xterm"))
    try:
        assert screen.until("size=24 80 term=xterm tui=1 ready") == b"\x1b[?1049h"
        until(lambda: "crash: " in (boot.folder / "log").read_text(), "the init says that a service ended")
        screen.send("q")
        assert screen.wait() == 0 and b"NOISE" not in screen.text
    finally:
        screen.end()


@pytest.mark.plain
def test_by_hand_it_says_what_it_would_do_with_the_terminal(boot):
    boot.services({"tui": TUI["tui"]})
    screen = Terminal([str(reachable()), "stage", "tui", "--config", str(boot.config), "--", "--tui"], env=dict(os.environ, TERM="xterm"))
    try:
        assert screen.wait() == 0
        assert b"exports IS_TUI=1" in screen.text and b"keeps services' output off the terminal" in screen.text
    finally:
        screen.end()
