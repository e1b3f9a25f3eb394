"""One response, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn

import httptools
import httpx

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.exchange import BODY_BYTES, Reply

_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_FIRST_STATUS = 100
_FIRST_FINAL_STATUS = 200
_LENGTH_SIZE = len(b"content-length")
_CODING_SIZE = len(b"transfer-encoding")
_VERSIONS = frozenset({"1.0", "1.1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLimits:
    """How much of a response is taken in.

    Attributes:
        head_bytes: Most bytes of header fields, those of interim responses and trailers included.
        fields: Most header fields, counted likewise.
        body_bytes: Most bytes of a body, as it travels: nothing is inflated here.
        interim: Most 1xx responses before the real one.
    """

    head_bytes: int = 32 * 1024
    fields: int = 100
    body_bytes: int = BODY_BYTES
    interim: int = 10


class ResponseReader:
    """Reads the responses of one connection, one at a time: `begin` before each.

    llhttp refuses, with its lenient modes off, repeated and malformed lengths, a length beside a
    transfer coding, folded fields, bare line ends and control characters. What it lets pass is
    refused here: other transfer codings than `chunked`, any with HTTP/1.0, other protocols than
    HTTP/1, statuses below 100, switching protocols, and sizes.

    One parser serves all responses. So nothing may be left of one when the next begins: a
    response that was refused, or that more than its own bytes came with, is the last one.

    Args:
        limits: Of each response.

    References:
        RFC 9112 §6.1, §6.3, §7.1.2 (trailers may be dropped), §9.3.
    """

    __slots__ = (
        "_body",
        "_bytes",
        "_chunked",
        "_complete",
        "_count",
        "_counted",
        "_fields",
        "_head",
        "_head_complete",
        "_interim",
        "_length",
        "_limits",
        "_parser",
        "_status",
        "_to_head",
        "_trouble",
        "_without_body",
        "begun",
        "reusable",
    )

    def __init__(self, limits: ResponseLimits) -> None:
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        self._trouble: httpx.RemoteProtocolError | None = None
        self.begin(to_head=False)

    def begin(self, *, to_head: bool) -> None:
        """The next response is due.

        Args:
            to_head: Whether it answers a HEAD request, and so has no body.
        """
        self._to_head = to_head
        self._status = 0
        self._head: list[tuple[bytes, bytes]] = []
        self._fields: list[tuple[bytes, bytes]] = []
        self._length: int | None = None
        self._chunked = self._head_complete = self._complete = False
        self._body: bytes | bytearray = b""
        self._bytes = self._count = self._counted = self._interim = self._without_body = 0
        self.begun = False
        """Whether any byte has come."""
        self.reusable = False
        """Whether the connection can serve another request; known when this one is complete."""

    def feed(self, data: bytes) -> bool:
        """Take in what came; whether the response is complete.

        Raises:
            ResponseTooLarge: It outgrew a limit.
            httpx.RemoteProtocolError: It is not a response that can be understood in one way only.
        """
        if not self.begun:
            if not data.startswith(b"H"):  # llhttp would also take RTSP/ and ICE/
                raise httpx.RemoteProtocolError("not HTTP")
            self.begun = True
        size = len(self._body)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if not self._complete:
                raise self._reason(exc) from None
            self.reusable = False  # more came than belongs to the response
        if self._complete:
            return True
        # Bytes that are neither a finished field nor body are kept by the parser: a field, a
        # trailer or a chunk extension without end shows only here.
        self._without_body = 0 if len(self._body) > size else self._without_body + len(data)
        if self._without_body > self._limits.head_bytes:
            raise ResponseTooLarge(f"more than {self._limits.head_bytes} bytes without a body")
        if self._fields:
            self._check_fields()
        return False

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection, here and now, is the end of the response."""
        return self._head_complete and not self._chunked and self._length is None

    @property
    def reply(self) -> Reply:
        """The response, once it is complete."""
        return Reply(self._status, self._head, bytes(self._body))

    def dismiss(self) -> None:
        """Let go of the parser, which holds this reader as this reader holds it; read no more."""
        del self._parser

    def on_message_begin(self) -> None:
        """Callback of the parser."""
        if self._complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Callback of the parser: a field of a head, or of the trailers."""
        fields = self._fields
        fields.append((name, value.rstrip(b" \t")))
        if len(fields) > self._limits.fields:
            self._check_fields()

    def on_headers_complete(self) -> None:
        """Callback of the parser."""
        if self._complete:
            return
        fields = self._fields
        self._check_fields()
        self._fields, self._counted = [], 0
        self._read_framing(fields)
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if version not in _VERSIONS or status < _FIRST_STATUS:
            self._refuse(httpx.RemoteProtocolError("not HTTP/1.0 or HTTP/1.1"))
        if self._chunked and version == "1.0":
            self._refuse(httpx.RemoteProtocolError("a transfer coding in HTTP/1.0"))
        if status < _FIRST_FINAL_STATUS:
            return
        self._status = status
        self._head = fields
        if self._to_head:
            # The parser cannot be told that no body follows, so what does follow cannot be told
            # from one: the connection ends here.
            self._complete = True
        elif status not in _BODILESS:
            self._head_complete = True
            if self._length is not None and self._length > self._limits.body_bytes:
                self._refuse(self._too_long())

    def on_body(self, data: bytes) -> None:
        """Callback of the parser."""
        if self._complete:
            return
        body = self._body
        if len(body) + len(data) > self._limits.body_bytes:
            self._refuse(self._too_long())
        if not body:
            self._body = data  # most come in one piece, which need not be copied
        elif isinstance(body, bytearray):
            body += data
        else:
            self._body = bytearray(body + data)

    def on_message_complete(self) -> None:
        """Callback of the parser, also for an interim response."""
        if self._complete:
            return
        if not self._status:
            self._interim += 1
            if self._interim > self._limits.interim:
                self._refuse(httpx.RemoteProtocolError("too many interim responses"))
            self._length, self._chunked = None, False
            return
        if self._fields:
            self._check_fields()
        self._complete = True
        self.reusable = self._parser.should_keep_alive()

    def _check_fields(self) -> None:
        """Count the fields that came since the last count."""
        limits = self._limits
        fields = self._fields[self._counted :] if self._counted else self._fields
        self._counted = len(self._fields)
        self._count += len(fields)
        self._bytes += sum([len(name) + len(value) + 4 for name, value in fields])
        if self._bytes > limits.head_bytes:
            self._refuse(ResponseTooLarge(f"more than {limits.head_bytes} bytes of header"))
        if self._count > limits.fields:
            self._refuse(ResponseTooLarge(f"more than {limits.fields} header fields"))

    def _read_framing(self, fields: list[tuple[bytes, bytes]]) -> None:
        for name, value in fields:
            size = len(name)
            if size == _LENGTH_SIZE and name.lower() == b"content-length":
                self._length = int(value)
            elif size == _CODING_SIZE and name.lower() == b"transfer-encoding":
                if self._chunked or value.lower() != b"chunked":
                    self._refuse(httpx.RemoteProtocolError("a transfer coding other than chunked"))
                self._chunked = True

    def _too_long(self) -> ResponseTooLarge:
        return ResponseTooLarge(f"more than {self._limits.body_bytes} bytes of body")

    def _refuse(self, error: httpx.RemoteProtocolError) -> NoReturn:
        self._trouble = error  # the parser raises one of its own in its place
        raise error

    def _reason(self, exc: Exception) -> httpx.RemoteProtocolError:
        trouble, self._trouble = self._trouble, None
        return trouble or httpx.RemoteProtocolError(str(exc))
