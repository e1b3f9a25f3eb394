"""Bytes under keys, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

import msgspec

Key = tuple[str, str, str, str]
"""Service, operation, principal ("" for everybody), name of the thing."""

MAX_BYTES = 64 * 1024 * 1024
MAX_ITEM_BYTES = 256 * 1024

_ENTRY_BYTES = 600
"""What an entry takes besides its bytes: key, record and links (measured with tracemalloc)."""


class Entry(msgspec.Struct, frozen=True):
    """One kept value.

    Attributes:
        packed: The value.
        as_of: When the service said it (UTC).
        said: When that was (monotonic seconds).
        fresh_until: Until when nobody need ask again (monotonic seconds).
        stale_until: Until when it is better than nothing (monotonic seconds).
        asked: When it was asked for, in `writes.Writes` of its service.
    """

    packed: bytes
    as_of: datetime
    said: float
    fresh_until: float
    stale_until: float
    asked: int


class ByteCache:
    """Least recently used out first.

    Args:
        max_bytes: Most bytes kept, keys and bookkeeping included.
        max_item_bytes: Larger values are not kept.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_item_bytes: int = MAX_ITEM_BYTES) -> None:
        self._max_bytes = max_bytes
        self._max_item_bytes = max_item_bytes
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self.bytes = 0

    def get(self, key: Key) -> Entry | None:
        """What is kept under *key*, however old."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def peek(self, key: Key) -> Entry | None:
        """As `get`, and does not count as use."""
        return self._entries.get(key)

    def put(self, key: Key, entry: Entry) -> None:
        """Keep *entry* under *key*, in place of what was there."""
        if len(entry.packed) > self._max_item_bytes:
            self.drop(key)
            return
        old = self._entries.get(key)
        self._entries[key] = entry
        if old is None:
            self.bytes += _size(key, entry)
        else:
            self._entries.move_to_end(key)
            self.bytes += len(entry.packed) - len(old.packed)
        while self.bytes > self._max_bytes:
            oldest, evicted = self._entries.popitem(last=False)
            self.bytes -= _size(oldest, evicted)

    def drop(self, key: Key) -> None:
        """Forget what is kept under *key*."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= _size(key, entry)

    def __len__(self) -> int:
        return len(self._entries)


def _size(key: Key, entry: Entry) -> int:
    return _ENTRY_BYTES + len(entry.packed) + sum(map(len, key))
