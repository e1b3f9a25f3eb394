"""Time the dashboard query against `bff demo`: every client asks again as soon as it is answered.

The five services and this script share the machine with the server, so the figures are good for one
thing: to compare two versions of the code on the same machine, a few rounds each, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

_PROJECT = Path(__file__).resolve().parents[1]
_QUERY = (_PROJECT / "examples/queries/dashboard.graphql").read_text("utf-8")
_START_SECONDS = 60.0


@contextlib.asynccontextmanager
async def demo() -> AsyncGenerator[dict[str, str]]:
    """`bff demo` on a free port; what it prints until it is ready, by name."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-Im", "bff", "demo", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 20,
    )
    said: dict[str, str] = {}
    try:
        async with asyncio.timeout(_START_SECONDS):
            async for line in cast("asyncio.StreamReader", process.stdout):
                name, _, value = line.decode().strip().partition(": ")
                if name == "ready":
                    break
                said[name] = value
            else:
                raise SystemExit("bff demo did not start.")
        yield said
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def request(url: str, token: str) -> bytes:
    """The query as it goes over the wire."""
    body = json.dumps({"query": _QUERY}).encode()
    where = urlsplit(url)
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def client(url: str, wire: bytes, left: list[None], seconds: list[float]) -> None:
    """Ask on one connection until none are *left*."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    while left:
        left.pop()
        begun = time.perf_counter()
        writer.write(wire)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        seconds.append(time.perf_counter() - begun)
        if b"200" not in head.split(b"\r\n", 1)[0] or b'"errors"' in answer:
            raise SystemExit(f"Not an answer: {answer[:300].decode(errors='replace')}")
    writer.close()


async def measure(queries: int, clients: int) -> None:
    """Print what *clients* see of *queries*, after a tenth as many to warm up."""
    async with demo() as said:
        wire = request(said["graphql"], said["token"])
        for count, counts in ((max(queries // 10, clients), False), (queries, True)):
            seconds: list[float] = []
            left: list[None] = [None] * count
            begun = time.perf_counter()
            asking = [client(said["graphql"], wire, left, seconds) for _ in range(clients)]
            await asyncio.gather(*asking)
            elapsed = time.perf_counter() - begun
            if counts:
                report(seconds, elapsed, clients)


def report(seconds: list[float], elapsed: float, clients: int) -> None:
    """Print one line for a person and a script alike."""
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99))
    print(
        f"queries={len(ordered)} clients={clients} per_second={len(ordered) / elapsed:.0f} "
        f"p50_ms={p50 * 1e3:.2f} p99_ms={p99 * 1e3:.2f}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    asyncio.run(measure(options.queries, options.clients))


if __name__ == "__main__":
    main()
