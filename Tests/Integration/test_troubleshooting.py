"""docs/troubleshooting.md: each message that it quotes is brought about here, by a life that goes wrong in that way, and stands in its
output as it stands on the page. `…` on the page is any text; lengths of time and numbers of processes are those of the moment. (Two
that take long, or a cgroup of one's own, are marked as phrases: test_docs.py looks whether the program has their words.)"""

import re
import signal
import socket

import pytest
from harness import AM_ROOT, ROOT, reachable
from image import Image

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
BLOCKS = dict(re.findall(r"^```text name=(\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
WEB = 'command = ["web"]\n'
DEAF = "#!/bin/sh\ntrap '' TERM\necho deaf\nwhile :; do sleep 0.05; done\n"
PROGRAMS = {"web": "", "deaf": DEAF}
HERMES_INIT = str(reachable())


class Scene:
    """What goes wrong, and how it is seen."""

    def __init__(self, files={}, words=(), *, programs={}, before="", ctl=None, user=None, options=("--",), code=None, act=None,
                 how=None, **variables):
        self.files = {name + ".toml": text for name, text in files.items()}
        self.words, self.programs, self.before, self.options, self.variables = words, {**PROGRAMS, **programs}, before, options, variables
        # Words for `hermes-init` in the container, and as whom; its output is what is looked at.
        self.ctl, self.user = ctl, user
        # The exit code of the container; None: it goes on.
        self.code = code
        # Done to the image when `web` is up.
        self.act = act
        self.how = how


def mistake(it):
    (it.etc / "hermes-init.d" / "web.toml").write_text('comand = ["web"]\n')


def stop(it):
    it.life.until_out("deaf")
    it.life.signal(signal.SIGTERM)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


NOWHERE = '"127.0.0.1:8080"'
QUICK = "\n[restart]\ndelay = '1s'\n"
HEALTH = WEB + f'[health]\ntcp = {NOWHERE}\ninterval = "50ms"\nfailures = 2\n'
SHELL = ("sh", "-c", "true")
SCENES = {
    "mistake": Scene({"web": 'comand = ["web"]\n'}, code=78),
    "missing": Scene({"web": WEB + 'requires = ["database"]\n'}, code=78),
    "word": Scene(words=("sleep", "1"), options=(), code=64),
    "not-found": Scene(words=("serve",), code=127),
    "interpreter": Scene(words=("app",), programs={"app": "#!/usr/bin/bash5\n"}, code=127),
    "carriage-return": Scene(words=("app",), programs={"app": "#!/bin/sh\r\necho\r\n"}, code=127),
    "not-executable": Scene(words=("app",), programs={"app": "#!/bin/sh\n"}, before="chmod -x /usr/local/bin/app", code=126),
    "format": Scene(words=("app",), programs={"app": "#!"}, before="printf '\\177ELF?' > /usr/local/bin/app", code=126),
    "step": Scene({"migrate": 'type = "oneshot"\nscript = "exit 3"\n', "api": WEB + 'requires = ["migrate"]\n'}, SHELL, code=3),
    "essential": Scene({"web": 'script = "exit 4"\nessential = true\n[restart]\npolicy = "never"\n'}, code=4),
    "required": Scene({"web": 'command = ["webb"]\n', "main": 'type = "main"\nrequires = ["web"]\n'}, SHELL, code=127),
    "skipped": Scene({"dashboard": WEB + '[when]\nenv = "DASHBOARD"\n'}),
    "unset": Scene({"web": 'command = ["web", "--key", "${API_KEY}"]\n'}),
    "no-user": Scene({"web": WEB + 'user = "www"\n'}),
    "not-root": Scene({"web": WEB + 'user = "nobody"\n'}, ("sleep", "1000"), how="user"),
    "directory": Scene({"web": WEB + 'directory = "/srv/www"\n'}),
    "directory-permission": Scene({"web": WEB + 'directory = "/srv/www"\nuser = "app"\n'}, before="mkdir -m 700 /srv/www"),
    "environment-file": Scene({"web": WEB + 'environment-files = ["/etc/web.env"]\n'}),
    "limit": Scene({"web": WEB + "[limits]\nnofile = 9000000000\n"}, before="ulimit -n 1024"),
    "resources": Scene({"web": WEB + '[resources]\nmemory-max = "64M"\n'}, before="umount -R /sys/fs/cgroup; mount -t tmpfs -o ro none /sys/fs/cgroup"),
    "loop": Scene({"web": 'script = "exit 1"\n[restart]\ndelay = "10ms"\nlimit = 3\nwithin = "1m"\n'}),
    # Before it is executed it has the shell's name.
    "background": Scene({"web": "script = 'httpd & until grep -q httpd /proc/$!/comm; do :; done; exit 0'" + QUICK}, programs={"httpd": "#!/bin/sh\nsleep 1000\n:\n"}),
    "ready": Scene({"web": WEB + f'[ready]\ntcp = {NOWHERE}\ntimeout = "500ms"\n'}),
    "notify": Scene({"web": 'script = "exec web 3>&-"\n[ready]\nnotify = 4\n'.replace("3>&-", "4>&-")}),
    "unhealthy": Scene({"web": HEALTH}),
    "health": Scene({"web": HEALTH + 'action = "none"\n', "database": WEB + f"[ready]\ntcp = {NOWHERE}\n"}, ctl="health"),
    "ceiling": Scene({"init": 'shutdown-timeout = "1s"\n', "web": WEB}, ("deaf",), act=stop, code=137),
    "stubborn": Scene({"web": 'command = ["deaf"]\n[stop]\ntimeout = "500ms"\n'}, act=stop, code=0),
    "straggler": Scene({"web": WEB}, ("sh", "-c", 'setsid deaf & until grep -q deaf /proc/self/../*/cmdline; do :; done; sleep 0.2'), code=0),
    "log-folder": Scene({"web": 'script = "echo hi; exec web"\n[log]\nfile = "/var/log/web/web.log"\n'}),
    "log-permission": Scene({"web": 'script = "echo hi; exec web"\nuser = "app"\n[log]\nfile = "/srv/web.log"\n'}),
    "terminal": Scene({"tui": 'plugin = "tui-detect"\n'}, (*SHELL, "--tui"), code=1),
    "numbers": Scene({"identity": 'plugin = "uid-remap"\n[options]\nuser = "app"\nuid-from = "PUID"\n'}, SHELL, PUID="abc", code=0),
    "volume": Scene({"data": 'plugin = "chown"\n[options]\nowner = "app:"\nroot = "/srv/data"\ntrees = ["."]\n'}, SHELL, code=0,
                    before="mkdir /srv/data; touch /srv/data/x; mount -o remount,ro /srv"),
    "link": Scene({"data": 'plugin = "chown"\n[options]\nowner = "app:"\nroot = "/srv"\ntrees = ["data"]\n'}, SHELL, code=0,
                  before="ln -s /opt /srv/data"),
    "start-as": Scene({"identity": 'plugin = "uid-remap"\n[options]\nuser = "nobody"\n'}, ("true",), how="user", code=1),
    "exec-user": Scene({"web": WEB}, ctl="exec --user app -- true", user=60000),
    "exports": Scene({"web": WEB + 'user = "app"\nrequires = ["secrets"]\n', "secrets": 'plugin = "secrets"\n[options]\nfrom = "/opt/secrets"\n'},
                     before="mkdir /opt/secrets; echo x > /opt/secrets/KEY", ctl="exec --like web -- true", user=51234),
    "secret": Scene({"passwords": 'plugin = "secrets"\n[options]\nfrom = "DB_*_FILE"\n'}, SHELL, DB_PASSWORD_FILE="/run/secrets/db", code=1),
    "no-init": Scene(words=("sleep", "1000"), ctl="ctl status"),
    "no-socket": Scene({"web": WEB, "init": '[control]\nmode = "off"\n'}, ctl="ctl status"),
    "refused": Scene({"web": WEB}, ctl="ctl stop web", user=51234),
    "unknown": Scene({"web": WEB}, ctl="ctl stop wbe"),
    "reload-mistake": Scene({"web": WEB}, act=mistake, ctl="ctl reload"),
    "no-reload": Scene({"web": WEB}, ctl="ctl reload web"),
    "read-only": Scene({"web": HEALTH}, before="mount -o remount,ro /run; mount -t tmpfs -o ro none /dev/shm"),
}


def pattern(block):
    """What a line of the page may be: the same text, with other times and processes, and anything in the place of `…`."""
    lines = []
    for line in block.splitlines():
        if line == "…":
            continue
        text = re.escape(line)
        text = re.sub(r"\d+(\\\.\d+)?\\ (ms|s|min)\b", r"\\d+(\\.\\d+)? (ms|s|min)", text)
        text = re.sub(r"process\\ \d+", r"process \\d+", text)
        text = re.sub(r"uid\\ 12345|user\\ 12345", lambda found: found[0].replace("12345", r"\d+"), text)
        # The … that the page left out, and that which the message itself has.
        lines.append("^" + text.replace("…", ".*") + "$")
    return lines


@pytest.mark.plain
def test_each_message_of_the_page_has_a_scene():
    assert sorted(BLOCKS) == sorted(SCENES)


@pytest.mark.skipif(not AM_ROOT, reason="needs root: users and mounts of its own")
@pytest.mark.parametrize("name", SCENES)
def test_the_message_of_the_page(boot, name):
    scene, expected = SCENES[name], pattern(BLOCKS[name])
    port = str(closed_port())

    def there(text):
        text = text.replace(port, "8080")
        return all(re.search(line, text, re.MULTILINE) for line in expected)

    files = {name: text.replace("8080", port) for name, text in scene.files.items()}
    if scene.how == "user":
        boot.services(files)
        life = boot.run(["--config", str(boot.config), "--", *scene.words], how="user")
    else:
        it = Image(boot, files, scene.programs, scene.before)
        life = it.run(*scene.words, options=scene.options, **scene.variables)
        if scene.act:
            life.until_err("web: up")
            scene.act(it)
    if scene.ctl:
        seen = []

        def answer():
            result = life.enter([HERMES_INIT, *scene.ctl.split()], user=scene.user)
            seen[:] = [result]
            return there(result.out + result.err)

        life.until(answer, f"{expected} in {seen}")
    elif scene.code is None:
        life.until(lambda: there(life.stdout() + life.stderr()), f"{expected}")
    else:
        result = life.wait()
        assert there(result.out + result.err) and result.code == scene.code, (expected, result)
