"""The notifications service: what a user should know, each message once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from examples.upstreams.bus import Event, Subscriber
from examples.upstreams.faults import Faults
from examples.upstreams.peers import Peer
from examples.upstreams.seed import world
from examples.upstreams.service import (
    Operation,
    answer,
    bad_request,
    build_app,
    not_found,
    path_id,
    query_id,
    query_limit,
    read_body,
    require_self,
)
from examples.upstreams.storage import Store, open_store
from examples.upstreams.tokens import Caller, Verifier
from examples.upstreams.values import Id, instant

_TABLES = """
CREATE TABLE notifications (
    number INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    message TEXT NOT NULL,
    read INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    key TEXT,
    UNIQUE (user_id, key)
) STRICT;
CREATE INDEX newest_notifications ON notifications (user_id, created_at, number)
"""
_ID = re.compile(r"n-([1-9][0-9]{0,17})")


class NewNotification(msgspec.Struct, frozen=True, rename="camel"):
    """A message to a user.

    Attributes:
        key: The same key for the same user is the same message, however often it is sent.
    """

    user_id: Id
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None


def open_notifications(path: Path) -> Store:
    """Their file."""
    return open_store(path, _TABLES, _fill)


def _fill(writing: sqlite3.Connection) -> None:
    writing.executemany(
        "INSERT INTO notifications (user_id, message, read, created_at) VALUES (?, ?, ?, ?)",
        world().notifications,
    )


def notifications_app(
    store: Store, verifier: Verifier, faults: Faults, now: Callable[[], datetime]
) -> Starlette:
    """`GET /notifications`, `POST /notifications`, `POST /notifications/{id}/read`."""

    async def recent(request: Request, caller: Caller) -> Response:
        user_id = query_id(request, "userId")
        limit = query_limit(request)
        unread = request.query_params.get("unread", "false")
        if unread not in {"true", "false"}:
            raise bad_request("unread must be true or false")
        require_self(caller, user_id)
        rows = store.all(
            "SELECT * FROM notifications WHERE user_id = ? AND (NOT ? OR read = 0)"
            " ORDER BY created_at DESC, number DESC LIMIT ?",
            *(user_id, unread == "true", limit),
        )
        return answer([_notification(row) for row in rows])

    async def create(request: Request, caller: Caller) -> Response:
        wanted = await read_body(request, NewNotification)
        require_self(caller, wanted.user_id)
        with store.transaction() as writing:
            created = writing.execute(
                "INSERT INTO notifications (user_id, message, read, created_at, key)"
                " VALUES (?, ?, 0, ?, ?) ON CONFLICT DO NOTHING RETURNING *",
                (wanted.user_id, wanted.message, instant(now()), wanted.key),
            ).fetchone()
        if created is not None:
            return answer(_notification(created), HTTPStatus.CREATED)
        known = store.all(
            "SELECT * FROM notifications WHERE user_id = ? AND key = ?",
            *(wanted.user_id, wanted.key),
        )
        return answer(_notification(known[0]))

    async def mark_read(request: Request, caller: Caller) -> Response:
        found = _ID.fullmatch(path_id(request, "notification"))
        number = int(found[1]) if found else 0
        row = store.one("SELECT * FROM notifications WHERE number = ?", number)
        if row is None or not caller.speaks_for(row["user_id"]):
            raise not_found("notification")
        with store.transaction() as writing:
            writing.execute("UPDATE notifications SET read = 1 WHERE number = ?", (number,))
        return answer(_notification(row) | {"read": True})

    return build_app(
        verifier,
        faults,
        {
            "/notifications": {
                "GET": Operation("notifications:read", recent),
                "POST": Operation("notifications:write", create),
            },
            "/notifications/{id}/read": {"POST": Operation("notifications:write", mark_read)},
        },
    )


def announce_orders(notifications: Peer) -> Subscriber:
    """Tell the user of every "order.created"; the event's id is the message's key."""

    async def announce(event: Event) -> None:
        message = f"Your order {event.data['orderId']} has been placed"
        body = {"userId": event.data["userId"], "message": message, "key": event.id}
        await notifications.ask("POST", "/notifications", "notifications:write", body=body)

    return announce


def _notification(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": f"n-{row['number']}",
        "userId": row["user_id"],
        "message": row["message"],
        "read": bool(row["read"]),
        "createdAt": row["created_at"],
    }
