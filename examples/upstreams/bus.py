"""Events between services: at least once, never lost.

A service stores an event in the transaction that makes it true (its outbox). The relay publishes
what is in the outbox, and strikes it off when every subscriber has dealt with it. A crash, or a
subscriber that fails, means once more: subscribers must take twice for once, by the event's id.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        id: Unique, and the same each time that it is published.
        type: Such as "order.created".
        data: What subscribers need to know; JSON.
    """

    id: str
    type: str
    data: Mapping[str, Any]


Subscriber: TypeAlias = Callable[[Event], Awaitable[None]]


class Bus:
    """Tells everybody in this process."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[str, Subscriber]] = []

    def subscribe(self, event_type: str, subscriber: Subscriber) -> None:
        """Call *subscriber* with every event of that type, each at least once."""
        self._subscribers.append((event_type, subscriber))

    async def publish(self, event: Event) -> None:
        """Return when every subscriber has dealt with it; raise what the first one raised."""
        for event_type, subscriber in self._subscribers:
            if event_type == event.type:
                await subscriber(event)


class Outbox(Protocol):
    """Where events wait."""

    def unpublished(self) -> Sequence[Event]:
        """The oldest ones first."""
        ...

    def mark_published(self, event_id: str) -> None:
        """It need not be published again."""
        ...


class Relay:
    """Empties an outbox into a bus."""

    def __init__(self, outbox: Outbox, bus: Bus) -> None:
        self._outbox = outbox
        self._bus = bus

    async def work(self) -> bool:
        """Publish what waits; one event that fails does not hold up the others.

        Returns:
            Whether nothing is left.
        """
        done = True
        for event in self._outbox.unpublished():
            try:
                await self._bus.publish(event)
            except Exception:  # noqa: BLE001, a subscriber may fail as it likes
                _log.warning(
                    "%s of %s will be published again", event.type, event.id, exc_info=True
                )
                done = False
            else:
                self._outbox.mark_published(event.id)
        return done
