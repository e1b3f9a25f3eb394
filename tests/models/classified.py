"""The rows of `tests/models/classification.md`, and what the service does in each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path

import httpx

from datasources.resilience.pipeline import SAFE_METHODS
from datasources.transport.errors import ResponseTooLarge
from tests.virtual_time import VirtualClock

_PAGE = Path(__file__).with_name("classification.md")
_NAMES = ("met", "repeated", "breaker", "old", "code", "reason")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; the columns are explained above it."""

    met: str
    repeated: str
    breaker: str
    old: str
    code: str
    reason: str


def _tables() -> list[list[list[str]]]:
    """The cells of every table of the page, without the heads."""
    blocks = re.findall(r"(?:^\|.*\n)+", _PAGE.read_text("utf-8"), re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
        for block in blocks
    ]


_METHODS, _CALLS = _tables()

ROWS = [Row(**dict(zip(_NAMES, cells, strict=True))) for cells in _CALLS]

REPEATABLE = {
    (method, key): answer == "yes"
    for method, *answers in _METHODS
    for key, answer in zip((None, "k-1"), answers, strict=True)
}
"""Whether a call may be repeated, by method and idempotency key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What happens to a call.

    Attributes:
        answer: Makes the service's response, or raises.
        limit: Of one attempt (seconds).
        deadline: Of the operation (seconds).
        leaves: When the caller is cancelled (seconds); None for never.
        busy: Whether another call has the only slot.
        open: Whether the breaker is.
        pressed: Whether the process has no room for what is optional.
        usual: What an answer usually takes (seconds); None for unknown.
    """

    answer: Callable[[], httpx.Response] | None = None
    limit: float = 3.0
    deadline: float = 5.0
    leaves: float | None = None
    busy: bool = False
    open: bool = False
    pressed: bool = False
    usual: float | None = None

    async def __call__(self) -> httpx.Response:
        """The response; without `answer` there never is one."""
        if self.answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return self.answer()


def _response(
    status: int, body: bytes = b'{"name":"new"}', **headers: str
) -> Callable[[], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = {"content-type": "application/json"} | named
    kept = {name: value for name, value in fields.items() if value}
    return lambda: httpx.Response(status, stream=httpx.ByteStream(body), headers=kept)


def _in_a_second(status: int) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        # Dates have whole seconds: the next whole one is at most one away.
        soon = VirtualClock().now().timestamp() // 1 + 1
        instant = VirtualClock().now().fromtimestamp(soon, VirtualClock().now().tzinfo)
        return _response(status, retry_after=format_datetime(instant, usegmt=True))()

    return answer


def _raising(error: Exception) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        raise error

    return answer


_SITUATIONS: Mapping[str, Met] = {
    "200, other JSON type (`application/problem+json`)": Met(
        answer=_response(200, content_type="application/problem+json; charset=utf-8")
    ),
    "200, no media type": Met(answer=_response(200, content_type="")),
    "200, `Content-Encoding: identity`": Met(answer=_response(200, content_encoding="identity")),
    "200, without the thing that was asked for": Met(answer=_response(200, b"{}")),
    "200, garbage": Met(answer=_response(200, b"\xff{")),
    "200, other JSON than agreed": Met(answer=_response(200, b"[1]")),
    "200, empty": Met(answer=_response(200, b"")),
    "200, HTML": Met(answer=_response(200, content_type="text/html")),
    "200, compressed": Met(answer=_response(200, content_encoding="gzip")),
    "200, oversized": Met(answer=_raising(ResponseTooLarge("body"))),
    "200, truncated": Met(answer=_raising(httpx.RemoteProtocolError("closed early"))),
    "204": Met(answer=_response(204, b"", content_type="")),
    "429, `Retry-After` of a second": Met(answer=_response(429, retry_after="1")),
    "429, `Retry-After` with a date in a second": Met(answer=_in_a_second(429)),
    "429, `Retry-After` beyond the deadline": Met(answer=_response(429, retry_after="60")),
    "429, `Retry-After` that cannot be read": Met(answer=_response(429, retry_after="soon")),
    "503, `Retry-After` of a second": Met(answer=_response(503, retry_after="1")),
    "503, `Retry-After` with a date in a second": Met(answer=_in_a_second(503)),
    "503, `Retry-After` beyond the deadline": Met(answer=_response(503, retry_after="60")),
    "ConnectError: refused": Met(answer=_raising(httpx.ConnectError("refused"))),
    "ConnectError: no such name": Met(answer=_raising(httpx.ConnectError("no such name"))),
    "ConnectError: certificate": Met(answer=_raising(httpx.ConnectError("certificate"))),
    "ConnectTimeout": Met(answer=_raising(httpx.ConnectTimeout("slow"))),
    "ReadTimeout": Met(answer=_raising(httpx.ReadTimeout("slow"))),
    "WriteTimeout": Met(answer=_raising(httpx.WriteTimeout("slow"))),
    "ReadError: reset": Met(answer=_raising(httpx.ReadError("reset"))),
    "WriteError: reset": Met(answer=_raising(httpx.WriteError("reset"))),
    "RemoteProtocolError": Met(answer=_raising(httpx.RemoteProtocolError("garbled head"))),
    "PoolTimeout": Met(answer=_raising(httpx.PoolTimeout("full"))),
    "hangs beyond an attempt's limit": Met(limit=1.0),
    "hangs, and there is no time for another attempt": Met(limit=3.0),
    "hangs beyond the operation's deadline": Met(deadline=0.5),
    "is not asked: the deadline is over": Met(deadline=0.01),
    "is not asked: the bulkhead is full": Met(busy=True),
    "is not asked: the breaker is open": Met(open=True),
    "is not asked: left out in favour of what matters more (reads)": Met(pressed=True),
    "is not asked: left out because it takes too long as a rule (reads)": Met(usual=9.0),
    "hangs, and the caller leaves": Met(leaves=0.5),
    "a request that cannot be sent: LocalProtocolError": Met(
        answer=_raising(httpx.LocalProtocolError("a header of ours"))
    ),
    "a defect of ours": Met(answer=_raising(RuntimeError("a defect"))),
}


def met_in(row: Row) -> Met:
    """What happens to the calls of *row*."""
    if re.fullmatch(r"\d{3}", row.met) and row.met not in _SITUATIONS:
        return Met(answer=_response(int(row.met)))
    return _SITUATIONS[row.met]


def kinds_of(row: Row) -> list[tuple[str, str | None]]:
    """The methods, without and with an idempotency key, of which *row* tells."""
    reads_only = row.met.endswith("(reads)")
    return [kind for kind in REPEATABLE if not reads_only or kind[0] in SAFE_METHODS]


UNUSED = set(_SITUATIONS) - {row.met for row in ROWS}
"""Must be none."""
