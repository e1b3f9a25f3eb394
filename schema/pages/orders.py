"""Pages of orders, over a service that pages itself.

The service names only the starts of its pages. A cursor therefore holds the start of a page and
a place in it: whoever resumes there gets that page again, longer, and skips what he has seen. The
last order of a page points at the start of the next instead, so walking a list from end to end
asks once for each page, and asks for nothing twice.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from datasources.errors import Rejected
from datasources.ports.orders import Order, OrderPage, OrderPort
from datasources.ports.users import UserId
from datasources.sourced import Sourced
from schema.errors import BadUserInput
from schema.pages import cursor
from schema.pages.window import Window

_LONGEST_PAGE = 200
"""Most orders that `OrderPort.page` gives at once."""


class OrderCursor(
    msgspec.Struct, frozen=True, array_like=True, tag="orders", forbid_unknown_fields=True
):
    """After the order *last*, or at the start of a page.

    Attributes:
        start: `OrderPage.next` of the page before; "" for the first page.
        seen: Orders of that page up to this place.
        last: Id of the last of them; "" when there is none.
    """

    start: Annotated[str, msgspec.Meta(max_length=4_096)] = ""
    seen: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    last: str = ""


async def orders_after(
    port: OrderPort, user_id: UserId, after: str | None, first: int
) -> tuple[Sourced[OrderPage], Window[Order]]:
    """At most *first* orders after the cursor *after*, and what the service said.

    Raises:
        BadUserInput: *after* is not a cursor, or no longer one that the service accepts.
        DatasourceError: See `OrderPort.page`.
    """
    place = cursor.read("after", after, OrderCursor) if isinstance(after, str) else OrderCursor()
    found = await _page(port, user_id, place, first)
    if not _unseen(found.value, place) and found.value.next:
        place = OrderCursor(found.value.next)
        found = await _page(port, user_id, place, first)
    return found, _window(found.value, place, first, has_previous=isinstance(after, str))


async def _page(
    port: OrderPort, user_id: UserId, place: OrderCursor, first: int
) -> Sourced[OrderPage]:
    limit = min(place.seen + first, _LONGEST_PAGE)
    try:
        return await port.page(user_id, limit=limit, after=place.start)
    except Rejected as refusal:
        if not place.start:
            raise
        raise BadUserInput("after", "a cursor that is still valid") from refusal


def _unseen(page: OrderPage, place: OrderCursor) -> range:
    """Positions on the page after the place; by its id, or by count once that order is gone."""
    ids: list[str] = [order.id for order in page.items]
    if place.last in ids:
        return range(ids.index(place.last) + 1, len(ids))
    return range(max(place.seen - 1, 0), len(ids))


def _window(
    page: OrderPage, place: OrderCursor, first: int, *, has_previous: bool
) -> Window[Order]:
    unseen = _unseen(page, place)
    shown = unseen[:first]
    return Window(
        records=[page.items[position] for position in shown],
        cursors=[cursor.written(_place_after(page, place.start, position)) for position in shown],
        has_next=bool(shown) and (len(shown) < len(unseen) or page.next is not None),
        has_previous=has_previous,
    )


def _place_after(page: OrderPage, start: str, position: int) -> OrderCursor:
    if page.next is not None and position == len(page.items) - 1:
        return OrderCursor(page.next)
    return OrderCursor(start, position + 1, page.items[position].id)
