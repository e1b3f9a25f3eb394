"""One run: all servers under the same load, in turns."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from answers import right, text_of, truth
from field import Entry
from loading import NOISY, Load, Round, measured, questions
from programs import Upstreams
from server import Conditions, Server

_SLICE_SECONDS = 2.0
_ENOUGH_SLICES = 3
_STEADY = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured.

    Attributes:
        queries: In this order.
        rounds: For each server and query.
        seconds: Of a round.
        warmup_seconds: At most, before the rounds of a query.
        connections: At once.
        delay_ms: That every service waits before it answers.
        again: How often a round is repeated while others use the server's cores.
    """

    queries: tuple[str, ...]
    rounds: int
    seconds: float
    warmup_seconds: float
    connections: int
    delay_ms: int
    again: int


class Run:
    """All of it.

    Args:
        entries: Who is measured.
        extent: How much.
        conditions: The same for all.
    """

    def __init__(self, entries: Sequence[Entry], extent: Extent, conditions: Conditions) -> None:
        self._servers = [Server(entry, conditions, number) for number, entry in enumerate(entries)]
        self._extent = extent
        self._conditions = conditions
        self._results: dict[str, dict[str, Any]] = {}
        self._upstreams: Upstreams

    def measure(self) -> dict[str, Any]:
        """The results, ready to be written as JSON."""
        extent = self._extent
        self._upstreams = Upstreams(
            self._conditions.load_cores, self._conditions.folder / "mock.log"
        )
        try:
            self._take()
        finally:
            for server in self._servers:
                server.stop()
            self._upstreams.stop()
        return {
            "when": time.strftime("%Y-%m-%d %H:%M"),
            "machine": machine.description(),
            "rounds": extent.rounds,
            "seconds": extent.seconds,
            "connections": extent.connections,
            "delay_ms": extent.delay_ms,
            "queries": list(extent.queries),
            "servers": self._results,
        }

    def _take(self) -> None:
        up = [server for server in self._servers if self._began(server)]
        self._upstreams.set(delay=self._extent.delay_ms)
        for server in up:
            for query in self._queries(server):
                self._warm(server, query)
        for number in range(1, self._extent.rounds + 1):
            for server in up:
                for query in self._queries(server):
                    self._round(number, server, query)
        for server in up:
            peak = machine.memory_mib(server.processes)
            self._results[server.name]["peak_mib"] = round(peak, 1)

    def _queries(self, server: Server) -> list[str]:
        return [query for query in self._extent.queries if query in server.entry.queries]

    def _began(self, server: Server) -> bool:
        """Start it, and see whether its answers are right; a server that cannot is left out."""
        if not self._queries(server):
            return False
        try:
            server.start()
            answers = {query: self._is_right(server, query) for query in self._queries(server)}
        except (OSError, RuntimeError) as problem:
            print(f"{server.name}: left out: {problem}", flush=True)
            server.stop()
            return False
        self._results[server.name] = {
            "what": server.entry.what,
            "shown": server.entry.shown or server.name,
            "start_seconds": server.start_seconds,
            "idle_mib": round(machine.memory_mib(server.processes, "VmRSS"), 1),
            "right": answers,
            "rounds": {query: [] for query in answers},
        }
        return True

    @staticmethod
    def _is_right(server: Server, query: str) -> bool:
        answer = server.ask(query, 1)
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        return right(data, truth(query, 1))

    def _load(self, server: Server, query: str, seconds: float) -> Round:
        connections = self._extent.connections
        connections = min(connections, server.entry.most_connections.get(query, connections))
        path = self._conditions.folder / f"{server.name}-{query}.requests"
        if not path.exists():
            users = range(1, self._conditions.users + 1)
            questions(server, text_of(server.entry, query), users, path)
        load = Load(seconds=seconds, connections=connections)
        return measured(server, path, load, self._conditions, self._upstreams)

    def _warm(self, server: Server, query: str) -> None:
        """Until it gets no cheaper: compilers at run time need that."""
        seen: list[float] = []
        until = time.monotonic() + self._extent.warmup_seconds
        while time.monotonic() < until:
            length = min(_SLICE_SECONDS, self._extent.warmup_seconds)
            seen.append(self._load(server, query, length).cpu_ms)
            if len(seen) >= _ENOUGH_SLICES and seen[-1] > _STEADY * min(seen[-3:-1]):
                break
        told = " ".join(f"{value:.3f}" for value in seen)
        print(f"warm-up   {server.name:15} {query} CPU ms a query {told}", flush=True)

    def _round(self, number: int, server: Server, query: str) -> None:
        rounds = [self._load(server, query, self._extent.seconds)]
        while rounds[-1].foreign > NOISY and len(rounds) <= self._extent.again:
            rounds.append(self._load(server, query, self._extent.seconds))
        seen = min(rounds, key=lambda each: each.foreign)
        self._results[server.name]["rounds"][query].append(seen.told())
        print(
            f"round {number:<3} {server.name:15} {query} {seen.per_second:9.1f}/s"
            f"  p50 {seen.p50_ms:8.2f}  p99 {seen.p99_ms:8.2f} ms  CPU {seen.cpu_ms:7.3f} ms"
            f"  share {seen.cpu_share:.2f}  others {seen.foreign:.2f}"
            f"  services {seen.services_share:.2f}  calls {seen.calls:.2f}  errors {seen.errors}",
            flush=True,
        )


def check(entries: Sequence[Entry], queries: Sequence[str], conditions: Conditions) -> int:
    """Ask every server every query once; the number of wrong answers."""
    upstreams = Upstreams(conditions.load_cores, conditions.folder / "mock.log")
    wrong = 0
    try:
        for entry in entries:
            server = Server(entry, conditions)
            try:
                server.start()
                for query in queries:
                    if query not in entry.queries:
                        continue
                    wrong += not _checked(server, query, upstreams)
            except (OSError, RuntimeError) as problem:
                wrong += 1
                print(f"{entry.name:15} not checked: {problem}", flush=True)
            finally:
                server.stop()
    finally:
        upstreams.stop()
    return wrong


def _checked(server: Server, query: str, upstreams: Upstreams) -> bool:
    wanted = truth(query, 7)
    server.ask(query, 8)
    upstreams.reset()
    answer = server.ask(query, 7)
    calls = sum(upstreams.requests().values())
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    good = right(data, wanted)
    verdict = "right" if good else f"WRONG: {answer.raw[:300]!r}"
    print(f"{server.name:15} {query} {verdict}  status {answer.status}, {calls} calls", flush=True)
    return good


def write(path: Path, results: dict[str, Any]) -> None:
    """As JSON, for `tables.py` and for later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"saved {path}")
