"""The compose file and the Kubernetes manifest of examples/, as they are but for the name of the image and of what they make."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from conftest import ROOT, podman
from harness import until


@pytest.fixture
def name():
    return f"hermes-init-test-{uuid.uuid4().hex[:12]}"


def compose_program():
    beside = Path(sys.executable).with_name("podman-compose")
    return str(beside) if beside.exists() else shutil.which("podman-compose")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.fixture
def compose(images, name):
    program = compose_program()
    if program is None:
        pytest.skip("podman-compose is not installed")
    environment = {**os.environ, "HERMES_IMAGE": images, "PUID": "1500", "PGID": "1600", "HERMES_DASHBOARD_PORT": free_port()}

    def compose(*words):
        return subprocess.run([program, "--project-name", name, *words], cwd=ROOT / "examples" / "compose", env=environment,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)

    yield compose
    compose("down", "--volumes", "--timeout", "1")


def running(name, part):
    found = podman("ps", "--filter", f"name={name}", "--format", "{{.Names}}", check=True).stdout.split()
    return [container for container in found if part in container]


def logs(container):
    result = podman("logs", container)
    return result.stdout + result.stderr


def test_the_compose_file(compose, name):
    result = compose("up", "--detach")
    assert result.returncode == 0, result
    [container] = until(lambda: running(name, "hermes"), f"a container: {result}", 30)
    until(lambda: "dashboard is up" in logs(container) and "gateway is up" in logs(container), lambda: logs(container), 60)
    assert "hermes: uid=1500 gid=1600" in logs(container), logs(container)
    until(lambda: podman("healthcheck", "run", container).returncode == 0, lambda: logs(container), 30)
    about = json.loads(podman("inspect", container, check=True).stdout)[0]
    assert [mount["Destination"] for mount in about["Mounts"]] == ["/opt/data"] and about["Mounts"][0]["Type"] == "volume"
    # What is in the volume outlives the container.
    assert podman("exec", container, "sh", "-c", "echo mine >/opt/data/SOUL.md").returncode == 0
    began = time.monotonic()
    assert compose("down").returncode == 0 and time.monotonic() - began < 15
    assert compose("up", "--detach").returncode == 0
    [container] = until(lambda: running(name, "hermes"), "a container", 30)
    assert podman("exec", container, "cat", "/opt/data/SOUL.md").stdout == "mine\n"


def test_the_manifest(images, name, tmp_path):
    text = (ROOT / "examples" / "kubernetes" / "hermes.yaml").read_text()
    manifest = tmp_path / "hermes.yaml"
    manifest.write_text(text.replace("image: hermes-agent", f"image: {images}").replace("hermes-data", f"{name}-data")
                        .replace("  name: hermes\n  labels", f"  name: {name}\n  labels"))
    try:
        result = podman("play", "kube", str(manifest))
        assert result.returncode == 0, result
        container = f"{name}-hermes"
        until(lambda: "dashboard is up" in logs(container) and "gateway is up" in logs(container), lambda: logs(container), 60)
        assert "hermes: uid=10000 gid=10000" in logs(container), logs(container)
        until(lambda: podman("healthcheck", "run", container).returncode == 0, lambda: logs(container), 30)
        host = json.loads(podman("inspect", container, check=True).stdout)[0]
        assert host["HostConfig"]["ReadonlyRootfs"] and not host["EffectiveCaps"], host
        assert podman("exec", container, "test", "-s", "/opt/data/config.yaml").returncode == 0
        began = time.monotonic()
        assert podman("pod", "stop", "--time", "15", name).returncode == 0 and time.monotonic() - began < 14
        assert logs(container).count("told to stop") == 2, logs(container)
    finally:
        podman("play", "kube", "--down", str(manifest))
        podman("pod", "rm", "--force", name)
        podman("volume", "rm", "--force", f"{name}-data")
