"""make deb: Debian's own judge accepts the package, and what it installs runs."""

import gzip
import os
import re
import shutil

import pytest
from conftest import EPOCH, made, run

FILES = {
    "./usr/bin/hermes-init": "-rwxr-xr-x",
    "./usr/share/bash-completion/completions/hermes-init": "-rw-r--r--",
    "./usr/share/doc/hermes-init/README.md": "-rw-r--r--",
    "./usr/share/doc/hermes-init/changelog.Debian.gz": "-rw-r--r--",
    "./usr/share/doc/hermes-init/changelog.gz": "-rw-r--r--",
    "./usr/share/doc/hermes-init/copyright": "-rw-r--r--",
    "./usr/share/doc/hermes-init/examples/hermes-init.d/prepare.toml": "-rw-r--r--",
    "./usr/share/doc/hermes-init/examples/hermes-init.d/web.toml": "-rw-r--r--",
    "./usr/share/fish/vendor_completions.d/hermes-init.fish": "-rw-r--r--",
    "./usr/share/lintian/overrides/hermes-init": "-rw-r--r--",
    "./usr/share/man/man5/hermes-init.d.5.gz": "-rw-r--r--",
    "./usr/share/man/man8/hermes-init.8.gz": "-rw-r--r--",
    "./usr/share/zsh/vendor-completions/_hermes-init": "-rw-r--r--",
}


def test_its_files(release):
    lines = [line.split() for line in made("dpkg-deb", "--contents", release.package()).splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    assert {line[5]: line[0] for line in lines if not line[0].startswith("d")} == FILES
    folders = [line[5] for line in lines if line[0].startswith("d")]
    assert "./etc/hermes-init.d/" in folders
    assert {line[0] for line in lines if line[0].startswith("d")} == {"drwxr-xr-x"}


def test_what_it_says_of_itself(release):
    def field(name):
        return made("dpkg-deb", "--field", release.package(), name).strip()

    assert field("Package") == "hermes-init"
    assert field("Version") == release.debian_version
    assert field("Architecture") == {"x86_64": "amd64", "aarch64": "arm64"}[release.architecture]
    # It needs nothing: that is what it is for.
    assert field("Depends") == ""
    assert int(field("Installed-Size")) > 500


def test_lintian_accepts_it(release):
    if shutil.which("lintian") is None:
        pytest.skip("lintian is not installed")
    result = run("lintian", "--fail-on", "error,warning", "--display-info", "--allow-root", "--tag-display-limit", "0",
                 release.package())
    assert result.returncode == 0, result.stdout + result.stderr
    assert not re.search(r"^[EW]: ", result.stdout, re.MULTILINE), result.stdout
    # An override that is not needed would hide the next mistake of its kind.
    assert "unused-override" not in result.stdout, result.stdout


def test_installed_into_a_root_of_its_own_it_runs(own, tmp_path):
    made("dpkg-deb", "--extract", own.package(), tmp_path)
    program = tmp_path / "usr/bin/hermes-init"
    assert made(program, "--version") == f"hermes-init {own.version}\n"
    assert list((tmp_path / "etc/hermes-init.d").iterdir()) == []
    made(program, "--check", "--root", tmp_path)
    if os.geteuid() == 0:
        # With nothing around it but what the package brings.
        assert made("chroot", tmp_path, "/usr/bin/hermes-init", "--version") == f"hermes-init {own.version}\n"


def test_dpkg_installs_and_removes_it(own, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can install a package")
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/updates").mkdir()
    (tmp_path / "var/lib/dpkg/status").touch()
    command = ["dpkg", f"--root={tmp_path}", "--force-script-chrootless", "--force-architecture"]
    made(*command, "--install", own.package())
    assert made(tmp_path / "usr/bin/hermes-init", "--version") == f"hermes-init {own.version}\n"
    assert made("dpkg", f"--root={tmp_path}", "--verify", "hermes-init") == ""
    (tmp_path / "etc/hermes-init.d/mine.toml").write_text('command = ["true"]\n')
    made(*command, "--purge", "hermes-init")
    assert not (tmp_path / "usr/bin/hermes-init").exists()
    # What its user wrote stays.
    assert (tmp_path / "etc/hermes-init.d/mine.toml").exists()


def test_its_changelog_is_debians(own, tmp_path):
    made("dpkg-deb", "--extract", own.package(), tmp_path)
    text = gzip.decompress((tmp_path / "usr/share/doc/hermes-init/changelog.Debian.gz").read_bytes()).decode()
    file = tmp_path / "changelog"
    file.write_text(text)
    if shutil.which("dpkg-parsechangelog"):
        assert made("dpkg-parsechangelog", "-l", file, "-S", "Version") == own.debian_version + "\n"
    assert re.match(rf"hermes-init \({re.escape(own.debian_version)}\) (unstable|UNRELEASED); urgency=medium\n", text)
    assert int(EPOCH) > 0
