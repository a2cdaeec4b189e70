"""Signals on their way to the main program where many come at once, or in the middle of something else: in a burst, in the
stop, while the main program is replaced, and when the rules for them change."""

import signal
import sys
from pathlib import Path

import pytest
from harness import REAL_TIME, status, until
from test_reload import begun, reload

SIGNALS = str(Path(__file__).with_name("signals.py"))
WEB = {"web": 'command = ["sleep", "1000"]\n'}


def got(life):
    """The signals that the main program told of, in their order."""
    return [int(word) for line in life.stdout().splitlines() for word in [line.split()[-1]] if not line.startswith("ready")]


def at_once(life, *numbers):
    """Sends them so that the init finds all of them at the same time."""
    life.signal(signal.SIGSTOP)
    until(lambda: status(life.pid)["State"].startswith("T"), "the init stands still")
    for number in numbers:
        life.signal(number)
    life.signal(signal.SIGCONT)


@pytest.mark.skipif(not REAL_TIME, reason="an emulator gives real-time signals other numbers")
@pytest.mark.parametrize("services", [{}, WEB])
def test_every_real_time_signal_of_a_burst_arrives_in_order(boot, services):
    life = boot([sys.executable, SIGNALS], services)
    life.until_out("ready")
    # More than one read of them, from the last to the first.
    numbers = [number for number in range(64, 40, -1) for _ in range(5)]
    at_once(life, *numbers)
    # The kernel gives the lowest number first, so that they are in order all the way.
    expected = sorted([*numbers, signal.SIGCONT])
    life.until(lambda: len(got(life)) >= len(expected), lambda: f"all of {len(expected)}, not {len(got(life))}")
    assert got(life) == expected


@pytest.mark.parametrize("services", [{}, WEB])
def test_a_burst_of_all_kinds_arrives_and_a_stop_in_it_stops(boot, services):
    life = boot([sys.executable, SIGNALS], services)
    life.until_out("ready")
    at_once(life, signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGALRM)
    wanted = {1, 12, 14, 15, 18, 28}
    life.until(lambda: set(got(life)) == wanted, lambda: f"{wanted}, not {got(life)}")
    if services:
        life.until_err("stopping (SIGTERM)")
    # In the stop too.
    for count in (1, 2, 3):
        life.signal(signal.SIGUSR1)
        life.until(lambda: got(life).count(10) == count, f"SIGUSR1 came {count} times")
    assert life.wait().code == 3


def test_a_main_program_that_is_replaced_hears_what_comes_after(boot):
    main = f'type = "main"\ncommand = ["{sys.executable}", "{SIGNALS}", "once"]\n'
    life = boot(services={"main": main + '[restart]\npolicy = "always"\ndelay = "0s"\nlimit = 100\n', **WEB})
    for count in range(1, 9):
        life.until_out("ready", count)
        # The first one ends it; the second finds it ending, gone, or not there yet.
        life.signal(signal.SIGUSR2)
        life.signal(signal.SIGHUP)
        life.until(lambda: life.stdout().count("ready") > count, "it was started again")
    assert len(got(life)) <= 16
    life.signal(signal.SIGWINCH)
    life.until(lambda: 28 in got(life), "SIGWINCH came")


def test_a_changed_rule_holds_from_the_reload_on(boot):
    life = begun(boot, [sys.executable, SIGNALS], WEB)
    life.until_out("ready")
    life.signal(signal.SIGUSR2)
    life.until(lambda: got(life) == [12], "SIGUSR2 came")
    boot.services({"init": '[signals]\nSIGUSR2 = "ignore"\nSIGHUP = "SIGWINCH"\n'})
    reload(life)
    life.signal(signal.SIGUSR2)
    life.signal(signal.SIGHUP)
    life.until(lambda: got(life) == [12, 28], lambda: f"SIGWINCH came and SIGUSR2 did not: {got(life)}")
    boot.services({"init": ""})
    reload(life)
    life.signal(signal.SIGUSR2)
    life.until(lambda: got(life) == [12, 28, 12], "SIGUSR2 came")


@pytest.mark.release("the debug build gives no pages back")
@pytest.mark.native("the emulator's pages are its own")
def test_forwarding_touches_no_page_that_was_given_back(boot):
    def faults():
        return int(Path(f"/proc/{life.pid}/stat").read_text().rpartition(")")[2].split()[7])

    def arrives():
        before, count = faults(), len(got(life))
        life.signal(signal.SIGWINCH)
        life.until(lambda: len(got(life)) > count, "SIGWINCH came")
        return faults() == before

    life = boot([sys.executable, SIGNALS])
    life.until_out("ready")
    # Not the first time, perhaps: it rests a moment after the main program has started.
    life.until(arrives, "a signal is forwarded without a page fault")
