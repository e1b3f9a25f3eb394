from __future__ import annotations

import asyncio

import httpx
import pytest
from structlog.testing import capture_logs

from tests.unit.graphql.little_graph import Seen, code_of, little_app
from tests.unit.graphql.served import served

HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def status_of(port: int, *parts: bytes) -> bytes:
    """The status line of the answer to *parts*, however much of them is read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), 5)
    except ConnectionError:
        pass
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


async def test_a_client_that_hangs_up_cancels_the_work():
    """The server notices, the resolver is cancelled, and the next caller is served."""
    seen = Seen()
    with capture_logs() as logged:
        async with served(little_app(seen)) as port:
            body = b'{"query":"{ slow }"}'
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await asyncio.wait_for(seen.started.wait(), 5)
            writer.close()
            await asyncio.wait_for(seen.cancelled.wait(), 5)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                response = await client.post("/graphql", json={"query": "{ __typename }"})
    assert response.status_code == 200
    assert logged == []


async def test_a_body_of_20_megabytes_is_refused_by_its_length():
    """413 arrives although the client is still sending."""
    async with (
        served(little_app()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client,
    ):
        response = await client.post(
            "/graphql",
            content=b'{"query":"' + b" " * 20_000_000 + b'"}',
            headers={"content-type": "application/json"},
        )
        assert (response.status_code, code_of(response)) == (413, "BAD_USER_INPUT")
        again = await client.post("/graphql", json={"query": "{ __typename }"})
    assert again.status_code == 200


async def test_a_body_without_end_is_cut():
    """413 after the limit, while chunks keep coming."""
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    async with served(little_app()) as port:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        assert b" 413 " in await status_of(port, head, *[chunk] * 200)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"X-A: " + b"a" * 8_388_608 + b"\r\n", id="8 MiB"),
        pytest.param(b"".join(b"X%d: a\r\n" % n for n in range(10_000)), id="10,000 headers"),
    ],
)
async def test_headers_that_uvicorn_takes_and_we_do_not(headers):
    """431."""
    async with served(little_app()) as port:
        request = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n"
        assert b" 431 " in await status_of(port, request)


async def test_a_folded_header_is_never_merged():
    """Refused by the parser, or read as one header of its own; never as part of another."""
    async with served(little_app()) as port:
        request = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n"
        line = await status_of(port, request)
    assert b" 400 " in line or b" 200 " in line
