"""`hermes-init exec` and `hermes-init shim`: a program run from outside as a service is run, on the release binary."""

import os
import pwd
import re
import signal
import subprocess
import sys

import pytest
from harness import AM_ROOT, BINARY, ORDINARY, ROOT, namespace, reachable, until
from terminal import Terminal

root_only = pytest.mark.skipif(not AM_ROOT, reason="needs root to become somebody")

NOBODY = pwd.getpwnam("nobody")
# What a service has and a program beside it has not.
OWN = {"PWD", "OLDPWD", "SHLVL", "_"}


def run(words, *, options=(), user=None, env=None, cwd=None, preexec=None, input=None):
    """`hermes-init exec …` where there is no init."""
    command = [str(reachable()), "exec", *options, *words]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True, errors="surrogateescape", env=env, cwd=cwd,
                          preexec_fn=preexec, input=input)


@pytest.fixture
def like(boot):
    """Runs a program like the service "web" of that text: like(text, words)."""

    def like(text, words, *, service="web", more={}, options=(), **how):
        boot.services({"web": text, **more})
        return run(["--", *words], options=["--config", str(boot.config), "--like", service, *options], **how)

    return like


def environment(text):
    return dict(entry.split("=", 1) for entry in text.split("\0") if entry)


# A user alone

@root_only
@pytest.mark.plain
def test_a_user_alone_has_its_groups_and_home_and_nothing_else_changes():
    done = run(["sh", "-c", "id -u; id -g; id -G; echo $HOME $USER $LOGNAME $SHELL; echo $KEPT; pwd; umask"], options=["--user", "nobody"],
               env={"PATH": os.environ["PATH"], "KEPT": "as it was", "HOME": "/root"}, cwd="/usr", preexec=lambda: os.umask(0o027))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [str(NOBODY.pw_uid), str(NOBODY.pw_gid)]
    assert set(lines[2].split()) == {str(group) for group in os.getgrouplist("nobody", NOBODY.pw_gid)}
    assert lines[3:] == [f"{NOBODY.pw_dir} nobody nobody {NOBODY.pw_shell}", "as it was", "/usr", "0027"]


@root_only
@pytest.mark.plain
@pytest.mark.parametrize("user, shown", [("nobody:daemon", f"{NOBODY.pw_uid} 1 1"), ("12345", "12345 12345 12345"),
                                         ("12345:54321", "12345 54321 54321"), (f"{NOBODY.pw_uid}:7", f"{NOBODY.pw_uid} 7 7")])
def test_a_group_that_is_named_is_the_only_one_and_numbers_need_no_name(user, shown):
    done = run(["sh", "-c", "echo $(id -u) $(id -g) $(id -G)"], options=[f"--user={user}"])
    assert (done.returncode, done.stdout) == (0, shown + "\n"), done.stderr


@root_only
@pytest.mark.plain
def test_nothing_of_root_is_left():
    done = run(["cat", "/proc/self/status"], options=["--user", "nobody"])
    fields = dict(line.split(":\t", 1) for line in done.stdout.splitlines())
    assert fields["Uid"].split() == [str(NOBODY.pw_uid)] * 4 and fields["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert fields["CapPrm"] == fields["CapEff"] == fields["CapAmb"] == "0" * 16


@root_only
@pytest.mark.plain
@pytest.mark.parametrize("user", ["{0}", "{0}:{0}"])
def test_who_is_that_user_already_may_be_it(user):
    done = run(["id", "-u"], options=["--user", user.format(ORDINARY)], user=ORDINARY)
    assert (done.returncode, done.stdout) == (0, f"{ORDINARY}\n"), done.stderr


@root_only
@pytest.mark.plain
@pytest.mark.parametrize("user", ["root", "nobody", "0:0", "{0}:1"])
def test_another_user_is_refused_to_who_is_not_root(user):
    done = run(["id", "-u"], options=["--user", user.format(ORDINARY)], user=ORDINARY)
    assert done.returncode == 77 and done.stdout == "", done
    assert done.stderr.startswith("hermes-init exec: cannot run ") and "docker exec --user root" in done.stderr, done.stderr


@root_only
@pytest.mark.plain
def test_root_that_may_not_change_user_is_refused_and_root_itself_is_fine():
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups"]
    words = [*drop, str(reachable()), "exec", "--user"]
    done = subprocess.run([*words, "nobody", "id"], capture_output=True, text=True)
    assert done.returncode == 77 and "CAP_SETGID" in done.stderr and done.stdout == "", done
    # Its groups of /etc/group are those that it has.
    done = subprocess.run([*words, "root:root", "id", "-u"], capture_output=True, text=True)
    assert done.returncode == 77 and "supplementary groups" in done.stderr, done
    done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--groups=0", str(reachable()), "exec", "--user", "root:root",
                           "id", "-u"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "0\n"), done


@pytest.mark.plain
@pytest.mark.parametrize("user, why", [("nobodi", "there is no such user"), ("nobody:nogruop", "there is no such group"),
                                       ("4294967295", "there is no such user")])
def test_a_user_that_is_not_there_is_refused(user, why):
    done = run(["id"], options=["--user", user])
    assert done.returncode == 77 and why in done.stderr and done.stdout == "", done


@pytest.mark.plain
@pytest.mark.parametrize("words, why", [
    ([], "as whom"), (["id"], "as whom"), (["--user"], "--user needs a value"), (["--user", ":x", "id"], "--user cannot be :x"),
    (["--user", "a:", "id"], "--user cannot be a:"), (["--user=root"], "needs a program"), (["--user=root", "--"], "needs a program"),
    (["--usr", "root", "id"], "has no option --usr"), (["--like"], "--like needs a value"), (["--config=", "--like", "a", "b"], "--config needs"),
])
def test_a_wrong_command_line_says_what_is_wrong(words, why):
    done = run(words)
    assert done.returncode == 64 and why in done.stderr and done.stdout == "", done


# The program

@pytest.mark.plain
@pytest.mark.parametrize("options", [["--user", str(os.getuid())], ["--user", f"{os.getuid()}:{os.getgid()}"]])
def test_it_is_the_same_process_and_its_exit_code_is_the_programs(options):
    process = subprocess.Popen([str(reachable()), "exec", *options, "sh", "-c", "echo $$; exit 42"], stdout=subprocess.PIPE, text=True)
    assert process.communicate()[0] == f"{process.pid}\n" and process.returncode == 42
    assert run(["sh", "-c", "kill -KILL $$"], options=options).returncode == -9


@pytest.mark.plain
def test_words_behind_the_program_are_its_own():
    done = run(["printf", "%s,", "--user", "--", "-h", "", "b c"], options=["--user", str(os.getuid())])
    assert done.stdout == "--user,--,-h,,b c,", done
    done = run(["--", "printf", "%s,", "--"], options=["--user", str(os.getuid())])
    assert done.stdout == "--,", done


@pytest.mark.plain
@pytest.mark.native("a program finds ignored what qemu-user ignores, not what the emulated one did")
def test_descriptors_signals_and_bytes_that_are_no_text_stay_as_they_are(tmp_path):
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(other, True)
    before = (f"import os, signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); "
              f"os.execv({str(reachable())!r}, ['hermes-init', 'exec', '--user', '{os.getuid()}', 'bash', '-c', "
              f"'cat; echo here >&{other}; tr \"\\\\0\" \"\\\\n\" </proc/$$/environ | grep -a ^ODD=; grep ^Sig /proc/$$/status'])")
    env = {**{key.encode(): value.encode("utf-8", "surrogateescape") for key, value in os.environ.items()}, b"ODD": b"\xff\n"[:1]}
    done = subprocess.run([sys.executable, "-c", before], input=b"from stdin\n", capture_output=True, env=env, close_fds=False)
    os.close(other)
    assert done.returncode == 0, done
    assert done.stdout.startswith(b"from stdin\n") and b"ODD=\xff\n" in done.stdout
    assert (tmp_path / "other").read_text() == "here\n"
    fields = dict(line.split(b":\t") for line in done.stdout.splitlines() if line.startswith(b"Sig"))
    assert int(fields[b"SigIgn"], 16) >> (signal.SIGUSR1 - 1) & 1 and int(fields[b"SigBlk"], 16) == 1 << (signal.SIGUSR2 - 1)


@pytest.mark.plain
def test_a_program_that_is_not_there_or_not_executable(tmp_path):
    (tmp_path / "no").write_text("")
    (tmp_path / "script").write_text("#!/no/such/shell\n")
    (tmp_path / "script").chmod(0o755)
    options = ["--user", str(os.getuid())]
    for words, code, why in [(["no-such-program"], 127, "not found on PATH"), ([str(tmp_path / "no")], 126, "not executable"),
                             ([str(tmp_path / "nothing")], 127, "no such file"), ([str(tmp_path)], 126, "it is a folder"),
                             ([str(tmp_path / "script")], 127, "/no/such/shell")]:
        done = run(words, options=options)
        assert done.returncode == code and why in done.stderr, (words, done)


def test_the_terminal_stays_the_programs():
    terminal = Terminal([str(reachable()), "exec", "--user", str(os.getuid()), "--", "bash", "--norc"], rows=33, columns=77)
    try:
        terminal.send("stty size; tty; echo is-$((40+2))\n")
        terminal.until("33 77")
        terminal.until("/dev/pts/")
        terminal.until("is-42")
        terminal.send("sh -c 'echo runs-$((1+1)); exec sleep 1000'\n")
        terminal.until("runs-2")
        terminal.press("\x1a", "Stopped")
        # The first only tells of the job.
        terminal.send("exit 7\nexit 7\n")
        assert terminal.wait() == 7
    finally:
        terminal.end()


# Like a service

FULL = """
command = ["sh", "-c", "tr '\\\\0' '\\\\n' </proc/$$/environ >/dev/null; cp /proc/$$/environ @/env; cp /proc/$$/limits @/limits; umask >@/umask; pwd >@/pwd; cp /proc/$$/status @/status; nice >@/nice; cat /proc/$$/oom_score_adj >@/oom; touch @/done; exec sleep 1000"]
user = "nobody"
directory = "/usr"
umask = "0137"
nice = 3
oom-score-adj = 321
environment-files = ["@/web.env"]
[environment]
GREETING = "hello ${NAME:-you}, ${HERMES_INIT_SERVICE:-}"
HOME = "@"
GONE = false
[limits]
nofile = "100:200"
core = 0
[security]
no-new-privileges = true
capabilities = ["CHOWN", "KILL"]
keep-groups = true
"""


@root_only
def test_everything_is_as_the_service_has_it_itself(boot):
    (boot.folder / "web.env").write_text("FROM_FILE='a b'\n")
    settings = '[environment]\nFROM_INIT = "settings"\n'
    env = {"PATH": os.environ["PATH"], "NAME": "world", "GONE": "still there", "HOME": "/root", "ODD": "two\nlines"}
    life = boot(["sleep", "1000"], {"web": FULL, "init": settings}, env=env)
    life.until((boot.folder / "done").exists, "the service has written down what it is")
    own = {name: (boot.folder / name).read_text() for name in ["env", "limits", "umask", "pwd", "status", "nice", "oom"]}
    for name in [*own, "done"]:
        (boot.folder / name).unlink()
    script = FULL.split('"-c", "')[1].split("; exec sleep")[0].replace("@", str(boot.folder)).replace('\\\\', '\\')
    command = ["nsenter", "--target", str(life.pid), "--pid", "--mount", "--", str(reachable()), "exec", "--config", str(boot.config), "--like",
               "web", "sh", "-c", script]
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done
    now = {name: (boot.folder / name).read_text() for name in own}
    assert environment(now.pop("env")) == environment(own["env"]) | {}
    assert environment(own.pop("env"))["GREETING"].startswith("hello world")

    def told(text):
        keys = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Umask")
        return sorted(line for line in text.splitlines() if line.startswith(keys))

    assert told(now.pop("status")) == told(own.pop("status"))
    assert now == own


@root_only
def test_what_stages_exported_is_there_with_lines_in_it_and_the_numbers_that_they_gave(boot):
    (boot.folder / "plugin").write_text(
        "#!/bin/sh\ncat >/dev/null\necho 'PLAIN=from a plugin' >&3\necho 'EQUALS=a=b' >&3\necho 'EMPTY=' >&3\n")
    (boot.folder / "plugin").chmod(0o755)
    secrets = boot.folder / "secrets"
    secrets.mkdir()
    (secrets / "key").write_text("one\ntwo\n\nthree")
    services = {
        "told": 'plugin = "@/plugin"\n', "hidden": 'plugin = "secrets"\nrequires = ["told"]\noptions.from = ["@/secrets"]\n',
        "web": 'requires = ["hidden"]\nscript = "cp /proc/$$/environ @/env.new; mv @/env.new @/env; exec sleep 1000"\n',
    }
    life = boot(["sleep", "1000"], services, before=RUN)
    life.until((boot.folder / "env").exists, "the service runs")
    done = life.enter([str(reachable()), "exec", "--config", str(boot.config), "--like", "web", "cat", "/proc/self/environ"])
    assert done.code == 0, done
    now, own = environment(done.out), environment((boot.folder / "env").read_text())
    for name in OWN:
        own.pop(name, None), now.pop(name, None)
    assert now == own and now["PLAIN"] == "from a plugin" and now["EQUALS"] == "a=b" and now["EMPTY"] == ""
    assert "one\ntwo\n\nthree" in now.values(), now
    # Its values may be secrets: nobody else reads them, and who is not root is told.
    listing = life.enter(["stat", "-c", "%a %u", "/run/hermes-init/exports"])
    assert listing.out == "600 0\n", listing
    done = life.enter([str(reachable()), "exec", "--config", str(boot.config), "--like", "web", "sh", "-c", "echo ${PLAIN-unset}"], user=ORDINARY)
    assert done.out == "unset\n" and "only root and the init's own user may read it" in done.err, done
    # And with a user alone nothing is added.
    done = life.enter([str(reachable()), "exec", "--user", "nobody", "sh", "-c", "echo ${PLAIN-unset}"])
    assert (done.out, done.err) == ("unset\n", ""), done


@root_only
@pytest.mark.parametrize("remove", ["rm -rf /run/hermes-init", "rm /run/hermes-init/*"], ids=["folder", "files"])
def test_what_stages_exported_comes_back_after_somebody_has_emptied_run(boot, remove):
    (boot.folder / "plugin").write_text("#!/bin/sh\ncat >/dev/null\necho 'TOLD=yes' >&3\n")
    (boot.folder / "plugin").chmod(0o755)
    services = {"told": 'plugin = "@/plugin"\n', "web": 'requires = ["told"]\nscript = "echo $$ >>@/runs; exec sleep 1000"\n[restart]\ndelay = 0\n'}
    life = boot(["sleep", "1000"], services, before=RUN)
    runs = boot.folder / "runs"
    life.until(lambda: runs.exists() and runs.read_text(), "the service runs")

    def told():
        return life.enter([str(reachable()), "exec", "--config", str(boot.config), "--like", "web", "sh", "-c", "echo ${TOLD-unset}"])

    life.until(lambda: life.health().code == 0, "the status is written")
    assert told().out == "yes\n"
    assert life.enter(["sh", "-c", remove]).code == 0
    done = told()
    assert done.out == "unset\n" and (remove[3] != "-" or "the init that runs here has no folder /run/hermes-init" in done.err), done
    os.kill(life.inside(int(runs.read_text())), signal.SIGKILL)
    life.until(lambda: len(runs.read_text().split()) == 2, "the service is there again")
    life.until(lambda: told().out == "yes\n", "the file is there again")


# The namespace's own /run, so that inits side by side have files of their own.
RUN = "mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev/shm"


@root_only
def test_numbers_that_a_stage_gave_where_etc_cannot_be_written(boot):
    services = {"who": 'plugin = "uid-remap"\noptions = { user = "nobody", uid-from = ["NEW_UID"], gid-from = ["NEW_GID"] }\n',
                "web": 'requires = ["who"]\nuser = "nobody"\nscript = "id -u >@/uid.new; id -G >>@/uid.new; mv @/uid.new @/uid; exec sleep 1000"\n'}
    life = boot(["sleep", "1000"], services, before=RUN + "; mount --bind /etc /etc; mount -o remount,bind,ro /etc",
                env=dict(os.environ, NEW_UID="4711", NEW_GID="4712"))
    life.until((boot.folder / "uid").exists, "the service runs")
    own = (boot.folder / "uid").read_text()
    assert own == "4711\n4712\n"
    for options in [["--config", str(boot.config), "--like", "web"], ["--user", "nobody"]]:
        done = life.enter([str(reachable()), "exec", *options, "sh", "-c", "id -u; id -G"])
        assert (done.code, done.out) == (0, own), done


@root_only
@pytest.mark.parametrize("make, why", [
    ("ln -s /tmp/evil exports", "it is a link"), ("cp /tmp/evil exports; chown 1234 exports", "neither root nor the caller"),
    ("cp /tmp/evil exports; chmod 666 exports", "neither root nor the caller"), ("mkfifo exports", "neither root nor the caller"),
    ("mkdir exports", "neither root nor the caller"), ("echo nonsense >exports", "was not written by hermes-init"),
    (": >exports", "was not written by hermes-init"), ("truncate -s 5M exports", "too large"),
    ("cp /tmp/evil exports; chown 1234 .", "neither root nor the caller"), ("cp /tmp/evil exports; chmod 777 .", "neither root nor the caller"),
    ("cp /tmp/evil exports; mv /run/hermes-init /tmp/elsewhere; ln -s /tmp/elsewhere /run/hermes-init", "it is a link"),
])
def test_a_file_of_exports_that_another_may_have_written_is_not_believed(boot, make, why):
    boot.services({"web": "command = ['true']\n"})
    good = r"""printf '=init 1 %s\0EVIL=yes\0' "$(cut -d' ' -f22 /proc/1/stat)" >/tmp/evil; """
    script = (f"{RUN}; mkdir /run/t; mkdir -p /run/hermes-init; cd /run/hermes-init; "
              + (good + make).replace("/tmp/", "/run/t/") + f'; exec {reachable()} exec --config "$1" --like web sh -c \'echo ${{EVIL-unset}}\'')
    done = subprocess.run([*namespace(), "sh", "-c", script, "sh", str(boot.config)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "unset\n") and why in done.stderr, done


@root_only
def test_what_a_former_life_left_is_not_believed_and_a_good_file_is(boot):
    boot.services({"web": "command = ['true']\n"})
    for start, shown in [("1", "unset"), ("$(cut -d' ' -f22 /proc/1/stat)", "yes")]:
        script = (f"{RUN}; mkdir /run/hermes-init; cd /run/hermes-init; printf '=init 1 %s\\0GOOD=yes\\0' \"{start}\" >exports; chmod 600 exports; "
                  f"{reachable()} exec --config \"$1\" --like web sh -c 'echo ${{GOOD-unset}}'")
        done = subprocess.run([*namespace(), "sh", "-c", script, "sh", str(boot.config)], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, shown + "\n", ""), done


def test_without_exports_there_is_no_file_and_with_the_init_it_goes(boot):
    life = boot(["sh", "-c", "touch @/up; exec sleep 1000".replace("@", str(boot.folder))], {"web": "command = ['sleep', '1000']\n"}, before=RUN if AM_ROOT else None)
    life.until((boot.folder / "up").exists, "main runs")
    if AM_ROOT:
        life.until(lambda: "status" in life.enter(["ls", "/run/hermes-init"]).out, "the status is there")
        assert life.enter(["ls", "/run/hermes-init"]).out == "control.sock\nstatus\n"


@root_only
@pytest.mark.plain
def test_a_user_on_the_command_line_takes_the_place_of_the_services_user_and_groups(like):
    service = 'user = "nobody"\ngroup = "daemon"\ngroups = ["sys"]\ndirectory = "/usr"\nscript = "true"\n[environment]\nA = "b"\n'
    done = like(service, ["sh", "-c", "echo $(id -u) $(id -g) $(id -G) $HOME $A $(pwd)"])
    assert done.stdout == f"{NOBODY.pw_uid} 1 1 3 {NOBODY.pw_dir} b /usr\n" or done.stdout == f"{NOBODY.pw_uid} 1 3 {NOBODY.pw_dir} b /usr\n", done
    done = like(service, ["sh", "-c", "echo $(id -u) $(id -g) $(id -G) $A $(pwd)"], options=["--user", "1:2"])
    assert done.stdout == "1 2 2 b /usr\n", done
    done = like(service, ["pwd"], options=["--here"], cwd="/etc")
    assert done.stdout == "/etc\n", done


@pytest.mark.plain
def test_files_of_other_services_are_not_looked_at_but_its_own_and_init_toml_are(like, boot):
    (boot.config / "web.d").mkdir()
    (boot.config / "web.d" / "10.toml").write_text('[environment]\nB = "drop-in"\n')
    done = like('script = "true"\nrequires = ["not-there"]\n[environment]\nA = "file"\n', ["sh", "-c", "echo $A $B $C $HERMES_INIT_SERVICE"],
                more={"broken": "no toml", "init": '[environment]\nC = "init"\n'})
    assert (done.returncode, done.stdout, done.stderr) == (0, "file drop-in init web\n", ""), done


@pytest.mark.plain
@pytest.mark.parametrize("files, service, code, why", [
    ({"web": "comand = ['true']\n"}, "web", 78, "unknown-key"), ({"web": "command = [\n"}, "web", 78, "web.toml:"),
    ({"web": "command = ['true']\n", "init": "[environmnt]\n"}, "web", 78, "init.toml"),
    ({"web": "command = ['true']\n[environment]\nA = '${NO_SUCH_NAME}'\n"}, "web", 78, "NO_SUCH_NAME is not set"),
    ({"web": "command = ['true']\n"}, "wbe", 64, "did you mean web?"), ({"web": "command = ['true']\n"}, "../config/web", 64, "there is no service"),
    ({"web": "command = ['true']\n"}, "init", 64, "there is no service init"), ({"web": ""}, "web", 64, "there is no service web"),
    ({"web": "type = 'group'\nrequires = ['a']\n"}, "web", 64, "it is a group"),
    ({"web": "command = ['true']\ndirectory = '/no/such'\n"}, "web", 126, "cannot enter the directory /no/such"),
    ({"web": "command = ['true']\nenvironment-files = ['/no/such']\n"}, "web", 78, "cannot read /no/such"),
    ({"web": "command = ['true']\n"}, "gateway@writer", 64, "there is no service gateway@writer"),
])
def test_what_is_wrong_with_a_service_is_said(boot, files, service, code, why):
    boot.services(files)
    done = run(["true"], options=["--config", str(boot.config), "--like", service])
    assert done.returncode == code and why in done.stderr and done.stdout == "", done


@pytest.mark.plain
def test_a_folder_that_is_named_must_be_there(tmp_path):
    done = run(["true"], options=["--config", str(tmp_path / "no"), "--like", "web"])
    assert done.returncode == 78 and "cannot read the configuration folder" in done.stderr, done


@root_only
@pytest.mark.plain
def test_a_service_of_another_user_is_refused_to_who_is_not_root(boot):
    boot.services({"web": "user = 'nobody'\ncommand = ['true']\n", "limits": "command = ['true']\n[limits]\nnofile = 999999999\n",
                   "caps": "command = ['true']\n[security]\ncapabilities = ['CHOWN']\n"})
    for service, why in [("web", "cannot run as user nobody"), ("limits", "cannot set the limit nofile"), ("caps", "cannot keep CAP_CHOWN")]:
        done = run(["true"], options=["--config", str(boot.config), "--like", service], user=ORDINARY)
        assert done.returncode == 77 and why in done.stderr, done


@pytest.mark.plain
def test_the_name_of_the_service_is_that_of_the_one_it_is_like_or_stays_the_callers(like):
    caller = {"PATH": os.environ["PATH"], "HERMES_INIT_SERVICE": "gateway@a", "HERMES_INIT_INSTANCE": "a"}
    words = ["sh", "-c", "echo ${HERMES_INIT_SERVICE-none} ${HERMES_INIT_INSTANCE-none}"]
    assert like("command = ['true']\n", words, env=caller).stdout == "web none\n"
    assert run(words, options=["--user", str(os.getuid())], env=caller).stdout == "gateway@a a\n"
    del caller["HERMES_INIT_SERVICE"], caller["HERMES_INIT_INSTANCE"]
    assert run(words, options=["--user", str(os.getuid())], env=caller).stdout == "none none\n"


@pytest.mark.plain
def test_an_instance_of_a_template(boot):
    boot.services({"gateway@.toml": 'command = ["true"]\n[environment]\nWHO = "${HERMES_INIT_INSTANCE}"\n'})
    if "unsupported-template" in boot.run(["--check", "--files-only", "--config", str(boot.config)], how="plain").wait().out:
        pytest.skip("this version has no templates")
    words = ["sh", "-c", "echo $HERMES_INIT_SERVICE $HERMES_INIT_INSTANCE $WHO"]
    done = run(words, options=["--config", str(boot.config), "--like", "gateway@writer"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "gateway@writer writer writer\n", ""), done
    for name in ["gateway", "gateway@", "gateway@.x"]:
        done = run(words, options=["--config", str(boot.config), "--like", name])
        assert done.returncode == 64 and "there is no service" in done.stderr, done


# Shims

@pytest.fixture
def shim(boot):
    """A shim for a program that tells who it is: shim(text) gives its path."""
    boot.services({"main": 'type = "main"\ncommand = ["true"]\nuser = "nobody"\numask = "0022"\ndirectory = "/usr"\n[environment]\nHOME = "/data"\n'})
    real = boot.folder / "real"
    real.mkdir()
    (real / "tool").write_text("#!/bin/sh\necho $(id -u) $HOME $(pwd) ${HERMES_INIT_SERVICE-none} \"$@\"\nexit 5\n")
    (real / "tool").chmod(0o755)

    def make(text=None, name="tool"):
        folder = boot.folder / "bin"
        folder.mkdir(exist_ok=True)
        text = text or f'like = "main"\ncommand = ["{real}/tool", "first"]\nunless-env = "STAY_ROOT"\n'
        (folder / name).write_text(f'#!{reachable()} shim\n# a comment\nconfig = ["{boot.config}"]\n{text}')
        (folder / name).chmod(0o755)
        return str(folder / name)

    return make


def tool(path, *words, env={}, user=None):
    command = [path, *words]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True, cwd="/etc", env={"PATH": os.environ["PATH"], "HOME": "/root", **env})


@root_only
@pytest.mark.plain
def test_a_shim_makes_root_the_services_user_and_stays_where_it_is(shim):
    done = tool(shim(), "chat", "--like", "-q", "a b")
    assert (done.returncode, done.stdout, done.stderr) == (5, f"{NOBODY.pw_uid} /data /etc main first chat --like -q a b\n", ""), done


@root_only
@pytest.mark.plain
@pytest.mark.parametrize("value, uid", [("1", "0 /root"), ("yes", "0 /root"), ("0", f"{NOBODY.pw_uid} /data"), ("", f"{NOBODY.pw_uid} /data")])
def test_a_variable_leaves_root_root(shim, value, uid):
    assert tool(shim(), env={"STAY_ROOT": value}).stdout.startswith(uid)


@root_only
@pytest.mark.plain
def test_another_user_gets_the_program_unchanged(shim):
    done = tool(shim(), "x", user=ORDINARY)
    assert (done.returncode, done.stdout) == (5, f"{ORDINARY} /root /etc none first x\n"), done
    # The services are another user: they run it as what they are.
    done = tool(shim(), "x", user=NOBODY.pw_uid, env={"HERMES_INIT_SERVICE": "web"})
    assert done.stdout == f"{NOBODY.pw_uid} /root /etc web first x\n", done


@root_only
@pytest.mark.plain
@pytest.mark.parametrize("text, why", [
    ('like = "main"\ncommand = ["@/bin/tool"]\n', "would never end"), ('like = "main"\ncommand = ["@/link"]\n', "would never end"),
    ('like = "main"\ncommand = ["tool"]\n', "whole path"), ('like = "main"\n', "whole path"), ('command = ["/bin/true"]\n', "does not say like"),
    ('lik = "main"\ncommand = ["/bin/true"]\n', "no key lik"), ('like = 5\n', "like is no string"), ('like = "main"\ncommand = "/bin/true"\n', "no list"),
    ('like = [\n', "tool:"), ('user = "a:"\ncommand = ["/bin/true"]\n', "--user cannot be a:"),
])
def test_a_shim_that_cannot_work_says_so(shim, boot, text, why):
    (boot.folder / "link").symlink_to(boot.folder / "bin" / "tool")
    done = tool(shim(text.replace("@", str(boot.folder))))
    assert done.returncode == 78 and why in done.stderr, done


@root_only
@pytest.mark.plain
def test_a_shim_that_is_refused_names_the_way_around(shim):
    path = shim()
    done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", path], capture_output=True, text=True, cwd="/etc")
    assert done.returncode == 77 and "STAY_ROOT=1 leaves it to root" in done.stderr and done.stderr.startswith(path), done
    done = tool(shim(text='like = "main"\ncommand = ["/no/such/tool"]\n'))
    assert done.returncode == 127, done


@pytest.mark.plain
def test_the_shim_of_the_image_is_one():
    text = (ROOT / "image" / "opt-hermes-bin" / "hermes").read_text()
    assert text.startswith("#!/usr/local/bin/hermes-init shim\n")
    assert os.access(ROOT / "image" / "opt-hermes-bin" / "hermes", os.X_OK)
    # Its program is not there: it says so, and has no other complaint.
    shown = subprocess.run([str(BINARY), "shim", str(ROOT / "image" / "opt-hermes-bin" / "hermes")], capture_output=True, text=True,
                           env={"HERMES_DOCKER_EXEC_AS_ROOT": "1"})
    assert shown.returncode in (126, 127) and "/opt/hermes/.venv/bin/hermes" in shown.stderr, shown


# The manual

PAGE = (ROOT / "docs" / "exec.md").read_text()


@root_only
@pytest.mark.parametrize("kind", ["console", "console like"])
def test_the_examples_of_the_manual_are_right(boot, kind):
    """Every `$ line` is run by a shell; what stands below it is what it says."""
    commands = []
    for block in re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append([line[2:], ""])
            else:
                commands[-1][1] += line + "\n"
    assert commands
    app = re.search(r"^```toml name=app.toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    (boot.folder / "app.toml").write_text(app)
    for command, expected in commands:
        script = f"{RUN}; mkdir /run/hermes-init.d; cp {boot.folder}/app.toml /run/hermes-init.d; {command}"
        done = subprocess.run([*namespace(), "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={"PATH": f"{reachable().parent}:{os.environ['PATH']}"}, cwd="/")
        assert done.stdout == expected, command


@pytest.mark.plain
def test_the_shim_of_the_manual_is_one(shim, boot):
    text = re.search(r"^```toml shim\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    first, rest = text.split("\n", 1)
    assert first == "#!/usr/local/bin/hermes-init shim"
    done = tool(shim(rest), env={"APP_AS_ROOT": "on"})
    assert done.returncode == 127 and "/opt/app/libexec/app" in done.stderr, done
