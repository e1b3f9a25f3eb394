"""How much an answer would miss a value."""

from __future__ import annotations

from enum import IntEnum


class Importance(IntEnum):
    """Declared by whoever asks; when not everything can be had, the least goes first."""

    OPTIONAL = 1
    IMPORTANT = 2
    CRITICAL = 3
