"""What the engine says to what it leaves to graphql-core."""

from __future__ import annotations


class NotCompilable(Exception):
    """The operation needs what the engine does not do; the message says what, for people."""
