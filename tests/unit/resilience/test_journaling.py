"""What an operation asks is written down, for it alone."""

import asyncio

import pytest
from msgspec.structs import replace

from bff.telemetry.journal import tell_journal
from datasources.errors import ServerFault
from datasources.events import HedgeStarted
from datasources.importance import Importance
from datasources.journal import Journal
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Reply
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.scope import current_scope, entered
from datasources.sourced import Origin, Reason
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run

FAULT = ServerFault("users", 503)


@pytest.fixture
def protect(service, events):
    """The standard pipeline of the service, with these numbers; its news reaches journals."""
    events.subscribe(tell_journal)

    def build(**numbers):
        shared = Shared(ByteCache(), events, VirtualClock())
        return standard_pipeline("users", service, Numbers(**numbers), shared)

    return build


def _keeping(journal):
    return entered(replace(current_scope(), journal=journal))


async def noted(ask, asked=None, seconds=5.0, principal="u1"):
    """The one question in the journal of an operation that asks so."""
    journal = Journal()
    with within(seconds, principal), _keeping(journal):
        await outcome(ask(asked or call()))
    [question] = journal.questions
    return question


def spans(question, since=1_000.0):
    """When each attempt began and ended, in seconds of the story."""
    return [
        (round(attempt.began - since, 3), attempt.ended and round(attempt.ended - since, 3))
        for attempt in question.attempts
    ]


def test_a_live_answer(protect, service):
    """One attempt, and how long it took."""
    service.script = [0.25]
    question = run(noted(protect().ask))
    assert (question.service, question.operation, question.keys) == ("users", "by_id", 1)
    assert (question.outcome, question.served, question.age) == ("ok", {Origin.LIVE: 1}, 0.0)
    assert question.reason is None
    assert spans(question) == [(0.0, 0.25)]
    assert [attempt.outcome for attempt in question.attempts] == ["ok"]
    assert round(question.ended - question.began, 3) == 0.25


def test_what_is_said_of_an_attempt_is_said_of_that_one(events):
    """The sender tells how many bytes came; it knows of no attempts."""
    sizes = [5, 7]

    async def send(asked):
        current_scope().journal.received(sizes.pop(0))
        if sizes:
            raise FAULT
        return Reply({})

    shared = Shared(ByteCache(), events, VirtualClock())
    question = run(noted(standard_pipeline("users", send, Numbers(), shared).ask))
    assert [attempt.size for attempt in question.attempts] == [5, 7]


def test_a_fresh_answer_is_noted_too(protect):
    """Nothing was sent for it, and it says how old it is."""

    async def story():
        ask = protect(fresh=60.0).ask
        await noted(ask)
        await asyncio.sleep(3.0)
        return await noted(ask)

    question = run(story())
    assert (question.served, question.attempts, question.joined) == ({Origin.CACHE: 1}, [], False)
    assert question.age == pytest.approx(3.0)


def test_a_batch_of_fresh_and_live(protect):
    """Counted by where they came from; what the service does not know is not counted."""

    async def story():
        ask = protect(fresh=60.0).ask
        await noted(ask, call("a"))
        return await noted(ask, call("a", "b", "c"))

    question = run(story())
    assert question.keys == 3
    assert question.served == {Origin.CACHE: 1, Origin.LIVE: 2}


def test_repeats_are_told_apart(protect, service):
    """Each attempt with its own outcome."""
    service.script = [FAULT, FAULT, 0.1]
    question = run(noted(protect().ask))
    assert question.retries == 2
    assert [(attempt.number, attempt.outcome) for attempt in question.attempts] == [
        (1, "UPSTREAM_UNAVAILABLE"),
        (2, "UPSTREAM_UNAVAILABLE"),
        (3, "ok"),
    ]


def test_a_failure(protect, service):
    """By its public code, with the reason."""
    service.script = [FAULT] * 4
    question = run(noted(protect().ask))
    assert (question.outcome, question.reason) == ("UPSTREAM_UNAVAILABLE", Reason.SERVER_ERROR)
    assert question.served == {}
    assert len(question.attempts) == 4


def test_a_batch_of_which_a_part_failed(protect, service):
    """What was found, and why the rest was not."""

    async def story():
        ask = protect(fresh=60.0, retries=0).ask
        await noted(ask, call("a"))
        service.script = [FAULT]
        return await noted(ask, call("a", "b"))

    question = run(story())
    assert (question.outcome, question.reason) == ("UPSTREAM_UNAVAILABLE", Reason.SERVER_ERROR)
    assert question.served == {Origin.CACHE: 1}


def test_an_open_breaker_sends_nothing(protect, service):
    """And the question says so."""
    service.script = [FAULT]

    async def story():
        ask = protect(consecutive=1, retries=0).ask
        await noted(ask)
        return await noted(ask)

    question = run(story())
    assert (question.outcome, question.attempts) == ("CIRCUIT_OPEN", [])


def test_a_renewal_is_under_way_when_the_old_value_is_served(protect, service):
    """Its end is written down when it comes, which is after the answer."""
    service.script = [0.0, 1.0]

    async def story():
        ask = protect().ask
        await noted(ask)
        question = await noted(ask)
        at_the_answer = [attempt.outcome for attempt in question.attempts]
        await asyncio.sleep(2.0)
        return question, at_the_answer

    question, at_the_answer = run(story())
    assert at_the_answer == [None]
    assert (question.served, question.reason) == ({Origin.STALE: 1}, Reason.REVALIDATING)
    assert [attempt.outcome for attempt in question.attempts] == ["ok"]
    assert spans(question) == [(0.0, 1.0)]


def test_who_joins_is_told_only_that(protect, service):
    """The attempts stand in the journal of the one who asked first, whoever stays to the end."""
    service.script = [FAULT, 0.5]

    async def story():
        ask = protect().ask
        return await asyncio.gather(noted(ask), noted(ask))

    first, second = run(story())
    assert (first.joined, len(first.attempts), first.retries) == (False, 2, 1)
    assert (second.joined, len(second.attempts), second.retries) == (True, 0, 0)
    assert second.served == {Origin.LIVE: 1}


def test_two_operations_keep_two_journals(protect, service):
    """Side by side, of different callers."""
    service.script = [0.5, 0.2]

    async def story():
        ask = protect().ask
        return await asyncio.gather(noted(ask, principal="u1"), noted(ask, principal="u2"))

    first, second = run(story())
    assert (spans(first), spans(second)) == ([(0.0, 0.5)], [(0.0, 0.2)])


def test_the_wait_for_a_slot_is_told(protect, service):
    """It is not part of the attempt."""
    service.script = [0.4, 0.1]

    async def story():
        ask = protect(bulkhead_limit=1).ask
        return await asyncio.gather(noted(ask, principal="u1"), noted(ask, principal="u2"))

    first, second = run(story())
    assert [attempt.waited for attempt in first.attempts] == [0.0]
    assert [round(attempt.waited, 3) for attempt in second.attempts] == [0.4]
    assert spans(second) == [(0.4, 0.5)]


def test_only_the_attempt_that_waited_is_told_to_have_waited(protect, service):
    """Its repeat found the slot free."""
    service.script = [0.4, (0.1, FAULT), 0.0]

    async def story():
        ask = protect(bulkhead_limit=1).ask
        return await asyncio.gather(noted(ask, principal="u1"), noted(ask, principal="u2"))

    _, second = run(story())
    assert [round(attempt.waited, 3) for attempt in second.attempts] == [0.4, 0.0]


def test_the_repeat_of_a_hedged_attempt_is_no_hedge(protect, service):
    """Unless it is hedged itself."""
    service.script = [(0.4, FAULT), (0.2, FAULT), 0.0]
    question = run(noted(protect(hedged=frozenset({"by_id"}), hedge_after=0.3).ask))
    assert [attempt.hedge for attempt in question.attempts] == [False, True, False]


def test_a_repeat_after_a_hedge_that_was_never_sent_is_none(protect, service, events):
    """In the instant between the two, somebody else has taken the last slot."""
    service.script = [(2.0, FAULT), 3.0]
    ask = protect(hedged=frozenset({"by_id"}), hedge_after=0.3, bulkhead_limit=2).ask
    others = []

    def overtake(event):
        if isinstance(event, HedgeStarted):
            others.append(asyncio.create_task(noted(ask, call(method="POST"), principal="u2")))

    events.subscribe(overtake)

    async def story():
        question = await noted(ask)
        await asyncio.wait(others)
        return question

    sent = [(attempt.number, attempt.hedge) for attempt in run(story()).attempts]
    assert sent == [(1, False), (3, False)]


def test_a_hedge_is_told_apart(protect, service):
    """The winner is ok; the loser was cancelled."""
    service.script = [1.0, 0.1]
    question = run(noted(protect(hedged=frozenset({"by_id"}), hedge_after=0.3).ask))
    assert question.hedges == 1
    assert [(attempt.hedge, attempt.outcome) for attempt in question.attempts] == [
        (False, "CANCELLED"),
        (True, "ok"),
    ]
    assert spans(question) == [(0.0, 0.4), (0.3, 0.4)]


def test_what_is_shed_is_told(service, events):
    """Nothing was sent, and why."""
    events.subscribe(tell_journal)
    shared = Shared(ByteCache(), events, VirtualClock(), least=lambda: Importance.CRITICAL)
    ask = standard_pipeline("users", service, Numbers(), shared).ask
    question = run(noted(ask, call(importance=Importance.OPTIONAL)))
    assert (question.shed, question.attempts, question.outcome) == (True, [], "OVERLOADED")


def test_a_caller_who_leaves(protect, service):
    """The question and its attempt were cancelled."""
    service.script = [9.0]

    async def story():
        journal = Journal()
        with within(), _keeping(journal):
            task = asyncio.create_task(protect().ask(call()))
            await asyncio.sleep(1.0)
            task.cancel()
            await asyncio.wait([task])
        await asyncio.sleep(0)
        return journal.questions[0]

    question = run(story())
    assert question.outcome == "CANCELLED"
    assert [attempt.outcome for attempt in question.attempts] == ["CANCELLED"]


def test_a_defect_of_ours_has_no_name_but_internal(protect, service):
    """What it is stands in the log."""
    service.script = [KeyError("secret")]

    async def story():
        journal = Journal()
        with within(), _keeping(journal), pytest.raises(KeyError):
            await protect().ask(call())
        return journal.questions[0]

    question = run(story())
    assert question.outcome == "INTERNAL"
    assert [attempt.outcome for attempt in question.attempts] == ["INTERNAL"]


def test_a_write(protect):
    """It has no keys, and is noted as everything else."""
    question = run(noted(protect().ask, call(method="POST")))
    assert (question.keys, question.outcome, len(question.attempts)) == (0, "ok", 1)


def test_without_a_journal_nothing_is_noted(protect, service):
    """Nor does an event outside of every operation harm anybody."""

    async def story():
        with within():
            return await outcome(protect().ask(call())), current_scope().journal

    assert run(story()) == ({"k": "k v1"}, None)
    tell_journal(object())
