"""How a service behaves when: calm, with spells of trouble, each with its own odds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weather:
    """What may happen to one exchange.

    Attributes:
        odds: Probability of each fault; the rest goes well.
        latency: Mean time until the service begins to answer (seconds).
    """

    odds: Mapping[str, float]
    latency: float = 0.03


_WELL = 0.01
"""Latency of a service that is healed for good (seconds)."""
_MOSTLY = Weather(
    dict.fromkeys(("reset", "503", "hang", "garbage", "trickle", "429-after"), 0.0015)
)
SPELLS: Mapping[str, Weather] = {
    "fails": Weather({"503": 0.5, "500": 0.5}),
    "refuses connections": Weather({"refuse": 1.0}),
    "resets": Weather({"reset": 0.5, "reset-late": 0.5}),
    "hangs": Weather({"hang": 0.7, "hang-late": 0.3}),
    "speaks nonsense": Weather(
        {"garbage": 0.2, "html": 0.2, "gzip": 0.1, "foreign": 0.2, "oversized": 0.1, "204": 0.1}
        | {"302": 0.05, "418": 0.05}
    ),
    "breaks off": Weather({"truncate": 0.8}),
    "trickles": Weather({"trickle": 0.7}),
    "flickers": Weather(
        {"500": 0.1, "503": 0.1, "reset": 0.1, "reset-late": 0.03, "truncate": 0.03, "hang": 0.02}
    ),
    "flickers harder": Weather({"503": 0.25, "reset": 0.2, "429": 0.1}),
    "is busy": Weather({"429": 0.6, "408": 0.1}),
    "is busy for a while": Weather({"429-after": 0.5, "503-after": 0.1, "429-date": 0.2}),
    "locks us out": Weather({"401": 1.0}),
    "locks some out": Weather({"401": 0.3, "403": 0.3}),
    "is slow": Weather({}, latency=0.4),
    "is very slow": Weather({"503": 0.1}, latency=2.0),
    "crawls": Weather({"hang": 0.2}, latency=4.0),
}


class Climate:
    """The weather of one service over time.

    Args:
        chance: Draws the spells and each exchange's fate.
        seconds: After that it is calm for ever.
        share: Of the time that is spent in trouble (0 to 1).
    """

    def __init__(self, chance: random.Random, seconds: float, share: float) -> None:
        self._chance = chance
        self._seconds = seconds
        self._spells: list[tuple[float, float, str]] = []
        now = 0.0
        while share:
            length = chance.choice((5.0, 20.0, 60.0, 180.0)) * chance.uniform(0.5, 1.5)
            now += length * chance.expovariate(1.0) * (1.0 - share) / share
            if now >= seconds:
                break
            name = chance.choice(list(SPELLS))
            self._spells.append((now, min(now + length, seconds), name))
            now += length

    def at(self, now: float) -> str:
        """The name of the spell, "calm" for none."""
        return next((name for start, end, name in self._spells if start <= now < end), "calm")

    def fate(self, now: float) -> tuple[str, float]:
        """A fault, "" for none, and the latency (seconds) of an exchange that begins *now*."""
        if now >= self._seconds:
            return "", _WELL
        weather = SPELLS.get(self.at(now), _MOSTLY)
        drawn, fault = self._chance.random(), ""
        for name, odds in weather.odds.items():
            drawn -= odds
            if drawn < 0.0:
                fault = name
                break
        return fault, 0.002 + self._chance.expovariate(1.0 / weather.latency)
