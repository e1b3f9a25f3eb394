"""Logging is the process's own: what a story sets up, it puts back."""

import logging

import pytest
import structlog

from bff.telemetry import logs


@pytest.fixture(autouse=True)
def restored():
    """Loggers and structlog are afterwards as they were before."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logs._THEIRS)]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    configuration = structlog.get_config()
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
    structlog.configure(**configuration)
