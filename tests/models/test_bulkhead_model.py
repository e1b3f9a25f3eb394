"""The bulkhead beside a model of it: slots, and a queue."""

from __future__ import annotations

import asyncio

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

from datasources.errors import ServerFault
from datasources.resilience.bulkhead import Bulkhead
from tests.models.effort import QUICK, THOROUGH
from tests.models.stage import Stage, came_to
from tests.unit.resilience.stories import call
from tests.virtual_time import VirtualClock

PATIENCE = 1.0
RESERVE = 0.02


class Model:
    """Who runs, who waits until when, and what became of the others."""

    def __init__(self, limit, queue):
        self.limit = limit
        self.queue = queue
        self.running = []
        self.waiting = {}
        self.ended = {}

    def arrive(self, name, now, seconds):
        patience = min(PATIENCE, seconds - RESERVE)
        if len(self.running) < self.limit:
            self.running.append(name)
        elif len(self.waiting) >= self.queue or patience <= 0.0:
            self.ended[name] = "BulkheadFull"
        else:
            self.waiting[name] = now + patience

    def end(self, name, became):
        """*name* is over; who has waited longest has the slot at once."""
        self.ended[name] = became
        if self.waiting.pop(name, None) is not None:
            return
        self.running.remove(name)
        for longest in list(self.waiting)[:1]:
            del self.waiting[longest]
            self.running.append(longest)

    def pass_time(self, now):
        for name, until in list(self.waiting.items()):
            if until <= now + 1e-9:
                self.end(name, "BulkheadFull")


class Histories(RuleBasedStateMachine):
    """Callers come, finish, fail, and leave at the worst moments."""

    @initialize(limit=st.integers(1, 3), queue=st.integers(0, 4))
    def begin(self, limit, queue):
        self.stage = Stage()
        self.bulkhead = Bulkhead(limit=limit, queue=queue, patience=PATIENCE, clock=VirtualClock())
        self.model = Model(limit, queue)
        self.tasks = {}
        self.gates = {}

    async def send(self, name, asked):
        """The service: keeps the call until a rule ends it."""
        self.gates[name] = self.stage.loop.create_future()
        return await self.gates[name]

    @rule(seconds=st.lists(st.sampled_from([0.01, 0.02, 0.3, 0.6, 60.0]), min_size=1, max_size=4))
    def arrive(self, seconds):
        """Some callers at the same instant, each with that much time."""
        for left in seconds:
            name = len(self.tasks)

            async def send(asked, name=name):
                return await self.send(name, asked)

            self.tasks[name] = self.stage.start(self.bulkhead(call(), send), seconds=left)
            self.model.arrive(name, self.stage.now, left)
        self.stage.settle()

    def some(self, names, which):
        return list(names)[which % len(names)]

    @precondition(lambda self: self.model.running)
    @rule(which=st.integers(0, 9), fails=st.booleans())
    def finish(self, which, fails):
        name = self.some(self.model.running, which)
        if fails:
            self.gates[name].set_exception(ServerFault("users", 503))
        else:
            self.gates[name].set_result(name)
        self.model.end(name, "ServerFault" if fails else name)
        self.stage.settle()

    @precondition(lambda self: self.model.running or self.model.waiting)
    @rule(which=st.integers(0, 9))
    def leave(self, which):
        name = self.some([*self.model.running, *self.model.waiting], which)
        self.tasks[name].cancel()
        self.model.end(name, "cancelled")
        self.stage.settle()

    @precondition(lambda self: self.model.running and self.model.waiting)
    @rule(which=st.integers(0, 9))
    def leave_with_a_slot_in_hand(self, which):
        """The slot comes free, and whoever gets it is cancelled before he knows."""
        name = self.some(self.model.running, which)
        self.gates[name].set_result(name)

        async def until_handed_over():
            while not self.tasks[name].done():  # noqa: ASYNC110 - not one pass later
                await asyncio.sleep(0)

        self.stage.loop.run_until_complete(until_handed_over())
        before = set(self.model.running)
        self.model.end(name, name)
        (next_one,) = set(self.model.running) - before
        self.tasks[next_one].cancel()
        self.model.end(next_one, "cancelled")
        self.stage.settle()

    @rule(seconds=st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0]))
    def wait(self, seconds):
        self.stage.wait(seconds)
        self.model.pass_time(self.stage.now)

    @invariant()
    def they_agree(self):
        if not hasattr(self, "model"):
            return
        running = {name for name, gate in self.gates.items() if not gate.done()}
        assert running == set(self.model.running)
        assert self.bulkhead.in_flight == len(running) <= self.model.limit
        assert self.bulkhead.queued == len(self.model.waiting) <= self.model.queue
        became = {name: came_to(task) for name, task in self.tasks.items() if task.done()}
        assert became == self.model.ended

    def teardown(self):
        if not hasattr(self, "model"):
            return
        self.stage.close()
        assert (self.bulkhead.in_flight, self.bulkhead.queued) == (0, 0)


def test_the_bulkhead_does_as_its_model():
    """A few histories."""
    run_state_machine_as_test(Histories, settings=QUICK)


@pytest.mark.slow
def test_the_bulkhead_does_as_its_model_in_a_thousand_histories():
    """New ones every time."""
    run_state_machine_as_test(Histories, settings=THOROUGH)
