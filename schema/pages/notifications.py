"""Pages of notifications, over a service that only knows the newest so many.

A cursor holds when the last message seen was sent, which it was, and how many there were up to
it. The next page is cut out of a longer list: after that message by its id, or by its time once
it is gone, as it is when the client lists unread ones and has read it. None is then lost; of those
sent in the same instant, some may come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from datasources.ports.instant import Instant
from datasources.ports.notifications import Notification, NotificationPort
from datasources.ports.users import UserId
from datasources.sourced import Sourced
from schema.errors import BadUserInput
from schema.pages import cursor
from schema.pages.window import Window

_REACH = 1_000
"""Most messages that `NotificationPort.recent` gives at once."""


class NotificationCursor(
    msgspec.Struct, frozen=True, array_like=True, tag="notifications", forbid_unknown_fields=True
):
    """After the message *last*.

    Attributes:
        created_at: When it was sent.
        last: Its id.
        seen: Messages up to this place.
    """

    created_at: Instant
    last: str
    seen: Annotated[int, msgspec.Meta(ge=1)]


async def notifications_after(
    port: NotificationPort, user_id: UserId, after: str | None, first: int, *, unread_only: bool
) -> tuple[Sourced[Sequence[Notification]], Window[Notification]]:
    """At most *first* messages after the cursor *after*, and what the service said.

    Raises:
        BadUserInput: *after* is not a cursor, or lies beyond what the service can list.
        DatasourceError: See `NotificationPort.recent`.
    """
    place = cursor.read("after", after, NotificationCursor) if isinstance(after, str) else None
    if place is not None and place.seen >= _REACH:
        raise BadUserInput("after", f"only the newest {_REACH} messages can be listed")
    limit = min((place.seen if place else 0) + first + 1, _REACH)
    found = await port.recent(user_id, unread_only=unread_only, limit=limit)
    while len(found.value) == limit < _REACH and not _suffices(found.value, place, first):
        limit = min(2 * limit, _REACH)  # new ones have come in before the place
        found = await port.recent(user_id, unread_only=unread_only, limit=limit)
    return found, _window(found.value, place, first, cut_off=len(found.value) == limit)


def _suffices(
    records: Sequence[Notification], place: NotificationCursor | None, first: int
) -> bool:
    """Whether a page, and one message to spare, follows the place."""
    return len(records) - _begin(records, place) > first


def _begin(records: Sequence[Notification], place: NotificationCursor | None) -> int:
    """Position of the first message after the place."""
    if place is None:
        return 0
    for position, record in enumerate(records):
        if record.id == place.last:
            return position + 1
    older = (at for at, record in enumerate(records) if record.created_at <= place.created_at)
    return next(older, len(records))


def _window(
    records: Sequence[Notification], place: NotificationCursor | None, first: int, *, cut_off: bool
) -> Window[Notification]:
    unseen = range(_begin(records, place), len(records))
    shown = unseen[:first]
    return Window(
        records=[records[position] for position in shown],
        cursors=[cursor.written(_place_after(records, position)) for position in shown],
        has_next=len(shown) < len(unseen) or (bool(shown) and cut_off),
        has_previous=place is not None,
    )


def _place_after(records: Sequence[Notification], position: int) -> NotificationCursor:
    record = records[position]
    return NotificationCursor(record.created_at, record.id, position + 1)
