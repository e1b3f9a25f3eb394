"""Time what the pipeline costs a call, against a sender that answers at once.

Everything runs in one process on the event loop of the server, so nothing but our own code is
timed, in seconds of the processor. Believe the best round: whatever else the machine does can only
make one slower.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Awaitable, Callable

import uvloop

from datasources.clock import SystemClock
from datasources.events import Events
from datasources.resilience.breaker import Breaker
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Call, Reply, Route, V
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.scope import Scope, entered
from datasources.sourced import Sourced

_ROUTE = Route(
    service="users", operation="by_id", scope="users:read", pack=str.encode, unpack=bytes.decode
)
_CLOCK = SystemClock()
_AN_HOUR = 3600.0

Action = Callable[[], Awaitable[object]]


class AtOnce:
    """A sender that has the answer ready."""

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        """Answer with the same value under every key."""
        now = _CLOCK.now()
        value = call.decode(200, b"")
        return Reply({key: Sourced(part, "users", now) for key, part in value.items()})


def question() -> Call[str]:
    """A question as services ask it."""
    return Call(route=_ROUTE, path="/users/1", keys=("1",), decode=lambda _status, _: {"1": "Ada"})


async def timed(action: Action, times: int) -> float:
    """Microseconds for each of so many."""
    begun = time.thread_time()
    for _ in range(times):
        await action()
    return (time.thread_time() - begun) / times * 1e6


async def rounds(actions: dict[str, Action], count: int, times: int) -> dict[str, list[float]]:
    """Microseconds by name, the actions in turns, so that all meet the same disturbances."""
    seen: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(count):
        for name, action in actions.items():
            seen[name].append(await timed(action, times))
    return seen


def protected(**numbers: float) -> Callable[[Call[str]], Awaitable[object]]:
    """The standard pipeline around a sender that answers at once; somebody listens."""
    events = Events()
    events.subscribe(lambda _: None)
    shared = Shared(ByteCache(), events, _CLOCK)
    return standard_pipeline("users", AtOnce(), Numbers(**numbers), shared).ask


async def measure(count: int, times: int) -> None:
    """Print the table."""
    send, live, fresh = AtOnce(), protected(), protected(fresh=_AN_HOUR)
    breaker = Breaker("users", events=Events(), clock=_CLOCK)

    async def permit() -> None:
        breaker.succeed(breaker.acquire())

    async def asked() -> None:
        question()

    async def nothing() -> None:
        pass

    deadline = _CLOCK.monotonic() + _AN_HOUR
    with entered(Scope(deadline=deadline, request_id="bench", principal="u1")):
        seen = await rounds(
            {
                "nothing": nothing,
                "asked": asked,
                "bare": lambda: send(question()),
                "live": lambda: live(question()),
                "fresh": lambda: fresh(question()),
                "breaker": permit,
            },
            count,
            times,
        )
    print(f"{'µs a call':<38}{'best':>8}{'median':>8}{'goal':>8}")
    for label, name, base, goal in (
        ("the whole pipeline, over the sender", "live", "bare", "≤ 40"),
        ("a fresh hit", "fresh", "asked", "≤ 5"),
        ("a breaker's permit, taken and settled", "breaker", "nothing", "≤ 5"),
    ):
        best = min(seen[name]) - min(seen[base])
        median = statistics.median(seen[name]) - statistics.median(seen[base])
        print(f"{label:<38}{best:>8.2f}{median:>8.2f}{goal:>8}")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    gc.freeze()
    uvloop.run(measure(options.rounds, options.calls))


if __name__ == "__main__":
    main()
