"""A service that does as it is told, and operations that ask it."""

import asyncio
from dataclasses import dataclass, field

from datasources.resilience.pipeline import Call, Reply, Route
from datasources.scope import Scope, current_scope, entered
from datasources.sourced import Sourced
from tests.virtual_time import VirtualClock


def call(*keys, method="GET", personal=True, **changes):
    """A question for *keys* (one key "k" unless told)."""
    route = Route(
        service="users",
        operation="by_id",
        scope="users:read",
        pack=str.encode,
        unpack=bytes.decode,
        method=method,
        personal=personal,
    )
    keys = keys or (("k",) if method == "GET" else ())
    return Call(
        route=route,
        path="/",
        keys=keys,
        decode=lambda status, body: {},
        narrow=lambda some: call(*some, method=method, personal=personal, **changes),
        **changes,
    )


@dataclass
class Service:
    """The inner end of a pipeline.

    `script` holds what each call meets, in order: an exception to raise, a number of seconds to
    take before answering, or an answer. When it is empty, the service answers at once.
    """

    script: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    attempts: list = field(default_factory=list)
    scopes: list = field(default_factory=list)
    running: int = 0
    version: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)

    async def __call__(self, asked, /):
        self.asked.append(asked.keys)
        self.attempts.append(asked.attempt)
        self.scopes.append(current_scope())
        met = self.script.pop(0) if self.script else 0.0
        if isinstance(met, BaseException):
            raise met
        self.running += 1
        try:
            if isinstance(met, float):
                await asyncio.sleep(met)
            elif isinstance(met, tuple):
                delay, outcome = met
                await asyncio.sleep(delay)
                raise outcome
        finally:
            self.running -= 1
        self.version += 1
        keys = asked.keys or ("it",)
        if isinstance(met, set):
            keys = [key for key in keys if key in met]
        return Reply({k: Sourced(f"{k} v{self.version}", "users", self.clock.now()) for k in keys})

    def __str__(self):
        return "send"


def within(seconds=5.0, principal="u1"):
    """An operation of *principal* that is due in so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    return entered(Scope(deadline=deadline, request_id="r", principal=principal))


async def outcome(awaitable):
    """What it came to: the name of the error, or the values by key."""
    try:
        reply = await awaitable
    except Exception as exc:  # noqa: BLE001 - the name is the outcome
        return type(exc).__name__
    return {key: part.value for key, part in reply.parts.items()}
