"""A call, its reply, and policies wrapped around the sending of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from datasources.errors import DatasourceError, NotFound
from datasources.sourced import Sourced

V = TypeVar("V")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110 §9.2.1)."""

IDEMPOTENT_METHODS = SAFE_METHODS | {"PUT", "DELETE"}
"""Asking twice does no more than asking once (RFC 9110 §9.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[V]):
    """What is fixed about one operation of one service.

    Attributes:
        service: Name of the service, such as "orders".
        operation: Stable name for logs and metrics, such as "recent".
        scope: What our service token must allow, such as "orders:read".
        pack: Turns one value into bytes that may be kept.
        unpack: The inverse of `pack`.
        method: HTTP method.
        personal: Whether the answer depends on the caller: then the caller is part of every key
            under which it is kept or shared, and the service is told on whose behalf we ask.
    """

    service: str
    operation: str
    scope: str
    pack: Callable[[V], bytes]
    unpack: Callable[[bytes], V]
    method: str = "GET"
    personal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[V]):
    """One question to one service; a policy that wants another one makes it with `replace`.

    Attributes:
        route: What is fixed about it.
        path: Below the base URL of the service; made only of checked ids.
        keys: Names of the parts that the reply can have, unlike those of any other question of
            the operation: under them parts are kept and shared. Empty forbids both. A question
            for one thing has one key; a batch has one for each thing.
        decode: Turns status (2xx) and body into the parts by key. Anything it raises makes a
            `BadReply`: it runs at the inner end, so that what nobody can read counts as a failure
            and is not kept. A key that it leaves out is a thing that the service does not know.
        params: Query parameters.
        body: JSON, or None.
        idempotency_key: Under which the service does it at most once, however often it is asked.
        repeatable: Whether a failed attempt may be repeated.
        narrow: Gives the same question for some of the keys only; None where it cannot be split.
        attempt: 1 for the first, counted by `Retry`.
        patience: How long the caller waits for a shared answer (seconds) before he makes do with
            what he has; None for as long as his operation lasts.
        asked: When the question was first asked, in `writes.Writes` of its service.
        on_trouble: Told of every failed attempt.
    """

    route: Route[V]
    path: str
    keys: tuple[str, ...]
    decode: Callable[[int, bytes], Mapping[str, V]]
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    idempotency_key: str | None = None
    repeatable: bool = True
    narrow: Callable[[tuple[str, ...]], Call[V]] | None = None
    attempt: int = 1
    patience: float | None = None
    asked: int = 0
    on_trouble: Callable[[DatasourceError], None] | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[V]):
    """What came of a call.

    Attributes:
        parts: What was found, by key of the call.
        failure: Why the other keys have no part; None when the service knows no such things.
    """

    parts: Mapping[str, Sourced[V]]
    failure: DatasourceError | None = None

    def only(self, service: str) -> Sourced[V]:
        """The part of a call that asks for one thing.

        Raises:
            NotFound: The service knows no such thing.
            DatasourceError: `failure`.
        """
        for part in self.parts.values():
            return part
        raise self.failure or NotFound(service)


class Handler(Protocol):
    """Anything that answers a call."""

    async def __call__(self, call: Call[V], /) -> Reply[V]: ...


class Policy(Protocol):
    """Anything that stands around a handler: may refuse, repeat, bound or replace its answer."""

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]: ...


class Pipeline:
    """Policies around a sender, outermost first.

    `Pipeline(a, b, send=s)` answers a call as `a(b(s))` does, and prints as `a → b → s`.
    """

    def __init__(self, *policies: Policy, send: Handler) -> None:
        self.policies = policies
        self._send = send
        self._handler = send
        for policy in reversed(policies):
            self._handler = _around(policy, self._handler)

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        return await self._handler(call)

    def __str__(self) -> str:
        return " → ".join(str(step) for step in (*self.policies, self._send))


def _around(policy: Policy, proceed: Handler) -> Handler:
    async def handler(call: Call[V], /) -> Reply[V]:
        return await policy(call, proceed)

    return handler
