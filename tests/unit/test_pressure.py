"""Who may begin, who waits, who is refused, and what there is room for."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field

import pytest

from bff.pressure import Full, Pressure
from datasources.importance import Importance
from tests.virtual_time import HandClock

SHORT, LONG = 0.001, 0.004
"""Turns of the event loop (seconds)."""


@dataclass
class Process:
    """A process whose every turn takes so long by a clock of its own.

    When `brief`, whoever waited is done as soon as he has begun.
    """

    clock: HandClock = field(default_factory=HandClock)
    turn: float = SHORT
    brief: bool = False
    numbers: dict = field(default_factory=dict)

    def __post_init__(self):
        self.pressure = Pressure(clock=self.clock, **self.numbers)
        self.begun = []
        self.places = []

    async def turns(self, number=1):
        """Four times as many, in which one can begin for each of *number*."""
        for _ in range(4 * number):
            self.clock.time += self.turn
            await asyncio.sleep(0)

    async def busy(self):
        """From now on the loop is known to be slow: somebody began, and his turn was long."""
        self.turn = LONG
        self.places.append(self.pressure.enter(write=False))
        await self.turns(2)

    def enter(self, name="", *, write=False):
        place = self.pressure.enter(write=write)
        self.places.append(place)
        if place.turn is None:
            self.begun.append(name)
        else:
            place.turn.add_done_callback(lambda _: self._begin(name, place))
        return place.turn

    def leave(self, number=0):
        self.pressure.leave(self.places.pop(number))

    def _begin(self, name, place):
        self.begun.append(name)
        if self.brief:
            self.places.remove(place)
            self.pressure.leave(place)


async def test_while_turns_are_short_everybody_begins_at_once():
    """A thousand at a time, for nobody counts them."""
    process = Process()
    for _ in range(10):
        assert [process.enter() for _ in range(90)] == [None] * 90
        await process.turns(2)
    assert (process.pressure.under_way, process.pressure.waiting) == (900, 0)


async def test_who_comes_late_in_a_long_turn_waits():
    """Those before him have made it long; one begins with each of the next turns, in order."""
    process = Process()
    assert process.enter("first") is None
    process.clock.time += LONG
    for name in ("second", "third", "fourth"):
        assert process.enter(name) is not None
    assert process.begun == ["first"]
    seen = []
    for _ in range(5):
        await process.turns()
        seen.append(len(process.begun))
    assert process.begun == ["first", "second", "third", "fourth"]
    assert seen == sorted(seen)
    assert max(after - before for before, after in itertools.pairwise(seen)) == 1


async def test_nobody_begins_in_a_long_turn():
    """Until turns are short again."""
    process = Process()
    await process.busy()
    process.enter("waits")
    await process.turns(2)
    assert process.begun == []
    process.turn = SHORT
    await process.turns(3)
    assert process.begun == ["waits"]


async def test_however_long_turns_are_one_begins_now_and_then():
    """Others may make them long, and for ever."""
    process = Process()
    await process.busy()
    for name in range(3):
        process.enter(name)
    await process.turns(round(0.2 / LONG))
    assert process.begun == [0, 1, 2]


async def test_when_nothing_runs_the_next_begins():
    """Whatever takes the loop so long, it is no operation."""
    process = Process()
    await process.busy()
    process.enter("waits")
    process.leave()
    await process.turns(2)
    assert process.begun == ["waits"]


async def test_a_long_turn_is_forgotten_soon():
    """Who comes a while after it does not wait for it."""
    process = Process()
    await process.busy()
    process.clock.time += 0.06
    assert process.enter() is None


async def test_nobody_overtakes():
    """Turns are short again, and some still stand in line: who comes now stands behind them."""
    process = Process()
    await process.busy()
    for name in range(3):
        process.enter(name)
    process.turn = SHORT
    await process.turns(2)
    assert process.enter("late") is not None
    await process.turns(4)
    assert process.begun == [0, 1, 2, "late"]


async def test_who_writes_and_who_reads_take_turns():
    """A write first; each kind in order; then whoever is left."""
    process = Process()
    await process.busy()
    for name in ("read", "another"):
        process.enter(name)
    for name in ("write", "rewrite", "overwrite"):
        process.enter(name, write=True)
    process.turn = SHORT
    await process.turns(8)
    assert process.begun == ["write", "read", "rewrite", "another", "overwrite"]


async def test_in_each_new_line_a_write_begins_first():
    """Also when the last who began in the line before was one."""
    process = Process()
    await process.busy()
    process.enter("alone", write=True)
    process.turn = SHORT
    await process.turns(3)
    process.begun.clear()
    await process.busy()
    process.enter("read")
    process.enter("write", write=True)
    process.turn = SHORT
    await process.turns(5)
    assert process.begun == ["write", "read"]


async def test_there_are_so_many_places_and_the_last_are_for_writes():
    """A sixteenth of them; a place that is given back can be taken."""
    process = Process(numbers={"operations": 32})
    for _ in range(30):
        process.enter()
    with pytest.raises(Full):
        process.enter()
    process.enter(write=True)
    process.enter(write=True)
    with pytest.raises(Full):
        process.enter(write=True)
    process.leave()
    process.enter(write=True)
    assert process.pressure.under_way == 32


async def test_to_write_is_worth_half_of_the_places():
    """Of 32, 16 go ahead; those that come then are let in as if they read, so 14 who read are."""
    process = Process(numbers={"operations": 32})
    for _ in range(16):
        process.enter(write=True)
    for _ in range(14):
        process.enter()
    for write in (True, False):
        with pytest.raises(Full):
            process.enter(write=write)


async def test_who_has_gone_ahead_and_left_makes_room_for_another():
    """Two of those who write are done, and two who read have their places: the reserve is left."""
    process = Process(numbers={"operations": 32})
    for _ in range(16):
        process.enter(write=True)
    for _ in range(14):
        process.enter()
    for _ in range(2):
        process.leave()
        process.enter()
    for _ in range(2):
        process.enter(write=True)
    with pytest.raises(Full):
        process.enter(write=True)
    assert process.pressure.under_way == 32


async def test_writes_alone_cannot_take_what_is_kept_for_them():
    """Whatever is said in all requests: two of 32 places are for those who go ahead."""
    process = Process(numbers={"operations": 32})
    for _ in range(30):
        process.enter(write=True)
    with pytest.raises(Full):
        process.enter(write=True)


async def test_who_reads_is_not_behind_all_who_write():
    """Half of the places go ahead; who writes besides stands in the line of those who read."""
    process = Process(numbers={"operations": 8})
    await process.busy()
    for number in range(5):
        process.enter(number, write=True)
    process.enter("read")
    process.turn = SHORT
    await process.turns(8)
    assert process.begun == [0, 4, 1, "read", 2, 3]


async def test_to_look_takes_nothing():
    """However often; and it is refused when a place would be."""
    process = Process(numbers={"operations": 16})
    for _ in range(15):
        process.pressure.check(write=False)
        process.enter()
    assert process.pressure.under_way == 15
    with pytest.raises(Full):
        process.pressure.check(write=False)
    process.pressure.check(write=True)
    process.enter(write=True)
    with pytest.raises(Full):
        process.pressure.check(write=True)


async def overrun(process, turns):
    """Three come while one can begin, in 10 ms; the line after each such time."""
    await process.busy()
    process.leave()
    process.turn, process.brief = 0.0025, True
    lines = []
    for _ in range(turns):
        for _ in range(3):
            with contextlib.suppress(Full):
                process.enter()
        await process.turns()
        lines.append(process.pressure.waiting)
    return lines


async def test_who_would_wait_too_long_is_refused():
    """One begins in 10 ms, and nobody waits three seconds: 300 stand there; who writes joins."""
    process = Process(numbers={"wait": 3.0})
    lines = await overrun(process, 280)
    assert 295 < max(lines) <= 303
    with contextlib.suppress(Full):
        for _ in range(4):
            process.enter()
    with pytest.raises(Full):
        process.enter()
    assert process.enter(write=True) is not None


async def test_in_its_first_second_a_line_is_taken_for_a_burst():
    """It grows by two in each turn, although it would take two seconds; then nobody joins."""
    process = Process(numbers={"wait": 1.5})
    lines = await overrun(process, 110)
    assert lines[94] == 190
    assert lines[-1] < 200


async def test_one_long_turn_says_nothing_of_the_line():
    """Services that all answer at once take half a second; the line is as quick as before it."""
    process = Process(numbers={"wait": 1.0})
    await process.busy()
    for _ in range(200):
        process.enter()
    process.turn = SHORT
    await process.turns(100)
    process.clock.time += 0.5
    await process.turns(2)
    assert process.enter() is not None
    assert process.pressure.least() is Importance.OPTIONAL


async def test_a_line_that_does_not_end_becomes_shorter():
    """After a second of it, nobody waits longer than two fifths of one."""
    lines = await overrun(Process(numbers={"wait": 1.0}), 500)
    assert max(lines) > 90
    assert 35 < max(lines[300:]) <= 41


async def test_a_line_that_has_ended_is_forgotten():
    """A burst that comes then is let in as if there had been none."""
    process = Process(numbers={"wait": 1.0})
    await overrun(process, 500)
    await process.turns(100)
    assert process.pressure.waiting == 0
    await process.busy()
    for _ in range(300):
        process.enter()
    assert process.pressure.waiting == 300


async def test_a_thousand_at_once_are_a_burst():
    """With the numbers that operators get."""
    process = Process()
    await process.busy()
    for _ in range(950):
        process.enter()
    assert process.pressure.waiting == 950


async def test_who_leaves_the_line_keeps_nobody():
    """His place goes to the next, and nobody begins for him."""
    process = Process()
    await process.busy()
    gone, stays = process.enter("gone"), process.enter("stays")
    gone.cancel()
    process.leave(1)
    process.turn = SHORT
    await process.turns(3)
    assert stays.done()
    assert (process.pressure.under_way, process.pressure.waiting) == (2, 0)


@pytest.mark.parametrize(
    ("others", "least"),
    [
        (0, Importance.OPTIONAL),
        (15, Importance.OPTIONAL),
        (16, Importance.IMPORTANT),
        (23, Importance.IMPORTANT),
        (24, Importance.CRITICAL),
        (29, Importance.CRITICAL),
    ],
)
async def test_the_fewer_places_the_less_there_is_room_for(others, least):
    """Of 32: optional from half on no more, important from three quarters on; others count."""
    process = Process(numbers={"operations": 32})
    for _ in range(1 + others):
        process.enter()
    assert process.pressure.least() is least


async def test_who_is_alone_is_under_no_pressure():
    """In a process for one."""
    process = Process(numbers={"operations": 1})
    process.enter()
    assert process.pressure.least() is Importance.OPTIONAL


async def test_the_longer_the_line_the_less_there_is_room_for():
    """As for places: half of the longest wait, and three quarters; and with the line it ends."""
    process = Process(numbers={"wait": 0.201})
    await process.busy()
    seen = {}
    for number in range(100):
        process.enter()
        seen.setdefault(process.pressure.least(), number)
    # 2 ms each: 50 of them are half of it.
    assert seen == {Importance.OPTIONAL: 0, Importance.IMPORTANT: 50, Importance.CRITICAL: 75}
    process.turn = 0.0
    await process.turns(110)
    assert process.pressure.least() is Importance.OPTIONAL
