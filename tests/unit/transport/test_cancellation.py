"""OriginTransport: whoever leaves, whenever he leaves, leaves nothing behind."""

import asyncio
import random

import pytest

from tests.unit.transport.hostile import OK, answering, scripted, until


async def ask(transport, server, method="GET"):
    response = await transport.handle_async_request(server.request(method))
    return await response.aread()


async def left_alone(transport, server):
    """Twenty of twenty pass, and no socket is open that is not idle, at either end."""
    for _ in range(20):
        assert await ask(transport, server) == b"ok"
    await until(lambda: transport.stats().open == transport.stats().idle == server.open)
    assert transport.stats().in_flight == 0


class Hesitant:
    """Answers late, in two parts, and not always, until it is calm; counts what it was asked."""

    def __init__(self):
        self.asked = 0
        self.calm = False

    async def __call__(self, peer):
        chance = random.Random(peer.number)
        while await peer.request():
            self.asked += 1
            if self.calm:
                await peer.send(OK)
                continue
            if chance.random() < 0.02:
                await peer.gone()
                return
            await asyncio.sleep(0.003 * chance.random())
            await peer.send(OK[:25], OK[25:])


async def storm(transport, server, chance, *, count, patience):
    """*count* requests, twenty at a time, each given up at a moment of its own.

    Returns:
        How many were answered, and how many were given up.
    """
    slots = asyncio.Semaphore(20)
    answered = []

    async def impatient():
        async with slots:
            task = asyncio.create_task(ask(transport, server))
            mood = chance.random()
            if mood < 0.4:
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
            elif mood < 0.8:
                await asyncio.sleep(chance.random() * patience)
            else:
                await asyncio.wait([task], timeout=0.2)
            task.cancel()
            await asyncio.wait([task])
            answered.append(not task.cancelled())

    await asyncio.gather(*(impatient() for _ in range(count)))
    return sum(answered), count - sum(answered)


async def settled(transport):
    await until(lambda: transport.stats().open == transport.stats().idle)


async def stormed(transport, server, hesitant, *, patience, given_up_at_least, each_at_least):
    """Storms until enough was given up, and enough of each kind.

    So the speed of the machine decides how long it takes, not what is tried.
    """
    chance = random.Random(1)
    answered = given_up = on_the_way = 0
    async with asyncio.timeout(20):
        while given_up < given_up_at_least or min(answered, on_the_way) < each_at_least:
            some, others = await storm(transport, server, chance, count=80, patience=patience)
            answered, given_up = answered + some, given_up + others
            waiting = hesitant.asked - answered
            on_the_way = min(waiting, given_up - waiting)


@pytest.mark.slow
async def test_a_storm_of_cancellations(server, connect):
    """More than a thousand given up, before and after the server was asked; others answered."""
    server.script = hesitant = Hesitant()
    transport = connect(server)
    await stormed(
        transport, server, hesitant, patience=0.008, given_up_at_least=1001, each_at_least=100
    )
    hesitant.calm = True
    await left_alone(transport, server)
    assert asyncio.all_tasks() - server.tasks == {asyncio.current_task()}


async def test_a_storm_of_cancellations_over_tls(tls_server, connect, trusting):
    """The same with handshakes, which have more moments to be given up at."""
    tls_server.script = hesitant = Hesitant()
    transport = connect(tls_server, tls=trusting)
    await stormed(
        transport, tls_server, hesitant, patience=0.05, given_up_at_least=50, each_at_least=10
    )
    hesitant.calm = True
    await left_alone(transport, tls_server)
    assert asyncio.all_tasks() - tls_server.tasks == {asyncio.current_task()}


@pytest.mark.parametrize("kept", [False, True])
async def test_cancelled_at_every_turn_of_the_loop(server, connect, kept):
    """After 0, 1, 2, … turns, on a new connection and on a kept one, until it is too late."""
    transport = connect(server)
    for turns in range(200):
        if kept:
            await ask(transport, server)
        task = asyncio.create_task(ask(transport, server))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not task.cancel():
            break
        await asyncio.wait([task])
        if not kept:
            await settled(transport)
            await transport.aclose()
            transport = connect(server)
    assert turns > 2
    assert await task == b"ok"
    await left_alone(transport, server)


async def test_cancelled_when_the_response_has_arrived(server, connect):
    """Too late for the network, not for the caller: the connection is not used again."""
    transport = connect(server)
    task = asyncio.create_task(ask(transport, server))
    await until(lambda: transport._open, pause=0)
    (connection,) = transport._open
    await until(lambda: connection._future is not None, pause=0)
    await until(lambda: connection._future is None, pause=0)
    assert connection.usable
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await until(lambda: transport.stats().open == 0)
    await left_alone(transport, server)


async def test_one_callers_cancellation_harms_no_other(server, connect):
    """Ten wait for one server; nine leave; the tenth is answered."""
    go = asyncio.Event()

    async def wait(peer):
        await peer.request()
        await go.wait()
        await peer.send(OK)
        await answering(OK)(peer)

    server.script = wait
    transport = connect(server)
    tasks = [asyncio.create_task(ask(transport, server)) for _ in range(10)]
    await until(lambda: server.accepted == 10)
    for task in tasks[:9]:
        task.cancel()
    await asyncio.wait(tasks[:9])
    go.set()
    assert await tasks[9] == b"ok"
    await left_alone(transport, server)


async def test_cancelled_while_a_repeat_connects(server, connect):
    """A kept connection failed, the new one is under way: nothing of either remains."""

    async def once(peer):
        await peer.request()
        await peer.send(OK)
        await peer.request()

    server.script = scripted(once, answering(OK))
    for turns in range(40):
        server.accepted = 0
        transport = connect(server)
        await ask(transport, server)
        task = asyncio.create_task(ask(transport, server))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await settled(transport)
        await transport.aclose()
    await until(lambda: server.open == 0)
