"""How the process of a service is made: user, groups, directory, environment, descriptors, signals, session."""

import os
import signal
import subprocess
import sys

import pytest
from harness import AM_ROOT, EMULATED, ORDINARY, children, signal_set, status, until

root_only = pytest.mark.skipif(not AM_ROOT, reason="only root can become another user")
# The test's own accounts, laid over the machine's in the namespace.
PASSWD = "root:x:0:0:root:/root:/bin/bash\nweb:x:4001:4002:Web:/srv/web:/bin/zsh\nodd:x:4005:4005::/:\n"
GROUP = "root:x:0:\nweb:x:4002:\naudio:x:4010:web,odd\nvideo:x:4011:root,web\nalone:x:4012:\n"


def accounts(boot):
    (boot.folder / "passwd").write_text(PASSWD)
    (boot.folder / "group").write_text(GROUP)
    return f"mount --bind {boot.folder}/passwd /etc/passwd\nmount --bind {boot.folder}/group /etc/group"


def facts(boot, service, command="cat /proc/self/status", env=None, **how):
    """What a oneshot with those lines says."""
    boot.services({"init": how.pop("init", "")} if "init" in how else {})
    text = f"type = \"oneshot\"\nscript = '''exec > @/facts; {command}'''\n{service}\n"
    (boot.folder / "facts").write_text("")
    (boot.folder / "facts").chmod(0o666)
    result = boot(["true"], {"web": text}, env=env, **how).wait()
    assert result.code == 0, result
    return (boot.folder / "facts").read_text()


def ids(text):
    table = {key: value.split() for key, _, value in (line.partition(":") for line in text.splitlines())}
    return table["Uid"], table["Gid"], sorted(int(word) for word in table["Groups"])


@root_only
@pytest.mark.parametrize("lines, uid, gid, groups", [
    ('user = "web"', 4001, 4002, [4002, 4010, 4011]),
    ('user = "4001"', 4001, 4002, [4002, 4010, 4011]),
    ('user = "web"\ngroup = "alone"', 4001, 4012, [4010, 4011, 4012]),
    ('user = "web"\ngroups = ["alone", "4999"]', 4001, 4002, [4002, 4012, 4999]),
    ('user = "web"\ngroups = []', 4001, 4002, [4002]),
    ('user = "5555"\ngroup = "5556"', 5555, 5556, [5556]),
    ('user = "web"\ngroup = "0"', 4001, 0, [0, 4010, 4011]),
])
def test_it_runs_as_that_user_and_those_groups(boot, lines, uid, gid, groups):
    got = ids(facts(boot, lines, before=accounts(boot)))
    assert got[0] == [str(uid)] * 4 and got[1] == [str(gid)] * 4, got
    assert set(got[2]) | {gid} == set(groups) | {gid}, got


@root_only
def test_the_users_home_and_names_are_in_its_environment(boot):
    got = facts(boot, 'user = "web"', "echo $HOME $USER $LOGNAME $SHELL", before=accounts(boot),
                env={"PATH": os.environ["PATH"], "HOME": "/root", "USER": "root"})
    assert got == "/srv/web web web /bin/zsh\n"


@root_only
def test_the_environment_table_is_stronger_than_the_users_home(boot):
    got = facts(boot, 'user = "web"\n[environment]\nHOME = "/other"', "echo $HOME $USER", before=accounts(boot))
    assert got == "/other web\n"


@root_only
def test_the_user_may_come_from_the_environment(boot):
    got = ids(facts(boot, 'user = "${WHO:-web}"', before=accounts(boot)))
    assert got[0][0] == "4001"


@root_only
def test_a_user_drop_leaves_no_capability(boot):
    text = facts(boot, 'user = "web"', before=accounts(boot))
    table = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(table["CapEff"], 16) == 0 and int(table["CapPrm"], 16) == 0


@root_only
def test_the_main_program_can_have_a_user_too(boot):
    result = boot([], {"main": 'type = "main"\nuser = "web"\ncommand = ["id", "-u"]\n'}, before=accounts(boot)).wait()
    assert result.out == "4001\n", result


@root_only
def test_an_unknown_user_is_told_and_harms_nobody(boot):
    services = {"bad": 'user = "nobody-here"\ncommand = ["true"]\n', "good": "script = 'touch @/good; exec sleep 1000'\n"}
    wait = f"until [ -e {boot.folder}/good ]; do sleep 0.02; done; exit 3"
    result = boot(["sh", "-c", wait], services, before=accounts(boot)).wait()
    assert result.code == 3, result
    assert "bad" in result.err and "nobody-here" in result.err and "/etc/passwd" in result.err, result


def test_an_ordinary_user_that_asks_for_another_is_told(boot):
    services = {"bad": 'user = "0"\ncommand = ["id"]\n', "good": "script = 'touch @/good; exec sleep 1000'\n"}
    wait = f"until [ -e {boot.folder}/good ]; do sleep 0.02; done; exit 3"
    result = boot(["sh", "-c", wait], services, how="user").wait()
    assert result.code == 3 and "uid=" not in result.out, result
    assert "bad" in result.err and "root" in result.err, result


def test_an_ordinary_user_that_asks_for_itself_gets_it(boot):
    text = facts(boot, f'user = "{ORDINARY if AM_ROOT else os.geteuid()}"', how="user")
    assert ids(text)[0][0] == str(ORDINARY if AM_ROOT else os.geteuid())


@pytest.mark.parametrize("mode, expected", [("0o027", "0027"), ('"0077"', "0077"), ('"022"', "0022")])
def test_umask(boot, mode, expected):
    if not mode.startswith('"') and not mode.startswith("0o"):
        pytest.skip("not a form of umask")
    assert facts(boot, f"umask = {mode}", "umask").strip().zfill(4) == expected


def test_directory(boot):
    assert facts(boot, 'directory = "/usr"', "pwd") == "/usr\n"
    assert facts(boot, 'directory = "${WHERE}/lib"', "pwd", env={"PATH": os.environ["PATH"], "WHERE": "/usr"}) == "/usr/lib\n"


def test_a_missing_directory_is_told(boot):
    services = {"bad": 'directory = "/no/such"\ntype = "oneshot"\noptional = true\ncommand = ["true"]\n'}
    result = boot(["sh", "-c", "exit 3"], services).wait()
    assert result.code == 3 and "bad" in result.err and "/no/such" in result.err, result
    assert "no such" in result.err.lower(), result


def variables(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_the_environment_is_laid_together_weakest_first(boot):
    (boot.folder / "one.env").write_text(
        "# a comment\nFILE=from-file\nTABLE=from-file\nexport QUOTED=\"a b\"\nSINGLE='c d'\n\nSPACES = x\n".replace(
            "SPACES = x\n", ""))
    boot.services({"init": '[environment]\nEVERYONE = "from-init"\nFILE = "from-init"\n'})
    got = variables(facts(
        boot, 'environment-files = ["@/one.env", "-/no/such.env"]\n[environment]\nTABLE = "from-table"\nGONE = false\n'
              'EXPANDED = "${KEPT}-${NONE:-default}-${KEPT:-x}-$${KEPT}-$KEPT"', "env",
        env={"PATH": os.environ["PATH"], "KEPT": "kept", "GONE": "gone", "FILE": "container", "TABLE": "container"}))
    assert got["KEPT"] == "kept" and "GONE" not in got
    assert got["EVERYONE"] == "from-init"
    assert got["FILE"] == "from-file" and got["TABLE"] == "from-table"
    assert got["QUOTED"] == "a b" and got["SINGLE"] == "c d"
    assert got["EXPANDED"] == "kept-default-kept-${KEPT}-$KEPT"
    assert got["HERMES_INIT_SERVICE"] == "web"


def test_environment_clear_leaves_only_what_is_named(boot):
    got = variables(facts(boot, "environment-clear = true\n[environment]\nONLY = \"this\"\nPATH = \"/usr/bin:/bin\"", "env",
                          env={"PATH": os.environ["PATH"], "SECRET": "x"}))
    assert got["ONLY"] == "this" and "SECRET" not in got


def test_bytes_that_are_not_utf8_reach_services(boot):
    env = {b"PATH": os.environb[b"PATH"], b"RAW": b"\xff\xfe"}
    services = {"web": 'type = "oneshot"\ncommand = ["sh", "-c", "printf %s \\"$1\\" > @/raw", "sh", "a${RAW}b"]\n'}
    boot(["true"], services, env=env).wait()
    assert (boot.folder / "raw").read_bytes() == b"a\xff\xfeb"


def test_a_missing_environment_file_is_told(boot):
    services = {"bad": 'environment-files = ["/no/such.env"]\ntype = "oneshot"\noptional = true\ncommand = ["true"]\n'}
    result = boot(["sh", "-c", "exit 3"], services).wait()
    assert result.code == 3 and "bad" in result.err and "/no/such.env" in result.err, result


def test_an_unset_variable_without_default_names_key_file_and_line(boot):
    services = {"bad": 'type = "oneshot"\noptional = true\ncommand = ["echo", "${NOT_SET}"]\n'}
    result = boot(["sh", "-c", "exit 3"], services).wait()
    assert result.code == 3 and "NOT_SET" in result.err and "bad.toml:3" in result.err, result


def test_a_variable_with_a_message_says_it(boot):
    services = {"bad": 'type = "oneshot"\noptional = true\ncommand = ["echo", "${KEY:?set it with docker run -e KEY=...}"]\n'}
    result = boot(["true"], services).wait()
    assert "set it with docker run -e KEY=..." in result.err, result


def test_the_command_is_looked_up_on_the_services_own_path(boot):
    folder = boot.folder / "bin"
    folder.mkdir()
    (folder / "only-here").write_text(f"#!/bin/sh\ntouch {boot.folder}/found\n")
    (folder / "only-here").chmod(0o755)
    services = {"web": 'type = "oneshot"\ncommand = ["only-here"]\n[environment]\nPATH = "@/bin:/usr/bin:/bin"\n'}
    boot(["true"], services).wait()
    assert (boot.folder / "found").exists()


def test_a_script_may_name_its_interpreter(boot):
    script = f"type = \"oneshot\"\nscript = '''#!{sys.executable}\nopen(\"@/py\", \"w\").write(\"python\")\n'''\n"
    result = boot(["true"], {"web": script}).wait()
    assert (boot.folder / "py").exists() and (boot.folder / "py").read_text() == "python", result


def test_a_script_ends_at_the_first_command_that_fails(boot):
    services = {"web": "type = \"oneshot\"\nscript = '''\nfalse\ntouch @/went-on\n'''\n"}
    assert boot(["true"], services).wait().code == 1
    assert not (boot.folder / "went-on").exists()


def service_status(boot, life):
    life.until(lambda: (boot.folder / "pid").exists() and (boot.folder / "pid").read_text().strip(), "it is up")
    pid = life.inside(int((boot.folder / "pid").read_text()))
    # Until its exec the shell may still be busy with what it did last; it blocks signals for that.
    life.until(lambda: status(pid).get("Name") == "sleep", "the shell has become sleep")
    return pid


STAYS = "script = 'echo $$ > @/pid.new; mv @/pid.new @/pid; exec sleep 1000'\n"


def ignore_and_block():
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTTOU, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGTERM, signal.SIGTTIN, signal.SIGUSR2, 40})


def test_a_service_starts_with_default_signals_and_an_empty_mask(boot):
    life = boot(["sleep", "1000"], {"web": STAYS}, preexec=ignore_and_block)
    table = status(service_status(boot, life))
    # An emulator keeps the signals of its own libc from the program.
    own = {32, 33} if EMULATED else set()
    assert signal_set(table["SigIgn"]) <= own and signal_set(table["SigBlk"]) == set()


def test_each_service_leads_a_session_and_a_group_of_its_own(boot):
    life = boot(["sleep", "1000"], {"web": STAYS, "other": STAYS.replace("@/pid", "@/other")})
    pid = service_status(boot, life)
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    assert int(fields[2]) == pid or status(pid)["NSpgid"].split()[-1] == status(pid)["NSpid"].split()[-1]
    assert status(pid)["NSsid"].split()[-1] == status(pid)["NSpid"].split()[-1]


def test_a_service_has_descriptors_0_1_and_2_only(boot):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    life = boot(["sleep", "1000"], {"web": STAYS, "other": STAYS.replace("@/pid", "@/other")},
                preexec=lambda: os.dup2(write, 9))
    pid = service_status(boot, life)
    # The shell of the service has one more open while it writes its file.
    until(lambda: sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"], "just these three")
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    os.close(read)
    os.close(write)


def test_stdin_can_be_inherited(boot):
    (boot.folder / "input").write_text("hello\n")
    with open(boot.folder / "input") as stdin:
        boot(["sleep", "0.1"], {"web": "type = \"oneshot\"\nstdin = \"inherit\"\nscript = 'cat > @/copy'\n"}, stdin=stdin).wait()
    assert (boot.folder / "copy").read_text() == "hello\n"


def limit_processes(count):
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_NPROC, (count, count))


@root_only
@pytest.mark.native("the emulator has threads of its own, which count")
def test_a_lack_of_processes_is_told_and_passes(boot):
    # Two processes at most: the init and one more. The second service gets its turn when the first is gone.
    services = {
        "a-holder": "command = [\"sleep\", \"1.5\"]\n[restart]\npolicy = \"never\"\n",
        "b-late": 'command = ["touch", "@/late"]\n[restart]\npolicy = "never"\n',
    }
    life = boot([], services, how="user", preexec=limit_processes(2))
    life.until_err("Resource temporarily unavailable")
    assert "b-late" in life.stderr() and "process" in life.stderr(), life.said()
    life.until((boot.folder / "late").exists, "it is started when there is room")
    assert life.stop().code in (0, 143)
