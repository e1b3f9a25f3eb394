"""What can be asked, whatever the kind of client."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from datasources.importance import Importance
from datasources.ports.orders import OrderId
from datasources.ports.products import ProductId
from schema.arguments import checked_id, checked_ids, checked_size
from schema.asks import Asks, Per
from schema.context import Info
from schema.dashboard import Dashboard
from schema.pages.notifications import notifications_after
from schema.pages.orders import orders_after
from schema.permissions import OPERATORS, SIGNED_IN
from schema.semantic_non_null import NULL_ONLY_ON_ERROR
from schema.types.connection import NotificationConnection, OrderConnection
from schema.types.freshness import shown
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

ME = Asks(
    service="users",
    operation="by_id",
    scope="users:read",
    per=Per.VIEWER,
    importance=Importance.CRITICAL,
)
ORDER = Asks(
    service="orders",
    operation="by_id",
    scope="orders:read",
    per=Per.ARGUMENTS,
    importance=Importance.CRITICAL,
)
ORDERS = Asks(
    service="orders",
    operation="page",
    scope="orders:read",
    per=Per.ARGUMENTS,
    importance=Importance.CRITICAL,
    sized_by="first",
)
PRODUCT = Asks(
    service="products",
    operation="by_ids",
    scope="products:read",
    per=Per.WAVE,
    importance=Importance.CRITICAL,
)
PRODUCTS = Asks(
    service="products",
    operation="by_ids",
    scope="products:read",
    per=Per.WAVE,
    importance=Importance.CRITICAL,
    sized_by="ids",
)
NOTIFICATIONS = Asks(
    service="notifications",
    operation="recent",
    scope="notifications:read",
    per=Per.ARGUMENTS,
    importance=Importance.CRITICAL,
    sized_by="first",
)


@strawberry.type(description="What can be asked. All of it is for the viewer who is signed in.")
class Query:
    @strawberry.field(description="What the viewer sees first.", extensions=SIGNED_IN)
    def dashboard(self) -> Dashboard:
        return Dashboard()

    @strawberry.field(
        description="The viewer; null when the users service does not know him.",
        graphql_type=User | None,
        extensions=SIGNED_IN,
        metadata=ME.metadata,
        directives=ME.directives,
    )
    def me(self, info: Info) -> Awaitable[User | None]:
        loading = info.context.loaders(ME).users.load(info.context.signed_in.id)
        return shown(info, loading, User.of)

    @strawberry.field(
        description="One order of the viewer; null when there is none with that id.",
        extensions=SIGNED_IN,
        metadata=ORDER.metadata,
        directives=ORDER.directives,
    )
    async def order(self, info: Info, id: OrderIdArgument) -> Order | None:
        found = await info.context.loaders(ORDER).orders.load(OrderId(checked_id("id", id)))
        if found is None or found.value.user_id != info.context.signed_in.id:
            return None
        return Order.single(info.context.degraded.show(info, found))

    @strawberry.field(
        description="The viewer's orders, newest first.",
        extensions=SIGNED_IN,
        metadata=ORDERS.metadata,
        directives=[*ORDERS.directives, NULL_ONLY_ON_ERROR],
    )
    async def orders(
        self, info: Info, first: First = 20, after: After = strawberry.UNSET
    ) -> OrderConnection | None:
        viewer, first = info.context.signed_in, checked_size("first", first)
        found, window = await orders_after(
            info.context.sources(ORDERS).orders, viewer.id, after, first
        )
        return OrderConnection.of(window, info.context.degraded.show(info, found))

    @strawberry.field(
        description="One product; null when there is none with that id.",
        graphql_type=Product | None,
        extensions=SIGNED_IN,
        metadata=PRODUCT.metadata,
        directives=PRODUCT.directives,
    )
    def product(self, info: Info, id: ProductIdArgument) -> Awaitable[Product | None]:
        loading = info.context.loaders(PRODUCT).products.load(ProductId(checked_id("id", id)))
        return shown(info, loading, Product.of)

    @strawberry.field(
        description="Products in the order of their ids; null for one that does not exist.",
        graphql_type=list[Product | None],
        extensions=SIGNED_IN,
        metadata=PRODUCTS.metadata,
        directives=PRODUCTS.directives,
    )
    def products(self, info: Info, ids: ProductIds) -> list[Awaitable[Product | None]]:
        load = info.context.loaders(PRODUCTS).products.load
        return [
            shown(info, load(ProductId(key)), Product.of, index)
            for index, key in enumerate(checked_ids("ids", ids))
        ]

    @strawberry.field(
        description="Messages to the viewer, newest first; the newest 1,000 can be listed.",
        extensions=SIGNED_IN,
        metadata=NOTIFICATIONS.metadata,
        directives=[*NOTIFICATIONS.directives, NULL_ONLY_ON_ERROR],
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
            info.context.sources(NOTIFICATIONS).notifications,
            viewer.id,
            after,
            first,
            unread_only=bool(unread),
        )
        return NotificationConnection.of(window, info.context.degraded.show(info, found))

    @strawberry.field(
        description='How the upstream services are doing; takes the scope "bff.operator".',
        extensions=OPERATORS,
    )
    def services(self, info: Info) -> list[ServiceStatus]:
        return [ServiceStatus.of(seen) for seen in info.context.status.statuses()]
