"""Services that live in memory, count how they are asked, and fail on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from graphql import ExecutionResult, execute, parse, validate

from datasources.errors import NotFound
from datasources.ports.money import Money
from datasources.ports.notifications import Notification
from datasources.ports.orders import Order, OrderItem, OrderPage, OrderPlaced
from datasources.ports.payments import Payment
from datasources.ports.products import Product
from datasources.ports.users import User
from datasources.sourced import Origin, Sourced
from schema.clients.web import build_schema
from schema.context import Context, Viewer
from schema.errors import public_error
from schema.loaders import LoaderSets
from schema.sources import Sources

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA = build_schema()
CORE = SCHEMA._schema


def euros(amount):
    return Money(Decimal(amount), "EUR")


def an_order(number, *products, user="u1", status="PAID"):
    return Order(
        id=f"o{number}",
        user_id=user,
        status=status,
        total=euros("12.30"),
        created_at=NOON - timedelta(hours=number),
        items=tuple(
            OrderItem(product_id=p, quantity=2, unit_price=euros("6.15")) for p in products
        ),
    )


def a_product(name, stock=1):
    return Product(id=name, name=f"Product {name}", price=euros("6.20"), stock=stock)


def a_payment(order_id, status="CAPTURED"):
    return Payment(id=f"pay-{order_id}", order_id=order_id, status=status, method="card")


def a_message(number, *, read=False, created_at=None):
    return Notification(
        id=f"n{number}",
        message=f"Message {number}",
        read=read,
        created_at=created_at or NOON - timedelta(minutes=number),
    )


@dataclass
class Answer:
    data: object
    errors: list
    degraded: list
    internal: list

    @property
    def codes(self):
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def places(self):
        return {
            ".".join(map(str, error["path"])): error["extensions"]["code"] for error in self.errors
        }


@dataclass
class House:
    """Five services.

    `failing` and `stale` are by "service" or "service.operation"; `gates` hold a call until all
    that wait at them have come.
    """

    users: dict = field(default_factory=dict)
    orders: list = field(default_factory=list)
    products: dict = field(default_factory=dict)
    payments: dict = field(default_factory=dict)
    messages: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    failing: dict = field(default_factory=dict)
    stale: dict = field(default_factory=dict)
    gates: dict = field(default_factory=dict)
    placed: object = None

    def asked(self, service):
        return [call[1:] for call in self.calls if call[0] == service]

    def found(self, service, value):
        if service in self.stale:
            reason = self.stale[service]
            return Sourced(value, service, NOON, Origin.STALE, 61.5, reason)
        return Sourced(value, service, NOON)

    async def ask(self, service, operation, *arguments):
        self.calls.append((service, operation, *arguments))
        await (self.gates[service].wait() if service in self.gates else asyncio.sleep(0))
        for name in (service, f"{service}.{operation}"):
            if name in self.failing:
                raise self.failing[name]

    @property
    def sources(self):
        return Sources(
            users=Users(self),
            orders=Orders(self),
            products=Products(self),
            payments=Payments(self),
            notifications=Notifications(self),
        )

    def context(self, viewer="u1", scopes=(), idempotency_key=None):
        sources = self.sources

        def ports(_importance):
            return sources

        return Context(
            viewer=Viewer(id=viewer, scopes=frozenset(scopes)) if viewer else None,
            ports=ports,
            loader_sets=LoaderSets(ports, lambda: 0.0),
            status=Status(self),
            idempotency_key=idempotency_key,
            new_idempotency_key=lambda: "made-here",
        )

    async def answer(self, query, variables=None, **context):
        """What the view makes of a query: executed as it does, errors made public as it does."""
        document = parse(query)
        ids = count(1)
        made = self.context(**context)
        errors = validate(CORE, document)
        if errors:
            result = ExecutionResult(None, errors)
        else:
            result = execute(CORE, document, context_value=made, variable_values=variables)
            if not isinstance(result, ExecutionResult):
                result = await asyncio.wait_for(result, 5)
        public = [public_error(error, lambda: f"e{next(ids)}") for error in result.errors or ()]
        return Answer(
            result.data,
            [error.formatted for error in public],
            made.degraded.entries(result.errors, result.data),
            [error.internal for error in public],
        )


@dataclass
class Users:
    house: House

    async def by_id(self, user_id, /):
        await self.house.ask("users", "by_id", user_id)
        if user_id not in self.house.users:
            raise NotFound("users")
        return self.house.found("users", self.house.users[user_id])


@dataclass
class Orders:
    house: House

    def _of(self, user_id):
        return [order for order in self.house.orders if order.user_id == user_id]

    async def recent(self, user_id, /, *, limit):
        await self.house.ask("orders", "recent", user_id, limit)
        return self.house.found("orders", self._of(user_id)[:limit])

    async def page(self, user_id, /, *, limit, after):
        await self.house.ask("orders", "page", limit, after)
        start = int(after.removeprefix("from-") or 0)
        found = self._of(user_id)
        following = f"from-{start + limit}" if start + limit < len(found) else None
        page = OrderPage(items=tuple(found[start : start + limit]), next=following)
        return self.house.found("orders", page)

    async def by_id(self, order_id, /):
        await self.house.ask("orders", "by_id", order_id)
        for order in self.house.orders:
            if order.id == order_id:
                return self.house.found("orders", order)
        raise NotFound("orders")

    async def create(self, draft, /, *, idempotency_key, repeatable):
        await self.house.ask("orders", "create", draft, idempotency_key, repeatable)
        order = self.house.found("orders", self.house.placed or an_order(1, "p1"))
        return OrderPlaced(order=order, payment_queued=draft.payment_method == "later")


@dataclass
class Products:
    house: House

    async def by_ids(self, product_ids, /):
        await self.house.ask("products", "by_ids", list(product_ids))
        return {
            key: self.house.failing[key]
            if key in self.house.failing
            else self.house.found("products", self.house.products[key])
            for key in product_ids
            if key in self.house.products
        }


@dataclass
class Payments:
    house: House

    async def by_order(self, order_id, /):
        await self.house.ask("payments", "by_order", order_id)
        if order_id not in self.house.payments:
            raise NotFound("payments")
        return self.house.found("payments", self.house.payments[order_id])


@dataclass
class Notifications:
    house: House

    async def recent(self, user_id, /, *, unread_only, limit):
        await self.house.ask("notifications", "recent", unread_only, limit)
        found = [message for message in self.house.messages if not (unread_only and message.read)]
        return self.house.found("notifications", found[:limit])

    async def mark_read(self, notification_id, /):
        await self.house.ask("notifications", "mark_read", notification_id)
        for message in self.house.messages:
            if message.id == notification_id:
                return self.house.found("notifications", message)
        raise NotFound("notifications")


@dataclass
class Status:
    house: House

    def statuses(self):
        return self.house.statuses


def furnished():
    """u1 with five orders of one to three products each, payments and messages."""
    wanted = (("p1",), ("p1", "p2"), ("p3",), ("p2", "p3", "p4"), ("p5",))
    return House(
        users={"u1": User(id="u1", name="Ada", email="ada@example.org")},
        orders=[an_order(number, *names) for number, names in enumerate(wanted, 1)],
        products={name: a_product(name) for name in ("p1", "p2", "p3", "p4", "p5")},
        payments={f"o{number}": a_payment(f"o{number}") for number in range(1, 6)},
        messages=[a_message(number) for number in range(1, 4)],
    )
