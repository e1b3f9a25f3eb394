"""HttpxPool: whoever leaves, httpx's pool hears nothing of it."""

import asyncio

import httpx
import pytest

from datasources.transport.head import NO_LINES
from datasources.transport.httpx_pool import HttpxPool
from tests.unit.transport.hostile import OK, until


def pool(server, *, most_requests=8, silence_seconds=0.05, connections=4):
    limits = httpx.Limits(max_connections=connections)
    return HttpxPool(
        httpx.AsyncHTTPTransport(limits=limits, trust_env=False),
        httpx.URL(f"http://localhost:{server.port}"),
        most_requests=most_requests,
        silence_seconds=silence_seconds,
    )


async def ask(transport):
    return (await transport.exchange("GET", b"/", NO_LINES, None)).body


async def mute(peer):
    await peer.request()
    await peer.gone()


async def test_it_answers(server):
    """As any other, and keeps its connection."""
    async with pool(server) as transport:
        assert [await ask(transport) for _ in range(3)] == [b"ok"] * 3
    assert server.accepted == 1


async def test_silence_has_a_limit(server):
    """Nobody need cancel anything."""
    server.script = mute
    async with pool(server) as transport:
        with pytest.raises(httpx.ReadTimeout):
            await ask(transport)


async def test_a_drip_has_one_too(server):
    """Twice as long, in all."""

    async def drip(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await peer.send(b"a")
            await asyncio.sleep(0.005)

    server.script = drip
    async with pool(server, silence_seconds=0.4) as transport:
        with pytest.raises(httpx.ReadTimeout, match=r"0\.8 s"):
            await ask(transport)


async def test_whoever_leaves_takes_nothing_along(server):
    """What he asked goes on to its end, and counts until then; then all connections are good."""
    go = asyncio.Event()

    async def wait(peer):
        while await peer.request():
            await go.wait()
            await peer.send(OK)

    server.script = wait
    async with pool(server, connections=2, silence_seconds=60.0) as transport:
        leaving = [asyncio.create_task(ask(transport)) for _ in range(8)]
        await until(lambda: server.open == 2)
        for task in leaving:
            task.cancel()
        await asyncio.wait(leaving)
        assert transport.in_flight == 8
        with pytest.raises(httpx.PoolTimeout):
            await ask(transport)
        go.set()
        await until(lambda: not transport.in_flight)
        for _ in range(20):
            assert await ask(transport) == b"ok"
    assert server.accepted == 2


async def test_closing_ends_what_is_under_way(server):
    """Whoever waits is told."""
    server.script = mute
    transport = pool(server, silence_seconds=60.0)
    waiting = asyncio.create_task(ask(transport))
    await until(lambda: server.open == 1)
    await transport.aclose()
    with pytest.raises(httpx.ReadError):
        await waiting
    assert transport.in_flight == 0
