"""Placing an order: one key, one order, one charge, whatever dies in between.

    1  who orders, and at which prices          nothing is stored yet: asking again starts anew
    2  reserve the order under the key          asking again, or a restart, goes on with step 3
    3  charge, under a key made of its id       payments never charges twice under one key
    4  store the outcome and its event          asking again gets the stored outcome
    5  answer

A charge whose outcome is not known leaves the order PENDING and queued: the same charge is asked
for again, by whoever asks with the same key and in the background, until payments says.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec

from examples.upstreams.order_book import Line, Order, OrderBook, Reservation
from examples.upstreams.peers import PeerUnavailable
from examples.upstreams.service import Problem


@dataclass(frozen=True, slots=True)
class Offer:
    """A product, today."""

    cents: int
    stock: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer asks for.

    Attributes:
        items: Quantity for each product id; not empty.
        key: Of this wish, among those of the user.
    """

    user_id: str
    items: Mapping[str, int]
    method: str
    key: str

    @property
    def fingerprint(self) -> str:
        """The same for the same wish."""
        content = (self.user_id, list(self.items.items()), self.method)
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


class Neighbours(Protocol):
    """The other services, as far as placing needs them.

    Every method raises `PeerUnavailable` when it gets no answer.
    """

    async def knows_user(self, user_id: str) -> bool:
        """Whether there is such a user."""
        ...

    async def offers(self, product_ids: Sequence[str]) -> Mapping[str, Offer]:
        """What is known of each; unknown ids are absent."""
        ...

    async def charge(self, order: Order) -> bool:
        """Charge it, unless that was done; False when declined."""
        ...


class Placing:
    """The five steps.

    Args:
        book: Where orders are kept.
        neighbours: The other services.
        on_placed: Called when there may be an event to be published.
        on_queued: Called when there may be a charge left to the background.
    """

    def __init__(
        self,
        book: OrderBook,
        neighbours: Neighbours,
        on_placed: Callable[[], None],
        on_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._book = book
        self._neighbours = neighbours
        self._on_placed = on_placed
        self.on_queued = on_queued
        self._in_hand: set[str] = set()
        self._attempts: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def place(self, wish: Wish) -> tuple[HTTPStatus, Order]:
        """Place an order, or go on with the one under this key.

        Stock is looked at, not taken: the products service has no reservations.

        Returns:
            201 paid now, 200 paid before, 202 still to be charged.

        Raises:
            Problem: 402, 409, 422 or 503; see orders.yaml.
        """
        order = await self._reserved(wish)
        if order.fingerprint != wish.fingerprint:
            message = "the key was used for another order"
            raise Problem(HTTPStatus.CONFLICT, "IDEMPOTENCY_CONFLICT", message)
        if order.charge == "DONE":
            return HTTPStatus.OK, order
        if order.charge == "DUE":
            try:
                order = await self._settled(order)
            finally:
                # Also when the caller goes away in the middle: somebody must find out the outcome.
                self.on_queued()
        if order.charge == "DECLINED":
            message = "the payment was declined"
            raise Problem(HTTPStatus.PAYMENT_REQUIRED, "PAYMENT_DECLINED", message)
        return HTTPStatus.CREATED if order.charge == "DONE" else HTTPStatus.ACCEPTED, order

    async def work(self) -> bool:
        """Charge what is due and in nobody's hand: queued, or left behind by a crash.

        Returns:
            Whether nothing is left.
        """
        waiting = [order for order in self._book.due() if order.id not in self._in_hand]
        settled = [await self._settled(order) for order in waiting]
        return all(order.charge != "DUE" for order in settled)

    async def _reserved(self, wish: Wish) -> Order:
        # One attempt under a key after the other: who is refused would be told "no order" while an
        # earlier attempt, whose caller has given up waiting, may still place it.
        attempts = self._attempts.setdefault((wish.user_id, wish.key), asyncio.Lock())
        async with attempts:
            order = self._book.under_key(wish.user_id, wish.key)
            return order or self._book.reserve(await self._priced(wish))

    async def _priced(self, wish: Wish) -> Reservation:
        try:
            known = await self._neighbours.knows_user(wish.user_id)
            if not known:
                raise _refused("UNKNOWN_USER", "no such user")
            offers = await self._neighbours.offers(list(wish.items))
        except PeerUnavailable as cause:
            message = "users or products cannot be reached"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message) from cause
        lines: list[Line] = []
        for product_id, quantity in wish.items.items():
            offer = offers.get(product_id)
            if offer is None:
                raise _refused("UNKNOWN_PRODUCT", f"no such product: {product_id}")
            if offer.stock < quantity:
                raise _refused("OUT_OF_STOCK", f"not enough in stock: {product_id}")
            lines.append(Line(product_id, quantity, offer.cents))
        return Reservation(wish.user_id, wish.key, wish.fingerprint, wish.method, lines)

    async def _settled(self, order: Order) -> Order:
        self._in_hand.add(order.id)
        try:
            accepted = await self._neighbours.charge(order)
        except PeerUnavailable:
            settled = self._book.queued(order)
        else:
            settled = self._book.paid(order) if accepted else self._book.declined(order)
        finally:
            self._in_hand.discard(order.id)
        if settled.placed:
            self._on_placed()
        return settled


def _refused(code: str, message: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, message)
