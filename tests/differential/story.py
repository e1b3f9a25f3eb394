"""What happens while one operation is executed, the same for whoever executes it.

Everything that a resolver does depends on the seed and on where it stands in the answer, never on
when it was called. A story also writes down what was called, and by what it can no longer be told
exactly: two things that happened at the same instant have no order.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema

from tests.differential.chance import Chance
from tests.differential.failures import Failure, OnTheWayOut, failure

_TICK = 2.0**-20
"""Delays are multiples of it, so that sums of them are exact (seconds)."""
_PASSES = 4


@dataclass(frozen=True, slots=True)
class Nature:
    """How likely things are in a story, from 0 to 1.

    Attributes:
        waits: That a value is waited for.
        fails: That a resolver fails.
        missing: That there is nothing.
        odd: That a value is of a wrong type or of an unusual one.
        bursts: That waiting takes passes of the loop, and no time.
        hangs: That what is waited for never comes.
        iterates: That a list comes piece by piece.
        stubborn: That a resolver does not end at once when it is cancelled.
    """

    waits: float = 0.0
    fails: float = 0.0
    missing: float = 0.0
    odd: float = 0.0
    bursts: float = 0.0
    hangs: float = 0.0
    iterates: float = 0.0
    stubborn: float = 0.0

    @classmethod
    def of(cls, chance: Chance) -> Nature:
        waits = chance.pick((0.0, 0.0, 0.1, 0.3, 0.3, 0.6))
        bursts = chance.pick((0.0, 0.0, 0.0, 0.5, 1.0)) if waits else 0.0
        hangs = chance.pick((0.0, 0.0, 0.0, 0.1)) if waits else 0.0
        return cls(
            waits=waits,
            fails=chance.pick((0.0, 0.0, 0.03, 0.1, 0.25)),
            missing=chance.pick((0.0, 0.03, 0.1, 0.25)),
            odd=chance.pick((0.0, 0.0, 0.03, 0.1)),
            bursts=bursts,
            hangs=hangs,
            iterates=chance.pick((0.0, 0.0, 0.3)) if waits else 0.0,
            stubborn=chance.pick((0.0, 0.0, 0.2)) if bursts and not hangs else 0.0,
        )


class Story:
    """One execution.

    Attributes:
        root: What root fields are asked of.
        context: Of the operation; the story itself, if nothing else is said.
        at_end: Ends what others have begun for the resolvers.
        calls: What was called, with what, in order.
        asynchronous: Whether anything waits.
        loose: Whether something happened whose order nobody promises.
        instants: When something was to happen.
        iterated: Whether something came piece by piece: graphql-core begins nothing below the
            pieces before the last has come.
    """

    def __init__(
        self, seed: int, nature: Nature, schema: GraphQLSchema, *, asynchronous: bool
    ) -> None:
        self.seed = seed
        self.asynchronous = asynchronous or nature.waits > 0.0
        self.schema = schema
        self.nature = nature
        self.root: object = None
        self.context: Any = self
        self.at_end: Callable[[], None] | None = None
        self.calls: list[tuple[Any, ...]] = []
        self.loose = False
        self.iterated = False
        self._coroutines: list[Coroutine[Any, Any, object]] = []
        self._futures: list[asyncio.Future[object]] = []
        self.instants: set[float] = set()
        self.shared = Failure("the same one twice")

    def __repr__(self) -> str:
        return f"Story({self.seed})"

    def called(self, info: GraphQLResolveInfo, arguments: object) -> None:
        """Write down a call of a resolver."""
        self.calls.append(
            (
                tuple(info.path.as_list()),
                _typenames(info.path),
                info.field_name,
                info.parent_type.name,
                str(info.return_type),
                len(info.field_nodes),
                repr(arguments),
                info.root_value is self.root,
                info.context is self.context,
                repr(info.variable_values),
                sorted(info.fragments),
                info.operation.operation.value,
            )
        )

    def asked(self, *what: object) -> None:
        """Write down a question that is no call of a resolver."""
        self.calls.append(((), *what))

    def awaitable(self, chance: Chance, value: object, *, kept: bool = False) -> object:
        """Something that gives *value*, or fails, when it is waited for.

        Args:
            chance: Decides what it is, and how.
            value: What it gives.
            kept: Whether it may be that nobody ever sees it: then nothing is begun before.
        """
        error = failure(chance, self.shared) if chance.happens(self.nature.fails / 2) else None
        steps = None
        if chance.happens(self.nature.bursts):
            self.loose = True
            steps = chance.below(4)
        delay = (1 + chance.below(1 << 22)) * _TICK
        hangs = chance.happens(self.nature.hangs)
        kind = chance.below(8)
        if kind == 0 and not hangs and not kept:
            return self._future(delay, steps, value, error)
        stubborn = chance.pick((1, 2, 3)) if chance.happens(self.nature.stubborn) else 0
        wait = functools.partial(self._wait, delay, steps, value, error, hangs, stubborn)
        if kind == 2 or kept:
            return Later(wait)
        waiting = wait()
        if kind == 1:
            task = asyncio.ensure_future(waiting)  # the resolver's own: an executor may leave it
            self._futures.append(task)
            return task
        self._coroutines.append(waiting)
        return waiting

    async def pause(self, chance: Chance) -> None:
        """Wait as *chance* says."""
        if chance.happens(self.nature.bursts):
            self.loose = True
            for _ in range(chance.below(3)):
                await asyncio.sleep(0)
        else:
            await self._sleep((1 + chance.below(1 << 22)) * _TICK)

    async def paused(self, chance: Chance, value: object) -> object:
        """*value*, after waiting as *chance* says."""
        await self.pause(chance)
        return value

    def keep(self, coroutine: Coroutine[Any, Any, object]) -> Coroutine[Any, Any, object]:
        """Remember to look whether it has ended."""
        self._coroutines.append(coroutine)
        return coroutine

    def left_over(self) -> list[str]:
        """What has not ended although nobody waits for it any more."""
        states = [inspect.getcoroutinestate(one) for one in self._coroutines]
        return [state for state in states if state != inspect.CORO_CLOSED]

    @property
    def tasks(self) -> set[object]:
        """What resolvers have begun by themselves."""
        return set(self._futures)

    async def end(self) -> None:
        """Do what whoever executes an operation does when it is over."""
        if self.at_end is not None:
            self.at_end()
            for _ in range(_PASSES):
                await asyncio.sleep(0)

    async def forget(self) -> None:
        """End what resolvers have begun by themselves, and what nobody has begun."""
        for one in self._coroutines:
            if inspect.getcoroutinestate(one) == inspect.CORO_CREATED:
                one.close()
        futures = [future for future in self._futures if not future.done()]
        for future in futures:
            future.cancel()
        if futures:
            await asyncio.wait(futures)
        for future in self._futures:
            if not future.cancelled():
                future.exception()

    def _future(
        self, delay: float, steps: int | None, value: object, error: Exception | None
    ) -> asyncio.Future[object]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._futures.append(future)

        def settle() -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
                future.exception()  # somebody has seen it

        if steps is None:
            self._alone(loop.time() + delay)
            loop.call_later(delay, settle)
        elif steps == 0:
            settle()
        else:
            loop.call_soon(settle)
        return future

    async def _wait(
        self,
        delay: float,
        steps: int | None,
        value: object,
        error: Exception | None,
        hangs: bool,  # noqa: FBT001 - one of a row
        stubborn: int,
    ) -> object:
        try:
            if hangs:
                await asyncio.get_running_loop().create_future()
            elif steps is None:
                await self._sleep(delay)
            else:
                for _ in range(steps):
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not stubborn:
                raise
            self.loose = True
            await asyncio.sleep(0)
            if stubborn == 1:
                raise OnTheWayOut("cancelled") from None
            if stubborn == 2:
                return value
            raise
        if error is not None:
            raise error
        return value

    async def _sleep(self, delay: float) -> None:
        self._alone(asyncio.get_running_loop().time() + delay)
        await asyncio.sleep(delay)

    def _alone(self, instant: float) -> None:
        if instant in self.instants:
            self.loose = True
        self.instants.add(instant)


class Later:
    """Can be awaited, and is nothing else."""

    def __init__(self, wait: Callable[[], Awaitable[object]]) -> None:
        self._wait = wait

    def __repr__(self) -> str:
        return "Later"

    def __await__(self) -> Generator[Any, Any, object]:
        return self._wait().__await__()


def _typenames(path: Any) -> list[str | None]:
    names = []
    while path is not None:
        names.append(path.typename)
        path = path.prev
    return names
