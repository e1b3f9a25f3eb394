"""Whether the process lives, whether it may be sent requests, and what works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from datasources.clock import Clock
from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    ServerFault,
    Unauthorized,
    Unreachable,
)
from datasources.events import AttemptFinished, BreakerChanged, Event, FallbackServed
from datasources.ports.status import ServiceStatus, StatusPort
from schema.types.instant import rfc3339

_FAILURES = frozenset(
    error.__name__ for error in (Unreachable, AttemptTimedOut, ServerFault, BadReply, Unauthorized)
)
_ANSWERS = frozenset({"ok", "NotFound", "Forbidden", "Rejected", "TryLater"})
"""A refusal is an answer too; any other outcome says nothing of the service."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Something that a user sees or does.

    Attributes:
        needs: The services behind it.
        writes: Whether it changes something: then nothing kept can stand in for a service.
    """

    needs: Sequence[str]
    writes: bool = False


@dataclass(slots=True)
class _Known:
    """What is known of one service."""

    breaker: str = "closed"
    last_success: datetime | None = None
    failing_since: datetime | None = None
    serving_stale: bool = False


class HealthBoard:
    """Knows how the services are doing from what happens to calls; asks nobody.

    Implements `datasources.ports.status.StatusPort`. Subscribe `record` to
    `datasources.events.Events`.

    Args:
        services: Names, in the order in which they are shown.
        clock: Replaced in tests.
    """

    def __init__(self, services: Sequence[str], clock: Clock) -> None:
        self._known = {name: _Known() for name in services}
        self._clock = clock

    def record(self, event: Event) -> None:
        """Learn from *event*; one about a service that nobody named is ignored."""
        known = self._known.get(event.service)
        if known is None:
            return
        if isinstance(event, AttemptFinished):
            self._learn(known, event.outcome)
        elif isinstance(event, BreakerChanged):
            known.breaker = event.new
        elif isinstance(event, FallbackServed):
            known.serving_stale = True

    def _learn(self, known: _Known, outcome: str) -> None:
        if outcome in _ANSWERS:
            known.last_success = self._clock.now()
            known.failing_since = None
            known.serving_stale = False
        elif outcome in _FAILURES and known.failing_since is None:
            known.failing_since = self._clock.now()

    def statuses(self) -> Sequence[ServiceStatus]:
        """See `StatusPort`; a service serves stale until an answer newer than the stale one."""
        return [
            ServiceStatus(
                name=name,
                breaker=known.breaker,
                last_success=known.last_success,
                failing_since=known.failing_since,
                serving_stale=known.serving_stale,
            )
            for name, known in self._known.items()
        ]


class Readiness:
    """Whether requests are welcome: after the start, until the end.

    The server refuses connections as soon as a stop is asked for, so nobody is told "not ready"
    while it finishes what is under way.

    It does not look at the services: what we can answer without one of them is worth asking for,
    and an instance that is taken out because a service fails helps nobody.
    """

    def __init__(self) -> None:
        self.ready = False

    def started(self) -> None:
        """Everything is open."""
        self.ready = True

    def stopping(self) -> None:
        """Everything is about to be closed."""
        self.ready = False


def health_routes(
    board: StatusPort, readiness: Readiness, screens: Mapping[str, Screen]
) -> list[Route]:
    """`/livez`, `/readyz` and `/healthz`.

    Args:
        board: Knows the services.
        readiness: Knows about us.
        screens: What a user sees and does, by name.
    """

    async def live(_: Request) -> Response:
        return _json({"status": "live"})

    async def ready(_: Request) -> Response:
        if readiness.ready:
            return _json({"status": "ready"})
        return _json({"status": "not ready"}, status=503)

    async def health(_: Request) -> Response:
        return _json(report(board.statuses(), screens))

    return [Route("/livez", live), Route("/readyz", ready), Route("/healthz", health)]


def report(statuses: Sequence[ServiceStatus], screens: Mapping[str, Screen]) -> dict[str, object]:
    """What `/healthz` says: 200 whatever it is, for it is a report and not a probe.

    A screen is "live" when all its services are well, "stale" when old values stand in for those
    that are not (slow is enough), and "down" otherwise. Nothing stands in for a write.
    """
    by_name = {status.name: status for status in statuses}
    return {
        "status": "ok" if all(map(_is_live, statuses)) else "degraded",
        "services": [
            {
                "name": status.name,
                "breaker": status.breaker,
                "lastSuccess": _instant(status.last_success),
                "failingSince": _instant(status.failing_since),
                "servingStale": status.serving_stale,
            }
            for status in statuses
        ],
        "screens": {
            name: _works(screen, [by_name[service] for service in screen.needs])
            for name, screen in screens.items()
        },
    }


def _is_well(status: ServiceStatus) -> bool:
    return status.breaker == "closed" and status.failing_since is None


def _is_live(status: ServiceStatus) -> bool:
    return _is_well(status) and not status.serving_stale


def _works(screen: Screen, needs: Sequence[ServiceStatus]) -> str:
    if screen.writes:
        return "live" if all(map(_is_well, needs)) else "down"
    unwell = [status for status in needs if not _is_live(status)]
    if not unwell:
        return "live"
    return "stale" if all(status.serving_stale for status in unwell) else "down"


def _instant(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
