"""The bytes of a request, so made that they cannot be read as two."""

from __future__ import annotations

import functools
import re

import httpx

_CONNECTION_FIELDS = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_METHODS_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VISIBLE = bytes(range(0x21, 0x7F))
_FIELD_BYTES = b"\t " + _VISIBLE + bytes(range(0x80, 0x100))


def encode_request(request: httpx.Request, body: bytes, authority: bytes) -> bytes:
    """Head and body, ready to be sent.

    `Host` is *authority*, the framing is that of *body*, and the connection is the transport's own:
    whatever the request's fields say of these is left out.

    Raises:
        httpx.LocalProtocolError: Method, target or a field would not be read as what it is.

    References:
        RFC 9110 §5.5, §5.6.2, §8.6; RFC 9112 §3, §6.3, §11.1 (response splitting).
    """
    method = request.method.encode("ascii", "replace")
    target = request.url.raw_path
    if method == b"CONNECT" or not _TOKEN.fullmatch(method):
        raise httpx.LocalProtocolError("not a method that can be sent", request=request)
    if target.translate(None, _VISIBLE):
        raise httpx.LocalProtocolError("the target has forbidden bytes", request=request)
    parts = [method, b" ", target, b" HTTP/1.1\r\nHost: ", authority]
    values: list[bytes] = []
    for name, value in request.headers.raw:
        start = _line_start(name)
        if start:
            parts += (start, value)
            values.append(value)
    if b"".join(values).translate(None, _FIELD_BYTES):
        raise httpx.LocalProtocolError("a header value has forbidden bytes", request=request)
    if body or request.method in _METHODS_WITH_BODY:
        parts.append(b"\r\nContent-Length: %d" % len(body))
    parts += (b"\r\n\r\n", body)
    return b"".join(parts)


@functools.lru_cache(maxsize=256)
def _line_start(name: bytes) -> bytes:
    """What ends the line before and begins this field's; empty for a field that is not passed on.

    Remembered, because the names that a program sends are few.
    """
    if not _TOKEN.fullmatch(name):
        raise httpx.LocalProtocolError("a header name has forbidden bytes")
    return b"" if name.lower() in _CONNECTION_FIELDS else b"\r\n%b: " % name
