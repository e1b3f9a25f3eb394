"""The payments service: charges, each at most once.

`charges` remembers every answer by its key; `ledger` has a row for each time that money really
moved. Both are written in one transaction, so a key that was answered has been charged, and one
that was not has not.
"""

from __future__ import annotations

import hashlib
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

from examples.upstreams.faults import Faults
from examples.upstreams.seed import world
from examples.upstreams.service import (
    Operation,
    Problem,
    answer,
    bad_request,
    build_app,
    idempotency_key,
    not_found,
    path_id,
    read_body,
    require_self,
)
from examples.upstreams.storage import Store, open_store
from examples.upstreams.tokens import Caller, Verifier
from examples.upstreams.values import CURRENCY, Id, Money, instant

DECLINED = "declined-card"
"""The method of payment that is always declined."""

_TABLES = """
CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    method TEXT NOT NULL,
    cents INTEGER NOT NULL,
    paid_at TEXT
) STRICT;
CREATE TABLE charges (
    subject TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (subject, key)
) STRICT;
CREATE TABLE ledger (
    entry INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL,
    cents INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT
"""


class Charge(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be charged.

    Attributes:
        user_id: Whose order it is; needed from a service, and otherwise the token's subject.
    """

    order_id: Id
    amount: Money
    method: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    user_id: Id | None = None


def open_payments(path: Path) -> Store:
    """Their file."""
    return open_store(path, _TABLES, _fill)


def _fill(writing: sqlite3.Connection) -> None:
    payments = world().payments
    writing.executemany("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)", payments)
    writing.executemany(
        "INSERT INTO ledger (order_id, cents, at) VALUES (?, ?, ?)",
        [(each.order_id, each.cents, each.paid_at) for each in payments if each.paid_at],
    )


class Till:
    """Takes the money.

    Args:
        store: The service's file.
        now: The instant, aware.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def payment(self, order_id: str) -> sqlite3.Row | None:
        """Of that order."""
        return self._store.one("SELECT * FROM payments WHERE order_id = ?", order_id)

    def charge(self, charge: Charge, user_id: str, subject: str, key: str) -> HTTPStatus:
        """Charge, unless this *subject* used the *key* before.

        Returns:
            201 when it was charged now, 200 when it had been.

        Raises:
            Problem: 402 declined, now or then; 409 for a key that meant something else, and for
                an order that was charged, or declined, under another key.
        """
        fingerprint = hashlib.sha256(msgspec.json.encode((user_id, charge))).hexdigest()
        known = self._store.one(
            "SELECT fingerprint FROM charges WHERE subject = ? AND key = ?", subject, key
        )
        if known is not None and known["fingerprint"] != fingerprint:
            message = "the key was used for another charge"
            raise Problem(HTTPStatus.CONFLICT, "IDEMPOTENCY_CONFLICT", message)
        if known is None:
            if self.payment(charge.order_id) is not None:
                message = "the order has a payment already"
                raise Problem(HTTPStatus.CONFLICT, "ALREADY_CHARGED", message)
            self._book(charge, user_id, subject, key, fingerprint)
        if charge.method == DECLINED:
            message = "the payment was declined"
            raise Problem(HTTPStatus.PAYMENT_REQUIRED, "PAYMENT_DECLINED", message)
        return HTTPStatus.CREATED if known is None else HTTPStatus.OK

    def _book(self, charge: Charge, user_id: str, subject: str, key: str, fingerprint: str) -> None:
        at = instant(self._now())
        declined = charge.method == DECLINED
        payment_id = f"pay-{hashlib.sha256(charge.order_id.encode()).hexdigest()[:20]}"
        status, paid_at = ("FAILED", None) if declined else ("CAPTURED", at)
        cents = charge.amount.cents
        payment = (payment_id, charge.order_id, user_id, status, charge.method, cents, paid_at)
        with self._store.transaction() as writing:
            writing.execute("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)", payment)
            writing.execute(
                "INSERT INTO charges VALUES (?, ?, ?, ?)",
                (subject, key, fingerprint, charge.order_id),
            )
            if not declined:
                writing.execute(
                    "INSERT INTO ledger (order_id, cents, at) VALUES (?, ?, ?)",
                    (charge.order_id, cents, at),
                )


def payments_app(till: Till, verifier: Verifier, faults: Faults) -> Starlette:
    """`GET /payments/{orderId}` and `POST /charges`."""

    async def by_order(request: Request, caller: Caller) -> Response:
        row = till.payment(path_id(request, "payment"))
        if row is None or not caller.speaks_for(row["user_id"]):
            raise not_found("payment")
        return answer(_payment(row))

    async def charge(request: Request, caller: Caller) -> Response:
        key = idempotency_key(request)
        wanted = await read_body(request, Charge)
        if wanted.amount.cents == 0 or wanted.amount.currency != CURRENCY:
            raise bad_request(f"amount must be more than nothing, in {CURRENCY}")
        user_id = wanted.user_id or (None if caller.is_service else caller.subject)
        if user_id is None:
            raise bad_request("userId is needed: the token names no user")
        require_self(caller, user_id)
        status = till.charge(wanted, user_id, caller.subject, key)
        row = till.payment(wanted.order_id)
        return answer(_payment(row) if row else None, status)

    return build_app(
        verifier,
        faults,
        {
            "/payments/{id}": {"GET": Operation("payments:read", by_order)},
            "/charges": {"POST": Operation("payments:write", charge)},
        },
    )


def _payment(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "orderId": row["order_id"],
        "status": row["status"],
        "method": row["method"],
        "paidAt": row["paid_at"],
    }
