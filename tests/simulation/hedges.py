"""Second attempts beside slow first ones: of reads only, and the loser is dropped at once."""

from __future__ import annotations

from collections.abc import Callable

from bff.settings import Settings
from datasources.events import HedgeStarted
from tests.simulation.exchanges import Exchange, Exchanges
from tests.simulation.verdict import demand

_INSTANT = 1e-6


class Hedges:
    """Watches requests that say the same thing at the same time.

    Args:
        exchanges: All there are.
        settings: Say what may be doubled.
        state: Of the breaker of a service.
    """

    def __init__(
        self, exchanges: Exchanges, settings: Settings, state: Callable[[str], str]
    ) -> None:
        self._exchanges = exchanges
        self._settings = settings
        self._state = state
        self._rivals: dict[int, Exchange] = {}

    def starts(self, event: HedgeStarted) -> None:
        """A second attempt is going to be sent."""
        wanted = self._settings.upstream(event.service).hedge.operations
        demand(event.operation in wanted, "hedge", f"{event}, and nobody wants it")
        demand(self._state(event.service) == "closed", "hedge", f"{event}, and it is not well")

    def arrives(self, exchange: Exchange) -> None:
        """A request reaches its service."""
        numbers = self._exchanges.under_way[exchange.service] - {exchange.number}
        others = [self._exchanges.all[number] for number in sorted(numbers)]
        same = [one for one in others if _same(one, exchange)]
        if exchange.method == "GET":
            same = [one for one in same if not self._exchanges.written_during(one)]
        if not same:
            return
        story = f"{exchange} beside {[str(one) for one in same]}"
        demand(exchange.method == "GET", "hedge", f"a write twice: {story}")
        hedged = self._settings.upstream(exchange.service).hedge.operations
        demand(hedged and len(same) == 1, "hedge", story)
        self._rivals[exchange.number] = same[0]
        self._rivals[same[0].number] = exchange

    def ended(self, exchange: Exchange) -> None:
        """One is over: it may not outlast another that was answered."""
        rival = self._rivals.pop(exchange.number, None)
        if rival is not None and rival.outcome == "said":
            late = exchange.ended - rival.ended
            demand(late <= _INSTANT, "hedge", f"{exchange} goes on {late:g} s after {rival}")


def _same(one: Exchange, other: Exchange) -> bool:
    return (one.request, one.method, one.target, one.principal) == (
        other.request,
        other.method,
        other.target,
        other.principal,
    )
