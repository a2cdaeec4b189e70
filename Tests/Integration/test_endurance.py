"""That nothing is kept of a restart. `make endurance` does it with a hundred thousand of them, and with a year of simulated time;
what it takes for growth is shown here."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Endurance"))
import endurance  # noqa: E402

# In KiB: of 2,000 restarts, 32 bytes of each.
ALLOWED = 64


def memory(life):
    text = Path(f"/proc/{life.pid}/smaps_rollup").read_text()
    return {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}["Rss:"]


@pytest.mark.native("the memory of the emulator grows with what it translates")
def test_memory_and_descriptors_do_not_grow_with_the_number_of_restarts(boot):
    policy = "[restart]\ndelay = 0\nmax-delay = 0\n"
    services = {f"dies{number}": 'command = ["/bin/true"]\n' + policy for number in range(4)}
    with open(os.devnull, "wb") as nothing:
        life = boot(services=services, options=["--"], stdout=nothing, stderr=nothing)

    def lived(starts):
        # Nobody but the services takes process IDs in the namespace.
        life.until(lambda: int(life.enter(["cat", "/proc/sys/kernel/ns_last_pid"]).out) >= starts, f"{starts} starts")
        return memory(life), life.descriptors()

    # By then tables and queues have the size that they will have.
    before, descriptors = lived(1_500)
    after, descriptors_after = lived(3_500)
    # A start that is under way has a pipe of its own.
    assert after <= before + ALLOWED and abs(descriptors_after - descriptors) <= 8, (before, after, descriptors, descriptors_after)
    assert life.stop().code == 0


def year(memory=lambda day: 0, descriptors=lambda day: 342):
    """A year as it was seen: rings fill up, and then it is always the same, but for a moment's need now and then."""
    written = {day: 9064 - max(0, 60 - day) * 60 + (36 if day % 50 == 7 else 0) + int(memory(day)) for day in range(1, 366)}
    return [(day, day * 8_900, written[day] + 692, written[day], descriptors(day)) for day in written]


@pytest.mark.plain
@pytest.mark.parametrize(("samples", "grew"), [
    (year(), []),
    # It may lie otherwise in its pages than in spring.
    (year(lambda day: 8 if day > 200 else 0), []),
    # A byte for each of three million starts, and one for every hundred.
    (year(lambda day: day * 8_900 / 1024), ["memory", "what of memory is written"]),
    (year(lambda day: day * 8_900 / 100 / 1024), ["what of memory is written"]),
    # A moment's need in spring hides nothing.
    (year(lambda day: 4_000 if day == 30 else day * 8_900 / 20 / 1024), ["what of memory is written"]),
    # What comes once, late, and stays.
    (year(lambda day: 100 if day > 300 else 0), ["memory", "what of memory is written"]),
    # A start that is under way has a pipe of its own. One that is kept is found, and so are a hundred on one day.
    (year(descriptors=lambda day: 343 if day % 90 == 80 else 342), []),
    (year(descriptors=lambda day: 342 + day // 250), ["the open descriptors"]),
    (year(descriptors=lambda day: 442 if day == 300 else 342), ["the open descriptors"]),
], ids=["none", "moved", "each", "hundredth", "spike", "once", "start", "one", "hundred"])
def test_what_is_taken_for_growth(samples, grew):
    assert [problem.split(" grew ")[0] for problem in endurance.judge(samples, 0.25)[1]] == grew
