"""`toml` and `explain` of the real file: what they read, where they write, how they end."""

import json
import subprocess

import pytest
from harness import BINARY


def run(*words, data=b""):
    return subprocess.run([BINARY, *map(str, words)], input=data, capture_output=True, timeout=20, check=False)


@pytest.mark.plain
def test_standard_input_is_written_as_json():
    result = run("toml", data='b = 1\na = "é\\t"\n[t]\nd = 1979-05-27\nf = 1e3\n'.encode())
    assert result.returncode == 0 and result.stderr == b""
    assert json.loads(result.stdout) == {"b": 1, "a": "é\t", "t": {"d": "1979-05-27", "f": 1000.0}}
    assert list(json.loads(result.stdout)) == ["b", "a", "t"]
    assert run("toml", "-", data=b"a = 1").stdout == run("toml", data=b"a = 1").stdout


@pytest.mark.plain
def test_a_file_is_written_in_the_tagged_form(tmp_path):
    path = tmp_path / "-a b.toml"
    path.write_text("a = [1, 0.1]\n")
    result = run("toml", "--typed", "--", path)
    assert json.loads(result.stdout) == {"a": [{"type": "integer", "value": "1"}, {"type": "float", "value": "0.1"}]}


@pytest.mark.plain
def test_what_is_no_toml_is_told_on_standard_error(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("port: 80\n")
    result = run("toml", path)
    assert result.returncode == 1 and result.stdout == b""
    assert b"[toml-colon]" in result.stderr and f"{path}:1:5".encode() in result.stderr


@pytest.mark.plain
def test_toml_1_0_refuses_what_1_1_added():
    assert run("toml", "--toml=1.0", data=b"a = 12:30").returncode == 1
    assert run("toml", "--toml=1.1", data=b"a = 12:30").returncode == 0
    assert run("toml", data=b"a = 12:30").returncode == 0


@pytest.mark.plain
def test_a_file_that_cannot_be_read_is_no_wrong_toml(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        result = run("toml", path)
        assert result.returncode == 66 and result.stderr.startswith(b"hermes-init: cannot read ")


@pytest.mark.plain
@pytest.mark.release("without the optimizer it takes tens of seconds")
def test_a_megabyte_comes_through_a_pipe_whole():
    lines = 40_000
    result = run("toml", data="".join(f'key{n} = "value {n}"\n' for n in range(lines)).encode())
    assert len(json.loads(result.stdout)) == lines


@pytest.mark.plain
def test_every_code_that_is_listed_is_explained():
    codes = run("explain").stdout.decode().split()
    assert len(codes) > 60
    for code in codes:
        result = run("explain", code)
        assert result.returncode == 0 and result.stdout.decode().startswith(code + "\n")
    assert run("explain", "no-such-code").returncode == 64
