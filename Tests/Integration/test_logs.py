"""[log], whole: where the lines of a service go, the files they are written to, and what happens when there is no room."""

import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time

import pytest
from harness import AM_ROOT, ORDINARY, alive, descendants, status, until

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
needs_root = pytest.mark.skipif(not AM_ROOT, reason="only root may change the user, or mount")


def python(expression, log="", more="", kind="oneshot"):
    """A service that runs a piece of Python."""
    return (f"type = \"{kind}\"\ncommand = [\"{sys.executable}\", \"-c\", '''import sys, os, time; {expression}''']\n{more}\n"
            f"[log]\n{log}\n")


def counting(count, pad=60):
    return f"sys.stdout.writelines(\"line %d %s\\n\" % (i, \"x\" * {pad}) for i in range({count}))"


def files_of(folder, name="web.log"):
    """The rotated files, oldest first, and the current one."""
    numbers = sorted((int(path.name.rsplit(".", 1)[1]) for path in folder.glob(name + ".*")), reverse=True)
    return [folder / f"{name}.{number}" for number in numbers] + [folder / name]


def lines_of(folder, stamped=True, name="web.log"):
    lines = b"".join(path.read_bytes() for path in files_of(folder, name)).decode("utf-8", "backslashreplace").splitlines()
    if stamped:
        assert all(STAMP.match(line) for line in lines), [line for line in lines if not STAMP.match(line)][:3]
        lines = [line[25:] for line in lines]
    return lines


@pytest.fixture
def logs(boot):
    folder = boot.folder / "logs"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def writer_of(life):
    """The process that writes log files; None where there is none."""
    for pid in descendants(life.pid):
        if status(pid).get("Name") == "hermes-log" and alive(pid):
            return pid
    return None


# --- to -------------------------------------------------------------------------------------------------------------------


def test_json_is_one_object_a_line(boot):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
    (boot.folder / "bytes").write_bytes(b'plain\n\nquo"te \\ back\n\x00\x1b[1m\ttab\n\xff\xc3\xa9\xe2\x82\n')
    script = "cat @/bytes; echo bad >&2; printf 'no end' >&2"
    result = boot(["true"], {"web": f'type = "oneshot"\nscript = \"\"\"{script}\"\"\"\n[log]\nto = "json"\n'}).wait()
    out = [json.loads(line) for line in result.out.splitlines()]
    assert [entry["message"] for entry in out] == [
        "plain", "", "quo\"te \\ back", "\0\x1b[1m\ttab", "\ufffd\u00e9\ufffd\ufffd"], result
    err = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert [entry["message"] for entry in err] == ["bad", "no end"], result
    for entry in out + err:
        assert list(entry) == ["time", "service", "stream", "message"] and entry["service"] == "web"
        moment = datetime.datetime.strptime(entry["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        assert len(entry["time"]) == 24 and before < moment < datetime.datetime.now(datetime.timezone.utc)
    assert {entry["stream"] for entry in out} == {"stdout"} and {entry["stream"] for entry in err} == {"stderr"}


def test_json_tells_the_streams_apart_where_the_container_has_one(boot):
    read, write = os.pipe()
    life = boot(["true"], {"web": 'type = "oneshot"\nscript = "echo one; echo two >&2"\n[log]\nto = "json"\n'},
                stdout=write, stderr=write)
    os.close(write)
    assert life.wait().code == 0
    with open(read, "rb") as file:
        entries = [json.loads(line) for line in file.read().decode().splitlines() if line.startswith("{")]
    assert {(entry["stream"], entry["message"]) for entry in entries} == {("stdout", "one"), ("stderr", "two")}


def test_a_long_json_line_is_not_cut_within_a_character(boot):
    result = boot(["true"], {"web": python("sys.stdout.buffer.write(b\"a\" + b\"\\xc3\\xa9\" * 10000)", 'to = "json"')}).wait()
    text = [json.loads(line)["message"] for line in result.out.splitlines()]
    assert len(text) == 3 and "".join(text) == "a" + "é" * 10000


def test_null_keeps_the_lines_off(boot):
    result = boot(["echo", "mine"], {"web": 'type = "oneshot"\nscript = "echo hidden; echo hidden >&2"\n[log]\nto = "null"\n'}).wait()
    assert result.out == "mine\n" and "hidden" not in result.err, result


def test_inherit_gives_the_containers_own_descriptors(boot):
    body = "[open(\"@/\" + name, \"w\").write(os.readlink(f\"/proc/self/fd/{fd}\")) for fd, name in ((1, \"out\"), (2, \"err\"))]"
    life = boot(["readlink", "/proc/self/fd/1"], {"web": python(body + "; sys.stdout.write(\"no end\")", 'to = "inherit"')})
    result = life.wait()
    assert (boot.folder / "out").read_text().strip() == str(life.out_path), result
    assert (boot.folder / "err").read_text().strip() == str(life.err_path), result
    assert result.out == f"no end{life.out_path}\n", result


def test_main_inherits_where_its_file_does_not_say_otherwise(boot):
    life = boot((), {"main": 'type = "main"\ncommand = ["readlink", "/proc/self/fd/1"]\n'})
    assert life.wait().out == f"{life.out_path}\n"


@pytest.mark.parametrize("to, line", [("prefix", "[main] pipe"), ("json", '"message":"pipe')])
def test_main_is_piped_where_it_says_so(boot, to, line):
    services = {"main": f'type = "main"\ncommand = ["readlink", "/proc/self/fd/1"]\n[log]\nto = "{to}"\n'}
    result = boot((), services).wait()
    assert line in result.out and result.code == 0, result


def test_the_default_of_init_toml_holds(boot):
    services = {"init": '[log]\nto = "json"\n', "web": 'type = "oneshot"\nscript = "echo hello"\n'}
    assert json.loads(boot(["true"], services).wait().out)["message"] == "hello"


# --- files ----------------------------------------------------------------------------------------------------------------


def test_a_file_is_written_beside_the_container_log(boot, logs):
    services = {"web": 'type = "oneshot"\nscript = "echo one; echo two >&2; printf end"\n[log]\nfile = "@/logs/web.log"\n'}
    result = boot(["true"], services).wait()
    assert result.out == "[web] one\n[web] end\n" and "[web] two\n" in result.err, result
    assert sorted(lines_of(logs)) == ["end", "one", "two"]
    assert (logs / "web.log").stat().st_mode & 0o7777 == 0o640


def test_null_and_a_file_keep_the_order_of_both_streams(boot, logs):
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    services = {"web": f'type = "oneshot"\nscript = "{script}"\n[log]\nto = "null"\nfile = "@/logs/web.log"\ntimestamps = false\n'}
    assert boot(["true"], services).wait().code == 0
    assert lines_of(logs, stamped=False) == [f"{word} {i}" for i in range(1, 10) for word in ("out", "err")]


def test_the_path_may_hold_variables(boot, logs):
    services = {"web": 'type = "oneshot"\nscript = "echo hello"\n[log]\nfile = "${LOGS}/${HERMES_INIT_SERVICE}.log"\n'}
    assert boot(["true"], services, env={**os.environ, "LOGS": str(logs)}).wait().code == 0
    assert lines_of(logs) == ["hello"]


def test_a_path_that_is_not_whole_is_refused(boot):
    services = {"web": 'type = "oneshot"\nscript = "echo hello"\n[log]\nfile = "${LOGS}/web.log"\n'}
    result = boot(["true"], services, env={**os.environ, "LOGS": "logs"}).wait()
    assert result.code == 78 and "cannot use logs/web.log as [log] file" in result.err, result


@pytest.mark.parametrize("stamped", [True, False])
def test_rotation_neither_splits_nor_loses_a_line(boot, logs, stamped):
    count = 20_000
    log = f'to = "null"\nfile = "@/logs/web.log"\nmax-size = "64KiB"\nkeep = 1000\ntimestamps = {str(stamped).lower()}'
    assert boot(["true"], {"web": python(counting(count), log)}).wait().code == 0
    assert lines_of(logs, stamped) == [f"line {i} {'x' * 60}" for i in range(count)]
    files = files_of(logs)
    assert len(files) > 10
    for path in files:
        text = path.read_bytes()
        assert text.endswith(b"\n") and len(text) <= 64 * 1024
        if path != files[-1]:
            assert len(text) > 64 * 1024 - 120


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_no_more_than_keep_are_kept(boot, logs, keep):
    log = f'to = "null"\nfile = "@/logs/web.log"\nmax-size = 4096\nkeep = {keep}\ntimestamps = false'
    assert boot(["true"], {"web": python(counting(1000), log)}).wait().code == 0
    assert sorted(os.listdir(logs)) == ["web.log"] + [f"web.log.{i}" for i in range(1, keep + 1)]
    lines = lines_of(logs, stamped=False)
    assert lines == [f"line {i} {'x' * 60}" for i in range(1000)][-len(lines):]


def test_a_file_of_an_earlier_life_is_written_on_and_its_torn_line_ended(boot, logs):
    (logs / "web.log").write_text("before\ntorn")
    services = {"web": 'type = "oneshot"\nscript = "echo hello"\n[log]\nfile = "@/logs/web.log"\ntimestamps = false\n'}
    assert boot(["true"], services).wait().code == 0
    assert (logs / "web.log").read_text() == "before\ntorn\nhello\n"


def test_lines_of_8_kib_stay_whole_in_a_file(boot, logs):
    body = "sys.stdout.write((\"x\" * 8192 + \"\\n\") * 20 + \"y\" * 8193 + \"\\n\")"
    log = 'to = "null"\nfile = "@/logs/web.log"\nmax-size = 10000\nkeep = 100\ntimestamps = false'
    assert boot(["true"], {"web": python(body, log)}).wait().code == 0
    assert lines_of(logs, stamped=False) == ["x" * 8192] * 20 + ["y" * 8192, "y"]


@needs_root
def test_the_file_belongs_to_the_user_of_the_service(boot, logs):
    services = {"web": f'type = "oneshot"\nuser = "{ORDINARY}"\nscript = "echo hello"\n[log]\nfile = "@/logs/web.log"\n'}
    assert boot(["true"], services).wait().code == 0
    found = (logs / "web.log").stat()
    assert (found.st_uid, found.st_gid) == (ORDINARY, ORDINARY) and lines_of(logs) == ["hello"]


@needs_root
def test_a_group_of_the_service_opens_the_folder(boot, logs):
    os.chown(logs, 0, 54_321)
    logs.chmod(0o770)
    services = {"web": f'type = "oneshot"\nuser = "{ORDINARY}"\ngroups = ["54321"]\nscript = "echo hello"\n[log]\nfile = "@/logs/web.log"\n',
                "other": f'type = "oneshot"\nuser = "{ORDINARY}"\nscript = "echo hello"\n[log]\nfile = "@/logs/other.log"\n'}
    result = boot(["true"], services).wait()
    assert lines_of(logs) == ["hello"] and os.listdir(logs) == ["web.log"], result
    assert "other: cannot write its log file" in result.err, result


@pytest.mark.parametrize("how", ["plain", "user"])
def test_it_works_without_being_pid_1_or_root(boot, logs, how):
    life = boot(["sleep", "1000"], {"web": 'script = "echo hello; exec sleep 1000"\n[log]\nfile = "@/logs/web.log"\n'}, how=how)
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs) == ["hello"], "it is written")
    life.signal(signal.SIGTERM)
    assert life.wait().code == 143
    assert (logs / "web.log").stat().st_uid == (ORDINARY if how == "user" and AM_ROOT else os.geteuid())


@needs_root
def test_a_folder_that_the_user_may_not_write_to_is_told_of(boot, logs):
    logs.chmod(0o755)
    services = {"web": f'user = "{ORDINARY}"\nscript = "echo hello; exec sleep 1000"\n[log]\nfile = "@/logs/web.log"\n'}
    life = boot(["sleep", "1000"], services)
    life.until_err("cannot write its log file")
    life.until_out("[web] hello")
    assert f"{logs}/web.log: Permission denied; user {ORDINARY} needs the right" in life.stderr()
    assert os.listdir(logs) == []
    life.stop()


def test_a_missing_folder_is_told_of_and_not_made(boot):
    services = {"web": 'type = "oneshot"\nscript = "echo hello"\n[log]\nfile = "@/nowhere/web.log"\n'}
    result = boot(["true"], services).wait()
    assert f"web: cannot write its log file: the folder {boot.folder}/nowhere does not exist; make it" in result.err, result
    assert result.out == "[web] hello\n" and result.code == 0 and not (boot.folder / "nowhere").exists()


def test_make_folder_makes_the_folder_and_nothing_that_leads_to_it(boot):
    log = '[log]\nto = "raw"\nmake-folder = true\nfile = '
    services = {"web": f'type = "oneshot"\nscript = "echo hello"\n{log}"@/made/web.log"\n',
                "far": f'type = "oneshot"\nscript = "echo far"\n{log}"@/far/away/web.log"\n'}
    result = boot(["true"], services).wait()
    assert (boot.folder / "made" / "web.log").read_text().endswith("Z hello\n")
    assert f"far: cannot write its log file: the folder {boot.folder}/far does not exist; make it" in result.err, result
    assert not (boot.folder / "far").exists()
    # Both as they are.
    assert sorted(result.out.splitlines()) == ["far", "hello"] and result.code == 0


REFUSED = 'script = "while :; do echo hello; sleep 0.02; done"\n[log]\nto = "null"\nfile = "@/logs/web.log"\n'


@pytest.mark.parametrize("make, words", [
    (lambda folder: (folder / "logs/web.log").symlink_to(folder / "victim"), "logs/web.log is a symbolic link"),
    (lambda folder: (folder / "logs/web.log").mkdir(), "logs/web.log is a folder"),
    (lambda folder: os.mkfifo(folder / "logs/web.log"), "logs/web.log is no regular file"),
    (lambda folder: (os.rename(folder / "logs", folder / "real"), (folder / "logs").symlink_to(folder / "real")),
     "logs is a symbolic link"),
    (lambda folder: (os.rmdir(folder / "logs"), (folder / "logs").write_text("")), "logs is no folder"),
], ids=["link", "folder", "fifo", "folder-link", "folder-file"])
def test_what_is_no_file_of_its_own_is_refused(boot, logs, make, words):
    victim = boot.folder / "victim"
    victim.write_text("untouched\n")
    make(boot.folder)
    life = boot(["sleep", "1000"], {"web": REFUSED})
    life.until_err(words)
    life.stop()
    assert victim.read_text() == "untouched\n"
    assert not (boot.folder / "real/web.log").exists()


@pytest.mark.parametrize("swap", ["file", "folder"])
def test_a_link_put_in_its_place_while_it_runs_is_not_followed(boot, logs, swap):
    victim = boot.folder / "victim"
    victim.mkdir()
    (victim / "web.log").write_text("untouched\n")
    life = boot(["sleep", "1000"], {"web": REFUSED})
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs), "it is written")
    if swap == "file":
        (logs / "link").symlink_to(victim / "web.log")
        os.rename(logs / "link", logs / "web.log")
    else:
        os.rename(logs, boot.folder / "moved")
        logs.symlink_to(victim)
    life.until_err("is a symbolic link")
    # It is mended: the lines go there again, and the loss is told.
    if swap == "file":
        os.unlink(logs / "web.log")
    else:
        os.unlink(logs)
        logs.mkdir()
    life.until_err("writes its log file")
    life.stop()
    assert re.search(r"writes its log file \S+ again; \d+ lines are not in it", life.stderr())
    assert (victim / "web.log").read_text() == "untouched\n" and os.listdir(victim) == ["web.log"]
    assert lines_of(logs)[-1] == "hello"


@pytest.mark.parametrize("what", ["file", "folder", "renamed"])
def test_what_vanished_is_made_again(boot, logs, what):
    life = boot(["sleep", "1000"], {"web": REFUSED})
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs), "it is written")
    if what == "file":
        os.unlink(logs / "web.log")
    elif what == "folder":
        shutil.rmtree(logs)
    else:
        os.rename(logs / "web.log", logs / "old")
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs), "it is made again")
    life.stop()
    assert "cannot write" not in life.stderr()


@needs_root
def test_a_full_disk_loses_no_service_and_is_told_of(boot, logs):
    # Endless, as fast as it can; the disk is a tmpfs of 256 KiB inside the container.
    body = ("f = open(\"@/beats\", \"w\", buffering=1)\n"
            "for i in range(10**9): print(i, \"x\" * 90, flush=i % 50 == 0); i % 5000 or (f.seek(0), f.write(str(i) + \"\\n\"))")
    log = 'to = "null"\nfile = "@/logs/web.log"\nmax-size = "10MiB"\ntimestamps = false'
    life = boot(["sleep", "1000"], {"web": python("\n" + body, log, kind="longrun")},
                before=f"mount -t tmpfs -o size=256k tmpfs {logs}")
    life.until_err("No space left on device")
    beats = lambda: int((boot.folder / "beats").read_text().split()[0] or 0)
    seen = beats()
    life.until(lambda: beats() > seen + 20_000, "the service goes on")
    assert life.stderr().count("No space left") == 1
    assert re.search(r"web: cannot write its log file: \S+/web.log: No space left on device; make room, .*\(\d+ so far\)", life.stderr())
    inside = f"/proc/{life.pid}/root{logs}/web.log"
    # Each try fills the rest of the last page, and takes the part of a line away again that fitted: that can be seen.
    kept = life.until(lambda: (found := open(inside, "rb").read()).endswith(b"\n") and found, "whole lines")
    assert len(kept) > 100_000
    os.unlink(inside)
    life.until_err("writes its log file")
    assert re.search(r"web: writes its log file \S+ again; \d+ lines are not in it", life.stderr())
    life.stop()


def test_the_writer_is_killed_and_no_line_is_lost(boot, logs):
    count = 4000
    body = f"[(print(\"line\", i, flush=True), time.sleep(0.0005)) for i in range({count})]; open(\"@/said\", \"w\").close(); time.sleep(1000)"
    log = 'to = "null"\nfile = "@/logs/web.log"\ntimestamps = false'
    life = boot(["sleep", "1000"], {"web": python(body, log, kind="longrun")})
    first = life.until(lambda: writer_of(life), "the writer runs")
    os.kill(first, signal.SIGKILL)
    second = life.until(lambda: writer_of(life) not in (None, first) and writer_of(life), "another one runs")
    life.until((boot.folder / "said").exists, "all is said")
    os.kill(second, signal.SIGKILL)
    life.until_err("the process that writes the log files was killed, and is started again")
    life.stop()
    lines = lines_of(logs, stamped=False)
    # A message that was being written when it was killed may stand there twice.
    assert sorted(set(lines), key=lambda line: int(line.split()[1])) == [f"line {i}" for i in range(count)]


def test_the_writer_is_a_process_of_its_own_with_nothing_in_its_hands(boot, logs):
    life = boot(["sleep", "1000"], {"web": 'script = "echo hello; exec sleep 1000"\n[log]\nfile = "@/logs/web.log"\n'})
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs), "it is written")
    pid = writer_of(life)
    links = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert all(links[fd] == "/dev/null" for fd in (0, 1, 2))
    others = sorted(re.sub(r"[^a-z].*", "", link.replace(str(logs), "logs").lstrip("/")) for fd, link in links.items() if fd > 2)
    assert set(others) <= {"socket", "pipe", "logs"} and others.count("socket") == 1 and others.count("pipe") == 1, links
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
        os.kill(pid, number)
    life.stop()
    assert "was killed" not in life.stderr()
    until(lambda: not alive(pid), "it is gone with the init")


def test_no_writer_where_no_service_has_a_file(boot):
    life = boot(["sleep", "1000"], {"web": 'script = "echo hello; exec sleep 1000"\n'})
    life.until_out("[web] hello")
    assert writer_of(life) is None
    life.stop()


@pytest.mark.native("there the process that writes log files is one of the init's children, and the stop waits for it")
@pytest.mark.parametrize("how", ["pid1", "plain"])
def test_a_stop_writes_everything(boot, logs, how):
    # In answer to SIGTERM, far more than a pipe and the socket hold.
    body = (f"import signal; signal.signal(signal.SIGTERM, lambda *_: ({counting(20_000)}, sys.stdout.flush(), os._exit(0)));"
            "open(\"@/up\", \"w\").close(); time.sleep(1000)")
    log = 'to = "null"\nfile = "@/logs/web.log"\nmax-size = "100MiB"'
    life = boot(["sleep", "1000"], {"web": python(body, log, kind="longrun")}, how=how)
    life.until((boot.folder / "up").exists, "it is up")
    assert life.stop().code == 143
    assert lines_of(logs) == [f"line {i} {'x' * 60}" for i in range(20_000)]
    # The writer is no straggler: nobody waits a second to kill it.
    assert "ignored SIGTERM" not in life.stderr(), life.stderr()


def test_stragglers_that_must_be_killed_cost_no_line(boot, logs):
    # Everything in the namespace gets SIGKILL, the writer too.
    script = "(trap '' TERM; exec setsid sleep 1000) & echo one; trap 'echo last; exit' TERM; touch @/up; while :; do sleep 0.02; done"
    services = {"web": f"script = '''{script}'''\n[log]\nfile = \"@/logs/web.log\"\n"}
    life = boot(["sleep", "1000"], services)
    life.until((boot.folder / "up").exists, "it is up")
    life.stop()
    assert lines_of(logs) == ["one", "last"]
    assert "was killed, and is started" not in life.stderr()


def test_the_writer_outlives_a_killed_init_until_all_is_written(boot, logs):
    body = f"{counting(3000)}; sys.stdout.flush(); open(\"@/said\", \"w\").close(); time.sleep(1000)"
    life = boot(["sleep", "1000"], {"web": python(body, 'to = "null"\nfile = "@/logs/web.log"', kind="longrun")}, how="plain")
    life.until(lambda: writer_of(life), "the writer runs")
    life.until((boot.folder / "said").exists, "all is said")
    pids = [pid for pid in descendants(life.pid) if status(pid).get("Name") != "hermes-log"]
    writer = writer_of(life)
    life.until(lambda: len(lines_of(logs)) == 3000, "all is written")
    os.kill(life.pid, signal.SIGKILL)
    until(lambda: not alive(writer), "the writer ends too")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


# --- who waits for whom ---------------------------------------------------------------------------------------------------


def stuck_pipe():
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    return read, write


def beating(where, beat):
    """Writes lines without end to a stream, and counts them in a file."""
    return (f"\nf = open(\"@/{beat}\", \"w\")\nfor i in range(10**9): {where}.write(\"line %d %s\\n\" % (i, \"x\" * 80)); "
            f"i % 100 or ({where}.flush(), f.seek(0), f.write(str(i).ljust(12)), f.flush())")


def beats(boot, name):
    path = boot.folder / name
    return int(path.read_text().split()[0] or 0) if path.exists() and path.read_text().split() else 0


def test_only_those_who_write_to_what_is_stuck_wait(boot, logs):
    read, write = stuck_pipe()
    services = {
        "out": python(beating("sys.stdout", "out"), kind="longrun"),
        "err": python(beating("sys.stderr", "err"), kind="longrun"),
        "none": python(beating("sys.stdout", "none"), 'to = "null"', kind="longrun"),
        "file": python(beating("sys.stdout", "file"), 'to = "null"\nfile = "@/logs/web.log"\nkeep = 1', kind="longrun"),
    }
    life = boot(["sleep", "1000"], services, stdout=write)
    os.close(write)
    life.until(lambda: beats(boot, "out") > 0, "it writes")
    # Stuck is what does not move while the others do.
    def stands():
        seen = beats(boot, "out")
        marks = {name: beats(boot, name) for name in ("err", "none", "file")}
        life.until(lambda: all(beats(boot, name) > mark + 20_000 for name, mark in marks.items()), "the others go on")
        return beats(boot, "out") == seen
    life.until(stands, "it waits")
    # Nobody has lost a line: all come, in order, once somebody reads.
    text = b""
    while text.count(b"\n") < 30_000:
        text += os.read(read, 1 << 16)
    assert text.decode().splitlines()[:30_000] == [f"[out] line {i} {'x' * 80}" for i in range(30_000)]
    life.signal(signal.SIGTERM)
    os.close(read)
    life.wait()


def test_stdout_goes_on_while_stderr_is_stuck(boot):
    read, write = stuck_pipe()
    services = {"out": python(beating("sys.stdout", "out"), kind="longrun"),
                "err": python(beating("sys.stderr", "err"), kind="longrun")}
    life = boot(["sleep", "1000"], services, stderr=write)
    os.close(write)
    def stands():
        seen, mark = beats(boot, "err"), beats(boot, "out")
        life.until(lambda: beats(boot, "out") > mark + 20_000, "stdout goes on")
        return seen > 0 and beats(boot, "err") == seen
    life.until(stands, "stderr waits")
    life.signal(signal.SIGTERM)
    os.close(read)
    life.wait()


def test_a_writer_that_is_stuck_keeps_only_those_with_a_file_waiting(boot, logs):
    services = {
        "file": python(beating("sys.stdout", "file"), 'to = "null"\nfile = "@/logs/web.log"\nkeep = 1', kind="longrun"),
        "none": python(beating("sys.stdout", "none"), 'to = "null"', kind="longrun"),
        "web": "script = 'echo $$ >> @/web; exec sleep 1000'\n[restart]\ndelay = \"10ms\"\n",
    }
    life = boot(["sleep", "1000"], services)
    life.until(lambda: beats(boot, "file") > 0 and (boot.folder / "web").exists(), "it writes")
    writer = writer_of(life)
    os.kill(writer, signal.SIGSTOP)
    def stands():
        seen, mark = beats(boot, "file"), beats(boot, "none")
        life.until(lambda: beats(boot, "none") > mark + 20_000, "the other goes on")
        return beats(boot, "file") == seen
    life.until(stands, "it waits")
    started = (boot.folder / "web").read_text().split()
    os.kill(life.inside(started[0]), signal.SIGKILL)
    life.until(lambda: len((boot.folder / "web").read_text().split()) == 2, "supervision goes on")
    seen = beats(boot, "file")
    os.kill(writer, signal.SIGCONT)
    life.until(lambda: beats(boot, "file") > seen + 5000, "it goes on")
    life.stop()


@pytest.mark.native("the memory of the emulator grows with what it translates")
@pytest.mark.release("an ordinary program has 16 MB")
def test_memory_stays_bounded_in_a_flood(boot, logs):
    # Nothing but line ends is the worst: each becomes a whole line of JSON, or of a file with its time.
    flood = "b = b\"\\n\" * 65536\nwhile True: os.write({}, b)"
    services = {}
    for number in range(3):
        services[f"out{number}"] = python("\n" + flood.format(1), 'to = "json"', kind="longrun")
        services[f"file{number}"] = python("\n" + flood.format(1), f'to = "null"\nfile = "@/logs/web{number}.log"\nkeep = 1', kind="longrun")
    read, write = os.pipe()
    life = boot(["sleep", "1000"], services, stdout=write)
    os.close(write)
    pid = life.pid
    peak, taken = 0, 0
    while taken < 200 << 20:
        taken += len(os.read(read, 1 << 20))
        if taken % 64 == 0:
            peak = max(peak, int(status(pid)["VmRSS"].split()[0]))
    peak = max(peak, int(status(pid)["VmRSS"].split()[0]), int(status(pid)["VmHWM"].split()[0]))
    assert peak < 4096, f"{peak} KB"
    life.signal(signal.SIGTERM)
    os.close(read)
    life.wait()


def test_a_restart_keeps_the_pipe(boot, logs):
    body = ("open(\"@/pipes\", \"a\").write(os.readlink(\"/proc/self/fd/1\") + \"\\n\")\n"
            "again = len(open(\"@/pipes\").readlines()) > 1\n"
            "print(\"second\" if again else \"first\", flush=True)\n"
            "time.sleep(1000) if again else os._exit(1)")
    services = {"web": python("\n" + body, 'file = "@/logs/web.log"', "[restart]\ndelay = 0", kind="longrun")}
    life = boot(["sleep", "1000"], services)
    life.until_out("[web] first\n[web] second")
    first, second = (boot.folder / "pipes").read_text().split()
    assert first == second and first.startswith("pipe:")
    life.stop()
    assert lines_of(logs) == ["first", "second"]


def test_an_idle_writer_and_init_sleep(boot, logs):
    life = boot(["sleep", "1000"], {"web": 'script = "echo hello; exec sleep 1000"\n[log]\nfile = "@/logs/web.log"\n'})
    life.until(lambda: (logs / "web.log").exists() and lines_of(logs), "it is written")
    def switches():
        return sum(int(status(pid)[f"{kind}_ctxt_switches"]) for pid in (life.pid, writer_of(life))
                   for kind in ("voluntary", "nonvoluntary"))
    # Whatever the boot left to do is done when the number stands still for a while; an init that polls never gets there.
    def stands():
        seen = switches()
        time.sleep(0.5)
        return switches() == seen
    life.until(stands, "both sleep")
    life.stop()
