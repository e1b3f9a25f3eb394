"""A service, and a record of what was announced."""

import pytest

from datasources.events import Event, Events
from tests.unit.resilience.stories import Service


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def announced():
    """Everything published, in order."""
    return []


@pytest.fixture
def events(announced: list[Event]):
    events = Events()
    events.subscribe(announced.append)
    return events
