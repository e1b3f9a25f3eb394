"""What is still asked for an operation that is over."""

from __future__ import annotations

from bff.settings import Settings
from tests.simulation.answers import Answer
from tests.simulation.exchanges import Exchange, Exchanges
from tests.simulation.verdict import demand

_INSTANT = 1e-6


class Leftovers:
    """Knows which operations were alone: only their own callers can have asked for them.

    An old value may be renewed after its answer; nothing else goes on. Of a client that leaves in
    the instant in which the fields of a list begin, what they want may still be asked for: that is
    not judged.
    """

    def __init__(self, exchanges: Exchanges, settings: Settings) -> None:
        self._exchanges = exchanges
        self._settings = settings
        self._over: dict[str, Answer] = {}

    def ends(self, answer: Answer) -> None:
        """An operation has been answered, or left."""
        if answer.alone:
            self._over[answer.operation.name] = answer

    def arrives(self, exchange: Exchange) -> None:
        """A request reaches its service."""
        answer = self._over.get(exchange.request)
        renews = answer is None or self.renews(exchange, answer)
        demand(renews, "settles", f"{exchange} begins when all is over")

    def look(self, answer: Answer) -> None:
        """Shortly after the answer."""
        if answer.operation.name not in self._over:
            return
        for numbers in self._exchanges.under_way.values():
            for number in sorted(numbers):
                exchange = self._exchanges.all[number]
                if exchange.request == answer.operation.name:
                    renews = self.renews(exchange, answer)
                    demand(renews, "settles", f"{exchange} goes on when all is over")

    def renews(self, exchange: Exchange, answer: Answer) -> bool:
        """Whether it may bring newer values of what there was when *answer* was wanted."""
        stale = self._settings.upstream(exchange.service).cache.stale_seconds
        since = answer.started - stale - _INSTANT
        return exchange.method == "GET" and all(
            any(
                one.outcome == "said" and one.ended < answer.ended
                for one in self._exchanges.about(key, exchange.principal, since)
            )
            for key in exchange.keys
        )
