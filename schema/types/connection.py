"""Lists in pages, after Relay's cursor connections.

References:
    https://relay.dev/graphql/connections.htm
"""

from __future__ import annotations

import strawberry

from datasources.ports import notifications, orders
from datasources.sourced import Sourced as Found
from schema.pages.window import Window
from schema.types.notification import Notification
from schema.types.order import Order


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether anything follows this page.")
    has_previous_page: bool = strawberry.field(description="Whether anything precedes this page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first edge; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last edge, after which to ask for more; null on an empty page."
    )

    @classmethod
    def of(cls, window: Window[orders.Order] | Window[notifications.Notification]) -> PageInfo:
        return cls(
            has_next_page=window.has_next,
            has_previous_page=window.has_previous,
            start_cursor=window.cursors[0] if window.cursors else None,
            end_cursor=window.cursors[-1] if window.cursors else None,
        )


@strawberry.type(description="An order, and its place in the list.")
class OrderEdge:
    cursor: str = strawberry.field(description="Ask for what follows `after` it.")
    node: Order = strawberry.field(description="The order.")


@strawberry.type(description="A page of the viewer's orders, newest first.")
class OrderConnection:
    edges: list[OrderEdge] = strawberry.field(description="The orders of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, window: Window[orders.Order], found: Found[object]) -> OrderConnection:
        return cls(
            edges=[
                OrderEdge(cursor=cursor, node=Order.of(record, found))
                for cursor, record in zip(window.cursors, window.records, strict=True)
            ],
            page_info=PageInfo.of(window),
        )


@strawberry.type(description="A message, and its place in the list.")
class NotificationEdge:
    cursor: str = strawberry.field(description="Ask for what follows `after` it.")
    node: Notification = strawberry.field(description="The message.")


@strawberry.type(description="A page of the messages to the viewer, newest first.")
class NotificationConnection:
    edges: list[NotificationEdge] = strawberry.field(description="The messages of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(
        cls, window: Window[notifications.Notification], found: Found[object]
    ) -> NotificationConnection:
        return cls(
            edges=[
                NotificationEdge(cursor=cursor, node=Notification.of(record, found))
                for cursor, record in zip(window.cursors, window.records, strict=True)
            ],
            page_info=PageInfo.of(window),
        )
