"""OriginTransport and nginx: what the two make of HTTP/1.1, TLS and a reload."""

import asyncio
import ssl

import httpx
import pytest

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.head import NO_LINES
from datasources.transport.httpx_pool import HttpxPool
from datasources.transport.pool import OriginTransport
from tests.unit.transport.hostile import answering, until
from tests.unit.transport.real_servers import nginx

pytestmark = pytest.mark.slow

PLAIN = """
server {
  listen 127.0.0.1:{port};
  client_max_body_size 1k;
  large_client_header_buffers 2 1k;
  location / { return 200 '"$request_method $connection_requests"'; }
  location /close { keepalive_timeout 0; return 200 '"bye"'; }
  location /empty { return 204; }
  location /same { return 304; }
  location /too-many { return 431; }
  location /behind {
    proxy_pass http://127.0.0.1:{backend};
    proxy_buffer_size 128k;
    proxy_buffers 8 128k;
    proxy_busy_buffers_size 256k;
  }
}
"""

TLS = """
server {
  listen 127.0.0.1:{port} ssl http2;
  ssl_certificate {folder}/server.pem;
  ssl_certificate_key {folder}/server.key;
  {clients}
  location / { return 200 '"$server_protocol $ssl_client_verify"'; }
}
"""


@pytest.fixture
async def plain(tmp_path, server):
    """Nginx before the hostile server, which answers for `/behind`."""
    async with nginx(tmp_path, PLAIN.replace("{backend}", str(server.port))) as front:
        yield front


async def ask(transport, front, method="GET", path="/", **rest):
    response = await transport.handle_async_request(front.request(method, path, **rest))
    return response.status_code, await response.aread()


async def test_one_connection_serves_many(plain, connect):
    """Nginx counts the requests of a connection: it has seen them all."""
    transport = connect(plain)
    for number in range(1, 6):
        assert await ask(transport, plain) == (200, f'"GET {number}"'.encode())
    assert await ask(transport, plain, "PUT", content=b"{}") == (200, b'"PUT 6"')
    assert transport.stats().opened == 1


async def test_it_says_that_it_closes(plain, connect):
    """`Connection: close` is obeyed before it is done."""
    transport = connect(plain)
    for _ in range(2):
        assert await ask(transport, plain, path="/close") == (200, b'"bye"')
        assert transport.stats().idle == 0
    assert transport.stats().opened == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/empty", 204), ("GET", "/same", 304), ("HEAD", "/", 200)],
)
async def test_an_answer_without_a_body(plain, connect, method, path, status):
    """The next one on the way is not taken for it."""
    transport = connect(plain)
    for _ in range(2):
        assert await ask(transport, plain, method, path) == (status, b"")
        assert (await ask(transport, plain))[1].startswith(b'"GET ')


async def test_a_body_of_unknown_length_comes_in_chunks(plain, connect, server):
    """It ended with the connection behind nginx; before it, the connection is kept."""
    server.script = answering(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 100_000, close=True)
    transport = connect(plain)
    for _ in range(3):
        assert await ask(transport, plain, path="/behind") == (200, b"a" * 100_000)
    assert transport.stats().opened == 1


async def test_a_body_that_breaks_off_is_none(plain, connect, server):
    """Nginx has announced its length, or does not end its chunks: nobody is told half."""
    for head in (b"Content-Length: 9", b"Transfer-Encoding: chunked"):
        start = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"
        server.script = answering(start + b"3\r\nabc", close=True)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await ask(connect(plain), plain, path="/behind")


@pytest.mark.parametrize(("size", "fits"), [(20_000, True), (40_000, False)])
async def test_a_large_head(plain, connect, server, size, fits):
    """32 KiB of it are taken in."""
    lines = b"".join(b"X-%d: %b\r\n" % (index, b"a" * 1000) for index in range(size // 1000))
    server.script = answering(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok")
    transport = connect(plain)
    if fits:
        assert await ask(transport, plain, path="/behind") == (200, b"ok")
    else:
        with pytest.raises(ResponseTooLarge):
            await ask(transport, plain, path="/behind")


@pytest.mark.parametrize("size", [2_000, 16 << 20])
async def test_too_large_a_body_is_refused_before_it_was_read(plain, connect, size):
    """413, or a reset that overtook it; the rest of the body meets no other request."""
    transport = connect(plain)
    try:
        status, _ = await ask(transport, plain, "POST", content=b"a" * size)
        assert status == 413
    except (httpx.ReadError, httpx.RemoteProtocolError):
        assert size > 1 << 20
    assert (await ask(transport, plain))[0] == 200


async def test_too_large_a_head_is_refused(plain, connect):
    """400 for a field, 414 for the target; 431 is a status as any other."""
    transport = connect(plain)
    assert (await ask(transport, plain, headers={"X": "a" * 5_000}))[0] == 400
    assert (await ask(transport, plain, path="/" + "a" * 5_000))[0] == 414
    assert (await ask(transport, plain, path="/too-many"))[0] == 431
    assert (await ask(transport, plain))[0] == 200


async def test_a_reload_loses_nothing_that_may_be_repeated(plain, connect):
    """Four ask without a pause while workers are replaced; as many may be sent again at once."""
    transport = connect(plain)
    stop = asyncio.Event()

    async def keep_asking():
        while not stop.is_set():
            assert (await ask(transport, plain))[0] == 200

    asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
    await until(lambda: transport.stats().opened >= 4, pause=0.01)
    plain.reload()
    await until(lambda: transport.stats().opened >= 8, pause=0.01)
    stop.set()
    await asyncio.gather(*asking)


@pytest.fixture
def secured(tmp_path, authority):
    """The configuration of a server that the authority vouches for."""
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def configuration(clients=""):
        return TLS.replace("{folder}", str(tmp_path)).replace("{clients}", clients)

    return configuration


async def test_over_tls(tmp_path, secured, connect, trusting):
    """One handshake for all; without trust, none."""
    async with nginx(tmp_path, secured(), scheme="https") as front:
        transport = connect(front, tls=trusting)
        for _ in range(3):
            assert await ask(transport, front) == (200, b'"HTTP/1.1 NONE"')
        assert transport.stats().opened == 1
        with pytest.raises(httpx.ConnectError):
            await ask(connect(front, tls=ssl.create_default_context()), front)
        await transport.aclose()


async def test_over_tls_with_a_certificate_of_ours(tmp_path, secured, connect, trusting, authority):
    """Without one nginx answers 400; it is let in with one."""
    clients = f"ssl_verify_client on; ssl_client_certificate {tmp_path}/ca.pem;"
    async with nginx(tmp_path, secured(clients), scheme="https") as front:
        unknown = connect(front, tls=trusting)
        assert (await ask(unknown, front))[0] == 400
        ours = ssl.create_default_context()
        authority.configure_trust(ours)
        authority.issue_cert("bff").configure_cert(ours)
        known = connect(front, tls=ours)
        assert await ask(known, front) == (200, b'"HTTP/1.1 SUCCESS"')
        await known.aclose()


async def test_over_http_2_where_httpx_carries_it(tmp_path, secured, trusting):
    """The same questions, all on one connection; whoever leaves harms nobody."""
    async with nginx(tmp_path, secured(), scheme="https") as front:
        pool = HttpxPool(
            httpx.AsyncHTTPTransport(verify=trusting, http2=True, trust_env=False),
            httpx.URL(f"https://localhost:{front.port}"),
            most_requests=64,
            silence_seconds=5.0,
        )
        leaving = asyncio.create_task(pool.exchange("GET", b"/", NO_LINES, None))
        await asyncio.sleep(0)
        leaving.cancel()
        asked = [pool.exchange("GET", b"/", NO_LINES, None) for _ in range(20)]
        replies = await asyncio.gather(*asked)
        assert {(reply.status, reply.body) for reply in replies} == {(200, b'"HTTP/2.0 NONE"')}
        await pool.aclose()


async def test_over_a_unix_socket(tmp_path):
    """Nginx listens on a path, and on a port that only tells when it is ready."""
    path = tmp_path / "nginx.sock"
    configuration = (
        f"server {{ listen unix:{path}; listen 127.0.0.1:{{port}};"
        " location / { return 200 '\"$host $connection_requests\"'; } }"
    )
    async with (
        nginx(tmp_path, configuration) as front,
        OriginTransport("users", 80, unix_socket=str(path)) as transport,
    ):
        for number in (1, 2):
            reply = await transport.exchange("GET", b"/", NO_LINES, None)
            assert reply.body == f'"users {number}"'.encode()
        assert front.process.returncode is None
