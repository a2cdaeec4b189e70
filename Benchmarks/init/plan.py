"""The measures of the table and their targets: section by section what docs/benchmarks.md promises, as data.

A target that is a time was set beside a floor on one machine. It is judged as its ratio to that floor, since a time
belongs to one machine; the text says both.
"""

from dataclasses import dataclass

from measures import Cold, Idle, Memory, Orphans, Size, Timed
from subjects import SERVICE, Launch


@dataclass
class Target:
    text: str
    # Takes the results of all measures and the name of this one; None where what it compares with was not measured.
    met: object


def times_floor(limit, text=None):
    def met(results, name):
        ours, floor = results.median(name, "hermes-init"), results.median(name, "floor")
        return None if ours is None or not floor else ours <= limit * floor

    return Target(text or f"≤ {limit:g} × floor", met)


def at_most(limit, text):
    def met(results, name):
        ours = results.median(name, "hermes-init")
        return None if ours is None else ours <= limit

    return Target(text, met)


def no_more_than(peer, text=None):
    def met(results, name):
        ours, theirs = results.median(name, "hermes-init"), results.median(name, peer)
        return None if ours is None or theirs is None else ours <= theirs

    return Target(text or f"≤ {peer}", met)


def below_in_every_round(peer):
    def met(results, name):
        below, of = results.below(name, peer)
        return None if not of else below == of

    return Target(f"below {peer} in every round", met)


def beside(what, limit, text):
    def met(results, name):
        ours = results.beside(name, "hermes-init", what)
        return None if ours is None else ours <= limit

    return Target(text, met)


def linear(smaller, factor):
    def met(results, name):
        few, many = results.median(smaller, "hermes-init"), results.median(name, "hermes-init")
        return None if few is None or many is None else many <= few * factor * 1.15

    return Target("linear", met)


def checked(stage, count, writer):
    """--check of so many files, and a program that only reads them."""

    def launch(subject):
        if subject.name not in ("floor", "hermes-init"):
            return None
        inside = f"/bench/config/check-{count}"
        if not (stage.config / f"check-{count}").exists():
            writer(stage.config / f"check-{count}", count)
        words = ["floor-read", inside] if subject.name == "floor" else ["hermes-init", "--check", "--config", inside]
        return Launch([f"/bench/inits/{words[0]}", *words[1:]])

    return launch


def stopped(count):
    """Services under an init that waits for them at its end, which runit does not."""
    return lambda subject: None if subject.name == "runit" else subject.services(count)


def measures(stage, writer, quick=False):
    """All of them with their targets, in the order of the table."""

    def true(subject):
        return subject.main(["/bin/true"])

    def one_program(subject):
        return subject.main([SERVICE])

    def services(count, **how):
        return lambda subject: subject.services(count, **how)

    def chain(count):
        title = f"{count} oneshots, one after the other, then the main program"
        launch = lambda subject: subject.chain(count)  # noqa: E731
        return Timed(f"chain-{count}", title, "ms", launch, "stamps", rounds=15, seconds=6), [times_floor(1.3)]

    def many(count):
        title = f"{count} services, until the last one runs"
        measure = Timed(f"services-{count}", title, "ms", services(count), "stamps", count, rounds=15, seconds=8)
        return measure, [times_floor(1.3)]

    def check(count, targets):
        title = f"`--check` of {count:,} service files"
        launch = checked(stage, count, writer)
        return Timed(f"check-{count}", title, "ms", launch, "exit", rounds=11, seconds=10), targets

    started = Timed("true", "`-- /bin/true`, start to exit", "ms", true, "exit", rounds=31, seconds=12)
    cold = Cold("true-cold", "the same, read from the disk", "ms", true, "exit", rounds=9, seconds=5)
    title = "a signal to the init, until the main program's handler runs"
    signal = Timed("signal", title, "µs", one_program, "signal", 50, rounds=15, seconds=8, settle=100)
    title = "a service is killed, until its replacement runs"
    kill = Timed("kill", title, "ms", services(5, at_once=True), "kill", 5, rounds=7, seconds=15)
    title = "SIGTERM, until the init has ended; 10 services that obey"
    term = Timed("term", title, "ms", stopped(10), "term", 10, rounds=15, seconds=8, settle=300)
    started.waits_matter = term.waits_matter = True
    idle, orphans = (2, 1000) if quick else (20, 20000)
    title = f"{orphans:,} orphans end at once: processor time of PID 1"
    return [
        (started, [times_floor(1.8 / 1.22, "≤ 1.8 ms beside a floor of 1.22 (1.48 ×)"), below_in_every_round("tini")]),
        (cold, []),
        *map(chain, (3,) if quick else (10, 100)),
        *map(many, (20,) if quick else (100, 500)),
        (
            Memory("memory", "memory, one program", lambda one: one_program(one) or one.services(1), 1),
            [at_most(350, "≤ 350 KB")],
        ),
        (
            Memory("memory-100", "memory, 100 services", services(100), 100),
            [at_most(600, "≤ 600 KB"), beside("processes", 1, "one process")],
        ),
        (Size("size", "size of its files"), [at_most(512, "≤ 0.5 MB"), beside("files", 1, "one file")]),
        (signal, [no_more_than("tini")]),
        (kill, [times_floor(0.5 / 0.35, "≤ 0.5 ms beside a floor of 0.35 (1.43 ×)")]),
        (term, [times_floor(0.9 / 0.74, "≤ 0.9 ms beside a floor of 0.74 (1.22 ×)")]),
        (Idle("idle", f"wake-ups while nothing happens, {idle} s", idle, 10), [at_most(0, "none")]),
        (Orphans("orphans", title, orphans, 6), [beside("left", 0, "no zombie is left"), no_more_than("tini")]),
        *(
            [check(100, [])]
            if quick
            else [check(1000, [at_most(50, "≤ 50 ms")]), check(10000, [linear("check-1000", 10)])]
        ),
    ]
