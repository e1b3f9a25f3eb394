"""How the cost of a query grows with what it asks for, and with what it meets."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from field import Entry, chosen
from loading import Load, measured, questions
from programs import Upstreams
from server import Conditions, Server

OURS = Path(__file__).resolve().parent / "ours.toml"
_WARMUP_SECONDS = 2.0
_DASHBOARD = (
    "{ dashboard { user { id name email } recentOrders(limit: %d) { id status"
    " total { amount currency } items { quantity product { id name price { amount currency } } } }"
    " notifications(unread: true) { id message } } }"
)
_POSTS = "{ posts(first: %d) { id userId title user { id name email } } }"
_USUAL_CALLERS, _FEW_CALLERS = 64, 8
_REGULARS = 20
_KEPT_SECONDS = "300"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes:
        rounds: Of each point; those of a curve are taken in turns.
        seconds: Of a round.
    """

    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One point of a curve.

    Attributes:
        x: Where it stands.
        server: Who is asked.
        text: Of the query.
        users: Who ask, for each round anew.
        connections: On which they ask.
        delay_ms: That the services wait.
    """

    x: float
    server: Server
    text: str
    users: Callable[[], Iterable[int]]
    connections: int = _USUAL_CALLERS
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """What was seen.

    Attributes:
        title: What it shows.
        axis: What x is.
        points: Rounds by x.
    """

    title: str
    axis: str
    points: dict[float, list[dict[str, float]]] = field(
        default_factory=dict[float, list[dict[str, float]]]
    )

    def told(self) -> dict[str, Any]:
        """For a file."""
        points = [{"x": x, "rounds": rounds} for x, rounds in self.points.items()]
        return {"title": self.title, "axis": self.axis, "points": points}


class Growth:
    """Measures curves, one after the other.

    Args:
        upstreams: The services.
        extent: How much is measured.
        conditions: The same for all.
    """

    def __init__(self, upstreams: Upstreams, extent: Extent, conditions: Conditions) -> None:
        self._upstreams = upstreams
        self._extent = extent
        self._conditions = conditions
        self._never_asked = itertools.count(1_001)
        self._chance = random.Random(4)  # noqa: S311 - to mix, not to hide
        product, posts = chosen("none", [str(OURS)], [])[:2]
        self._product, self._posts = product, posts

    def curves(self) -> dict[str, dict[str, Any]]:
        """All, by name."""
        return {
            "orders": self._orders(),
            "list": self._list(),
            "callers": self._callers(),
            "latency": self._latency(),
            "hits": self._hits(),
            "services": self._services(),
        }

    def _orders(self) -> dict[str, Any]:
        with self._serving(self._product) as server:
            cases = [
                Case(
                    x=limit,
                    server=server,
                    text=_DASHBOARD % limit,
                    users=self._everybody,
                    connections=_FEW_CALLERS,
                )
                for limit in (5, 10, 20, 40, 70, 100)
            ]
            return self._measure("Orders on a dashboard", "orders", cases)

    def _list(self) -> dict[str, Any]:
        with self._serving(self._posts) as server:
            cases = [
                Case(
                    x=size,
                    server=server,
                    text=_POSTS % size,
                    users=self._everybody,
                    connections=1,
                )
                for size in (10, 100, 1_000, 3_000, 10_000)
            ]
            return self._measure("Objects in a list", "posts, each with its user", cases)

    def _callers(self) -> dict[str, Any]:
        with self._serving(self._product) as server:
            cases = [
                Case(
                    x=callers,
                    server=server,
                    text=_DASHBOARD % 5,
                    users=self._everybody,
                    connections=callers,
                )
                for callers in (1, 4, 16, 64, 256, 1_024)
            ]
            return self._measure("Callers at the same time", "callers", cases)

    def _latency(self) -> dict[str, Any]:
        with self._serving(self._product) as server:
            cases = [
                Case(
                    x=delay,
                    server=server,
                    text=_DASHBOARD % 5,
                    users=self._everybody,
                    connections=_FEW_CALLERS,
                    delay_ms=delay,
                )
                for delay in (0, 5, 20, 50, 100, 200)
            ]
            return self._measure("Latency of the services", "ms", cases)

    def _hits(self) -> dict[str, Any]:
        """Answers of services are kept; so many of the callers have asked before."""
        fresh = {
            f"BFF_UPSTREAMS__{name}__CACHE__FRESH_SECONDS": _KEPT_SECONDS
            for name in ("USERS", "ORDERS", "PRODUCTS", "NOTIFICATIONS")
        }
        entry = replace(self._product, variables={**self._product.variables, **fresh})
        with self._serving(entry) as server:
            cases = [
                Case(x=share, server=server, text=_DASHBOARD % 5, users=self._mixed(share))
                for share in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
            ]
            return self._measure("Answers that are kept", "share of the callers", cases)

    def _services(self) -> dict[str, Any]:
        with contextlib.ExitStack() as stack:
            cases: list[Case] = []
            for number, count in enumerate((1, 2, 5, 10, 15, 20)):
                server = stack.enter_context(self._serving(_many(count), number))
                fields = " ".join(f"service{n} {{ id name email }}" for n in range(1, count + 1))
                cases.append(
                    Case(x=count, server=server, text=f"{{ {fields} }}", users=self._everybody)
                )
            return self._measure("Services asked by a query", "services", cases)

    def _everybody(self) -> Iterable[int]:
        return range(1, self._conditions.users + 1)

    def _mixed(self, share: float) -> Callable[[], Iterable[int]]:
        """Regulars for that share of the questions, and else users that have never asked."""

        def users() -> Iterable[int]:
            asked = 20_000 if share < 1.0 else _REGULARS
            for number in range(asked):
                regular = number < _REGULARS or self._chance.random() < share
                yield number % _REGULARS + 1 if regular else next(self._never_asked)

        return users

    @contextlib.contextmanager
    def _serving(self, entry: Entry, number: int = 0) -> Generator[Server]:
        self._upstreams.set(delay=0)
        server = Server(entry, self._conditions, number)
        try:
            server.start()
            yield server
        finally:
            server.stop()

    def _measure(self, title: str, axis: str, cases: Sequence[Case]) -> dict[str, Any]:
        curve = Curve(title, axis)
        for case in cases:
            self._round(case, _WARMUP_SECONDS)
        for _ in range(self._extent.rounds):
            for case in cases:
                seen = self._round(case, self._extent.seconds)
                curve.points.setdefault(case.x, []).append(seen)
                print(
                    f"{title:26} {case.x:>8g} {seen['per_second']:9.1f}/s"
                    f"  CPU {seen['cpu_ms']:8.3f} ms  p50 {seen['p50_ms']:8.2f}"
                    f"  p99 {seen['p99_ms']:8.2f} ms  errors {seen['errors']:.0f}",
                    flush=True,
                )
        return curve.told()

    def _round(self, case: Case, seconds: float) -> dict[str, float]:
        self._upstreams.set(delay=case.delay_ms)
        path = self._conditions.folder / "growth.requests"
        questions(case.server, case.text, case.users(), path)
        load = Load(seconds=seconds, connections=case.connections)
        return measured(case.server, path, load, self._conditions, self._upstreams).told()


def _many(count: int) -> Entry:
    """The generated graph with so many services; see `bench/graph/services.py`."""
    command = (".venv/bin/python", "-m", "bench.graph", "services", "--count", str(count))
    return Entry(
        name=f"{count} services",
        what="a generated graph",
        command=(*command, "--port", "{port}", "--services", "http://127.0.0.1:{users}"),
        folder=OURS.parents[1],
        variables={"BENCH_SECRET": "{secret}"},
        queries=(),
    )
