"""What reaches the services: not while a breaker is open, one probe at a time, few repeats."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bff.settings import Settings
from datasources.events import BreakerChanged, CallShed, HedgeStarted, RetryScheduled
from tests.simulation.exchanges import Exchange, Exchanges
from tests.simulation.hedges import Hedges
from tests.simulation.verdict import demand

_WINDOW = 10.0
_RESERVE = 10
_RATIO = 0.1
_GRAIN = 1.0
"""The budget forgets in slices of a second."""
_MILLISECOND = 0.001
_FLOOR = 4
"""A limit that adapts is not lowered below this."""
_MOST_CALLS = {"orders": 2, "payments": 5}
"""How many calls one operation makes at most, where it is more than one."""


class Traffic:
    """Watches every exchange begin, every repeat and every breaker."""

    def __init__(self, exchanges: Exchanges, settings: Settings) -> None:
        self._exchanges = exchanges
        self._settings = settings
        self._states: dict[str, list[tuple[float, str]]] = {}
        self._repeats: dict[str, deque[float]] = {}
        self._first: dict[str, deque[float]] = {}
        self._asked: deque[float] = deque()
        self._shed: list[tuple[float, str, str]] = []
        self.hedges = Hedges(exchanges, settings, self.state)

    def state(self, service: str) -> str:
        """Of its breaker."""
        states = self._states.get(service)
        return states[-1][1] if states else "closed"

    def states(self, service: str, since: float) -> list[str]:
        """Of its breaker, all that it has had *since* then, the one that it had then included."""
        states = self._states.get(service, [])
        later = [state for at, state in states if at >= since]
        before = states[: len(states) - len(later)]
        return [before[-1][1] if before else "closed", *later]

    def changed(self, event: BreakerChanged, now: float) -> None:
        """A breaker moved; one that is open stays so for its time."""
        if event.new == "half-open":
            rest = self._settings.upstream(event.service).breaker.reset_seconds
            opened = self._states[event.service][-1][0]
            story = f"{event.service} lets a call through {now - opened:.3f} s after it opened"
            demand(now - opened >= rest - _MILLISECOND, "breaker", story)
        self._states.setdefault(event.service, []).append((now, event.new))

    def asked(self, now: float) -> None:
        """An operation begins; its calls count even if a breaker keeps them from the service."""
        self._asked.append(now)

    def shed(self, event: CallShed, now: float) -> None:
        """A call was left out, for want of room or time."""
        self._shed.append((now, event.service, str(event.reason)))

    def was_shed(self, service: str, reason: str, since: float, until: float) -> bool:
        """Whether a call to it was left out for that reason between."""
        for at, *what in reversed(self._shed):
            if at < since:
                break
            if at <= until and what == [service, reason]:
                return True
        return False

    def arrives(self, exchange: Exchange) -> None:
        """A request reaches its service."""
        state = self.state(exchange.service)
        demand(state != "open", "breaker", f"open, and {exchange} reaches the service")
        self.hedges.arrives(exchange)
        limit = self._settings.upstream(exchange.service).bulkhead.limit
        under_way = len(self._exchanges.under_way[exchange.service])
        demand(under_way <= limit, "crowd", f"{exchange} is number {under_way} of at most {limit}")
        if exchange.attempt == 1:
            self._first.setdefault(exchange.service, deque()).append(exchange.started)
        exchange.probe = state == "half-open"
        if exchange.probe:
            others = [self._exchanges.all[one] for one in self._others(exchange)]
            probes = [one for one in others if one.probe and one.started >= self._since(one)]
            demand(not probes, "probe", f"{exchange} beside {[str(one) for one in probes]}")

    def _others(self, exchange: Exchange) -> list[int]:
        under_way = self._exchanges.under_way[exchange.service]
        return sorted(under_way - {exchange.number})

    def _since(self, exchange: Exchange) -> float:
        return self._states[exchange.service][-1][0]

    def repeats(self, event: RetryScheduled | HedgeStarted, now: float) -> None:
        """One more was paid for: with those of the last ten seconds it must be affordable."""
        repeats = self._repeats.setdefault(event.service, deque())
        repeats.append(now)
        calls = self._first.setdefault(event.service, deque())
        _forget(repeats, now - _WINDOW + _GRAIN)
        # A call counts when it is made, which may be a while before it reaches the service.
        for instants in (calls, self._asked):
            _forget(instants, now - _WINDOW - 5.0)
        logical = len(calls) + _MOST_CALLS.get(event.service, 1) * len(self._asked)
        affordable = _RATIO * logical + _RESERVE
        story = f"{len(repeats)} of {event.service} in {_WINDOW:g} s for {logical} calls"
        demand(len(repeats) <= affordable, "amplification", story)

    def ended(self, exchange: Exchange) -> None:
        """A request is over: it may not have outlived what the service was told."""
        self.hedges.ended(exchange)
        late = exchange.ended - exchange.started - exchange.allowed
        demand(late <= 2 * _MILLISECOND, "deadline", f"{exchange} outlived its own by {late:g} s")

    def unwell(self, service: str, since: float, until: float) -> bool:
        """Whether its breaker was not closed at some instant between."""
        before = "closed"
        for at, state in self._states.get(service, ()):
            if at > until:
                break
            if at >= since and "closed" not in {state, before}:
                return True
            if at >= since and state != before:
                return True
            before = state
        return before != "closed"

    def crowded(self, service: str, since: float, until: float) -> bool:
        """Whether as many requests as it may have were under way at some instant between."""
        bulkhead = self._settings.upstream(service).bulkhead
        limit = min(bulkhead.limit, _FLOOR) if bulkhead.adaptive else bulkhead.limit
        meanwhile: list[Exchange] = []
        for exchange in reversed(self._exchanges.all):
            if exchange.started < since - 60.0:
                break
            if (
                exchange.service == service
                and exchange.started <= until
                and exchange.ended >= since
            ):
                meanwhile.append(exchange)
        if len(meanwhile) < limit:
            return False
        starts = [max(since, exchange.started) for exchange in meanwhile]
        return any(
            sum(one.started <= at <= one.ended for one in meanwhile) >= limit for at in starts
        )

    def check_all(self, judge: Callable[..., None]) -> None:
        """Over the whole history: no more than a tenth, and one a second."""
        for service in ("users", "orders", "products", "payments", "notifications"):
            judge(self._check_total, service)

    def _check_total(self, service: str) -> None:
        asked = [one for one in self._exchanges.all if one.service == service]
        first = sum(one.attempt == 1 for one in asked)
        seconds = asked[-1].started if asked else 0.0
        affordable = (1.0 + _RATIO) * first + _RESERVE + seconds
        demand(len(asked) <= affordable, "amplification", f"{len(asked)} of {first} for {service}")


def _forget(instants: deque[float], before: float) -> None:
    while instants and instants[0] < before:
        instants.popleft()
