"""What a process is held to: [limits], nice, oom-score-adj, [security], stdin; as root, as another user, and what is said
where the container may not grant it. The values are those that the kernel shows in /proc."""

import os
import resource
from pathlib import Path

import pytest
from harness import AM_ROOT, ORDINARY, status

root_only = pytest.mark.skipif(not AM_ROOT, reason="only root can become another user")
OWN_CAPABILITIES = int(status("self").get("CapPrm", "0"), 16)
NET_BIND_SERVICE, SYS_NICE, SYS_RESOURCE = 10, 23, 24


def has(capability):
    return bool(OWN_CAPABILITIES >> capability & 1)


def seen(boot, lines, what="cat /proc/self/status", **how):
    """What a oneshot with those lines sees."""
    (boot.folder / "seen").write_text("")
    (boot.folder / "seen").chmod(0o666)
    text = f"type = \"oneshot\"\nscript = '''exec > @/seen; {what}'''\n{lines}\n"
    result = boot(["true"], {"web": text}, **how).wait()
    assert result.code == 0, result
    return (boot.folder / "seen").read_text()


def fields(text):
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def refused(boot, lines, **how):
    """What is said of a oneshot with those lines, which cannot start."""
    result = boot(["true"], {"web": f'type = "oneshot"\ncommand = ["true"]\n{lines}\n'}, **how).wait()
    assert result.code not in (0, 1), result
    assert "web: failed: cannot" in result.err and "again" not in result.err, result
    return result.err


LIMITS = """[limits]
nofile = "100:200"
nproc = 5000
core = 0
stack = "4M:8M"
memlock = "64K"
as = "1G"
fsize = "10M:unlimited"
data = "512M"
cpu = "100:200"
"""
SHOWN = {
    "Max open files": "100 200", "Max processes": "5000 5000", "Max core file size": "0 0",
    "Max stack size": "4194304 8388608", "Max locked memory": "65536 65536",
    "Max address space": "1073741824 1073741824", "Max file size": "10485760 unlimited",
    "Max data size": "536870912 536870912", "Max cpu time": "100 200",
}


@pytest.mark.native("qemu-user passes over limits of memory and stack")
@pytest.mark.parametrize("who", ["", pytest.param('user = "4001"\n', marks=root_only)])
def test_every_limit_holds(boot, who):
    got = seen(boot, who + LIMITS, "while read line; do echo \"$line\"; done < /proc/self/limits")
    for name, values in SHOWN.items():
        line = next(line for line in got.splitlines() if line.startswith(name))
        assert line[len(name):].split()[:2] == values.split(), line


@root_only
def test_nproc_holds_for_the_user_that_the_service_runs_as(boot):
    got = seen(boot, f'user = "{ORDINARY}"\n[limits]\nnproc = 1\n', "exec 2>&1; trap 'exit 0' EXIT; sleep 0; echo went on")
    assert "went on" not in got and "fork" in got.lower(), got


def test_a_limit_above_the_ceiling_names_it_and_the_remedy(boot):
    ceiling = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if has(SYS_RESOURCE):
        pytest.skip("this machine may raise limits")
    said = refused(boot, f"[limits]\nnofile = {ceiling + 1}")
    assert f"cannot set the limit nofile to {ceiling + 1}" in said and f"ceiling is {ceiling}" in said, said
    assert f"docker run --ulimit nofile={ceiling + 1}" in said, said


def test_a_stage_is_held_to_its_limits_too(boot):
    if has(SYS_RESOURCE):
        pytest.skip("this machine may raise limits")
    text = 'plugin = "find-executable"\n[options]\nin = "/bin"\nnames = ["sh"]\nexport = "X"\n[limits]\nnofile = "unlimited"\n'
    result = boot(["true"], {"find": text}).wait()
    assert "cannot set the limit nofile to unlimited" in result.err and "--ulimit nofile=-1" in result.err, result


def test_the_inits_own_higher_limit_of_open_files_does_not_leak(boot):
    # Above 200 services the init raises its own soft limit.
    boot.services({f"group{number}": 'type = "group"\n' for number in range(201)})
    limits = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 2000))  # noqa: E731
    got = seen(boot, "", "ulimit -Sn; ulimit -Hn; grep 'open files' /proc/1/limits", preexec=limits)
    lines = got.split()
    assert lines[:2] == ["1000", "2000"] and lines[5:7] == ["2000", "2000"], got


def nice_of(text):
    return int(text.rsplit(")", 1)[1].split()[16])


def test_nice(boot):
    assert nice_of(seen(boot, "nice = 7", "cat /proc/self/stat")) == 7


@root_only
@pytest.mark.skipif(not has(SYS_NICE), reason="needs CAP_SYS_NICE")
def test_a_lower_nice_holds_for_another_user(boot):
    assert nice_of(seen(boot, 'user = "4001"\nnice = -3', "cat /proc/self/stat")) == -3


def test_a_nice_that_may_not_be_is_told(boot):
    said = refused(boot, "nice = -3", how="user")
    assert "cannot set nice to -3" in said and "--cap-add SYS_NICE" in said, said


def test_oom_score_adj_is_the_services_alone(boot):
    got = seen(boot, "oom-score-adj = 500", "cat /proc/self/oom_score_adj /proc/1/oom_score_adj").split()
    assert got == ["500", Path("/proc/self/oom_score_adj").read_text().strip()]


def test_an_oom_score_adj_that_may_not_be_is_told(boot):
    if has(SYS_RESOURCE):
        pytest.skip("this machine may lower it")
    said = refused(boot, "oom-score-adj = -900")
    assert "cannot set oom-score-adj to -900" in said and "--cap-add SYS_RESOURCE" in said, said


@pytest.mark.parametrize("who", ["", pytest.param('user = "4001"\n', marks=root_only)])
def test_no_new_privileges(boot, who):
    assert fields(seen(boot, who))["NoNewPrivs"] == "0"
    assert fields(seen(boot, who + "[security]\nno-new-privileges = true"))["NoNewPrivs"] == "1"


def capability_sets(text):
    table = fields(text)
    return {name: int(table["Cap" + name], 16) for name in ("Bnd", "Prm", "Eff", "Inh", "Amb")}


@root_only
def test_capabilities_are_kept_by_another_user(boot):
    got = capability_sets(seen(boot, 'user = "4001"\n[security]\ncapabilities = ["NET_BIND_SERVICE"]'))
    assert set(got.values()) == {1 << NET_BIND_SERVICE}, got


@root_only
def test_without_the_table_another_user_has_none_and_may_gain_them(boot):
    got = capability_sets(seen(boot, 'user = "4001"'))
    assert got["Prm"] == got["Eff"] == got["Amb"] == 0 and got["Bnd"] == OWN_CAPABILITIES, got


@root_only
@pytest.mark.parametrize("kept, mask", [("", 0), ('"NET_BIND_SERVICE", "KILL"', 1 << 10 | 1 << 5)])
def test_root_is_held_to_them_as_well(boot, kept, mask):
    got = capability_sets(seen(boot, f"[security]\ncapabilities = [{kept}]"))
    assert got == {"Bnd": mask, "Prm": mask, "Eff": mask, "Inh": 0, "Amb": 0}, got


def test_a_capability_that_the_container_lacks_is_told(boot):
    missing, name = (SYS_RESOURCE, "SYS_RESOURCE") if AM_ROOT else (SYS_NICE, "SYS_NICE")
    if has(missing):
        pytest.skip("this machine has it")
    said = refused(boot, f'[security]\ncapabilities = ["{name}"]')
    assert f"cannot keep CAP_{name}" in said and f"--cap-add {name}" in said, said


def test_without_the_right_to_drop_capabilities_no_new_privileges_does_it(boot):
    said = refused(boot, "[security]\ncapabilities = []", how="user")
    assert "--cap-add SETPCAP" in said and "no-new-privileges = true" in said, said
    got = seen(boot, "[security]\ncapabilities = []\nno-new-privileges = true", how="user")
    assert capability_sets(got)["Prm"] == 0 and fields(got)["NoNewPrivs"] == "1", got


@root_only
def test_keep_groups(boot):
    groups = lambda: os.setgroups([4001, 4998, 4999])  # noqa: E731
    assert fields(seen(boot, 'user = "4001"', preexec=groups))["Groups"].split() == ["4001"]
    kept = seen(boot, 'user = "4001"\n[security]\nkeep-groups = true', preexec=groups)
    assert sorted(fields(kept)["Groups"].split()) == ["4001", "4998", "4999"]


def test_the_command_of_stop_runs_as_the_service_does(boot):
    text = 'command = ["sleep", "1000"]\nnice = 7\n[limits]\nnofile = 77\n'
    text += "[stop]\ncommand = [\"sh\", \"-c\", \"ulimit -n > @/limit; cat /proc/self/stat > @/stat\"]\n"
    life = boot(["sleep", "1000"], {"web": text})
    life.until_err("web: up")
    life.stop()
    assert (boot.folder / "limit").read_text() == "77\n"
    assert nice_of((boot.folder / "stat").read_text()) == 7


@pytest.mark.parametrize("lines, got", [("", "hello\n"), ('stdin = "null"\n', ""), ('stdin = "inherit"\n', "hello\n")])
def test_stdin_of_the_main_program(boot, lines, got):
    (boot.folder / "input").write_text("hello\n")
    with open(boot.folder / "input") as stdin:
        result = boot([], {"main": f'type = "main"\ncommand = ["cat"]\n{lines}'}, stdin=stdin).wait()
    assert result.out == got, result
