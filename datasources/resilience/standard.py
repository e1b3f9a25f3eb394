"""The one place where the order of the policies and their numbers are written."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.clock import Clock
from datasources.events import Events
from datasources.resilience.attempt_events import AttemptEvents
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.resilience.breaker import Breaker, BreakerPeek
from datasources.resilience.bulkhead import Bulkhead
from datasources.resilience.cache import ByteCache
from datasources.resilience.fresh_cache import FreshCache
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Handler, Pipeline
from datasources.resilience.retry import Retry
from datasources.resilience.retry_budget import RetryBudget
from datasources.resilience.single_flight import SingleFlight
from datasources.resilience.stale_fallback import StaleFallback
from datasources.resilience.stale_while_revalidate import StaleWhileRevalidate
from datasources.resilience.writes import ReadYourWrites, Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What an operator can set for one service; durations in seconds.

    Attributes:
        fresh: How long an answer need not be asked for again.
        stale: How long an old answer is better than none.
        patience: Longest wait for a newer answer when there is an old one.
        budget: For one question that callers share.
        retries: Most repeats of an idempotent call.
        bulkhead_limit: Most calls in flight.
        bulkhead_queue: Most calls that wait for a slot.
        failure_ratio: Share of failed calls that opens the breaker.
        minimum_calls: Fewest calls for that share to mean anything.
        window: How far back they are counted.
        consecutive: Failures in a row that open the breaker.
        reset: Time open before a probe.
        read: For one attempt of GET and HEAD.
        write: For one attempt of anything else.
    """

    fresh: float = 0.0
    stale: float = 300.0
    patience: float = 0.15
    budget: float = 5.0
    retries: int = 3
    bulkhead_limit: int = 64
    bulkhead_queue: int = 128
    failure_ratio: float = 0.5
    minimum_calls: int = 10
    window: float = 10.0
    consecutive: int = 10
    reset: float = 30.0
    read: float = 3.0
    write: float = 10.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pipelines of all services have in common."""

    cache: ByteCache
    events: Events
    clock: Clock


@dataclass(frozen=True, slots=True)
class Protected:
    """One service behind its policies.

    Attributes:
        ask: Answers calls.
        breaker: To look at.
        bulkhead: To look at.
        flights: To look at, and to close.
    """

    ask: Pipeline
    breaker: Breaker
    bulkhead: Bulkhead
    flights: SingleFlight


def standard_pipeline(service: str, send: Handler, numbers: Numbers, shared: Shared) -> Protected:
    """Protect *send*, outermost policy first.

    References:
        docs/decisions/0006-order-of-the-pipeline.md says why each stands where it stands.
    """
    events, clock = shared.events, shared.clock
    writes = Writes()
    last_good = LastGood(
        shared.cache, writes, fresh=numbers.fresh, stale=numbers.stale, clock=clock
    )
    flights = SingleFlight(budget=numbers.budget, writes=writes, clock=clock)
    bulkhead = Bulkhead(limit=numbers.bulkhead_limit, queue=numbers.bulkhead_queue, clock=clock)
    breaker = Breaker(
        service,
        failure_ratio=numbers.failure_ratio,
        minimum_calls=numbers.minimum_calls,
        window=numbers.window,
        consecutive=numbers.consecutive,
        reset=numbers.reset,
        events=events,
        clock=clock,
    )
    retry = Retry(
        retries=numbers.retries,
        budget=RetryBudget(clock=clock),
        admits=breaker.would_admit,
        events=events,
        clock=clock,
    )
    pipeline = Pipeline(
        ReadYourWrites(writes),
        FreshCache(last_good),
        StaleWhileRevalidate(last_good, patience=numbers.patience, events=events),
        flights,
        StaleFallback(last_good),
        retry,
        BreakerPeek(breaker),
        bulkhead,
        breaker,
        AttemptEvents(events=events, clock=clock),
        AttemptTimeout(read=numbers.read, write=numbers.write, clock=clock),
        send=send,
    )
    return Protected(pipeline, breaker, bulkhead, flights)
