"""What was used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Bounded(Generic[K, T]):
    """Least recently used out first.

    Args:
        most_bytes: What all values may cost together; one that costs more by itself is not kept.

    Attributes:
        size: What they cost now.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._entries: OrderedDict[K, tuple[T, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> T | None:
        """What is kept under *key*."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: T, cost: int) -> None:
        """Keep *value*, in place of what was there.

        Args:
            key: Where to find it again.
            value: What to keep.
            cost: What it takes (bytes), its key and the bookkeeping included.
        """
        self.drop(key)
        if cost > self._most:
            return
        self._entries[key] = (value, cost)
        self.size += cost
        while self.size > self._most:
            _, (_, freed) = self._entries.popitem(last=False)
            self.size -= freed

    def drop(self, key: K) -> None:
        """Forget what is kept under *key*."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry[1]
