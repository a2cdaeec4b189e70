#!/usr/bin/env python3
"""Whether memory grows with time, said with numbers.

    endurance.py year --days 365 --binary .build/endurance/release/hermes-init
        A year in the life of 100 services that crash as often as their files allow, in simulated time: the release itself with a
        clock and processes that are made up (Kernel/kernel.c). Memory is looked at once a simulated day.
    endurance.py restarts --count 100000 --binary .build/release/hermes-init
        So many real restarts, one after the other, of services that end at once and are started at once.

After a first quarter of the time, in which rings and tables take what they will have, the resident memory must not grow: neither
the most of it by more than ALLOWED, nor what of it is usually written by more than SETTLED; and the open descriptors must not grow in
number, but for a start that is under way at the moment. It prints a few lines, and its exit code is 1 where something grew.
(Tests/Integration/test_endurance.py judges the judge.)
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Integration"))
import harness  # noqa: E402

# In KiB. One fragment of a heap may lie otherwise than a year ago; something that is kept of each of a million restarts
# would be thousands of times as much.
ALLOWED = 64
# Of the median of its written part, early and late in the rest of the time, which neither a moment's need raises, nor the pages of
# the program that are in memory while it works. In a year of three million starts, a byte for every hundred of them.
SETTLED = 16
# Descriptors. A start that is under way has a pipe of its own.
UNDER_WAY = 8
# In days: what `limit` remembers, and the times of the lines in each ring (OutputRing), are full after it. It is at most three
# quarters of the time.
FILLING = 60


def service(words, rest=""):
    listed = ", ".join(f'"{word}"' for word in ["/bin/true", *words])
    return f"command = [{listed}]\n{rest}"


def year_services(folder):
    """100 services of all kinds, by what they do."""
    files = {}
    # The most that the usual policy allows: one every 30 s.
    files["crashes"] = service(["life=0:20", "code=1", "say=2"])
    for number in range(27):
        files[f"minutes{number:02}"] = service(["life=1000:3600000", "code=3", "say=3"])
    for number in range(20):
        files[f"hours{number:02}"] = service(["life=60000:14400000", "signal=11", "say=20"], '[log]\nto = "json"\n')
    for number in range(15):
        requires = f'requires = ["hours{number:02}"]\n' if number % 2 else ""
        files[f"ready{number:02}"] = service(
            ["life=1000:7200000", "code=1", "say=1"], requires + '[ready]\nlog = "says line"\ntimeout = "5s"\n')
    for number in range(12):
        files[f"health{number:02}"] = service(
            ["say=40"] + ["deaf"] * (number % 2),
            '[health]\ncommand = ["/bin/true", "life=1:50", "fails=30"]\ninterval = "10m"\nfailures = 2\n'
            '[stop]\ntimeout = "2s"\ncommand = ["/bin/true", "life=1:100"]\n')
    for number in range(5):
        files[f"file{number}"] = service(
            ["life=1000:1800000", "code=1", "say=10"],
            f'[log]\nfile = "{folder}/file{number}.log"\nmax-size = "64KiB"\nkeep = 2\n')
    for number in range(5):
        files[f"oneshot{number}"] = service(
            ["life=10:1000", "code=1"], 'type = "oneshot"\noptional = true\n[restart]\npolicy = "on-failure"\ndelay = "10m"\n'
            'max-delay = "1h"\n')
    for number in range(5):
        files[f"limited{number}"] = service(
            ["life=1000:600000", "code=1", "say=3"], '[restart]\nlimit = 10000\nwithin = "1h"\nreset-after = "5m"\n')
    for number in range(10):
        files[f"quiet{number}"] = service([])
    assert len(files) == 100
    return files


def judge(samples, warm):
    """What was seen, and what grew. A sample: (moment, starts, resident, private, descriptors)."""
    early, late = samples[: max(1, int(len(samples) * warm))], samples[int(len(samples) * warm):]
    before, after = max(sample[2] for sample in early), max(sample[2] for sample in late)
    fifth = max(1, len(late) // 5)
    ends = late[:fifth], late[-fifth:]
    first, last = (statistics.median_low(sample[3] for sample in part) for part in ends)
    usual = [statistics.median_low(sample[4] for sample in part) for part in ends]
    most = max(sample[4] for sample in early), max(sample[4] for sample in late)
    seen = (f"resident {samples[0][2]} KiB at the first look, at most {before} KiB in the first {warm:.0%} and {after} KiB after it, "
            f"where the usual written part went from {first} KiB to {last}; descriptors usually "
            f"{usual[0]} and {usual[1]}, at most {most[0]} and {most[1]}")
    problems = []
    if after > before + ALLOWED:
        problems.append(f"memory grew by {after - before} KiB, and {ALLOWED} are allowed")
    if last > first + SETTLED:
        problems.append(f"what of memory is written grew by {last - first} KiB, and {SETTLED} are allowed")
    if usual[1] > usual[0] or most[1] > most[0] + UNDER_WAY:
        problems.append("the open descriptors grew in number")
    return seen, problems


def verdict(name, samples, warm, starts, code):
    """Says what was seen; whether nothing grew."""
    seen, problems = judge(samples, warm)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{name}: {starts:,} starts in {used.ru_utime + used.ru_stime:.0f} s of the processor; {seen}")
    if code != 0:
        problems.append(f"it ended with code {code}")
    for problem in problems:
        print(f"{name}: FAILED: {problem}")
    return not problems


def year(options):
    folder = Path(tempfile.mkdtemp(prefix="hermes-init-endurance-", dir="/tmp"))
    folder.chmod(0o755)
    boot = harness.Boot(folder)
    report = folder / "report"
    report.touch()
    try:
        boot.services({"init": '[restart]\ndelay = "1s"\n', **year_services(folder)})
        environment = {"PATH": os.environ["PATH"], "HERMES_INIT_ENDURANCE": f"{options.days} {report}"}
        with open(os.devnull, "wb") as nothing:
            life = harness.Life(folder, ["--config", str(boot.config)], env=environment, binary=options.binary, stdout=nothing,
                                stderr=None if options.verbose else nothing)
            boot.lives.append(life)
            code = life.process.wait()
        samples = [tuple(int(word) for word in line.split()) for line in report.read_text().splitlines()]
        if options.verbose:
            print("\n".join(" ".join(str(word) for word in sample) for sample in samples))
            print(life.stderr()[-2000:])
        if len(samples) < options.days:
            print(f"year: FAILED: it ended with code {code} on day {len(samples)} of {options.days}")
            return False
        warm = max(0.25, min(0.75, FILLING / options.days))
        passed = verdict(f"{options.days} days of 100 services", samples, warm, samples[-1][1], code)
        if options.days * warm >= FILLING:
            return passed
        # It never passes, so that nobody takes it for a year.
        print(f"year: FAILED: {options.days} days are too few to tell: rings fill up for {FILLING}. {FILLING * 4 // 3} days at least")
        return False
    finally:
        boot.end()
        shutil.rmtree(folder, ignore_errors=True)


def look(pid, starts):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kibibytes = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return 0, starts, kibibytes["Rss:"], kibibytes["Private_Dirty:"], len(os.listdir(f"/proc/{pid}/fd"))


def restarts(options):
    """Real restarts. They are counted by the process IDs that the namespace has given out: nobody else starts any there."""
    folder = Path(tempfile.mkdtemp(prefix="hermes-init-endurance-", dir="/tmp"))
    folder.chmod(0o755)
    boot = harness.Boot(folder)
    policy = '[restart]\ndelay = 0\nmax-delay = 0\n'
    try:
        boot.services({f"dies{number}": 'command = ["/bin/true"]\n' + policy for number in range(4)})
        with open(os.devnull, "wb") as nothing:
            life = harness.Life(folder, ["--config", str(boot.config)], binary=options.binary, stdout=nothing, stderr=nothing)
        boot.lives.append(life)
        samples = []
        while not samples or samples[-1][1] < options.count:
            time.sleep(0.2)
            taken = int(life.enter(["cat", "/proc/sys/kernel/ns_last_pid"]).out)
            samples.append(look(life.pid, taken))
        result = life.stop()
        return verdict(f"{options.count:,} restarts", samples, 0.25, samples[-1][1], result.code)
    finally:
        boot.end()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["year", "restarts"])
    parser.add_argument("--binary", type=lambda text: Path(text).resolve(), default=harness.BINARY)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    sys.exit(0 if {"year": year, "restarts": restarts}[options.what](options) else 1)


if __name__ == "__main__":
    main()
