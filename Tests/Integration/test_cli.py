"""The other modes of the command line, and the file itself."""

import struct

import pytest
from harness import ROOT, reachable


def test_version(boot):
    result = boot.run(["--version"], how="plain").wait()
    assert result.code == 0 and result.out.startswith("hermes-init ") and result.err == "", result


@pytest.mark.parametrize("words", [["--help"]])
def test_help(boot, words):
    result = boot.run(words, how="plain").wait()
    assert result.code == 0 and result.err == "", result
    for word in ("hermes-init", "--check", "--plan", "--config", "--version", "-- "):
        assert word in result.out, word


@pytest.mark.parametrize("word", ["--check", "check"])
def test_check_of_what_is_right(boot, word):
    boot.services({"web": 'command = ["sleep", "1000"]\n'})
    result = boot.run([word, "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result


def test_the_images_own_services_are_right(boot):
    result = boot.run(["--check", "--files-only", "--config", str(ROOT / "etc" / "hermes-init.d")], how="plain").wait()
    assert result.code == 0, result


def test_the_demos_services_are_right(boot):
    result = boot.run(["--check", "--config", str(ROOT / "examples" / "demo")], how="plain").wait()
    assert result.code == 0, result


@pytest.mark.parametrize("word", ["--plan", "plan"])
def test_the_plan_shows_the_order(boot, word):
    boot.services({"a-last": 'requires = ["m-middle"]\ncommand = ["true"]\n',
                   "m-middle": 'requires = ["z-first"]\ncommand = ["true"]\n', "z-first": 'command = ["true"]\n'})
    result = boot.run([word, "--config", str(boot.config)], how="plain").wait()
    assert result.code == 0, result
    places = [result.out.index(name) for name in ("z-first", "m-middle", "a-last")]
    assert places == sorted(places), result


def test_the_plan_starts_nothing(boot):
    boot.services({"web": 'type = "oneshot"\ncommand = ["touch", "@/ran"]\n'})
    boot.run(["--plan", "--config", str(boot.config)]).wait()
    assert not (boot.folder / "ran").exists()


@pytest.mark.release("an ordinary program")
def test_the_file_is_static_stripped_and_small():
    data = reachable().read_bytes()
    # docs/design.md, "The build", says what it is and what it should be. Of another libc is what that is.
    assert len(data) <= (1_135_000 if b"GLIBC_TUNABLES" not in data else 2_500_000)
    assert data[:5] == b"\x7fELF\x02"
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    places = [offset + size * number for number in range(count)]
    kinds = [struct.unpack_from("<I", data, place)[0] for place in places]
    assert 3 not in kinds, "it names a program interpreter: it is not static"
    executable = [struct.unpack_from("<I", data, place + 4)[0] & 1 for place, kind in zip(places, kinds) if kind == 0x6474E551]
    assert executable == [0], "its stack is executable"
    if struct.unpack_from("<H", data, 18)[0] == 183:
        aligned = [struct.unpack_from("<Q", data, place + 48)[0] for place, kind in zip(places, kinds) if kind == 1]
        assert min(aligned) >= 65536, "aarch64 kernels with pages of 64 KiB cannot load it"
    sections, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    kinds = [struct.unpack_from("<I", data, sections + size * number + 4)[0] for number in range(count)]
    assert 2 not in kinds, "it has a symbol table: it is not stripped"
