"""What an outage looks like from outside: a real server, five services, questions at a fixed rate.

    outage    one service fails every call for a while, with everybody's last good answers at hand
    cold      many callers at once want what nobody has asked for
    recovery  many callers wait while a service that was down is tried again
    stall     all services stand still for a second, under load

The figures depend on the machine; the counts do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from open_loop import Answer, Target, quantile, steadily
from processes import Server, Upstreams, server, token, upstreams

_PROJECT = Path(__file__).resolve().parents[1]
_DASHBOARD = (_PROJECT / "examples/queries/dashboard.graphql").read_text("utf-8")
_CALLERS = 1_000
_USERS = 100
_RESET_SECONDS = 5.0


def dashboards(target: Target, users: int) -> list[bytes]:
    """The dashboard of so many users, as it goes over the wire."""
    body = json.dumps({"query": _DASHBOARD}).encode()
    return [target.wire(body, token(user)) for user in range(1, users + 1)]


def complete(answer: Answer) -> bool:
    """Whether every section has a value, live or marked as old."""
    return answer.status == 200 and b'"errors"' not in answer.body  # noqa: PLR2004


def report(name: str, answers: Sequence[Answer]) -> None:
    """Print one line for a person and a script alike."""
    seconds = [answer.seconds for answer in answers]
    whole = sum(map(complete, answers))
    old = sum(b'"served":"STALE"' in answer.body for answer in answers)
    print(
        f"{name}: asked={len(answers)} complete={whole / max(1, len(answers)):.3%} stale={old} "
        f"p50_ms={quantile(seconds, 0.5) * 1e3:.1f} p99_ms={quantile(seconds, 0.99) * 1e3:.1f} "
        f"max_ms={max(seconds, default=0.0) * 1e3:.1f}"
    )


async def outage(served: Server, services: Upstreams, rate: float, seconds: float) -> None:
    """The orders service answers 503 for that long, at that rate, after everybody has asked."""
    target = Target(served.url)
    wires = dashboards(target, _USERS)
    report("outage, before", await steadily(target, wires, rate=rate, seconds=_USERS / rate + 2))
    services.become("orders", "error")
    begun = time.monotonic()
    report("outage, during", await steadily(target, wires, rate=rate, seconds=seconds))
    services.become("orders", "none")
    reached = [at - begun for at in services.asked("orders") if at >= begun]
    first = [at for at in reached if at < _RESET_SECONDS]
    print(
        f"outage: requests_until_open={len(first)} "
        f"probes={len(reached) - len(first)} in {seconds - _RESET_SECONDS:g} s, "
        f"reset_seconds={_RESET_SECONDS:g} to {_RESET_SECONDS * 1.1:g}"
    )
    await asyncio.sleep(_RESET_SECONDS * 1.1)
    report("outage, after", await steadily(target, wires, rate=rate, seconds=2.0))
    target.close()


async def cold(served: Server, services: Upstreams, **_: float) -> None:
    """A thousand callers at once ask for one product that nobody has asked for."""
    target = Target(served.url)
    body = json.dumps({"query": '{ product(id: "7") { name } }'}).encode()
    wire = target.wire(body, token(1))
    services.become("products", "hang")
    before = len(services.asked("products"))
    asking = [asyncio.create_task(target.ask(wire, time.monotonic())) for _ in range(_CALLERS)]
    await asyncio.sleep(2.0)
    services.become("products", "none")
    report("cold", await asyncio.gather(*asking))
    print(f"cold: callers={_CALLERS} requests={len(services.asked('products')) - before}")
    target.close()


async def recovery(served: Server, services: Upstreams, **_: float) -> None:
    """A service was down; a thousand callers, each with a question of their own, are there."""
    target = Target(served.url)
    body = json.dumps({"query": "{ me { name } }"}).encode()
    wires = [target.wire(body, token(user)) for user in range(10_001, 10_001 + _CALLERS)]
    services.become("users", "error")
    await asyncio.gather(*(target.ask(wire, time.monotonic()) for wire in wires[:40]))
    await asyncio.sleep(_RESET_SECONDS * 1.1)
    services.become("users", "hang")
    before = len(services.asked("users"))
    asking = [asyncio.create_task(target.ask(wire, time.monotonic())) for wire in wires]
    await asyncio.sleep(2.0)
    probes = len(services.asked("users")) - before
    services.become("users", "none")
    await asyncio.gather(*asking)
    print(f"recovery: callers={_CALLERS} probes={probes}")
    target.close()


async def stall(served: Server, services: Upstreams, rate: float, seconds: float) -> None:
    """All services stand still for a second while questions keep coming."""
    target = Target(served.url)
    wires = dashboards(target, int(rate * seconds))  # a user each: nobody has anything kept
    asking = asyncio.create_task(steadily(target, wires, rate=rate, seconds=seconds))
    await asyncio.sleep(seconds / 3)
    stalled = time.monotonic()
    for service in services.ports:
        if service != "control":
            services.become(service, "hang")
    await asyncio.sleep(1.0)
    for service in services.ports:
        if service != "control":
            services.become(service, "none")
    answers = await asking
    for name, start, end in (
        ("stall, before", -60.0, 0.0),
        ("stall, during", 0.0, 1.0),
        *((f"stall, second {n} after", float(n), n + 1.0) for n in range(1, 5)),
        ("stall, later", 5.0, 60.0),
    ):
        report(name, [each for each in answers if start <= each.at - stalled < end])
    target.close()


SCENARIOS: dict[str, Callable[..., Awaitable[None]]] = {
    "outage": outage,
    "cold": cold,
    "recovery": recovery,
    "stall": stall,
}


async def measure(names: Sequence[str], rate: float, seconds: float) -> None:
    """Run the scenarios, each against a server of its own."""
    settings = {
        f"BFF_UPSTREAMS__{name}__BREAKER__RESET_SECONDS": f"{_RESET_SECONDS:g}"
        for name in ("USERS", "ORDERS", "PRODUCTS", "PAYMENTS", "NOTIFICATIONS")
    }
    for name in names:
        with upstreams() as services, server(services, settings) as served:
            await SCENARIOS[name](served, services, rate=rate, seconds=seconds)
            print(
                f"{name}: resident_mib={served.resident_mib():.0f} cpu={served.cpu_seconds():.1f}"
            )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    parser.add_argument("--rate", type=float, default=200.0, help="questions a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long")
    options = parser.parse_args()
    asyncio.run(measure(options.scenarios, options.rate, options.seconds))


if __name__ == "__main__":
    main()
