#!/usr/bin/env python3
"""Whether memory grows with time, said with numbers.

    endurance.py year --days 365 --binary .build/endurance/release/hermes-init
        A year in the life of 100 services that crash as often as their files allow, in simulated time: the release itself with a
        clock and processes that are made up (Kernel/kernel.c). Memory is looked at once a simulated day.
    endurance.py restarts --count 100000 --binary .build/release/hermes-init
        So many real restarts, one after the other, of services that end at once and are started at once.

After a first quarter of the time, in which rings and tables take what they will have, the resident memory must not grow by more
than ALLOWED, and neither may the open descriptors. It prints a few lines, and its exit code is 1 where something grew.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Integration"))
import harness  # noqa: E402

# In KiB. One fragment of a heap may lie otherwise than a year ago; something that is kept of each of a million restarts
# would be thousands of times as much.
ALLOWED = 64


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


def verdict(name, samples, warm, starts, code):
    """Says what was seen; whether nothing grew. A sample: (moment, starts, resident, private, descriptors)."""
    early, late = samples[: max(1, int(len(samples) * warm))], samples[int(len(samples) * warm):]
    before, after = max(sample[2] for sample in early), max(sample[2] for sample in late)
    descriptors = max(sample[4] for sample in early), max(sample[4] for sample in late)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{name}: {starts:,} starts in {used.ru_utime + used.ru_stime:.0f} s of the processor; resident {samples[0][2]} KiB at the first look, at most {before} KiB in the first "
          f"{warm:.0%} and {after} KiB after it (private {samples[-1][3]} KiB at the end); descriptors {descriptors[0]} and "
          f"{descriptors[1]}")
    problems = []
    if after > before + ALLOWED:
        problems.append(f"memory grew by {after - before} KiB, and {ALLOWED} are allowed")
    if descriptors[1] > descriptors[0]:
        problems.append("the open descriptors grew in number")
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
        # What `limit` remembers, and the times of the lines in each ring (OutputRing), are full after the first six weeks.
        warm = max(0.25, min(0.75, 60 / options.days))
        return verdict(f"{options.days} days of 100 services", samples, warm, samples[-1][1], code)
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
