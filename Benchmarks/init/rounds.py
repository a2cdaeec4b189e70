"""Runs the measures: every init once in each round, the order of the inits turned by one each time; what came of it."""

import sys
import time

import figures
from figures import Figures
from measures import Idle, Size
from stage import DidNotFinish


class Results:
    """{measure: {init: Figures}}, and what the targets ask of it."""

    def __init__(self):
        self.of = {}

    def figures(self, measure, name):
        return self.of.get(measure, {}).get(name)

    def median(self, measure, name):
        found = self.figures(measure, name)
        return found.median if found else None

    def beside(self, measure, name, what):
        found = self.figures(measure, name)
        return found.beside(what) if found else None

    def below(self, measure, peer):
        ours, theirs = self.figures(measure, "hermes-init"), self.figures(measure, peer)
        return figures.below(ours.rounds, theirs.rounds) if ours and theirs else (0, 0)


def say(text):
    print(text, file=sys.stderr, flush=True)


def scale(measure):
    return 1000 if measure.unit == "µs" else 1


def run(stage, measure, subjects, rounds):
    """One measure: {init: Figures}."""
    subjects = [subject for subject in subjects if measure.waits_matter or not subject.variant]
    launches = {subject.name: launch for subject in subjects if (launch := measure.applies(subject))}
    found = {name: Figures(name) for name in launches}
    if isinstance(measure, Idle):
        for name, value in measure.all_at_once(stage, launches).items():
            if isinstance(value, str):
                found[name].problem = value
                value = None
            found[name].rounds.append(value)
        return found
    if isinstance(measure, Size):
        for subject in subjects:
            found[subject.name].rounds.append(sum(file.stat().st_size for file in subject.files) / 1024)
            found[subject.name].besides = {"files": [len(subject.files)]}
            found[subject.name].note = f"and {subject.needs}" if subject.needs else ""
        return found
    spent, given_up, names = dict.fromkeys(launches, 0.0), set(), list(launches)
    for number in range(-1 if measure.warm_up else 0, rounds):
        for name in figures.rotated(names, number):
            here = found[name]
            enough = number >= 3 and spent[name] > measure.seconds
            if name in given_up or enough or (number == -1 and spent[name]):
                here.rounds.append(None)
                continue
            began = time.monotonic()
            try:
                value, besides = measure.once(stage, launches[name])
            except DidNotFinish as problem:
                here.problem = str(problem)
                value, besides = None, {}
                if not here.values:
                    given_up.add(name)
            spent[name] += time.monotonic() - began
            if number >= 0:
                here.rounds.append(value * scale(measure) if value is not None else None)
                for what, also in besides.items():
                    here.besides.setdefault(what, []).append(also)
        if number == -1:
            for here in found.values():
                here.rounds.clear()
    return found
