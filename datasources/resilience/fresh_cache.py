"""Do not ask for what was said a moment ago."""

from __future__ import annotations

from datasources.errors import DatasourceError
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V


class FreshCache:
    """Answer from what is still fresh; ask only for the rest.

    Args:
        last_good: Where values are kept.
    """

    def __init__(self, last_good: LastGood) -> None:
        self._last_good = last_good

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        fresh = self._last_good.fresh(call)
        if not fresh:
            return await proceed(call)
        missing = tuple(key for key in call.keys if key not in fresh)
        if not missing:
            return Reply(fresh)
        if call.narrow is None:
            return await proceed(call)
        narrowed = call.narrow(missing).but(importance=call.importance)
        try:
            rest = await proceed(narrowed)
        except DatasourceError as failure:
            return Reply(fresh, failure)
        return Reply({**fresh, **rest.parts}, rest.failure)

    def __str__(self) -> str:
        return f"FreshCache({self._last_good.fresh_seconds:g} s)"
