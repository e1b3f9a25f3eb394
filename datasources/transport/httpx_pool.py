"""httpx's own pools, kept from what they do not survive."""

from __future__ import annotations

import asyncio

import httpx

from datasources.transport.exchange import OverHttpx, Reply
from datasources.transport.head import FieldLines


class HttpxPool(httpx.AsyncBaseTransport):
    """What ours cannot do, as an `exchange.Exchange`: HTTP/2, and proxies.

    A cancelled request may cost httpx's pool a connection for ever, until it has none left. So each
    runs in a task of its own: whoever stops waiting leaves it to its end, at httpx's limit of
    silence as a rule. Until then it counts as in flight.

    Args:
        transport: Carries the requests; closed with this.
        origin: Where to: scheme, host and port.
        most_requests: In flight at once; more fail with PoolTimeout.
        silence_seconds: Longest silence within a request. One that takes twice as long in all is
            cancelled after all, lest a server that sends a byte now and then holds it for ever.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        origin: httpx.URL,
        *,
        most_requests: int,
        silence_seconds: float,
    ) -> None:
        self._transport = transport
        self._over = OverHttpx(transport, origin, silence_seconds=silence_seconds)
        self._most_requests = most_requests
        self._most_seconds = 2.0 * silence_seconds
        self._under_way: set[asyncio.Task[Reply]] = set()

    @property
    def in_flight(self) -> int:
        """Requests under way, those that nobody waits for included."""
        return len(self._under_way)

    async def exchange(
        self, method: str, target: bytes, lines: FieldLines, body: bytes | None
    ) -> Reply:
        """See `exchange.Exchange`."""
        if self.in_flight >= self._most_requests:
            raise httpx.PoolTimeout(f"{self.in_flight} requests in flight")
        task = asyncio.create_task(self._carried(method, target, lines, body))
        self._under_way.add(task)
        task.add_done_callback(self._over_and_done)
        # Not asyncio.shield: when this is closed, whoever waits has not been cancelled himself.
        await asyncio.wait((task,))
        if task.cancelled():
            raise httpx.ReadError("the transport was closed")
        return task.result()

    async def _carried(
        self, method: str, target: bytes, lines: FieldLines, body: bytes | None
    ) -> Reply:
        try:
            async with asyncio.timeout(self._most_seconds):
                return await self._over.exchange(method, target, lines, body)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no response in {self._most_seconds:g} s") from None

    def _over_and_done(self, task: asyncio.Task[Reply]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to ask, and asyncio complains of that

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`; unprotected, for a question now and then."""
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """End what is under way, and close the pool."""
        for task in (under_way := tuple(self._under_way)):
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        await self._transport.aclose()
