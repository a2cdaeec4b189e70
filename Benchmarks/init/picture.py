"""The results as a picture: a panel for each of the measures that people ask for, with a bar for each init, the
shortest on top.

Every bar begins at nothing and every axis is linear, so that a bar twice as long is twice as much. An init that would
need a multiple of the panel is torn off at its edge, and looks so; its figure stands beside it as every other's does.
The dashed line is the floor. Drawn with words only, no library; the colours follow the reader's light or dark page.
Pure: the document in, the SVG out.
"""

from xml.sax.saxutils import escape

import report

# The panels in reading order: the measures that belong to them, the first that is there, and the words above.
PANELS = [
    (("true",), "Start and end of a container", "/bin/true as the main program"),
    (("services-100", "services-500", "services-20"), "{count} services", "until the last one runs"),
    (("chain-10", "chain-3"), "{count} steps, then the main program", "oneshots that wait for each other"),
    (("signal",), "A signal", "to the init, until the program's handler runs"),
    (("kill",), "A service dies", "until its replacement runs"),
    (("term",), "A stop", "SIGTERM, until 10 services and the init have ended"),
    (("memory",), "Memory with one program", "all processes of the init, PSS"),
    (("memory-100",), "Memory with 100 services", "all processes of the init, PSS"),
]
COLUMNS, WIDTH, GAP, MARGIN = 2, 400, 40, 20
NAME, VALUE = 122, 72
BAR, STEP, HEAD = 13, 20, 56
# A bar may be so many times the longest bar that is still near to hermes-init before it is torn off.
NEAR = 6

STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-size: 12px; }
text { fill: #1f2328; }
.title { font-size: 20px; font-weight: 600; } .panel { font-size: 14px; font-weight: 600; } .quiet { fill: #59636e; }
.value { font-variant-numeric: tabular-nums; } .ours { font-weight: 700; fill: #0b62c4; }
.bar { fill: #c3ccd6; } .bar.ours { fill: #1f7ae0; } .axis { stroke: #d1d9e0; }
.floor { stroke: #b35900; stroke-dasharray: 3 3; stroke-width: 1.5; }
.floor-text { fill: #8a4600; font-size: 11px; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .quiet { fill: #9198a1; } .ours { fill: #6cb2ff; }
.bar { fill: #4a535e; } .bar.ours { fill: #3b8eea; }
.axis { stroke: #3d444d; } .floor { stroke: #e3a04f; } .floor-text { fill: #e8b06a; }
}
"""


def reach(values, ours):
    """The end of a panel's axis: the longest, or where that is far beyond ours, the longest of those that are near."""
    longest = max(values)
    if not ours or longest <= NEAR * ours:
        return longest
    near = [value for value in values if value <= NEAR * ours]
    # A quarter more, so that what is torn off is longer than the longest whole bar.
    return max(near) * 1.25


def length(value, end, room):
    """How long a bar is, and whether it is torn off."""
    torn = value > end
    return (room if torn else max(room * value / end, 1.5)), torn


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def bar(x, y, long, torn, ours):
    """A bar with round ends to the right, or with a torn end and a piece behind the tear."""
    kind = "bar ours" if ours else "bar"
    if not torn:
        round_off = min(3, long / 2)
        return (
            f'<path class="{kind}" d="M{x:g} {y:g}h{long - round_off:.1f}'
            f"a{round_off:g} {round_off:g} 0 0 1 {round_off:g} {round_off:g}v{BAR - 2 * round_off:g}"
            f'a{round_off:g} {round_off:g} 0 0 1 -{round_off:g} {round_off:g}h-{long - round_off:.1f}z"/>'
        )
    tear, behind = x + long - 18, x + long
    half = BAR / 2
    return (
        f'<path class="{kind}" d="M{x:g} {y:g}H{tear + 3:g}l-4 {half:g}l4 {half:g}H{x:g}z"/>'
        f'<path class="{kind}" d="M{tear + 8:g} {y:g}H{behind:g}V{y + BAR:g}H{tear + 8:g}l-4 -{half:g}z"/>'
    )


def panel(left, top, measure, title, subtitle):
    """One measure: the drawing, and how high it is."""
    rows = [result for result in measure["results"] if result["median"] is not None and result["name"] != report.FLOOR]
    rows.sort(key=lambda result: result["median"])
    medians = {result["name"]: result["median"] for result in measure["results"] if result["median"] is not None}
    end = reach([row["median"] for row in rows], medians.get(report.OURS))
    start, room = left + NAME, WIDTH - NAME - VALUE
    floor = medians.get(report.FLOOR)
    line = start + room * floor / end if floor is not None and floor <= end else None
    out = [text(left, top + 14, title, "panel"), text(left, top + 31, subtitle, "quiet")]
    y = top + HEAD
    bottom = y + STEP * len(rows) - (STEP - BAR) + 4
    for row in rows:
        ours = row["name"] == report.OURS
        long, torn = length(row["median"], end, room)
        beside = start + long + 7
        if line is not None and beside - 6 <= line <= beside + VALUE:
            # The figure of one that is below the floor stands behind its line.
            beside = line + 6
        out += [
            text(start - 8, y + 10.5, row["name"], "ours" if ours else "", "end"),
            bar(start, y, long, torn, ours),
            text(
                beside, y + 10.5, report.figure(row["median"], measure["unit"]), "value ours" if ours else "value quiet"
            ),
        ]
        y += STEP
    out.append(f'<path class="axis" d="M{start:g} {top + HEAD - 4:g}V{bottom:g}"/>')
    if line is not None:
        out += [
            f'<path class="floor" d="M{line:.1f} {top + HEAD - 5:g}V{bottom:g}"/>',
            text(line, top + HEAD - 9, report.number(floor, measure["unit"]), "floor-text", "middle"),
        ]
    return out, bottom - top


def draw(said):
    """The whole picture."""
    measures = {measure["name"]: measure for measure in said["measures"]}
    chosen = []
    for names, title, subtitle in PANELS:
        name = next((name for name in names if name in measures), None)
        if name and any(
            result["median"] is not None and result["name"] != report.FLOOR for result in measures[name]["results"]
        ):
            chosen.append((measures[name], title.format(count=name.rpartition("-")[2]), subtitle))
    out, top = [], 78
    for first in range(0, len(chosen), COLUMNS):
        heights = []
        for column, (measure, title, subtitle) in enumerate(chosen[first : first + COLUMNS]):
            drawn, height = panel(MARGIN + column * (WIDTH + GAP), top, measure, title, subtitle)
            out += drawn
            heights.append(height)
        top += max(heights) + 30
    machine = said["machine"]
    width, height = 2 * MARGIN + COLUMNS * WIDTH + (COLUMNS - 1) * GAP, top + 18
    foot = f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, {machine['date'][:10]}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" width="{width}" '
            f'height="{height:g}" role="img" '
            'aria-labelledby="name words">',
            '<title id="name">hermes-init beside other inits</title>',
            '<desc id="words">Medians, a panel for each measure and a bar for each init; less is better. '
            "The figures are in docs/benchmarks.md.</desc>",
            f"<style>{STYLE}</style>",
            text(MARGIN, 30, "hermes-init beside other inits", "title"),
            text(
                MARGIN,
                51,
                "PID 1 of a fresh container, medians; shorter is better. "
                "Dashed: the same work done by a minimal C program.",
                "quiet",
            ),
            *out,
            text(MARGIN, top + 4, foot, "quiet"),
            "</svg>",
            "",
        ]
    )
