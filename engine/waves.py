"""Awaits what an execution waits for, and leaves nothing under way.

A coroutine becomes a task in a context of its own, which what it completes shares: fields below it
see what its resolver has set. A future needs no task. If nothing else is under way, what is awaited
is awaited in place. Batches are loaded when nothing is left to do without waiting.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, CancelledError, Future, isfuture
from collections.abc import Coroutine, Iterable, Sequence
from contextvars import Context, copy_context
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from engine.awaitables import is_of_this_loop, never_begin
from engine.leaving import Leaving
from engine.paths import Path
from engine.pending import BatchPending, Pending, Waited, retrieve

if TYPE_CHECKING:
    from engine.execution import Execution


class Waves:
    """What of one execution is under way.

    Args:
        execution: Whose.

    Attributes:
        leaving: What was under way, and has become useless.
    """

    __slots__ = (
        "_active",
        "_context",
        "_execution",
        "_failure",
        "_idle",
        "_loop",
        "_scheduled",
        "leaving",
    )

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._active: dict[Waited, Future[Any]] = {}
        self.leaving = Leaving()
        self._failure: BaseException | None = None
        self._idle: Future[None] | None = None
        self._scheduled = False
        self._loop: AbstractEventLoop | None = None
        self._context: Context | None = None

    async def drive(self) -> None:
        """Until the execution waits for nothing any more.

        Raises:
            BaseException: That no error of a field can be; also when this is cancelled.
        """
        execution = self._execution
        while execution.pending or execution.batches:
            waited = self._only_one()
            if waited is not None:
                await _settle_in_place(waited)
                continue
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                self._context = copy_context()
            self._begin()
            if self._active:
                self._load_later()
            else:
                self._load()
            while self._active:
                self._idle = self._loop.create_future()
                await self._idle
                self._idle = None
                if self._failure is not None:
                    raise self._failure

    async def leave(self) -> None:
        """Abandon what is under way, and wait until it has ended.

        Raises:
            CancelledError: This was cancelled, after all has ended none the less.
        """
        self.drop(None)
        self.abandon_pending()
        self._failure = None
        interrupted = False
        while self.leaving:
            interrupted = await self.leaving.end() or interrupted
            self.abandon_pending()  # a list may have answered its cancellation with more items
        if interrupted:
            raise CancelledError

    def abandon_pending(self) -> None:
        """Never begin what has not been begun."""
        execution = self._execution
        pending, execution.pending = execution.pending, []
        for item in pending:
            item.container = None
        batches, execution.batches = execution.batches, {}
        for waiting in batches.values():
            BatchPending(execution, None, waiting).let_go()
        self.abandon(item.awaitable for item in pending)

    def abandon(self, awaitables: Iterable[Any]) -> None:
        """Never begin these; those that are under way already are cancelled."""
        futures: list[Future[Any]] = []
        for awaitable in awaitables:
            if isfuture(awaitable):
                futures.append(awaitable)
            else:
                never_begin(awaitable)
        self._cancel(futures)

    def drop(self, path: Path | None) -> None:
        """Cancel what null has made useless: all below *path*."""
        dropped = [waited for waited in self._active if waited.drop(path)]
        self._cancel([self._active.pop(waited) for waited in dropped])

    def _cancel(self, futures: Sequence[Future[Any]]) -> None:
        """Let them end, but for those that something else waits for."""
        if not futures:
            return
        wanted = {id(future) for future in self._active.values()}
        wanted.update(id(item.awaitable) for item in self._execution.pending)
        for future in futures:
            if id(future) not in wanted:  # two fields may have given one future
                self.leaving.cancel(future)

    def _only_one(self) -> Waited | None:
        """What can be awaited in place: nothing else is to be done meanwhile."""
        execution = self._execution
        if len(execution.pending) == 1 and not execution.batches:
            item = execution.pending.pop()
            if not self._is_useless(item):
                return item
            self.abandon([item.awaitable])
        elif not execution.pending and len(execution.batches) == 1:
            return self._next_load()
        return None

    def _is_useless(self, item: Pending) -> bool:
        """Whether null has taken its place before it has begun; then it is forgotten."""
        execution = self._execution
        if not execution.nulled or not execution.is_nulled(item.path):
            return False
        item.container = None
        return True

    def _begin(self) -> None:
        execution = self._execution
        while execution.pending:
            pending, execution.pending = execution.pending, []
            useless: list[Pending] = []
            for index, item in enumerate(pending):
                if self._is_useless(item):  # asked for each: the one before may have failed
                    useless.append(item)
                    continue
                try:
                    self._begin_one(item)
                except BaseException:
                    execution.pending += useless + pending[index + 1 :]
                    raise
            self.abandon([item.awaitable for item in useless])

    def _begin_one(self, item: Pending) -> None:
        awaitable, item.awaitable = item.awaitable, None
        context = None
        if awaitable.__class__ is CoroutineType:
            context = copy_context()
            future = self._task(awaitable, context)
        elif isfuture(awaitable) and is_of_this_loop(awaitable):
            future = awaitable
            if future.done():
                _settle(item, future)
                return
        else:
            context = copy_context()
            held = [awaitable]
            future = self._task(_await(held), context)
            # Cancelled before it has begun, it would not pass that on.
            future.add_done_callback(lambda _: self.abandon(held))
        self._watch(item, future, context)

    def _task(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> Future[Any]:
        assert self._loop is not None  # noqa: S101 - set before anything begins
        return self._loop.create_task(coroutine, context=context)

    def _watch(self, waited: Waited, future: Future[Any], context: Context | None) -> None:
        self._active[waited] = future
        future.add_done_callback(partial(self._done, waited), context=context)

    def _load_later(self) -> None:
        """At the end of this pass of the loop, so that what arrives in it shares a call."""
        if self._execution.batches and not self._scheduled:
            self._scheduled = True
            assert self._loop is not None  # noqa: S101 - something is active
            self._loop.call_soon(self._load_scheduled)

    def _load_scheduled(self) -> None:
        self._scheduled = False
        if self._failure is not None:
            return
        try:
            self._load()
            self._begin()
        except BaseException as failure:  # noqa: BLE001 - raised by `drive`
            self._failure = failure
        self._go_on()

    def _load(self) -> None:
        if self._execution.batches:
            assert self._context is not None  # noqa: S101 - set before anything begins
            self._context.copy().run(self._begin_loads)

    def _begin_loads(self) -> None:
        while self._execution.batches:
            load = self._next_load()
            if load is not None:
                try:
                    self._watch(load, asyncio.ensure_future(load.awaitable), None)
                except TypeError as error:
                    load.fail(error)

    def _next_load(self) -> BatchPending | None:
        """Ask one batch of the wave; None if it could not be asked."""
        execution = self._execution
        batch = next(iter(execution.batches))
        waiting = execution.batches.pop(batch)
        if execution.nulled:
            waiting = {
                key: wanted
                for key, items in waiting.items()
                if (wanted := [item for item in items if not self._is_useless(item)])
            }
            if not waiting:
                return None
        load = BatchPending(execution, None, waiting)
        try:
            load.awaitable = batch.load(execution.context, list(waiting))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            load.fail(error)
            return None
        return load

    def _done(self, waited: Waited, future: Future[Any]) -> None:
        if self._active.pop(waited, None) is None or self._failure is not None:
            retrieve(future)
            return
        try:
            _settle(waited, future)
            del future  # a failure would know this frame, and this frame whose failure it is
            if self._execution.pending:
                self._begin()
        except BaseException as failure:  # noqa: BLE001 - raised by `drive`
            self._failure = failure
        self._go_on()

    def _go_on(self) -> None:
        """Wake `drive` when nothing is under way any more, or all is lost."""
        idle = self._idle
        if self._active and self._failure is None:
            if self._execution.batches:
                self._load_later()
        elif idle is not None and not idle.done():
            idle.set_result(None)


async def _await(held: list[Any]) -> Any:
    """What it holds, which nobody else has to close when this has begun."""
    return await held.pop()


def _settle(waited: Waited, future: Future[Any]) -> None:
    try:
        value = future.result()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        del future  # as above
        waited.fail(error)
    else:
        waited.settle(value)


async def _settle_in_place(waited: Waited) -> None:
    awaitable, waited.awaitable = waited.awaitable, None
    try:
        value = await awaitable
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        waited.fail(error)
    else:
        waited.settle(value)
