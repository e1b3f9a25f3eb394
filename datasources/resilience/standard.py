"""The one place where the order of the policies and their numbers are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datasources.clock import Clock
from datasources.events import Events
from datasources.importance import Importance
from datasources.resilience.adaptive_limit import AdaptiveLimit, FixedLimit
from datasources.resilience.attempt_events import AttemptEvents
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.resilience.breaker import Breaker, BreakerPeek
from datasources.resilience.bulkhead import Bulkhead
from datasources.resilience.cache import ByteCache
from datasources.resilience.fresh_cache import FreshCache
from datasources.resilience.hedging import Hedging
from datasources.resilience.journaling import Journaling
from datasources.resilience.last_good import LastGood
from datasources.resilience.load_shedding import LoadShedding
from datasources.resilience.pipeline import Handler, Pipeline
from datasources.resilience.rehearsal import Rehearsal
from datasources.resilience.retry import Retry
from datasources.resilience.retry_budget import RetryBudget
from datasources.resilience.single_flight import SingleFlight
from datasources.resilience.stale_fallback import StaleFallback
from datasources.resilience.stale_while_revalidate import StaleWhileRevalidate
from datasources.resilience.time_to_ask import TimeToAsk
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
        adaptive: Whether fewer calls are in flight when the service cannot take as many.
        failure_ratio: Share of failed calls that opens the breaker.
        minimum_calls: Fewest calls for that share to mean anything.
        window: How far back they are counted.
        consecutive: Failures in a row that open the breaker.
        reset: Time open before a probe.
        slow: From when on an answer to a read is slow.
        slow_ratio: Share of slow answers that opens the breaker.
        read: For one attempt of GET and HEAD.
        write: For one attempt of anything else.
        hedged: Operations that are asked a second time when the first answer is long in coming.
        hedge_after: How long that is.
    """

    fresh: float = 0.0
    stale: float = 300.0
    patience: float = 0.15
    budget: float = 5.0
    retries: int = 3
    bulkhead_limit: int = 64
    bulkhead_queue: int = 128
    adaptive: bool = False
    failure_ratio: float = 0.5
    minimum_calls: int = 10
    window: float = 10.0
    consecutive: int = 10
    reset: float = 30.0
    slow: float = 2.5
    slow_ratio: float = 0.9
    read: float = 3.0
    write: float = 10.0
    hedged: frozenset[str] = frozenset()
    hedge_after: float = 0.5


def room_for_all() -> Importance:
    """Nothing need be left out."""
    return Importance.OPTIONAL


def _nothing_usual(_service: str, _operation: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Shared:
    """What the pipelines of all services have in common.

    Attributes:
        cache: Where values are kept.
        events: What happens is announced there.
        clock: Replaced in tests.
        least: The least importance that the process has room for now.
        usual: What an answer of a service to an operation takes (seconds); None for unknown.
    """

    cache: ByteCache
    events: Events
    clock: Clock
    least: Callable[[], Importance] = room_for_all
    usual: Callable[[str, str], float | None] = _nothing_usual


@dataclass(frozen=True, slots=True)
class Protected:
    """One service behind its policies.

    Attributes:
        ask: Answers calls.
        breaker: To look at.
        bulkhead: To look at.
        flights: To look at, and to close.
        patience: How long a caller with an old value waits for a newer one (seconds).
    """

    ask: Pipeline
    breaker: Breaker
    bulkhead: Bulkhead
    flights: SingleFlight
    patience: float


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
    limit = numbers.bulkhead_limit
    bulkhead = Bulkhead(
        limit=AdaptiveLimit(limit, clock=clock) if numbers.adaptive else FixedLimit(limit),
        queue=numbers.bulkhead_queue,
        clock=clock,
    )
    breaker = Breaker(
        service,
        failure_ratio=numbers.failure_ratio,
        minimum_calls=numbers.minimum_calls,
        window=numbers.window,
        consecutive=numbers.consecutive,
        reset=numbers.reset,
        slow=numbers.slow,
        slow_ratio=numbers.slow_ratio,
        events=events,
        clock=clock,
    )
    budget = RetryBudget(clock=clock)
    retry = Retry(
        retries=numbers.retries,
        budget=budget,
        admits=breaker.would_admit,
        events=events,
        clock=clock,
    )
    hedging = Hedging(
        operations=numbers.hedged,
        after=numbers.hedge_after,
        budget=budget,
        admits=lambda: breaker.closed and bulkhead.has_room,
        events=events,
        clock=clock,
    )
    pipeline = Pipeline(
        Journaling(Rehearsal(last_good), clock=clock),
        ReadYourWrites(writes),
        FreshCache(last_good),
        StaleWhileRevalidate(last_good, patience=numbers.patience, events=events),
        LoadShedding(
            last_good,
            least=shared.least,
            queued=lambda: bulkhead.queued,
            queue=numbers.bulkhead_queue,
            usual=shared.usual,
            admits=lambda has_old: breaker.would_admit(has_old=has_old),
            events=events,
            clock=clock,
        ),
        flights,
        StaleFallback(last_good),
        retry,
        *([hedging] if numbers.hedged else []),
        BreakerPeek(breaker),
        bulkhead,
        TimeToAsk(clock=clock),
        breaker,
        AttemptEvents(events=events, clock=clock),
        AttemptTimeout(read=numbers.read, write=numbers.write, clock=clock),
        send=send,
    )
    return Protected(pipeline, breaker, bulkhead, flights, numbers.patience)
