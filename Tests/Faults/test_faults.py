"""The quick part of the faults, for make test, and that docs/reliability.md tells of each. `make faults` tries all of them."""

import faults
import pytest
from harness import ROOT, can_unshare

TRACES = faults.can_trace()


@pytest.mark.parametrize("name, attempt", list(faults.all_faults(quick=True)), ids=lambda part: part if isinstance(part, str) else "")
def test_fault(name, attempt):
    if not can_unshare():
        pytest.skip("PID namespaces are forbidden on this machine")
    if not TRACES and not name.startswith("real/"):
        pytest.skip("strace is missing, or may not be attached to a process here")
    try:
        attempt()
    except faults.Skipped as reason:
        pytest.skip(str(reason))


def test_the_page_has_the_table():
    page = faults.PAGE.read_text()
    assert faults.with_table(page) == page, "run Tests/Faults/faults.py --write"


def test_the_wall_clock_is_asked_for_time_stamps_only():
    """docs/reliability.md, Clocks: a step of it moves no deadline. Who asks it in another place has to think of that, and say so."""
    stamps = {"ControlStreams.swift", "ControlMetrics.swift", "ControlStatus.swift", "OutputStream.swift", "logs.c", "CSystemLogs.h"}
    # tree.c asks the clock that file systems stamp files with, for a stage's own lock.
    clocks = {"logs.c", "CSystemLogs.h", "tree.c", "tree.h"}
    sources = [path for path in (ROOT / "Sources").rglob("*.*") if path.suffix in (".swift", ".c", ".h")]
    assert {path.name for path in sources if "hi_realtime_milliseconds" in path.read_text()} == stamps
    assert {path.name for path in sources if "CLOCK_REALTIME" in path.read_text()} == clocks
    for path in sources:
        assert not any(word in path.read_text() for word in ("gettimeofday", "CLOCK_BOOTTIME", "time(NULL)", "time(0)")), path
