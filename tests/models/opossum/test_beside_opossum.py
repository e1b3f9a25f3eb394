"""Our breaker and npm `opossum` on the same histories: alike, but for what has a name."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import shutil
from pathlib import Path

import pytest

from datasources.errors import CircuitOpen
from datasources.events import Events
from datasources.resilience.breaker import Breaker
from tests.models.opossum.differing import Difference, Model, Numbers
from tests.virtual_time import HandClock

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs/decisions/0023-beside-opossum.md"
NUMBERS = Numbers()
SEED = 20260101
ALL = frozenset(Difference)


def history(chance):
    """Calls begin, succeed and fail in any order, while time passes in quarters of a second.

    It begins between two full seconds, where opossum moves its window on: what happens, happens
    at no such instant, and the order of timers decides nothing.
    """
    steps = [{"op": "wait", "milliseconds": 500}]
    calls = 0
    open_calls = []
    failing = chance.choice([0.2, 0.5, 0.8, 1.0])
    for _ in range(60):
        match chance.choice(["begin", "begin", "settle", "settle", "wait"]):
            case "begin":
                steps.append({"op": "begin", "call": calls})
                open_calls.append(calls)
                calls += 1
            case "settle" if open_calls:
                call = open_calls.pop(chance.randrange(len(open_calls)))
                steps.append({"op": "settle", "call": call, "ok": chance.random() >= failing})
            case _:
                seconds = chance.choice([1, 1, 1, 2, 3, 6, 10])
                steps.append({"op": "wait", "milliseconds": 1000 * seconds})
    return steps


def histories(count=400):
    chance = random.Random(SEED)
    return [history(chance) for _ in range(count)]


class Ours:
    """Our breaker as its pipeline uses it: with `AttemptTimeout` inside."""

    def __init__(self):
        self.clock = HandClock()
        self.breaker = Breaker(
            "users",
            failure_ratio=NUMBERS.ratio,
            minimum_calls=NUMBERS.minimum,
            window=NUMBERS.window,
            consecutive=NUMBERS.row,
            reset=NUMBERS.reset,
            slow=NUMBERS.slow,
            slow_ratio=NUMBERS.slow_ratio,
            events=Events(),
            clock=self.clock,
            uniform=lambda low, high: low,
        )
        self.under_way = {}

    def seen(self):
        return [self.breaker.state, self.breaker.would_admit()]

    def begin(self, call):
        with contextlib.suppress(CircuitOpen):
            self.under_way[call] = (self.breaker.acquire(), self.clock.time)

    def settle(self, call, *, ok):
        permit, begun = self.under_way.pop(call, (None, 0.0))
        if permit is None:
            return
        if ok:
            self.breaker.succeed(permit, seconds=self.clock.time - begun)
        else:
            self.breaker.fail(permit)

    def wait(self, seconds):
        until = self.clock.time + seconds
        while self.under_way:
            call, (_, begun) = min(self.under_way.items(), key=lambda item: item[1][1])
            if begun + NUMBERS.timeout > until:
                break
            self.clock.time = begun + NUMBERS.timeout
            self.settle(call, ok=False)
        self.clock.time = until


def played(breaker, steps):
    """What is seen of *breaker* after each step."""
    seen = []
    for step in steps:
        match step["op"]:
            case "begin":
                breaker.begin(step["call"])
            case "settle":
                breaker.settle(step["call"], ok=step["ok"])
            case _:
                breaker.wait(step["milliseconds"] / 1000.0)
        seen.append(breaker.seen())
    return seen


async def output_of(*command, stdin=b""):
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return out.decode()


async def opossums(told):
    """What is seen of opossum, in each history."""
    await output_of("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    options = {
        "timeout": NUMBERS.timeout * 1000,
        "resetTimeout": NUMBERS.reset * 1000,
        "errorThresholdPercentage": NUMBERS.ratio * 100,
        "volumeThreshold": NUMBERS.minimum,
        "rollingCountTimeout": NUMBERS.window * 1000,
        "rollingCountBuckets": 10,
    }
    asked = json.dumps({"options": options, "histories": told})
    return json.loads(await output_of("node", "histories.mjs", stdin=asked.encode()))


def shown(steps, seen, expected):
    """The first step at which they differ, with what led to it."""
    at = next(i for i, pair in enumerate(zip(seen, expected, strict=True)) if pair[0] != pair[1])
    told = [f"{step} -> {state}" for step, state in zip(steps, seen, strict=True)]
    return "\n".join([*told[: at + 1], f"not {expected[at]}"])


def test_ours_has_none_of_the_differences():
    """Step by step, the model without them."""
    for steps in histories():
        ours, model = played(Ours(), steps), played(Model(NUMBERS, ()), steps)
        assert ours == model, shown(steps, ours, model)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not installed")
async def test_opossum_has_all_of_the_differences_and_no_other():
    """Step by step, the model with them; and with one less it is not opossum any more."""
    told = histories()
    theirs = await opossums(told)
    for steps, seen in zip(told, theirs, strict=True):
        model = played(Model(NUMBERS, ALL), steps)
        assert seen == model, shown(steps, seen, model)
    for difference in Difference:
        without = [played(Model(NUMBERS, ALL - {difference}), steps) for steps in told]
        assert without != theirs, difference
        alone = [played(Model(NUMBERS, {difference}), steps) for steps in told]
        assert alone != [played(Model(NUMBERS, ()), steps) for steps in told], difference


def test_the_decision_explains_each_of_them():
    """By its name, in the table."""
    rows = re.findall(r"^\| \*([a-z ]+)\* \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [difference.value for difference in Difference]
