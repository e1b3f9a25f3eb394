"""More dashboards a second than the server can answer: what is answered, what is refused, how fast.

First some clients ask in turns to find out what the server can do; then several times as many
questions come at a fixed rate, whatever the answers do. The five services and this script share the
machine with the server, so give it a machine of its own for figures that mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from open_loop import Answer, Target, quantile, steadily
from processes import Server, server, token, upstreams

_PROJECT = Path(__file__).resolve().parents[1]
_DASHBOARD = (_PROJECT / "examples/queries/dashboard.graphql").read_text("utf-8")
_USERS = 200
_CLIENTS = 32
_OK, _REFUSED = 200, 503


async def capacity(target: Target, wires: Sequence[bytes], seconds: float) -> float:
    """Dashboards a second, to clients who each ask again as soon as they are answered."""
    until = time.monotonic() + seconds
    done = 0

    async def client(number: int) -> None:
        nonlocal done
        while time.monotonic() < until:
            await target.ask(wires[(number + done) % len(wires)], time.monotonic())
            done += 1

    begun = time.monotonic()
    await asyncio.gather(*map(client, range(_CLIENTS)))
    return done / (time.monotonic() - begun)


def report(name: str, answers: Sequence[Answer], seconds: float) -> None:
    """Print how many there are, and how long they took after they were sent.

    What a client is late by is printed beside it: it shares two processors with the server.
    """
    took = [(answer.seconds - answer.late) * 1e3 for answer in answers]
    late = [answer.late * 1e3 for answer in answers]
    print(
        f"{name}: count={len(took)} per_second={len(took) / seconds:.0f} "
        f"p50_ms={quantile(took, 0.5):.1f} p90_ms={quantile(took, 0.9):.1f} "
        f"p99_ms={quantile(took, 0.99):.1f} "
        f"max_ms={max(took, default=0.0):.1f} client_late_p99_ms={quantile(late, 0.99):.1f}"
    )


async def overload(served: Server, times: float, seconds: float) -> None:
    """Measure, ask too much, and report."""
    target = Target(served.url)
    body = json.dumps({"query": _DASHBOARD}).encode()
    wires = [target.wire(body, token(user)) for user in range(1, _USERS + 1)]
    await capacity(target, wires, 2.0)  # to warm up
    most = await capacity(target, wires, 5.0)
    print(f"capacity: per_second={most:.0f}")
    before = served.resident_mib()
    cpu = served.cpu_seconds()
    begun = time.monotonic()
    asked = asyncio.create_task(steadily(target, wires, rate=times * most, seconds=seconds))
    await asyncio.sleep(seconds / 2)
    halfway = served.resident_mib()
    answers = await asked
    elapsed = time.monotonic() - begun
    admitted = [answer for answer in answers if answer.status == _OK]
    refused = [answer for answer in answers if answer.status == _REFUSED]
    whole = [answer for answer in admitted if b'"errors"' not in answer.body]
    report("asked", answers, elapsed)
    report("admitted", admitted, elapsed)
    report("complete", whole, elapsed)
    report("refused", refused, elapsed)
    settled = begun + seconds / 6
    report("refused later", [answer for answer in refused if answer.at > settled], elapsed)
    report("neither", [a for a in answers if a.status not in {_OK, _REFUSED}], elapsed)
    print(
        f"memory: before_mib={before:.0f} halfway_mib={halfway:.0f} "
        f"after_mib={served.resident_mib():.0f} "
        f"cpu={(served.cpu_seconds() - cpu) / elapsed:.0%}"
    )
    await asyncio.sleep(2.0)
    report("afterwards", await steadily(target, wires, rate=most / 3, seconds=3.0), 3.0)
    target.close()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=3.0, help="of what the server can do")
    options = parser.parse_args()
    gc.disable()  # a pause of this script would be taken for one of the server
    with upstreams() as services, server(services) as served:
        uvloop.run(overload(served, options.times, options.seconds))


if __name__ == "__main__":
    main()
