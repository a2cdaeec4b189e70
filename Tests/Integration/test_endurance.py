"""That nothing is kept of a restart. `make endurance` does it with a hundred thousand of them, and with a year of simulated time."""

import os
from pathlib import Path

import pytest

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
