"""The orders service: what somebody bought."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from examples.upstreams.faults import Faults
from examples.upstreams.order_book import Order, OrderBook, Place
from examples.upstreams.peers import NOT_FOUND, PAYMENT_REQUIRED, Peer, PeerRefused, PeerUnavailable
from examples.upstreams.placing import Offer, Placing, Wish
from examples.upstreams.service import (
    Operation,
    Problem,
    answer,
    bad_request,
    build_app,
    idempotency_key,
    not_found,
    path_id,
    query_id,
    query_limit,
    read_body,
    require_self,
)
from examples.upstreams.tokens import Caller, Verifier
from examples.upstreams.values import Id, Money, money


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One line of a wish."""

    product_id: Id
    quantity: Annotated[int, msgspec.Meta(ge=1, le=99)]


class NewOrder(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `POST /orders`.

    Attributes:
        items: Read on its own, because what is wrong with it has a code of its own.
    """

    user_id: Id
    items: msgspec.Raw = msgspec.Raw(b"[]")
    payment_method: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "card"


Items = Annotated[list[Item], msgspec.Meta(min_length=1, max_length=100)]


class _Product(msgspec.Struct):
    id: str
    price: Money
    stock: int


class RestNeighbours:
    """Implements `placing.Neighbours` over HTTP."""

    def __init__(self, users: Peer, products: Peer, payments: Peer) -> None:
        self._users = users
        self._products = products
        self._payments = payments

    async def knows_user(self, user_id: str) -> bool:
        """See `Neighbours`."""
        try:
            await self._users.ask("GET", f"/users/{user_id}", "users:read", expected=NOT_FOUND)
        except PeerRefused:
            return False
        return True

    async def offers(self, product_ids: Sequence[str]) -> Mapping[str, Offer]:
        """See `Neighbours`."""
        params = {"ids": ",".join(product_ids)}
        found = await self._products.ask("GET", "/products", "products:read", params=params)
        try:
            products = msgspec.convert(found, list[_Product])
        except msgspec.ValidationError as cause:
            raise PeerUnavailable(f"products: {cause}") from cause
        return {product.id: Offer(product.price.cents, product.stock) for product in products}

    async def charge(self, order: Order) -> bool:
        """See `Neighbours`."""
        total = money(order.cents)
        body = {
            "orderId": order.id,
            "userId": order.user_id,
            "amount": {"amount": total.amount, "currency": total.currency},
            "method": order.method,
        }
        try:
            await self._payments.ask(
                *("POST", "/charges", "payments:write"),
                body=body,
                key=f"charge-{order.id}",
                expected=PAYMENT_REQUIRED,
            )
        except PeerRefused:
            return False
        return True


def orders_app(book: OrderBook, placing: Placing, verifier: Verifier, faults: Faults) -> Starlette:
    """`GET /orders`, `GET /orders/{id}` and `POST /orders`."""

    async def recent(request: Request, caller: Caller) -> Response:
        user_id = query_id(request, "userId")
        limit = query_limit(request)
        cursor = request.query_params.get("after")
        place = _place(cursor) if cursor else None
        require_self(caller, user_id)
        if cursor is None:
            return answer([_order(order) for order in book.newest(user_id, limit)])
        orders = book.newest(user_id, limit + 1, place)
        more = len(orders) > limit
        items = [_order(order) for order in orders[:limit]]
        return answer({"items": items, "next": _cursor(orders[limit - 1]) if more else None})

    async def by_id(request: Request, caller: Caller) -> Response:
        order = book.placed(path_id(request, "order"))
        if order is None or not caller.speaks_for(order.user_id):
            raise not_found("order")
        return answer(_order(order))

    async def create(request: Request, caller: Caller) -> Response:
        key = idempotency_key(request)
        wanted = await read_body(request, NewOrder)
        require_self(caller, wanted.user_id)
        wish = Wish(wanted.user_id, _quantities(wanted.items), wanted.payment_method, key)
        status, order = await placing.place(wish)
        return answer(_order(order), status)

    return build_app(
        verifier,
        faults,
        {
            "/orders": {
                "GET": Operation("orders:read", recent),
                "POST": Operation("orders:write", create),
            },
            "/orders/{id}": {"GET": Operation("orders:read", by_id)},
        },
    )


def _quantities(raw: msgspec.Raw) -> Mapping[str, int]:
    try:
        items = msgspec.json.decode(raw, type=Items)
    except (msgspec.MsgspecError, RecursionError) as cause:
        raise _invalid_items(str(cause)) from cause
    quantities = {item.product_id: item.quantity for item in items}
    if len(quantities) < len(items):
        raise _invalid_items("a product twice")
    return quantities


def _invalid_items(message: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "INVALID_ITEMS", message)


def _cursor(order: Order) -> str:
    place = msgspec.json.encode((order.created_at, order.number))
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


_decode_place: Callable[[bytes], tuple[str, int]] = msgspec.json.Decoder(tuple[str, int]).decode
_LARGEST_NUMBER = 2**63 - 1


def _place(cursor: str) -> Place:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        created_at, number = _decode_place(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, binascii.Error, msgspec.MsgspecError) as cause:
        raise bad_request("after must be a cursor that was given out here") from cause
    if abs(number) > _LARGEST_NUMBER:
        raise bad_request("after must be a cursor that was given out here")
    return Place(created_at, number)


def _order(order: Order) -> dict[str, Any]:
    items = [
        {
            "productId": line.product_id,
            "quantity": line.quantity,
            "unitPrice": money(line.unit_cents),
        }
        for line in order.lines
    ]
    return {
        "id": order.id,
        "userId": order.user_id,
        "status": order.status,
        "total": money(order.cents),
        "createdAt": order.created_at,
        "items": items,
    }
