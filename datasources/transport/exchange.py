"""The seam between who asks a service and how requests travel to it."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import httpx

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.head import FieldLines, fields_of

BODY_BYTES = 8 * 1024 * 1024
"""Most bytes of a response's body, as it travels: nothing is inflated here."""


class Reply(NamedTuple):
    """A final response, whole.

    Attributes:
        status: 200 or more.
        fields: Names as they were sent, in order; no trailers.
        body: Without its transfer coding, with its content coding.
    """

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes


@runtime_checkable
class Exchange(Protocol):
    """Carries requests to one origin, and whole responses back.

    Totals are not bounded here: whoever asks stops waiting, and what was under way is given up.
    """

    async def exchange(
        self, method: str, target: bytes, lines: FieldLines, body: bytes | None
    ) -> Reply:
        """Send one request.

        Args:
            method: A token, in capitals where it is a standard one.
            target: Path and query, percent-encoded.
            lines: What the request says besides; host, framing and connection are not its to say.
            body: None where there is none.

        Raises:
            httpx.HTTPError: There is no response; `httpx.LocalProtocolError` when the request is
                none, `httpx.PoolTimeout` when no more are carried at once.
            ResponseTooLarge: It is past a limit.
        """
        ...


class OverHttpx:
    """Any transport of httpx's, as an `Exchange`.

    Args:
        transport: Carries the requests; closed by whoever has made it.
        origin: Where to: scheme, host and port.
        body_bytes: Most bytes of a response's body.
        silence_seconds: What the transport is told of every limit of its own; None for nothing.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        origin: httpx.URL,
        *,
        body_bytes: int = BODY_BYTES,
        silence_seconds: float | None = None,
    ) -> None:
        self._transport = transport
        self._origin = origin
        self._body_bytes = body_bytes
        self._extensions = (
            None
            if silence_seconds is None
            else {"timeout": httpx.Timeout(silence_seconds).as_dict()}
        )

    async def exchange(
        self, method: str, target: bytes, lines: FieldLines, body: bytes | None
    ) -> Reply:
        """See `Exchange`."""
        url = self._origin.copy_with(raw_path=target)
        request = httpx.Request(
            method, url, headers=fields_of(lines), content=body, extensions=self._extensions
        )
        response = await self._transport.handle_async_request(request)
        try:
            return Reply(response.status_code, response.headers.raw, await self._body(response))
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise httpx.StreamError("not a stream of an asynchronous transport")
        body = bytearray()
        async for part in response.stream:
            body += part
            if len(body) > self._body_bytes:
                raise ResponseTooLarge(f"more than {self._body_bytes} bytes of body")
        return bytes(body)


def exchange_over(transport: httpx.AsyncBaseTransport, origin: httpx.URL) -> Exchange:
    """*transport* itself, where it can do without httpx's requests and responses."""
    return transport if isinstance(transport, Exchange) else OverHttpx(transport, origin)
