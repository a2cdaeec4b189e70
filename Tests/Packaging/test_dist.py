"""make dist: what is in it, that it says what it is made of, and that it does not depend on who packs it and where.
(That two compilations agree is shown by make dist-check, which takes minutes.)"""

import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile

import pytest
from conftest import BINARY, BUILT, EPOCH, OWN, ROOT, made, run

FILES = [
    "bin/hermes-init",
    "share/bash-completion/completions/hermes-init",
    "share/doc/hermes-init/CHANGELOG.md",
    "share/doc/hermes-init/LICENSE",
    "share/doc/hermes-init/README.md",
    "share/doc/hermes-init/copyright",
    "share/doc/hermes-init/examples/hermes-init.d/prepare.toml",
    "share/doc/hermes-init/examples/hermes-init.d/web.toml",
    "share/fish/vendor_completions.d/hermes-init.fish",
    "share/man/man5/hermes-init.d.5",
    "share/man/man8/hermes-init.8",
    "share/zsh/site-functions/_hermes-init",
]


def test_the_tar_holds_what_goes_into_usr_local_and_nothing_else(release):
    with tarfile.open(release.tar) as archive:
        files = [member for member in archive if member.isfile()]
        assert [member.name for member in files] == [f"{release.name}/{file}" for file in FILES]
        assert all(member.isfile() or member.isdir() for member in archive)
        assert all(member.size > 0 for member in files)


def test_no_trace_of_who_packed_it(release):
    with tarfile.open(release.tar) as archive:
        for member in archive:
            assert (member.uid, member.gid) == (0, 0), member.name
            assert member.mtime == int(EPOCH), member.name
            wanted = 0o755 if member.isdir() or member.name.endswith("bin/hermes-init") else 0o644
            assert member.mode == wanted, member.name
    # The gzip header: no name and no time.
    assert release.tar.read_bytes()[3:8] == b"\0\0\0\0\0"


def test_the_bare_file_is_that_of_the_tar_and_knows_no_folder_of_this_machine(release):
    data = release.binary.read_bytes()
    with tarfile.open(release.tar) as archive:
        assert archive.extractfile(f"{release.name}/bin/hermes-init").read() == data
    assert data[:4] == b"\x7fELF"
    assert data[18] == {"x86_64": 62, "aarch64": 183}[release.architecture]
    for trace in [str(ROOT), str(ROOT.parent), ".build/", "/swift/usr/"]:
        if trace != "/":
            assert trace.encode() not in data, trace


def test_checksums(release):
    lines = (release.folder / "SHA256SUMS").read_text().splitlines()
    named = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    assert set(named) == {path.name for path in release.folder.iterdir()} - {"SHA256SUMS"}
    for name, wanted in named.items():
        assert hashlib.sha256((release.folder / name).read_bytes()).hexdigest() == wanted


def test_packing_again_elsewhere_gives_the_same_bytes(own, tmp_path):
    again = tmp_path / "another folder"
    script = 'umask 077 && scripts/dist "$1" && { ! command -v dpkg-deb >/dev/null || scripts/deb "$1"; }'
    made("bash", "-c", script, "-", again, ARCH=OWN, BINARY=str(BINARY), SOURCE_DATE_EPOCH=EPOCH, TZ="Asia/Kathmandu",
         LC_ALL="C.UTF-8", HOME=str(tmp_path))
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in own.folder.iterdir())
    assert [path.name for path in own.folder.iterdir() if path.read_bytes() != (again / path.name).read_bytes()] == []


def test_unpacked_it_runs_and_its_examples_are_right(own, tmp_path):
    made("tar", "-xzf", own.tar, "-C", tmp_path, "--strip-components=1")
    program = tmp_path / "bin/hermes-init"
    assert made(program, "--version") == f"hermes-init {own.version}\n"
    examples = tmp_path / "share/doc/hermes-init/examples/hermes-init.d"
    made(program, "--check", "--files-only", "--strict", "--config", examples)
    for shell, file in {"bash": "bash-completion/completions/hermes-init", "zsh": "zsh/site-functions/_hermes-init",
                        "fish": "fish/vendor_completions.d/hermes-init.fish"}.items():
        assert (tmp_path / "share" / file).read_text() == made(program, "completion", shell)


def test_the_sbom_is_valid_spdx(release):
    pytest.importorskip("spdx_tools", reason="spdx-tools is not installed")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = parse_file(str(release.sbom))
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []
    assert document.creation_info.spdx_version == "SPDX-2.3"


def test_the_sbom_says_what_is_in_the_file_and_in_the_tar(release):
    bill = json.loads(release.sbom.read_text())
    packages = {each["name"]: each for each in bill["packages"]}
    assert packages["hermes-init"]["versionInfo"] == release.version
    assert packages["hermes-init"]["licenseDeclared"] == "MIT"
    assert packages["musl"]["versionInfo"] in packages["musl"]["sourceInfo"]
    assert packages["Swift standard library (Embedded)"]["licenseDeclared"] == "Apache-2.0 WITH Swift-exception"
    swift = subprocess.run(["swiftc", "--version"], capture_output=True, text=True, check=True).stdout
    assert f"Swift version {packages['Swift toolchain']['versionInfo']} " in swift

    linked = {each["relatedSpdxElement"] for each in bill["relationships"] if each["relationshipType"] == "STATIC_LINK"}
    assert linked == {packages["musl"]["SPDXID"], packages["Swift standard library (Embedded)"]["SPDXID"]}
    with tarfile.open(release.tar) as archive:
        sums = {"." + member.name.removeprefix(release.name): hashlib.sha256(archive.extractfile(member).read()).hexdigest()
                for member in archive if member.isfile()}
    assert {each["fileName"]: each["checksums"][1]["checksumValue"] for each in bill["files"]} == sums
    assert bill["creationInfo"]["created"] == "2023-11-14T22:13:20Z"


def test_a_binary_without_its_architecture_is_refused(tmp_path):
    result = run("scripts/dist", tmp_path, BINARY=str(BINARY), SOURCE_DATE_EPOCH=EPOCH, ARCH="")
    assert result.returncode == 64
    assert "ARCH=" in result.stderr


def test_every_version_agrees(own):
    version = own.version
    assert made(BINARY, "--version") == f"hermes-init {version}\n"
    for page in ["man/hermes-init.8", "man/hermes-init.d.5"]:
        assert f"\n.Os hermes-init {version}\n" in (ROOT / page).read_text()
    assert f"\nARG VERSION={version}\n" in (ROOT / "Dockerfile").read_text()
    assert f'{{"hermes-init":"{version}","protocol":1}}' in (ROOT / "docs/control.md").read_text()
    assert f'"hermes-init": "{version}"' in (ROOT / "Tests/Integration/fake_init.py").read_text()
    changelog = made("scripts/debian-changelog", own.debian_version, SOURCE_DATE_EPOCH=EPOCH)
    assert changelog.startswith(f"hermes-init ({own.debian_version}) ")
    # The newest section is the version's, unless what comes next is not released yet.
    sections = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## [")]
    assert sections[0] == "## [Unreleased]" or sections[0].startswith(f"## [{version}] - ")


def copy_of_the_tree(folder):
    for name in ["scripts", "man", "packaging"]:
        shutil.copytree(ROOT / name, folder / name)
    for name in ["Sources/hermes-init/Version.swift", "Dockerfile", "docs/control.md", "Tests/Integration/fake_init.py"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_scripts_version_sets_it_everywhere(tmp_path):
    tree = copy_of_the_tree(tmp_path)
    made(tree / "scripts/version", "12.34.56")
    assert made(tree / "scripts/version") == "12.34.56\n"
    for name, text in {"man/hermes-init.8": ".Os hermes-init 12.34.56", "man/hermes-init.d.5": ".Os hermes-init 12.34.56",
                       "Dockerfile": "ARG VERSION=12.34.56", "docs/control.md": '{"hermes-init":"12.34.56",',
                       "Tests/Integration/fake_init.py": '"hermes-init": "12.34.56"'}.items():
        assert text in (tree / name).read_text(), name
    assert run(tree / "scripts/version", "v1").returncode == 64


def test_a_release_needs_a_section_with_a_date(tmp_path):
    tree = copy_of_the_tree(tmp_path)
    made(tree / "scripts/version", "2.0.0")
    changelog = tree / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## [Unreleased]\n\n- One.\n\n## [1.9.0] - 2026-01-02\n\n- Two, which\n  goes on.\n")
    result = run(tree / "scripts/version", "--check")
    assert result.returncode == 1
    assert "## [2.0.0] - YYYY-MM-DD" in result.stderr
    changelog.write_text(changelog.read_text().replace("[Unreleased]", "[2.0.0] - 2026-02-03"))
    made(tree / "scripts/version", "--check")
    assert made(tree / "scripts/version", "--notes").strip() == "- One."
    text = made(tree / "scripts/debian-changelog", "2.0.0-0upstream1", DEB_MAINTAINER="A B <a@b.org>")
    assert text == """hermes-init (2.0.0-0upstream1) unstable; urgency=medium

  * One.

 -- A B <a@b.org>  Tue, 03 Feb 2026 12:00:00 -0000

hermes-init (1.9.0-0upstream1) unstable; urgency=medium

  * Two, which goes on.

 -- A B <a@b.org>  Fri, 02 Jan 2026 12:00:00 -0000

"""


def test_the_gzip_of_the_tar_is_whole(release):
    assert gzip.decompress(release.tar.read_bytes())[257:262] == b"ustar"
    assert set(BUILT) >= {release.architecture}
