"""One line for each thing that happens to calls."""

import io
import json
import logging

import pytest

from bff.settings import LogSettings
from bff.telemetry.event_log import log_event
from bff.telemetry.logs import configure_logs
from datasources.events import AttemptFinished, BreakerChanged, FallbackServed, RetryScheduled
from datasources.sourced import Reason

OPENED = BreakerChanged(service="orders", old="closed", new="open")
RETRY = RetryScheduled(
    service="orders", operation="recent", retry=2, delay=0.12345, cause="Unreachable"
)
FALLBACK = FallbackServed(
    service="orders", operation="recent", reason=Reason.CIRCUIT_OPEN, age=12.34567
)
UNREASONED = FallbackServed(service="orders", operation="recent", reason=None, age=1.0)
ATTEMPT = AttemptFinished(
    service="orders", operation="recent", attempt=1, outcome="ok", seconds=0.0123456
)


def lines(event, **settings):
    stream = io.StringIO()
    configure_logs(LogSettings(**settings), stream)
    log_event(event)
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in found:
        del line["timestamp"]
    return found


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            OPENED,
            {
                "event": "breaker changed",
                "level": "warning",
                "service": "orders",
                "old": "closed",
                "new": "open",
            },
        ),
        (
            RETRY,
            {
                "event": "retry scheduled",
                "level": "info",
                "service": "orders",
                "operation": "recent",
                "retry": 2,
                "delay_seconds": 0.123,
                "cause": "Unreachable",
            },
        ),
        (
            FALLBACK,
            {
                "event": "fallback served",
                "level": "info",
                "service": "orders",
                "operation": "recent",
                "reason": "CIRCUIT_OPEN",
                "age_seconds": 12.346,
            },
        ),
        (
            UNREASONED,
            {
                "event": "fallback served",
                "level": "info",
                "service": "orders",
                "operation": "recent",
                "reason": None,
                "age_seconds": 1.0,
            },
        ),
    ],
)
def test_an_event_is_one_line(event, line):
    """All of it, and nothing else."""
    assert lines(event) == [line]


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", [OPENED, RETRY, FALLBACK, ATTEMPT]),
        ("info", [OPENED, RETRY, FALLBACK]),
        ("warning", [OPENED]),
        ("error", []),
    ],
)
def test_levels(level, events):
    """A breaker is a warning; a finished attempt is for those who debug."""
    told = [event for event in [OPENED, RETRY, FALLBACK, ATTEMPT] if lines(event, level=level)]
    assert told == events


def test_a_finished_attempt_says_what_came_of_it():
    """Only when debugging."""
    (line,) = lines(ATTEMPT, level="debug")
    assert (line["attempt"], line["outcome"], line["seconds"]) == (1, "ok", 0.0123)
    assert logging.getLogger().level == logging.DEBUG
