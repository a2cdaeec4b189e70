"""What starts, when, and what happens when it cannot."""

import os
import re
import signal
import subprocess

import pytest
from harness import AM_ROOT


def order(boot, name="order"):
    path = boot.folder / name
    return path.read_text().split() if path.exists() else []


def oneshot(word, *lines):
    return "\n".join(['type = "oneshot"', f"script = 'echo {word} >> @/order'", *lines]) + "\n"


def test_a_chain_starts_in_order(boot):
    services = {"s0": oneshot("0")}
    for number in range(1, 20):
        services[f"s{number}"] = oneshot(number, f'requires = ["s{number - 1}"]')
    result = boot(["sh", "-c", "exit 3"], services).wait()
    assert result.code == 3 and order(boot) == [str(n) for n in range(20)], result


def test_the_program_starts_after_every_oneshot(boot):
    services = {"slow": "type = \"oneshot\"\nscript = 'sleep 0.3; echo slow >> @/order'\n"}
    boot(["sh", "-c", f"echo main >> {boot.folder}/order"], services).wait()
    assert order(boot) == ["slow", "main"]


def test_independent_services_start_side_by_side(boot):
    # Each waits for the other: one after the other they would never end.
    meet = "type = \"oneshot\"\nscript = 'touch @/%s; until [ -e @/%s ]; do sleep 0.02; done'\n"
    result = boot(["true"], {"a": meet % ("a", "b"), "b": meet % ("b", "a")}).wait()
    assert result.code == 0, result


def test_after_and_before_order_without_requiring(boot):
    services = {
        "one": oneshot("one", 'after = ["two", "absent"]'),
        "two": "type = \"oneshot\"\nscript = 'sleep 0.1; echo two >> @/order'\n",
        "zero": "type = \"oneshot\"\nbefore = [\"two\"]\nscript = 'sleep 0.1; echo zero >> @/order'\n",
    }
    services["one"] = services["one"].replace(', "absent"', "")
    boot(["true"], services).wait()
    assert order(boot) == ["zero", "two", "one"]


def test_a_service_that_is_not_autostarted_starts_only_where_it_is_required(boot):
    services = {
        "needed": oneshot("needed", "autostart = false"),
        "unneeded": oneshot("unneeded", "autostart = false"),
        "asks": oneshot("asks", 'requires = ["needed"]'),
    }
    boot(["true"], services).wait()
    assert order(boot) == ["needed", "asks"]


def test_a_group_is_up_when_its_members_are(boot):
    services = {
        "one": oneshot("one"), "two": oneshot("two"),
        "both": 'type = "group"\nrequires = ["one", "two"]\n',
        "last": oneshot("last", 'requires = ["both"]'),
    }
    boot(["true"], services).wait()
    assert sorted(order(boot)[:2]) == ["one", "two"] and order(boot)[2:] == ["last"]


def test_a_required_oneshot_that_fails_ends_the_boot_with_its_code(boot):
    services = {
        "bad": "type = \"oneshot\"\nscript = 'echo why >&2; exit 23'\n",
        "next": oneshot("next", 'requires = ["bad"]'),
        "web": "script = 'exec sleep 1000'\n",
    }
    result = boot(["touch", str(boot.folder / "main")], services).wait()
    assert result.code == 23 and order(boot) == [] and not (boot.folder / "main").exists(), result
    assert "bad" in result.err and "23" in result.err, result


def test_an_optional_oneshot_that_fails_counts_as_done(boot):
    services = {
        "bad": 'type = "oneshot"\noptional = true\ncommand = ["false"]\n',
        "next": oneshot("next", 'requires = ["bad"]'),
    }
    result = boot(["sh", "-c", "exit 4"], services).wait()
    assert result.code == 4 and order(boot) == ["next"] and "bad" in result.err, result


def test_wants_goes_on_where_requires_would_not(boot):
    services = {
        "bad": 'command = ["/no/such"]\n',
        "next": oneshot("next", 'wants = ["bad"]'),
    }
    result = boot(["sh", "-c", "exit 4"], services).wait()
    assert result.code == 4 and order(boot) == ["next"], result


def test_the_end_of_an_essential_service_is_the_end_of_the_container(boot):
    services = {"vital": "essential = true\nscript = 'sleep 0.2; exit 31'\n[restart]\npolicy = \"never\"\n"}
    assert boot(["sleep", "1000"], services).wait().code == 31


CONDITIONS = [
    ('env = ["FLAG"]', {"FLAG": "1"}, True), ('env = ["FLAG"]', {"FLAG": "yes"}, True),
    ('env = ["FLAG"]', {"FLAG": "TRUE"}, True), ('env = ["FLAG"]', {"FLAG": "on"}, True),
    ('env = ["FLAG"]', {"FLAG": "0"}, False), ('env = ["FLAG"]', {"FLAG": ""}, False), ('env = ["FLAG"]', {}, False),
    ('env = ["FLAG", "OTHER"]', {"FLAG": "1"}, False),
    ('env-set = "FLAG"', {"FLAG": "0"}, True), ('env-set = ["FLAG"]', {"FLAG": ""}, False), ('env-set = "FLAG"', {}, False),
    ('env-unset = ["FLAG"]', {}, True), ('env-unset = ["FLAG"]', {"FLAG": "x"}, False),
    ('env-equals = { FLAG = "x" }', {"FLAG": "x"}, True), ('env-equals = { FLAG = "x" }', {"FLAG": "y"}, False),
    ('path-exists = ["/proc/self"]', {}, True), ('path-exists = ["/no/such"]', {}, False),
    ('path-missing = ["/no/such"]', {}, True), ('path-missing = ["/"]', {}, False),
    ("tty = false", {}, True), ("tty = true", {}, False),
    ("root = true", {}, True), ("root = false", {}, False),
    ('main = [["sh", "-c"]]', {}, True), ('main = [["true"], ["sh"]]', {}, True), ('main = ["sh"]', {}, True),
    ('main = [["bash"]]', {}, False),
    ('env = ["FLAG"]\npath-exists = ["/no/such"]', {"FLAG": "1"}, False),
]


@pytest.mark.parametrize("condition, env, holds", CONDITIONS)
def test_a_service_is_skipped_where_a_condition_does_not_hold(boot, condition, env, holds):
    services = {
        "maybe": oneshot("maybe", "[when]", condition),
        "next": oneshot("next", 'requires = ["maybe"]'),
    }
    result = boot(["sh", "-c", "exit 2"], services, env=dict(PATH=os.environ["PATH"], **env)).wait()
    assert result.code == 2 and order(boot) == (["maybe", "next"] if holds else ["next"]), result


def test_without_a_program_it_supervises_until_it_is_told(boot):
    life = boot([], {"web": "script = 'touch @/up; exec sleep 1000'\n"})
    life.until((boot.folder / "up").exists, "the service is up")
    assert life.stop().code in (0, 143)


@pytest.mark.parametrize("route, words, expected", [
    ("append", [], "base"), ("append", ["one", "-x"], "base one -x"),
    ("replace", [], "base"), ("replace", ["echo", "other"], "other"),
    ("auto", [], "base"), ("auto", ["chat"], "base chat"), ("auto", ["echo", "other"], "other"),
    ("auto", ["--version"], "base --version"), ("auto", ["-c"], "base -c"), ("auto", ["no-such"], "base no-such"),
])
def test_the_route_says_how_arguments_meet_the_command(boot, route, words, expected):
    main = f'type = "main"\ncommand = ["echo", "base"]\nroute = "{route}"\n'
    boot.services({"main": main})
    result = boot.run(["--config", str(boot.config), "--", *words]).wait()
    assert result.code == 0 and result.out == expected + "\n", result


def test_a_word_with_a_dash_is_never_looked_up_even_if_there_is_such_a_program(boot):
    folder = boot.folder / "bin"
    folder.mkdir()
    (folder / "-x").write_text("#!/bin/sh\necho wrong\n")
    (folder / "-x").chmod(0o755)
    result = boot(["-x"], {"main": 'type = "main"\ncommand = ["printf", "%s"]\nroute = "auto"\n'},
                  env={"PATH": f"{folder}:{os.environ['PATH']}"}).wait()
    assert result.out == "-x", result


def test_the_main_program_waits_for_what_it_requires(boot):
    services = {
        "main": "type = \"main\"\nrequires = [\"web\"]\nscript = 'test -e @/up || sleep 0.1; exit 6'\n",
        "web": "script = 'touch @/up; exec sleep 1000'\n",
    }
    assert boot([], services).wait().code == 6


def test_a_drop_in_is_laid_over_the_file(boot):
    services = {
        "web": 'type = "oneshot"\ncommand = ["sh", "-c", "echo $A $B > @/got"]\n[environment]\nA = "1"\nB = "1"\n',
        "web.d/20.toml": '[environment]\nB = "3"\n',
        "web.d/10.toml": '[environment]\nB = "2"\n',
    }
    boot(["true"], services).wait()
    assert (boot.folder / "got").read_text() == "1 3\n"


def test_a_stronger_folder_replaces_and_masks(boot):
    weak, strong = boot.folder / "weak", boot.folder / "strong"
    for folder, files in ((weak, {"a": "weak-a", "b": "weak-b", "c": "weak-c"}), (strong, {"a": "strong-a"})):
        folder.mkdir()
        for name, word in files.items():
            (folder / f"{name}.toml").write_text(oneshot(word).replace("@", str(boot.folder)))
    (strong / "b.toml").write_text("")
    (strong / "c.toml").symlink_to("/dev/null")
    (strong / ".hidden.toml").write_text("not toml")
    (strong / "README.md").write_text("not toml")
    boot.run(["--config", str(weak), "--config", str(strong), "--", "true"]).wait()
    assert order(boot) == ["strong-a"]


def test_a_oneshot_that_takes_long_can_be_stopped(boot):
    life = boot(["true"], {"slow": "type = \"oneshot\"\nscript = 'touch @/up; exec sleep 1000'\n"})
    life.until((boot.folder / "up").exists, "the oneshot runs")
    life.signal(signal.SIGTERM)
    assert life.wait().code != 0


# A boot that cannot begin says what is missing and what to do


@pytest.mark.skipif(not AM_ROOT, reason="needs root to cover /dev")
def test_without_dev_the_boot_names_what_is_missing(boot):
    result = boot(["true"], {}, before="mount -t tmpfs tmpfs /dev").wait()
    assert result.code == 71
    assert result.err == ("hermes-init: cannot open /dev/null: No such file or directory; mount the usual devices at /dev, "
                          "as container runtimes do (mount --bind /dev ROOT/dev)\n")


@pytest.mark.parametrize("make, what", [
    ("ln -s /nowhere CONFIG", "configuration folder CONFIG"), ("mkdir CONFIG; ln -s /nowhere CONFIG/web.d", "configuration folder CONFIG/web.d"),
    ("mkdir CONFIG; ln -s /nowhere CONFIG/web.toml", "web.toml"),
], ids=["folder", "drop-ins", "file"])
def test_a_link_to_nowhere_is_a_mistake_and_not_passed_over(boot, make, what):
    config = str(boot.folder / "linked")
    subprocess.run(["sh", "-c", make.replace("CONFIG", config)], check=True)
    result = boot.run(["--config", str(boot.config), "--config", config, "--", "true"]).wait()
    assert result.code == 78 and "symbolic link" in result.err and what.replace("CONFIG", config) in result.err, result
