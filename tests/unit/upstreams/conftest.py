"""A shop that is open, and the folder it is in."""

import asyncio
import shutil

import pytest

from tests.unit.upstreams.shop import open_shop


@pytest.fixture(scope="session")
def stocked(tmp_path_factory):
    """A folder as it is after the first start; copying it is quicker than filling another."""
    folder = tmp_path_factory.mktemp("stocked")

    async def stock():
        async with open_shop(folder):
            pass

    asyncio.run(stock())
    return folder


@pytest.fixture
def folder(stocked, tmp_path):
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
async def shop(folder):
    async with open_shop(folder) as opened:
        yield opened
