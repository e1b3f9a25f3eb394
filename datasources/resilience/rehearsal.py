"""Answer from what is kept, and leave everything as it is."""

from __future__ import annotations

from datasources.errors import LocalRejection
from datasources.journal import Kept
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Reply, V
from datasources.sourced import Origin

_KEPT = {Origin.CACHE: Kept.FRESH, Origin.STALE: Kept.STALE}


class Rehearsed(LocalRejection):
    """Nothing is kept, and in a rehearsal nobody is asked.

    Never leaves the BFF: what a rehearsal answers is thrown away.
    """


class Rehearsal:
    """Stands in for a whole pipeline: whatever is kept will do, and nothing is sent.

    Looking does not count as use: no entry becomes more recently used, no budget, breaker,
    bulkhead or flight hears of it.

    Args:
        last_good: Where values are kept.
    """

    def __init__(self, last_good: LastGood) -> None:
        self._last_good = last_good

    def kept(self, call: Call[V]) -> tuple[Kept, ...]:
        """What is kept for each key of *call*, in their order."""
        parts = self._last_good.seen(call)
        return tuple(_KEPT[parts[key].origin] if key in parts else Kept.ABSENT for key in call.keys)

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        """What is kept.

        Raises:
            Rehearsed: Nothing is.
        """
        parts = self._last_good.seen(call)
        nobody_asked = Rehearsed(call.route.service, "a rehearsal")
        if not parts:
            raise nobody_asked
        return Reply(parts, None if len(parts) == len(call.keys) else nobody_asked)
