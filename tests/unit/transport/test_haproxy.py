"""OriginTransport and haproxy: early hints, short patience, and a service that is gone."""

import httpx
import pytest

from tests.unit.transport.hostile import answering, until
from tests.unit.transport.real_servers import free_port, haproxy

pytestmark = pytest.mark.slow

CONFIGURATION = """
frontend front
  bind 127.0.0.1:{port}
  timeout http-keep-alive 150ms
  http-request early-hint Link "</style.css>; rel=preload" if { path /hinted }
  http-request return status 200 content-type application/json string "\\"ok\\"" if { path / }
  http-request return status 204 if { path /empty }
  http-request deny deny_status 413 if { path /large }
  use_backend gone if { path /gone }
  default_backend service
backend service
  option http-server-close
  server one 127.0.0.1:{backend}
backend gone
  server none 127.0.0.1:{nobody}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
async def front(tmp_path, server):
    """Haproxy before the hostile server."""
    rest = CONFIGURATION.replace("{backend}", str(server.port))
    async with haproxy(tmp_path, rest.replace("{nobody}", str(free_port()))) as front:
        yield front


async def ask(transport, front, method="GET", path="/", **rest):
    response = await transport.handle_async_request(front.request(method, path, **rest))
    return response.status_code, await response.aread()


async def test_one_connection_serves_many(front, connect):
    """Haproxy's own answers and those of the service behind it."""
    transport = connect(front)
    for path, status, body in (("/", 200, b'"ok"'), ("/a", 200, b"ok"), ("/empty", 204, b"")) * 2:
        assert await ask(transport, front, path=path) == (status, body)
    assert transport.stats().opened == 1


async def test_early_hints_are_not_the_answer(front, connect, server):
    """103 comes first; what it says is not said by the response."""
    server.script = answering(ANSWER)
    transport = connect(front)
    for _ in range(3):
        response = await transport.handle_async_request(front.request(path="/hinted"))
        assert (response.status_code, await response.aread()) == (200, b"ok")
        assert "link" not in response.headers
    assert transport.stats().opened == 1


CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"1;x=y\r\no\r\n1\r\nk\r\n0\r\nZ: 1\r\n\r\n"
)


@pytest.mark.parametrize(
    ("packets", "opened"),
    [((ANSWER,), 1), ((CHUNKS,), 1), ((b"HTTP/1.0 200 OK\r\n\r\n", b"ok"), 3)],
)
async def test_whatever_the_service_speaks(front, connect, server, packets, opened):
    """A length, chunks with notes and trailers, or the end of the connection."""
    server.script = answering(*packets, close=True)
    transport = connect(front)
    for _ in range(3):
        assert await ask(transport, front, path="/a") == (200, b"ok")
    assert transport.stats().opened == opened


async def test_an_answer_to_head(front, connect, server):
    """A length and no body; the next question is asked elsewhere."""
    server.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    transport = connect(front)
    assert await ask(transport, front, "HEAD", "/a") == (200, b"")
    assert await ask(transport, front) == (200, b'"ok"')


async def test_it_hangs_up_on_who_does_not_ask(front, connect):
    """150 ms of rest are too many for it: that is noticed, and a write is lost to nobody."""
    transport = connect(front)
    assert await ask(transport, front) == (200, b'"ok"')
    await until(lambda: transport.stats().open == 0, pause=0.01)
    assert await ask(transport, front, "POST", content=b"{}") == (200, b'"ok"')
    assert transport.stats().opened == 2


async def test_what_it_refuses(front, connect):
    """413 before the body was read, and 503 where no service is: both are answers."""
    transport = connect(front)
    assert (await ask(transport, front, "POST", "/large", content=b"a" * 100_000))[0] == 413
    assert (await ask(transport, front, path="/gone"))[0] == 503
    assert await ask(transport, front) == (200, b'"ok"')


async def test_garbage_from_the_service_is_a_502(front, connect, server):
    """Haproxy reads as strictly as we do."""
    server.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab", close=True)
    assert (await ask(connect(front), front, path="/a"))[0] == 502
    server.script = answering(b"nonsense", close=True)
    assert (await ask(connect(front), front, path="/a"))[0] == 502


async def test_a_reset_within_the_body_is_no_answer(front, connect, server):
    """The service breaks off: so does haproxy, and nobody is told half."""

    async def torn(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        peer.reset()

    server.script = torn
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await ask(connect(front), front, path="/a")
