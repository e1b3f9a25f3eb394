"""What 10,000 dashboards a second take, from what one process was seen to do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GOAL_PER_SECOND = 10_000
GOAL_P99_MS = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """For `GOAL_PER_SECOND`.

    Attributes:
        share: Of its capacity that a process is to be used to.
        per_process: Answers a second of a process then.
        processes: How many, each with a core of its own.
        gib: Memory of all of them.
        service_sockets: Connections to services of all of them.
    """

    share: float
    per_process: float
    processes: int
    gib: float
    service_sockets: int


def need(figures: Mapping[str, Any]) -> Need | None:
    """At the highest share of the capacity at which p99 was good; None when it was at none."""
    capacity = figures["capacity"]["per_second"]
    good = [
        (float(share), rounds)
        for share, rounds in figures["shares"].items()
        if _best(rounds, "p99_ms") < GOAL_P99_MS and not any(each["errors"] for each in rounds)
    ]
    if not good:
        return None
    share, rounds = max(good, key=lambda each: each[0])
    per_process = share * capacity
    processes = math.ceil(GOAL_PER_SECOND / per_process)
    sockets = max(each["sockets"] for each in rounds)
    return Need(
        share=share,
        per_process=per_process,
        processes=processes,
        gib=processes * figures["peak_mib"] / 1024,
        service_sockets=processes * round(sockets),
    )


def markdown(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures, and what follows."""
    capacity = figures["capacity"]
    yield (
        f"{figures['when']}; {figures['machine']}. One process on one core, services that answer "
        f"after {figures['delay_ms']} ms."
    )
    yield ""
    yield (
        f"The capacity is {capacity['per_second']:,.0f} dashboards a second, at "
        f"{capacity['cpu_ms']:.2f} ms of the processor each, with {capacity['connections']:.0f} "
        f"callers who ask again at once (p99 {capacity['p99_ms']:.0f} ms). Memory: "
        f"{figures['idle_mib']:.0f} MiB after the warm-up, {figures['peak_mib']:.0f} MiB at most."
    )
    yield ""
    yield "| share | asked/s | p50 ms | p99 ms | longest ms | core used | errors | old |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for share, rounds in figures["shares"].items():
        yield (
            f"| {float(share):.0%} | {float(share) * capacity['per_second']:,.0f} "
            f"| {_best(rounds, 'p50_ms'):.1f} | {_best(rounds, 'p99_ms'):.1f} "
            f"| {_best(rounds, 'max_ms'):.1f} | {_best(rounds, 'cpu_share'):.0%} "
            f"| {_sum(rounds, 'errors'):.0f} "
            f"| {_sum(rounds, 'old') / max(1.0, _sum(rounds, 'answers')):.0%} |"
        )
    yield ""
    needed = need(figures)
    if needed is None:
        yield f"At none of these shares was p99 below {GOAL_P99_MS:.0f} ms."
        return
    yield (
        f"{GOAL_PER_SECOND:,} dashboards a second with a p99 below {GOAL_P99_MS:.0f} ms, each "
        f"process used to {needed.share:.0%}, that is for {needed.per_process:,.0f} a second:"
    )
    yield ""
    yield "| cores | memory | connections to services |"
    yield "|---:|---:|---:|"
    yield f"| {needed.processes} | {needed.gib:.1f} GiB | {needed.service_sockets:,} |"


def _best(rounds: Sequence[Mapping[str, float]], key: str) -> float:
    return min(each[key] for each in rounds)


def _sum(rounds: Sequence[Mapping[str, float]], key: str) -> float:
    return sum(each[key] for each in rounds)
