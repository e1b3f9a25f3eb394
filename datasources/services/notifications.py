"""The notifications service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from datasources.errors import Forbidden, NotFound, Unauthorized
from datasources.ids import segment
from datasources.ports.notifications import Notification, NotificationId
from datasources.ports.users import UserId
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.scope import current_scope
from datasources.sourced import Sourced

_notification = msgspec.json.Decoder(Notification).decode
_notifications = msgspec.json.Decoder(tuple[Notification, ...]).decode

_RECENT = Route(
    service="notifications",
    operation="recent",
    scope="notifications:read",
    pack=msgspec.json.encode,
    unpack=_notifications,
)
_MARK_READ = Route(
    service="notifications",
    operation="mark_read",
    scope="notifications:write",
    pack=msgspec.json.encode,
    unpack=_notification,
    method="POST",
)


class Notifications:
    """Implements `ports.notifications.NotificationPort` over REST."""

    READS: ClassVar[frozenset[str]] = frozenset({_RECENT.operation})
    """Operations that change nothing."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def recent(
        self, user_id: UserId, /, *, unread_only: bool, limit: int
    ) -> Sourced[Sequence[Notification]]:
        """See `ports.notifications.NotificationPort`."""

        def decode(_status: int, body: bytes) -> dict[str, tuple[Notification, ...]]:
            notifications = _notifications(body)[:limit]
            if any(item.user_id not in {None, user_id} for item in notifications):
                raise ValueError("a message to another user")
            return {key: notifications}

        key = f"recent:{user_id}:{unread_only}:{limit}"
        params = {"userId": user_id, "limit": str(limit)}
        if unread_only:
            params["unread"] = "true"
        reply = await self._ask(
            Call(route=_RECENT, path="/notifications", params=params, keys=(key,), decode=decode)
        )
        return reply.only("notifications")

    async def mark_read(self, notification_id: NotificationId, /) -> Sourced[Notification]:
        """See `ports.notifications.NotificationPort`."""

        def decode(_status: int, body: bytes) -> dict[str, Notification]:
            notification = _notification(body)
            if notification.id != notification_id:
                raise ValueError("another message")
            if notification.user_id not in {None, current_scope().principal}:
                return {}
            return {notification_id: notification}

        path = f"/notifications/{segment('notifications', notification_id)}/read"
        call = Call(
            route=_MARK_READ,
            path=path,
            keys=(),
            decode=decode,
            idempotency_key=f"read-{notification_id}",
        )
        try:
            reply = await self._ask(call)
        except Unauthorized:
            raise
        except Forbidden as refusal:
            # Somebody else's message, by the service's word: that it exists is not ours to tell.
            raise NotFound("notifications") from refusal
        return reply.only("notifications")
