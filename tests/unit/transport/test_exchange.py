"""Exchange: what is asked is the same, whatever carries it."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.exchange import OverHttpx, exchange_over
from datasources.transport.head import field_lines
from datasources.transport.pool import OriginTransport
from datasources.transport.target import target_of
from tests.unit.transport.hostile import OK, answering

ORIGIN = httpx.URL("http://users:8001")
LINES = field_lines([("Accept", "application/json"), ("X-Request-ID", "r-1")])


class Stream(httpx.AsyncByteStream):
    """Gives its parts, and tells whether it was closed."""

    def __init__(self, *parts):
        self.parts = parts
        self.given = 0
        self.closed = False

    async def __aiter__(self):
        for part in self.parts:
            self.given += 1
            yield part

    async def aclose(self):
        self.closed = True


class Carrier(httpx.AsyncBaseTransport):
    """Answers with a stream, and remembers what it was asked."""

    def __init__(self, *parts, **fields):
        self.stream = Stream(*parts)
        self.fields = fields
        self.request = None

    async def handle_async_request(self, request):
        self.request = request
        return httpx.Response(200, headers=self.fields, stream=self.stream)


async def test_our_own_transport_needs_nothing_between():
    """It is asked itself."""
    async with OriginTransport("users", 8001) as transport:
        assert exchange_over(transport, ORIGIN) is transport


async def test_any_transport_of_httpxs_will_do():
    """It gets the request that ours would send, and its answer is ours."""
    carrier = Carrier(b"o", b"k", etag="x")
    exchange = exchange_over(carrier, ORIGIN)
    reply = await exchange.exchange("POST", b"/users?x=%2C", LINES, b"{}")
    assert reply == (200, [(b"etag", b"x")], b"ok")
    request = carrier.request
    assert (request.method, str(request.url)) == ("POST", "http://users:8001/users?x=%2C")
    assert dict(request.headers) == {
        "host": "users:8001",
        "accept": "application/json",
        "x-request-id": "r-1",
        "content-length": "2",
    }
    assert request.content == b"{}"
    assert carrier.stream.closed


async def test_no_body_is_read_beyond_the_limit():
    """Nor inflated: what travels is counted. The response is closed."""
    carrier = Carrier(b"a" * 3, b"b", b"never", **{"content-encoding": "gzip"})
    with pytest.raises(ResponseTooLarge):
        await OverHttpx(carrier, ORIGIN, body_bytes=3).exchange("GET", b"/", LINES, None)
    assert (carrier.stream.given, carrier.stream.closed) == (2, True)


async def test_what_is_encoded_stays_so():
    """Whoever asked for plain JSON decides what to make of it."""
    carrier = Carrier(b"\x1f\x8b", **{"content-encoding": "gzip"})
    reply = await OverHttpx(carrier, ORIGIN).exchange("GET", b"/", LINES, None)
    assert reply.body == b"\x1f\x8b"


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2), st.binary(max_size=9))
async def test_the_target_arrives_as_it_is(params, body):
    """Httpx does not encode it once more."""
    carrier = Carrier()
    target = target_of("/users", params)
    await OverHttpx(carrier, ORIGIN).exchange("PUT", target, LINES, body)
    assert (carrier.request.url.raw_path, carrier.request.content) == (target, body)


async def test_both_send_the_same(server, connect):
    """Over real sockets: our transport behind httpx's seam, and used directly."""
    seen = []

    async def note(peer):
        while request := await peer.request():
            seen.append(request)
            await peer.send(OK)

    server.script = note
    transport = connect(server)
    origin = httpx.URL(f"http://localhost:{server.port}")
    for exchange in (transport, OverHttpx(transport, origin)):
        reply = await exchange.exchange("POST", b"/a?b=%20", LINES, b"{}")
        assert (reply.status, reply.body) == (200, b"ok")
    direct, adapted = ({*request.split(b"\r\n")} for request in seen)
    assert direct == adapted


async def test_a_mistake_in_the_request_is_told_before_anything_is_sent(server, connect):
    """A method or a target that could be read as two."""
    server.script = answering(OK)
    transport = connect(server)
    for method, target in (("GE T", b"/"), ("CONNECT", b"/"), ("GET", b"/ HTTP/1.1\r\nX: y")):
        with pytest.raises(httpx.LocalProtocolError):
            await transport.exchange(method, target, LINES, None)
    assert server.accepted == 0
