"""OriginTransport against servers that mean no good, over real sockets."""

import asyncio
import itertools

import httpx
import pytest

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.reader import ResponseLimits
from tests.unit.transport.hostile import OK, answering, scripted, until

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def ask(transport, server, method="GET", **rest):
    response = await transport.handle_async_request(server.request(method, **rest))
    return await response.aread()


def endless(*head, packet):
    """A script: *head*, then *packet* for as long as somebody reads."""

    async def script(peer):
        await peer.request()
        peer.writer.write(b"".join(head))
        while True:
            peer.writer.write(packet)
            await peer.writer.drain()
            await asyncio.sleep(0)

    return script


GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        (answering(GARBAGE), httpx.RemoteProtocolError),
        (answering(b"", close=True), httpx.RemoteProtocolError),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Le", close=True), httpx.RemoteProtocolError),
        (answering(OK[:-1], close=True), httpx.RemoteProtocolError),
        (answering(CHUNKED + b"2\r\nok\r\n", close=True), httpx.RemoteProtocolError),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
            httpx.RemoteProtocolError,
        ),
        (
            answering(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
            httpx.RemoteProtocolError,
        ),
        (endless(packet=b"HTTP/1.1 100 Continue\r\n\r\n"), httpx.RemoteProtocolError),
        (answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"), ResponseTooLarge),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * (2 << 20) + b"\r\n\r\n"), ResponseTooLarge),
        (endless(b"HTTP/1.1 200 OK\r\nX: ", packet=b"a" * 4096), ResponseTooLarge),
        (endless(CHUNKED, packet=b"10000\r\n" + b"a" * 0x10000 + b"\r\n"), ResponseTooLarge),
        (endless(CHUNKED, b"0\r\nX: ", packet=b"a" * 4096), ResponseTooLarge),
        (endless(CHUNKED, b"1;", packet=b"a" * 4096), ResponseTooLarge),
        (endless(b"HTTP/1.0 200 OK\r\n\r\n", packet=b"a" * 65536), ResponseTooLarge),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 8388609\r\n\r\n"), ResponseTooLarge),
    ],
)
async def test_the_request_fails_and_the_connection_goes(server, connect, script, failure):
    """Whatever it was, the next request is answered, on a connection of its own."""
    server.script = scripted(script, answering(OK))
    transport = connect(server)
    with pytest.raises(failure):
        await ask(transport, server)
    await until(lambda: transport.stats().open == 0)
    await until(lambda: server.open == 0)
    assert await ask(transport, server) == b"ok"
    assert server.accepted == 2


@pytest.mark.parametrize("sent", [b"", OK[:-1]])
async def test_a_reset_is_a_read_error(server, connect, sent):
    """Before the response or within it."""

    async def reset(peer):
        await peer.request()
        await peer.send(sent)
        await asyncio.sleep(0.002)
        peer.reset()

    server.script = reset
    with pytest.raises(httpx.ReadError):
        await ask(connect(server), server)


@pytest.mark.parametrize(
    "junk", [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", b"junk", b"\0"]
)
async def test_what_is_appended_to_a_response_is_never_served(server, connect, junk):
    """In the same packet, to a request that did not ask for it: the connection goes."""
    server.script = scripted(answering(OK + junk), answering(OK))
    transport = connect(server)
    assert await ask(transport, server) == b"ok"
    assert await ask(transport, server) == b"ok"
    assert server.accepted == 2


async def test_junk_that_comes_before_the_caller_wakes_is_seen(server, connect):
    """Two packets in one turn of the loop: the response, then what nobody asked for."""

    async def two_at_once(peer):
        await peer.request()
        await peer.send(OK, OK)
        await peer.gone()

    server.script = scripted(two_at_once, answering(OK))
    transport = connect(server)
    waiting = asyncio.create_task(ask(transport, server))
    assert await waiting == b"ok"
    await until(lambda: transport.stats().open == 0)


@pytest.mark.parametrize(
    "packets",
    [
        [bytes([byte]) for byte in OK],
        [CHUNKED[:30], CHUNKED[30:] + b"1\r", b"\no\r\n1\r\nk\r\n0", b"\r\n", b"\r\n"],
        [b"HTTP/1.1 103 Early Hints\r\n", b"Link: x\r\n\r\n", OK],
    ],
)
async def test_packets_do_not_matter(server, connect, packets):
    """A response in pieces is one response, and the connection is kept."""
    server.script = answering(*packets)
    transport = connect(server)
    assert await ask(transport, server) == b"ok"
    assert await ask(transport, server) == b"ok"
    assert server.accepted == 1


@pytest.mark.parametrize("start", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK\r\nX: y"])
async def test_a_body_may_end_with_the_connection(server, connect, start):
    """Neither length nor chunks: the body is whole when the server closes."""
    server.script = answering(start + b"\r\n\r\no", b"k", close=True)
    transport = connect(server)
    assert await ask(transport, server) == b"ok"
    await until(lambda: transport.stats().open == 0)


async def test_a_body_that_ends_with_a_reset_is_none(server, connect):
    """The same, but torn: who knows what is missing."""

    async def torn(peer):
        await peer.request()
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\nok")
        await asyncio.sleep(0.002)
        peer.reset()

    server.script = torn
    with pytest.raises(httpx.ReadError):
        await ask(connect(server), server)


@pytest.mark.parametrize(
    ("response", "accepted"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 1),
    ],
)
async def test_the_server_says_whether_it_keeps_the_connection(server, connect, response, accepted):
    """`Connection: close` is obeyed at once, HTTP/1.0 keeps only when it says so."""
    server.script = answering(response)
    transport = connect(server)
    for _ in range(2):
        assert await ask(transport, server) == b"ok"
    assert server.accepted == accepted


async def test_a_response_to_head(server, connect):
    """It announces a body that never comes."""
    server.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
    response = await connect(server).handle_async_request(server.request("HEAD"))
    assert response.headers["content-length"] == "9999999999"
    assert await response.aread() == b""


async def test_the_content_coding_is_not_ours(server, connect):
    """It is passed on as it came: not inflated, not looked at, no length invented."""
    server.script = answering(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    response = await connect(server).handle_async_request(server.request())
    assert b"".join([part async for part in response.aiter_raw()]) == b"abc"
    assert dict(response.headers) == {"content-encoding": "gzip", "transfer-encoding": "chunked"}


async def test_limits_are_the_callers(server, connect):
    """Three bytes allowed, two sent; one allowed, two sent."""
    assert await ask(connect(server, limits=ResponseLimits(body_bytes=3)), server) == b"ok"
    with pytest.raises(ResponseTooLarge):
        await ask(connect(server, limits=ResponseLimits(body_bytes=1)), server)


async def drip(peer):
    """A response that never ends, a byte at a time, faster than any limit of silence."""
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in itertools.count():
        await peer.send(b"a")
        await asyncio.sleep(0.005)


async def test_a_drip_is_cut_by_the_callers_deadline(server, connect):
    """No silence is long, and yet the caller is not held."""
    server.script = drip
    transport = connect(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await ask(transport, server)
    await until(lambda: transport.stats().open == server.open == 0)


async def silent(peer):
    await peer.request()
    await peer.gone()


async def silent_within(peer):
    await peer.request()
    await peer.send(OK[:-1])
    await peer.gone()


@pytest.mark.parametrize("script", [silent, silent_within, drip])
async def test_behind_httpxs_seam_the_read_limit_bounds_all_of_it(server, connect, script):
    """Before the response and within it, a byte now and then or none; other limits do nothing."""
    server.script = script
    transport = connect(server)
    for timeout in ({"read": 0.02}, {"read": 0.02, "write": None, "connect": 0.0}):
        with pytest.raises(httpx.ReadTimeout):
            await ask(transport, server, extensions={"timeout": timeout})
    await until(lambda: transport.stats().open == server.open == 0)


async def test_a_kept_connection_keeps_no_limit(server, connect):
    """The limit was the last request's: an idle connection, and the next request, have none."""

    async def slower_each_time(peer):
        for pause in (0.0, 0.05):
            await peer.request()
            await asyncio.sleep(pause)
            await peer.send(OK)
        await peer.gone()

    server.script = slower_each_time
    transport = connect(server)
    assert await ask(transport, server, extensions={"timeout": {"read": 0.02}}) == b"ok"
    assert await ask(transport, server) == b"ok"
    assert server.accepted == 1


async def deaf(peer):
    """Accepts and reads nothing."""
    peer.reader._transport.pause_reading()
    await asyncio.Event().wait()


BIG = b"a" * (16 << 20)


async def test_a_server_that_takes_nothing_is_left(server, connect):
    """The body is larger than all buffers; whoever gives up leaves nothing behind."""
    server.script = deaf
    transport = connect(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await ask(transport, server, "POST", content=BIG)
    await until(lambda: transport.stats().open == 0)


async def test_a_large_body_arrives(server, connect):
    """Written at once, taken bit by bit; the connection is kept."""
    sizes = []

    async def measure(peer):
        while request := await peer.request():
            sizes.append(len(request.partition(b"\r\n\r\n")[2]))
            await peer.send(OK)

    server.script = measure
    transport = connect(server)
    for _ in range(2):
        assert await ask(transport, server, "PUT", content=BIG) == b"ok"
    assert sizes == [len(BIG)] * 2
    assert server.accepted == 1


async def test_an_answer_to_half_a_request_ends_the_connection(server, connect):
    """The server answers before it has read the body: the rest would meet the next request."""

    async def hasty(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.reader._transport.pause_reading()
        await peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.05)

    server.script = scripted(hasty, answering(OK))
    transport = connect(server)
    response = await transport.handle_async_request(server.request("POST", content=BIG))
    assert response.status_code == 413
    assert transport.stats().idle == 0
    assert await ask(transport, server) == b"ok"


async def test_a_server_that_leaves_at_once(server, connect):
    """It accepts and closes, again and again: each request fails, and none hangs."""

    async def leave(peer):
        if peer.number % 2:
            peer.reset()

    server.script = leave
    transport = connect(server)
    for _ in range(20):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await ask(transport, server)
