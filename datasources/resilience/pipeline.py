"""A call, its reply, and policies wrapped around the sending of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypedDict, TypeVar, Unpack

import msgspec
from msgspec.structs import replace

from datasources.errors import DatasourceError, NotFound
from datasources.importance import Importance
from datasources.sourced import Sourced

V = TypeVar("V")

_NO_PARAMS: Mapping[str, str] = MappingProxyType({})

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110 §9.2.1)."""

IDEMPOTENT_METHODS = SAFE_METHODS | {"PUT", "DELETE"}
"""Asking twice does no more than asking once (RFC 9110 §9.2.2)."""


class Route(msgspec.Struct, Generic[V], frozen=True, kw_only=True):
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


class Call(msgspec.Struct, Generic[V], frozen=True, kw_only=True):
    """One question to one service; a policy that wants another one makes it with `but`.

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
        importance: How much the answer to the client would miss this one.
        attempt: 1 for the first, taken from `numbers` by `Retry` and `Hedging` for the others.
        hedge: Whether this attempt is sent because another one is slow.
        patience: How long the caller waits for a shared answer (seconds) before he makes do with
            what he has; None for as long as his operation lasts.
        asked: When the question was first asked, in `writes.Writes` of its service.
        on_trouble: Told of every failed attempt.
        due: When the last of those who wait for the answer leaves (monotonic seconds); None where
            that is the deadline of the scope.
        has_old: Whether the caller has an old value to show, and so is in no hurry.
        numbers: Gives the number of each further attempt. All that is made of a question with
            `but` counts on together.
    """

    route: Route[V]
    path: str
    keys: tuple[str, ...]
    decode: Callable[[int, bytes], Mapping[str, V]]
    params: Mapping[str, str] = _NO_PARAMS
    body: bytes | None = None
    idempotency_key: str | None = None
    repeatable: bool = True
    narrow: Callable[[tuple[str, ...]], Call[V]] | None = None
    importance: Importance = Importance.CRITICAL
    attempt: int = 1
    hedge: bool = False
    patience: float | None = None
    asked: int = 0
    on_trouble: Callable[[DatasourceError], None] | None = None
    due: Callable[[], float] | None = None
    has_old: bool = False
    numbers: Iterator[int] = msgspec.field(default_factory=lambda: count(2))

    def but(self, **changes: Unpack[_Changes]) -> Call[V]:
        """The same question for another asker, or at another attempt."""
        return replace(self, **changes)


class _Changes(TypedDict, total=False):
    """What policies change of a `Call`."""

    importance: Importance
    attempt: int
    hedge: bool
    patience: float | None
    asked: int
    on_trouble: Callable[[DatasourceError], None] | None
    due: Callable[[], float] | None
    has_old: bool


class Reply(msgspec.Struct, Generic[V], frozen=True):
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

    def __call__(self, call: Call[V], /) -> Coroutine[Any, Any, Reply[V]]: ...


class Policy(Protocol):
    """Anything that stands around a handler: may refuse, repeat, bound or replace its answer."""

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]: ...


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

    def __call__(self, call: Call[V], /) -> Coroutine[Any, Any, Reply[V]]:
        return self._handler(call)

    def __str__(self) -> str:
        return " → ".join(str(step) for step in (*self.policies, self._send))


def _around(policy: Policy, proceed: Handler) -> Handler:
    step = policy.__call__

    def handler(call: Call[V], /) -> Coroutine[Any, Any, Reply[V]]:
        return step(call, proceed)  # awaited by whoever is outside: one step less for each policy

    return handler
