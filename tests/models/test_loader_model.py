"""The loader beside a model of it: keys, batches, and who waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from schema.isolating_loader import IsolatingLoader
from tests.models.effort import QUICK, THOROUGH
from tests.models.stage import Stage, came_to

KEYS = st.integers(0, 7)


@dataclass(eq=False)
class Asked:
    """One asking for one key: shared by all who loaded it meanwhile.

    Attributes:
        waiters: Who waits.
        value: What it came to; None before.
    """

    key: int
    waiters: set[int]
    value: object = None


class Model:
    """What is remembered, what is under way, what waits for its turn."""

    def __init__(self, size, at_once):
        self.size = size
        self.at_once = at_once
        self.memo = {}
        self.waiting = []
        self.running = []
        self.ended = {}
        self.begun = 0

    def load(self, name, key):
        """Whether the key has to be asked for."""
        asked = self.memo.get(key)
        if asked is None:
            asked = self.memo[key] = Asked(key, {name})
            return asked
        if asked.value is None:
            asked.waiters.add(name)
        else:
            self.ended[name] = asked.value
        return None

    def dispatch(self, wanted):
        """What was asked for in one wave and is still wanted, in batches."""
        wanted = [asked for asked in wanted if asked.waiters]
        for start in range(0, len(wanted), self.size):
            self.waiting.append(wanted[start : start + self.size])
        self.begin()

    def begin(self):
        while self.waiting and len(self.running) < self.at_once:
            batch = self.waiting.pop(0)
            if any(asked.waiters for asked in batch):
                self.begun += 1
                self.running.append((self.begun, batch))

    def settle(self, number, outcomes):
        """The batch is over; errors are not remembered."""
        batch = next(batch for n, batch in self.running if n == number)
        self.running = [(n, batch) for n, batch in self.running if n != number]
        for asked, outcome in zip(batch, outcomes, strict=True):
            asked.value = outcome
            if isinstance(outcome, str) and self.memo.get(asked.key) is asked:
                del self.memo[asked.key]
            for name in asked.waiters:
                self.ended[name] = outcome
            asked.waiters.clear()
        self.begin()

    def leave(self, name):
        """A batch dies with its last waiter; a key that nobody waits for is forgotten."""
        self.ended[name] = "cancelled"
        asked = next(asked for asked in self.all_asked() if name in asked.waiters)
        asked.waiters.discard(name)
        if asked.waiters:
            return
        if self.memo.get(asked.key) is asked:
            del self.memo[asked.key]
        self.running = [
            (n, batch) for n, batch in self.running if any(asked.waiters for asked in batch)
        ]
        self.begin()

    def all_asked(self):
        batches = [*self.waiting, *(batch for _, batch in self.running)]
        return [asked for batch in batches for asked in batch]


class Histories(RuleBasedStateMachine):
    """Keys are loaded in waves; answers come in any order, whole, in part, or not at all."""

    @initialize(size=st.integers(1, 3), at_once=st.integers(1, 3))
    def begin(self, size, at_once):
        self.stage = Stage()
        self.loader = IsolatingLoader(self.fetch, batch_size=size, at_once=at_once)
        self.model = Model(size, at_once)
        self.tasks = {}
        self.fetches = []

    async def fetch(self, keys):
        gate = self.stage.loop.create_future()
        self.fetches.append((list(keys), gate, asyncio.current_task()))
        return await gate

    @rule(
        wave=st.lists(KEYS, min_size=1, max_size=6),
        pause=st.integers(0, 3),
        leavers=st.sets(st.integers(0, 5)),
    )
    def load(self, wave, pause, leavers):
        """The first comes a few passes before the others; some are gone before it is sent."""
        wanted = []

        async def together():
            for index, key in enumerate(wave):
                name = len(self.tasks)
                self.tasks[name] = self.loader.load(key)
                asked = self.model.load(name, key)
                if asked is not None:
                    wanted.append(asked)
                    if self.model.size == 1:
                        self.model.dispatch(wanted[-1:])
                for _ in range(pause if index == 0 and self.model.size > 1 else 0):
                    await asyncio.sleep(0)
            for name in names:
                self.tasks[name].cancel()

        names = []
        if self.model.size > 1:
            first = len(self.tasks)
            names = [first + index for index in leavers if index < len(wave)]
        self.stage.do(together())
        for name in names:
            self.leave_early(name, wanted)
        if self.model.size > 1:
            self.model.dispatch(wanted)

    def leave_early(self, name, wanted):
        """He may have asked for what was there, for what is under way, or for something new."""
        if name in self.model.ended:
            return
        asked = next((asked for asked in wanted if name in asked.waiters), None)
        if asked is None:
            self.model.leave(name)
            return
        self.model.ended[name] = "cancelled"
        asked.waiters.discard(name)
        if not asked.waiters:
            del self.model.memo[asked.key]

    @precondition(lambda self: self.model.running)
    @rule(which=st.integers(0, 9), bad=st.sets(KEYS))
    def answer(self, which, bad):
        """Ten times each key, and an error for some."""
        number, batch = self.model.running[which % len(self.model.running)]
        keys, gate, _ = self.fetches[number - 1]
        gate.set_result([LookupError(key) if key in bad else key * 10 for key in keys])
        self.model.settle(
            number, ["LookupError" if asked.key in bad else asked.key * 10 for asked in batch]
        )
        self.stage.settle()

    @precondition(lambda self: self.model.running)
    @rule(which=st.integers(0, 9), how=st.sampled_from(["raises", "cancelled", "too few"]))
    def fail(self, which, how):
        """The whole batch."""
        number, batch = self.model.running[which % len(self.model.running)]
        keys, gate, task = self.fetches[number - 1]
        if how == "raises":
            gate.set_exception(OSError())
        elif how == "cancelled":
            task.cancel()
        else:
            gate.set_result(keys[1:])
        name = {"raises": "OSError", "cancelled": "BatchCancelled", "too few": "TypeError"}[how]
        self.model.settle(number, [name] * len(batch))
        self.stage.settle()

    @precondition(lambda self: any(asked.waiters for asked in self.model.all_asked()))
    @rule(which=st.integers(0, 9))
    def leave(self, which):
        names = sorted(name for asked in self.model.all_asked() for name in asked.waiters)
        name = names[which % len(names)]
        self.tasks[name].cancel()
        self.model.leave(name)
        self.stage.settle()

    @invariant()
    def they_agree(self):
        if not hasattr(self, "model"):
            return
        assert {n: came_to(task) for n, task in self.tasks.items() if task.done()} == (
            self.model.ended
        )
        under_way = [n for n, (_, _, task) in enumerate(self.fetches, 1) if not task.done()]
        assert under_way == [number for number, _ in self.model.running]
        for number, batch in self.model.running:
            assert self.fetches[number - 1][0] == [asked.key for asked in batch]

    def teardown(self):
        if not hasattr(self, "model"):
            return
        for task in self.tasks.values():
            task.cancel()
        self.stage.settle()
        assert all(task.done() for _, _, task in self.fetches)
        self.stage.close()


def test_the_loader_does_as_its_model():
    """A few histories."""
    run_state_machine_as_test(Histories, settings=QUICK)


@pytest.mark.slow
def test_the_loader_does_as_its_model_in_a_thousand_histories():
    """New ones every time."""
    run_state_machine_as_test(Histories, settings=THOROUGH)
