"""A log line for each thing that happens to calls."""

from __future__ import annotations

import logging

import structlog

from datasources.errors import Unauthorized
from datasources.events import (
    AttemptFinished,
    BreakerChanged,
    CallShed,
    Event,
    FallbackServed,
    HedgeStarted,
    RetryScheduled,
)

_log = structlog.get_logger()
_root = logging.getLogger()


def log_event(event: Event) -> None:
    """Log *event*. A `datasources.events.Subscriber`.

    A finished attempt is worth a line only to somebody who debugs, since there is one for every
    call; unless the service does not accept our credentials, which nobody else would tell.
    """
    match event:
        case BreakerChanged():
            _log.warning("breaker changed", service=event.service, old=event.old, new=event.new)
        case RetryScheduled():
            _log.info(
                "retry scheduled",
                service=event.service,
                operation=event.operation,
                retry=event.retry,
                delay_seconds=round(event.delay, 3),
                cause=event.cause,
            )
        case HedgeStarted():
            _log.info(
                "hedge started",
                service=event.service,
                operation=event.operation,
                after_seconds=round(event.after, 3),
            )
        case FallbackServed():
            _log.info(
                "fallback served",
                service=event.service,
                operation=event.operation,
                reason=event.reason,
                age_seconds=round(event.age, 3),
            )
        case CallShed():
            # As many as there are calls, when there is too much to do already.
            _log.debug(
                "call shed",
                service=event.service,
                operation=event.operation,
                importance=event.importance.name,
                reason=event.reason,
            )
        case AttemptFinished() if event.outcome == Unauthorized.__name__:
            _log.warning("credentials refused", service=event.service, operation=event.operation)
        case AttemptFinished():
            # Asked first: even a line that is dropped costs more than the rest of the call's news.
            if _root.isEnabledFor(logging.DEBUG):
                _log.debug(
                    "attempt finished",
                    service=event.service,
                    operation=event.operation,
                    attempt=event.attempt,
                    outcome=event.outcome,
                    seconds=round(event.seconds, 4),
                )
