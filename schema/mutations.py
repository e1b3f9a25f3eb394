"""What can be changed. Refusals and doubt are answers, not errors."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datasources.errors import NotFound
from datasources.importance import Importance
from datasources.ports.notifications import NotificationId
from schema.arguments import checked_id
from schema.asks import Asks, Per
from schema.context import Info
from schema.permissions import SIGNED_IN
from schema.placing import draft_of, key_of, place
from schema.types.notification import Notification
from schema.types.notification_reading import (
    MarkNotificationReadResult,
    NotificationNotFound,
    NotificationRead,
)
from schema.types.order_creation import CreateOrderInput, CreateOrderResult

OrderArgument = Annotated[CreateOrderInput, strawberry.argument(description="What to order.")]
MessageIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Of the message.")]

CREATE_ORDER = Asks(
    service="orders",
    operation="create",
    scope="orders:write",
    per=Per.PARENT,
    importance=Importance.CRITICAL,
)
MARK_READ = Asks(
    service="notifications",
    operation="mark_read",
    scope="notifications:write",
    per=Per.PARENT,
    importance=Importance.CRITICAL,
)


@strawberry.type(description="What can be changed, one thing after another.")
class Mutation:
    @strawberry.mutation(
        description="Place an order. Asking again under the same key places no second one.",
        extensions=SIGNED_IN,
        metadata=CREATE_ORDER.metadata,
        directives=CREATE_ORDER.directives,
    )
    async def create_order(self, info: Info, input: OrderArgument) -> CreateOrderResult:
        key = key_of(input, info.context)
        draft = draft_of(input, info.context.signed_in)
        return await place(info.context.sources(CREATE_ORDER).orders, draft, key)

    @strawberry.mutation(
        description="Mark a message as read; doing it twice changes nothing.",
        extensions=SIGNED_IN,
        metadata=MARK_READ.metadata,
        directives=MARK_READ.directives,
    )
    async def mark_notification_read(
        self, info: Info, id: MessageIdArgument
    ) -> MarkNotificationReadResult:
        try:
            message_id = NotificationId(checked_id("id", id))
            found = await info.context.sources(MARK_READ).notifications.mark_read(message_id)
        except NotFound:
            return NotificationNotFound(id=id)
        return NotificationRead(notification=Notification.single(found))
