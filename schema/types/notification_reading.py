"""What can come of marking a notification as read."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.types.notification import Notification


@strawberry.type(description="The message counts as read, as of now or before.")
class NotificationRead:
    notification: Notification = strawberry.field(description="The message.")


@strawberry.type(description="The viewer has no such message.")
class NotificationNotFound:
    id: strawberry.ID = strawberry.field(description="The id that was given.")


MarkNotificationReadResult = Annotated[
    NotificationRead | NotificationNotFound,
    strawberry.union(
        "MarkNotificationReadResult", description="What came of marking a message as read."
    ),
]
