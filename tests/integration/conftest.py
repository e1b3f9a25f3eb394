"""A world for each test, on copies of files that are seeded once."""

import shutil

import pytest

from tests.integration.world import open_world, seed


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """A folder with the services' files as they are at first."""
    return seed(tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def folder(seeded, tmp_path):
    """The services' files, for one test."""
    return shutil.copytree(seeded, tmp_path / "services")


@pytest.fixture
async def world(folder):
    async with open_world(folder) as world:
        yield world
