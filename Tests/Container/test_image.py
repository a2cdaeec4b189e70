"""The image itself: its user, its folders, its variables; and what may be written there."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import IMAGE, podman


@pytest.fixture(scope="module")
def about(images):
    return json.loads(podman("image", "inspect", images, check=True).stdout)[0]


def test_user_volume_path_entrypoint(about):
    configuration = about["Config"]
    environment = dict(entry.split("=", 1) for entry in configuration["Env"])
    assert environment["PATH"].startswith("/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:")
    assert environment["HERMES_HOME"] == "/opt/data" and list(configuration["Volumes"]) == ["/opt/data"]
    assert configuration["Entrypoint"] == ["hermes-init", "--"] and configuration.get("User", "") == ""


def test_hermes_is_10000_and_lives_in_the_volume(run):
    result = run([], "getent", "passwd", "hermes")
    assert result.stdout.startswith("hermes:x:10000:10000:") and ":/opt/data:" in result.stdout, result


def test_the_code_is_not_hermes_to_write(run):
    result = run([], "sh", "-c", "find /opt/hermes /etc/hermes-init.d /usr/local/bin -writable ! -type l -print -quit; "
                                 "find /opt/hermes ! -user root -print -quit; touch /opt/hermes/x 2>&1; echo done")
    assert result.stdout.splitlines()[-2:] == ["touch: cannot touch '/opt/hermes/x': Permission denied", "done"], result
    assert "\n/" not in "\n" + result.stdout, result


@pytest.mark.parametrize("name", ["/init", "/usr/bin/tini"])
def test_the_names_of_older_images_are_hermes_init(run, name):
    assert run([], "readlink", "-f", name).stdout.strip() == "/usr/local/bin/hermes-init"


def test_check_of_the_unpacked_image_has_nothing_to_say(images):
    tree = Path(podman("image", "mount", IMAGE, check=True).stdout.strip())
    try:
        result = subprocess.run([tree / "usr/local/bin/hermes-init", "--check", "--strict", "--root", tree],
                                capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        assert result.returncode == 0, result
    finally:
        podman("image", "umount", IMAGE)


def test_check_finds_what_the_image_lacks(images):
    # It stands in the Dockerfile, and so ends the build.
    result = podman("run", "--rm", "--no-healthcheck", "--entrypoint", "sh", images, "-c",
                    "rm /opt/hermes/.venv/bin/python; exec hermes-init --check --strict")
    assert result.returncode == 1 and "/opt/hermes/.venv/bin/python" in result.stdout + result.stderr, result


def test_the_health_of_the_container_is_that_of_its_services(about, start):
    check = (about.get("Healthcheck") or about["Config"]["Healthcheck"])["Test"]
    assert check == ["CMD", "hermes-init", "health"]
    container = start(["--env", "HERMES_DASHBOARD=1"], "gateway", "run", healthcheck=True)
    container.until("dashboard is up")
    container.until("gateway is up")
    from harness import until
    until(lambda: podman("healthcheck", "run", container.name).returncode == 0, "the container to be healthy", 30)
    assert container.execute("hermes-init", "health", options=["--user", "hermes"]).returncode == 0
