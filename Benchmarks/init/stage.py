"""The scene of the measurements: a root folder with this machine's /usr in it, the programs of this folder, a copy of
each init, and the launcher that boots one init after the other in it.

It is built once, in a mount namespace of its own, so that nothing of it is seen outside or left over. The inits, and
the libraries that they and /bin/true are linked with, are copies that nothing else on the machine has mapped: the
memory of a shared library is not divided by who else happens to run, and a cold start can be measured by dropping the
copies from the page cache.
"""

import os
import shutil
import subprocess
from pathlib import Path

import shared

HERE = Path(__file__).resolve().parent
ETC = (
    "passwd",
    "group",
    "hosts",
    "nsswitch.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "localtime",
)
PATH = "/command:/bench/inits:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class DidNotFinish(Exception):
    """An init that ran into its deadline, or ended otherwise than it should."""


def static_compiler():
    """The words of a C compiler that makes static programs, with musl where it is installed: those before the source,
    and those after it."""
    words = [shared.compiler(), "-D_GNU_SOURCE", "-O2", "-static", "-Wall", "-Wextra"]
    machine = os.uname().machine
    musl = Path(f"/usr/lib/{machine}-linux-musl")
    if not (musl / "libc.a").exists():
        return words, []
    own = {
        what: subprocess.run([words[0], f"-print-{what}"], capture_output=True, text=True).stdout.strip()
        for what in ("libgcc-file-name", "file-name=include")
    }
    before = [
        "-nostdinc",
        "-isystem",
        f"/usr/include/{machine}-linux-musl",
        "-isystem",
        own["file-name=include"],
        "-nostdlib",
        "-fno-stack-protector",
        "-fno-pie",
        musl / "crt1.o",
        musl / "crti.o",
    ]
    return words + before, ["-Wl,-s", musl / "libc.a", own["libgcc-file-name"], musl / "crtn.o"]


def build(source, target):
    before, after = static_compiler()
    subprocess.run([*before, "-o", target, source, *after], check=True)


def libraries(executable):
    """What a dynamic executable is linked with, its loader too, as this machine's paths; nothing for a static one or
    a script."""
    text = subprocess.run(["ldd", executable], capture_output=True, text=True).stdout
    found = [word for line in text.splitlines() for word in line.split() if word.startswith("/")]
    return sorted({os.path.realpath(path) for path in found if os.path.exists(path)})


def mount(*words):
    subprocess.run(["mount", *words], check=True)


class Stage:
    """The scene below a folder on a disk. Needs a mount namespace of its own and the right to mount in it."""

    def __init__(self, base):
        self.base = Path(base)
        self.root = self.base / "root"
        self.bench = self.root / "bench"
        self.config = self.bench / "config"
        self.launcher = self.base / "launch"
        self.log = self.base / "log"
        self.copies = set()
        mount("--make-rprivate", "/")
        for name in (
            "bench/inits",
            "bench/libraries",
            "bench/programs",
            "bench/config",
            "dev",
            "etc",
            "proc",
            "run",
            "tmp",
            "usr",
            "var",
            "root",
        ):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            host = Path("/") / name
            if host.is_symlink():
                (self.root / name).symlink_to(os.readlink(host))
            elif host.is_dir():
                (self.root / name).mkdir()
                mount("--rbind", host, self.root / name)
        for name in ("usr", "dev"):
            mount("--rbind", f"/{name}", self.root / name)
        for name in ETC:
            host = Path("/etc") / name
            if host.is_dir():
                shutil.copytree(host, self.root / "etc" / name, symlinks=True)
            elif host.exists():
                shutil.copy(host, self.root / "etc" / name)
        (self.root / "var/run").symlink_to("/run")
        (self.bench / "page").touch()
        mount("-t", "tmpfs", "tmpfs", self.config)
        for source in [*(HERE / "programs").glob("*.c"), *(HERE / "floor").glob("*.c")]:
            target = (
                self.base
                if source.stem == "launch"
                else self.bench / "programs" if source.parent.name == "programs" else self.bench / "inits"
            )
            build(source, target / (source.stem if source.parent.name == "programs" else f"floor-{source.stem}"))
        for library in libraries("/bin/true"):
            self.private(library)
        self.copies.add(Path("/bin/true"))

    def private(self, path):
        """Lays a copy of a file of this machine over it, in here only."""
        path = Path(path)
        copy = self.bench / "libraries" / str(path).strip("/").replace("/", "-")
        if not copy.exists():
            shutil.copy(path, copy)
            mount("--bind", copy, self.root / str(path).lstrip("/"))
            self.copies.add(copy)

    def install(self, executable):
        """Copies an executable of an init into the container; what it is called with there."""
        executable = Path(executable)
        target = self.bench / "inits" / executable.name
        shutil.copy(executable, target)
        target.chmod(0o755)
        self.copies.add(target)
        for library in libraries(executable):
            self.private(library)
        with open(executable, "rb") as file:
            line = file.readline(256)
        if line.startswith(b"#!/usr"):
            interpreter = os.path.realpath(os.fsdecode(line[2:].split()[0]))
            self.private(interpreter)
            for library in libraries(interpreter):
                self.private(library)
        return f"/bench/inits/{executable.name}"

    def folder(self, name):
        """An empty folder for an init's configuration: its path here, and in the container."""
        path = self.config / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path, f"/bench/config/{name}"

    def make_cold(self):
        """Drops the copies from the page cache, so that the next start reads them from the disk."""
        for path in self.copies:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def words(self, launch, what, count, *, deadline, settle=20, page="page"):
        file = self.config / f".{page}"
        binds = [f"{file}:/bench/page", *(f"{source}:{target}" for source, target in launch.binds)]
        file.touch()
        return [
            str(self.launcher),
            "--root",
            str(self.root),
            "--page",
            str(file),
            "--log",
            f"{self.log}-{page}",
            *(word for bind in binds for word in ("--bind", bind)),
            "--deadline",
            str(int(deadline * 1000)),
            "--settle",
            str(settle),
            what,
            str(count),
            "--",
            *launch.words,
        ]

    def environment(self, launch):
        return {"PATH": PATH, "HOME": "/root", **launch.environment}

    def measure(self, launch, what, count=1, *, deadline=10, settle=20):
        """One life of an init: what the launcher measured, in nanoseconds."""
        if launch.fresh:
            launch.fresh()
        done = subprocess.run(
            self.words(launch, what, count, deadline=deadline, settle=settle),
            env=self.environment(launch),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = self.said("page")
            reason = f"killed after {deadline:g} s" if done.returncode == 124 else done.stderr.strip().splitlines()[-1:]
            raise DidNotFinish(f"{reason}{said}")
        return [int(line) for line in done.stdout.split()]

    def said(self, page):
        """The last that an init said, to be shown where it failed."""
        try:
            lines = Path(f"{self.log}-{page}").read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return f"; its last words: {lines[-1][:200]}" if lines else ""

    def hold(self, launch, count, *, deadline=60, page="page", group=None):
        """An init that lives until `release`: its launcher, and its number here."""
        if launch.fresh:
            launch.fresh()
        words = self.words(launch, "hold", count, deadline=deadline, page=page)
        if group:
            words = ["sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh", *words]
        process = subprocess.Popen(
            words,
            env=self.environment(launch),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise DidNotFinish(f"did not start {count} programs{self.said(page)}")
        return process, int(line)

    @staticmethod
    def release(process):
        process.stdin.close()
        process.stdout.close()
        process.wait()
