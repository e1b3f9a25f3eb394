"""The single flight beside a model of it: questions, and who waits for which."""

from __future__ import annotations

from dataclasses import dataclass, field

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

from datasources.errors import AttemptTimedOut, DeadlineExceeded, ServerFault
from datasources.resilience.deadline import time_left
from datasources.resilience.single_flight import SingleFlight
from datasources.resilience.writes import Writes
from datasources.sourced import Reason
from tests.models.effort import QUICK, THOROUGH
from tests.models.stage import Stage, came_to
from tests.unit.resilience.stories import call
from tests.virtual_time import VirtualClock

BUDGET = 5.0
RESERVE = 0.02
MOMENT = 2.0**-10
CLOCK = VirtualClock()


@dataclass(frozen=True)
class Waiter:
    """One who waits.

    Attributes:
        principal: Who he is.
        deadline: When his own time is over.
        patience: How long he waits for a question (seconds); None for as long as he can.
        since: When he began to wait for this one.
        joined: Whether somebody else had begun it.
    """

    principal: str
    deadline: float
    patience: float | None
    since: float
    joined: bool

    @property
    def leaves(self):
        """When he does, and with what."""
        if self.patience is not None and self.since + self.patience < self.deadline:
            return self.since + self.patience, "Unsettled"
        return max(self.since, self.deadline), "DeadlineExceeded"


@dataclass
class Question:
    """One that is under way.

    Attributes:
        key: What is asked, and for whom ("" for everybody).
        asked: The instant, in writes.
        due: When its own time is over.
        waiters: Who waits for it.
        kept: Whether it goes on without anybody.
    """

    key: tuple[str, str]
    asked: int
    due: float
    waiters: dict[int, Waiter] = field(default_factory=dict)
    kept: bool = False


class Model:
    """The words of decision 0006, and of the class."""

    def __init__(self):
        self.questions = {}
        self.number = 0
        self.writes = 0
        self.last = {}
        self.ended = {}
        self.closed = False

    def arrive(self, name, now, key, principal, deadline, patience):
        question = self.joinable(key, principal)
        joined = question is not None
        if question is None:
            if self.closed or deadline <= now:
                self.ended[name] = "DeadlineExceeded"
                return
            self.number += 1
            question = Question(key, self.writes, now + BUDGET - RESERVE)
            self.questions[self.number] = question
        question.waiters[name] = Waiter(principal, deadline, patience, now, joined)

    def joinable(self, key, principal):
        """The newest that asks the same, unless this caller has written since."""
        same = [question for question in self.questions.values() if question.key == key]
        if not same or (key[1] and same[-1].asked < self.last.get(principal, 0)):
            return None
        return same[-1]

    def write(self, principal):
        self.writes += 1
        self.last[principal] = self.writes

    def land(self, number, became):
        for name in self.questions.pop(number).waiters:
            self.ended[name] = became

    def run_out(self, number):
        """Its own time is over: who had only joined it, and has time, asks again."""
        question = self.questions.pop(number)
        for name, waiter in question.waiters.items():
            if waiter.joined and waiter.deadline > question.due:
                self.arrive(
                    name,
                    question.due,
                    question.key,
                    waiter.principal,
                    waiter.deadline,
                    waiter.patience,
                )
            else:
                self.ended[name] = "DeadlineExceeded"

    def leave(self, number, name, became):
        question = self.questions[number]
        del question.waiters[name]
        self.ended[name] = became
        if not question.waiters and not question.kept:
            del self.questions[number]

    def of(self, name):
        return next(n for n, question in self.questions.items() if name in question.waiters)


class Histories(RuleBasedStateMachine):
    """Callers join, write, lose patience and leave; the service answers when it likes."""

    @initialize()
    def begin(self):
        self.stage = Stage()
        self.writes = Writes()
        self.flights = SingleFlight(budget=BUDGET, writes=self.writes, clock=CLOCK)
        self.model = Model()
        self.tasks = {}
        self.sent = []
        self.noted = {}

    async def send(self, asked):
        """Everything further in: it keeps to the deadline of the question."""
        gate = self.stage.loop.create_future()
        self.sent.append((asked, gate))
        handle = self.stage.loop.call_later(
            time_left(CLOCK), lambda: gate.done() or gate.set_exception(DeadlineExceeded("users"))
        )
        try:
            return await gate
        finally:
            handle.cancel()

    @rule(
        callers=st.lists(
            st.tuples(
                st.sampled_from("ab"),
                st.sampled_from(["u1", "u2"]),
                st.booleans(),
                st.sampled_from([0.01, 0.5, 2.0, 7.0, 12.0]),
                st.sampled_from([None, None, 0.15, 9.0]),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def ask(self, callers):
        """A moment apart, so that no two questions end at the same instant."""
        for thing, principal, personal, seconds, patience in callers:
            name = len(self.tasks)
            question = call(thing, personal=personal, patience=patience)
            asking = self.flights(question, self.send)
            key = (thing, principal if personal else "")
            now = self.stage.now
            self.tasks[name] = self.stage.start(asking, seconds=seconds, principal=principal)
            self.stage.settle()
            self.model.arrive(name, now, key, principal, now + seconds - RESERVE, patience)
            self.stage.wait(MOMENT)
            self.pass_time()

    @rule(principal=st.sampled_from(["u1", "u2"]))
    def write(self, principal):
        self.writes.note(principal)
        self.model.write(principal)

    def some_question(self, which):
        number = list(self.model.questions)[which % len(self.model.questions)]
        return number, *self.sent[number - 1]

    @precondition(lambda self: self.model.questions)
    @rule(which=st.integers(0, 9), fails=st.booleans())
    def answer(self, which, fails):
        number, _, gate = self.some_question(which)
        if fails:
            gate.set_exception(ServerFault("users", 503))
        else:
            gate.set_result(number)
        self.model.land(number, "ServerFault" if fails else number)
        self.stage.settle()

    @precondition(lambda self: self.model.questions)
    @rule(which=st.integers(0, 9))
    def trouble(self, which):
        """An attempt failed, and another follows."""
        number, asked, _ = self.some_question(which)
        asked.on_trouble(AttemptTimedOut("users", 3.0))
        self.noted[number] = Reason.TIMEOUT

    @precondition(lambda self: any(q.waiters for q in self.model.questions.values()))
    @rule(which=st.integers(0, 9))
    def leave(self, which):
        names = [name for q in self.model.questions.values() for name in q.waiters]
        name = names[which % len(names)]
        self.tasks[name].cancel()
        self.model.leave(self.model.of(name), name, "cancelled")
        self.stage.settle()

    @rule(seconds=st.sampled_from([0.1, 0.2, 1.0, 3.0]))
    def wait(self, seconds):
        self.stage.wait(seconds)
        self.pass_time()

    def pass_time(self):
        """Everything whose time has come ends, in the order of time."""
        now = self.stage.now + 1e-9
        while True:
            ends = [(q.due, number, None) for number, q in self.model.questions.items()]
            ends += [
                (waiter.leaves[0], number, name)
                for number, question in self.model.questions.items()
                for name, waiter in question.waiters.items()
            ]
            due = sorted((end for end in ends if end[0] <= now), key=lambda end: end[0])
            if not due:
                return
            _, number, name = due[0]
            if name is None:
                self.model.run_out(number)
                continue
            question = self.model.questions[number]
            waiter = question.waiters[name]
            became = waiter.leaves[1]
            question.kept = question.kept or waiter.patience is not None
            self.model.leave(number, name, became)
            if became == "Unsettled":
                reason = self.noted.get(number, Reason.REVALIDATING)
                assert self.tasks[name].exception().reason == reason

    @rule()
    def close(self):
        self.stage.do(self.flights.aclose())
        self.model.closed = True
        for number in list(self.model.questions):
            self.model.land(number, "DeadlineExceeded")

    @invariant()
    def they_agree(self):
        if not hasattr(self, "model"):
            return
        assert len(self.sent) == self.model.number
        under_way = {n for n, (_, gate) in enumerate(self.sent, 1) if not gate.done()}
        assert under_way == set(self.model.questions)
        assert self.flights.in_flight == len(under_way)
        assert {n: came_to(t) for n, t in self.tasks.items() if t.done()} == self.model.ended

    def teardown(self):
        if hasattr(self, "model"):
            self.stage.do(self.flights.aclose())
            assert self.flights.in_flight == 0
            self.stage.close()


def test_the_single_flight_does_as_its_model():
    """A few histories."""
    run_state_machine_as_test(Histories, settings=QUICK)


@pytest.mark.slow
def test_the_single_flight_does_as_its_model_in_a_thousand_histories():
    """New ones every time."""
    run_state_machine_as_test(Histories, settings=THOROUGH)
