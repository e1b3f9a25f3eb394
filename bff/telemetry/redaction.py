"""Keeps secrets out of logs, should somebody log one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"authorization|token|secret|password|passwd|cookie|api[-_]?key", re.IGNORECASE
)
_SECRET_TEXT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bbearer +[\w.~+/=-]{16,}", re.IGNORECASE)
_DEEPEST = 5


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hide what is named like a secret, or looks like a token."""
    for name, value in event.items():
        event[name] = _named(name, value, 0)
    return event


def _named(name: object, value: object, depth: int) -> object:
    secret = isinstance(name, str) and _SECRET_NAME.search(name)
    return REDACTED if secret else _safe(value, depth)


def _safe(value: object, depth: int) -> object:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(name): _named(name, inner, depth + 1) for name, inner in items}
    return [_safe(inner, depth + 1) for inner in cast("list[object] | tuple[object, ...]", value)]
