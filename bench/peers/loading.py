"""Put a server under load, and see what it costs."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import machine
from programs import HERE, Upstreams
from server import Conditions, Server, headers

NOISY = 0.12
"""Share of the server's cores that others took, above which a round does not count."""

_SETTLED = 0.02
_SETTLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much is asked.

    Attributes:
        seconds: How long.
        connections: On which questions are asked, each as soon as the one before is answered.
        rate: Questions a second instead, whatever the answers do; 0 for no such rate.
    """

    seconds: float
    connections: int
    rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What was seen of one load.

    Attributes:
        connections: Of the load.
        answers: How many there were.
        per_second: Of them.
        p50_ms: Half of the answers took no longer (milliseconds, as the three below); in an open
            loop, from when the question was due.
        p90_ms: As `p50_ms`.
        p99_ms: As `p50_ms`.
        max_ms: As `p50_ms`.
        cpu_ms: Processor time of the server for each answer (milliseconds).
        cpu_share: Of one core, what the server used.
        foreign: Of one core of the server's, what others used.
        services_share: Of one core, what the services used.
        calls: Requests to services for each answer.
        errors: Questions without an answer, with another status than 200, or with errors in it.
        old: Answers that say that something in them is old or missing (`extensions.degraded`).
        memory_mib: Of the server, at the end.
        sockets: That the server holds open, at the end, when the callers have left.
        bytes_each: Of an answer, its head included.
    """

    connections: int
    answers: int
    per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    cpu_ms: float
    cpu_share: float
    foreign: float
    services_share: float
    calls: float
    errors: int
    old: int
    memory_mib: float
    sockets: int
    bytes_each: float

    @property
    def clean(self) -> bool:
        """Whether the server had its cores nearly to itself."""
        return self.foreign <= NOISY

    def told(self) -> dict[str, float]:
        """For a file."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def questions(server: Server, text: str, users: Iterable[int], path: Path) -> Path:
    """Write that query, asked by each of *users* in turn, to the file at *path*.

    Args:
        server: Who is asked.
        text: Of the query; `@USER@` stands for the id of the user.
        users: Who ask.
        path: Of the file.
    """
    with path.open("wb") as file:
        for user in users:
            body = json.dumps({"query": text.replace("@USER@", str(user))})
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers(user).items())
            wire = (
                f"POST {server.path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
                f"{fields}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
            file.write(f"{len(wire)}\n".encode() + wire + b"\n")
    return path


def settle(server: Server) -> None:
    """Wait until it does nothing any more of what it was asked before."""
    until = time.monotonic() + _SETTLE_SECONDS
    processes = server.processes
    while time.monotonic() < until:
        before = machine.cpu_seconds(processes)
        time.sleep(0.2)
        if machine.cpu_seconds(processes) - before <= _SETTLED:
            return


def measured(
    server: Server, asked: Path, load: Load, conditions: Conditions, upstreams: Upstreams
) -> Round:
    """What the server makes of the questions in that file.

    Raises:
        RuntimeError: It cannot be reached.
    """
    settle(server)
    upstreams.reset()
    command = ["taskset", "-c", conditions.load_cores] if conditions.load_cores else []
    command += [str(HERE / "load/load"), server.host, str(server.port), str(asked)]
    command += ["-c", str(load.connections), "-d", str(load.seconds), "-w", "20"]
    command += ["-r", str(load.rate)] if load.rate else []
    before = _Spent.now(server, conditions, upstreams)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=load.seconds + 60, check=False
    )
    spent = _Spent.now(server, conditions, upstreams).since(before)
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"No answers from {server.name}: {done.stderr[-300:]}")
    told = json.loads(done.stdout)
    answers = max(1, told["requests"])
    return Round(
        connections=load.connections,
        answers=told["requests"],
        per_second=told["requests"] / max(told["us"] / 1e6, 1e-6),
        p50_ms=told["p50"],
        p90_ms=told["p90"],
        p99_ms=told["p99"],
        max_ms=told["max"],
        cpu_ms=spent.server * 1000 / answers,
        cpu_share=spent.server / spent.wall,
        foreign=max(0.0, spent.cores - spent.server) / spent.wall
        if conditions.server_cores
        else 0.0,
        services_share=spent.services / spent.wall,
        calls=sum(upstreams.requests().values()) / answers,
        errors=sum(told[key] for key in ("status_bad", "net_errors", "unfinished", "gql_errors")),
        old=told["degraded"],
        memory_mib=machine.memory_mib(server.processes, "VmRSS"),
        sockets=machine.sockets(server.processes),
        bytes_each=told["bytes"] / answers,
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds: of the processor by the server, its cores, the services; of the clock."""

    server: float
    cores: float
    services: float
    wall: float

    @classmethod
    def now(cls, server: Server, conditions: Conditions, upstreams: Upstreams) -> _Spent:
        return cls(
            machine.cpu_seconds(server.processes),
            machine.busy_seconds(conditions.server_cores),
            machine.cpu_seconds([upstreams.pid]),
            time.monotonic(),
        )

    def since(self, before: _Spent) -> _Spent:
        return _Spent(
            self.server - before.server,
            self.cores - before.cores,
            self.services - before.services,
            self.wall - before.wall,
        )


def lowest_cpu(rounds: Sequence[dict[str, float]]) -> float:
    """Of all rounds: neighbours only ever add to it (CPU milliseconds a query)."""
    return min(each["cpu_ms"] for each in rounds)


def median(rounds: Sequence[dict[str, float]], key: str) -> float:
    """Over the rounds that count; over all, when none does."""
    counting = [each for each in rounds if each["foreign"] <= NOISY]
    return statistics.median(each[key] for each in counting or rounds)


def saved(path: Path) -> dict[str, Any]:
    """What a run has written to that file."""
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told
