"""aiodataloader, made safe to cancel."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future, Task
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, cast

from aiodataloader import DataLoader

K = TypeVar("K")
V = TypeVar("V")

Fetch = Callable[[Sequence[K]], Coroutine[Any, Any, Sequence[V | Exception]]]

_QUIET_PASSES = 4
"""A batch leaves when so many passes of the event loop in a row have brought it no key.

graphql-core starts the fields of one wave apart by one pass for each selection of several fields
on the way, since it makes tasks of several and awaits a single one in place. Today's graph gets
by with one pass; the others are room for deeper ones, at some microseconds each.
"""


class BatchCancelled(Exception):
    """Somebody cancelled a batch that still had waiters."""


class IsolatingLoader(DataLoader[K, V], Generic[K, V]):
    """Asks once for each key, and for many at a time.

    Unlike aiodataloader's own dispatch: a waiter that is cancelled harms no other; a batch dies
    with its last waiter; a batch that is cancelled fails its waiters instead of hanging them;
    errors are not remembered; no event loop is needed before the first `load`.

    Args:
        fetch: Gives the values of distinct keys, in their order; an exception in place of a
            value fails that key alone.
        batch_size: Most keys in one `fetch`. With 1, no key waits for others.
        at_once: Most batches under way; the others wait here, so that one operation queues with
            itself and not with everybody else's.
    """

    def __init__(self, fetch: Fetch[K, V], *, batch_size: int, at_once: int = 32) -> None:
        self._memo: dict[K, Future[V]] = {}
        super().__init__(cache_map=self._memo, loop=cast("AbstractEventLoop", _RunningLoop()))
        self._fetch = fetch
        self._batch_size = batch_size
        self._at_once = at_once
        self._ready: deque[dict[Future[V], K]] = deque()
        self._waiters: dict[Future[V], int] = {}
        self._wanted: dict[Future[V], K] = {}
        self._batches: dict[Task[Sequence[V | Exception]], dict[Future[V], K]] = {}

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        """Never called: aiodataloader demands that it is there."""
        raise NotImplementedError

    def load(self, key: K) -> Future[V]:
        """The value of *key*; cancelling this future cancels nobody else's."""
        shared = super().load(key)
        self._waiters[shared] = self._waiters.get(shared, 0) + 1
        own = asyncio.shield(shared)
        own.add_done_callback(partial(self._done_with, key, shared))
        return own

    async def load_batch(self, keys: Sequence[K]) -> Sequence[V | Exception]:
        """The values of distinct *keys* in their order, asked for without waiting for other keys.

        Returns:
            An exception in place of a value says why it cannot be had.
        """
        held = {key: self._held(key) for key in keys}
        self._dispatch()
        try:
            await asyncio.wait(held.values())
            return [*map(_outcome, held.values())]
        finally:
            for key, shared in held.items():
                self._leave(key, shared)

    def end(self) -> None:
        """Ask nothing more, and stop what is under way: nobody waits any longer."""
        self._wanted = {}
        self._ready.clear()
        for task in self._batches:
            task.cancel()

    def do_resolve_reject(self, key: K, future: Future[V]) -> None:
        """Note a key that nobody has asked for yet; replaces aiodataloader's dispatch."""
        self._wanted[future] = key
        self._waiters[future] = 0
        if self._batch_size == 1:
            self._dispatch()
        elif len(self._wanted) == 1:
            self._dispatch_when_quiet(0, 0)

    def _dispatch_when_quiet(self, wanted: int, passes: int) -> None:
        passes = passes + 1 if len(self._wanted) == wanted else 0
        if passes > _QUIET_PASSES:
            self._dispatch()
        else:
            again = partial(self._dispatch_when_quiet, len(self._wanted), passes)
            asyncio.get_running_loop().call_soon(again)

    def _dispatch(self) -> None:
        wanted = [item for item in self._wanted.items() if item[0] in self._waiters]
        self._wanted = {}
        for start in range(0, len(wanted), self._batch_size):
            self._ready.append(dict(wanted[start : start + self._batch_size]))
        self._begin()

    def _begin(self) -> None:
        while self._ready and len(self._batches) < self._at_once:
            batch = self._ready.popleft()
            if not self._is_awaited(batch):
                continue
            task = asyncio.get_running_loop().create_task(self._fetch(list(batch.values())))
            self._batches[task] = batch
            task.add_done_callback(self._settle)

    def _settle(self, task: Task[Sequence[V | Exception]]) -> None:
        batch = self._batches.pop(task)
        for (shared, key), outcome in zip(batch.items(), _outcomes(task, len(batch)), strict=True):
            if isinstance(outcome, BaseException):
                self._forget(key, shared)
                shared.set_exception(outcome)
                shared.exception()  # told to those who still wait, so not lost when nobody does
            else:
                shared.set_result(outcome)
        self._begin()

    def _is_awaited(self, batch: dict[Future[V], K]) -> bool:
        return any(shared in self._waiters for shared in batch)

    def _forget(self, key: K, shared: Future[V]) -> None:
        if self._memo.get(key) is shared:
            del self._memo[key]

    def _held(self, key: K) -> Future[V]:
        """What *key* will be, with one waiter more; `_leave` ends his wait."""
        shared = self._memo.get(key)
        if shared is None:
            shared = self._memo[key] = asyncio.get_running_loop().create_future()
            self._wanted[shared] = key
        self._waiters[shared] = self._waiters.get(shared, 0) + 1
        return shared

    def _done_with(self, key: K, shared: Future[V], own: Future[V]) -> None:
        if not own.cancelled():
            own.exception()  # an operation that was cancelled may never have begun to wait for it
        self._leave(key, shared)

    def _leave(self, key: K, shared: Future[V]) -> None:
        self._waiters[shared] -= 1
        if self._waiters[shared]:
            return
        del self._waiters[shared]
        if not shared.done():
            self._forget(key, shared)
            self._cancel_abandoned(shared)

    def _cancel_abandoned(self, shared: Future[V]) -> None:
        for task, batch in self._batches.items():
            if shared in batch and not self._is_awaited(batch):
                task.cancel()


def _outcome(shared: Future[V]) -> V | Exception:
    failure = shared.exception()
    return shared.result() if failure is None else cast("Exception", failure)


class _RunningLoop:
    """Stands in for the loop that aiodataloader wants before there is one."""

    def create_future(self) -> Future[Any]:
        return asyncio.get_running_loop().create_future()


def _outcomes(task: Task[Sequence[V | Exception]], expected: int) -> Sequence[V | BaseException]:
    """What came of each key of a finished batch."""
    if task.cancelled():
        return [BatchCancelled("the batch was cancelled") for _ in range(expected)]
    if failure := task.exception():
        return [failure] * expected
    values = task.result()
    if len(values) != expected:
        return [TypeError(f"{expected} keys gave {len(values)} values")] * expected
    return values
