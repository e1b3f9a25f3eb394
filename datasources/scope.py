"""What all calls of one operation share: deadline, correlation id, on whose behalf."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

import msgspec
from msgspec.structs import replace

from datasources.journal import Journal


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, as far as datasources need to know it.

    Attributes:
        deadline: When its answer is due (monotonic seconds).
        request_id: Correlation id; goes to every service and into every log line.
        principal: On whose behalf; "" for nobody. Part of every cache key of personal data.
        traceparent: W3C trace context to pass on, or None.
        journal: Where what is asked is written down; None for nearly every operation.
    """

    deadline: float
    request_id: str
    principal: str = ""
    traceparent: str | None = None
    journal: Journal | None = None

    def due(self, deadline: float) -> Scope:
        """The same, due at *deadline*."""
        return replace(self, deadline=deadline)

    def noting(self, journal: Journal) -> Scope:
        """The same, written down in *journal*."""
        return replace(self, journal=journal)


_current: ContextVar[Scope] = ContextVar("scope")


current_scope: Callable[[], Scope] = _current.get
"""The scope of the running operation; LookupError when nothing has entered one."""


def current_journal() -> Journal | None:
    """Where the running work is to be written down; None for nowhere."""
    scope = _current.get(None)
    return None if scope is None else scope.journal


def enter_for_good(scope: Scope) -> None:
    """Everything from now on belongs to *scope*: for a task at its beginning."""
    _current.set(scope)


def entered(scope: Scope) -> AbstractContextManager[Scope]:
    """Everything awaited inside belongs to *scope*."""
    return _Entered(scope)


class _Entered(AbstractContextManager[Scope]):
    """Written out: every call enters two scopes, and a generator costs a microsecond each time."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        self._token = _current.set(self._scope)
        return self._scope

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
