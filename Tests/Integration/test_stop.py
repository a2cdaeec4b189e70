"""How a life ends: in reverse, told, waited for, and in the end whatever happens."""

import os
import signal

import pytest
from harness import alive, signal_set, status, until

# Says when it was told; ends at once.
OBEYS = "script = '''trap 'echo {0} >> @/order; exit 0' TERM; touch @/up-{0}; while :; do sleep 0.02; done'''\n"
IGNORES = "script = '''trap 'echo {0} >> @/order' TERM; touch @/up-{0}; while :; do sleep 0.02; done'''\n"
MAIN = "trap 'echo main >> {0}/order; exit 7' TERM; touch {0}/up-main; while :; do sleep 0.02; done"
# A ceiling beyond the deadline of each wait: that the wait ends shows that something else ended it.
BEYOND = 'shutdown-timeout = "1h"\n'


def order(boot):
    path = boot.folder / "order"
    return path.read_text().split() if path.exists() else []


def start(boot, services, **how):
    """Services and a main program that says when it is told to stop, all up."""
    life = boot(["sh", "-c", MAIN.format(boot.folder)], services, **how)
    names = [name for name, text in services.items() if "touch @/up-" in text] + ["main"]
    life.until(lambda: all((boot.folder / f"up-{name}").exists() for name in names), "all is up")
    return life


def send(life, number):
    """Sends a signal and waits until it was taken, so that the next one is not merged with it."""
    pid = life.pid
    life.signal(number)
    until(lambda: number not in signal_set(status(pid).get("ShdPnd", "0")), "the signal was taken")


def test_the_stop_is_the_exact_reverse(boot):
    services = {"a": OBEYS.format("a"), "b": 'requires = ["a"]\n' + OBEYS.format("b"),
                "c": 'requires = ["b"]\n' + OBEYS.format("c")}
    assert start(boot, services).stop().code == 7
    assert order(boot) == ["main", "c", "b", "a"]


def test_the_end_of_the_program_stops_the_services(boot):
    wait = "until [ -e {0}/up-a ] && [ -e {0}/up-b ]; do sleep 0.02; done; exit 12".format(boot.folder)
    result = boot(["sh", "-c", wait], {"a": OBEYS.format("a"), "b": 'requires = ["a"]\n' + OBEYS.format("b")}).wait()
    assert result.code == 12 and order(boot) == ["b", "a"], result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_and_sigquit_stop_too(boot, number):
    life = boot(["sh", "-c", f"touch {boot.folder}/up-main; exec sleep 1000"], {"a": OBEYS.format("a")})
    life.until(lambda: (boot.folder / "up-a").exists() and (boot.folder / "up-main").exists(), "all is up")
    life.signal(number)
    assert life.wait().code == 128 + number
    assert order(boot) == ["a"]


def test_a_service_that_ignores_sigterm_is_killed_at_its_timeout(boot):
    services = {"deaf": IGNORES.format("deaf") + '[stop]\ntimeout = "300ms"\n', "good": OBEYS.format("good"),
                "init": BEYOND}
    life = start(boot, services)
    result = life.stop()
    assert result.code == 7 and sorted(order(boot)) == ["deaf", "good", "main"], result
    assert "deaf" in result.err and "kill" in result.err.lower(), result


def test_the_stop_signal_can_be_another(boot):
    service = "script = '''trap 'echo hup > @/order; exit 0' HUP; touch @/up-web; while :; do sleep 0.02; done'''\n"
    assert start(boot, {"web": service + '[stop]\nsignal = "SIGHUP"\n'}).stop().code == 7
    assert "hup" in order(boot)


def test_the_stop_command_is_run_first(boot):
    service = OBEYS.format("signal") .replace("up-signal", "up-web")
    service += '[stop]\ncommand = ["sh", "-c", "echo command-$HERMES_INIT_SERVICE >> @/order"]\n'
    assert start(boot, {"web": service}).stop().code == 7
    assert order(boot)[1:] == ["command-web", "signal"]


def test_a_stop_command_that_hangs_does_not_hang_the_stop(boot):
    service = OBEYS.format("web") + '[stop]\ntimeout = "300ms"\ncommand = ["sleep", "1000"]\n'
    assert start(boot, {"web": service, "init": BEYOND}).stop().code == 7


def test_the_whole_stop_ends_at_the_shutdown_timeout(boot):
    services = {"deaf": IGNORES.format("deaf") + '[stop]\ntimeout = "1h"\n',
                "init": 'shutdown-timeout = "500ms"\n'}
    life = start(boot, services)
    result = life.stop()
    assert result.code == 7, result


def test_a_main_program_that_ignores_sigterm_is_killed(boot):
    life = boot(["sh", "-c", f"trap '' TERM; touch {boot.folder}/up; while :; do sleep 0.02; done"],
                {"init": 'shutdown-timeout = "500ms"\n'})
    life.until((boot.folder / "up").exists, "it is up")
    assert life.stop().code == 137


def test_a_second_sigterm_changes_nothing_a_third_ends_it(boot):
    services = {"deaf": IGNORES.format("deaf") + '[stop]\ntimeout = "1h"\n', "init": BEYOND}
    life = start(boot, services)
    send(life, signal.SIGTERM)
    life.until(lambda: "deaf" in order(boot), "the service was told")
    send(life, signal.SIGTERM)
    # Both were taken, and it waits for the service all the same.
    assert life.process.poll() is None
    # The ceiling is far beyond the deadline of this wait.
    life.signal(signal.SIGTERM)
    assert life.wait().code == 7


def test_what_is_left_of_a_services_group_is_killed_with_it(boot):
    service = "script = '''(trap \"\" TERM; echo 1 > @/up-web; exec sleep 1000) & echo $! > @/child; " \
              "trap 'exit 0' TERM; while :; do sleep 0.02; done'''\n"
    life = start(boot, {"web": service.replace("touch", "touch")}, how="plain")
    child = int(life.until(lambda: (boot.folder / "child").exists() and (boot.folder / "child").read_text(), "child").strip())
    life.until((boot.folder / "up-web").exists, "the child ignores SIGTERM")
    assert life.stop().code == 7
    assert not alive(child)


@pytest.mark.parametrize("how", ["pid1", pytest.param("plain", marks=pytest.mark.native("qemu-user makes no process a subreaper"))])
def test_what_has_left_its_group_gets_sigterm_and_then_sigkill(boot, how):
    obeys = f"trap 'echo told > {boot.folder}/told; exit 0' TERM; touch {boot.folder}/obeys; while :; do sleep 0.02; done"
    ignores = f"trap '' TERM; echo $$ > {boot.folder}/ignores; while :; do sleep 0.02; done"
    script = (f"setsid sh -c \"$OBEYS\" & setsid sh -c \"$IGNORES\" & "
              f"until [ -e {boot.folder}/obeys ] && [ -s {boot.folder}/ignores ]; do sleep 0.02; done; exit 6")
    life = boot(["sh", "-c", script], env=dict(os.environ, OBEYS=obeys, IGNORES=ignores), how=how)
    # The orphans are taken for nobody's until the end.
    pid = None
    if how == "plain":
        life.until(lambda: (boot.folder / "ignores").exists() and (boot.folder / "ignores").read_text().strip(), "up")
        pid = int((boot.folder / "ignores").read_text())
    result = life.wait()
    assert result.code == 6 and (boot.folder / "told").exists(), result
    if pid:
        assert not alive(pid)


def test_a_service_that_is_waiting_to_be_restarted_does_not_hold_the_stop(boot):
    services = {"web": "script = 'touch @/died; exit 1'\n[restart]\ndelay = \"1h\"\nmax-delay = \"1h\"\n", "init": BEYOND}
    life = boot(["sh", "-c", MAIN.format(boot.folder)], services)
    life.until(lambda: (boot.folder / "died").exists() and (boot.folder / "up-main").exists(), "all is up")
    assert life.stop().code == 7


def test_nothing_is_restarted_once_the_stop_has_begun(boot):
    service = "script = '''echo $$ >> @/starts; trap 'exit 1' TERM; touch @/up-web; while :; do sleep 0.02; done'''\n"
    assert start(boot, {"web": service + '[restart]\ndelay = "0s"\n'}).stop().code == 7
    assert len((boot.folder / "starts").read_text().split()) == 1
