"""Benchmarks/init: that it runs and writes what it promises, and that its arithmetic, its table and its picture are
right. No time that it measures is looked at."""

import json
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import harness
import pytest

BENCH = harness.ROOT / "Benchmarks" / "init"
sys.path[:0] = [str(BENCH), str(BENCH.parent)]
import figures  # noqa: E402
import picture  # noqa: E402
import report  # noqa: E402
import shared  # noqa: E402

del sys.path[:2]
NEEDS_A_COMPILER = pytest.mark.skipif(shared.compiler() is None, reason="there is no C compiler")


def result(name, median, **more):
    return {
        "name": name,
        "median": median,
        "low": median,
        "high": median,
        "ratio": None,
        "rounds": [median],
        "besides": {},
        **more,
    }


def document(*measures):
    machine = {
        "cpu": "A <CPU>",
        "cores": 2,
        "memory": "4 GB",
        "kernel": "Linux 6.1",
        "system": "Debian",
        "date": "2026-01-02 03:04 UTC",
        "load": 0.254,
        "realtime": True,
    }
    inits = [
        {"name": "hermes-init", "version": "1", "files": 1, "bytes": 1234567, "needs": ""},
        {"name": "other", "version": "2", "files": 3, "bytes": 10, "needs": "libc"},
    ]
    return {"format": 1, "machine": machine, "inits": inits, "missing": ["absent"], "measures": list(measures)}


TRUE = {
    "name": "true",
    "title": "`-- /bin/true`",
    "unit": "ms",
    "targets": [{"text": "≤ 2 × floor", "met": True}, {"text": "≤ other", "met": None}],
    "results": [
        result("other", 2500.0, ratio=1250.0, **{"hermes-init below": {"rounds": 4, "of": 5}}),
        result("broken", None, problem="killed"),
        {
            **result("hermes-init", 3.14159, ratio=1.5708),
            "low": 3.0,
            "high": 3.5,
            "besides": {"processes": 1, "left": 0},
        },
        result("floor", 2.0),
    ],
}


@pytest.mark.plain
def test_the_middle_of_a_list_of_rounds():
    odd = figures.Figures("x", [5, None, 1, 3])
    assert (odd.median, odd.spread, odd.values) == (3, (2, 4), [5, 1, 3])
    assert figures.Figures("x", [7]).spread == (7, 7)
    empty = figures.Figures("x", [None], {"left": []})
    assert (empty.median, empty.spread, empty.beside("left"), empty.beside("unknown")) == (None, None, None, None)
    assert figures.quartiles([4, 1, 2, 3]) == (1.75, 3.25)
    assert [figures.ratio(3, 2), figures.ratio(3, 0), figures.ratio(None, 2), figures.ratio(3, None)] == [
        1.5,
        None,
        None,
        None,
    ]


@pytest.mark.plain
def test_rounds_are_compared_in_pairs_and_in_a_turning_order():
    # A round in which one of the two was not measured counts for neither; equal is not below.
    assert figures.below([1, 2, None, 4, 5], [2, 2, 9, None, 6]) == (2, 3)
    assert [figures.rotated([1, 2, 3], by) for by in (0, 1, 2, 3, -1)] == [
        [1, 2, 3],
        [2, 3, 1],
        [3, 1, 2],
        [1, 2, 3],
        [3, 1, 2],
    ]
    assert figures.rotated([], 1) == []


@pytest.mark.plain
@pytest.mark.parametrize(
    "value, unit, shown",
    [
        (None, "ms", ""),
        (0, "ms", "0"),
        (0.0001234, "ms", "0.000123"),
        (0.4567, "ms", "0.457"),
        (0.9999, "ms", "1.00"),
        (1.5, "ms", "1.50"),
        (9.999, "ms", "10.0"),
        (12.345, "ms", "12.3"),
        (99.96, "ms", "100"),
        (1234567.8, "ms", "1,234,568"),
        (28.4, "KB", "28"),
        (0.95, "KB", "1"),
        (4, "", "4"),
    ],
)
def test_a_number_is_shown_with_three_digits(value, unit, shown):
    assert report.number(value, unit) == shown


@pytest.mark.plain
def test_the_table_says_what_was_measured():
    lines = report.text(document(TRUE), with_targets=True).splitlines()
    assert lines[0] == "A <CPU>, 2 cores, 4 GB; Linux 6.1, Debian; 2026-01-02 03:04 UTC"
    assert lines[1:5] == [
        "load before the run 0.25, all of it measured with --realtime",
        "hermes-init 1: 1,234,567 bytes in 1 file",
        "other 2: 10 bytes in 3 files, and libc",
        "left out, because it is not here: absent",
    ]
    assert "-- /bin/true    [≤ 2 × floor: met; ≤ other: not judged]" in lines
    rows = lines[-4:]
    assert [row.split()[0] for row in rows] == ["floor", "hermes-init", "other", "broken"]
    assert (
        rows[1].endswith("  1 process, no zombie left")
        and "3.14 ms" in rows[1]
        and "3.00 to 3.50" in rows[1]
        and "1.57" in rows[1]
    )
    assert "2,500 ms" in rows[2] and "1,250" in rows[2] and rows[2].endswith("4 of 5")
    assert rows[3].endswith("  did not finish")
    # Columns stand below each other.
    assert rows[0].index(" ms") == rows[1].index(" ms") == rows[2].index(" ms")


@pytest.mark.plain
def test_the_page_gets_one_table_between_its_marks():
    table = report.markdown(document(TRUE))
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {8}
    assert rows[2].startswith("| **`-- /bin/true`**<br>≤ 2 × floor: met; ≤ other: not judged | floor | 2.00 ms |")
    assert "| **hermes-init** | **3.14 ms** |" in table
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    new = report.put_between(page, table)
    assert new.startswith("before\n") and new.endswith("\nafter\n") and table in new and "old" not in new
    assert report.put_between(new, table) == new
    with pytest.raises(ValueError):
        report.put_between("a page without marks", table)
    # The page of the documentation has its place.
    assert report.put_between((harness.ROOT / "docs" / "benchmarks.md").read_text(), table)


@pytest.mark.plain
def test_the_json_is_the_document_in_lines():
    said = document({**TRUE, "title": "a  title with [brackets], {braces}  and two  spaces"})
    assert json.loads(report.as_json(said)) == said
    assert '"rounds": [ 2.0 ]' in report.as_json(said)


@pytest.mark.plain
def test_a_bar_is_as_long_as_its_value_or_visibly_torn():
    # Everything near: the longest fills the panel.
    assert picture.reach([1, 2, 5], 1) == 5
    # One that is far: the axis ends after the longest near one.
    assert picture.reach([1, 2, 4, 3000], 1) == 5
    assert picture.reach([1, 2], None) == 2
    assert picture.length(2.5, 5, 200) == (100, False)
    assert picture.length(5, 5, 200) == (200, False)
    assert picture.length(3000, 5, 200) == (200, True)
    assert picture.length(0, 5, 200)[0] > 0


def drawn(said):
    root = ElementTree.fromstring(picture.draw(said))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return root


@pytest.mark.plain
def test_the_picture_is_drawn_for_whatever_was_measured():
    words = [element.text for element in drawn(document(TRUE)).iter("{http://www.w3.org/2000/svg}text")]
    assert "hermes-init" in words and "3.14 ms" in words and "2,500 ms" in words and "broken" not in words
    assert any("A <CPU>" in word for word in words)
    assert drawn(document()) is not None
    nobody = {**TRUE, "results": [result("floor", 2.0), result("hermes-init", None)]}
    assert drawn(document(nobody)) is not None


@pytest.mark.plain
def test_the_committed_results_have_the_promised_form():
    said = json.loads((harness.ROOT / "docs" / "benchmarks.json").read_text())
    check_form(said)
    assert report.as_json(said) == (harness.ROOT / "docs" / "benchmarks.json").read_text()
    assert picture.draw(said) == (harness.ROOT / "docs" / "benchmarks.svg").read_text()
    assert report.markdown(said) in (harness.ROOT / "docs" / "benchmarks.md").read_text()


def check_form(said):
    assert said["format"] == 1
    assert said["machine"].keys() == {"cpu", "cores", "memory", "kernel", "system", "date", "load", "realtime"}
    for init in said["inits"]:
        assert init.keys() == {"name", "version", "files", "bytes", "needs"} and init["bytes"] > 0
    for measure in said["measures"]:
        assert measure.keys() == {"name", "title", "unit", "results", "targets"}
        assert all(target.keys() == {"text", "met"} for target in measure["targets"])
        assert len({len(of["rounds"]) for of in measure["results"]}) == 1
        for of in measure["results"]:
            assert {"name", "median", "low", "high", "ratio", "rounds", "besides"} <= of.keys()
            assert of["median"] is None or of["low"] <= of["median"] <= of["high"]


def bench(*words):
    return subprocess.run(
        [sys.executable, BENCH, "--quick", "--no-install", *words, harness.BINARY],
        capture_output=True,
        text=True,
        timeout=120,
    )


@NEEDS_A_COMPILER
def test_make_bench_measures_and_writes_its_files(tmp_path):
    peers = ["hermes-init"] + ["tini"] * (shutil.which("tini") is not None)
    files = {kind: tmp_path / f"out.{kind}" for kind in ("markdown", "json", "svg")}
    asked = ["true", "chain", "services-20", "memory", "signal", "kill", "term", "orphans", "check", "size"]
    done = bench(
        "--peers",
        ",".join(peers),
        "--check-targets",
        *(word for name in asked for word in ("--only", name)),
        *(word for kind, path in files.items() for word in (f"--{kind}", path)),
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(files["json"].read_text())
    check_form(said)
    assert said["missing"] == [] and [init["name"] for init in said["inits"]] == peers
    found = {measure["name"]: {of["name"]: of for of in measure["results"]} for measure in said["measures"]}
    assert found.keys() == {
        "true",
        "true-cold",
        "chain-3",
        "services-20",
        "memory",
        "memory-100",
        "signal",
        "kill",
        "term",
        "orphans",
        "check-100",
        "size",
    }
    for name, of in found.items():
        assert {"floor", "hermes-init"} <= of.keys(), name
        assert all(one["median"] > 0 and "problem" not in one for one in of.values()), (name, of, done.stderr)
    assert ("tini" in found["true"]) == ("tini" in peers) and "tini" not in found["services-20"]
    assert found["memory-100"]["hermes-init"]["besides"]["processes"] == 1
    assert found["orphans"]["hermes-init"]["besides"]["left"] == 0
    assert report.text(said, with_targets=True) in done.stdout
    assert files["markdown"].read_text() == report.markdown(said)
    assert ElementTree.parse(files["svg"]).getroot().tag.endswith("svg")


@NEEDS_A_COMPILER
def test_an_init_that_hangs_did_not_finish(tmp_path):
    hangs = tmp_path / "hermes-init"
    hangs.write_text("#!/bin/sh\n[ $# != 1 ] || exec echo fake 1.2\nexec sleep 1000\n")
    hangs.chmod(0o755)
    path = tmp_path / "out.json"
    done = subprocess.run(
        [
            sys.executable,
            BENCH,
            "--quick",
            "--no-install",
            "--deadline",
            "3",
            "--peers",
            "hermes-init",
            "--only",
            "chain",
            "--json",
            path,
            hangs,
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    of = {one["name"]: one for one in json.loads(path.read_text())["measures"][0]["results"]}
    assert (
        of["hermes-init"]["median"] is None
        and "killed after 3 s" in of["hermes-init"]["problem"]
        and of["floor"]["median"] > 0
    )
    assert "did not finish" in done.stdout


@pytest.mark.plain
@NEEDS_A_COMPILER
def test_what_is_not_there_is_said():
    done = bench("--peers", "hermes-unit")
    assert done.returncode == 1 and "there is no init hermes-unit; there are hermes-init, tini" in done.stderr
    done = bench("--peers", "hermes-init", "--only", "speed")
    assert done.returncode == 1 and "there is no such measure; there are true, true-cold" in done.stderr
