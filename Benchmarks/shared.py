"""What the benchmarks of this folder have in common: where the binary is, how a C program is built, how rounds are
interleaved, and how a list of times is summed up. It starts nothing by itself."""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / ".build" / "release" / "hermes-init"
SERVICE = """\
# Worker {number} of the benchmark: 25 lines, as people write them.
description = "Worker number {number}"
type = "longrun"
command = ["/bin/sh", "-c", "exec sleep 60", "--port", "${{PORT_{number}:-{port}}}", "--name", "worker-{number}"]
user = "root"
directory = "/"
umask = "022"
{requires}

[when]
env-unset = ["HEADLESS", "CI"]
path-exists = "/"

[environment]
HOME = "/srv/data"
WORKERS = 4
LISTEN = "0.0.0.0:${{PORT:-8080}}"

[restart]
policy = "on-failure"
delay = "500ms"
max-delay = "30s"
[stop]
signal = "SIGINT"
timeout = "5s"
"""


def binary(path):
    """The binary that is measured, as an absolute path; ends with the remedy where it is not there."""
    found = Path(path).resolve()
    if not os.access(found, os.X_OK):
        sys.exit(f"{path} is not there: run make release first")
    return found


def compiler():
    """The C compiler: what CC names, or the first that is there; None where there is none."""
    return os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)


def build(folder, name, text):
    """A static C program from its text; its path."""
    source = Path(folder) / f"{name}.c"
    source.write_text(text)
    subprocess.run([compiler() or "cc", "-O2", "-static", "-o", Path(folder) / name, source], check=True)
    return Path(folder) / name


def interleaved(ways, rounds, run, warm_up=True):
    """Runs each of the ways once in every round, in turn: what they gave, a list for each. A round's figures are so
    taken within moments of each other, and what else the machine does falls on all of them. Round 0 warms up and
    counts for nothing."""
    figures = {name: [] for name in ways}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, way in ways.items():
            figure = run(name, way, number)
            if number:
                figures[name].append(figure)
    return figures


def summary(times, digits=2):
    """The median, the lowest and the highest of milliseconds, as three columns."""
    return " ".join(
        f"{value:{digits + 5}.{digits}f} ms" for value in (statistics.median(times), min(times), max(times))
    )


def write_services(folder, count):
    """So many service files of 25 lines in a new folder: nine of ten require the one before."""
    folder.mkdir()
    for number in range(count):
        requires = f'requires = ["worker-{number - 1:05}"]' if number % 10 else "requires = []"
        text = SERVICE.format(number=number, port=10000 + number, requires=requires)
        assert text.count("\n") == 25
        (folder / f"worker-{number:05}.toml").write_text(text)
