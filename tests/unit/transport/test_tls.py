"""OriginTransport over TLS and over Unix sockets."""

import asyncio
import ssl

import httpx
import pytest

from datasources.transport.pool import OriginTransport
from tests.unit.transport.hostile import OK, Server, answering, until


async def ask(transport, server, **rest):
    response = await transport.handle_async_request(server.request(**rest))
    return await response.aread()


async def test_a_server_whose_certificate_is_trusted(tls_server, connect, trusting):
    """One handshake serves several requests."""
    transport = connect(tls_server, tls=trusting)
    for _ in range(3):
        assert await ask(transport, tls_server) == b"ok"
    assert await ask(transport, tls_server, method="POST", content=b"x") == b"ok"
    assert tls_server.accepted == 1


async def test_a_server_whose_certificate_is_not(tls_server, connect):
    """An authority that nobody trusts: ConnectError, before a byte of the request."""
    transport = connect(tls_server, tls=ssl.create_default_context())
    with pytest.raises(httpx.ConnectError):
        await ask(transport, tls_server)


async def test_a_certificate_with_another_name(tls_server, connect, trusting):
    """Trusted, but for somebody else."""
    transport = connect(tls_server, tls=trusting, server_hostname="payments")
    with pytest.raises(httpx.ConnectError, match="payments"):
        await ask(transport, tls_server)


async def test_a_server_that_speaks_no_tls(server, connect, trusting):
    """It answers the handshake in plain HTTP."""
    server.scheme = "https"

    async def plain(peer):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    server.script = plain
    with pytest.raises(httpx.ConnectError):
        await ask(connect(server, tls=trusting), server)


async def test_a_handshake_that_never_ends(server, connect, trusting):
    """The caller's limit covers it, and nothing is left of it."""

    async def mute(peer):
        await peer.gone()

    server.scheme, server.script = "https", mute
    transport = connect(server, tls=trusting)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await ask(transport, server)
    await until(lambda: server.open == 0)


async def test_a_truncated_body_is_not_taken_for_a_whole_one(tls_server, connect, trusting):
    """Without a length, an attacker could cut the connection anywhere: refused behind TLS."""
    tls_server.script = answering(b"HTTP/1.1 200 OK\r\n\r\nok", close=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(connect(tls_server, tls=trusting), tls_server)


async def test_a_kept_connection_that_the_server_left(tls_server, connect, trusting):
    """Closed by the server while idle: gone, and the next request does not notice."""
    tls_server.script = answering(OK, close=True)
    transport = connect(tls_server, tls=trusting)
    for _ in range(3):
        assert await ask(transport, tls_server) == b"ok"
        await until(lambda: transport.stats().open == 0)


async def test_the_server_wants_to_know_who_asks(authority, trusting, certified, connect):
    """With a certificate of ours it answers; without one it hangs up.

    With TLS 1.3 the client's handshake is complete before the server has judged it, so this fails
    as a lost connection, not as one that could not be opened.
    """
    authority.configure_trust(certified)
    certified.verify_mode = ssl.CERT_REQUIRED
    server = Server(scheme="https")
    async with await asyncio.start_server(server, "127.0.0.1", 0, ssl=certified) as listener:
        server.port = listener.sockets[0].getsockname()[1]
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await ask(connect(server, tls=trusting), server)
        authority.issue_cert("bff").configure_cert(trusting)
        assert await ask(connect(server, tls=trusting), server) == b"ok"
        await server.stop()


@pytest.mark.parametrize("encrypted", [False, True])
async def test_a_unix_socket(tmp_path, certified, trusting, encrypted):
    """In place of host and port, which are then no more than a name."""
    path = str(tmp_path / "s")
    server = Server(port=80, scheme="https" if encrypted else "http")
    seen = []

    async def note(peer):
        while request := await peer.request():
            seen.append(request)
            await peer.send(OK)

    server.script = note
    listener = await asyncio.start_unix_server(server, path, ssl=certified if encrypted else None)
    tls = trusting if encrypted else None
    async with listener, OriginTransport("localhost", 80, unix_socket=path, tls=tls) as transport:
        for _ in range(2):
            assert await ask(transport, server) == b"ok"
    await server.stop()
    assert server.accepted == 1
    assert b"\r\nHost: localhost" in seen[0]


async def test_a_unix_socket_that_is_not_there(tmp_path):
    """ConnectError, as for any other address."""
    async with OriginTransport("users", 80, unix_socket=str(tmp_path / "s")) as transport:
        with pytest.raises(httpx.ConnectError):
            await transport.handle_async_request(httpx.Request("GET", "http://users/"))
