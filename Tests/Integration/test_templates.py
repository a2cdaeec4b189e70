"""Templates, their instances, conditions of autostart, and what is remembered from one life to the next."""

import os
import time

import pytest
from harness import AM_ROOT, until

FNV, PRIME = 0xCBF29CE484222325, 0x100000001B3


def asked(*lines):
    """The file of the state directory, with its checksum."""
    text = "hermes-init asked 1\n" + "".join(line + "\n" for line in lines)
    value = FNV
    for byte in text.encode():
        value = (value ^ byte) * PRIME % 2**64
    return text + f"checksum {value:016x}\n"


def note(boot, *more):
    """A template whose instances write their names down, as bytes, since `@` has a meaning in the texts of services."""
    return "\n".join([
        f"command = ['sh', '-c', 'echo ${{HERMES_INIT_INSTANCE}} >> {boot.folder}/notes; exec sleep 1000']", *more,
    ]).encode() + b"\n"


def notes(boot):
    path = boot.folder / "notes"
    return sorted(path.read_text().split()) if path.exists() else []


def state(boot, text=None):
    """Names the state directory in init.toml, and writes what was asked in a life before."""
    folder = boot.folder / "state"
    folder.mkdir(exist_ok=True)
    boot.services({"init": f'state-directory = "{folder}"\n'.encode()})
    if text is not None:
        (folder / "asked").write_text(text)
    return folder


def plan(boot, *words):
    result = boot.run(["--plan", "--config", str(boot.config), *words], how="plain").wait()
    assert result.code == 0, result
    return result.out


def check(boot, *words):
    return boot.run(["--check", "--config", str(boot.config), *words], how="plain").wait()


def test_names_make_instances(boot):
    life = boot(services={"gateway@.toml": note(boot, "[instances]", 'names = ["writer", "coder"]')})
    life.until(lambda: notes(boot) == ["coder", "writer"], "both instances run")
    life.until(lambda: life.health().code == 0, "the container is healthy")
    assert life.stop().code == 0


def test_a_folder_makes_instances(boot):
    for name in ("writer", "coder", "empty", "Not A Name", "two\nlines", ".hidden"):
        folder = boot.folder / "profiles" / name
        folder.mkdir(parents=True)
        if name != "empty":
            (folder / "SOUL.md").write_text("")
    (boot.folder / "profiles" / "linked").symlink_to("coder")
    (boot.folder / "profiles" / "dangling").symlink_to("/nowhere")
    (boot.folder / "profiles" / "circle").symlink_to("circle")
    text = note(boot, "[instances]", 'names = ["always"]', 'from = "${HOMES:?}/profiles/*/SOUL.md"')
    life = boot(services={"gateway@.toml": text}, env={**os.environ, "HOMES": str(boot.folder)})
    life.until(lambda: notes(boot) == ["always", "coder", "linked", "writer"], "four instances run")
    said = life.stop().err
    assert "cannot be an instance of gateway@ [instance-name]" in said
    assert '= note: "Not A Name": it has a capital letter' in said
    assert '= note: "two\\x0alines": it has a character' in said


def test_a_folder_that_is_not_there_makes_none_and_says_nothing(boot):
    text = note(boot, "[instances]", f'from = "{boot.folder}/none/*"')
    result = boot(["true"], {"gateway@.toml": text}).wait()
    assert result.code == 0 and "instances" not in result.err, result


def test_a_variable_that_is_not_set_is_told_and_the_rest_boots(boot):
    text = note(boot, "[instances]", 'from = "${NOWHERE_SET}/*"', 'names = ["one"]')
    life = boot(services={"gateway@.toml": text})
    life.until(lambda: notes(boot) == ["one"], "what is named runs")
    life.until_err("cannot look for instances of gateway@: NOWHERE_SET is not set [instances-from]")
    life.stop()


def test_ten_thousand_matches_make_1024_instances_and_the_boot_is_quick(boot):
    folder = boot.folder / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"n{number:05}").touch()
        if number < 50:
            (folder / f"BAD{number}").touch()
    text = b'type = "group"\n[instances]\n' + f'from = "{folder}/*"\n'.encode()
    begin = time.monotonic()
    result = boot(["true"], {"gateway@.toml": text}).wait()
    assert result.code == 0 and time.monotonic() - begin < 20, result
    assert "only 1024 instances of gateway@ are made" in result.err
    assert result.err.count("it has a capital letter") == 10 and "= note: and 40 more" in result.err
    text = plan(boot)
    assert "1024 instances: n00000, n00001" in text and "n01023" in text and "n01024" not in text


def test_the_instance_is_known_everywhere(boot):
    (boot.folder / "work" / "a").mkdir(parents=True)
    text = f"""
command = ["sh", "-c", 'echo "$0 $HERMES_INIT_INSTANCE $HERMES_INIT_SERVICE $HOUSE $PWD"; touch $0.up; exec sleep 1000', "${{HERMES_INIT_INSTANCE}}"]
directory = "{boot.folder}/work/${{HERMES_INIT_INSTANCE}}"
[instances]
names = ["a"]
[environment]
HOUSE = "house of ${{HERMES_INIT_INSTANCE}}"
[when]
path-exists = "{boot.folder}/work/${{HERMES_INIT_INSTANCE}}"
[ready]
path = "{boot.folder}/work/a/${{HERMES_INIT_INSTANCE}}.up"
[log]
file = "{boot.folder}/work/${{HERMES_INIT_INSTANCE}}.log"
timestamps = false
[stop]
command = ["sh", "-c", "echo bye $0; kill $MAINPID", "${{HERMES_INIT_INSTANCE}}"]
"""
    life = boot(services={"web@.toml": text.encode()})
    life.until_err("web@a: up (ready after")
    life.until_out(f"[web@a] a a web@a house of a {boot.folder}/work/a")
    life.stop()
    assert (boot.folder / "work" / "a.log").read_text() == f"a a web@a house of a {boot.folder}/work/a\nbye a\n"


def test_others_can_require_an_instance(boot):
    services = {
        "db@.toml": b'type = "oneshot"\nscript = "echo db ${HERMES_INIT_INSTANCE}"\nautostart = false\n'
                    b'[instances]\nnames = ["one", "two"]\n',
        "web": b'type = "oneshot"\nscript = "echo web"\nrequires = ["db@two"]\n',
    }
    result = boot(["true"], services).wait()
    assert result.code == 0 and "[db@two] db two\n" in result.out and "db one" not in result.out, result
    assert result.out.index("db two") < result.out.index("[web]")
    boot.services({"web": b'type = "oneshot"\nscript = "echo web"\nrequires = ["db@three"]\n'})
    result = boot(["true"]).wait()
    assert result.code == 78 and 'add names = ["three"] below a line [instances] of db@.toml' in result.err, result


def test_a_file_of_an_instance_is_refused_and_a_mask_of_one_is_not(boot):
    text = note(boot, "[instances]", 'names = ["a", "b"]')
    result = boot(["true"], {"web@.toml": text, "web@c.toml": text}).wait()
    assert result.code == 78 and "an instance has no file of its own [instance-file]" in result.err, result
    boot.services({"web@c.toml": b"", "web@b.toml": b""})
    text = " ".join(plan(boot).split())
    assert "web@ 1 instance: a" in text and "web@b masked: " in text, text


def test_autostart_can_have_conditions(boot):
    services = {
        "gateway": b'type = "oneshot"\nscript = "echo gateway"\n[autostart]\nmain-not = ["gateway"]\n',
        "wanted": b'type = "oneshot"\nscript = "echo wanted"\n[autostart]\nenv = "NOT_SET"\n',
        "wants": b'type = "oneshot"\nscript = "true"\nrequires = ["wanted"]\n',
    }
    result = boot(["echo", "hello"], services).wait()
    assert "[gateway] gateway" in result.out and "[wanted] wanted" in result.out, result
    (boot.folder / "gateway").symlink_to("/bin/true")
    result = boot(["gateway"], env={**os.environ, "PATH": f"{boot.folder}:{os.environ['PATH']}"}).wait()
    assert result.code == 0 and "[gateway] gateway" not in result.out, result
    text = plan(boot, "--", "gateway")
    assert "gateway  [autostart]: the main program is gateway, and nothing" in " ".join(text.split()).replace(
        "gateway [autostart]", "gateway  [autostart]"), text
    assert "[autostart]: NOT_SET is not set, but wants requires it" in " ".join(text.split()), text


def test_what_was_asked_before_decides(boot):
    folder = state(boot, asked("up dashboard", "down web", "up gateway@made", "down gateway@named", "up other@x", "up gone"))
    services = {
        "dashboard": note(boot, "autostart = false", "remember = true", "[environment]",
                          'HERMES_INIT_INSTANCE = "x"').replace(b"${HERMES_INIT_INSTANCE}", b"dashboard"),
        "web": note(boot, "remember = true").replace(b"${HERMES_INIT_INSTANCE}", b"web"),
        "gateway@.toml": note(boot, "[instances]", 'names = ["named", "plain"]', "remember = true"),
        "other@.toml": note(boot),
    }
    life = boot(services=services)
    life.until(lambda: notes(boot) == ["dashboard", "made", "plain"], "what was asked up runs, and what nobody asked about")
    text = " ".join(plan(boot).split())
    assert "web it was asked down before, and nothing that starts requires or wants it" in text
    assert "gateway@ 3 instances: made, named, plain" in text
    assert "other@ no instance now; hermes-init ctl start other@NAME makes one" in text
    assert life.stop().code == 0
    # Nobody asked anything in this life: the file stays as it is, and the next life is the same.
    assert (folder / "asked").read_text() == asked(
        "up dashboard", "down web", "up gateway@made", "down gateway@named", "up other@x", "up gone")
    (boot.folder / "notes").unlink()
    life = boot()
    life.until(lambda: notes(boot) == ["dashboard", "made", "plain"], "the next life is the same")
    assert "asked" not in life.stop().err


@pytest.mark.parametrize("text, reason", [
    (asked("up web")[:-5], "its end is missing"),
    (asked("up web").replace("up", "no"), "line 2 is none that it can have"),
    (asked("up web") .replace("web", "wob"), "its checksum is wrong"),
    ("", "it is empty"),
    ("x" * (1 << 21), "it is larger than 1 MiB"),
], ids=["cut", "line", "changed", "empty", "huge"])
def test_a_corrupt_state_file_is_told_and_kept_aside(boot, text, reason):
    folder = state(boot, text)
    services = {"web": note(boot, "remember = true").replace(b"${HERMES_INIT_INSTANCE}", b"web")}
    life = boot(services=services)
    life.until(lambda: notes(boot) == ["web"], "it boots with the defaults")
    life.until(lambda: os.listdir(folder) == ["asked.corrupt"], "the file is kept aside")
    assert (folder / "asked.corrupt").read_text() == text
    result = life.stop()
    assert result.code == 0
    assert result.err.count(f"cannot use {folder}/asked: {reason}; so services start as if nobody") == 1
    life = boot()
    life.until(lambda: notes(boot) == ["web", "web"], "and the next life has nothing to say")
    assert "asked" not in life.stop().err


def test_a_plan_changes_nothing_of_a_corrupt_state_file(boot):
    folder = state(boot, "nonsense\n")
    boot.services({"web": note(boot, "remember = true")})
    plan(boot)
    assert os.listdir(folder) == ["asked"]


def test_a_state_directory_that_cannot_be_written_is_told_once_and_only_where_something_remembers(boot):
    (boot.folder / "read-only").mkdir()
    boot.services({"init": f'state-directory = "{boot.folder}/read-only/state"\n'.encode()})
    mount = f"mount -t tmpfs none {boot.folder}/read-only && mount -o remount,ro {boot.folder}/read-only"
    result = boot(["true"], {"web": b'command = ["sleep", "1000"]\n'}, before=mount).wait()
    assert result.code == 0 and "keep" not in result.err, result
    result = boot(["true"], {"web": b'command = ["sleep", "1000"]\nremember = true\n'}, before=mount).wait()
    assert result.code == 0, result
    assert result.err.count("which services were asked up or down: Read-only file system. It is forgotten") == 1, result


def test_a_link_in_the_place_of_the_state_is_not_followed(boot):
    folder = state(boot)
    (boot.folder / "target").write_text(asked("down web"))
    (folder / "asked").symlink_to("../target")
    services = {"web": note(boot, "remember = true").replace(b"${HERMES_INIT_INSTANCE}", b"web")}
    life = boot(services=services)
    life.until(lambda: notes(boot) == ["web"], "it boots with the defaults")
    life.until_err(f"cannot read {folder}/asked: a symbolic link is in its path")
    life.stop()
    assert (boot.folder / "target").read_text() == asked("down web")


@pytest.mark.plain
def test_check_knows_templates(boot):
    boot.services({"web@.toml": b'command = ["true", "${HERMES_INIT_INSTANCE}"]\n[environment]\nA = "${HERMES_INIT_INSTANCE}"\n'})
    result = check(boot, "--strict")
    assert result.code == 0, result
    boot.services({"web@.toml": b'command = ["no-such-program"]\nuser = "no-such-user"\ndirectory = "${NO_SUCH}"\n'
                                b'[instances]\nnames = ["a", "b", "c"]\n'})
    result = check(boot)
    assert result.code == 1
    for code in ("program-not-found", "unknown-user", "unset-variable"):
        assert result.out.count(f"[{code}]") == 1, result
    boot.services({"web@.toml": b'command = ["true", "${HERMES_INIT_INSTANCE}"]\n', "api": b'command = ["true", "${HERMES_INIT_INSTANCE}"]\n'})
    result = check(boot)
    assert result.out.count("HERMES_INIT_INSTANCE is not set here") == 1 and "api.toml" in result.out, result


@pytest.mark.plain
def test_check_of_an_image_looks_into_the_image(boot):
    (boot.folder / "root" / "srv" / "sites" / "blue").mkdir(parents=True)
    (boot.folder / "root" / "srv" / "sites" / "NO").mkdir(parents=True)
    (boot.folder / "root" / "bin").mkdir()
    program = boot.folder / "root" / "bin" / "a"
    program.write_text("#!/bin/a\n")
    program.chmod(0o755)
    folder = boot.folder / "root" / "etc" / "hermes-init.d"
    folder.mkdir(parents=True)
    (folder / "web@.toml").write_bytes(b'command = ["/bin/a"]\n[instances]\nfrom = "/srv/sites/*"\n')
    (folder / "app.toml").write_bytes(b'command = ["/bin/a"]\nrequires = ["web@blue"]\n')
    result = boot.run(["--check", "--root", str(boot.folder / "root")], how="plain").wait()
    assert result.code == 0 and '"NO": it has a capital letter' in result.out, result
    (folder / "app.toml").write_bytes(b'command = ["/bin/a"]\nrequires = ["web@green"]\n')
    result = boot.run(["--check", "--root", str(boot.folder / "root")], how="plain").wait()
    assert result.code == 1 and "graph-missing-service" in result.out, result


def test_an_ordinary_user_can_have_templates(boot):
    boot.folder.chmod(0o777)
    life = boot(services={"gateway@.toml": note(boot, "[instances]", 'names = ["a"]', f'from = "{boot.folder}/*.none"')},
                how="user")
    life.until(lambda: notes(boot) == ["a"], "its instance runs")
    assert life.stop().code == 0


@pytest.mark.skipif(not AM_ROOT, reason="needs a folder that this user may not read")
def test_a_folder_that_may_not_be_read_is_told(boot):
    (boot.folder / "closed").mkdir(mode=0o700)
    text = note(boot, "[instances]", 'names = ["a"]', f'from = "{boot.folder}/closed/*"')
    life = boot(services={"gateway@.toml": text}, how="user")
    until(lambda: notes(boot) == ["a"], "its instance runs")
    life.until_err(f"cannot look for instances of gateway@ in {boot.folder}/closed: Permission denied [instances-from]")
    life.stop()
