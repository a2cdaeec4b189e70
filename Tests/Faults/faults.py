#!/usr/bin/env python3
"""Tests/Faults/faults.py [--quick] [--only TEXT] [--jobs N] [--list] [--write]: the faults of cases.py, one after the other or some
at a time, then those of scenarios.py; prints each that breaks a rule. `make faults` runs all.

--write makes the table in docs/reliability.md anew from both.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "Integration")]

from cases import CASES  # noqa: E402
from harness import can_unshare  # noqa: E402
from scenarios import SCENARIOS, Skipped  # noqa: E402
from scene import CEILING, MOST_FAILURES, SLACK, Scene, Wrong  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
# How long a fault lasts, in seconds.
LASTS = 1.5


def can_trace():
    """Whether strace is there, and may be attached to another process."""
    if shutil.which("strace") is None:
        return False
    sleeper = subprocess.Popen(["sleep", "10"])
    try:
        done = subprocess.run(["timeout", "1", "strace", "-qq", "-p", str(sleeper.pid)], capture_output=True)
        return done.returncode == 124
    finally:
        sleeper.kill()
        sleeper.wait()


def judge(scene, case, before):
    """What must hold once the fault is over."""
    rate, _ = scene.detach()
    if rate > MOST_FAILURES:
        raise Wrong(f"{rate:.0f} calls failed in a second: it does not wait between its tries")
    scene.must_live()
    scene.recover(not case.comes_back)
    scene.until(lambda: not scene.zombies(), lambda: f"no zombie: {scene.zombies()}")
    if before is not None:
        scene.until(lambda: scene.quiet_descriptors() <= before, lambda: f"{before} descriptors: {scene.descriptors()}")


def try_one(case, inject):
    """One fault, from the boot of its life to its end."""
    with Scene() as scene:
        follow = case.where == "children"
        before = None
        if case.phase == "boot":
            scene.attach([inject], follow)
            scene.go()
            if case.ends is not None:
                scene.wait_for_end(time.monotonic(), case.ends)
            else:
                time.sleep(LASTS)
                judge(scene, case, before)
                scene.stop()
        else:
            scene.go()
            scene.until_well(60)
            if case.phase == "life":
                before = scene.quiet_descriptors()
                scene.attach([inject], follow)
                scene.act()
                left = scene.began + LASTS - time.monotonic()
                time.sleep(max(left, 0.3))
                judge(scene, case, before)
                scene.stop()
            else:
                scene.attach([inject], follow)
                took, _ = scene.stop()
                if took > CEILING + SLACK / 2:
                    raise Wrong(f"the stop took {took:.1f} s")
        if case.ends is None:
            missing, written = scene.missing_ticks()
            for stream, count in missing.items():
                if count and case.loses not in (stream, "both") and case.phase != "stop":
                    raise Wrong(f"{count} of {written} lines are missing on {stream}{scene.said()}")
        # Of one failure, a probe's say, nothing needs to be said.
        lasts = inject.endswith("+") or case.phase == "boot"
        if case.says and lasts and case.phase != "stop" and scene.failed != 0 and not re.search(case.says, scene.stderr()):
            raise Wrong(f"it does not say {case.says!r}{scene.said()}")


def all_faults(quick):
    """Every fault as a name and what tries it. Of a quick case one variant: the last, which lasts."""
    for case in CASES:
        each = list(case.each())
        if quick:
            each = each[-1:] if case.quick else []
        for name, inject in each:
            yield name, lambda case=case, inject=inject: try_one(case, inject)
    for scenario in SCENARIOS:
        if scenario.quick or not quick:
            yield f"real/{scenario.__name__}", scenario


def run(name, attempt):
    """None, or why it is wrong; and how long it took."""
    began = time.monotonic()
    try:
        attempt()
        return name, None, time.monotonic() - began
    except Skipped as reason:
        return name, f"skipped: {reason}", time.monotonic() - began
    except AssertionError as error:
        return name, str(error), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="a regular expression for names")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    words = parser.parse_args()
    if words.write:
        PAGE.write_text(with_table(PAGE.read_text()))
        return 0
    faults = [(name, attempt) for name, attempt in all_faults(words.quick) if re.search(words.only, name)]
    if words.list:
        print("\n".join(name for name, _ in faults))
        return 0
    if not can_unshare():
        print("faults: PID namespaces are forbidden on this machine: skipped")
        return 0
    if not can_trace():
        print("faults: strace is missing, or may not be attached to a process here: only those without it are tried")
        faults = [(name, attempt) for name, attempt in faults if name.startswith("real/")]
    began, wrong, skipped = time.monotonic(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(words.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, *fault) for fault in faults]):
            name, reason, took = future.result()
            if reason and reason.startswith("skipped: "):
                skipped += 1
                print(f"faults: {name}: {reason}", flush=True)
            elif reason:
                wrong += 1
                print(f"faults: {name}: WRONG ({took:.0f} s): {reason}", flush=True)
            elif words.verbose:
                print(f"faults: {name}: as it should be, {took:.1f} s", flush=True)
    print(f"faults: {len(faults)} tried in {time.monotonic() - began:.0f} s, {skipped} skipped, {wrong} wrong")
    return 1 if wrong else 0


# --- The table of docs/reliability.md -------------------------------------------------------------------------------------

START, END = "<!-- faults: made by Tests/Faults/faults.py --write -->\n", "<!-- end of faults -->\n"
PHASES = {"boot": "at boot", "life": "while it runs", "stop": "in the stop"}
WHERE = {"init": "PID 1", "children": "its children and helpers"}


def code(words, sign=" "):
    return ", ".join(f"`{word}`" for word in words.split(sign))


def table():
    lines = ["| call | fails with | of whom, when | what happens | what is said |", "|---|---|---|---|---|"]
    for case in CASES:
        said = "" if not case.says.strip("|") else ", ".join(f"“{part}”" for part in case.says.replace(".*", "…").split("|") if part)
        faults = code(case.faults.replace("signal=", "SIG"), ",")
        lines.append(f"| {code(case.calls, ',')} | {faults} | {WHERE[case.where]}, {PHASES[case.phase]} "
                     f"| {case.happens}{f'; exit code {case.ends}' if case.ends else ''} | {said} |")
    lines += ["", "| real fault | what happens | test |", "|---|---|---|"]
    for scenario in SCENARIOS:
        fault, happens = scenario.__doc__.strip().split(" -> ")
        lines.append(f"| {' '.join(fault.split())} | {' '.join(happens.split())} | `{scenario.__name__}` |")
    return "\n".join(lines) + "\n"


def with_table(page):
    before, rest = page.split(START)
    _, after = rest.split(END)
    return before + START + "\n" + table() + "\n" + END + after


if __name__ == "__main__":
    sys.exit(main())
