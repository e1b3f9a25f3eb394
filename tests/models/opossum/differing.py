"""A model of a breaker that is ours, or opossum, or anything between: by named differences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor


class Difference(StrEnum):
    """What opossum does and our breaker does not; docs/decisions/0023-beside-opossum.md."""

    STATE_BY_TIMER = "state by timer"
    MORE_THAN_THE_SHARE = "more than the share"
    ONLY_FAILURES_JUDGE = "only failures judge"
    COUNTS_WHAT_BEGINS = "counts what begins"
    LATE_RESULTS_COUNT = "late results count"
    REMEMBERS_WHEN_CLOSED = "remembers when closed"
    NO_ROW = "no row"
    NO_SLOW_CALLS = "no slow calls"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of both breakers; seconds."""

    ratio: float = 0.5
    minimum: int = 4
    window: float = 10.0
    row: int = 5
    reset: float = 6.0
    slow: float = 3.0
    slow_ratio: float = 0.75
    timeout: float = 8.25


@dataclass(slots=True)
class Begun:
    """A call under way."""

    at: float
    generation: int
    probe: bool


class Model:
    """The words of the decision, one `if` for each difference."""

    def __init__(self, numbers, differences):
        self.numbers = numbers
        self.differences = frozenset(differences)
        self.now = 0.0
        self.state = "closed"
        self.generation = 0
        self.reopens_at = 0.0
        self.probing = False
        self.row = 0
        self.begun = []
        self.outcomes = []
        self.under_way = {}

    def seen(self):
        """The state, and whether a call would be let through."""
        if self.state == "open":
            return ["open", self.now >= self.reopens_at]
        return [self.state, self.state == "closed" or not self.probing]

    def begin(self, call):
        if Difference.COUNTS_WHAT_BEGINS in self.differences:
            self.begun.append(self.now)
        if not self.seen()[1]:
            return
        if self.state == "open":
            self.change("half-open")
        probe = self.state == "half-open"
        self.probing = probe
        self.under_way[call] = Begun(self.now, self.generation, probe)

    def settle(self, call, *, ok):
        begun = self.under_way.pop(call, None)
        if begun is None:
            return
        late = begun.generation != self.generation
        if late and Difference.LATE_RESULTS_COUNT not in self.differences:
            return
        if Difference.COUNTS_WHAT_BEGINS not in self.differences:
            self.begun.append(self.now)
        seconds = self.now - begun.at if ok else None
        self.outcomes.append((self.now, ok, seconds))
        self.row = 0 if ok else self.row + 1
        if self.state == "half-open":
            slow = ok and seconds >= self.numbers.slow
            if Difference.NO_SLOW_CALLS in self.differences:
                slow = False
            self.change("closed" if ok and not slow else "open")
        elif self.state == "closed" and self.is_too_much(ok=ok):
            self.change("open")

    def is_too_much(self, *, ok):
        numbers = self.numbers
        if self.row >= numbers.row and Difference.NO_ROW not in self.differences:
            return True
        if ok and Difference.ONLY_FAILURES_JUDGE in self.differences:
            return False
        lately = [outcome for outcome in self.outcomes if self.is_recent(outcome[0])]
        calls = sum(self.is_recent(at) for at in self.begun)
        failed = sum(not ok for _, ok, _ in lately)
        answers = [seconds for _, ok, seconds in lately if ok]
        slow = sum(seconds >= numbers.slow for seconds in answers)
        if Difference.NO_SLOW_CALLS in self.differences or len(answers) < numbers.minimum:
            slow = 0
        if slow and slow >= numbers.slow_ratio * len(answers):
            return True
        if calls < numbers.minimum:
            return False
        if Difference.MORE_THAN_THE_SHARE in self.differences:
            return failed > numbers.ratio * calls
        return failed >= numbers.ratio * calls

    def is_recent(self, at):
        """To a tenth of the window, as both count."""
        tenth = self.numbers.window / 10
        return floor(self.now / tenth) - floor(at / tenth) < 10

    def wait(self, seconds):
        until = self.now + seconds
        while True:
            dues = [
                (begun.at + self.numbers.timeout, call) for call, begun in self.under_way.items()
            ]
            if self.state == "open" and Difference.STATE_BY_TIMER in self.differences:
                dues.append((self.reopens_at, None))
            due, call = min(dues, key=lambda pair: pair[0], default=(until + 1.0, None))
            if due > until:
                break
            self.now = due
            if call is None:
                self.change("half-open")
            else:
                self.settle(call, ok=False)
        self.now = until

    def change(self, new):
        self.state = new
        self.generation += 1
        self.probing = False
        if new == "open":
            self.reopens_at = self.now + self.numbers.reset
        elif new == "closed":
            self.row = 0
            if Difference.REMEMBERS_WHEN_CLOSED not in self.differences:
                self.begun.clear()
                self.outcomes.clear()
