"""A client's request as a server hands it to the application."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt

from schema.permissions import OPERATOR_SCOPE
from tests.simulation.clients import Operation
from tests.simulation.documents import written
from tests.simulation.setting import SECRET
from tests.virtual_time import EPOCH


def body_of(operation: Operation) -> bytes:
    """Its JSON."""
    limits = {f"{name}Ms": round(1000 * limit) for name, limit in operation.limits.items()}
    asked: dict[str, Any] = {
        "query": written(operation.document, tuple(operation.limits)),
        "variables": operation.variables | limits,
    }
    if operation.on_error:
        asked["onError"] = operation.on_error
    return json.dumps(asked).encode()


def scope_of(operation: Operation, now: float) -> dict[str, Any]:
    """Its ASGI scope, when it is sent *now* (seconds)."""
    headers = [
        (b"content-type", b"application/json"),
        (b"authorization", _bearer(operation.user, int(now // 3600.0), operation.explain)),
        (b"x-request-id", operation.name.encode()),
        *operation.headers,
    ]
    if operation.explain:
        headers.append((b"bff-explain", operation.explain.encode()))
    if operation.patience is not None:
        headers.append((b"x-request-timeout-ms", b"%d" % round(operation.patience * 1000)))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("bff", 80),
    }


@lru_cache(maxsize=100)
def _bearer(user: str, hour: int, explain: str) -> bytes:
    until = (EPOCH + timedelta(hours=hour + 2)).timestamp()
    claims: dict[str, Any] = {"sub": user, "exp": until, "iss": "simulation", "aud": "bff"}
    if explain:
        claims["scope"] = OPERATOR_SCOPE
    return b"Bearer " + jwt.encode(claims, SECRET, algorithm="HS256").encode()
