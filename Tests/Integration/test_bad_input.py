"""What is wrong is said: what, where, why, and what to do. `--check` says it before a container boots; a boot says the same
and ends with 78, without having started anything."""

import os
import re
import subprocess

import pytest
from harness import AM_ROOT, reachable

GOOD = 'command = ["sleep", "1000"]\n'


def reports(boot, services, place, *words, **how):
    """Asserts that --check and a boot both report something at that place that says those words."""
    boot.services(services)
    check = boot.run(["--check", "--config", str(boot.config)], how="plain" if how.get("how") != "user" else "user").wait()
    assert check.code == 1, check
    life = boot(["touch", str(boot.folder / "started")], **how).wait()
    assert life.code == 78 and not (boot.folder / "started").exists(), life
    for text in (check.out + check.err, life.err):
        assert re.search(place, text), text
        for word in words:
            assert re.search(word, text, re.IGNORECASE), (word, text)
        # What to do about it stands beside what is wrong.
        assert len(text.splitlines()) >= 2, text
    return life


@pytest.mark.parametrize("text, place", [
    ("command = [", r"bad\.toml:\d+:\d+"),
    ("this is no toml\n", r"bad\.toml:1:\d+"),
    ('command = ["a"]\ndescription = "x\n', r"bad\.toml:2:\d+"),
    ("{}", r"bad\.toml:1:\d+"),
    ("a = 1\na = 2\n", r"bad\.toml:\d+:\d+"),
])
def test_a_file_that_is_no_toml(boot, text, place):
    reports(boot, {"bad": text, "good": GOOD}, place)


def test_a_file_that_is_not_utf8(boot):
    reports(boot, {"bad": b'command = ["a"]\ndescription = "\xff"\n'}, r"bad\.toml:2:16", "UTF-8")


def test_every_mistake_of_every_file_is_reported_in_one_go(boot):
    result = reports(boot, {"bad": 'comand = ["a"]\ntype = "longrn"\numask = 99999\n', "worse": "x = \n"},
                     r"bad\.toml:1:1", r"bad\.toml:2:8", r"bad\.toml:3:9", r"worse\.toml:1:")
    assert "command" in result.err and "longrun" in result.err


@pytest.mark.parametrize("text, place, words", [
    ('comand = ["a"]', r"bad\.toml:1:1", ["comand", "command"]),
    ('command = "a b"', r"bad\.toml:1:11", ["array|list"]),
    ('command = ["a"]\nscript = "b"', r"bad\.toml:\d:\d", ["command", "script"]),
    ('command = ["a"]\n[restart]\npolicy = "sometimes"', r"bad\.toml:3:10", ["always", "on-failure", "never"]),
    ('command = ["a"]\n[restart]\ndelay = "soon"', r"bad\.toml:3:9", ["soon"]),
    ('command = ["a"]\n[stop]\nsignal = "SIGNOPE"', r"bad\.toml:3:10", ["SIGNOPE"]),
    ('command = ["a"]\n[restart]\nfactor = "two"', r"bad\.toml:3:10", ["number"]),
    ('type = "oneshot"', r"bad\.toml", ["command"]),
    ('command = []', r"bad\.toml:1:11", ["empty"]),
    ('command = ["${UNFINISHED"]', r"bad\.toml:1:\d+", [r"\$\{|\}"]),
    ('command = ["a"]\n[health]\nhttp = "x"', r"bad\.toml:3:8", ["http", "http://"]),
    ('command = ["a"]\n[instances]\nfrom = "x"', r"bad\.toml:2:\d+", ["instances"]),
    ('command = ["a"]\n[limits]\nnofile = "2:1"', r"bad\.toml:3:10", ["nofile", "hard"]),
    ('requires = "x"\ncommand = ["a"]', r"bad\.toml:1:12", ["array|list"]),
])
def test_a_file_that_is_no_service(boot, text, place, words):
    reports(boot, {"bad": text}, place, *words)


def test_a_missing_requirement(boot):
    reports(boot, {"web": 'command = ["a"]\nrequires = ["databse"]\n', "database": GOOD}, r"web\.toml:2:13",
            "databse", "database")


def test_a_cycle_is_shown_whole(boot):
    services = {"a": 'requires = ["b"]\n' + GOOD, "b": 'requires = ["c"]\n' + GOOD, "c": '\nafter = ["a"]\n' + GOOD}
    reports(boot, services, r"a\.toml:1:", r"b\.toml:1:", r"c\.toml:2:")


def test_a_service_that_requires_itself(boot):
    reports(boot, {"a": 'requires = ["a"]\n' + GOOD}, r"a\.toml:1:", "itself|its own")


def test_a_name_that_is_no_service_name(boot):
    reports(boot, {"Bad Name.toml": GOOD}, "Bad Name")


def test_two_main_programs(boot):
    main = 'type = "main"\ncommand = ["true"]\n'
    reports(boot, {"main": main, "other": main}, r"(main|other)\.toml", "main")


def test_a_folder_that_is_named_like_a_file(boot):
    (boot.config / "web.toml").mkdir()
    reports(boot, {}, r"web\.toml", "folder|directory")


def test_a_fifo_that_is_named_like_a_file_does_not_hang_the_boot(boot):
    os.mkfifo(boot.config / "web.toml")
    reports(boot, {}, r"web\.toml", "regular|pipe|fifo")


@pytest.mark.skipif(not AM_ROOT, reason="needs two users")
def test_a_file_that_cannot_be_read(boot):
    boot.services({"web": GOOD})
    (boot.config / "web.toml").chmod(0)
    reports(boot, {}, r"web\.toml", "Permission denied", how="user")


def test_a_dangling_link(boot):
    (boot.config / "web.toml").symlink_to("/no/such/file")
    reports(boot, {}, r"web\.toml", "no such file|does not exist")


def test_a_file_of_ten_megabytes(boot):
    reports(boot, {"web": "# " + "x" * 10_000_000 + "\n" + GOOD}, r"web\.toml", "large|big", "bytes|MiB|MB|KiB")


def test_a_folder_that_is_not_there(boot):
    result = boot.run(["--config", "/no/such/folder", "--", "true"]).wait()
    assert result.code in (64, 78) and "/no/such/folder" in result.err, result


def test_a_wrong_init_toml(boot):
    reports(boot, {"init": 'shutdown-timout = "1s"\n'}, r"init\.toml:1:1", "shutdown-timeout")
    reports(boot, {"init": '[signals]\nSIGNOPE = "stop"\n'}, r"init\.toml:2:1", "SIGNOPE")


def unharmed(boot, bad, *words):
    """A service that cannot run is told with those words, and harms neither another one nor the program."""
    services = {"bad": bad, "good": "script = 'touch @/good; exec sleep 1000'\n"}
    result = boot(["sh", "-c", f"until [ -e {boot.folder}/good ]; do sleep 0.02; done; sleep 0.1; exit 3"], services).wait()
    assert result.code == 3, result
    for word in ("bad", *words):
        assert re.search(word.replace("@", str(boot.folder)), result.err, re.IGNORECASE), (word, result)
    return result


def test_a_command_that_does_not_exist(boot):
    unharmed(boot, 'command = ["/no/such/program"]\n', "/no/such/program", "no such file")
    unharmed(boot, 'command = ["no-such-program"]\n', "no-such-program", "PATH|found")


def test_a_command_that_is_no_executable(boot):
    (boot.folder / "text").write_text("hello\n")
    unharmed(boot, 'command = ["@/text"]\n', "@/text", "Permission denied|not executable", "chmod|executable")
    (boot.folder / "text").chmod(0o755)
    unharmed(boot, 'command = ["@/text"]\n', "@/text", "#!|Exec format error")


def test_a_command_that_is_a_script_with_a_bad_interpreter(boot):
    (boot.folder / "script").write_text("#!/no/such/interpreter -x\n")
    (boot.folder / "script").chmod(0o755)
    unharmed(boot, 'command = ["@/script"]\n', "@/script", "/no/such/interpreter|#!|interpreter")


def test_a_command_that_is_a_folder(boot):
    unharmed(boot, 'command = ["/etc"]\n', "/etc", "Permission denied|folder|directory|not executable")


@pytest.mark.parametrize("words, say", [
    (["sleep", "1"], "hermes-init -- sleep 1"), (["--nope"], "--nope"), (["--config"], "--config"),
    (["chek"], "check|--"), (["-x", "--", "true"], "-x"),
])
def test_wrong_usage_shows_the_right_spelling(boot, words, say):
    result = boot.run(words, how="plain").wait()
    assert result.code == 64 and result.out == "" and re.search(re.escape(say) if "|" not in say else say, result.err), result


def test_the_report_is_the_same_on_a_second_look(boot):
    boot.services({"bad": 'comand = ["a"]\nrequires = ["b", "c"]\n', "worse": "type = 3\n"})
    looks = {subprocess.run([reachable(), "--check", "--config", boot.config], capture_output=True).stdout for _ in range(5)}
    assert len(looks) == 1
