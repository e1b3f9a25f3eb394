"""A hostile server, transports to it, and certificates; every test runs on both event loops."""

import asyncio
import contextlib
import ssl

import pytest
import trustme
import uvloop

from datasources.transport.pool import OriginTransport
from tests.unit.transport.hostile import Server, until


def pytest_asyncio_loop_factories():
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def complaints():
    """What the loop had to handle because nobody else did: nothing, at the end of a test."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    yield complaints
    assert complaints == []


@pytest.fixture
async def server(complaints):
    """Over TCP, on a port of its own; `server.script` may be replaced before it is asked."""
    server = Server()
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    yield server
    listener.close()
    await server.stop()


@pytest.fixture
async def connect():
    """Makes transports, and sees that nothing of them is left at the end."""
    async with contextlib.AsyncExitStack() as stack:

        def make(server, **options):
            transport = OriginTransport("localhost", server.port, **options)
            stack.push_async_callback(closed_clean, transport)
            return transport

        yield make


async def closed_clean(transport):
    """Close it; no socket, no request, no task of ours remains."""
    assert transport.stats().in_flight == 0
    await until(lambda: transport.stats().open == transport.stats().idle)
    await transport.aclose()
    assert transport.stats().open == transport.stats().idle == 0


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def trusting(authority):
    """A client's context that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def certified(authority):
    """A server's context, for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
async def tls_server(certified, complaints):
    """As `server`, over TLS."""
    server = Server(scheme="https")
    listener = await asyncio.start_server(server, "127.0.0.1", 0, ssl=certified)
    server.port = listener.sockets[0].getsockname()[1]
    yield server
    listener.close()
    await server.stop()
