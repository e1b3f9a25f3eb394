"""How much is under way in this process, and who may begin.

An event loop that has more to do than its processor can takes ever longer for one turn, and then
everything is late: answers, refusals, probes of whether it is alive. So operations do not all
begin as they come. While turns are short, they do; when one was long, those that come wait in a
line, and one of them begins with every fourth turn. The loop stays quick, whatever stands before
the door; and an operation that would wait too long is refused at once.

How long is too long depends on how long the line has stood. A burst is absorbed; a line that does
not come to an end means that there is more than can be done, and to keep it long would only make
everybody late.

Who writes goes ahead, but that somebody writes is only said: so it gets him ahead for half of the
places and every other beginning at most, and those who read are never kept out by it.

References:
    Nichols, Jacobson: Controlling Queue Delay, ACM Queue 10(5), 2012.
    Maurer: Fail at Scale, ACM Queue 13(8), 2015 (the two patiences).
    docs/decisions/0020-importance-and-shedding.md
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from datasources.clock import Clock, SystemClock
from datasources.importance import Importance

_LONG_TURN = 0.0025
_APART = 4
"""So many turns of the loop from one beginning to the next. One connection is accepted in each, as
libuv does it, and those who are to be refused have to be accepted first."""

_RECENT = 0.05
"""After so long without a look at the loop, nothing is known of its turns (seconds)."""

_STARVED = 0.05
"""After so long without a beginning, one begins however long turns are (seconds)."""

_RESERVED = 16
_STANDING = 0.4
_FIRST_PACE = 0.002
"""How soon one begins after the other until it is seen (seconds): a burst is given the chance."""

_SEEN = 1.0
"""For how long a line is watched before its pace is told (seconds), and then told anew.

Within a second, a burst that is still arriving and services that all answer at once make turns
that say nothing of how soon the line will end.
"""


class Full(Exception):
    """There is no room: nothing was begun."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one operation takes of the process.

    Attributes:
        turn: What to wait for before beginning; None to begin at once.
        ahead: Whether it is one of those that go before others because they write.
    """

    turn: asyncio.Future[None] | None
    ahead: bool


class Pressure:
    """Counts the operations of one event loop, and lets them begin one after the other.

    Args:
        operations: Most of them at once, those that wait to begin included; the last sixteenth is
            kept for those who go ahead: writes, as long as half of all places are not theirs.
        wait: Longest wait to begin that is expected of anybody (seconds); two fifths of it after
            the line has stood for so long. Nobody who goes ahead is refused for it.
        clock: Replaced in tests.
    """

    def __init__(
        self, *, operations: int = 2_048, wait: float = 2.5, clock: Clock | None = None
    ) -> None:
        self.operations = operations
        self._wait = wait
        self._clock = clock or SystemClock()
        self._line: deque[asyncio.Future[None]] = deque()
        self._writes: deque[asyncio.Future[None]] = deque()
        self._write_began = False
        self._ahead = 0
        self._formed = 0.0
        self._looked: float | None = None
        self._turn = 0.0
        self._turned = 0.0
        self._began = 0.0
        self._pace = _FIRST_PACE
        self._watched = 0.0
        self._begun = 0
        self._turns = 0
        self.under_way = 0

    @property
    def waiting(self) -> int:
        """How many of those under way have not begun."""
        return len(self._line) + len(self._writes)

    def check(self, *, write: bool) -> None:
        """Take nothing, and find out whether there would be a place now.

        Args:
            write: Whether the caller says that something will be changed.

        Raises:
            Full: There is none, or beginning would take too long.
        """
        ahead = self._goes_ahead(write=write)
        kept = 0 if ahead else self.operations // _RESERVED
        if self.under_way >= self.operations - kept:
            raise Full
        waiting = self.waiting
        if waiting and not ahead and self._expected(waiting) > self._patience():
            raise Full

    def enter(self, *, write: bool) -> Place:
        """Take a place, to be given back with `leave`.

        Args:
            write: Whether the caller says that something will be changed.

        Raises:
            Full: There is none, or beginning would take too long.
        """
        self.check(write=write)
        ahead = self._goes_ahead(write=write)
        waiting = self.waiting
        self.under_way += 1
        self._ahead += ahead
        if waiting or self._is_slow():
            line = self._writes if ahead else self._line
            return Place(self._queue(line, first=not waiting), ahead)
        self._look()
        return Place(None, ahead)

    def leave(self, place: Place) -> None:
        """Give *place* back."""
        self.under_way -= 1
        self._ahead -= place.ahead

    def least(self) -> Importance:
        """What there is room for: OPTIONAL, unless half of what there is of it is taken.

        From three quarters on it is CRITICAL. Whoever asks does not count, so that somebody who is
        alone is never under pressure.
        """
        full = (self.under_way - 1) / self.operations
        waiting = self.waiting
        if waiting:
            full = max(full, self._expected(waiting) / self._patience())
        if full < 0.5:  # noqa: PLR2004 - as the docstring says
            return Importance.OPTIONAL
        return Importance.IMPORTANT if full < 0.75 else Importance.CRITICAL  # noqa: PLR2004

    def _goes_ahead(self, *, write: bool) -> bool:
        return write and 2 * self._ahead < self.operations

    def _expected(self, waiting: int) -> float:
        return waiting * self._pace

    def _patience(self) -> float:
        stood = self._clock.monotonic() - self._formed
        return self._wait if stood < self._wait else self._wait * _STANDING

    def _is_slow(self) -> bool:
        """Whether a turn of the loop is long now, as far as can be seen."""
        now = self._clock.monotonic()
        if self._looked is not None:
            return now - self._looked >= _LONG_TURN
        return self._turn >= _LONG_TURN and now - self._turned < _RECENT

    def _look(self) -> None:
        """Measure the turn of the loop that is under way, unless that is being done."""
        if self._looked is None:
            self._looked = self._clock.monotonic()
            asyncio.get_running_loop().call_soon(self._seen)

    def _seen(self) -> None:
        now = self._clock.monotonic()
        if self._looked is not None:
            self._turn, self._turned = now - self._looked, now
            self._looked = None

    def _queue(self, line: deque[asyncio.Future[None]], *, first: bool) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        line.append(turn)
        if first:
            self._write_began = False
            now = self._clock.monotonic()
            self._formed = self._began = self._turned = self._watched = now
            self._begun = 0
            self._pace = min(self._pace, _FIRST_PACE)
            loop.call_soon(self._next_turn)
        return turn

    def _next_turn(self) -> None:
        """Let one begin, if turns are short; called once in each while somebody waits."""
        now = self._clock.monotonic()
        self._turn, self._turned = now - self._turned, now
        nobody_runs = self.under_way <= self.waiting
        self._turns += 1
        if self._turns >= _APART and (
            self._turn < _LONG_TURN or nobody_runs or now - self._began >= _STARVED
        ):
            self._turns = 0
            self._begin_one(now)
        if now - self._watched >= _SEEN:
            self._pace = (now - self._watched) / max(1, self._begun)
            self._watched, self._begun = now, 0
        if self.waiting:
            asyncio.get_running_loop().call_soon(self._next_turn)

    def _begin_one(self, now: float) -> None:
        """Who writes and who reads take turns, a write first."""
        lines = (self._writes, self._line)
        for line in reversed(lines) if self._write_began else lines:
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    self._write_began = line is self._writes
                    self._began = now
                    self._begun += 1
                    return
