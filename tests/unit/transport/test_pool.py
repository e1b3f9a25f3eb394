"""OriginTransport: which connection a request travels on, and what becomes of it."""

import asyncio
import socket

import httpx
import pytest

from datasources.transport.connection import Connection
from datasources.transport.pool import OriginTransport, PoolStats
from datasources.transport.reader import ResponseLimits
from tests.unit.transport.hostile import OK, Server, answering, scripted, until


class Hand:
    """A clock that is moved by hand."""

    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


async def body(transport, request):
    response = await transport.handle_async_request(request)
    return await response.aread()


async def say_number(peer):
    """Answers with the number of the connection."""
    while await peer.request():
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % peer.number)


async def several(transport, server, count):
    """As many at once, so that each needs a connection of its own."""
    requests = (body(transport, server.request()) for _ in range(count))
    return sorted(await asyncio.gather(*requests))


async def test_sequential_requests_share_one_connection(server, connect):
    """Ten requests, one after the other: one connection."""
    transport = connect(server)
    for _ in range(10):
        assert await body(transport, server.request()) == b"ok"
    assert server.accepted == 1
    assert transport.stats() == PoolStats(open=1, idle=1, in_flight=0, opened=1)


async def test_concurrent_requests_do_not_wait_for_each_other(server, connect):
    """Three at once: three connections, all kept."""
    server.script = say_number
    transport = connect(server)
    assert await several(transport, server, 3) == [b"1", b"2", b"3"]
    assert transport.stats() == PoolStats(open=3, idle=3, in_flight=0, opened=3)


async def test_the_connection_used_last_is_used_next(server, connect):
    """Of three idle connections, one does all the work that one can do."""
    server.script = say_number
    transport = connect(server)
    await several(transport, server, 3)
    assert len({await body(transport, server.request()) for _ in range(5)}) == 1


async def test_those_that_a_quiet_hour_does_not_need_grow_old(server, connect):
    """Three idle connections, only one used: the others go when their time is over."""
    clock = Hand()
    transport = connect(server, monotonic=clock, idle_seconds=4.0)
    await several(transport, server, 3)
    for _ in range(2):
        clock.time += 3.0
        await body(transport, server.request())
    await until(lambda: transport.stats().open == 1)
    assert transport.stats() == PoolStats(open=1, idle=1, in_flight=0, opened=3)
    await until(lambda: server.open == 1)


@pytest.mark.parametrize(("idle", "accepted"), [(3.9, 1), (4.0, 2)])
async def test_idle_time_is_looked_at_when_a_connection_is_wanted(server, connect, idle, accepted):
    """Kept for less than its limit it is used again; at its limit it is not."""
    clock = Hand()
    transport = connect(server, monotonic=clock, idle_seconds=4.0)
    await body(transport, server.request())
    clock.time += idle
    await body(transport, server.request())
    assert server.accepted == accepted


async def test_a_connection_has_a_longest_life_that_varies(server, connect):
    """100 s shortened to 90 s by chance: used at 89 s, not at 90 s, however busy it was."""
    clock = Hand()
    chances = []

    def uniform(low, high):
        chances.append((low, high))
        return 0.9

    transport = connect(
        server, monotonic=clock, uniform=uniform, age_seconds=100.0, idle_seconds=95.0
    )
    for seconds, accepted in ((0.0, 1), (89.0, 1), (1.0, 2)):
        clock.time += seconds
        await body(transport, server.request())
        assert server.accepted == accepted
    assert chances == [(0.8, 1.0)] * 2


async def test_a_server_that_hangs_up_on_an_idle_connection_is_noticed(server, connect):
    """It leaves the idle ones when the server leaves."""
    server.script = scripted(answering(OK, close=True), answering(OK))
    transport = connect(server)
    await body(transport, server.request("POST"))
    await until(lambda: transport.stats().open == 0)
    assert transport.stats().idle == 0
    assert await body(transport, server.request("POST")) == b"ok"


async def test_what_nobody_asked_for_ends_the_connection(server, connect):
    """A response to no request, on an idle connection: it is never given to the next one."""

    async def poison(peer):
        await peer.request()
        await peer.send(OK)
        await asyncio.sleep(0.002)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        await peer.gone()

    server.script = scripted(poison, answering(OK))
    transport = connect(server)
    assert await body(transport, server.request()) == b"ok"
    await until(lambda: transport.stats().open == 0)
    assert await body(transport, server.request()) == b"ok"
    assert server.accepted == 2


OTHERS = OK.replace(b"ok", b"no")


async def hang_up_on_second(peer):
    """Answers once, takes a second request and leaves."""
    await peer.request()
    await peer.send(OK)
    await peer.request()


async def reset_on_second(peer):
    await peer.request()
    await peer.send(OK)
    await peer.request()
    peer.reset()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("script", [hang_up_on_second, reset_on_second])
async def test_a_kept_connection_that_fails_is_replaced_once(server, connect, method, script):
    """The server leaves before a byte of the response: a method that may be repeated, is."""
    server.script = scripted(script, answering(b"HTTP/1.1 204 No Content\r\n\r\n"))
    transport = connect(server)
    await body(transport, server.request())
    response = await transport.handle_async_request(server.request(method))
    assert (response.status_code, server.accepted) == (204, 2)


@pytest.mark.parametrize("method", ["POST", "PATCH", "TRACE"])
async def test_other_methods_are_never_sent_twice(server, connect, method):
    """The same with a method whose repetition may do it twice: it fails."""
    server.script = scripted(hang_up_on_second, answering(OK))
    transport = connect(server)
    await body(transport, server.request())
    with pytest.raises(httpx.RemoteProtocolError):
        await body(transport, server.request(method))
    assert server.accepted == 1


async def test_it_is_sent_again_on_a_new_connection_only(server, connect):
    """Two kept connections, both about to fail: the repeat does not meet the second one."""
    server.script = scripted(hang_up_on_second, hang_up_on_second, answering(OK))
    transport = connect(server)
    await several(transport, server, 2)
    assert await body(transport, server.request()) == b"ok"
    assert server.accepted == 3


async def test_it_is_not_sent_a_third_time(server, connect):
    """The new connection fails as well: that is a failure."""

    async def hang_up(peer):
        await peer.request()

    server.script = scripted(hang_up_on_second, hang_up)
    transport = connect(server)
    await body(transport, server.request())
    with pytest.raises(httpx.RemoteProtocolError):
        await body(transport, server.request())
    assert server.accepted == 2


async def test_it_is_sent_again_five_times_in_five_seconds_at_most(server, connect):
    """A server that always leaves on the second request: from then on whoever asks is told."""
    clock = Hand()
    server.script = hang_up_on_second
    transport = connect(server, monotonic=clock)
    await body(transport, server.request())
    for _ in range(5):
        assert await body(transport, server.request()) == b"ok"
        clock.time += 0.9
    with pytest.raises(httpx.RemoteProtocolError):
        await body(transport, server.request())
    assert await body(transport, server.request()) == b"ok"
    clock.time += 0.6
    assert await body(transport, server.request()) == b"ok"
    assert server.accepted == 8


async def test_what_nobody_asked_for_is_nobodys_answer(server, connect):
    """A second response on a kept connection: the next request is sent on another one."""

    async def talkative(peer):
        await peer.request()
        await peer.send(OK)
        blocked.set()
        peer.writer.write(OTHERS)
        await peer.gone()

    blocked = asyncio.Event()
    server.script = scripted(talkative, answering(OK))
    transport = connect(server)
    await body(transport, server.request())
    await blocked.wait()
    assert await body(transport, server.request()) == b"ok"
    assert server.accepted == 2


async def test_a_connection_lost_before_it_was_used():
    """The loop has told of its loss and will not tell again: it must not be waited for."""
    connection = Connection(ResponseLimits(), asyncio.get_running_loop(), lambda _: None)
    ours, _theirs = pair = socket.socketpair()
    connection.connection_made(asyncio.Transport({"socket": ours}))
    connection.connection_lost(None)
    with pytest.raises(httpx.ReadError):
        connection.ask(b"", to_head=False)
    for end in pair:
        end.close()


class SlowToReturn(OriginTransport):
    """Loses the connection while it is on its way to the one who opened it."""

    async def _open_socket(self, loop, protocol):
        await super()._open_socket(loop, protocol)
        connection = protocol()
        connection.abort()
        await until(lambda: connection.lost)


async def test_a_connection_lost_while_it_was_opened(server):
    """It is not counted as open, or closing would wait for its loss for ever."""
    transport = SlowToReturn("localhost", server.port)
    with pytest.raises(httpx.ReadError):
        await body(transport, server.request())
    assert transport.stats() == PoolStats(open=0, idle=0, in_flight=0, opened=1)
    await transport.aclose()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_is_about_to_be_lost(server, connect, method):
    """The loop has closed the socket and not told yet: another one is taken."""
    transport = connect(server)
    await body(transport, server.request())
    transport._idle[0]._transport.abort()
    assert await body(transport, server.request(method)) == b"ok"
    assert server.accepted == 2


async def test_a_new_connection_that_fails_is_not_replaced(server, connect):
    """Only a kept one can have been closed before the request was made."""

    async def hang_up(peer):
        await peer.request()

    server.script = scripted(hang_up, answering(OK))
    with pytest.raises(httpx.RemoteProtocolError):
        await body(connect(server), server.request())
    assert server.accepted == 1


async def test_half_a_response_is_never_asked_for_again(server, connect):
    """The first byte has come: the request was handled, whatever else happened."""

    async def half(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()
        await peer.send(b"H")

    server.script = scripted(half, answering(OK))
    transport = connect(server)
    await body(transport, server.request())
    with pytest.raises(httpx.RemoteProtocolError):
        await body(transport, server.request())
    assert server.accepted == 1


async def test_before_a_write_the_kept_connection_is_asked_whether_it_is_alive(server, connect):
    """The server's farewell has arrived, but the loop has not seen it: a POST takes another."""
    left = asyncio.Event()

    async def leave_unannounced(peer):
        await peer.request()
        await peer.send(OK)
        peer.close()
        left.set()

    server.script = scripted(leave_unannounced, answering(OK))
    transport = connect(server)
    await body(transport, server.request())
    await left.wait()
    assert await body(transport, server.request("POST")) == b"ok"


async def test_more_requests_than_allowed_are_refused_at_once(server, connect):
    """There is no queue: the third of two fails, and the two are not harmed."""
    go = asyncio.Event()

    async def wait(peer):
        await peer.request()
        await go.wait()
        await peer.send(OK)

    server.script = wait
    transport = connect(server, most_requests=2)
    first = [asyncio.create_task(body(transport, server.request())) for _ in range(2)]
    await until(lambda: server.accepted == 2)
    with pytest.raises(httpx.PoolTimeout):
        await asyncio.wait_for(body(transport, server.request()), 1.0)
    assert transport.stats() == PoolStats(open=2, idle=0, in_flight=2, opened=2)
    go.set()
    assert await asyncio.gather(*first) == [b"ok", b"ok"]


async def test_closing_fails_what_is_under_way_and_refuses_what_comes(server, connect):
    """One idle, one waiting, one connecting: all end, and no socket is left."""

    async def only_first(peer):
        await peer.request()
        if peer.number == 1:
            await peer.send(OK)
        await peer.gone()

    server.script = only_first
    transport = connect(server)
    await body(transport, server.request())
    waiting = [asyncio.create_task(body(transport, server.request())) for _ in range(2)]
    await until(lambda: server.accepted == 2)
    connecting = asyncio.create_task(body(transport, server.request()))
    await asyncio.sleep(0)
    await transport.aclose()
    for task in waiting:
        with pytest.raises(httpx.ReadError):
            await task
    with pytest.raises(httpx.ConnectError):
        await connecting
    with pytest.raises(httpx.ConnectError):
        await body(transport, server.request())
    await until(lambda: transport.stats() == PoolStats(0, 0, 0, transport.stats().opened))
    await until(lambda: server.open == 0)
    await transport.aclose()


async def test_another_origin_is_refused(server, connect):
    """Another host, port or scheme: nothing is sent, least of all to the wrong server."""
    transport = connect(server)
    for url in (
        f"http://127.0.0.1:{server.port}/",
        "http://localhost/",
        f"https://localhost:{server.port}/",
    ):
        with pytest.raises(httpx.LocalProtocolError, match="only requests to http://localhost:"):
            await transport.handle_async_request(httpx.Request("GET", url))
    assert server.accepted == 0


@pytest.mark.parametrize("host", ["-", "x" * 64])
async def test_no_such_host(host):
    """A name that nobody answers to, and one that cannot even be asked for."""
    async with OriginTransport(host, 80) as transport:
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(httpx.Request("GET", f"http://{host}/"))


async def test_nobody_listens(unused_tcp_port):
    """Refused is ConnectError."""
    async with OriginTransport("127.0.0.1", unused_tcp_port) as transport:
        url = f"http://127.0.0.1:{unused_tcp_port}/"
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(httpx.Request("GET", url))
        assert transport.stats() == PoolStats(0, 0, 0, 0)


async def test_it_serves_an_httpx_client(server, connect):
    """Behind httpx's own client: query, JSON body, streaming, timeouts."""
    seen = []

    async def echo(peer):
        while request := await peer.request():
            seen.append(request)
            await peer.send(OK)

    server.script = echo
    async with httpx.AsyncClient(
        transport=connect(server), base_url=f"http://localhost:{server.port}"
    ) as client:
        response = await client.post("/a b", params={"q": "ü"}, json={"x": 1})
        async with client.stream("GET", "/") as streamed:
            assert [part async for part in streamed.aiter_bytes()] == [b"ok"]
    assert response.text == "ok"
    assert seen[0].startswith(b"POST /a%20b?q=%C3%BC HTTP/1.1\r\nHost: localhost:")
    assert seen[0].endswith(b'\r\n\r\n{"x":1}')


def test_it_belongs_to_one_event_loop():
    """In a second loop it refuses, rather than touch what belongs to the first."""
    server = Server(answering(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
    transports = []

    async def first():
        async with await asyncio.start_server(server, "127.0.0.1", 0) as listener:
            server.port = listener.sockets[0].getsockname()[1]
            transports.append(OriginTransport("localhost", server.port))
            await body(transports[0], server.request())
            await until(lambda: transports[0].stats().open == server.open == 0)

    asyncio.run(first())
    with pytest.raises(httpx.ConnectError, match="another event loop"):
        asyncio.run(body(transports[0], server.request()))
