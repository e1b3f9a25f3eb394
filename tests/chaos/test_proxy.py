"""The proxy itself: what it is told to break it breaks, and nothing else."""

import asyncio
import contextlib
import random

import pytest

from tests.chaos.proxy import WELL, Cut, Fault, Proxy, Swallow

BODY = b"0123456789" * 20
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + BODY
HEAD = len(ANSWER) - len(BODY)


class Service:
    """Answers every four bytes with `ANSWER`, and notes them."""

    def __init__(self):
        self.heard = []
        self.open = 0

    async def __call__(self, reader, writer):
        self.open += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                self.heard.append(await reader.readexactly(4))
                writer.write(ANSWER)
                await writer.drain()
        self.open -= 1
        writer.close()


@pytest.fixture
async def service():
    return Service()


@pytest.fixture
async def proxy(service):
    async with await asyncio.start_server(service, "127.0.0.1", 0) as server:
        proxy = Proxy(*server.sockets[0].getsockname()[:2], random.Random(1))
        async with proxy.running():
            yield proxy
        assert proxy.open == 0
        await until(lambda: service.open == 0)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110, others of this loop set no event
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def connected(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(connection):
    reader, writer = connection
    writer.write(b"ask\n")
    return await reader.readexactly(len(ANSWER))


async def until_it_ends(connection):
    """What still comes, and how it ends."""
    reader, writer = connection
    writer.write(b"ask\n")
    got = b""
    try:
        while piece := await reader.read(1000):
            got += piece
    except ConnectionResetError:
        return got, "RST"
    return got, "FIN"


async def seconds(awaitable):
    loop = asyncio.get_running_loop()
    started = loop.time()
    await awaitable
    return loop.time() - started


async def test_well_it_passes_everything_on(proxy):
    """Several requests on one connection, and several connections."""
    async with connected(proxy) as one, connected(proxy) as other:
        assert [await ask(one), await ask(one), await ask(other)] == [ANSWER] * 3
        assert (proxy.open, proxy.accepted) == (2, 2)
    await until(lambda: proxy.open == 0)


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (Fault(latency=0.05), 0.05),
        (Fault(latency=0.05, jitter=0.01), 0.05),
        (Fault(bytes_per_second=2_500), 0.09),
        (Fault(slice_bytes=100, slice_pause=0.02), 0.05),
        (Fault(slice_bytes=40, slice_pause=0.005), 0.03),
    ],
    ids=["latency", "jitter", "bandwidth", "slices", "slicer"],
)
async def test_slow_but_whole(proxy, fault, least):
    """Nothing arrives sooner than the fault allows, and every byte does arrive."""
    await proxy.set(fault)
    async with connected(proxy) as connection:
        assert await seconds(ask(connection)) >= least
        assert await seconds(ask(connection)) >= least


async def test_a_trickle_comes_byte_by_byte(proxy):
    """The first one is there long before the last one."""
    await proxy.set(Fault(slice_bytes=1, slice_pause=0.002))
    async with connected(proxy) as (reader, writer):
        writer.write(b"ask\n")
        assert len(await reader.read(1000)) < 10
        await reader.readexactly(20)


@pytest.mark.parametrize(
    ("swallow", "heard"), [(Swallow.REQUESTS, []), (Swallow.ANSWERS, [b"ask\n"])]
)
async def test_a_black_hole_is_silent(proxy, service, swallow, heard):
    """The connection stays open; whether the service was asked depends on the way."""
    async with connected(proxy) as connection:
        await proxy.set(Fault(swallow=swallow))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(connection), 0.05)
        assert not connection[0].at_eof()
        assert service.heard == heard
        await proxy.heal()
        assert await ask(connection) == ANSWER


@pytest.mark.parametrize(("cut", "end"), [(Cut.RESET, "RST"), (Cut.CLOSE, "FIN")])
@pytest.mark.parametrize(("cut_after", "passed"), [(-1, 0), (0, HEAD), (7, HEAD + 7)])
async def test_cut(proxy, service, cut, end, cut_after, passed):
    """Before the head, after it, in the body; the service has been asked."""
    await proxy.set(Fault(cut=cut, cut_after=cut_after))
    async with connected(proxy) as connection:
        got, how = await until_it_ends(connection)
    assert ANSWER.startswith(got)
    assert (len(got), how) == (passed, end)
    assert service.heard == [b"ask\n"]


async def test_each_answer_is_cut_at_its_own_byte(proxy):
    """Not at that byte of the connection."""
    async with connected(proxy) as connection:
        assert await ask(connection) == ANSWER
        await proxy.set(Fault(cut=Cut.CLOSE, cut_after=7))
        got, how = await until_it_ends(connection)
    assert (len(got), how) == (HEAD + 7, "FIN")


async def test_refused(proxy):
    """Nothing listens, and who was connected is not any more; healed it is the same port again."""
    async with connected(proxy) as connection:
        await ask(connection)
        await proxy.set(Fault(refused=True))
        assert await until_it_ends(connection) == (b"", "RST")
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.heal()
    async with connected(proxy) as connection:
        assert await ask(connection) == ANSWER


async def test_a_slow_close_keeps_the_other_side_waiting(proxy, service):
    """The client is gone, and the service learns of it later."""
    await proxy.set(Fault(slow_close=0.1))
    async with connected(proxy) as connection:
        await ask(connection)
    assert await seconds(until(lambda: service.open == 0)) >= 0.09


async def test_hanging_up_ends_an_idle_connection(proxy):
    """After a whole answer, not in the middle of one."""
    await proxy.set(Fault(hang_up=0.02))
    async with connected(proxy) as connection:
        assert await ask(connection) == ANSWER
        assert await ask(connection) == ANSWER
        assert await connection[0].read() == b""


async def test_each_connection_may_have_its_own_fault(proxy):
    """The second one since the rule was made is reset; the others are well."""
    broken = Fault(cut=Cut.RESET, cut_after=-1)
    async with connected(proxy) as before:
        await proxy.set(WELL, rule=lambda nth: broken if nth == 2 else WELL)
        async with connected(proxy) as first, connected(proxy) as second, connected(proxy) as third:
            assert await ask(first) == ANSWER
            assert await until_it_ends(second) == (b"", "RST")
            assert await ask(third) == ANSWER
        assert await ask(before) == ANSWER


async def test_a_fault_can_come_and_go_in_the_middle_of_an_answer(proxy):
    """What trickled runs again."""
    await proxy.set(Fault(slice_bytes=1, slice_pause=0.01))
    async with connected(proxy) as (reader, writer):
        writer.write(b"ask\n")
        await reader.readexactly(3)
        await proxy.heal()
        rest = reader.readexactly(len(ANSWER) - 3)
        assert await asyncio.wait_for(rest, 1.0) == ANSWER[3:]
