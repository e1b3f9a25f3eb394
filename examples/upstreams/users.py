"""The users service: who somebody is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from examples.upstreams.faults import Faults
from examples.upstreams.seed import world
from examples.upstreams.service import (
    Operation,
    answer,
    build_app,
    not_found,
    path_id,
    require_self,
)
from examples.upstreams.storage import Store, open_store
from examples.upstreams.tokens import Caller, Verifier

_TABLES = """
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT,
    tier TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    zip TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT
"""


def open_users(path: Path) -> Store:
    """Their file."""
    return open_store(path, _TABLES, _fill)


def _fill(writing: sqlite3.Connection) -> None:
    writing.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", world().users)


def users_app(store: Store, verifier: Verifier, faults: Faults) -> Starlette:
    """`GET /users/{id}`."""

    async def by_id(request: Request, caller: Caller) -> Response:
        user_id = path_id(request, "user")
        require_self(caller, user_id)
        row = store.one("SELECT * FROM users WHERE id = ?", user_id)
        if row is None:
            raise not_found("user")
        return answer(
            {
                "id": row["id"],
                "name": row["name"],
                "email": row["email"],
                "phone": row["phone"],
                "tier": row["tier"],
                "address": {part: row[part] for part in ("street", "city", "zip")},
                "createdAt": row["created_at"],
            }
        )

    return build_app(verifier, faults, {"/users/{id}": {"GET": Operation("users:read", by_id)}})
