"""What may not be held while nobody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bff.pressure import Pressure
from bff.wiring import SERVICES, Wired
from datasources.resilience.cache import ByteCache
from tests.simulation.exchanges import Exchanges


def complaints(
    wired: Wired, exchanges: Exchanges, pressure: Pressure, cache: ByteCache, most_bytes: int
) -> Iterator[str]:
    """Everything that is held all the same, or counted wrongly."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if tasks:
        yield f"quiet: {len(tasks)} tasks are left: {tasks}"
    for name in SERVICES:
        service = wired.services[name]
        held = {
            "slots": service.bulkhead.in_flight,
            "queued": service.bulkhead.queued,
            "flights": service.flights.in_flight,
            "known flights": len(service.flights._flights),
            "probes": int(service.breaker._probe_until is not None)
            if service.breaker.state == "half-open"
            else 0,
            "exchanges": len(exchanges.under_way.get(name, ())),
        }
        if any(held.values()):
            yield f"quiet: {name} holds {held}"
    if pressure.under_way:
        yield f"quiet: {pressure.under_way} operations are counted as under way"
    kept = sum(len(entry.packed) for entry in cache._entries.values())
    if kept > cache.bytes:
        yield f"cache: {kept} bytes are counted as {cache.bytes}"
    if cache.bytes > most_bytes:
        yield f"cache: {cache.bytes} bytes of at most {most_bytes}"
