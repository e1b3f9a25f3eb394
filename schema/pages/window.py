"""Part of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Generic[R]):
    """What a page shows.

    Attributes:
        records: Newest first.
        cursors: The place of each, in the same order.
        has_next: Whether anything follows.
        has_previous: Whether anything precedes.
    """

    records: Sequence[R]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
