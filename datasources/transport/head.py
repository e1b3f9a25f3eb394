"""The bytes of a request, so made that they cannot be read as two."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NewType

import httpx

_CONNECTION_FIELDS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_METHODS_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VISIBLE = bytes(range(0x21, 0x7F))
_FIELD_BYTES = b"\t " + _VISIBLE + bytes(range(0x80, 0x100))

FieldLines = NewType("FieldLines", bytes)
"""Fields of a header, each after the end of the line before it; made by `field_lines` only."""

NO_LINES = FieldLines(b"")


def field_lines(fields: Iterable[tuple[str, str]], after: FieldLines = NO_LINES) -> FieldLines:
    """*after*, and a line for each of *fields*, in ISO 8859-1.

    Host, framing and the connection are the transport's own: fields of theirs are left out.

    Raises:
        httpx.LocalProtocolError: One would not be read as what it is.

    References:
        RFC 9110 §5.5, §5.6.2; RFC 9112 §11.1 (response splitting).
    """
    parts: list[str] = []
    values: list[str] = []
    for name, value in fields:
        start = _line_start(name)
        if start:
            parts += (start, value)
            values.append(value)
    try:
        lines = "".join(parts).encode("latin-1")
        odd = "".join(values).encode("latin-1").translate(None, _FIELD_BYTES)
    except UnicodeEncodeError:
        raise httpx.LocalProtocolError("a header value beyond ISO 8859-1") from None
    if odd:
        raise httpx.LocalProtocolError("a header value has forbidden bytes")
    return FieldLines(after + lines)


def fields_of(lines: FieldLines) -> list[tuple[bytes, bytes]]:
    """Names and values, in their order: the inverse of `field_lines`."""
    fields: list[tuple[bytes, bytes]] = []
    for line in lines.split(b"\r\n")[1:]:
        name, _, value = line.partition(b": ")
        fields.append((name, value))
    return fields


def encode_request(
    method: str, target: bytes, authority: bytes, lines: FieldLines, body: bytes | None
) -> bytes:
    """Head and body, ready to be sent.

    Raises:
        httpx.LocalProtocolError: Method or target would not be read as what it is.

    References:
        RFC 9110 §8.6; RFC 9112 §3, §6.3.
    """
    start = _start(method)
    if not target or target.translate(None, _VISIBLE):
        raise httpx.LocalProtocolError("the target has forbidden bytes, or none")
    if body or method in _METHODS_WITH_BODY:
        body = body or b""
        length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        return b"".join((start, target, b" HTTP/1.1\r\nHost: ", authority, lines, length, body))
    return b"".join((start, target, b" HTTP/1.1\r\nHost: ", authority, lines, b"\r\n\r\n"))


@functools.lru_cache(maxsize=16)
def _start(method: str) -> bytes:
    if method == "CONNECT" or not _TOKEN.fullmatch(method):
        raise httpx.LocalProtocolError("not a method that can be sent")
    return method.encode("ascii") + b" "


@functools.lru_cache(maxsize=256)
def _line_start(name: str) -> str:
    """What ends the line before and begins this field's; empty for a field that is not passed on.

    Remembered, because the names that a program sends are few.
    """
    if not _TOKEN.fullmatch(name):
        raise httpx.LocalProtocolError("a header name has forbidden bytes")
    return "" if name.lower() in _CONNECTION_FIELDS else f"\r\n{name}: "
