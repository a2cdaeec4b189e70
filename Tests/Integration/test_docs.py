"""The service files that the guides show are right: written out under the names that they have there, they pass --check."""

import re

import pytest
from harness import ROOT

PAGES = [
    "README.md", "docs/migrating.md", "docs/hermes-image.md", "docs/supervision.md", "docs/execution.md", "docs/logs.md",
    "docs/stages.md", "docs/exec.md", "docs/control.md",
]
BLOCK = re.compile(r"^```toml name=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.plain
@pytest.mark.parametrize("page", PAGES)
def test_the_service_files_of_a_guide_pass_check(boot, page):
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks
    if page == "docs/hermes-image.md":
        # What stands there belongs beside the files of the image.
        boot.services({file.name: file.read_bytes() for file in (ROOT / "etc" / "hermes-init.d").iterdir()})
    for name, text in blocks:
        # As it stands: an @ is part of the name of an instance.
        boot.services({name: text.encode()})
    result = boot.run(["--check", "--files-only", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result


@pytest.mark.plain
def test_every_link_of_the_guides_leads_somewhere():
    for page in PAGES + ["CONTRIBUTING.md", "SECURITY.md", "docs/install.md", "docs/service-files.md", "docs/command-line.md", "docs/diagnostics.md"]:
        text = (ROOT / page).read_text()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert ((ROOT / page).parent / target).exists(), (page, target)
