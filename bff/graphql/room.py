"""What is remembered by text, within a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Room(Generic[T]):
    """Keeps what was used last.

    Args:
        most_bytes: What all entries may take together, as those who put them say.

    Attributes:
        size: What they take now.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, text: str) -> T | None:
        """What was put under *text*, if it is still there; now it was used last."""
        entry = self._entries.get(text)
        if entry is None:
            return None
        self._entries.move_to_end(text)
        return entry[0]

    def put(self, text: str, value: T, cost: int) -> None:
        """Keep *value*, which takes *cost* bytes, unless that is more than all may take."""
        if cost > self._most:
            return
        self._entries[text] = (value, cost)
        self.size += cost
        while self.size > self._most:
            _, (_, freed) = self._entries.popitem(last=False)
            self.size -= freed
