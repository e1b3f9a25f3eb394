"""Hedging."""

import asyncio
import gc

import pytest
from msgspec.structs import replace

from datasources.errors import (
    BulkheadFull,
    DeadlineExceeded,
    NotFound,
    ServerFault,
    TryLater,
    Unreachable,
)
from datasources.events import AttemptFinished, HedgeStarted, RetryScheduled
from datasources.resilience.cache import ByteCache
from datasources.resilience.deadline import RESERVE
from datasources.resilience.hedging import Hedging
from datasources.resilience.pipeline import Reply
from datasources.resilience.retry_budget import RetryBudget
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from tests.unit.resilience.stories import Service, call, outcome, within
from tests.virtual_time import HandClock, VirtualClock, run

FIRST, SECOND = ServerFault("users", 503), Unreachable("users")
LONG = 4.0


@pytest.fixture
def hedging(events):
    """Hedges `by_id` after 200 ms."""

    def build(*, admits=lambda: True, budget=None):
        clock = VirtualClock()
        return Hedging(
            operations={"by_id"},
            after=0.2,
            budget=budget or RetryBudget(clock=clock),
            admits=admits,
            events=events,
            clock=clock,
        )

    return build


def told(policy, service, seconds=5.0, **asked):
    """What came of it, and after how long."""

    async def story():
        loop = asyncio.get_running_loop()
        began = loop.time()
        with within(seconds):
            met = await outcome(policy(call(**asked), service))
        return met, round(loop.time() - began, 3)

    return run(story())


@pytest.mark.parametrize(
    ("script", "result", "after", "sent"),
    [
        ([0.0], {"k": "k v1"}, 0.0, 1),
        ([0.19], {"k": "k v1"}, 0.19, 1),
        ([LONG, 0.1], {"k": "k v1"}, 0.3, 2),
        ([0.25, LONG], {"k": "k v1"}, 0.25, 2),
        ([(0.1, FIRST)], "ServerFault", 0.1, 1),
        ([(0.3, FIRST), 0.5], {"k": "k v1"}, 0.7, 2),
        ([0.5, (0.1, SECOND)], {"k": "k v1"}, 0.5, 2),
        ([(0.3, FIRST), (0.5, SECOND)], "ServerFault", 0.7, 2),
        ([(0.5, FIRST), (0.1, SECOND)], "ServerFault", 0.5, 2),
        ([(0.4, FIRST), (0.2, SECOND)], "ServerFault", 0.4, 2),
        ([(0.4, FIRST), 0.2], {"k": "k v1"}, 0.4, 2),
        ([LONG, (0.1, NotFound("users"))], "NotFound", 0.3, 2),
        ([(0.3, NotFound("users")), LONG], "NotFound", 0.3, 2),
        ([0.5, (0.1, TryLater("users", 429))], {"k": "k v1"}, 0.5, 2),
        ([(0.3, TryLater("users", 429)), 0.5], {"k": "k v1"}, 0.7, 2),
        ([(0.3, FIRST), (0.5, TryLater("users", 429))], "ServerFault", 0.7, 2),
        ([(0.5, TryLater("users", 429)), (0.1, SECOND)], "TryLater", 0.5, 2),
        ([LONG, BulkheadFull("users")], {"k": "k v1"}, LONG, 2),
        ([(0.3, DeadlineExceeded("users")), 0.5], {"k": "k v1"}, 0.7, 2),
        ([(0.3, FIRST), RuntimeError()], "ServerFault", 0.3, 2),
        ([(0.3, asyncio.CancelledError()), 0.5], {"k": "k v1"}, 0.7, 2),
    ],
)
def test_the_first_answer_wins(hedging, service, script, result, after, sent):
    """One row, one story: what each attempt meets, what comes of it, when, and how many are sent.

    A refusal is an answer. A failure waits for the other, and so does what was put off; of two,
    the first attempt's is told.
    """
    service.script = list(script)
    assert told(hedging(), service) == (result, after)
    assert (len(service.asked), service.running) == (sent, 0)


def test_what_is_not_hedged(hedging, service):
    """Writes; other operations; a breaker that is not closed; a budget that is spent; no time."""
    spent = RetryBudget(clock=VirtualClock())
    for _ in range(10):
        assert spent.withdraw()
    other = Hedging(
        operations={"recent"},
        after=0.2,
        budget=RetryBudget(clock=VirtualClock()),
        admits=lambda: True,
        events=None,
        clock=VirtualClock(),
    )
    for policy, asked in (
        (hedging(), {"method": "POST"}),
        (hedging(), {"method": "PUT", "idempotency_key": "k1"}),
        (other, {}),
        (hedging(admits=lambda: False), {}),
        (hedging(budget=spent), {}),
        (hedging(), {"seconds": 0.21}),
    ):
        service.asked.clear()
        service.script = [1.0]
        met, _ = told(policy, service, **asked)
        assert (len(service.asked), isinstance(met, dict)) == (1, True)


def test_half_a_second_is_time_enough_for_a_hedge(hedging, service):
    """Slow services are why it is there."""
    service.script = [LONG, 0.1]
    assert told(hedging(), service, seconds=0.7) == ({"k": "k v1"}, 0.3)


def test_no_hedge_is_sent_when_the_time_is_over(events, service):
    """To the instant."""
    clock = HandClock()
    policy = Hedging(
        operations={"by_id"},
        after=0.2,
        budget=RetryBudget(clock=clock),
        admits=lambda: True,
        events=events,
        clock=clock,
    )
    service.script = [1.0]

    async def story():
        with within() as scope:
            clock.time = scope.deadline - RESERVE
            return await outcome(policy(call(), service))

    assert run(story()) == {"k": "k v1"}
    assert len(service.asked) == 1


def test_a_refused_hedge_costs_no_budget(hedging, service):
    """Whoever is not admitted leaves the ten repeats to others."""
    budget = RetryBudget(clock=VirtualClock())
    service.script = [1.0]
    told(hedging(admits=lambda: False, budget=budget), service)
    assert [budget.withdraw() for _ in range(11)] == [True] * 10 + [False]


def test_a_hedge_is_announced_and_numbered(hedging, service, announced):
    """It is the second attempt, and whatever follows it is the third."""
    asked = call()
    service.script = [LONG, 0.1]

    async def story():
        with within():
            await hedging()(asked, service)

    run(story())
    assert announced == [HedgeStarted(service="users", operation="by_id", after=0.2)]
    assert service.attempts == [1, 2]
    assert next(asked.numbers) == 3


def test_trouble_is_told_while_the_other_attempt_goes_on(hedging, service):
    """Whoever has an old value may be waiting for a reason to give."""
    met = []
    service.script = [(0.3, FIRST), 0.5]
    told(hedging(), service, on_trouble=met.append)
    assert met == [FIRST]


def test_trouble_that_ends_the_race_is_told_by_whoever_hears_of_it(hedging, service):
    """Else the latest trouble would be the second attempt's, and the failure the first one's."""
    met = []
    service.script = [(0.3, FIRST), (0.5, SECOND)]
    assert told(hedging(), service, on_trouble=met.append)[0] == "ServerFault"
    assert met == [FIRST]


def test_an_attempt_that_was_cancelled_within_is_no_trouble(hedging, service):
    """It says nothing of the service, and the other attempt goes on."""
    met = []
    service.script = [LONG, (0.1, asyncio.CancelledError())]
    assert told(hedging(), service, on_trouble=met.append) == ({"k": "k v1"}, LONG)
    assert met == []


def test_what_is_made_of_a_question_is_that_question_but_for_the_change():
    """As `dataclasses.replace` would make it; and it counts its attempts with the first."""
    asked = call("a", "b", idempotency_key="k1", body=b"{}", repeatable=False)
    changed = asked.but(attempt=3, has_old=True)
    assert changed == replace(asked, attempt=3, has_old=True)
    assert (asked.attempt, asked.has_old) == (1, False)
    assert [next(asked.numbers), next(changed.numbers), next(asked.numbers)] == [2, 3, 4]


@pytest.mark.parametrize("moment", [0.1, 0.2, 0.25, 0.5])
def test_a_caller_who_leaves_takes_both_along(hedging, service, moment):
    """Before the second attempt, as it begins, and while both run: nothing goes on."""
    service.script = [LONG, LONG]

    async def story():
        with within():
            caller = asyncio.create_task(hedging()(call(), service))
            await asyncio.sleep(moment)
            caller.cancel()
            await asyncio.wait([caller])
            assert caller.cancelled()
        return service.running

    assert run(story()) == 0


def protect(service, events, **numbers):
    shared = Shared(ByteCache(), events, VirtualClock())
    numbers = {"hedged": frozenset({"by_id"}), "hedge_after": 0.2} | numbers
    return standard_pipeline("users", service, Numbers(**numbers), shared)


def test_repeats_and_hedges_never_share_a_number(events, announced):
    """Both attempts fail, twice; the service sees 1 to 5, and two repeats are announced."""
    service = Service([(0.3, FIRST), (0.2, SECOND)] * 2)

    async def story():
        with within():
            return await outcome(protect(service, events, retries=2).ask(call()))

    assert run(story()) == {"k": "k v1"}
    assert service.attempts == [1, 2, 3, 4, 5]
    assert [event.retry for event in announced if isinstance(event, RetryScheduled)] == [1, 2]


def test_a_loser_is_no_evidence(events, announced):
    """Ten slow attempts, each overtaken: cancelled, and the breaker knows only of answers."""
    service = Service([LONG, 0.1] * 10)
    protected = protect(service, events, minimum_calls=1, consecutive=1)

    async def story():
        for key in range(10):
            with within():
                assert isinstance(await outcome(protected.ask(call(str(key)))), dict)
        assert (protected.bulkhead.in_flight, protected.flights.in_flight) == (0, 0)

    run(story())
    assert protected.breaker.state == "closed"
    finished = [event.outcome for event in announced if isinstance(event, AttemptFinished)]
    assert finished == ["ok", "cancelled"] * 10


def test_repeats_and_hedges_draw_on_one_budget(events, announced):
    """A hundred slow questions within ten seconds: a tenth of them and the reserve of ten."""
    service = Service([LONG] * 1000)
    protected = protect(service, events, budget=60.0, slow=9.0, read=9.0)

    async def story():
        with within(60.0):
            tasks = []
            for key in range(100):
                tasks.append(asyncio.create_task(outcome(protected.ask(call(str(key))))))
                await asyncio.sleep(0.05)
            await asyncio.gather(*tasks)

    run(story())
    assert 10 <= sum(isinstance(event, HedgeStarted) for event in announced) <= 20
    assert len(service.asked) <= 120


def test_nobody_is_hedged_while_others_wait_for_a_slot(events):
    """More attempts would only make the queue longer."""
    service = Service([0.5] * 10)
    protected = protect(service, events, bulkhead_limit=2)

    async def story():
        with within():
            await asyncio.gather(*(outcome(protected.ask(call(str(key)))) for key in range(3)))

    run(story())
    assert service.attempts == [1, 1, 1]


def test_nobody_is_hedged_who_would_have_to_wait(events, announced):
    """Every slot is taken, and nobody waits: the second attempt would be the first to."""
    service = Service([1.5])
    protected = protect(service, events, bulkhead_limit=1)

    async def story():
        with within():
            await outcome(protected.ask(call()))

    run(story())
    assert [type(event) for event in announced] == [AttemptFinished]


def test_what_was_put_off_is_trouble_too(hedging, service):
    """As when it is repeated: whoever has an old value may say that the service is busy."""
    met = []
    later = TryLater("users", 429)
    service.script = [LONG, (0.1, later)]
    assert told(hedging(), service, on_trouble=met.append) == ({"k": "k v1"}, LONG)
    assert met == [later]


def test_half_open_sends_one_probe_however_slow(events, announced):
    """A probe is not hedged, nor is it announced or paid for."""
    service = Service([FIRST, LONG])
    protected = protect(service, events, consecutive=1, retries=0, read=9.0, budget=9.0)

    async def story():
        with within():
            await outcome(protected.ask(call()))
        await asyncio.sleep(33.1)
        with within(9.0):
            await outcome(protected.ask(call()))

    run(story())
    assert len(service.asked) == 2
    assert not any(isinstance(event, HedgeStarted) for event in announced)


def test_the_answer_leaves_after_the_loser(hedging):
    """One that takes a while to go: nothing goes on behind the caller's back."""
    running = 0

    async def lingering(asked):
        nonlocal running
        running += 1
        try:
            if asked.attempt == 1:
                try:
                    await asyncio.sleep(LONG)
                finally:
                    await asyncio.sleep(0.05)
            return await Service()(asked)
        finally:
            running -= 1

    async def story():
        with within():
            await hedging()(call(), lingering)
        return running

    assert run(story()) == 0


def test_nobody_complains_of_what_the_loser_met(hedging):
    """It fails while it is being cancelled."""
    complaints = []

    async def stumbling(asked):
        try:
            await asyncio.sleep(LONG if asked.attempt == 1 else 0.1)
        except asyncio.CancelledError:
            raise Unreachable("users") from None
        return Reply({})

    async def story():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        with within():
            assert await outcome(hedging()(call(), stumbling)) == {}
        gc.collect()

    run(story())
    assert complaints == []


def test_a_cancellation_at_any_step_leaves_nothing_behind(events):
    """Through the whole pipeline, before the first attempt, between the two, and while both run."""
    sent = []
    for steps in range(40):
        service = Service([LONG, 0.1])
        protected = protect(service, events, hedge_after=0.0)

        async def story(protected=protected, steps=steps, service=service):
            with within():
                task = asyncio.create_task(protected.ask(call()))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            await asyncio.sleep(0.01)
            assert service.running == 0
            assert (protected.bulkhead.in_flight, protected.flights.in_flight) == (0, 0)
            return len(service.asked)

        sent.append(run(story()))
    assert set(sent) == {0, 1, 2}
