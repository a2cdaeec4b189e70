"""What the pages show is so: service files pass --check, examples run, links lead somewhere, and lines of the log are the program's.
A block of code that no test runs is known here by its page and kind, with the reason."""

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections import Counter

import pytest
from harness import AM_ROOT, BINARY, ROOT, reachable
from image import Image

PAGES = sorted(str(page.relative_to(ROOT)) for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "Benchmarks").glob("*.md")])
FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^```toml name=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text_of(page):
    return (ROOT / page).read_text()


def blocks(page, kind):
    return [text for _, info, text in FENCE.findall(text_of(page)) if info == kind]


def guides():
    """Pages with service files that belong together. (test_migrating.py does docs/migrating.md by sections; the reference and the codes
    have tests in Swift.)"""
    apart = {"docs/migrating.md", "docs/service-files.md", "docs/diagnostics.md", "docs/editors.md"}
    return [page for page in PAGES if page not in apart and NAMED.search(text_of(page))]


# --- every block -----------------------------------------------------------------------------------------------------------------------

# Which test runs the blocks of a kind on a page, or why none does.
ELSEWHERE = "Tests/Integration/test_migrating.py, or the file of another program that it takes the place of"
LOG = "test_a_line_of_the_log_on_a_page_is_the_programs"
WANTS_DOCKER = "needs Docker; Tests/Container runs the like with podman"
RUN_BY = {
    ("README.md", "sh"): "CI runs both commands",
    ("README.md", "dockerfile"): "Tests/Container/test_file.py",
    ("README.md", "console"): "test_the_status_of_the_readme",
    ("docs/check.md", "sh"): "test_the_commands_of_check",
    ("docs/check.md", "json"): "test_the_json_of_check",
    ("docs/check.md", "dockerfile"): WANTS_DOCKER,
    ("docs/check.md", "yaml"): "needs GitHub; the words are run by test_the_commands_of_check",
    ("docs/command-line.md", ""): "synopsis; ManualTests",
    ("docs/command-line.md", "console"): "test_the_examples_of_the_command_line; the rest needs a container that is in trouble",
    ("docs/command-line.md", "dockerfile"): WANTS_DOCKER,
    ("docs/command-line.md", "sh"): "test_plan.py (dot), test_dumb_init.py (--rewrite)",
    ("docs/control.md", ""): "synopsis",
    ("docs/control.md", "console"): "test_ctl_client.py",
    ("docs/control.md", "json"): "test_control.py",
    ("docs/control.md", "sh"): "test_ctl_client.py, completion",
    ("docs/control.md", "sh name=socat"): "test_control.py",
    ("docs/control.md", "sh name=nc"): "test_control.py",
    ("docs/control.md", "sh name=curl"): "test_control.py",
    ("docs/control.md", "python name=python"): "test_control.py",
    ("docs/design.md", ""): "drawings",
    ("docs/diagnostics.md", "toml"): "ExplanationTests",
    ("docs/editors.md", "toml name=web.toml"): "test_schema.py",
    ("docs/editors.md", "sh"): "test_the_schemas_and_the_python_of_editors",
    ("docs/editors.md", "python"): "test_the_schemas_and_the_python_of_editors",
    ("docs/editors.md", ""): "configuration of Taplo, which is not installed here",
    ("docs/editors.md", "json"): "test_the_patterns_of_the_editor",
    ("docs/editors.md", "lua"): "configuration of Neovim, which is not installed here",
    ("docs/exec.md", ""): "synopsis",
    ("docs/exec.md", "sh"): WANTS_DOCKER + "; test_exec.py",
    ("docs/exec.md", "console"): "test_exec.py",
    ("docs/exec.md", "console like"): "test_exec.py",
    ("docs/exec.md", "toml shim"): "test_exec.py",
    ("docs/execution.md", ""): LOG,
    ("docs/hermes-image.md", ""): "a refusal; Tests/Container",
    ("docs/hermes-image.md", "sh"): "Tests/Container",
    ("docs/logs.md", ""): LOG,
    ("docs/migrating.md", "sh"): ELSEWHERE,
    ("docs/migrating.md", "ini"): ELSEWHERE,
    ("docs/migrating.md", "dockerfile"): ELSEWHERE,
    ("docs/migrating.md", "dockerfile name=Dockerfile"): ELSEWHERE,
    ("docs/service-files.md", "toml"): "DocumentationTests",
    ("docs/supervision.md", ""): LOG,
    ("docs/supervision.md", "text"): LOG,
    ("docs/supervision.md", "mermaid"): "drawing",
    ("docs/supervision.md", "dockerfile"): WANTS_DOCKER,
    ("docs/troubleshooting.md", "text phrase"): LOG,
}
# Pages with their own commands: how to measure, to build and to publish.
OWN = {"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/benchmarks.md", "docs/libc.md", "docs/reliability.md", "docs/install.md"}


@pytest.mark.plain
def test_each_block_of_code_is_run_by_a_test_or_has_a_reason():
    kinds = Counter()
    for page in PAGES:
        for _, info, _ in FENCE.findall(text_of(page)):
            is_named = info.startswith("toml name=") or page == "docs/troubleshooting.md" and info.startswith("text name=")
            if not is_named and page not in OWN and not page.startswith("Benchmarks/"):
                kinds[page, info] += 1
    assert not sorted(set(kinds) - set(RUN_BY)), "blocks that nobody runs"
    assert not [each for each in set(RUN_BY) - set(kinds) if not each[1].startswith("toml name=")], "kinds that are gone"


@pytest.mark.plain
@pytest.mark.parametrize("page", guides())
def test_the_service_files_of_a_guide_pass_check(boot, page):
    if page == "docs/hermes-image.md":
        # What stands there belongs beside the files of the image.
        boot.services({file.name: file.read_bytes() for file in (ROOT / "etc" / "hermes-init.d").iterdir()})
    for name, text in NAMED.findall(text_of(page)):
        # As it stands: an @ is part of the name of an instance.
        boot.services({name: text.encode()})
    result = boot.run(["--check", "--files-only", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result


# --- links -----------------------------------------------------------------------------------------------------------------------------

def anchors(page):
    """The anchors that GitHub makes of the headings."""
    found = Counter()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        found[slug] += 1
        yield slug if found[slug] == 1 else f"{slug}-{found[slug] - 1}"


@pytest.mark.plain
@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page):
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text_of(page)))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"(?:href|src)=\"([^\"]+)\"", text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in set(anchors(target)), link
    for note in set(re.findall(r"\[\^(\w+)\](?!:)", text)):
        assert f"\n[^{note}]: " in text, note


@pytest.mark.plain
def test_every_page_is_in_the_index():
    index = text_of("README.md") + text_of("docs/README.md")
    for page in PAGES:
        if page.startswith("docs/") and page != "docs/README.md":
            assert page in index or page.removeprefix("docs/") in index, page


# --- README ----------------------------------------------------------------------------------------------------------------------------

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.skipif(not AM_ROOT or not os.path.exists("/usr/bin/python3"), reason="needs root, since the service has a user, and /usr/bin/python3")
@pytest.mark.parametrize("with_step", [False, True])
def test_the_first_service_of_the_readme_serves(boot, with_step):
    files = dict(NAMED.findall(text_of("README.md")))
    assert len(files["web.toml"].splitlines()) == 5
    files["web.toml"] = ('requires = ["prepare"]\n' if with_step else "") + files["web.toml"]
    if not with_step:
        files.pop("prepare.toml")
    it = Image(boot, files, {"main": "#!/bin/sh\nread end < /opt/end\nexit 5\n"},
               before="mkfifo -m 666 /opt/end" + ("" if with_step else "; mkdir /srv/www"))
    port = free_port()
    life = it.run("main", PORT=str(port))
    life.until_err("web: up")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.status == 200
    life.until(lambda: "[web] " in life.stdout() + life.stderr(), "its output behind its name")
    life.enter(["sh", "-c", "echo > /opt/end"])
    assert life.wait().code == 5


def test_the_status_of_the_readme(boot):
    life = boot(["sleep", "1000"], {"web": "script = 'exec sleep 1000'\n"})
    life.until_err("web: up")
    life.until(lambda: "all well; booted" in life.enter([str(reachable()), "ctl", "status"]).out, "the boot is done")

    def shape(text):
        return [line.split() if number == 0 else line.split()[:2] for number, line in enumerate(text.splitlines())][:3]

    shown = blocks("README.md", "console")[0].split("\n", 1)[1]
    said = life.enter([str(reachable()), "ctl", "status"]).out
    assert shape(shown) == shape(said)
    assert re.sub(r"[\d.]+ ?m?s", "N", shown.splitlines()[-1]) == re.sub(r"[\d.]+ ?m?s", "N", said.splitlines()[-1])


@pytest.mark.plain
def test_the_table_of_the_readme_is_that_of_the_comparison():
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text_of("README.md").splitlines()
            if line.startswith("| ") and line.count(" | ") == 6]
    peers, rows = rows[0][1:] if rows[0][0] == "" else [cell for cell in rows[0] if cell != "|"], rows[1:]
    sections = re.findall(r"^## (.*)\n\n\| \| \| \|\n\|---\|---\|---\|\n((?:\|.*\n)+)", text_of("docs/comparison.md"), re.MULTILINE)
    assert len(rows) == len(sections) >= 25
    for row, (title, table) in zip(rows, sections):
        cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
        assert row[0].lower() == title.lower() and row[1:] == [cell[1] for cell in cells], title
        assert [cell[0] for cell in cells] == peers[-6:], title


@pytest.mark.plain
def test_the_tests_that_the_comparison_names_are_there():
    for name in set(re.findall(r"`(test_\w+\.py(?:::\w+)?)`", text_of("docs/comparison.md"))):
        file, _, test = name.partition("::")
        paths = [path for folder in ("Integration", "Container") if (path := ROOT / "Tests" / folder / file).exists()]
        assert paths and (not test or f"def {test}(" in paths[0].read_text()), name


# --- docs/check.md, docs/command-line.md, docs/editors.md --------------------------------------------------------------------------------

def shell(command, folder, **how):
    path = f"{reachable().parent}:/usr/local/bin:/usr/bin:/bin"
    return subprocess.run(["sh", "-c", command], cwd=folder, env={"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


@pytest.mark.plain
def test_the_commands_of_check(tmp_path):
    (tmp_path / "services").mkdir()
    (tmp_path / "rootfs/etc/hermes-init.d").mkdir(parents=True)
    (tmp_path / "etc/hermes-init.d").mkdir(parents=True)
    commands = blocks("docs/check.md", "sh")[0].splitlines() + [blocks("docs/check.md", "yaml")[0].removeprefix("- run: ").strip()]
    for command in commands:
        done = shell(command, tmp_path, input='command = ["web"]\n')
        assert done.returncode == 0 and "mistake" not in done.stdout, (command, done)


@pytest.mark.plain
def test_the_json_of_check(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("www:x:33:33::/:/bin/sh\n")
    (tmp_path / "web.toml").write_text('script = "exec sleep 1"\nuser = "wwww"\n')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").write_text("#!/bin/sh\n")
    (tmp_path / "bin/sh").chmod(0o755)
    done = subprocess.run([BINARY, "--check", "--root", str(tmp_path), "--config", "/", "--format", "json"], capture_output=True, text=True)
    said, shown = json.loads(done.stdout), json.loads(blocks("docs/check.md", "json")[0])
    for report in (said, shown):
        report["diagnostics"][0]["location"]["file"] = "web.toml"
        report["diagnostics"][0]["location"]["label"] = ""
    assert said == shown


@pytest.mark.plain
def test_the_examples_of_the_command_line(tmp_path):
    services = tmp_path / "services"
    services.mkdir()
    (services / "main.toml").write_text('type = "main"\ncommand = ["hermes"]\nroute = "auto"\n')
    (services / "dashboard.toml").write_text('command = ["hermes", "dashboard"]\n[when]\nenv = "HERMES_DASHBOARD"\n')
    ran = 0
    for block in blocks("docs/command-line.md", "console"):
        command, _, shown = block.removeprefix("$ ").partition("\n")
        command = command.replace("docker run --rm --entrypoint hermes-init IMAGE", f"hermes-init --config {services}")
        if "docker" not in command:
            ran += 1
            assert re.sub(r" +\(not so now: skipped\)", "", shell(command, tmp_path).stdout) == shown, command
    assert ran >= 3


@pytest.mark.plain
def test_the_schemas_and_the_python_of_editors(tmp_path):
    pytest.importorskip("jsonschema")
    for block in blocks("docs/editors.md", "sh"):
        assert shell(block, tmp_path).returncode == 0, block
    (tmp_path / "web.toml").write_text('comand = ["web"]\n')
    done = subprocess.run([shutil.which("python3"), "-c", blocks("docs/editors.md", "python")[0]], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "comand" in done.stdout, done


@pytest.mark.plain
def test_the_patterns_of_the_editor():
    patterns = json.loads(blocks("docs/editors.md", "json")[0])["evenBetterToml.schema.associations"]
    for path, expected in [("web.toml", "hermes-init"), ("web.d/10.toml", "drop-in"), ("init.toml", "settings")]:
        found = [schema for pattern, schema in patterns.items() if re.search(pattern, "file:///a/etc/hermes-init.d/" + path)]
        assert len(found) == 1 and expected in found[0], path


# --- lines of the log ------------------------------------------------------------------------------------------------------------------

def pieces():
    """Every text of the binary, cut at the places where something is put in; the longest first."""
    texts = re.findall(rb"[\x20-\x7e\n\xe2\x80\xa6]{2,}", BINARY.read_bytes())
    found = {piece.strip() for text in texts for piece in re.split(r"%+|hermes-init: ", text.decode("utf-8", "ignore")) for piece in (piece,)}
    return sorted((piece for piece in found if len(piece) >= 3), key=len, reverse=True)


@pytest.mark.plain
def test_a_line_of_the_log_on_a_page_is_the_programs():
    """Without the texts of the program, nothing is left of a line but names, numbers and times: never three words that follow each
    other."""
    texts = [piece for piece in pieces() if " " in piece or len(piece) >= 6]
    for page in PAGES:
        for _, info, block in FENCE.findall(text_of(page)):
            if info not in ("", "text", "text phrase") or page in OWN:
                continue
            for line in block.splitlines():
                if not line.startswith("hermes-init: "):
                    continue
                rest = line.removeprefix("hermes-init: ")
                for text in texts:
                    if text in rest:
                        rest = rest.replace(text, " | ")
                words = re.findall(r"(?:\b[a-z]{2,}\b[ ,;:]+){2}[a-z]{2,}\b", rest)
                assert not words, (page, line, words)
