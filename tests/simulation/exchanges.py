"""What was said between the BFF and the services: the oracle's only source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Key = tuple[Any, ...]
"""What was asked, such as ("user", "ann"); a batch of products is asked under one for each."""

REASONS = {
    "UNREACHABLE": {"refuse", "reset", "reset-late", "truncate"},
    "SERVER_ERROR": {"500", "502", "503"},
    "BAD_REPLY": {"garbage", "html", "gzip", "foreign", "oversized", "204", "302", "402", "409"}
    | {"418", "422"},
    "OVERLOADED": {"408", "429"},
    "TIMEOUT": {"left"},
}
"""The outcomes of an exchange that justify each reason."""
REFUSALS = {"401", "403", "404", "410"}
"""After these nothing old may be shown any more."""


@dataclass(slots=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        request: The X-Request-ID.
        principal: On whose behalf, by our own token.
        keys: What was asked.
        allowed: The X-Request-Timeout-Ms, in seconds.
        probe: Whether the breaker was half-open when it began.
        outcome: "said", a refusal or fault, "left" when we were, "" while it is under way.
        said: By key, what a good answer held; None for what is not there.
        as_of: When it was over.
    """

    number: int
    service: str
    method: str
    target: str
    request: str
    principal: str
    keys: tuple[Key, ...]
    attempt: int
    allowed: float
    idempotency: str | None
    started: float
    probe: bool = False
    outcome: str = ""
    ended: float = float("inf")
    as_of: datetime | None = None
    said: dict[Key, Any] = field(default_factory=dict)

    def said_no(self, key: Key) -> bool:
        """Whether it ends the life of whatever is kept under *key*."""
        return self.outcome in REFUSALS or (self.outcome == "said" and self.said[key] is None)

    def __str__(self) -> str:
        asked = f"{self.method} {self.target} for {self.principal} ({self.request})"
        return f"{self.service}: {asked} attempt {self.attempt}"


class Exchanges:
    """All of them, by what was asked."""

    def __init__(self) -> None:
        self.all: list[Exchange] = []
        self.under_way: dict[str, set[int]] = {}
        self._about: dict[tuple[Key, str], list[Exchange]] = {}
        self._answered: dict[tuple[Key, str, datetime], Exchange] = {}

    def begin(self, make: Callable[[int], Exchange]) -> Exchange:
        exchange = make(len(self.all))
        self.all.append(exchange)
        self.under_way.setdefault(exchange.service, set()).add(exchange.number)
        for key in exchange.keys:
            self._about.setdefault((key, exchange.principal), []).append(exchange)
        return exchange

    def end(self, exchange: Exchange, outcome: str, at: float, as_of: datetime) -> None:
        exchange.outcome, exchange.ended, exchange.as_of = outcome, at, as_of
        self.under_way[exchange.service].discard(exchange.number)
        if outcome == "said":
            for key in exchange.keys:
                self._answered[key, exchange.principal, as_of] = exchange

    def since(self, start: float) -> Iterator[Exchange]:
        """Those that began after *start*, latest first."""
        for exchange in reversed(self.all):
            if exchange.started < start:
                return
            yield exchange

    def written_during(self, exchange: Exchange) -> bool:
        """Whether its principal has changed something there since it began.

        What it will say is then too old for him, and he may ask again without waiting for it.
        """
        return any(
            one.method != "GET"
            and one.ended >= exchange.started
            and (one.service, one.principal) == (exchange.service, exchange.principal)
            for one in self.since(exchange.started - 60.0)
        )

    def answered(self, key: Key, principal: str, as_of: datetime) -> Exchange | None:
        """The one that said what *key* is at that very instant."""
        return self._answered.get((key, principal, as_of))

    def about(self, key: Key, principal: str, since: float) -> Iterator[Exchange]:
        """Those that were under way after *since*, latest first."""
        for exchange in reversed(self._about.get((key, principal), [])):
            if exchange.ended >= since:
                yield exchange
            elif exchange.started < since - 60.0:
                return
