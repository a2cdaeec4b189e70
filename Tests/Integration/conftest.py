import os
import shutil
import signal
import tempfile
from pathlib import Path

import harness
import pytest
import servers

# A shell without job control starts what is in the background with these ignored, and the init would pass that on.
for number, usual in (signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


def pytest_report_header():
    return f"hermes-init: {harness.BINARY}"


def pytest_collection_modifyitems(items):
    for name, holds, why in (("native", harness.EMULATED, "not under an emulator"), ("release", harness.IS_DEBUG, "not of the debug build")):
        for item in items if holds else ():
            for marker in item.iter_markers(name):
                item.add_marker(pytest.mark.skip(reason=f"{why}: {marker.args[0]}"))
    if harness.can_unshare():
        return
    skip = pytest.mark.skip(reason="PID namespaces are forbidden on this machine")
    for item in items:
        if "plain" not in item.keywords:
            item.add_marker(skip)


def pytest_configure(config):
    config.addinivalue_line("markers", "plain: needs no PID namespace")
    config.addinivalue_line("markers", "native(reason): cannot be seen through an emulator (scripts/emulate), and why not")
    config.addinivalue_line("markers", "release(reason): cannot be seen of the debug build, and why not")
    if not os.access(harness.BINARY, os.X_OK):
        raise pytest.UsageError(f"{harness.BINARY} is not there: run make release first")


@pytest.fixture
def boot():
    """Boots the init with services in a folder of the test's own, which every user can reach; ends it with the test."""
    folder = Path(tempfile.mkdtemp(prefix="hermes-init-test-", dir="/tmp"))
    lives = harness.Boot(folder)
    yield lives
    lives.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server():
    """Makes servers that end with the test: server(servers.Web, …)."""
    made = []

    def make(kind=servers.Web, *words, **how):
        made.append(kind(*words, **how))
        return made[-1]

    yield make
    for each in made:
        each.close()


def peer_fixture(name):
    """The binary under that name: ours, or with HERMES_INIT_COMPAT=peer the machine's own, which proves the tests right."""

    @pytest.fixture
    def binary(tmp_path_factory):
        if os.environ.get("HERMES_INIT_COMPAT") == "peer":
            path = shutil.which(name)
            if path is None:
                pytest.skip(f"{name} is not installed")
            return path
        link = tmp_path_factory.mktemp("names") / name
        link.symlink_to(harness.BINARY)
        return str(link)

    return binary


tini = peer_fixture("tini")
dumb_init = peer_fixture("dumb-init")
