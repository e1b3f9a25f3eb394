"""What the exchanges prove for an answer, and against it."""

from __future__ import annotations

from typing import Any

from tests.simulation.answers import Answer
from tests.simulation.clients import Operation, Path
from tests.simulation.exchanges import REASONS, Exchange, Exchanges, Key
from tests.simulation.limits import RESERVE, spent
from tests.simulation.setting import Setting
from tests.simulation.traffic import Traffic
from tests.simulation.verdict import Violation, demand

_INSTANT = 1e-6
_MILLISECOND = 0.001
_LONGEST_WRITE = 15.0
_ROOMY = 1_000_000
"""A cache of so many bytes never has to drop anything here."""


class Evidence:
    """Looks things up; knows who wrote when."""

    def __init__(self, setting: Setting, exchanges: Exchanges, traffic: Traffic) -> None:
        self._settings = setting.settings
        self._roomy = setting.cache_bytes >= _ROOMY
        self._budget = setting.settings.deadline_seconds
        self._exchanges = exchanges
        self._traffic = traffic
        self._writes: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}

    def writes(self, operation: Operation, now: float) -> None:
        about = (operation.writes, operation.user)
        self._writes.setdefault(about, {})[operation.name] = (now, float("inf"))

    def written(self, operation: Operation, now: float) -> None:
        """It may have been done at any instant between."""
        mine = self._writes[operation.writes, operation.user]
        mine[operation.name] = (mine[operation.name][0], now)

    def asker(self, key: Key, answer: Answer) -> str:
        """On whose behalf; products are everybody's."""
        return "" if key[0] == "product" else answer.operation.user

    def newer_than_own_writes(
        self, answer: Answer, path: Path, key: Key, service: str, exchange: Exchange
    ) -> None:
        """Whoever has written and asks afterwards sees nothing that was asked before."""
        if key[0] == "product":
            return
        user = answer.operation.user
        for post in self._exchanges.since(exchange.started - _LONGEST_WRITE):
            if post.method == "GET" or (post.service, post.principal) != (service, user):
                continue
            _, finished = self._writes[service, user][post.request]
            earlier = exchange.started < post.ended - _INSTANT
            missed = earlier and finished < answer.started - _INSTANT
            story = f"{path} was asked at {exchange.started:.3f}, before {post}"
            demand(not missed, "own writes", f"{story} was over at {post.ended:.3f}")

    def _mine(self, answer: Answer, service: str) -> list[tuple[float, float]]:
        return list(self._writes.get((service, answer.operation.user), {}).values())

    def _wrote(self, answer: Answer, service: str, since: float, until: float) -> bool:
        mine = self._mine(answer, service)
        return any(began <= until and ended >= since for began, ended in mine)

    def not_purged(
        self, answer: Answer, path: Path, key: Key, exchange: Exchange, served: float
    ) -> None:
        """No refusal came between what was said and its being served."""
        for one in self._exchanges.about(key, self.asker(key, answer), exchange.ended):
            if not exchange.ended < one.ended < served - _MILLISECOND or not one.said_no(key):
                continue
            since = one.ended - self._budget
            if not self._wrote(answer, exchange.service, since, one.ended):
                story = f"{path} of {exchange.ended:.3f} is served at {served:.3f}"
                raise Violation(f"purge: {story}, after {one} said {one.outcome}")

    def denied(self, answer: Answer, key: Key, outcomes: set[str]) -> bool:
        """Whether it was said meanwhile that there is no such thing, or that it is not for us."""
        return any(
            answer.started - _INSTANT <= one.ended <= answer.ended + _INSTANT
            and one.outcome in outcomes
            and one.said_no(key)
            for one in self._exchanges.about(key, self.asker(key, answer), answer.started)
        )

    def of_nothing(self, answer: Answer, key: Key, service: str, entry: Any) -> Exchange | None:
        """Who said that a list is empty: an empty list has no place for its freshness."""
        kept = self._settings.upstream(service).cache
        longest = kept.fresh_seconds if entry is None else kept.stale_seconds
        since = answer.started - longest - _MILLISECOND
        for one in self._exchanges.about(key, self.asker(key, answer), since):
            said = one.said.get(key)
            said = said["items"] if isinstance(said, dict) else said
            if one.outcome != "said" or said or one.ended > answer.ended + _INSTANT:
                continue
            if entry is None:
                return one
            served = one.ended + entry["ageSeconds"]
            if answer.started - _MILLISECOND <= served <= answer.ended + _MILLISECOND:
                return one
        return None

    def surely_kept(self, answer: Answer, key: Key, service: str) -> Exchange | None:
        """What could have been served, if nothing may have put it out."""
        if not self._roomy or key[0] == "write":
            return None
        since = answer.ended - self._settings.upstream(service).cache.stale_seconds + _MILLISECOND
        for one in self._exchanges.about(key, self.asker(key, answer), since):
            if one.said_no(key):
                return None
            if one.outcome != "said" or one.ended >= answer.started:
                continue
            if self._wrote(answer, service, one.ended - self._budget, one.ended):
                continue
            return one if one.ended > since else None
        return None

    def justifies(self, answer: Answer, path: Path, key: Key, service: str, reason: str) -> bool:
        """Whether *reason* is one that was there, when it may have counted."""
        since, until = answer.started - self._budget - _INSTANT, answer.ended + _INSTANT
        if reason == "CIRCUIT_OPEN":
            return self._traffic.unwell(service, since, until)
        about = [
            one
            for one in self._exchanges.about(key, self.asker(key, answer), since)
            if one.started <= until
        ]
        if self._traffic.was_shed(service, reason, answer.started, until):
            return True
        crowded = reason in {"OVERLOADED", "REVALIDATING", "DEADLINE"} and self._traffic.crowded(
            service, since, until
        )
        if reason == "REVALIDATING":
            return bool(about) or crowded
        if reason == "DEADLINE":
            return self._was_late(answer, path, about) or (crowded and not answer.alone)
        if reason == "TIMEOUT":
            shortest = self._limit(service, key)
            return any(
                one.outcome == "left" and one.ended - one.started >= shortest - _MILLISECOND
                for one in about
            )
        return crowded or any(one.outcome in REASONS[reason] for one in about)

    def _was_late(self, answer: Answer, path: Path, about: list[Exchange]) -> bool:
        """Whether the time of the operation had passed, or that of its field.

        What somebody else has asked, before or meanwhile, may have had less.
        """
        if answer.ended >= answer.deadline - RESERVE - _MILLISECOND or spent(answer, path):
            return True
        mine = answer.operation.name if answer.alone else ""
        return any(one.outcome == "left" and one.request != mine for one in about)

    def _limit(self, service: str, key: Key) -> float:
        upstream, settings = self._settings.upstream(service), self._settings
        if key[0] == "write":
            usual, deadline = upstream.timeout_write_seconds, settings.mutation_deadline_seconds
        else:
            usual, deadline = upstream.timeout_read_seconds, settings.deadline_seconds
        return min(usual, 0.8 * (deadline - RESERVE))
