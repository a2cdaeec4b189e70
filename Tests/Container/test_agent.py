"""The stage of the Dockerfile that is hermes-agent itself, built from what agent.py makes up. So the order of the layers, the seal and the
services are tested; what npm and uv really download is not."""

import re

from agent import AGAIN, AGENT, LOCKED
from conftest import ROOT


def plain(line):
    return re.sub(" never=.*| at=.*| --requirement.*| --no-audit.*", "", line)


def built(run, image=AGENT):
    """What apt-get, npm and uv were asked for, with the moment in which they were."""
    return run(["--entrypoint", "cat"], "/var/log/build", image=image).stdout.splitlines()


def test_hermes_agent_is_built_sealed_and_runs(run):
    words = built(run)
    assert [plain(line) for line in words if not line.startswith("apt-get")] == [
        "npm ci", "npm --prefix web ci", "npm --prefix ui-tui ci", "npm cache clean --force",
        "uv sync --frozen --no-install-project --extra all --extra messaging", "uv pip install --no-deps --require-hashes",
        "npm --prefix web run build", "npm --prefix ui-tui run build",
        "uv pip install --no-deps --no-build-isolation --editable ."], words
    assert all("never=never" in line for line in words if line.startswith("uv "))

    result = run([], "chat", "-q", "hi", image=AGENT)
    assert "agent: uid=10000 cwd=/opt/data web=index.html words=chat -q hi" in result.stdout, result
    sealed = run([], "sh", "-c", "find /opt/hermes '(' ! -user root -o ! -group root -o -writable ')' ! -type l; "
                                 "find /opt/hermes ! -type l ! -readable; cat /opt/data/SOUL.md", image=AGENT)
    assert sealed.stdout.strip() == "soul", sealed
    result = run(["--user", "0", "--entrypoint", "sh"], "-c",
                 "hermes-init --check --strict && readlink -f /init /usr/bin/tini && ! command -v gosu && ! ls -d /command /package",
                 image=AGENT)
    assert result.returncode == 0 and result.stdout.count("/usr/local/bin/hermes-init") == 2, result
    # The browser is found where Playwright would have put it; UV_ settings of the build are no settings of the container.
    result = run([], "env", image=AGENT)
    assert "AGENT_BROWSER_EXECUTABLE_PATH=/opt/hermes/.playwright/headless_shell" in result.stdout and "UV_" not in result.stdout, result
    result = run(["--env", "HERMES_UID=4000"], "sh", "-c", "cat /opt/hermes/hermes_cli/__init__.py && ls /opt/hermes/tools", image=AGENT)
    assert result.returncode == 0 and "skills_sync.py" in result.stdout, result


def test_a_layer_is_built_again_only_when_its_input_has_changed(run):
    def built_again(before, after):
        return [plain(new) for old, new in zip(built(run, before), built(run, after), strict=True) if new != old]

    changed = ["npm --prefix web run build", "npm --prefix ui-tui run build", "uv pip install --no-deps --no-build-isolation --editable ."]
    # Neither Debian packages nor those of Node.js and Python.
    assert built_again(AGENT, AGAIN) == changed
    assert built_again(AGAIN, LOCKED) == [
        "uv sync --frozen --no-install-project --extra all --extra messaging", "uv pip install --no-deps --require-hashes", *changed]


def test_the_last_stage_is_the_stand_in_and_needs_no_source_tree(images):
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert stages[-1] == ("stand-in", "") and ("agent", "hermes-agent") in stages


def test_nothing_is_fetched_without_a_digest_or_a_checksum():
    text = (ROOT / "Dockerfile").read_text()
    for argument in ("AGENT_IMAGE", "UV_IMAGE"):
        assert re.search(rf"^ARG {argument}=\S+@sha256:[0-9a-f]{{64}}$", text, re.MULTILINE), argument
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"^ADD |curl |wget |https?://|playwright install", code.replace("curl docker-cli", ""), re.MULTILINE)
    assert "--frozen" in code and "npm ci" in code and "npm install" not in code
    for line in (ROOT / "image" / "build-requirements.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line), line
