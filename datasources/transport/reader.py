"""One response, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple, NoReturn

import httptools
import httpx

from datasources.transport.errors import ResponseTooLarge

_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_FIRST_STATUS = 100
_FIRST_FINAL_STATUS = 200
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
    body_bytes: int = 8 * 1024 * 1024
    interim: int = 10


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


class ResponseReader:
    """Reads one response, and no more.

    llhttp refuses, with its lenient modes off, repeated and malformed lengths, a length beside a
    transfer coding, folded fields, bare line ends and control characters. What it lets pass is
    refused here: other transfer codings than `chunked`, any with HTTP/1.0, other protocols than
    HTTP/1, statuses below 100, switching protocols, and sizes.

    Args:
        limits: Of this response.
        to_head: Whether it answers a HEAD request, and so has no body.

    References:
        RFC 9112 §6.1, §6.3, §7.1.2 (trailers may be dropped), §9.3.
    """

    __slots__ = (
        "_body",
        "_bytes",
        "_chunked",
        "_complete",
        "_count",
        "_fields",
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

    def __init__(self, limits: ResponseLimits, *, to_head: bool) -> None:
        self._limits = limits
        self._to_head = to_head
        self._parser = httptools.HttpResponseParser(self)
        self._trouble: httpx.RemoteProtocolError | None = None
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._length: int | None = None
        self._chunked = False
        self._head_complete = False
        self._body = bytearray()
        self._complete = False
        self._bytes = self._count = self._interim = self._without_body = 0
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
        if not self.begun and not data.startswith(b"H"):  # llhttp would also take RTSP/ and ICE/
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
        return False

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection, here and now, is the end of the response."""
        return self._head_complete and not self._chunked and self._length is None

    @property
    def reply(self) -> Reply:
        """The response, once it is complete."""
        return Reply(self._status, self._fields, bytes(self._body))

    def dismiss(self) -> None:
        """Let go of the parser, which holds this reader as this reader holds it; read no more."""
        del self._parser

    def on_message_begin(self) -> None:
        """Callback of the parser."""
        if self._complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Callback of the parser: a field of the head, or of the trailers."""
        if self._complete:
            return
        self._bytes += len(name) + len(value) + 4
        self._count += 1
        if self._bytes > self._limits.head_bytes:
            self._refuse(ResponseTooLarge(f"more than {self._limits.head_bytes} bytes of header"))
        if self._count > self._limits.fields:
            self._refuse(ResponseTooLarge(f"more than {self._limits.fields} header fields"))
        if self._head_complete:
            return
        value = value.rstrip(b" \t")
        self._fields.append((name, value))
        lowered = name.lower()
        if lowered == b"content-length":
            self._length = int(value)
        elif lowered == b"transfer-encoding":
            if self._chunked or value.lower() != b"chunked":
                self._refuse(httpx.RemoteProtocolError("a transfer coding other than chunked"))
            self._chunked = True

    def on_headers_complete(self) -> None:
        """Callback of the parser."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if version not in _VERSIONS or status < _FIRST_STATUS:
            self._refuse(httpx.RemoteProtocolError("not a response of HTTP/1"))
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._refuse(httpx.RemoteProtocolError("switches to a protocol nobody asked for"))
        if self._chunked and version == "1.0":
            self._refuse(httpx.RemoteProtocolError("a transfer coding in HTTP/1.0"))
        if status < _FIRST_FINAL_STATUS:
            return
        self._status = status
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
        if len(self._body) + len(data) > self._limits.body_bytes:
            self._refuse(self._too_long())
        self._body += data

    def on_message_complete(self) -> None:
        """Callback of the parser, also for an interim response."""
        if self._complete:
            return
        if not self._status:
            self._interim += 1
            if self._interim > self._limits.interim:
                self._refuse(httpx.RemoteProtocolError("too many interim responses"))
            self._fields, self._length, self._chunked = [], None, False
            return
        self._complete = True
        self.reusable = self._parser.should_keep_alive()

    def _too_long(self) -> ResponseTooLarge:
        return ResponseTooLarge(f"more than {self._limits.body_bytes} bytes of body")

    def _refuse(self, error: httpx.RemoteProtocolError) -> NoReturn:
        self._trouble = error  # the parser raises one of its own in its place
        raise error

    def _reason(self, exc: Exception) -> httpx.RemoteProtocolError:
        trouble, self._trouble = self._trouble, None
        return trouble or httpx.RemoteProtocolError(str(exc))
