"""What services say comes out behind their name: whole, in order, nothing lost, and never in the way of supervision."""

import fcntl
import os
import re
import signal
import sys

import pytest
from harness import until


def test_lines_come_behind_the_name(boot):
    services = {"web": "type = \"oneshot\"\nscript = 'echo one; echo; echo two words; echo bad >&2'\n"}
    result = boot(["echo", "mine"], services).wait()
    assert result.out == "[web] one\n[web] \n[web] two words\nmine\n", result
    assert "[web] bad\n" in result.err, result


def test_a_partial_last_line_is_kept(boot):
    services = {"web": "type = \"oneshot\"\nscript = 'printf \"one\\ntwo\"'\n"}
    assert boot(["true"], services).wait().out == "[web] one\n[web] two\n"


def printing(expression):
    return f"type = \"oneshot\"\ncommand = [\"{sys.executable}\", \"-c\", '''import sys; sys.stdout.buffer.write({expression})''']\n"


@pytest.mark.parametrize("length", [4096, 8000])
def test_a_long_line_stays_whole(boot, length):
    result = boot(["true"], {"web": printing(f"b'x' * {length} + b'\\n'")}).wait()
    assert result.out == f"[web] {'x' * length}\n"


@pytest.mark.parametrize("length", [8193, 20_000, 300_000])
def test_a_longer_one_is_split_and_nothing_is_lost(boot, length):
    body = "bytes(97 + i %% 26 for i in range(%d)) + b'\\nlast\\n'" % length
    result = boot(["true"], {"web": printing(body)}).wait()
    lines = result.out.splitlines()
    assert all(line.startswith("[web] ") and len(line) <= 8192 + 6 for line in lines)
    assert lines[-1] == "[web] last"
    text = "".join(line[6:] for line in lines[:-1])
    assert text == "".join(chr(97 + i % 26) for i in range(length))


def test_bytes_that_are_no_text_come_out_as_they_are(boot):
    result = boot(["true"], {"web": printing("b'\\xff\\x00\\x80|\\n'")}).wait()
    assert result.stdout == b"[web] \xff\x00\x80|\n"


def test_two_services_do_not_get_into_each_others_lines(boot):
    count = 2000
    loud = "type = \"oneshot\"\nscript = 'i=0; while [ $i -lt %d ]; do echo {0}-$i-end; i=$((i+1)); done'\n" % count
    result = boot(["true"], {"one": loud.format("one"), "two": loud.format("two")}).wait()
    for name in ("one", "two"):
        lines = [line for line in result.out.splitlines() if line.startswith(f"[{name}] ")]
        assert lines == [f"[{name}] {name}-{i}-end" for i in range(count)]
    assert len(result.out.splitlines()) == 2 * count


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_a_user_can_open_dev_stdout(boot):
    services = {"web": "type = \"oneshot\"\nuser = \"65534\"\nscript = 'echo out > /proc/self/fd/1; echo bad > /proc/self/fd/2'\n"}
    result = boot(["true"], services).wait()
    assert result.code == 0 and result.out == "[web] out\n" and "[web] bad\n" in result.err, result


def test_a_long_report_comes_whole(boot):
    services = {f"web{i}": "comand = [\"a\"]\n" for i in range(1500)}
    result = boot(["true"], services).wait()
    assert result.code == 78 and len(result.stderr) > 256 * 1024, (result.code, len(result.stderr))
    assert "web0.toml" in result.err and "web999.toml" in result.err and "nothing was started" in result.err


def test_what_a_background_child_says_later_comes_too(boot):
    services = {"web": "script = '(sleep 0.3; echo later; touch @/said) & echo now; exec sleep 1000'\n"}
    life = boot(["sleep", "1000"], services)
    life.until_out("[web] later")
    assert "[web] now\n" in life.stdout()


def test_the_last_words_before_the_end_are_kept(boot):
    # Written in answer to SIGTERM, a moment before everything ends.
    services = {"web": "script = '''trap 'i=0; while [ $i -lt 300 ]; do echo word-$i; i=$((i+1)); done; exit' TERM; "
                       "touch @/up; while :; do sleep 0.02; done'''\n"}
    life = boot(["sleep", "1000"], services)
    life.until((boot.folder / "up").exists, "it is up")
    result = life.stop()
    assert [line for line in result.out.splitlines() if "word" in line] == [f"[web] word-{i}" for i in range(300)]


def test_a_full_pipe_does_not_stop_supervision_and_loses_nothing(boot):
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    count = 60_000
    services = {
        "loud": f"command = [\"{sys.executable}\", \"-c\", '''for i in range({count}): print(\"line\", i, \"x\" * 20, flush=(i % 100 == 0))''']\n"
                '[restart]\npolicy = "never"\n',
        "web": "script = 'echo $$ >> @/web; exec sleep 1000'\n[restart]\ndelay = \"10ms\"\n",
    }
    life = boot(["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.02; done"], services, stdout=write)
    os.close(write)
    starts = lambda: (boot.folder / "web").read_text().split() if (boot.folder / "web").exists() else []
    # Nobody reads. The other service is killed, and comes back, three times.
    for number in range(1, 4):
        life.until(lambda: len(starts()) == number, f"start {number}")
        os.kill(life.inside(starts()[-1]), signal.SIGKILL)
    life.until(lambda: len(starts()) == 4, "it came back a third time")
    # Now somebody reads.
    text = b""
    while text.count(b"\n") < count:
        piece = os.read(read, 65536)
        assert piece, f"only {len(text)} bytes came"
        text += piece
    lines = [line for line in text.decode().splitlines() if line.startswith("[loud] ")]
    assert lines == [f"[loud] line {i} {'x' * 20}" for i in range(count)]
    life.signal(signal.SIGTERM)
    assert life.wait().code == 3
    os.close(read)


def test_a_reader_that_is_gone_harms_nobody(boot):
    # SIGPIPE and EPIPE: the container's log reader ended.
    read, write = os.pipe()
    services = {"loud": "script = 'touch @/up; while :; do echo hello; sleep 0.01; done'\n",
                "web": "script = 'echo $$ >> @/web; exec sleep 1000'\n[restart]\ndelay = \"10ms\"\n"}
    life = boot(["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.02; done"], services, stdout=write)
    os.close(write)
    life.until((boot.folder / "up").exists, "it is up")
    os.close(read)
    starts = lambda: (boot.folder / "web").read_text().split() if (boot.folder / "web").exists() else []
    life.until(lambda: len(starts()) == 1, "up")
    os.kill(life.inside(starts()[0]), signal.SIGKILL)
    life.until(lambda: len(starts()) == 2, "still supervising")
    assert life.stop().code == 3


def test_a_stop_with_a_full_pipe_ends(boot):
    read, write = os.pipe()
    services = {"loud": "script = 'touch @/up; exec yes'\n", "init": 'shutdown-timeout = "1s"\n'}
    life = boot(["sleep", "1000"], services, stdout=write)
    os.close(write)
    life.until((boot.folder / "up").exists, "it is up")
    assert life.stop().code == 143
    os.close(read)
