"""Builds the Dockerfile once with podman, from base images that scripts/base-images makes without a registry."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Integration"))
IMAGE, FILE_ONLY = "localhost/hermes-init-test:image", "localhost/hermes-init-test:file"
CACHE = Path(os.environ.get("HERMES_INIT_CACHE") or os.environ.get("XDG_CACHE_HOME", "/var/tmp") + "/hermes-init-tests")
os.environ["CONTAINERS_CONF"] = str(CACHE / "containers.conf")


def podman(*words, check=False, **options):
    options.setdefault("timeout", 120)
    result = subprocess.run(["podman", *words], capture_output=True, text=True, errors="backslashreplace",
                            stdin=subprocess.DEVNULL, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"podman {' '.join(words)}: exit code {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def impossible():
    """Why containers cannot be run here; None where they can."""
    for tool in ("podman", "runc", "debootstrap", "swift"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"{tool} is not installed"
    if os.geteuid() != 0:
        return "base images cannot be made as an ordinary user"
    return None


@pytest.fixture(scope="session")
def images():
    reason = impossible()
    if reason:
        pytest.skip(f"no container tests: {reason}")
    for words in (["scripts/base-images"], ["scripts/image", FILE_ONLY, "hermes-init"], ["scripts/image", IMAGE]):
        result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            pytest.exit(f"{' '.join(words)} failed:\n{result.stdout[-6000:]}\n{result.stderr[-6000:]}", 1)
    return IMAGE


class Container:
    """A container that runs in the background."""

    def __init__(self, options, image, command):
        self.name = podman("run", "--detach", *options, image, *command, check=True).stdout.strip()

    def logs(self):
        result = podman("logs", self.name)
        return result.stdout + result.stderr

    def until(self, text, count=1):
        from harness import until

        until(lambda: self.logs().count(text) >= count, lambda: f"{text!r}, {count} times, in the log:\n{self.logs()}", 60)
        return self.logs()

    def execute(self, *command, **options):
        return podman("exec", self.name, *command, **options)

    def stop(self, seconds=30):
        podman("stop", "--time", str(seconds), self.name, check=True)
        return self.code()

    def code(self):
        return int(podman("wait", self.name, check=True).stdout)

    def remove(self):
        podman("rm", "--force", "--time", "0", "--volumes", self.name)


@pytest.fixture
def run(images):
    """Runs the image to its end: run([options], command...)."""

    def run(options=(), *command, image=images):
        return podman("run", "--rm", *options, image, *command)

    return run


@pytest.fixture
def start(images):
    """Starts the image in the background; removes it with the test."""
    containers = []

    def start(options=(), *command, image=images):
        containers.append(Container(options, image, command))
        return containers[-1]

    yield start
    for container in containers:
        container.remove()


@pytest.fixture
def terminal(images):
    """`docker run -it`: terminal([options], command...)."""
    from terminal import Terminal

    terminals = []

    def terminal(options=(), *command, image=images, **size):
        terminals.append(Terminal(["podman", "run", "--rm", "--interactive", "--tty", *options, image, *command], **size))
        return terminals[-1]

    yield terminal
    for one in terminals:
        one.end()
