"""Each service as a process of its own, and one of them killed."""

import asyncio
import contextlib
import json
import sqlite3
import sys
from collections import Counter

import httpx
import pytest

from examples.upstreams.fleet import NAMES
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now
from tests.unit.upstreams.shop import SCOPES

pytestmark = pytest.mark.slow

BFF = Signer("bff", utc_now)
BODY = {"userId": "1", "items": [{"productId": "p-1", "quantity": 1}]}


def left_over(process):
    if process.returncode is None:
        process.kill()


async def start(stack, name, folder, *options):
    """The process, and its base URL, which is what it prints first."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.upstreams", name, "--folder", str(folder)),
        *("--jwks", str(folder / "bff.json"), *options),
        stdout=asyncio.subprocess.PIPE,
    )
    stack.callback(left_over, process)
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    label, url = line.decode().split()
    assert label == f"{name}:"
    return process, url


async def stop(process, how):
    how(process)
    return await asyncio.wait_for(process.wait(), 10)


def bearer(service):
    return {"Authorization": f"Bearer {BFF.token(service, SCOPES, subject='1')}"}


async def until(condition):
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110, another process sets no event of ours
            await asyncio.sleep(0.02)


@pytest.fixture
def processes():
    """Where processes are registered, so that none outlives its test."""
    with contextlib.ExitStack() as stack:
        yield stack


async def test_an_order_survives_that_its_service_is_killed(folder, processes):
    """Killed while payments charges: after a restart the same key gets the order, charged once."""
    (folder / "bff.json").write_text(json.dumps(BFF.jwks))
    others = [name for name in NAMES if name != "orders"]
    started = await asyncio.gather(*(start(processes, name, folder) for name in others))
    urls = {name: url for name, (_, url) in zip(others, started, strict=True)}
    peers = [option for name in others for option in ("--peer", f"{name}={urls[name]}")]
    orders, url = await start(processes, "orders", folder, *peers)
    port = str(httpx.URL(url).port)
    headers = bearer("orders") | {"Idempotency-Key": "k"}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        await client.put(f"{urls['payments']}/faults", json={"latencySeconds": 0.5})
        placing = asyncio.create_task(client.post(f"{url}/orders", json=BODY, headers=headers))

        async def charging():
            return (await client.get(f"{urls['payments']}/requests")).json() != []

        await until(charging)
        assert await stop(orders, lambda process: process.kill()) == -9
        with pytest.raises(httpx.TransportError):
            await placing

        orders, url = await start(processes, "orders", folder, "--port", port, *peers)
        placed = await client.post(f"{url}/orders", json=BODY, headers=headers)
        assert placed.status_code in {200, 201}
        order = placed.json()
        assert order["status"] == "PAID"
        again = await client.post(f"{url}/orders", json=BODY, headers=headers)
        assert (again.status_code, again.json()) == (200, order)

        async def told():
            path = f"{urls['notifications']}/notifications?userId=1&limit=1000"
            messages = (await client.get(path, headers=bearer("notifications"))).json()
            counted = Counter(message["message"] for message in messages)
            return counted[f"Your order {order['id']} has been placed"] == 1

        await until(told)
    for process in (orders, *(process for process, _ in started)):
        assert await stop(process, lambda process: process.terminate()) == 0
    with contextlib.closing(sqlite3.connect(folder / "payments.sqlite3")) as ledger:
        charges = ledger.execute("SELECT * FROM ledger WHERE order_id = ?", [order["id"]])
        assert len(charges.fetchall()) == 1
