"""The dashboard: one field per section, each resolved on its own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from datasources.importance import Importance
from schema.arguments import checked_size
from schema.asks import Asks, Per
from schema.context import Info
from schema.semantic_non_null import NULL_ONLY_ON_ERROR
from schema.types.freshness import shown
from schema.types.notification import Notification
from schema.types.order import Order
from schema.types.user import User

Limit = Annotated[int, strawberry.argument(description="Most of them, from 1 to 100.")]
Unread = Annotated[bool, strawberry.argument(description="Whether to leave out what was read.")]

USER = Asks(
    service="users",
    operation="by_id",
    scope="users:read",
    per=Per.VIEWER,
    importance=Importance.CRITICAL,
)
RECENT_ORDERS = Asks(
    service="orders",
    operation="recent",
    scope="orders:read",
    per=Per.ARGUMENTS,
    importance=Importance.CRITICAL,
    sized_by="limit",
)
NOTIFICATIONS = Asks(
    service="notifications",
    operation="recent",
    scope="notifications:read",
    per=Per.ARGUMENTS,
    importance=Importance.OPTIONAL,
    sized_by="limit",
)


@strawberry.type(
    description="What the viewer sees first. A section that fails is null and takes no other along."
)
class Dashboard:
    @strawberry.field(
        description="The viewer.",
        graphql_type=User | None,
        metadata=USER.metadata,
        directives=USER.directives,
    )
    def user(self, info: Info) -> Awaitable[User | None]:
        loading = info.context.loaders(USER).users.load(info.context.signed_in.id)
        return shown(info, loading, User.of)

    @strawberry.field(
        description="The viewer's latest orders, newest first.",
        metadata=RECENT_ORDERS.metadata,
        directives=[*RECENT_ORDERS.directives, NULL_ONLY_ON_ERROR],
    )
    async def recent_orders(self, info: Info, limit: Limit = 5) -> list[Order] | None:
        viewer, limit = info.context.signed_in, checked_size("limit", limit)
        found = await info.context.sources(RECENT_ORDERS).orders.recent(viewer.id, limit=limit)
        info.context.degraded.show(info, found)
        return [Order.of(record, found) for record in found.value]

    @strawberry.field(
        description="Messages to the viewer, newest first.",
        metadata=NOTIFICATIONS.metadata,
        directives=[*NOTIFICATIONS.directives, NULL_ONLY_ON_ERROR],
    )
    async def notifications(
        self,
        info: Info,
        unread: Unread = True,  # noqa: FBT002 - arguments of the graph are named
        limit: Limit = 10,
    ) -> list[Notification] | None:
        viewer, limit = info.context.signed_in, checked_size("limit", limit)
        asked = info.context.sources(NOTIFICATIONS).notifications
        found = await asked.recent(viewer.id, unread_only=unread, limit=limit)
        info.context.degraded.show(info, found)
        return [Notification.of(record, found) for record in found.value]
