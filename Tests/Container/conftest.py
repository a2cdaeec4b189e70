"""Builds the Dockerfile once with podman, from base images that scripts/base-images makes without a registry. The tests run side
by side where pytest-xdist is there: no two may use one name."""

import fcntl
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import agent
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Integration"))
IMAGE, FILE_ONLY = "localhost/hermes-init-test:image", "localhost/hermes-init-test:file"
# Podman has systemd run the health check, and complains on stderr where there is none.
QUIET = ["--no-healthcheck"]
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
    # HERMES_INIT_IMAGES=built: as they were built last.
    if os.environ.get("HERMES_INIT_IMAGES") == "built":
        return IMAGE
    # All builds come before all tests: podman 4.3 was seen to hang where it builds and runs pods at the same time.
    once("images", lambda: [["scripts/base-images"], ["scripts/image", FILE_ONLY, "hermes-init"], ["scripts/image", IMAGE],
                            *agent.commands(CACHE / "agent")])
    return IMAGE


def once(name, commands):
    """Runs commands once for all the processes of pytest-xdist; the others wait for the first."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.done", "a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        if mark.read() == run:
            return
        for words in commands():
            result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if result.returncode != 0:
                pytest.exit(f"{' '.join(words)} failed:\n{result.stdout[-6000:]}\n{result.stderr[-6000:]}", 1)
        mark.truncate(0)
        mark.write(run)
        mark.flush()


class Container:
    """A container that runs in the background."""

    def __init__(self, options, image, command, healthcheck=False):
        self.name = podman("run", "--detach", *(() if healthcheck else QUIET), *options, image, *command, check=True).stdout.strip()

    def logs(self):
        result = podman("logs", self.name)
        return result.stdout + result.stderr

    def until(self, text, count=1):
        from harness import until

        until(lambda: self.logs().count(text) >= count, lambda: f"{text!r}, {count} times, in the log:\n{self.logs()}", 60)
        return self.logs()

    def execute(self, *command, options=(), **others):
        return podman("exec", *options, self.name, *command, **others)

    def ctl(self, *words, user="hermes"):
        """`hermes-init ctl`, as the user that the agent itself is."""
        return self.execute("hermes-init", "ctl", *words, options=["--user", user])

    def restart(self):
        podman("restart", "--time", "30", self.name, check=True)

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
        return podman("run", "--rm", *QUIET, *options, image, *command)

    return run


@pytest.fixture
def start(images):
    """Starts the image in the background; removes it with the test."""
    containers = []

    def start(options=(), *command, image=images, **others):
        containers.append(Container(options, image, command, **others))
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
        terminals.append(Terminal(["podman", "run", "--rm", "--interactive", "--tty", *QUIET, *options, image, *command], **size))
        return terminals[-1]

    yield terminal
    for one in terminals:
        one.end()


@pytest.fixture
def volume(images):
    """A named volume, empty."""
    name = f"hermes-init-test-{uuid.uuid4().hex}"
    podman("volume", "create", name, check=True)
    yield name
    podman("volume", "rm", "--force", name)


@pytest.fixture
def data(tmp_path):
    """A folder of the host to be mounted at /opt/data."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def control(images):
    """Where the image can talk to its init; the test is skipped where it cannot yet."""
    result = podman("run", "--rm", "--entrypoint", "hermes-init", images, "ctl", "--help")
    if result.returncode != 0:
        pytest.skip("hermes-init ctl is not there yet")


def lines_of(service, text):
    """What one service said."""
    return [line.removeprefix(f"[{service}] ") for line in text.splitlines() if line.startswith(f"[{service}] ")]
