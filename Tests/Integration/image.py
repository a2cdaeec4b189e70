"""A container that is nothing but namespaces: /etc has the service files of a test in their usual place and a user `app`, /srv, /opt
and /var/log are empty, and programs of a few lines stand in for the real ones. For the pages that show whole set-ups."""

import json
import os
import re

from harness import reachable

# Says in the facts who runs, and how; ends when it is told to, and says by which signal.
PROGRAM = """#!/bin/sh
name=${0##*/}
say() { echo "$name $*" >> "$FACTS"; }
for signal in TERM INT QUIT USR1 HUP; do trap "say got $signal; exit 0" "$signal"; done
say "start: $* (user $(id -un), in $(pwd), umask $(umask))"
%s
sleep 1000 & wait
"""


# What Docker sets.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Image:
    """Service files by name, and programs by name: their whole text, or what they do after they said that they started."""

    def __init__(self, boot, files, programs, before=""):
        self.boot, self.folder = boot, boot.folder
        self.files = files
        self.etc, self.bin = self.folder / "etc", self.folder / "bin"
        self.etc.mkdir()
        self.bin.mkdir()
        for name in ("passwd", "group", "nsswitch.conf", "hosts", "ld.so.cache"):
            if os.path.exists(f"/etc/{name}"):
                (self.etc / name).write_bytes(open(f"/etc/{name}", "rb").read())
        with open(self.etc / "passwd", "a") as passwd, open(self.etc / "group", "a") as group:
            passwd.write("app:x:51234:51234::/srv/app:/bin/sh\n")
            group.write("app:x:51234:\n")
        services = self.etc / "hermes-init.d"
        services.mkdir()
        for name, text in self.files.items():
            if name.endswith(".toml"):
                (services / name).write_text(text)
        for name, code in programs.items():
            path = self.bin / name
            path.write_text(code if code.startswith("#!") else PROGRAM % code)
            path.chmod(0o755)
        self.facts = self.folder / "facts"
        self.facts.touch()
        self.facts.chmod(0o666)
        folders = " ".join(f"/{name}" for name in ("srv", "opt", "var/log"))
        self.before = f"""
            mount --bind {self.etc} /etc
            mount --bind {self.bin} /usr/local/bin
            for folder in {folders}; do mount -t tmpfs -o mode=755 tmpfs $folder; done
            chmod 777 /var/log
            {before}
        """

    def run(self, *words, name="hermes-init", options=("--",), **variables):
        """Boots it as the entrypoint of the page, or as `hermes-init -- WORDS`."""
        if "Dockerfile" in self.files:
            entrypoint = json.loads(re.search(r"^ENTRYPOINT (\[.*?\])$", self.files["Dockerfile"], re.MULTILINE | re.DOTALL)[1])
            name, options = os.path.basename(entrypoint[0]), entrypoint[1:]
        binary = self.bin / name
        binary.symlink_to(reachable())
        (self.bin / "hermes-init").exists() or (self.bin / "hermes-init").symlink_to(reachable())
        env = {"PATH": PATH, "FACTS": str(self.facts), "HOSTNAME": "box", **variables}
        self.life = self.boot.run([*options, *words], env=env, binary=binary, before=self.before)
        return self.life

    def said(self):
        return self.facts.read_text().splitlines()

    def until(self, *texts):
        """Waits until each of the texts is in the facts."""
        self.life.until(lambda: all(any(text in line for line in self.said()) for text in texts), f"{texts} among {self.said()}")

    def position(self, text):
        return next(place for place, line in enumerate(self.said()) if text in line)

    def in_order(self, *texts):
        places = [self.position(text) for text in texts]
        assert places == sorted(places), self.said()

    def ctl(self, *words):
        return self.life.enter([str(reachable()), "ctl", *words])
