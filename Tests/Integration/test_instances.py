"""Instances of templates as those who use them see it: an ordinary user makes, starts, stops and removes them while the container
runs, and what was asked for last is so again in the next life."""

import os
import signal

import pytest
from control import OWN_RUN, ask, ask_as, good, path_of, status, until_state, wrong
from harness import AM_ROOT, ORDINARY, until

needs_root = pytest.mark.skipif(not AM_ROOT, reason="other users can be tried by root only")
# As bytes in what follows: an `@` has a meaning in the texts of services.
LIFE = 'command = ["sh", "-c", "echo ${HERMES_INIT_INSTANCE} >> %s/ran; exec sleep 1000"]\n'


def template(boot, *more):
    return "\n".join([LIFE % boot.folder, "[instances]", *more, ""]).encode()


def init(boot, *control):
    (boot.folder / "state").mkdir(exist_ok=True)
    lines = [f'state-directory = "{boot.folder}/state"', "[control]", *control, ""]
    return "\n".join(lines).encode()


def profile(boot, name):
    (boot.folder / "profiles" / name).mkdir(parents=True)
    (boot.folder / "profiles" / name / "SOUL.md").touch()


def start(boot, services=None, before=""):
    (boot.folder / "ran").unlink(missing_ok=True)
    life = boot(["sleep", "1000"], services, before=OWN_RUN + before)
    until(lambda: os.path.exists(path_of(life)), "the control socket is there")
    return life


def ran(boot):
    """Who has written down that it runs, sorted. To be up is to have been executed; that is written later."""
    path = boot.folder / "ran"
    return sorted(path.read_text().split()) if path.exists() else []


def states(life):
    return {line["name"]: line["state"] for line in good(life, "status") if line["name"] != "main"}


def kept(boot):
    path = boot.folder / "state" / "asked"
    return [line for line in path.read_text().splitlines() if line[:3] in ("up ", "dow")] if path.exists() else []


@needs_root
def test_an_ordinary_user_makes_starts_stops_and_removes_them(boot):
    operators = f'operators = [{{ user = "{ORDINARY}", services = ["gateway@*"] }}]'
    life = start(boot, {"init": init(boot, operators), "gateway@.toml": template(boot), "other@.toml": template(boot),
                        "web": b'command = ["sleep", "1000"]\n'})
    operator, stranger = ORDINARY, ORDINARY + 1
    assert ask_as(life, "start gateway@writer gateway@coder", operator)[-1] == {"ok": True}
    assert status(life, "gateway@writer")["state"] == "up" == status(life, "gateway@coder")["state"]
    until(lambda: ran(boot) == ["coder", "writer"], life.said)
    for text in ["start gateway@x", "stop gateway@writer", "remove gateway@writer", "restart gateway@coder"]:
        assert ask_as(life, text, stranger)[-1]["error"] == "refused"
    for text in ["start other@x", "stop web", "start gateway@ok other@x", "reload"]:
        assert ask_as(life, text, operator)[-1]["error"] == "refused"
    # What is refused makes nothing.
    assert set(states(life)) == {"gateway@writer", "gateway@coder", "web"}
    assert ask_as(life, "stop gateway@writer", operator)[-1] == {"ok": True}
    assert status(life, "gateway@writer")["state"] == "stopped"
    assert ask_as(life, "start gateway@writer", operator)[-1] == {"ok": True}
    until(lambda: ran(boot) == ["coder", "writer", "writer"], life.said)
    assert ask_as(life, "logs gateway@writer", operator)[-1]["ok"]
    assert ask_as(life, "remove gateway@writer gateway@coder", operator)[-1] == {"ok": True}
    assert set(states(life)) == {"web"}
    assert wrong(life, "status gateway@writer")["error"] == "unknown-service"
    for text in ["start gateway@", "start gateway@Writer", "start gateway@../x", f"start gateway@{'x' * 64}", "start @x"]:
        assert not ask_as(life, text, operator)[-1]["ok"], text
    assert set(states(life)) == {"web"}


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_what_was_asked_is_so_in_the_next_life(boot, end):
    for name in ("writer", "coder", "idle"):
        profile(boot, name)
    life = start(boot, {
        "init": init(boot), "gateway@.toml": template(boot, f'from = "{boot.folder}/profiles/*/SOUL.md"', "remember = true",
                                                      'default = "down"'),
        "board": b'command = ["sleep", "1000"]\nremember = true\n', "web": b'command = ["sleep", "1000"]\n'})
    until_state(life, "web", "up")
    until_state(life, "board", "up")
    assert states(life) == {"gateway@writer": "idle", "gateway@coder": "idle", "gateway@idle": "idle",
                            "board": "up", "web": "up"}
    good(life, "start gateway@writer gateway@coder gateway@made gateway@gone")
    good(life, "stop gateway@coder board web")
    good(life, "remove gateway@gone")
    expected = ["down board", "down gateway@coder", "up gateway@made", "up gateway@writer"]
    # That it is asked down is kept of a removed one, too: a folder of `from` may name it again.
    until(lambda: sorted(kept(boot)) == sorted([*expected, "down gateway@gone"]), lambda: f"kept: {kept(boot)}")
    assert os.stat(boot.folder / "state" / "asked").st_mode & 0o777 == 0o600
    if end == "killed":
        life.signal(signal.SIGKILL)
        life.wait()
    else:
        assert life.stop().code == 143
    expected = {"gateway@writer": "up", "gateway@made": "up", "gateway@coder": "idle", "gateway@idle": "idle",
                "board": "idle", "web": "up"}
    for _ in range(2):
        life = start(boot)
        until(lambda: states(life) == expected, lambda: f"{states(life)}{life.said()}")
        until(lambda: ran(boot) == ["made", "writer"], life.said)
        life.signal(signal.SIGKILL)
        life.wait()


def test_a_match_that_appears_between_two_reloads_is_an_instance(boot):
    profile(boot, "old")
    life = start(boot, {"init": init(boot),
                        "up@.toml": template(boot, f'from = "{boot.folder}/profiles/*/SOUL.md"'),
                        "down@.toml": template(boot, f'from = "{boot.folder}/profiles/*/SOUL.md"', 'default = "down"')})
    until(lambda: states(life) == {"up@old": "up", "down@old": "idle"}, lambda: states(life))
    profile(boot, "new")
    assert ask(life, "status up@new")[-1]["error"] == "unknown-service"
    summary = good(life, "reload")[0]
    assert sorted(summary["added"]) == ["down@new", "up@new"] and summary["removed"] == summary["restarted"] == []
    expected = {"up@old": "up", "down@old": "idle", "up@new": "up", "down@new": "idle"}
    until(lambda: states(life) == expected, lambda: states(life))
    # Asked up by hand, it goes on for as long as its folder is there.
    good(life, "start down@new")
    assert good(life, "reload")[0] == {"added": [], "removed": [], "restarted": [], "changed": []}
    assert status(life, "down@new")["state"] == "up"
    (boot.folder / "profiles" / "old" / "SOUL.md").unlink()
    assert sorted(good(life, "reload")[0]["removed"]) == ["down@old", "up@old"]
    until(lambda: states(life) == {"up@new": "up", "down@new": "up"}, lambda: states(life))


def test_the_template_itself_comes_and_goes(boot):
    life = start(boot, {"init": init(boot), "web": b'command = ["sleep", "1000"]\n'})
    error = wrong(life, "start gateway@a")
    assert error["error"] == "unknown-service" and "gateway@.toml" in error["hint"]
    boot.services({"gateway@.toml": template(boot, 'names = ["b"]')})
    assert good(life, "reload")[0]["added"] == ["gateway@b"]
    good(life, "start gateway@a")
    assert set(states(life)) == {"gateway@a", "gateway@b", "web"}
    (boot.config / "gateway@.toml").unlink()
    assert sorted(good(life, "reload")[0]["removed"]) == ["gateway@a", "gateway@b"]
    until(lambda: set(states(life)) == {"web"}, lambda: states(life))


def test_a_state_directory_that_cannot_be_written_stops_nobody(boot):
    read_only = f"; mount -t tmpfs none {boot.folder}/state && mount -o remount,ro {boot.folder}/state"
    life = start(boot, {"init": init(boot), "gateway@.toml": template(boot, "remember = true")}, before=read_only)
    good(life, "start gateway@a")
    good(life, "stop gateway@a")
    good(life, "remove gateway@a")
    assert life.stop().err.count("Read-only file system") == 1


def test_what_is_asked_while_many_ask_is_all_kept(boot):
    life = start(boot, {"init": init(boot), "gateway@.toml": template(boot, "remember = true")})
    names = [f"gateway@n{number}" for number in range(60)]
    good(life, "start " + " ".join(names[:30]))
    for name in names[30:]:
        good(life, f"start {name} --no-wait")
    for name in names[::2]:
        good(life, f"stop {name} --no-wait")
    expected = sorted([f"down {name}" for name in names[::2]] + [f"up {name}" for name in names[1::2]])
    until(lambda: sorted(kept(boot)) == expected, lambda: kept(boot))
    life.stop()
