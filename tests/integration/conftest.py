"""A world for each test, on copies of files that are seeded once."""

import asyncio
import shutil

import pytest

from examples.upstreams.fleet import open_fleet
from tests.integration.world import open_world


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """A folder with the services' files as they are at first."""
    folder = tmp_path_factory.mktemp("seeded")

    async def seed():
        async with open_fleet(folder, issuers={}):
            pass

    asyncio.run(seed())
    return folder


@pytest.fixture
def folder(seeded, tmp_path):
    """The services' files, for one test."""
    return shutil.copytree(seeded, tmp_path / "services")


@pytest.fixture
async def world(folder):
    async with open_world(folder) as world:
        yield world
