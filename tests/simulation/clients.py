"""What is asked, by whom and when; drawn before the world begins."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.documents import (
    CREATE,
    DASHBOARD,
    ME,
    NOTES,
    ORDERS,
    PAGE,
    READ,
    READ_TWO,
    Document,
)
from tests.simulation.documents import PRODUCTS as PRODUCTS_BY_ID
from tests.simulation.exchanges import Key
from tests.simulation.truth import DECLINED, LATER, PRODUCTS, USERS
from tests.simulation.wishes import Wishes

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Operation:
    """One request of one client.

    Attributes:
        name: The X-Request-ID.
        at: When it is sent (seconds).
        sections: Where in the answer what is shown.
        on_error: What an error does to the rest; "" for the default.
        limits: Of which fields the time is limited (seconds).
        explain: "plan", "analyze", or "" when nothing is to be explained.
        patience: What the client says in X-Request-Timeout-Ms (seconds); None for nothing.
        leaves: After how long it closes the connection (seconds); None for never.
        writes: The service that it changes, "" for none.
        key: The idempotency key of an order; None when the client gives none.
    """

    name: str
    user: str
    at: float
    document: Document
    variables: dict[str, Any]
    sections: dict[Path, Key]
    on_error: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    explain: str = ""
    patience: float | None = None
    leaves: float | None = None
    writes: str = ""
    key: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def told(self) -> str:
        """What it is about, for the history."""
        wishes = {"onError": self.on_error, "deadlines": self.limits, "explain": self.explain}
        return f"{self.variables} { ({name: wish for name, wish in wishes.items() if wish}) }"


class Clients:
    """Draws operations.

    Args:
        chance: Where from.
        wishes: What they say beside what they ask for.
        pace: Operations in a second while somebody is there.
    """

    def __init__(self, chance: random.Random, wishes: Wishes, pace: float) -> None:
        self._chance = chance
        self._wishes = wishes
        self._pace = pace
        self._count = 0
        self._keys: list[tuple[str, str, dict[str, Any]]] = []
        self._shapes: list[tuple[Callable[[str, float], Operation], float]] = [
            (self.dashboard, 5.0),
            (self.me, 1.0),
            (self.orders, 2.0),
            (self.page, 1.0),
            (self.products, 2.0),
            (self.notes, 1.0),
            (self.create, 1.0),
            (self.read, 1.0),
        ]

    def all(self, seconds: float) -> Iterator[Operation]:
        """Visits with pauses between them, until *seconds* are over; in the order of time."""
        chance, now = self._chance, 0.0
        while now < seconds:
            end = now + chance.uniform(3.0, 40.0)
            crowd = chance.sample(USERS, chance.randint(1, len(USERS)))
            pace = self._pace * chance.choice((0.3, 1.0, 1.0, 4.0))
            while now < min(end, seconds):
                user = chance.choice(crowd)
                if chance.random() < 0.03:
                    yield from self._burst(user, now)
                yield self._one(user, now)
                now += chance.expovariate(pace)
            now += chance.choice((2.0, 20.0, 120.0, 400.0)) * chance.uniform(0.5, 1.5)

    def healthy(self, now: float) -> Iterator[Operation]:
        """One query of every kind for everybody, without haste."""
        for user in USERS:
            for shape in (self.dashboard, self.orders, self.page, self.notes, self.products):
                now += 0.05
                yield shape(user, now)

    def _burst(self, user: str, now: float) -> Iterator[Operation]:
        """Many at once; or several people who follow the same link."""
        if self._chance.random() < 0.5:
            for _ in range(self._chance.randint(5, 30)):
                yield self._one(user, now)
            return
        number = self._chance.randint(0, 4)
        for visitor in self._chance.sample(USERS, 3):
            yield self.orders(visitor, now, f"o-{user}-{number}")

    def _one(self, user: str, now: float) -> Operation:
        chance = self._chance
        shapes, weights = zip(*self._shapes, strict=True)
        asked: Operation = chance.choices(shapes, weights)[0](user, now)
        if chance.random() < 0.15:
            asked.patience = round(chance.choice((0.03, 0.1, 0.5, 2.0)) * chance.uniform(0.5, 1), 3)
        if chance.random() < 0.05:
            asked.leaves = chance.choice((0.0, 0.01, 0.1, 1.0)) * chance.random()
        asked.on_error = self._wishes.on_error()
        asked.limits = self._wishes.limits(asked.document)
        asked.explain = self._wishes.explain()
        return asked

    def _new(
        self, user: str, now: float, document: Document, variables: Any, sections: Any
    ) -> Operation:
        self._count += 1
        return Operation(f"op-{self._count}", user, now, document, variables, sections)

    def dashboard(self, user: str, now: float) -> Operation:
        limit, unread = self._chance.choice((2, 5)), self._chance.random() < 0.7
        payments = self._chance.random() < 0.4
        variables = {"limit": limit, "unread": unread, "payments": payments}
        sections = {
            ("dashboard", "user"): ("user", user),
            ("dashboard", "recentOrders"): ("orders", user, limit),
            ("dashboard", "notifications"): ("notes", user, unread, 4),
        }
        return self._new(user, now, DASHBOARD, variables, sections)

    def me(self, user: str, now: float) -> Operation:
        key = ("user", user)
        return self._new(user, now, ME, {}, {("me",): key, ("again",): key})

    def orders(self, user: str, now: float, wanted: str | None = None) -> Operation:
        owners = [user, user, self._chance.choice(USERS)]
        ids = {
            alias: f"o-{self._chance.choice(owners)}-{self._chance.randint(0, 6)}" for alias in "ab"
        }
        if wanted is not None:
            ids["a"] = wanted
        sections = {(alias,): ("order", ids[alias]) for alias in "ab"}
        return self._new(user, now, ORDERS, ids, sections)

    def page(self, user: str, now: float) -> Operation:
        first = self._chance.choice((2, 20))
        sections = {("orders",): ("page", user, first)}
        return self._new(user, now, PAGE, {"first": first}, sections)

    def products(self, user: str, now: float) -> Operation:
        ids = self._chance.sample((*PRODUCTS, "p99"), self._chance.randint(1, 6))
        sections = {("products", at): ("product", one) for at, one in enumerate(ids)}
        return self._new(user, now, PRODUCTS_BY_ID, {"ids": ids}, sections)

    def notes(self, user: str, now: float) -> Operation:
        sections = {("notifications",): ("notes", user, False, 4), ("me",): ("user", user)}
        return self._new(user, now, NOTES, {}, sections)

    def create(self, user: str, now: float) -> Operation:
        chance = self._chance
        mine = [known for known in self._keys[-20:] if known[0] == user]
        if mine and chance.random() < 0.3:
            _, key, wanted = chance.choice(mine)
        else:
            chosen = chance.sample((*PRODUCTS, "p99"), chance.randint(1, 3))
            wanted = {"items": [{"productId": one, "quantity": 1} for one in chosen]}
            wanted |= {"paymentMethod": chance.choice(("card", "card", LATER, DECLINED))}
            key = f"key-{self._count}" if chance.random() < 0.7 else None
        asked = self._new(user, now, CREATE, {"input": wanted}, {("createOrder",): ("write", key)})
        asked.writes, asked.key = "orders", key
        if key is not None:
            self._keys.append((user, key, wanted))
            asked.headers.append((b"idempotency-key", key.encode()))
        return asked

    def read(self, user: str, now: float) -> Operation:
        note = self._note(self._chance, user, now)
        if self._wishes.second():
            other = self._note(self._wishes.chance, user, now)
            sections = {("a",): ("note", note), ("b",): ("note", other)}
            asked = self._new(user, now, READ_TWO, {"a": note, "b": other}, sections)
        else:
            sections = {("markNotificationRead",): ("note", note)}
            asked = self._new(user, now, READ, {"id": note}, sections)
        asked.writes = "notifications"
        return asked

    def _note(self, chance: random.Random, user: str, now: float) -> str:
        owner = user if chance.random() < 0.9 else chance.choice(USERS)
        return f"{owner}-n{chance.randint(0, 1 + int(now / 60.0))}"
