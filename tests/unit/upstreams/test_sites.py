"""A service that goes and comes back."""

import asyncio
import contextlib

import httpx
import pytest
import uvloop

from examples.upstreams.fleet import open_sites

LOOPS = pytest.mark.parametrize(
    "new_loop",
    [
        pytest.param(asyncio.new_event_loop, id="asyncio"),
        pytest.param(uvloop.new_event_loop, id="uvloop"),
    ],
)


@contextlib.asynccontextmanager
async def standing(folder):
    async with (
        open_sites(folder, issuers={}) as served,
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
    ):
        yield served, client


def told(new_loop, story):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(asyncio.wait_for(story, 20))


@LOOPS
def test_who_waits_is_cut_off_and_who_comes_is_refused(folder, new_loop):
    """Kept connections are closed too; back again, it is at the same address."""

    async def story():
        async with standing(folder) as (served, client):
            site = served.sites["users"]
            await client.get(f"{site.url}/livez")
            await client.put(f"{site.url}/faults", json={"hang": True})
            asking = asyncio.create_task(client.get(f"{site.url}/users/1"))
            await asyncio.sleep(0.05)
            await site.cut()
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await asking
            with pytest.raises(httpx.ConnectError):
                await client.get(f"{site.url}/livez")
            await site.open()
            assert (await client.get(f"{site.url}/faults")).json()["hang"] is True

    told(new_loop, story())


@LOOPS
def test_many_hands_on_one_switch(folder, new_loop):
    """The last one to touch it decides, whatever was under way."""

    async def story():
        async with standing(folder) as (served, client):
            site = served.sites["users"]
            await asyncio.gather(site.cut(), site.open(), site.cut(), site.cut(), site.open())
            assert site.is_open
            assert (await client.get(f"{site.url}/livez")).is_success

    told(new_loop, story())
