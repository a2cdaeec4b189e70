"""The Dockerfile builds for the platform that it is asked for, and compiles on the machine that builds."""

import os
import platform
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, podman

# Stands in for the toolchain, since to compile for another architecture takes minutes: the "file" that it makes tells where
# and how it was called.
COMPILER = """#!/bin/sh
folder=.build
for word; do
    [ "$last" = --scratch-path ] && folder=$word
    last=$word
done
mkdir -p "$folder/release"
{
    echo "on $(uname -m): swift $*"
    echo "HERMES_INIT_ARCH=$HERMES_INIT_ARCH"
    ls "${HERMES_INIT_MUSL:-/}/usr/lib"/*-linux-musl/libc.a
} >"$folder/release/hermes-init"
"""
OTHER = {"x86_64": ("aarch64", "arm64"), "aarch64": ("x86_64", "amd64")}[platform.machine()]


def build(tag, *options, stage="hermes-init", toolchain=None):
    environment = os.environ | ({"HERMES_INIT_TOOLCHAIN": str(toolchain)} if toolchain else {})
    result = subprocess.run(["scripts/image", tag, stage, "--platform", f"linux/{OTHER[1]}", *options], cwd=ROOT,
                            env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    assert podman("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", tag).stdout.strip() == f"linux/{OTHER[1]}"


def content(tag):
    tree = Path(podman("image", "mount", tag, check=True).stdout.strip())
    try:
        assert [path.name for path in tree.iterdir()] == ["hermes-init"]
        return (tree / "hermes-init").read_bytes()
    finally:
        podman("image", "umount", tag)


def test_another_platform_is_compiled_for_on_this_one(images, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("swift", "swiftc"):
        (tmp_path / "bin" / name).write_text(COMPILER)
        (tmp_path / "bin" / name).chmod(0o755)
    tag = "localhost/hermes-init-test:other-plumbing"
    # A label keeps its layers apart, which podman would take for what the real toolchain made of the same files.
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("\nWORKDIR /src\n") == 1
    (tmp_path / "Dockerfile").write_text(text.replace("\nWORKDIR /src\n", "\nLABEL toolchain=stand-in\nWORKDIR /src\n"))
    build(tag, "--file", str(tmp_path / "Dockerfile"), toolchain=tmp_path)
    said = content(tag).decode()
    assert f"on {platform.machine()}: swift build -c release" in said and f"--triple {OTHER[0]}-" in said, said
    assert f"HERMES_INIT_ARCH={OTHER[0]}\n" in said and f"usr/lib/{OTHER[0]}-linux-musl/libc.a" in said, said


@pytest.mark.skipif("HERMES_INIT_CROSS" not in os.environ, reason="compiles for another architecture: make test-aarch64 does it")
def test_the_image_for_another_platform_holds_a_file_that_runs_there(images):
    tag = "localhost/hermes-init-test:other"
    build(tag, "--no-cache")
    machine = {"aarch64": 183, "x86_64": 62}[OTHER[0]]
    assert int.from_bytes(content(tag)[18:20], "little") == machine
    result = podman("run", "--rm", "--pull=never", "--platform", f"linux/{OTHER[1]}", "--entrypoint", "/hermes-init", tag, "--version")
    assert result.returncode == 0 and "hermes-init" in result.stdout, result


@pytest.mark.skipif("HERMES_INIT_CROSS" not in os.environ, reason="needs a Debian of another architecture: make test-aarch64 makes it")
def test_the_image_for_another_platform_starts_its_services_there(images):
    tag = "localhost/hermes-init-test:other-services"
    # By its ID: podman 4.3 seeks a name for the platform of the stage before. The file is that of the test above.
    base = podman("image", "inspect", "--format", "{{.Id}}", f"localhost/hermes-init-test:debian-{OTHER[1]}", check=True).stdout.strip()
    build(tag, "--build-arg", f"DEBIAN_IMAGE={base}", "--build-context", "build=container-image://localhost/hermes-init-test:other",
          stage="stand-in")
    result = podman("run", "--rm", "--pull=never", "--no-healthcheck", "--platform", f"linux/{OTHER[1]}", tag,
                    "sh", "-c", "uname -m; id -un; hermes-init ctl status; exit 7", timeout=600)
    assert result.returncode == 7, result
    assert {OTHER[0], "hermes"} <= set(result.stdout.splitlines()) and " services, all well; booted in " in result.stdout, result
