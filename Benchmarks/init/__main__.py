"""hermes-init beside the other inits, in one table.

    make bench [ARGS="…"]      python3 Benchmarks/init [OPTIONS] [BINARY]

Every init is PID 1 of a fresh PID namespace with the same root, one after the other in rounds, in an order that turns
by one each round. The floor is the same work done by a C program of a few lines (floor/). What is measured and what
the numbers mean: docs/benchmarks.md.

The peers that Debian has (tini, dumb-init, catatonit, s6, runit, supervisor) are installed where this is root and has
apt; dinit and nitro are used where they are on PATH, s6-overlay where S6_OVERLAY_ROOT names its unpacked tree. None
of the times is asserted. Needs Linux, a C compiler, and root or user namespaces.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import everyone  # noqa: E402
import machine  # noqa: E402
import measures  # noqa: E402
import picture  # noqa: E402
import plan as plans  # noqa: E402
import report  # noqa: E402
import rounds as running  # noqa: E402
import shared  # noqa: E402
from stage import Stage  # noqa: E402

DOCS = shared.ROOT / "docs"


def options():
    reader = argparse.ArgumentParser(
        prog="Benchmarks/init", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("binary", nargs="?", default=shared.BINARY, metavar="BINARY")
    reader.add_argument("--rounds", type=int, help="of every measure; what is slow gets fewer")
    reader.add_argument(
        "--only",
        action="append",
        metavar="MEASURE",
        help="only these, by name or the beginning of it; may be given several times",
    )
    reader.add_argument("--peers", metavar="LIST", help="only these inits, with commas between")
    reader.add_argument(
        "--quick", action="store_true", help="two rounds of small work: to see that it runs, not to learn from"
    )
    reader.add_argument("--check-targets", action="store_true", help="also say which of the targets are met")
    reader.add_argument("--markdown", metavar="FILE")
    reader.add_argument("--json", metavar="FILE")
    reader.add_argument("--svg", metavar="FILE")
    reader.add_argument("--write", action="store_true", help="write docs/benchmarks.json, .svg and the table in .md")
    reader.add_argument(
        "--from", dest="source", metavar="FILE", help="measure nothing: take the results from this JSON"
    )
    reader.add_argument(
        "--deadline",
        type=float,
        metavar="SECONDS",
        help="after which an init is killed that does not do what is asked of it",
    )
    reader.add_argument(
        "--realtime",
        action="store_true",
        help="before all else that this machine does (SCHED_FIFO): for one that is not quiet",
    )
    reader.add_argument("--no-install", action="store_true", help="install no peer")
    reader.add_argument("--inside", help=argparse.SUPPRESS)
    return reader.parse_args()


def enter(wanted):
    """Starts this again in a mount namespace of its own, and ends with it."""
    if not wanted.no_install:
        machine.install()
    words = ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))]
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        sys.exit("cannot make a mount namespace here: run it as root, or allow user namespaces")
    with tempfile.TemporaryDirectory(prefix="hermes-init-benchmark-", dir=os.environ.get("TMPDIR", "/var/tmp")) as base:
        os.chmod(base, 0o755)
        sys.exit(subprocess.run([*words, sys.executable, HERE, *sys.argv[1:], "--inside", base]).returncode)


def listed(text):
    return [name.strip() for name in text.split(",")] if text else []


def refuse_unknown(wanted):
    """Ends with what there is, where something is asked for that there is not."""
    if wanted.write and (wanted.only or wanted.peers or wanted.quick):
        sys.exit("docs/benchmarks.md gets the whole table only: leave out --only, --peers and --quick")
    known = [subject.name for subject in everyone.every(None, None)]
    for name in listed(wanted.peers):
        if name not in known:
            sys.exit(f"there is no init {name}; there are {', '.join(known[1:])}")
    plan = plans.measures(None, None, wanted.quick)
    if not picked(plan, wanted):
        sys.exit(f"there is no such measure; there are {', '.join(measure.name for measure, _ in plan)}")


def picked(plan, wanted):
    return [
        (measure, targets)
        for measure, targets in plan
        if not wanted.only or any(measure.name.startswith(name) for name in wanted.only)
    ]


def chosen(stage, wanted):
    """The inits that are here and asked for, and the names of those that are not here."""
    found, missing, names = [], [], listed(wanted.peers)
    known = everyone.every(stage, shared.binary(wanted.binary))
    for subject in known:
        if names and subject.name not in (*names, "floor"):
            continue
        if subject.find():
            subject.install()
            found.append(subject)
        else:
            missing.append(subject.name)
    return found, missing


def measure(wanted):
    """All that is asked for, as the document."""
    if wanted.realtime:
        # Everything that is started from here inherits it.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    here = machine.described(wanted.realtime)
    stage = Stage(wanted.inside)
    subjects, missing = chosen(stage, wanted)
    if missing:
        running.say(f"left out, because it is not here: {', '.join(missing)}")
    plan = picked(plans.measures(stage, shared.write_services, wanted.quick), wanted)
    results = running.Results()
    began = time.monotonic()
    try:
        for each, _ in plan:
            each.deadline = wanted.deadline or each.deadline
            count = wanted.rounds or (each.quick_rounds if wanted.quick else each.rounds)
            results.of[each.name] = running.run(stage, each, subjects, count)
            for one in results.of[each.name].values():
                if one.problem:
                    running.say(f"{each.name}: {one.name}: {one.problem}")
            running.say(f"{time.monotonic() - began:5.0f} s  {each.name}")
    finally:
        for each, _ in plan:
            if getattr(each, "group", None):
                measures.remove_group(each.group)
    return report.document(here, subjects, missing, plan, results)


def main():
    wanted = options()
    if wanted.source:
        said = json.loads(Path(wanted.source).read_text())
    elif not wanted.inside:
        refuse_unknown(wanted)
        shared.binary(wanted.binary)
        if shared.compiler() is None:
            sys.exit("there is no C compiler: install gcc or clang, or name one in CC")
        enter(wanted)
    else:
        said = measure(wanted)
    print(report.text(said, wanted.check_targets))
    page = DOCS / "benchmarks.md"
    outputs = [
        (wanted.json, lambda: report.as_json(said)),
        (wanted.markdown, lambda: report.markdown(said)),
        (wanted.svg, lambda: picture.draw(said)),
    ]
    if wanted.write:
        outputs += [
            (DOCS / "benchmarks.json", outputs[0][1]),
            (DOCS / "benchmarks.svg", outputs[2][1]),
            (page, lambda: report.put_between(page.read_text(), report.markdown(said))),
        ]
    for path, make in outputs:
        if path:
            Path(path).write_text(make())


main()
