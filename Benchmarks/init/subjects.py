"""The inits that are measured: where each is found, and how each is asked for the same work.

A subject answers three questions with a Launch, or with None where it has no such thing: how it runs a main program,
how it runs a chain of oneshots before one, and how it supervises services. Each is used as its manual says for a
container, without a shell where it needs none, and with its waits at nothing where a measure says so. Nothing is
measured here.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from stage import libraries

SERVICE = "/bench/programs/service"
NOTIFYING = "/bench/programs/notifying"
NOTHING = "/bench/programs/nothing"

# Libraries that every image with dynamic programs has; what else an init is linked with is counted as its own.
BASE = re.compile(r"/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux[^/]*)\.so")


@dataclass
class Launch:
    words: list
    environment: dict = field(default_factory=dict)
    binds: list = field(default_factory=list)
    # Writes the configuration anew, for inits that keep their state in it: done before each life, in no figure.
    fresh: object = None
    # So many milliseconds the services have to live before one is killed; so many programs it starts.
    settle: int = 0
    programs: int = 1


class Subject:
    name = ""
    package = None  # Debian's
    executables = ()
    # What an init needs beside its executables, for the table.
    needs = ""
    # A second way to use an init that is here as well: measured only where its waits matter.
    variant = False
    # A service that lives shorter than so many milliseconds is not started again at once, whatever one sets.
    settle = 50
    version_words = ("--version",)

    def __init__(self, stage=None):
        self.stage = stage

    def find(self):
        """Whether it is on this machine."""
        self.files = [Path(path).resolve() if path else None for path in map(shutil.which, self.executables)]
        return bool(self.files) and None not in self.files

    def install(self):
        for file in list(self.files):
            self.stage.install(file)
            for library in libraries(file):
                if not BASE.search(library):
                    self.files.append(Path(library))
                elif "/libc." in library or "/libstdc++." in library:
                    self.needs = ", ".join(
                        sorted({*filter(None, self.needs.split(", ")), os.path.basename(library).partition(".so")[0]})
                    )
        self.files = list(dict.fromkeys(self.files))

    def version(self):
        if self.package and shutil.which("dpkg-query"):
            done = subprocess.run(
                ["dpkg-query", "-W", "-f", "${Version}", self.package], capture_output=True, text=True
            )
            if done.returncode == 0 and str(self.files[0]).startswith(("/usr/bin", "/usr/sbin", "/usr/libexec")):
                return f"Debian {done.stdout}"
        try:
            done = subprocess.run(
                [self.files[0], *self.version_words],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=10,
            )
        except (OSError, subprocess.TimeoutExpired):
            return "(it tells no version)"
        words = (done.stdout + done.stderr).replace(",", " ").split()
        return next((word.strip(".") for word in words if word.strip("v")[:1].isdigit()), "(it tells no version)")

    def main(self, words):
        return None

    def chain(self, count):
        return None

    def services(self, count, words=(SERVICE,), at_once=False):
        return None

    def written(self, name, writer, words, environment=None):
        """A launch of an init that writes into its own configuration, which is so made anew for each life."""

        def fresh():
            writer(self.stage.folder(name)[0])

        fresh()
        return Launch(words, environment or {}, fresh=fresh)


class Floor(Subject):
    name = "floor"

    def find(self):
        return True

    def install(self):
        self.files = [self.stage.bench / "inits" / "floor-init"]

    def version(self):
        return ""

    def main(self, words):
        return Launch(["/bench/inits/floor-init", *words])

    def chain(self, count):
        return Launch(["/bench/inits/floor-chain", str(count), NOTHING, SERVICE])

    def services(self, count, words=(SERVICE,), at_once=False):
        return Launch(["/bench/inits/floor-services", str(count), *words])


class HermesInit(Subject):
    name = "hermes-init"

    def __init__(self, stage=None, binary=None):
        super().__init__(stage)
        self.binary = binary

    def find(self):
        self.files = [self.binary]
        return True

    def install(self):
        shutil.copy(self.binary, self.stage.bench / "inits" / "hermes-init")
        self.stage.copies.add(self.stage.bench / "inits" / "hermes-init")

    def main(self, words):
        return Launch(["/bench/inits/hermes-init", "--", *words])

    def chain(self, count):
        folder, inside = self.stage.folder(f"hermes-init/chain-{count}")
        for number in range(count):
            requires = f'requires = ["step-{number - 1:03}"]\n' if number else ""
            (folder / f"step-{number:03}.toml").write_text(f'type = "oneshot"\ncommand = ["{NOTHING}"]\n{requires}')
        return Launch(["/bench/inits/hermes-init", "--config", inside, "--", SERVICE])

    def services(self, count, words=(SERVICE,), at_once=False):
        folder, inside = self.stage.folder(f"hermes-init/services-{count}-{Path(words[0]).name}{'-at-once' * at_once}")
        command = ", ".join(f'"{word}"' for word in words)
        for number in range(count):
            text = f"command = [{command}]\n" + ('[restart]\ndelay = "0s"\n' if at_once else "")
            (folder / f"service-{number:03}.toml").write_text(text)
        return Launch(["/bench/inits/hermes-init", "--config", inside])


class Wrapper(Subject):
    """One that runs a main program and nothing else."""

    def __init__(self, stage, name, version_words=("--version",)):
        super().__init__(stage)
        self.name = self.package = name
        self.executables = (name,)
        self.version_words = version_words

    def main(self, words):
        return Launch([f"/bench/inits/{self.name}", "--", *words])


def run_folders(folder, count, words, notifies=False):
    """Services of the daemontools family: a folder each with a program `run`."""
    for number in range(count):
        (folder / f"service-{number:03}").mkdir()
        target = folder / f"service-{number:03}" / "run"
        if notifies:
            (folder / f"service-{number:03}" / "notification-fd").write_text("3\n")
        if len(words) == 1:
            target.symlink_to(words[0])
        else:
            target.write_text(f"#!/bin/sh\nexec {' '.join(words)}\n")
            target.chmod(0o755)


class S6(Subject):
    name, package = "s6", "s6"
    executables = ("s6-svscan", "s6-supervise")
    settle = 1150

    def services(self, count, words=(SERVICE,), at_once=False):
        words = [NOTIFYING] if at_once else words
        name = f"s6/{count}-{Path(words[0]).name}"
        return self.written(
            name,
            lambda folder: run_folders(folder, count, words, at_once),
            ["/bench/inits/s6-svscan", "-c", "1000", f"/bench/config/{name}"],
        )


class Runit(Subject):
    name, package = "runit", "runit"
    executables = ("runsvdir", "runsv")
    settle = 1150

    def services(self, count, words=(SERVICE,), at_once=False):
        name = f"runit/{count}-{Path(words[0]).name}"
        return self.written(
            name,
            lambda folder: run_folders(folder, count, words),
            ["/bench/inits/runsvdir", "-P", f"/bench/config/{name}"],
        )


class Nitro(Subject):
    name = "nitro"
    executables = ("nitro",)
    settle = 1150

    def version(self):
        return "(it tells no version)"

    def services(self, count, words=(SERVICE,), at_once=False):
        name = f"nitro/{count}-{Path(words[0]).name}"
        return self.written(
            name, lambda folder: run_folders(folder, count, words), ["/bench/inits/nitro", f"/bench/config/{name}"]
        )


class Dinit(Subject):
    name = "dinit"
    executables = ("dinit",)

    def launch(self, inside):
        return Launch(["/bench/inits/dinit", "--container", "--quiet", "--services-dir", inside])

    def chain(self, count):
        if count > 30:
            # Its dependencies may be 32 deep.
            return None
        folder, inside = self.stage.folder(f"dinit/chain-{count}")
        for number in range(count):
            requires = f"depends-on = step-{number - 1:03}\n" if number else ""
            (folder / f"step-{number:03}").write_text(f"type = scripted\ncommand = {NOTHING}\n{requires}")
        (folder / "boot").write_text(f"type = process\ncommand = {SERVICE}\ndepends-on = step-{count - 1:03}\n")
        return self.launch(inside)

    def services(self, count, words=(SERVICE,), at_once=False):
        folder, inside = self.stage.folder(f"dinit/services-{count}-{Path(words[0]).name}{'-at-once' * at_once}")
        for number in range(count):
            text = f"type = process\ncommand = {' '.join(words)}\nrestart = true\n"
            text += "smooth-recovery = true\nrestart-delay = 0\nrestart-limit-count = 0\n" if at_once else ""
            (folder / f"service-{number:03}").write_text(text)
        wanted = "".join(f"waits-for = service-{number:03}\n" for number in range(count))
        (folder / "boot").write_text(f"type = internal\n{wanted}")
        return self.launch(inside)


class Supervisord(Subject):
    name, package = "supervisord", "supervisor"
    executables = ("supervisord",)
    needs = "Python"
    settle = 1150

    def install(self):
        super().install()
        self.needs = "Python"
        with open(self.files[0]) as file:
            interpreter = file.readline().removeprefix("#!").split()
        found = subprocess.run(
            [*interpreter, "-c", "import supervisor; print(*supervisor.__path__)"], capture_output=True, text=True
        )
        for folder in found.stdout.split():
            self.files += [file for file in Path(folder).rglob("*") if file.is_file() and "test" not in str(file)]

    def services(self, count, words=(SERVICE,), at_once=False):
        folder, inside = self.stage.folder(f"supervisord/{count}-{Path(words[0]).name}")
        text = (
            "[supervisord]\nnodaemon = true\nuser = root\nlogfile = /dev/null\nlogfile_maxbytes = 0\n"
            "pidfile = /run/supervisord.pid\n"
            "minfds = 4096\n"
        )
        for number in range(count):
            text += (
                f"[program:service-{number:03}]\ncommand = {' '.join(words)}\nstartsecs = 0\nautorestart = true\n"
                "stdout_logfile = /dev/null\nstdout_logfile_maxbytes = 0\nredirect_stderr = true\n"
            )
        (folder / "supervisord.conf").write_text(text)
        return Launch(["/bench/inits/supervisord", "-c", f"{inside}/supervisord.conf"])
