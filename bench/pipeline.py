"""Time what a call costs: the pipeline over a sender that answers at once, and all of it.

Everything but the service that answers runs in one process on the event loop of the server, in
seconds of its processor; a whole call includes what the kernel does for it. Believe the best round:
whatever else the machine does can only make one slower.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import uvloop

from datasources.clock import SystemClock
from datasources.credentials import ApiKey
from datasources.events import Events
from datasources.ports.users import User, UserId
from datasources.resilience.breaker import Breaker
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Call, Handler, Reply, Route, V
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.rest import RestSender
from datasources.scope import Scope, entered
from datasources.services.users import Users
from datasources.sourced import Sourced
from datasources.transport.pool import OriginTransport

_ROUTE = Route(
    service="users", operation="by_id", scope="users:read", pack=str.encode, unpack=bytes.decode
)
_CLOCK = SystemClock()
_AN_HOUR = 3600.0
_TOKEN = "e30." + 400 * "a"
"""As long as a service token is."""

Action = Callable[[int], Awaitable[object]]
"""Does something so many times."""


class AtOnce:
    """A sender that has the answer ready."""

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        """Answer with the same value under every key."""
        now = _CLOCK.now()
        value = call.decode(200, b"")
        return Reply({key: Sourced(part, "users", now) for key, part in value.items()})


class Connection(asyncio.Protocol):
    """The least that asking takes: the same bytes out, whatever comes in is the answer."""

    def __init__(self) -> None:
        self.wire = b""
        self.answered: asyncio.Future[bytes]
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> asyncio.Future[bytes]:
        """Send the request."""
        self.answered = asyncio.get_running_loop().create_future()
        self._transport.write(self.wire)
        return self.answered

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self.answered.set_result(data)


def question() -> Call[str]:
    """A question as services ask it."""
    return Call(route=_ROUTE, path="/users/1", keys=("1",), decode=lambda _status, _: {"1": "Ada"})


def again(action: Callable[[], Awaitable[object]]) -> Action:
    """One after the other."""

    async def times(count: int) -> None:
        for _ in range(count):
            await action()

    return times


def side_by_side(action: Action, askers: int) -> Action:
    """By so many at once."""

    async def times(count: int) -> None:
        await asyncio.gather(*(action(count // askers) for _ in range(askers)))

    return times


async def rounds(actions: Mapping[str, Action], count: int, times: int) -> dict[str, list[float]]:
    """Microseconds by name, the actions in turns, so that all meet the same disturbances."""
    seen: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(count):
        for name, action in actions.items():
            begun = time.thread_time()
            await action(times)
            seen[name].append((time.thread_time() - begun) / times * 1e6)
    return seen


def protected(send: Handler, **numbers: float) -> Handler:
    """The standard pipeline; somebody listens."""
    events = Events()
    events.subscribe(lambda _: None)
    shared = Shared(ByteCache(), events, _CLOCK)
    return standard_pipeline("users", send, Numbers(**numbers), shared).ask


@contextlib.asynccontextmanager
async def users_service() -> AsyncGenerator[int]:
    """A service that answers at once, in a process of its own; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("upstreams.py")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = await cast("asyncio.StreamReader", process.stdout).readline()
        yield json.loads(line)["users"]
    finally:
        process.terminate()
        await process.wait()


async def bare(port: int) -> Callable[[], Awaitable[object]]:
    """Write, read and decode: what nobody can do without."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
    connection.wire = (
        b"GET /users/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n\r\n"
        % _TOKEN.encode()
    )
    decode = msgspec.json.Decoder(User).decode

    async def ask() -> User:
        return decode((await connection.ask()).partition(b"\r\n\r\n")[2])

    return ask


class Row(NamedTuple):
    """A line of the table: what is measured, less what, and what it may take."""

    label: str
    name: str
    base: str
    goal: str


_ROWS = (
    Row("the whole pipeline, over the sender", "live", "send", "≤ 25"),
    Row("a fresh hit", "fresh", "asked", "≤ 3.5"),
    Row("a breaker's permit, taken and settled", "breaker", "nothing", "≤ 2"),
    Row("write, read and decode, by hand", "bare", "nothing", ""),
    Row("the sender and its transport", "sender", "nothing", ""),
    Row("a whole call", "call", "nothing", "≤ 60"),
    Row("a whole call, of 16 at once", "calls", "nothing", ""),
)


async def measure(count: int, times: int) -> None:
    """Print the table."""
    breaker = Breaker("users", events=Events(), clock=_CLOCK)
    send = AtOnce()
    live, fresh = protected(send), protected(send, fresh=_AN_HOUR)

    async def permit() -> None:
        breaker.succeed(breaker.acquire())

    async def asked() -> None:
        question()

    async def nothing() -> None:
        pass

    async with users_service() as port, OriginTransport("127.0.0.1", port) as transport:
        sender = RestSender(
            f"http://127.0.0.1:{port}",
            transport=transport,
            credentials=ApiKey(_TOKEN),
            clock=_CLOCK,
        )
        users, alone = Users(protected(sender)), Users(sender)
        actions = {
            "nothing": again(nothing),
            "asked": again(asked),
            "send": again(lambda: send(question())),
            "live": again(lambda: live(question())),
            "fresh": again(lambda: fresh(question())),
            "breaker": again(permit),
            "bare": again(await bare(port)),
            "sender": again(lambda: alone.by_id(UserId("1"))),
            "call": again(lambda: users.by_id(UserId("1"))),
        }
        actions["calls"] = side_by_side(asker(sender), 16)
        deadline = _CLOCK.monotonic() + _AN_HOUR
        with entered(Scope(deadline=deadline, request_id="bench", principal="u1")):
            for action in actions.values():
                await action(times // 10)
            seen = await rounds(actions, count, times)
    print(f"{'µs a call':<38}{'best':>8}{'median':>8}{'goal':>8}")
    for label, name, base, goal in _ROWS:
        best = min(seen[name]) - min(seen[base])
        median = statistics.median(seen[name]) - statistics.median(seen[base])
        print(f"{label:<38}{best:>8.2f}{median:>8.2f}{goal:>8}")


def asker(sender: Handler) -> Action:
    """Callers of different users, who share nothing but the service."""
    users = Users(protected(sender))
    names = iter(range(1_000_000))

    async def times(count: int) -> None:
        name = UserId(str(next(names) % 1000))
        with entered(
            Scope(deadline=_CLOCK.monotonic() + _AN_HOUR, request_id="bench", principal=name)
        ):
            for _ in range(count):
                await users.by_id(name)

    return times


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    gc.freeze()
    uvloop.run(measure(options.rounds, options.calls))


if __name__ == "__main__":
    main()
