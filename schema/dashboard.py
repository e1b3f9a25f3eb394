"""The dashboard: one field per section, each resolved on its own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from schema.arguments import checked_size
from schema.asks import Per, asks
from schema.context import Info
from schema.types.freshness import Freshness, shown
from schema.types.notification import Notification
from schema.types.order import Order
from schema.types.user import User

Limit = Annotated[int, strawberry.argument(description="Most of them, from 1 to 100.")]
Unread = Annotated[bool, strawberry.argument(description="Whether to leave out what was read.")]


@strawberry.type(
    description="What the viewer sees first. A section that fails is null and takes no other along."
)
class Dashboard:
    @strawberry.field(
        description="The viewer.",
        graphql_type=User | None,
        metadata=asks("users", "by_id", "users:read", per=Per.VIEWER),
    )
    def user(self, info: Info) -> Awaitable[User | None]:
        loading = info.context.loaders.users.load(info.context.signed_in.id)
        return shown(info, info.path, loading, User.of)

    @strawberry.field(
        description="The viewer's latest orders, newest first.",
        metadata=asks("orders", "recent", "orders:read", per=Per.ARGUMENTS, sized_by="limit"),
    )
    async def recent_orders(self, info: Info, limit: Limit = 5) -> list[Order] | None:
        viewer, limit = info.context.signed_in, checked_size("limit", limit)
        found = await info.context.sources.orders.recent(viewer.id, limit=limit)
        freshness = Freshness.of(info.context.degraded.show(info.path, found))
        return [Order.of(record, freshness) for record in found.value]

    @strawberry.field(
        description="Messages to the viewer, newest first.",
        metadata=asks(
            "notifications", "recent", "notifications:read", per=Per.ARGUMENTS, sized_by="limit"
        ),
    )
    async def notifications(
        self,
        info: Info,
        unread: Unread = True,  # noqa: FBT002 - arguments of the graph are named
        limit: Limit = 10,
    ) -> list[Notification] | None:
        viewer, limit = info.context.signed_in, checked_size("limit", limit)
        asked = info.context.sources.notifications
        found = await asked.recent(viewer.id, unread_only=unread, limit=limit)
        freshness = Freshness.of(info.context.degraded.show(info.path, found))
        return [Notification.of(record, freshness) for record in found.value]
