"""What the notifications service knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol

import msgspec

from datasources.ports.instant import Instant, demand_expressible
from datasources.ports.users import UserId
from datasources.sourced import Sourced

NotificationId = NewType("NotificationId", str)


class Notification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message to a user. Source: `GET /notifications?userId=`.

    Attributes:
        user_id: To whom; None where the service does not repeat it.
    """

    id: NotificationId
    message: str
    read: bool
    created_at: Instant
    user_id: UserId | None = None

    def __post_init__(self) -> None:
        """See `demand_expressible`."""
        demand_expressible(self.created_at)


class NotificationPort(Protocol):
    """The notifications service, as far as the schema needs it."""

    async def recent(
        self, user_id: UserId, /, *, unread_only: bool, limit: int
    ) -> Sourced[Sequence[Notification]]:
        """At most *limit* messages to that user, newest first.

        Args:
            user_id: To whom.
            unread_only: Leave out what was read.
            limit: Most messages (1 to 1,000).
        """
        ...

    async def mark_read(self, notification_id: NotificationId, /) -> Sourced[Notification]:
        """Mark one of the caller's own messages as read; doing it twice changes nothing.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        ...
