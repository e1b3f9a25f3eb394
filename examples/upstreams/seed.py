"""The world before anybody asked: the same every time, and the same for all five services.

Rows are in the order of the columns of the tables that they go into.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from examples.upstreams.catalogue import PRODUCTS
from examples.upstreams.values import instant

REFERENCE = datetime(2025, 6, 1, 12, tzinfo=UTC)
"""Nothing here is later."""

USERS = 220
_EXEMPLARY = 1
"""The user of the demonstration, who has some of everything."""

_FIRST_NAMES = (
    *("Ada", "Grace", "Alan", "Barbara", "Edsger", "Katherine", "Linus", "Margaret", "Tim"),
    *("Radia", "Donald", "Frances", "Ken", "Hedy", "Niklaus", "Jean", "Leslie", "Sophie"),
    *("Dennis", "Annie", "Sophie", "Joan"),
)
_LAST_NAMES = (
    *("Lindqvist", "Moreau", "Okafor", "Weber", "Novak", "Rossi", "Jansen", "Kowalska"),
    *("Silva", "Murphy", "Nielsen", "Papadakis", "Horvat", "Virtanen", "Dubois", "Garcia"),
)
_STREETS = ("Lindenstraße", "Rue des Lilas", "Via Roma", "Mill Lane", "Kerkstraat", "Calle Mayor")
_CITIES = (
    *(("Berlin", "10115"), ("Lyon", "69002"), ("Torino", "10121"), ("Cork", "T12 X7RE")),
    *(("Utrecht", "3511 AB"), ("Sevilla", "41001"), ("Graz", "8010"), ("Aarhus", "8000")),
)
_TIERS = ("bronze", "bronze", "bronze", "silver", "silver", "gold")
_METHODS = ("card", "card", "card", "paypal", "sepa-debit", "gift-card")
_NEWS = (
    "Your weekly offers are here",
    "A product on your wish list is cheaper now",
    "Please confirm your address",
    "Thank you for your review",
    "Your invoice is ready",
)
_SHIPPED_AFTER = timedelta(days=4)
_DELIVERED_AFTER = timedelta(days=14)
_CANCELLED = 0.06
_WITH_PHONE = 0.8
_SOLD_OUT = 0.08
_READ = 0.5


class UserRow(NamedTuple):
    id: str
    name: str
    email: str
    phone: str | None
    tier: str
    street: str
    city: str
    zip: str
    created_at: str


class ProductRow(NamedTuple):
    id: str
    name: str
    cents: int
    description: str
    stock: int


class OrderRow(NamedTuple):
    id: str
    user_id: str
    status: str
    cents: int
    method: str
    created_at: str


class LineRow(NamedTuple):
    order_id: str
    position: int
    product_id: str
    quantity: int
    unit_cents: int


class PaymentRow(NamedTuple):
    id: str
    order_id: str
    user_id: str
    status: str
    method: str
    cents: int
    paid_at: str | None


class NotificationRow(NamedTuple):
    user_id: str
    message: str
    read: bool
    created_at: str


class World(NamedTuple):
    """Everything.

    Attributes:
        users: By number.
        products: By number.
        orders: Oldest first.
        lines: Of all orders.
        payments: One of every order.
        notifications: Oldest first.
    """

    users: Sequence[UserRow]
    products: Sequence[ProductRow]
    orders: Sequence[OrderRow]
    lines: Sequence[LineRow]
    payments: Sequence[PaymentRow]
    notifications: Sequence[NotificationRow]


@functools.cache
def world(seed: int = 1) -> World:
    """The world that grows from *seed*."""
    chance = random.Random(seed)  # noqa: S311
    users = [_user(chance, number) for number in range(1, USERS + 1)]
    products = [_product(chance, number) for number in range(1, len(PRODUCTS) + 1)]
    orders: list[OrderRow] = []
    lines: list[LineRow] = []
    for number, user in enumerate(users, 1):
        for order, of_order in _history(chance, number, user, products):
            orders.append(order)
            lines += of_order
    orders.sort(key=lambda order: (order.created_at, order.id))
    payments = [_payment(chance, order) for order in orders]
    notifications = _messages(chance, users, orders)
    return World(users, products, orders, lines, payments, notifications)


def _user(chance: random.Random, number: int) -> UserRow:
    first = _FIRST_NAMES[(number - 1) % len(_FIRST_NAMES)]
    last = chance.choice(_LAST_NAMES)
    city, code = chance.choice(_CITIES)
    phone = f"+49 30 {chance.randrange(10**6, 10**7)}"
    has_phone = number == _EXEMPLARY or chance.random() < _WITH_PHONE
    return UserRow(
        id=str(number),
        name=f"{first} {last}",
        email=f"{first}.{last}.{number}@example.com".lower(),
        phone=phone if has_phone else None,
        tier="gold" if number == _EXEMPLARY else chance.choice(_TIERS),
        street=f"{chance.choice(_STREETS)} {chance.randint(1, 120)}",
        city=city,
        zip=code,
        created_at=instant(REFERENCE - timedelta(days=800, minutes=chance.randint(0, 10**6))),
    )


def _product(chance: random.Random, number: int) -> ProductRow:
    name, description, cents = PRODUCTS[number - 1]
    sold_out = chance.random() < _SOLD_OUT
    stock = 0 if sold_out else chance.randint(5, 400)
    return ProductRow(f"p-{number}", name, cents, description, stock)


def _history(
    chance: random.Random, number: int, user: UserRow, products: Sequence[ProductRow]
) -> Sequence[tuple[OrderRow, Sequence[LineRow]]]:
    exemplary = number == _EXEMPLARY
    count = 12 if exemplary else chance.randint(6, 14)
    ages = sorted(timedelta(minutes=chance.randint(60, 700 * 1440)) for _ in range(count))
    ages[:2] = sorted((timedelta(hours=3), timedelta(days=6))) if exemplary else ages[:2]
    history: list[tuple[OrderRow, Sequence[LineRow]]] = []
    for nth, age in enumerate(sorted(ages, reverse=True), 1):
        order_id = f"o-{user.id}-{nth}"
        chosen = chance.sample(products, chance.randint(2 if exemplary else 1, 5))
        lines = [
            LineRow(order_id, position, product.id, chance.choice((1, 1, 1, 2, 3)), product.cents)
            for position, product in enumerate(chosen)
        ]
        order = OrderRow(
            id=order_id,
            user_id=user.id,
            status=_status(chance, age),
            cents=sum(line.quantity * line.unit_cents for line in lines),
            method=chance.choice(_METHODS),
            created_at=instant(REFERENCE - age),
        )
        history.append((order, lines))
    return history


def _status(chance: random.Random, age: timedelta) -> str:
    if chance.random() < _CANCELLED:
        return "CANCELLED"
    if age > _DELIVERED_AFTER:
        return "DELIVERED"
    if age > _SHIPPED_AFTER:
        return "SHIPPED"
    return chance.choice(("PENDING", "PAID", "PAID"))


def _payment(chance: random.Random, order: OrderRow) -> PaymentRow:
    status = "CAPTURED"
    if order.status == "CANCELLED":
        status = chance.choice(("REFUNDED", "REFUNDED", "FAILED"))
    elif order.status == "PENDING":
        status = chance.choice(("PENDING", "QUEUED"))
    paid = status in {"CAPTURED", "REFUNDED"}
    return PaymentRow(
        id=f"pay-{order.id.removeprefix('o-')}",
        order_id=order.id,
        user_id=order.user_id,
        status=status,
        method=order.method,
        cents=order.cents,
        paid_at=order.created_at if paid else None,
    )


def _messages(
    chance: random.Random, users: Sequence[UserRow], orders: Sequence[OrderRow]
) -> Sequence[NotificationRow]:
    messages = [
        NotificationRow(
            order.user_id,
            f"Your order {order.id} has been placed",
            order.status == "DELIVERED",
            order.created_at,
        )
        for order in orders
        if order.status in {"PENDING", "PAID", "SHIPPED"}
    ]
    for number, user in enumerate(users, 1):
        exemplary = number == _EXEMPLARY
        for nth in range(8 if exemplary else chance.randint(0, 6)):
            created_at = instant(REFERENCE - timedelta(minutes=chance.randint(60, 90 * 1440)))
            read = nth % 2 == 1 if exemplary else chance.random() < _READ
            messages.append(NotificationRow(user.id, chance.choice(_NEWS), read, created_at))
    return sorted(messages, key=lambda message: message.created_at)
