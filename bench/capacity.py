"""How many dashboards one process answers a second, and how soon, at a rate that does not wait.

The services take 20 ms. First as many callers ask as it takes to have the processor busy: what is
answered then is the capacity. Then questions come at shares of that rate, whatever becomes of the
answers, and the time of each runs from the instant at which it was due (no coordinated omission).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import machine
from answers import text_of
from field import chosen
from growth import OURS
from loading import Load, Round, measured, questions
from programs import Upstreams
from server import Conditions, Server

DELAY_MS = 20
_WARMUP_SECONDS = 4.0
_CALLERS = (32, 64, 96)
_SHARES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)
_OPEN_CONNECTIONS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes:
        rounds: Of each load.
        seconds: Of a round.
    """

    rounds: int
    seconds: float


def _best(rounds: Sequence[Round]) -> Round:
    """The round with the most answers a second; what was refused is no answer.

    Raises:
        RuntimeError: Something was refused in every round.
    """
    whole = [seen for seen in rounds if not seen.errors]
    if not whole:
        raise RuntimeError("In every round some questions were refused: is the machine busy?")
    return max(whole, key=lambda seen: seen.per_second)


def measure(upstreams: Upstreams, extent: Extent, conditions: Conditions) -> dict[str, Any]:
    """The capacity, and what was seen at each share of it.

    Raises:
        RuntimeError: There is no telling it: see `_best`.
    """
    entry = chosen("none", [str(OURS)], [])[0]
    server = Server(entry, conditions)
    path = conditions.folder / "capacity.requests"

    def taken(load: Load) -> Round:
        seen = measured(server, path, load, conditions, upstreams)
        asked = f"{load.rate:.0f}/s" if load.rate else f"{load.connections} callers"
        print(
            f"capacity: {asked:12} {seen.per_second:8.1f}/s  CPU {seen.cpu_ms:.3f} ms"
            f"  p50 {seen.p50_ms:.1f}  p99 {seen.p99_ms:.1f} ms  others {seen.foreign:.2f}"
            f"  errors {seen.errors}",
            flush=True,
        )
        return seen

    try:
        upstreams.set(delay=0)
        server.start()
        upstreams.set(delay=DELAY_MS)
        text = text_of(entry, "q1")
        questions(server, text, range(1, conditions.users + 1), path)
        taken(Load(seconds=_WARMUP_SECONDS, connections=_CALLERS[0]))
        idle = machine.memory_mib(server.processes, "VmRSS")
        closed = [
            taken(Load(seconds=extent.seconds, connections=callers))
            for _ in range(extent.rounds)
            for callers in _CALLERS
        ]
        most = _best(closed)
        shares: dict[str, list[dict[str, float]]] = {}
        for _ in range(extent.rounds):
            for share in _SHARES:
                load = Load(
                    seconds=extent.seconds,
                    connections=_OPEN_CONNECTIONS,
                    rate=share * most.per_second,
                )
                shares.setdefault(f"{share:g}", []).append(taken(load).told())
        peak = machine.memory_mib(server.processes)
    finally:
        server.stop()
    return {
        "delay_ms": DELAY_MS,
        "capacity": most.told(),
        "shares": shares,
        "idle_mib": round(idle, 1),
        "peak_mib": round(peak, 1),
    }
