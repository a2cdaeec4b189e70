"""The arithmetic of the table: what a list of rounds says. Pure: numbers in, numbers out."""

from dataclasses import dataclass, field
from statistics import median


def quartiles(values):
    """The lower and the upper quartile, between neighbours in proportion; of one value that value."""
    ordered = sorted(values)

    def at(part):
        place = (len(ordered) - 1) * part
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return at(0.25), at(0.75)


@dataclass
class Figures:
    """What one init showed in one measure."""

    name: str
    # A value for each round; None where it was not measured in that round, or failed in it.
    rounds: list = field(default_factory=list)
    # Beside it: {what: a list of values}, such as the number of processes.
    besides: dict = field(default_factory=dict)
    problem: str = ""
    note: str = ""

    @property
    def values(self):
        return [value for value in self.rounds if value is not None]

    @property
    def median(self):
        return median(self.values) if self.values else None

    @property
    def spread(self):
        return quartiles(self.values) if self.values else None

    def beside(self, what):
        values = [value for value in self.besides.get(what, []) if value is not None]
        return median(values) if values else None


def ratio(value, floor):
    """How many times the floor; None where there is none, or it is nothing."""
    return value / floor if value is not None and floor else None


def below(ours, theirs):
    """In how many rounds ours was below, of those in which both were measured."""
    pairs = [(one, other) for one, other in zip(ours, theirs) if one is not None and other is not None]
    return sum(one < other for one, other in pairs), len(pairs)


def rotated(items, by):
    """The same in another order, so that none always comes after the same one."""
    by %= len(items) or 1
    return items[by:] + items[:by]
