"""The judge of the stress test sees what it is there for: each rule broken once, by hand."""

import judge
import pytest
from plan import Plan, make


PLANS = [
    Plan("a", delay=0.1, factor=2, most=1, jitter=0.1), Plan("b", requires=["g"]), Plan("g", type="group", requires=["a"]),
    Plan("o", type="oneshot", optional=True), Plan("c", requires=["o"]),
]
GOOD = ["a: up", "b: up", "o: failed: exited with code 1; it is optional, so the others go on", "c: up (ready after 3 ms)",
        "a: exited with code 1 after 3 ms; starting it again in 95 ms", "a: up",
        "a: was ended by SIGSEGV after 3 ms; starting it again in 210 ms (2nd quick death in a row)", "a: up",
        "stopping (SIGTERM)"]


def test_a_good_life_passes():
    assert judge.log(PLANS, GOOD) == []


@pytest.mark.parametrize("lines, word", [
    (GOOD[1:], "before g"),
    (["a: up", "c: up"], "before o"),
    (["a: up", "a: up"], "up twice"),
    (["a: exited with code 1 after 3 ms; starting it again in 85 ms"], "a wait of"),
    (["a: exited with code 1 after 3 ms; starting it again in 115 ms"], "a wait of"),
    (["a: exited with code 1 after 3 ms; starting it again at once"], "a wait of"),
    (["a: exited with code 1 after 3 ms; starting it again in 1.1 s (9th quick death in a row)"], "a wait of"),
    (["a: failed: exited with code 1"], "gave up"),
    ([*GOOD, "a: exited with code 1 after 3 ms; starting it again in 95 ms"], "during the stop"),
])
def test_a_broken_rule_is_seen(lines, word):
    assert any(word in line for line in judge.log(PLANS, lines))


def test_starts():
    assert judge.starts(PLANS, ["a 1 100 -", "a 2 110 101", "o 1 100 -"]) == []
    assert judge.starts(PLANS, ["a 2 107 101"]) != []
    assert judge.starts(PLANS, ["o 2 107 -"]) != []


def test_system_calls():
    assert judge.system_calls(["epoll_wait(3, [], 64, -1) = 0", "<... read resumed>) = 1", "--- SIGCHLD ---"]) == []
    assert judge.system_calls(["nanosleep({tv_sec=1}, NULL) = 0"]) != []


def test_a_seed_gives_the_same_services():
    one, two = (["".join(plan.toml("/x", 1) + plan.work()) for plan in make(7, 50)] for _ in range(2))
    assert one == two
