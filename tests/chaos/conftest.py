"""A street of services, once for each module: what a test needs of its own is a user."""

import contextlib
from pathlib import Path

import pytest

from tests.chaos.world import open_street, socket_loop
from tests.integration.world import seed


def descriptors():
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """A folder with the services' files as they are at first."""
    return seed(tmp_path_factory.mktemp("seeded"))


@pytest.fixture(scope="module")
def loop():
    """In virtual time, on real sockets; finally not one of them is open, nor any file."""
    before = descriptors()
    with contextlib.closing(socket_loop()) as loop:
        yield loop
    assert descriptors() == before


@pytest.fixture(scope="module")
def street(loop, seeded, tmp_path_factory):
    opened = open_street(seeded, tmp_path_factory.mktemp("street") / "services")
    yield loop.run_until_complete(opened.__aenter__())
    loop.run_until_complete(opened.__aexit__(None, None, None))


@pytest.fixture
def run(loop):
    """Tells a story in that loop, in which nobody may be left with a mistake of his own."""
    complaints = []
    loop.set_exception_handler(lambda _, what: complaints.append(what))
    yield loop.run_until_complete
    assert complaints == []
