"""The last good value of everything that one service was asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from datasources.clock import Clock
from datasources.errors import DatasourceError
from datasources.resilience.cache import ByteCache, Entry, Key
from datasources.resilience.pipeline import Call, Reply, V
from datasources.resilience.writes import Writes
from datasources.scope import current_scope
from datasources.sourced import Origin, Reason, Sourced

_JITTER = 0.1


class LastGood:
    """Keeps values packed, each caller's apart, and says how old they are.

    Args:
        cache: Where the bytes are.
        writes: What makes them superseded.
        fresh: How long nobody need ask again (seconds); shortened at random by up to a tenth, so
            that what was stored together does not expire together.
        stale: How long a value is better than nothing (seconds).
        clock: Replaced in tests.
        uniform: Replaced in tests.
    """

    def __init__(  # noqa: PLR0913 - a store, a log, two durations, a clock and chance
        self,
        cache: ByteCache,
        writes: Writes,
        *,
        fresh: float,
        stale: float,
        clock: Clock,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._cache = cache
        self._writes = writes
        self.fresh_seconds = fresh
        self.stale_seconds = stale
        self._clock = clock
        self._uniform = uniform

    def fresh(self, call: Call[V]) -> dict[str, Sourced[V]]:
        """The parts of *call* that nobody need ask for, by key."""
        found: dict[str, Sourced[V]] = {}
        if not self.fresh_seconds:
            return found
        now = self._clock.monotonic()
        for key in call.keys:
            entry = self._cache.get(_named(call, key))
            if (
                entry is not None
                and now < entry.fresh_until
                and not self._superseded(call, entry.asked)
            ):
                found[key] = _sourced(call, entry, now, Origin.CACHE)
        return found

    def stale(self, call: Call[V], reason: Reason | None) -> dict[str, Sourced[V]]:
        """The parts of *call* that are better than nothing, by key, marked with *reason*."""
        now = self._clock.monotonic()
        found: dict[str, Sourced[V]] = {}
        for key in call.keys:
            entry = self._cache.get(_named(call, key))
            if entry is not None and now < entry.stale_until:
                found[key] = _sourced(call, entry, now, Origin.STALE, reason)
        return found

    def covers(self, call: Call[V]) -> bool:
        """Whether there is a value, not superseded, for every key of *call*."""
        now = self._clock.monotonic()
        for key in call.keys:
            entry = self._cache.get(_named(call, key))
            if entry is None or now >= entry.stale_until or self._superseded(call, entry.asked):
                return False
        return True

    def is_superseded(self, call: Call[V]) -> bool:
        """Whether anything better than nothing for *call* is superseded by its caller's writes."""
        now = self._clock.monotonic()
        entries = (self._cache.peek(_named(call, key)) for key in call.keys)
        return any(
            entry is not None and now < entry.stale_until and self._superseded(call, entry.asked)
            for entry in entries
        )

    def seen(self, call: Call[V]) -> dict[str, Sourced[V]]:
        """The parts of *call* that are fresh or better than nothing; looking changes nothing."""
        now = self._clock.monotonic()
        found: dict[str, Sourced[V]] = {}
        for key in call.keys:
            entry = self._cache.peek(_named(call, key))
            if entry is None:
                continue
            if now < entry.fresh_until and not self._superseded(call, entry.asked):
                found[key] = _sourced(call, entry, now, Origin.CACHE)
            elif now < entry.stale_until:
                found[key] = _sourced(call, entry, now, Origin.STALE)
        return found

    def instead_of(self, call: Call[V], failure: DatasourceError) -> Reply[V] | None:
        """What is kept, in the place of *failure*, which the other keys get; None for nothing."""
        parts = self.stale(call, failure.reason)
        if not parts:
            return None
        return Reply(parts, None if len(parts) == len(call.keys) else failure)

    def keep(self, call: Call[V], parts: Mapping[str, Sourced[V]]) -> None:
        """Remember live *parts*, and forget the keys of *call* that have none.

        What was asked before the caller's last write is not remembered: it could take the place of
        what was asked after it.
        """
        if self._superseded(call, call.asked):
            return
        now, instant = self._clock.monotonic(), self._clock.now()
        for key in call.keys:
            part = parts.get(key)
            if part is None:
                self._cache.drop(_named(call, key))
                continue
            # It may have waited for the loser of a race, or for its turn.
            said = now - max(0.0, (instant - part.as_of).total_seconds())
            fresh = self.fresh_seconds and self.fresh_seconds * self._uniform(1.0 - _JITTER, 1.0)
            entry = Entry(
                packed=call.route.pack(part.value),
                as_of=part.as_of,
                said=said,
                fresh_until=said + fresh,
                stale_until=said + self.stale_seconds,
                asked=call.asked,
            )
            self._cache.put(_named(call, key), entry)

    def purge(self, call: Call[V]) -> None:
        """Forget everything kept for *call*: the service says that it is gone or not for us.

        What it said before the caller's last write does not count any more.
        """
        if self._superseded(call, call.asked):
            return
        for key in call.keys:
            self._cache.drop(_named(call, key))

    def _superseded(self, call: Call[V], asked: int) -> bool:
        if not call.route.personal:
            return False
        return asked < self._writes.last(current_scope().principal)


def _named(call: Call[V], key: str) -> Key:
    principal = current_scope().principal if call.route.personal else ""
    return (call.route.service, call.route.operation, principal, key)


def _sourced(
    call: Call[V], entry: Entry, now: float, origin: Origin, reason: Reason | None = None
) -> Sourced[V]:
    return Sourced(
        call.route.unpack(entry.packed),
        call.route.service,
        entry.as_of,
        origin,
        max(0.0, now - entry.said),
        reason,
    )
