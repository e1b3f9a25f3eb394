"""The numbers of one world: sometimes the defaults, sometimes others."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from bff.settings import Settings
from bff.wiring import READS, SERVICES

SECRET = "a secret that only a simulation knows"
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for as long as a world lasts.

    Attributes:
        settings: Of the BFF.
        cache_bytes: Bound of the cache.
        trouble: Share of the time that a service is in trouble (0 to 1).
        pace: Operations in a second while somebody is there.
        strangers: Status that the orders service gives for somebody else's order.
    """

    settings: Settings
    cache_bytes: int
    trouble: float
    pace: float
    strangers: int


def draw(chance: random.Random) -> Setting:
    """One world's."""
    usual = chance.random() < 0.5
    upstreams = {name: _upstream(name, chance, usual=usual) for name in SERVICES}
    deadlines: dict[str, Any] = {}
    if not usual:
        deadlines = {
            "deadline_seconds": chance.choice((0.8, 2.0, 5.0)),
            "mutation_deadline_seconds": chance.choice((2.0, 15.0)),
        }
    settings = {
        "upstreams": upstreams,
        "auth": {"jwt_secret": SECRET, "issuer": "simulation", "audience": "bff"},
        "explorer": False,
    }
    places = 1_024 if chance.random() < 0.7 else chance.choice((2, 4, 8, 20))
    settings |= {"limits": {"operations": places}}
    return Setting(
        settings=Settings.model_validate(settings | deadlines),
        cache_bytes=64 * _MEGABYTE if chance.random() < 0.7 else chance.choice((20_000, 60_000)),
        trouble=chance.choice((0.0, 0.1, 0.3, 0.6)),
        pace=chance.choice((0.5, 1.0, 3.0)),
        strangers=chance.choice((403, 404, 200)),
    )


def _upstream(name: str, chance: random.Random, *, usual: bool) -> dict[str, Any]:
    own: dict[str, Any] = {"url": f"http://{name}.internal"}
    if chance.random() < 0.25:
        reads = sorted(READS[name])
        hedged = tuple(chance.sample(reads, chance.randint(1, len(reads))))
        own["hedge"] = {"operations": hedged, "after_seconds": chance.choice((0.03, 0.1, 0.5))}
    adaptive = chance.random() < 0.25
    if usual:
        return own | {"bulkhead": {"adaptive": adaptive}}
    stale = chance.choice((20.0, 120.0, 600.0))
    return own | {
        "timeout_read_seconds": chance.choice((0.3, 1.0, 3.0)),
        "retries": chance.choice((0, 1, 3, 3)),
        "bulkhead": {
            "limit": chance.choice((1, 2, 8, 64)),
            "queue": chance.choice((1, 4, 128)),
            "adaptive": adaptive,
        },
        "breaker": {
            "consecutive": chance.choice((3, 10, 20)),
            "minimum_calls": chance.choice((4, 10)),
            "reset_seconds": chance.choice((2.0, 10.0, 30.0)),
        },
        "cache": {"fresh_seconds": chance.choice((0.0, 2.0, 10.0)), "stale_seconds": stale},
    }
