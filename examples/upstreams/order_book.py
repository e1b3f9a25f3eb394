"""Orders on disk, and the events that wait to be published.

An order is reserved before it is charged. `charge` says how far that got:

    DUE       to be charged; whether payments already did is not known
    DONE      charged
    DECLINED  will never be

and `placed`, whether it exists for anybody but us: from when its customer is told of it. The event
`order.created` is stored in the transaction that sets it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from examples.upstreams.bus import Event
from examples.upstreams.seed import OrderRow, world
from examples.upstreams.storage import Store, open_store
from examples.upstreams.values import instant

_TABLES = """
CREATE TABLE orders (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    cents INTEGER NOT NULL,
    method TEXT NOT NULL,
    created_at TEXT NOT NULL,
    key TEXT,
    fingerprint TEXT,
    charge TEXT NOT NULL,
    placed INTEGER NOT NULL,
    UNIQUE (user_id, key)
) STRICT;
CREATE INDEX newest_orders ON orders (user_id, created_at, number);
CREATE INDEX orders_due ON orders (charge) WHERE charge = 'DUE';
CREATE TABLE lines (
    order_id TEXT NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL,
    product_id TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_cents INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
) STRICT;
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    published_at TEXT
) STRICT;
CREATE INDEX waiting_events ON outbox (number) WHERE published_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a product, at the price it had."""

    product_id: str
    quantity: int
    unit_cents: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is stored.

    Attributes:
        number: Grows with every order.
        fingerprint: Of what was asked for under its key; None for orders without a key.
        charge: See the module.
        placed: See the module.
    """

    number: int
    id: str
    user_id: str
    status: str
    cents: int
    method: str
    created_at: str
    fingerprint: str | None
    charge: str
    placed: bool
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two orders: after it come the older ones."""

    created_at: str
    number: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """An order to be."""

    user_id: str
    key: str
    fingerprint: str
    method: str
    lines: Sequence[Line]


def open_order_file(path: Path) -> Store:
    """The file of the orders service."""
    return open_store(path, _TABLES, _fill)


def _fill(writing: sqlite3.Connection) -> None:
    columns = ", ".join(OrderRow._fields)
    writing.executemany(
        f"INSERT INTO orders ({columns}, charge, placed)"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, 'DONE', 1)",
        world().orders,
    )
    writing.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", world().lines)


class OrderBook:
    """Everything that the orders service knows.

    Args:
        store: Its file.
        now: The instant, aware.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def placed(self, order_id: str) -> Order | None:
        """That order, when there is one for others to see."""
        row = self._store.one("SELECT * FROM orders WHERE id = ? AND placed", order_id)
        return None if row is None else self._order(row)

    def newest(self, user_id: str, limit: int, after: Place | None = None) -> Sequence[Order]:
        """The user's orders, newest first, from *after* on."""
        place = after or Place("~", 0)
        rows = self._store.all(
            "SELECT * FROM orders WHERE user_id = ? AND placed"
            " AND (created_at, number) < (?, ?) ORDER BY created_at DESC, number DESC LIMIT ?",
            *(user_id, place.created_at, place.number, limit),
        )
        return [self._order(row) for row in rows]

    def under_key(self, user_id: str, key: str) -> Order | None:
        """What became of that key."""
        row = self._store.one("SELECT * FROM orders WHERE user_id = ? AND key = ?", user_id, key)
        return None if row is None else self._order(row)

    def due(self) -> Sequence[Order]:
        """What is to be charged, oldest first."""
        rows = self._store.all("SELECT * FROM orders WHERE charge = 'DUE' ORDER BY number")
        return [self._order(row) for row in rows]

    def reserve(self, wanted: Reservation) -> Order:
        """The order under that key, which is now there if it was not."""
        with self._store.transaction() as writing:
            (count,) = writing.execute(
                "SELECT count(*) FROM orders WHERE user_id = ?", (wanted.user_id,)
            ).fetchone()
            order_id = f"o-{wanted.user_id}-{count + 1}"
            cents = sum(line.quantity * line.unit_cents for line in wanted.lines)
            inserted = writing.execute(
                "INSERT INTO orders (id, user_id, status, cents, method, created_at, key,"
                " fingerprint, charge, placed) VALUES (?, ?, 'PENDING', ?, ?, ?, ?, ?, 'DUE', 0)"
                " ON CONFLICT (user_id, key) DO NOTHING",
                (
                    *(order_id, wanted.user_id, cents, wanted.method, instant(self._now())),
                    *(wanted.key, wanted.fingerprint),
                ),
            ).rowcount
            if inserted:
                writing.executemany(
                    "INSERT INTO lines VALUES (?, ?, ?, ?, ?)",
                    [
                        (order_id, position, line.product_id, line.quantity, line.unit_cents)
                        for position, line in enumerate(wanted.lines)
                    ],
                )
        order = self.under_key(wanted.user_id, wanted.key)
        if order is None:
            raise LookupError("an order that was just written is gone")
        return order

    def paid(self, order: Order) -> Order:
        """It is charged, and placed if it was not; of two who say so the second changes nothing."""
        return self._settle(order, "PAID", "DONE", placed=True)

    def declined(self, order: Order) -> Order:
        """It never will be charged: cancelled where its customer knows of it, else nothing."""
        return self._settle(order, "CANCELLED", "DECLINED", placed=False)

    def queued(self, order: Order) -> Order:
        """It is placed, and to be charged later."""
        return self._settle(order, "PENDING", "DUE", placed=True)

    def unpublished(self) -> Sequence[Event]:
        """See `bus.Outbox`."""
        rows = self._store.all("SELECT * FROM outbox WHERE published_at IS NULL ORDER BY number")
        return [Event(row["id"], row["type"], msgspec.json.decode(row["data"])) for row in rows]

    def mark_published(self, event_id: str) -> None:
        """See `bus.Outbox`."""
        with self._store.transaction() as writing:
            writing.execute(
                "UPDATE outbox SET published_at = ? WHERE id = ?", (instant(self._now()), event_id)
            )

    def _settle(self, order: Order, status: str, charge: str, *, placed: bool) -> Order:
        with self._store.transaction() as writing:
            row = writing.execute(
                "SELECT placed, charge FROM orders WHERE id = ?", (order.id,)
            ).fetchone()
            if row["charge"] == "DUE":
                writing.execute(
                    "UPDATE orders SET status = ?, charge = ?, placed = placed OR ? WHERE id = ?",
                    (status, charge, placed, order.id),
                )
                if placed and not row["placed"]:
                    data = {"orderId": order.id, "userId": order.user_id}
                    writing.execute(
                        "INSERT INTO outbox (id, type, data) VALUES (?, 'order.created', ?)",
                        (f"order.created-{order.id}", msgspec.json.encode(data).decode()),
                    )
        settled = self._store.one("SELECT * FROM orders WHERE id = ?", order.id)
        return order if settled is None else self._order(settled)

    def _order(self, row: sqlite3.Row) -> Order:
        lines = self._store.all(
            "SELECT * FROM lines WHERE order_id = ? ORDER BY position", row["id"]
        )
        return Order(
            number=row["number"],
            id=row["id"],
            user_id=row["user_id"],
            status=row["status"],
            cents=row["cents"],
            method=row["method"],
            created_at=row["created_at"],
            fingerprint=row["fingerprint"],
            charge=row["charge"],
            placed=bool(row["placed"]),
            lines=[
                Line(line["product_id"], line["quantity"], line["unit_cents"]) for line in lines
            ],
        )
