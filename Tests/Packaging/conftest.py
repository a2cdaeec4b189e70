"""What a release consists of, made once for these tests from the release that is already built: nothing is compiled here."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("HERMES_INIT", ROOT / ".build/release/hermes-init")).resolve()
#: A moment that has nothing to do with this machine or its clock.
EPOCH = "1700000000"
#: The architectures whose release is already there. The other one is built by `make release ARCH=…`.
OWN = platform.machine()
BUILT = {OWN: BINARY} | {
    other: ROOT / f".build/{other}/release/hermes-init"
    for other in ("x86_64", "aarch64")
    if other != OWN and (ROOT / f".build/{other}/release/hermes-init").exists()
}
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}


def pytest_configure():
    if not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(f"{BINARY} is not there: run make release first")


def run(*words, **environment):
    return subprocess.run([str(word) for word in words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


def made(*words, **environment):
    result = run(*words, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(folder, architecture):
    if not Path(f"/usr/lib/{OWN}-linux-musl/libc.a").exists():
        pytest.skip("musl is not installed: there is nothing to publish")
    made("scripts/dist", folder, ARCH=architecture, BINARY=str(BUILT[architecture]), RUNS=str(BINARY), SOURCE_DATE_EPOCH=EPOCH)
    if shutil.which("dpkg-deb"):
        made("scripts/deb", folder, ARCH=architecture, SOURCE_DATE_EPOCH=EPOCH)
    return folder


class Release:
    """The files of one architecture."""

    def __init__(self, folder, architecture):
        self.folder = folder
        self.architecture = architecture
        self.version = made("scripts/version").strip()
        self.name = f"hermes-init-{self.version}-linux-{architecture}"
        self.tar = folder / f"{self.name}.tar.gz"
        self.binary = folder / self.name
        self.sbom = folder / f"{self.name}.spdx.json"
        self.debian_version = made("scripts/version", "--debian").strip()
        self.deb = folder / f"hermes-init_{self.debian_version}_{DEBIAN[architecture]}.deb"

    def package(self):
        if not self.deb.exists():
            pytest.skip("dpkg-deb is not installed: no package was made")
        return self.deb


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """Makes the release of an architecture, once."""
    made_already = {}

    def make(architecture):
        if architecture not in made_already:
            made_already[architecture] = Release(build(tmp_path_factory.mktemp("dist"), architecture), architecture)
        return made_already[architecture]

    return make


@pytest.fixture(scope="session", params=sorted(BUILT))
def release(request, releases):
    return releases(request.param)


@pytest.fixture(scope="session")
def own(releases):
    """The release that runs on this machine."""
    return releases(OWN)
