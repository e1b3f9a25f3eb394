"""The services on real sockets of this machine."""

import asyncio
import contextlib
import errno
import signal
import socket

import httpx
import pytest
import uvloop

from examples.upstreams.fleet import NAMES, serve_fleet
from examples.upstreams.sockets import listen
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now
from tests.unit.upstreams.shop import SCOPES

ASYNCIO = pytest.param(asyncio.new_event_loop, id="asyncio")
UVLOOP = pytest.param(uvloop.new_event_loop, id="uvloop", marks=pytest.mark.slow)
LOOPS = pytest.mark.parametrize("new_loop", [ASYNCIO, UVLOOP])
BFF = Signer("bff", utc_now)


def told(new_loop, story):
    """Run *story*; nothing of it may be left when it ends."""
    with asyncio.Runner(loop_factory=new_loop) as runner:

        async def whole():
            before = asyncio.all_tasks()
            await asyncio.wait_for(story(), 20)
            assert asyncio.all_tasks() == before

        runner.run(whole())


@contextlib.asynccontextmanager
async def served(folder, **more):
    async with (
        serve_fleet(folder, issuers={"bff": BFF.jwks}, **more) as urls,
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
    ):
        yield urls, client


def bearer(service):
    return {"Authorization": f"Bearer {BFF.token(service, SCOPES, subject='1')}"}


async def raw(url, path="/users/1"):
    """One request over a socket of our own: what came back, or the error number."""
    port = httpx.URL(url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return await reader.read(1000)
    except OSError as failure:
        return failure.errno
    finally:
        writer.close()


@LOOPS
def test_an_order_goes_through_all_five(folder, new_loop):
    """Each on a socket of its own; the orders service reaches the others over theirs."""

    async def story():
        async with served(folder) as (urls, client):
            assert list(urls) == list(NAMES)
            assert len({httpx.URL(url).port for url in urls.values()}) == 5
            body = {"userId": "1", "items": [{"productId": "p-1", "quantity": 1}]}
            headers = bearer("orders") | {"Idempotency-Key": "k"}
            placed = await client.post(f"{urls['orders']}/orders", json=body, headers=headers)
            assert (placed.status_code, placed.json()["status"]) == (201, "PAID")
            order_id = placed.json()["id"]
            path = f"{urls['payments']}/payments/{order_id}"
            paid = await client.get(path, headers=bearer("payments"))
            assert paid.json()["status"] == "CAPTURED"
            seen = (await client.get(f"{urls['users']}/requests")).json()
            assert [(each["method"], each["path"]) for each in seen] == [("GET", "/users/1")]

    told(new_loop, story)


@LOOPS
def test_a_reset_resets(folder, new_loop):
    """The client's socket says ECONNRESET: no answer, and no orderly end either."""

    async def story():
        async with served(folder) as (urls, client):
            url = urls["users"]
            await client.put(f"{url}/faults", json={"reset": True})
            assert await raw(url) == errno.ECONNRESET
            with pytest.raises(httpx.ReadError):
                await client.get(f"{url}/users/1", headers=bearer("users"))
            await client.delete(f"{url}/faults")
            answer = await client.get(f"{url}/users/1", headers=bearer("users"))
            assert answer.status_code == 200

    told(new_loop, story)


@LOOPS
def test_a_hang_hangs_and_heals(folder, new_loop):
    """No answer until it is healed; whoever goes before that is forgotten."""

    async def story():
        async with served(folder) as (urls, client):
            url = urls["orders"]
            body = {"userId": "1", "items": [{"productId": "p-1", "quantity": 1}]}

            async def place(key, patience=10):
                headers = bearer("orders") | {"Idempotency-Key": key}
                return await client.post(
                    f"{url}/orders", json=body, headers=headers, timeout=patience
                )

            await client.put(f"{url}/faults", json={"hang": True})
            before = len(asyncio.all_tasks())
            with pytest.raises(httpx.ReadTimeout):
                await place("gone", 0.2)
            await asyncio.sleep(0.1)
            assert len(asyncio.all_tasks()) == before
            placing = asyncio.create_task(place("stayed"))
            await asyncio.sleep(0.2)
            assert not placing.done()
            assert (await client.get(f"{url}/livez")).status_code == 200
            await client.delete(f"{url}/faults")
            assert (await placing).status_code == 201
            charges = (await client.get(f"{urls['payments']}/requests")).json()
            assert [seen["path"] for seen in charges] == ["/charges"]

    told(new_loop, story)


@LOOPS
@pytest.mark.parametrize(
    "plan", [{"hang": True}, {"latencySeconds": 3600}], ids=["hang", "latency"]
)
def test_it_stops_cleanly_while_somebody_waits(folder, new_loop, plan):
    """Healed, so that they are answered; the ports are free again, and no task is left."""

    async def story():
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            async with served(folder) as (urls, _):
                url = urls["users"]
                await client.put(f"{url}/faults", json=plan)
                asking = asyncio.create_task(client.get(f"{url}/users/1"))
                await asyncio.sleep(0.1)
            assert (await asking).status_code == 401
        for each in urls.values():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", httpx.URL(each).port))

    told(new_loop, story)


def test_signals_are_somebody_elses_business(folder):
    """The handlers are what they were, while it serves and after."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def story():
        async with served(folder) as (urls, client):
            await client.get(f"{urls['users']}/livez")
            during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
            # asyncio.Runner has a SIGINT handler of its own.
            assert during[1] == before[1]

    told(asyncio.new_event_loop, story)
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


def test_ports_may_be_chosen_and_may_be_taken(folder):
    """The chosen one is used; one in use is an OSError, and the others are let go."""

    async def story():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=f"{errno.EADDRINUSE}"):
                async with served(folder, ports={"payments": port}):
                    pass
        async with served(folder, ports={"payments": port}) as (urls, _):
            assert urls["payments"] == f"http://127.0.0.1:{port}"

    told(asyncio.new_event_loop, story)


def test_small_answers_leave_at_once():
    """No connection waits for an acknowledgement before it sends the body after the head."""
    with (
        contextlib.closing(listen("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        contextlib.closing(listening.accept()[0]) as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
