"""What is measured: each measure knows whom it can ask, how one round of one init is done, and in which unit.

A measure gives one value a round (and what it saw besides); the rounds, their order and their sum are the table's
affair.
"""

import os
import time
from pathlib import Path
from statistics import median

from stage import DidNotFinish
from subjects import SERVICE, Launch

PROGRAM = "/bench/programs/"


class Measure:
    """`once` measures one init in one round: the value, and a table of what was seen besides."""

    rounds = 15
    quick_rounds = 2
    # One init takes no longer than this in all its rounds, but for its first three.
    seconds = 5
    deadline = 20
    warm_up = True
    # Whether an init is measured again with its waits off.
    waits_matter = False

    def __init__(self, name, title, unit, launch):
        self.name, self.title, self.unit, self.launch = name, title, unit, launch

    def applies(self, subject):
        return self.launch(subject)

    def once(self, stage, launch):
        raise NotImplementedError


class Timed(Measure):
    """Something that the launcher measures; the median, where it gives several."""

    def __init__(self, name, title, unit, launch, what, count=1, *, rounds=15, seconds=5, settle=20):
        super().__init__(name, title, unit, launch)
        self.what, self.count, self.rounds, self.seconds, self.settle = what, count, rounds, seconds, settle

    def applies(self, subject):
        launch = self.launch(subject)
        if launch and self.what == "kill":
            launch.settle = subject.settle
        return launch

    def once(self, stage, launch):
        settle = launch.settle or self.settle
        return median(stage.measure(launch, self.what, self.count, deadline=self.deadline, settle=settle)) / 1e6, {}


class Cold(Timed):
    """The same where nothing of it is in the page cache."""

    def once(self, stage, launch):
        stage.make_cold()
        return super().once(stage, launch)


def of_namespace(init):
    """The processes of an init's PID namespace, the programs that it runs left out."""
    own = os.readlink(f"/proc/{init}/ns/pid")
    found = []
    for entry in os.listdir("/proc"):
        try:
            if (
                entry.isdigit()
                and os.readlink(f"/proc/{entry}/ns/pid") == own
                and PROGRAM not in os.readlink(f"/proc/{entry}/exe")
            ):
                found.append(int(entry))
        except OSError:
            continue
    return found


def fields(path):
    """A file of /proc with lines `Name: number kB`, as a table."""
    pairs = (line.split() for line in Path(path).read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in pairs if len(words) > 1 and words[1].isdigit()}


def settled(look, patience=5):
    """What `look` gives, once it gives the same three times in a row, a twentieth of a second apart."""
    seen, end = [], time.monotonic() + patience
    while time.monotonic() < end:
        seen.append(look())
        if len(seen) >= 3 and seen[-1] == seen[-2] == seen[-3]:
            break
        time.sleep(0.05)
    return seen[-1]


class Memory(Measure):
    """The memory of the whole init: every process in its namespace but the program and the services."""

    rounds, quick_rounds, seconds, warm_up, deadline = 3, 1, 8, False, 30

    def __init__(self, name, title, launch, count):
        super().__init__(name, title, "KB", launch)
        self.count, self.group = count, None

    def once(self, stage, launch):
        self.group = self.group or kernel_group()
        process, init = stage.hold(launch, self.count, deadline=self.deadline, group=self.group)
        try:

            def look():
                sums = {"PSS": 0, "private dirty": 0, "processes": 0}
                for pid in of_namespace(init):
                    try:
                        rollup = fields(f"/proc/{pid}/smaps_rollup")
                    except (OSError, ProcessLookupError):
                        continue
                    sums["PSS"] += rollup["Pss"]
                    sums["private dirty"] += rollup["Private_Dirty"]
                    sums["processes"] += 1
                return sums

            sums = settled(look)
            value = sums.pop("PSS")
            if self.group:
                sums["kernel"] = kernel_memory(self.group)
            return value, sums
        finally:
            stage.release(process)


def kernel_group():
    """A memory cgroup of our own that counts the kernel's memory, where this machine has one and lets us; None
    otherwise."""
    for base, figure in [("/sys/fs/cgroup/memory", "memory.kmem.usage_in_bytes"), ("/sys/fs/cgroup", "memory.stat")]:
        group = Path(base) / f"hermes-init-bench-{os.getpid()}"
        if not (Path(base) / "cgroup.procs").exists():
            continue
        try:
            group.mkdir(exist_ok=True)
            (group / figure).read_text()
            return group
        except OSError:
            remove_group(group)
    return None


def remove_group(group):
    try:
        group.rmdir()
    except OSError:
        pass


def kernel_memory(group):
    """What the kernel holds for the processes of the group, in KB: stacks, page tables, descriptors."""
    if (group / "memory.kmem.usage_in_bytes").exists():
        return int((group / "memory.kmem.usage_in_bytes").read_text()) / 1024
    return fields(group / "memory.stat").get("kernel", 0) / 1024


class Orphans(Measure):
    """A great many orphans that end at once. The value is PID 1's processor time."""

    rounds, seconds, warm_up, deadline = 5, 6, False, 40

    def __init__(self, name, title, count, patience):
        super().__init__(name, title, "ms", self.start)
        highest = int(Path("/proc/sys/kernel/pid_max").read_text())
        self.count, self.patience = min(count, highest - 8000), patience

    def start(self, subject):
        words = [PROGRAM + "orphans", str(self.count), str(self.patience)]
        return subject.main(words) or subject.services(1, words)

    def once(self, stage, launch):
        used, time_taken, left = stage.measure(launch, "orphans", 1, deadline=self.deadline, settle=200)
        return used / 1e6, {"left": left, "until reaped": time_taken / 1e6}


class Idle(Measure):
    """How often the init wakes while nothing happens: all inits at once, since a wake-up is counted, not timed."""

    rounds = 1

    def __init__(self, name, title, seconds, count):
        super().__init__(name, title, "", lambda subject: subject.services(count))
        self.length, self.count = seconds, count

    def applies(self, subject):
        launch = self.launch(subject)
        if not launch:
            launch = subject.main([SERVICE])
            launch.programs = 1
        else:
            launch.programs = self.count
        return launch

    def all_at_once(self, stage, launches):
        held, values = {}, {}
        try:
            for number, (name, launch) in enumerate(launches.items()):
                try:
                    held[name] = stage.hold(
                        launch, launch.programs, deadline=max(self.deadline, self.length + 30), page=f"idle-{number}"
                    )
                except DidNotFinish as problem:
                    values[name] = str(problem)
            time.sleep(3 if self.length > 5 else 1)
            before = {name: self.wakes(init) for name, (_, init) in held.items()}
            time.sleep(self.length)
            for name, (_, init) in held.items():
                after = self.wakes(init)
                values[name] = sum(after[pid] - before[name][pid] for pid in after if pid in before[name])
        finally:
            for process, _ in held.values():
                stage.release(process)
        return values

    @staticmethod
    def wakes(init):
        found = {}
        for pid in of_namespace(init):
            try:
                found[pid] = fields(f"/proc/{pid}/status")["voluntary_ctxt_switches"]
            except OSError:
                continue
        return found


class Size(Measure):
    """The bytes that an image gets."""

    rounds = 1

    def __init__(self, name, title):
        super().__init__(name, title, "KB", lambda subject: Launch([]))
