"""What five services would truly say at any instant.

Everything changes, belongs to somebody and says so in its own text, so that an old value can be
told from a new one and one user's from another's. What happens when is drawn before anybody asks:
asking changes nothing, except for orders placed and messages read.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.virtual_time import EPOCH

USERS = ("ann", "bob", "cyd", "dan", "eve")
PRODUCTS = tuple(f"p{number}" for number in range(1, 13))
DECLINED = "declined"
LATER = "later"
"""Means of payment that the orders service refuses, or takes without charging at once."""

_STATUSES = ("PENDING", "PAID", "SHIPPED", "DELIVERED", "LOST")

Json = Any
Question = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """How one thing fares.

    Attributes:
        changes: When it changes (seconds), in order.
        refusals: From when till when it is answered with which status.
    """

    changes: list[float]
    refusals: list[tuple[float, float, int]]

    def version(self, now: float) -> int:
        return bisect_right(self.changes, now)

    def refusal(self, now: float) -> int | None:
        return next((status for start, end, status in self.refusals if start <= now < end), None)


@dataclass(frozen=True, slots=True)
class Order:
    """As its service keeps it; what changes with time is in its course."""

    id: str
    user: str
    placed: float
    lines: tuple[tuple[str, int], ...]
    method: str
    course: Course
    payment: Course


@dataclass(slots=True)
class Truth:
    """All of it, drawn from one seed.

    Attributes:
        seconds: For how long things change.
        strangers: The status for somebody else's order; 200 tells it, as careless services do.
    """

    chance: random.Random
    seconds: float
    strangers: int = 403
    orders: dict[str, list[Order]] = field(default_factory=dict)
    placed: dict[str, tuple[Order, str, str]] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)
    courses: dict[Question, Course] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for user in USERS:
            self.courses["user", user] = self._course((404, 410, 403, 403))
            self.courses["orders", user] = self._course((403,))
            self.courses["notes", user] = self._course((403,), every=60.0)
            count = self.chance.randint(0, 6)
            self.orders[user] = [self._order(f"{user}-{n}", user, -900.0 + n) for n in range(count)]
        for product in PRODUCTS:
            self.courses["product", product] = self._course((404,), every=120.0)

    def _course(self, statuses: tuple[int, ...] = (), every: float = 90.0) -> Course:
        changes, now = [], 0.0
        while (now := now + self.chance.expovariate(1 / every)) < self.seconds:
            changes.append(now)
        refusals, now = [], 0.0
        while (now := now + self.chance.expovariate(1 / 900.0)) < self.seconds and statuses:
            end = min(now + self.chance.uniform(5.0, 60.0), self.seconds)
            refusals.append((now, end, self.chance.choice(statuses)))
            now = end
        return Course(changes, refusals)

    def _order(self, order_id: str, user: str, placed: float, lines=None, method="card") -> Order:
        if lines is None:
            wanted = self.chance.sample(PRODUCTS, self.chance.randint(1, 3))
            lines = tuple((product, self.chance.randint(1, 5)) for product in wanted)
        course, payment = self._course((404, 410)), self._course((404,))
        return Order(f"o-{order_id}", user, placed, lines, method, course, payment)

    def place(self, key: str, body: Json, request: str, now: float) -> tuple[int, Json]:
        """`POST /orders`, within the operation *request*."""
        wanted = repr(body)
        if key in self.placed:
            order, first, _ = self.placed[key]
            return self._answer(order, now) if first == wanted else _refused(409, "CONFLICT")
        method = body.get("paymentMethod", "card")
        if method == DECLINED:
            return _refused(402, "PAYMENT_DECLINED")
        lines = tuple((line["productId"], line["quantity"]) for line in body["items"])
        if any(product not in PRODUCTS for product, _ in lines):
            return _refused(422, "UNKNOWN_PRODUCT")
        user = body["userId"]
        order = self._order(f"{user}-{len(self.orders[user])}", user, now, lines, method)
        self.orders[user].append(order)
        self.placed[key] = (order, wanted, request)
        return self._answer(order, now)

    def _answer(self, order: Order, now: float) -> tuple[int, Json]:
        return (202 if order.method == LATER else 201), self.order(order, now)

    def mark_read(self, note: str, principal: str, now: float) -> tuple[int, Json]:
        """`POST /notifications/{id}/read`."""
        user = note.split("-", maxsplit=1)[0]
        known = {shown["id"]: shown for shown in self.notes(user, now)}
        if user != principal or note not in known:
            return (403 if user != principal else 404), {}
        self.read.setdefault(note, now)
        return 200, known[note] | {"read": True}

    def say(self, question: Question, principal: str, now: float) -> tuple[int, Json]:
        """Status and body for what is asked on behalf of *principal*."""
        kind, about = question[0], question[1]
        if kind == "products":
            said = [self.product(one, now) for one in about if one in PRODUCTS]
            return 200, [product for product in said if product is not None]
        if kind in {"order", "payment"}:
            return self._about_order(kind, about, principal, now)
        course = self.courses[{"page": "orders"}.get(kind, kind), about]
        status = course.refusal(now) or (403 if about != principal else 200)
        return status, self._about_user(question, now) if status == 200 else {}

    def _about_user(self, question: Question, now: float) -> Json:
        kind, user = question[0], question[1]
        if kind == "user":
            return self.user(user, now)
        if kind == "notes":
            _, _, unread, limit = question
            notes = [note for note in self.notes(user, now) if not (unread and note["read"])]
            return notes[:limit]
        orders = [self.order(order, now) for order in reversed(self.orders[user])]
        limit = question[2]
        if kind == "orders":
            return orders[:limit]
        rest = orders[limit].get("id") if len(orders) > limit else None
        return {"items": orders[:limit], "next": rest}

    def _about_order(
        self, kind: str, order_id: str, principal: str, now: float
    ) -> tuple[int, Json]:
        user = order_id.removeprefix("o-").split("-")[0]
        order = next((one for one in self.orders.get(user, ()) if one.id == order_id), None)
        if order is None:
            return 404, {}
        course = order.course if kind == "order" else order.payment
        if status := course.refusal(now):
            return status, {}
        if user != principal and not (kind == "order" and self.strangers == 200):
            return self.strangers if kind == "order" else 403, {}
        return 200, self.order(order, now) if kind == "order" else self.payment(order, now)

    def user(self, user: str, now: float) -> Json:
        version = self.courses["user", user].version(now)
        return {"id": user, "name": f"{user} v{version}", "email": f"{user}@{version}.example"}

    def product(self, product: str, now: float) -> Json:
        course = self.courses["product", product]
        if course.refusal(now):
            return None
        version = course.version(now)
        price = {"amount": f"{version}.50", "currency": "EUR"}
        name = f"{product} v{version}"
        return {"id": product, "name": name, "price": price, "stock": version % 3}

    def order(self, order: Order, now: float) -> Json:
        version = order.course.version(now)
        return {
            "id": order.id,
            "userId": order.user,
            "status": _STATUSES[version % len(_STATUSES)],
            "total": {"amount": f"{version}.10", "currency": "EUR"},
            "createdAt": instant(order.placed),
            "items": [
                {
                    "productId": product,
                    "quantity": quantity,
                    "unitPrice": {"amount": "1.00", "currency": "EUR"},
                }
                for product, quantity in order.lines
            ],
        }

    def payment(self, order: Order, now: float) -> Json:
        method = f"card of {order.user} v{order.payment.version(now)}"
        shown = {"id": f"pay-{order.id}", "orderId": order.id, "status": "CAPTURED"}
        return shown | {"method": method, "paidAt": instant(order.placed)}

    def notes(self, user: str, now: float) -> list[Json]:
        """Newest first; a new one comes whenever the course changes."""
        sent = self.courses["notes", user].changes
        latest = bisect_right(sent, now)
        return [
            {
                "id": f"{user}-n{number}",
                "userId": user,
                "message": f"for {user}: {number}",
                "read": self.read.get(f"{user}-n{number}", now + 1.0) <= now,
                "createdAt": instant(sent[number]),
            }
            for number in range(latest - 1, max(-1, latest - 31), -1)
        ]


def instant(seconds: float) -> str:
    """RFC 3339."""
    return (EPOCH + timedelta(seconds=round(seconds, 3))).isoformat()


def _refused(status: int, code: str) -> tuple[int, Json]:
    return status, {"error": {"code": code, "message": "no"}}
