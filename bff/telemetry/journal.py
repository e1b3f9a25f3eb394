"""What policies announce, for the journal of the operation in which it happened."""

from __future__ import annotations

from datasources.events import Event
from datasources.scope import current_journal


def tell_journal(event: Event) -> None:
    """Note *event* in the journal at hand, if there is one. A `datasources.events.Subscriber`."""
    journal = current_journal()
    if journal is not None:
        journal.note(event)
