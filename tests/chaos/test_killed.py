"""The orders service, killed again and again while customers order.

It is a process of its own; the four others are in this one. Whoever gets no answer asks again
under the same key, as the BFF and its callers do.
"""

import asyncio
import contextlib
import json
import random
import shutil
import sqlite3
import sys
from collections import Counter

import httpx
import pytest

from examples.upstreams.__main__ import kept_signer
from examples.upstreams.faults import FaultPlan, Faults
from examples.upstreams.fleet import NAMES, SocketTransport, Surroundings, open_service
from examples.upstreams.sockets import Site, base_url, listen
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now

pytestmark = pytest.mark.slow

KILLS = 20
CUSTOMERS = 6
BFF = Signer("bff", utc_now)
BODY = {"items": [{"productId": "p-1", "quantity": 1}]}

DUE = "SELECT 1 FROM orders WHERE charge = 'DUE'"
MUTE = "SELECT 1 FROM outbox WHERE published_at IS NULL"


class OrdersProcess:
    """`python -m examples.upstreams orders`, which comes back at the same address."""

    def __init__(self, *options):
        self._options = options
        with listen("127.0.0.1", 0) as place:
            self.port = place.getsockname()[1]

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "examples.upstreams", "orders", "--port", str(self.port)),
            *self._options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it complains of peers that it cannot reach
        )
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        assert line.startswith(b"orders: ")

    async def kill(self):
        if self._process.returncode is None:
            self._process.kill()
            assert await self._process.wait() == -9


@contextlib.asynccontextmanager
async def four_others(folder, chance):
    """Everybody but orders; yields their faults and base URLs."""
    issuers = {name: kept_signer(folder, name).jwks for name in ("orders", "notifications")}
    around = Surroundings(
        folder=folder,
        issuers=issuers | {"bff": BFF.jwks},
        signers={},
        transport=lambda _: SocketTransport(),
        urls={},
    )
    async with contextlib.AsyncExitStack() as stack:
        urls, switches = {}, {}
        for name in (name for name in NAMES if name != "orders"):
            switches[name] = Faults(chance, asyncio.sleep, utc_now)
            app = await stack.enter_async_context(open_service(name, switches[name], around))
            listening = stack.enter_context(contextlib.closing(listen("127.0.0.1", 0)))
            urls[name] = base_url(listening)
            site = Site(app, listening)
            await site.open()
            stack.push_async_callback(site.close)
        yield switches, urls


async def customer(client, nth, wanted, placed):
    """Orders one thing after the other, each until there is an answer."""
    for key in wanted:
        user = str(nth + 1)
        while (user, key) not in placed:
            token = BFF.token("orders", "orders:write", subject=user)
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            try:
                answer = await client.post("/orders", json=BODY | {"userId": user}, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
            else:
                if answer.status_code in {200, 201, 202}:
                    placed[user, key] = answer.json()["id"]


def endless(stopped):
    nth = 0
    while not stopped.is_set():
        nth += 1
        yield f"key-{nth}"


def rows(folder, name, sql):
    with contextlib.closing(sqlite3.connect(folder / f"{name}.sqlite3", timeout=10)) as file:
        return file.execute(sql).fetchall()


async def test_killed_while_customers_order(seeded, tmp_path):
    """One order, one charge and one message for each key, however often it dies in between."""
    folder = shutil.copytree(seeded, tmp_path / "services")
    (folder / "bff.json").write_text(json.dumps(BFF.jwks))
    chance = random.Random(20)
    stopped, placed, begun_and_left = asyncio.Event(), {}, 0
    async with four_others(folder, chance) as (switches, urls):
        peers = [option for name in urls for option in ("--peer", f"{name}={urls[name]}")]
        orders = OrdersProcess(
            *("--folder", str(folder), "--jwks", str(folder / "bff.json"), *peers)
        )
        switches["payments"].plan = FaultPlan(latency_seconds=0.01, error_rate=0.1)
        switches["notifications"].plan = FaultPlan(latency_seconds=0.005, error_rate=0.2)
        address = f"http://127.0.0.1:{orders.port}"
        async with (
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=5) as client,
            asyncio.TaskGroup() as group,
        ):
            for nth in range(CUSTOMERS):
                group.create_task(customer(client, nth, endless(stopped), placed))
            try:
                for _ in range(KILLS):
                    await orders.start()
                    begun = len(placed)
                    async with asyncio.timeout(30):
                        while len(placed) == begun:  # noqa: ASYNC110, it is another process
                            await asyncio.sleep(0.005)
                    await asyncio.sleep(chance.uniform(0.0, 0.1))
                    await orders.kill()
                    begun_and_left += len(
                        rows(folder, "orders", DUE) + rows(folder, "orders", MUTE)
                    )
                await orders.start()
                stopped.set()
            except BaseException:
                await orders.kill()
                raise
        for switch in switches.values():
            switch.heal()
        async with asyncio.timeout(30):
            while rows(folder, "orders", DUE) or rows(folder, "orders", MUTE):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await orders.kill()
    assert begun_and_left > 0
    check(folder, placed)


def check(folder, placed):
    """Every key that was answered is that one order, and no key is two."""
    stored = rows(folder, "orders", "SELECT user_id, key, id, status FROM orders WHERE key <> ''")
    charged = Counter(order for (order,) in rows(folder, "payments", "SELECT order_id FROM ledger"))
    told = Counter(
        message for (message,) in rows(folder, "notifications", "SELECT message FROM notifications")
    )
    assert {(user, key): order for user, key, order, _ in stored} == placed
    assert len(stored) == len(placed) > KILLS
    for _, _, order, status in stored:
        assert (status, charged[order]) == ("PAID", 1)
        assert told[f"Your order {order} has been placed"] == 1
