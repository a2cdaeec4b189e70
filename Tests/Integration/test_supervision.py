"""What is kept running, and how often."""

import os
import signal
import time

import pytest
from harness import status, until


def lines(boot, name):
    path = boot.folder / name
    return path.read_text().split() if path.exists() else []


COUNT = "script = 'echo $$ >> @/starts; {0}'\n"
QUICK = '[restart]\ndelay = "20ms"\nmax-delay = "40ms"\n'


def test_a_killed_service_comes_back_as_a_new_process(boot):
    life = boot(["sleep", "1000"], {"web": COUNT.format("exec sleep 1000") + QUICK})
    life.until(lambda: len(lines(boot, "starts")) == 1, "it is up")
    first = lines(boot, "starts")[0]
    os.kill(life.inside(first), signal.SIGKILL)
    life.until(lambda: len(lines(boot, "starts")) == 2, "it came back")
    assert lines(boot, "starts")[1] != first
    assert "web" in life.stderr() and "SIGKILL" in life.stderr(), life.said()


def test_one_that_dies_at_once_for_ever_harms_nobody(boot):
    services = {
        "dies": COUNT.format("exit 1") + QUICK,
        "missing": 'command = ["/no/such/program"]\n' + QUICK,
        "web": "script = 'echo $$ >> @/web; exec sleep 1000'\n",
    }
    wait = f"until [ $(wc -l < {boot.folder}/starts) -ge 10 ]; do sleep 0.02; done; exit 8"
    result = boot(["sh", "-c", wait], services).wait()
    assert result.code == 8 and len(lines(boot, "web")) == 1, result
    assert "dies" in result.err, result


@pytest.mark.parametrize("policy, code, starts", [
    ("never", 0, 1), ("never", 1, 1), ("on-failure", 0, 1), ("on-failure", 1, 3), ("always", 0, 3), ("always", 1, 3),
])
def test_the_policy_decides(boot, policy, code, starts):
    service = COUNT.format(f"exit {code}") + QUICK + f'policy = "{policy}"\nlimit = 3\n'
    boot(["sleep", "0.6"], {"web": service}).wait()
    assert len(lines(boot, "starts")) == starts


@pytest.mark.parametrize("setting, code, starts", [
    ('success-codes = [0, 3]\npolicy = "on-failure"', 3, 1),
    ('success-codes = ["SIGKILL"]\npolicy = "on-failure"', "kill", 1),
    ("never-after = [78]", 78, 1), ("never-after = [78]", 77, 3), ('never-after = ["SIGKILL"]', "kill", 1),
])
def test_codes_decide(boot, setting, code, starts):
    end = "kill -KILL $$" if code == "kill" else f"exit {code}"
    boot(["sleep", "0.6"], {"web": COUNT.format(end) + QUICK + setting + "\nlimit = 3\n"}).wait()
    assert len(lines(boot, "starts")) == starts


def test_past_its_limit_it_has_failed_and_that_is_said(boot):
    life = boot(["sleep", "1000"], {"web": COUNT.format("exit 5") + QUICK + "limit = 4\n"})
    life.until(lambda: len(lines(boot, "starts")) == 4, "four starts")
    life.until(lambda: "web" in life.stderr() and "limit" in life.stderr() or "failed" in life.stderr(), "it says so")
    assert life.stop().code == 143
    assert len(lines(boot, "starts")) == 4


def test_the_wait_grows(boot):
    life = boot(["sleep", "1000"], {
        "web": "script = 'date +%s%N >> @/starts; exit 1'\n[restart]\ndelay = \"50ms\"\nfactor = 3\njitter = 0\n"})
    life.until(lambda: len(lines(boot, "starts")) == 5, "five starts")
    moments = [int(word) for word in lines(boot, "starts")]
    waits = [(after - before) / 1e6 for before, after in zip(moments, moments[1:])]
    # 50, 150, 450, 1350 ms, and whatever a busy machine adds.
    for wait, least in zip(waits, (50, 150, 450, 1350)):
        assert wait >= least - 5, waits
    assert waits[0] < 1350


def test_a_restart_does_not_disturb_what_requires_it(boot):
    services = {
        "base": COUNT.format("exec sleep 1000") + QUICK,
        "top": "requires = [\"base\"]\nscript = 'echo $$ >> @/top; exec sleep 1000'\n",
    }
    life = boot(["sleep", "1000"], services)
    life.until(lambda: lines(boot, "top"), "all is up")
    os.kill(life.inside(lines(boot, "starts")[0]), signal.SIGKILL)
    life.until(lambda: len(lines(boot, "starts")) == 2, "base came back")
    assert life.stop().code == 143
    assert len(lines(boot, "top")) == 1


def test_a_command_that_appears_later_is_not_waited_for_by_others(boot):
    services = {"bad": 'command = ["no-such-program"]\n', "good": COUNT.format("exec sleep 1000")}
    wait = f"until [ -s {boot.folder}/starts ]; do sleep 0.02; done; exit 3"
    result = boot(["sh", "-c", wait], services).wait()
    assert result.code == 3 and "bad" in result.err and "no-such-program" in result.err, result


def test_nothing_wakes_it_while_nothing_happens(boot):
    services = {f"s{n}": COUNT.format("exec sleep 1000") for n in range(10)}
    services["crashed"] = "script = 'exit 1'\n[restart]\npolicy = \"never\"\n"
    life = boot(["sleep", "1000"], services)
    life.until(lambda: len(lines(boot, "starts")) == 10, "all are up")

    def switches():
        table = status(life.pid)
        return int(table["voluntary_ctxt_switches"]), int(table["nonvoluntary_ctxt_switches"])

    # The last of the boot is done when a while passes without a wake-up; then there is none at all.
    def quiet():
        before = switches()
        time.sleep(0.3)
        return switches() == before

    until(quiet, "the boot is done")
    before = switches()
    time.sleep(3)
    assert switches() == before
