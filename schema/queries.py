"""What can be asked, whatever the kind of client."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from datasources.ports.orders import OrderId
from datasources.ports.products import ProductId
from schema.arguments import checked_id, checked_ids, checked_size
from schema.asks import Per, asks
from schema.context import Info
from schema.dashboard import Dashboard
from schema.pages.notifications import notifications_after
from schema.pages.orders import orders_after
from schema.permissions import OPERATORS, SIGNED_IN
from schema.types.connection import NotificationConnection, OrderConnection
from schema.types.freshness import Freshness, shown
from schema.types.order import Order
from schema.types.product import Product
from schema.types.service_status import ServiceStatus
from schema.types.user import User

First = Annotated[int, strawberry.argument(description="Size of the page, from 1 to 100.")]
After = Annotated[
    str | None,
    strawberry.argument(description="A cursor of this list; what follows it is given."),
]
Unread = Annotated[
    bool | None,
    strawberry.argument(description="True leaves out what was read; false and null do not."),
]
OrderIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Of the order.")]
ProductIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Of the product.")]
ProductIds = Annotated[
    list[strawberry.ID], strawberry.argument(description="Of the products; at most 100.")
]


@strawberry.type(description="What can be asked. All of it is for the viewer who is signed in.")
class Query:
    @strawberry.field(description="What the viewer sees first.", extensions=SIGNED_IN)
    def dashboard(self) -> Dashboard:
        return Dashboard()

    @strawberry.field(
        description="The viewer; null when the users service does not know him.",
        graphql_type=User | None,
        extensions=SIGNED_IN,
        metadata=asks("users", "by_id", "users:read", per=Per.VIEWER),
    )
    def me(self, info: Info) -> Awaitable[User | None]:
        loading = info.context.loaders.users.load(info.context.signed_in.id)
        return shown(info, info.path, loading, User.of)

    @strawberry.field(
        description="One order of the viewer; null when there is none with that id.",
        extensions=SIGNED_IN,
        metadata=asks("orders", "by_id", "orders:read", per=Per.ARGUMENTS),
    )
    async def order(self, info: Info, id: OrderIdArgument) -> Order | None:
        found = await info.context.loaders.orders.load(OrderId(checked_id("id", id)))
        if found is None or found.value.user_id != info.context.signed_in.id:
            return None
        return Order.single(info.context.degraded.show(info.path, found))

    @strawberry.field(
        description="The viewer's orders, newest first.",
        extensions=SIGNED_IN,
        metadata=asks("orders", "page", "orders:read", per=Per.ARGUMENTS, sized_by="first"),
    )
    async def orders(
        self, info: Info, first: First = 20, after: After = strawberry.UNSET
    ) -> OrderConnection | None:
        viewer, first = info.context.signed_in, checked_size("first", first)
        found, window = await orders_after(info.context.sources.orders, viewer.id, after, first)
        freshness = Freshness.of(info.context.degraded.show(info.path, found))
        return OrderConnection.of(window, freshness)

    @strawberry.field(
        description="One product; null when there is none with that id.",
        graphql_type=Product | None,
        extensions=SIGNED_IN,
        metadata=asks("products", "by_ids", "products:read", per=Per.WAVE),
    )
    def product(self, info: Info, id: ProductIdArgument) -> Awaitable[Product | None]:
        loading = info.context.loaders.products.load(ProductId(checked_id("id", id)))
        return shown(info, info.path, loading, Product.of)

    @strawberry.field(
        description="Products in the order of their ids; null for one that does not exist.",
        graphql_type=list[Product | None],
        extensions=SIGNED_IN,
        metadata=asks("products", "by_ids", "products:read", per=Per.WAVE, sized_by="ids"),
    )
    def products(self, info: Info, ids: ProductIds) -> list[Awaitable[Product | None]]:
        load = info.context.loaders.products.load
        return [
            shown(info, info.path.add_key(index), load(ProductId(key)), Product.of)
            for index, key in enumerate(checked_ids("ids", ids))
        ]

    @strawberry.field(
        description="Messages to the viewer, newest first; the newest 1,000 can be listed.",
        extensions=SIGNED_IN,
        metadata=asks(
            "notifications", "recent", "notifications:read", per=Per.ARGUMENTS, sized_by="first"
        ),
    )
    async def notifications(
        self,
        info: Info,
        unread: Unread = strawberry.UNSET,
        first: First = 20,
        after: After = strawberry.UNSET,
    ) -> NotificationConnection | None:
        viewer, first = info.context.signed_in, checked_size("first", first)
        found, window = await notifications_after(
            info.context.sources.notifications, viewer.id, after, first, unread_only=bool(unread)
        )
        freshness = Freshness.of(info.context.degraded.show(info.path, found))
        return NotificationConnection.of(window, freshness)

    @strawberry.field(
        description='How the upstream services are doing; takes the scope "bff.operator".',
        extensions=OPERATORS,
    )
    def services(self, info: Info) -> list[ServiceStatus]:
        return [ServiceStatus.of(seen) for seen in info.context.sources.status.statuses()]
