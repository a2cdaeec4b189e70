"""make install: the file, the manual pages and the completions, each where it is looked for; and pages without a mistake."""

import os
import shutil
import subprocess

import pytest
from harness import BINARY, ROOT

pytestmark = pytest.mark.plain
PAGES = ["man/hermes-init.8", "man/hermes-init.d.5"]


def test_make_install(boot):
    target = boot.folder / "target"
    result = subprocess.run(["make", "--no-print-directory", "install", f"DESTDIR={target}", "PREFIX=/usr"], cwd=ROOT,
                            env=os.environ | {"BINARY": str(BINARY)}, capture_output=True, text=True)
    assert result.returncode == 0, result
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == [
        "usr/bin/hermes-init", "usr/share/bash-completion/completions/hermes-init",
        "usr/share/fish/vendor_completions.d/hermes-init.fish", "usr/share/man/man5/hermes-init.d.5",
        "usr/share/man/man8/hermes-init.8", "usr/share/zsh/site-functions/_hermes-init",
    ]
    assert os.access(target / "usr/bin/hermes-init", os.X_OK)
    assert all((target / path).stat().st_size > 100 for path in found)


@pytest.mark.parametrize("page", PAGES)
def test_a_manual_page_has_no_mistakes(page):
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / page], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    text = subprocess.run(["mandoc", "-T", "utf8", ROOT / page], capture_output=True, text=True, check=True).stdout
    assert "EXAMPLES" in text or "E\bEX" in text
