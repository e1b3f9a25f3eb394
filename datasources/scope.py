"""What all calls of one operation share: deadline, correlation id, on whose behalf."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One operation, as far as datasources need to know it.

    Attributes:
        deadline: When its answer is due (monotonic seconds).
        request_id: Correlation id; goes to every service and into every log line.
        principal: On whose behalf; "" for nobody. Part of every cache key of personal data.
        traceparent: W3C trace context to pass on, or None.
    """

    deadline: float
    request_id: str
    principal: str = ""
    traceparent: str | None = None


_current: ContextVar[Scope] = ContextVar("scope")


def current_scope() -> Scope:
    """The scope of the running operation.

    Raises:
        LookupError: Nothing has entered one.
    """
    return _current.get()


@contextlib.contextmanager
def entered(scope: Scope) -> Generator[Scope]:
    """Everything awaited inside belongs to *scope*."""
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)
