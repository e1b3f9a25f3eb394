"""How the program logs: one line for each fact, on standard error.

The lines of structlog and those of the standard library (uvicorn, asyncio) come out alike.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bff.settings import LogSettings
from bff.telemetry.redaction import redact
from datasources.scope import current_scope

_THEIRS = {
    "uvicorn": logging.NOTSET,
    "uvicorn.error": logging.NOTSET,
    "uvicorn.access": logging.NOTSET,
    "asyncio": logging.NOTSET,
    "httpx": logging.WARNING,
    "strawberry.execution": logging.CRITICAL,
}
"""Least levels of foreign loggers. httpx would show every URL, and Strawberry whole documents; the
endpoint logs what fails in resolvers itself."""


def configure_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; called once, by the command.

    Whoever starts uvicorn after this gives it `log_config=None`, or it sets up its own.

    Args:
        settings: Least level and format.
        stream: Where the lines go; standard error unless given.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    facts: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_request_id,
    ]
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=facts,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings, colors=out.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _THEIRS.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(least)
    structlog.configure(
        processors=[*facts, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: say which request a line belongs to, if it belongs to one."""
    with contextlib.suppress(LookupError):
        event.setdefault("request_id", current_scope().request_id)
    return event


def _rendering(settings: LogSettings, *, colors: bool) -> list[Processor]:
    """Tracebacks become text before secrets are hidden, and show no variables."""
    renderer: Processor = structlog.processors.JSONRenderer(
        serializer=json.dumps, default=_type_name
    )
    if settings.format == "console":
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    return [structlog.processors.format_exc_info, redact, renderer]


def _type_name(value: object) -> str:
    """Stands for a value that JSON has no word for; its text could say anything."""
    return type(value).__name__
