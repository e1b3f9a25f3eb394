"""Do not ask for what was said a moment ago."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from datasources.errors import DatasourceError
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.sourced import Sourced


class FreshCache:
    """Answer from what is still fresh; ask only for the rest.

    Args:
        last_good: Where values are kept.
    """

    def __init__(self, last_good: LastGood) -> None:
        self._last_good = last_good

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        fresh = self._last_good.fresh(call)
        return self._completed(fresh, call, proceed) if fresh else proceed(call)

    async def _completed(
        self, fresh: Mapping[str, Sourced[V]], call: Call[V], proceed: Handler
    ) -> Reply[V]:
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
