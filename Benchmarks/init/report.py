"""The results as a document (which is the JSON), and the document as a table: text for a terminal, Markdown for a
page. Pure: what comes out depends on what goes in, and on nothing else."""

import json
import math
import re

import figures

FORMAT = 1
OURS, FLOOR = "hermes-init", "floor"


def document(machine, subjects, missing, plan, results):
    """What the JSON holds."""
    return {
        "format": FORMAT,
        "machine": machine,
        "inits": [
            {
                "name": subject.name,
                "version": subject.version(),
                "files": len(subject.files),
                "bytes": sum(file.stat().st_size for file in subject.files),
                "needs": subject.needs,
            }
            for subject in subjects
            if subject.name != FLOOR
        ],
        "missing": missing,
        "measures": [
            {
                "name": measure.name,
                "title": measure.title,
                "unit": measure.unit,
                "results": [line(here, results.of[measure.name]) for here in results.of[measure.name].values()],
                "targets": [{"text": target.text, "met": target.met(results, measure.name)} for target in targets],
            }
            for measure, targets in plan
            if measure.name in results.of
        ],
    }


def line(here, of):
    """One init in one measure."""
    floor, ours = of.get(FLOOR), of.get(OURS)
    low, high = here.spread or (None, None)
    said = {
        "name": here.name,
        "median": rounded(here.median),
        "low": rounded(low),
        "high": rounded(high),
        "ratio": rounded(figures.ratio(here.median, floor.median if floor else None)),
        "rounds": [rounded(value) for value in here.rounds],
        "besides": {what: rounded(here.beside(what)) for what in here.besides},
    }
    if ours and here.name != OURS:
        below, both = figures.below(ours.rounds, here.rounds)
        said["hermes-init below"] = {"rounds": below, "of": both}
    for what in ("problem", "note"):
        if getattr(here, what):
            said[what] = getattr(here, what)
    return said


def rounded(value):
    """To five significant digits: more is noise, and makes the difference of two files unreadable."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.5g}")


def number(value, unit=""):
    """For people: three significant digits and no fewer, but whole kilobytes and counts; thousands apart."""
    if value is None:
        return ""
    if value == 0 or isinstance(value, int) or unit == "KB" or abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.{2 - math.floor(math.log10(abs(value) * 1.0005))}f}"


def times(ratio):
    """A ratio, with the two digits that a small one needs."""
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def figure(value, unit):
    return f"{number(value, unit)} {unit}".strip()


def cells(result, unit):
    """The columns of one line: name, median, spread, ratio, in how many rounds hermes-init was below, what was seen
    besides."""
    if result["median"] is None:
        return [result["name"], "did not finish", "", "", "", ""]
    median = figure(result["median"], unit)
    spread = (
        f"{number(result['low'], unit)} to {number(result['high'], unit)}" if result["low"] != result["high"] else ""
    )
    ratio = times(result["ratio"]) if result["ratio"] is not None and result["name"] != FLOOR else ""
    below = result.get("hermes-init below")
    rounds = f"{below['rounds']} of {below['of']}" if below and below["of"] > 1 and result["name"] != FLOOR else ""
    return [result["name"], median, spread, ratio, rounds, besides(result)]


def besides(result):
    """What else was seen, in a few words."""
    said = []
    for what, value in result["besides"].items():
        if value is None:
            continue
        if what in ("processes", "files"):
            one = what[:-2] if what == "processes" else what[:-1]
            said.append(f"{value:,.0f} {what if value != 1 else one}")
        elif what == "left":
            said.append(f"{value:,.0f} zombies left" if value else "no zombie left")
        elif what == "until reaped":
            said.append(f"all reaped after {number(value)} ms" if not result["besides"].get("left") else "")
        elif what == "kernel":
            said.append(f"kernel {figure(value, 'KB')}")
        else:
            said.append(f"{what} {figure(value, 'KB')}")
    return ", ".join(part for part in [*said, result.get("note", "")] if part)


def verdict(measure):
    """The targets of a measure, each with whether it was met."""
    words = {True: "met", False: "MISSED", None: "not judged"}
    return "; ".join(f"{target['text']}: {words[target['met']]}" for target in measure["targets"])


def ordered(results):
    """The floor, hermes-init, and then the others from the lowest on; those that did not finish at the end."""

    def place(result):
        return (
            [FLOOR, OURS].index(result["name"]) if result["name"] in (FLOOR, OURS) else 2,
            result["median"] is None,
            result["median"] or 0,
        )

    return sorted(results, key=place)


def head(said):
    """The machine, the day, and what was compared."""
    machine = said["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']}; {machine['kernel']}, {machine['system']}; "
        f"{machine['date']}",
        f"load before the run {machine['load']:.2f}"
        + (", all of it measured with --realtime" if machine["realtime"] else ""),
    ]
    for init in said["inits"]:
        files = "1 file" if init["files"] == 1 else f"{init['files']} files"
        needs = f", and {init['needs']}" if init["needs"] else ""
        lines.append(f"{init['name']} {init['version']}: {init['bytes']:,} bytes in {files}{needs}")
    if said["missing"]:
        lines.append(f"left out, because it is not here: {', '.join(said['missing'])}")
    return lines


def as_json(said):
    """The document as text, what holds nothing but values on one line. (No string has a line's end in it as it stands.)"""
    indented = json.dumps(said, indent=1, ensure_ascii=False)
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda part: re.sub(r"\n *", " ", part.group()), indented) + "\n"


COLUMNS = ["", "median", "middle half", "× floor", "hermes-init below it in", "besides"]


def text(said, with_targets=False):
    """For a terminal."""
    rows = [COLUMNS]
    for measure in said["measures"]:
        rows.append([measure["title"] + (f"    [{verdict(measure)}]" if with_targets and measure["targets"] else "")])
        rows += [
            ["  " + cell if not place else cell for place, cell in enumerate(cells(result, measure["unit"]))]
            for result in ordered(measure["results"])
        ]
    widths = [max(len(row[column]) for row in rows if len(row) > 1) for column in range(len(COLUMNS))]
    out = head(said) + [""]
    for row in rows:
        if len(row) == 1:
            out += ["", row[0].replace("`", "")]
        else:
            padded = [
                cell.ljust(width) if not place or place == 5 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths))
            ]
            out.append("  ".join(padded).rstrip())
    return "\n".join(out) + "\n"


def markdown(said):
    """For a page: the head as a list, one table, with the targets in a column of their own."""
    out = [f"- {line}" for line in head(said)] + [""]
    out += [
        "| measure | init | median | middle half | × floor | hermes-init below it in | besides |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for measure in said["measures"]:
        first = f"**{measure['title']}**"
        if measure["targets"]:
            first += f"<br>{verdict(measure)}"
        for result in ordered(measure["results"]):
            row = cells(result, measure["unit"])
            if result["name"] == OURS:
                row[0], row[1] = f"**{row[0]}**", f"**{row[1]}**"
            out.append("| " + " | ".join([first, *row]) + " |")
            first = ""
    return "\n".join(out) + "\n"


BEGIN, END = "<!-- results: written by make bench WRITE=1 -->", "<!-- end of results -->"


def put_between(page, table):
    """The page with the table between its two marks, in place of what was there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the results")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"
