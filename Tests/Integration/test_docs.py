"""The service files that the guides show are right: written out under the names that they have there, they pass --check."""

import re

import pytest
from harness import ROOT

PAGES = [
    "README.md", "docs/migrating.md", "docs/hermes-image.md", "docs/supervision.md", "docs/execution.md", "docs/logs.md",
    "docs/stages.md", "docs/control.md",
]
BLOCK = re.compile(r"^```toml name=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.plain
@pytest.mark.parametrize("page", PAGES)
def test_the_service_files_of_a_guide_pass_check(boot, page):
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks
    for name, text in blocks:
        # A drop-in needs the file that it is laid over.
        if ".d/" in name:
            service = name.split(".d/")[0] + ".toml"
            blocks_of_image = (ROOT / "etc" / "hermes-init.d" / service).read_text()
            boot.services({service: blocks_of_image})
        # As it stands: an @ is part of the name of an instance.
        boot.services({name: text.encode()})
    result = boot.run(["--check", "--files-only", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result


@pytest.mark.plain
def test_every_link_of_the_guides_leads_somewhere():
    for page in PAGES + ["CONTRIBUTING.md", "docs/service-files.md", "docs/command-line.md", "docs/diagnostics.md"]:
        text = (ROOT / page).read_text()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert ((ROOT / page).parent / target).exists(), (page, target)
