"""The results of a run as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loading import NOISY, lowest_cpu, median

Results = Mapping[str, Any]
_PRECISE = 10


def names(results: Results) -> list[str]:
    """Of the servers as they are shown, in the order in which they were measured."""
    return list(dict.fromkeys(told["shown"] for told in results["servers"].values()))


def rounds(results: Results, shown: str, query: str) -> list[dict[str, float]]:
    """All rounds of that server with that query, whichever of its programs was asked."""
    return [
        each
        for told in results["servers"].values()
        if told["shown"] == shown
        for each in told["rounds"].get(query, [])
    ]


def cpu(results: Results, query: str) -> dict[str, float]:
    """Processor time a query of each server that was asked, the least first (milliseconds)."""
    found = {
        shown: lowest_cpu(seen)
        for shown in names(results)
        if (seen := rounds(results, shown, query))
    }
    return dict(sorted(found.items(), key=lambda item: item[1]))


def circumstances(results: Results) -> str:
    """When and where; and a warning, when the machine was not quiet."""
    seen = [
        each
        for told in results["servers"].values()
        for several in told["rounds"].values()
        for each in several
    ]
    clean = sum(each["foreign"] <= NOISY for each in seen)
    told = f"{results['when']}; {results['machine']}."
    if clean >= len(seen) / 2:
        return told
    return f"{told} Others used it too ({clean} of {len(seen)} rounds were clean): a first look."


def markdown(results: Results, ours: str = "") -> str:
    """A table for each query, one of memory, and under which conditions.

    Args:
        results: Of a run.
        ours: The server that the others are compared with; "" for the cheapest.
    """
    when = (
        f"{circumstances(results)} {results['connections']} connections, "
        f"{results['rounds']} rounds of {results['seconds']:g} s in turns, services that answer "
        f"after {results['delay_ms']} ms; the server on one core, services and callers on another."
    )
    lines = [when]
    for query in results["queries"]:
        lines += ["", *_of_query(results, query, ours)]
    lines += ["", *_of_memory(results)]
    return "\n".join(lines) + "\n"


def _of_query(results: Results, query: str, ours: str) -> Iterator[str]:
    costs = cpu(results, query)
    if not costs:
        return
    base = costs.get(ours, next(iter(costs.values())))
    yield from _header(
        query,
        *(
            "CPU ms",
            "median",
            "times ours" if ours in costs else "ratio",
            "answers/s",
            "p50 ms",
            "p99 ms",
        ),
        *("calls", "errors", "old", "clean rounds"),
    )
    for shown, cost in costs.items():
        seen = rounds(results, shown, query)
        wrong = any(
            not told["right"].get(query, True)
            for told in results["servers"].values()
            if told["shown"] == shown
        )
        few = f" ({seen[0]['connections']:.0f} connections)"
        yield _row(
            shown
            + (" (answers WRONGLY)" if wrong else "")
            + (few if seen[0]["connections"] != results["connections"] else ""),
            _short(cost),
            _short(median(seen, "cpu_ms")),
            f"{cost / base:.2f}",
            f"{median(seen, 'per_second'):,.0f}",
            f"{median(seen, 'p50_ms'):.1f}",
            f"{median(seen, 'p99_ms'):.1f}",
            f"{median(seen, 'calls'):.1f}",
            f"{sum(each['errors'] for each in seen):.0f}",
            f"{_share(seen, 'old'):.0%}",
            f"{sum(each['foreign'] <= NOISY for each in seen)} of {len(seen)}",
        )


def _share(seen: Sequence[dict[str, float]], key: str) -> float:
    return sum(each[key] for each in seen) / max(1, sum(each["answers"] for each in seen))


def _of_memory(results: Results) -> Iterator[str]:
    yield from _header("program", "starts in s", "idle MiB", "peak MiB")
    for name, told in results["servers"].items():
        start = told["start_seconds"]
        yield _row(
            name,
            "" if start is None else f"{start:.2f}",
            f"{told['idle_mib']:.0f}",
            f"{told.get('peak_mib', 0):.0f}",
        )


def _header(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|---|" + "---:|" * (len(titles) - 1)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _short(value: float) -> str:
    return f"{value:.3f}" if value < _PRECISE else f"{value:.1f}"


def merged(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several runs as one: the rounds of each server put together."""
    whole, *others = runs
    for other in others:
        whole["rounds"] += other["rounds"]
        for name, told in other["servers"].items():
            mine = whole["servers"].setdefault(name, told)
            if mine is told:
                continue
            for query, seen in told["rounds"].items():
                mine["rounds"].setdefault(query, []).extend(seen)
            mine["peak_mib"] = max(mine.get("peak_mib", 0), told.get("peak_mib", 0))
    return whole
