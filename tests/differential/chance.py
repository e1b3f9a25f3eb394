"""Chance that is cheap to begin anywhere: the same words, the same luck."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_BITS = (1 << 64) - 1


def mixed(number: int, *words: object) -> int:
    """A number of 64 bits that depends on all of it."""
    for word in words:
        part = word if isinstance(word, int) else zlib.crc32(str(word).encode()) + 0x51ED
        number = ((number ^ part) * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & _BITS
        number ^= number >> 29
    return number


class Chance:
    """Draws from a sequence that *words* decide."""

    __slots__ = ("_state",)

    def __init__(self, *words: object) -> None:
        self._state = mixed(0x2545F4914F6CDD1D, *words)

    def below(self, most: int) -> int:
        """0 to *most* - 1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _BITS
        return (self._state >> 33) % most

    def happens(self, probability: float) -> bool:
        return probability > 0.0 and self.below(1 << 20) < probability * (1 << 20)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def number(self) -> int:
        """One to begin others with."""
        return self.below(1 << 30)
