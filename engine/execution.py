"""One execution of a plan: what has become of it so far, and what an error does to it."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfoHelpers, located_error
from graphql.execution.values import VariableValues
from graphql.pyutils import gather_with_cancel

from engine.awaitables import is_awaitable
from engine.batching import Batch
from engine.error_behavior import ErrorBehavior
from engine.paths import Path, Position, keys_of
from engine.pending import Complete, Pending
from engine.returned import carried
from engine.waves import Waves

if TYPE_CHECKING:
    from engine.fields import Field
    from engine.plan import Plan


class Halted(BaseException):
    """Ends an execution with its first error; no resolver can catch it by mistake."""


class Execution:
    """The state of one execution, in one thread.

    Args:
        plan: That is executed.
        root: Parent object of the root fields.
        context: For resolvers.
        variables: Coerced.

    Attributes:
        data: The answer so far.
        errors: In the order in which they happened.
        nulled: Paths of errors: nothing below them is shown any more, errors included.
        pending: What is to be awaited, and has not been begun.
        batches: What is to be loaded, by its key.
        arguments: Coerced ones that can be used again.
        converted: Likewise, as Strawberry resolvers take them.
        waves: What is under way.
    """

    __slots__ = (
        "arguments",
        "batches",
        "context",
        "converted",
        "data",
        "errors",
        "nulled",
        "pending",
        "plan",
        "root",
        "variables",
        "waves",
    )

    def __init__(self, plan: Plan, root: Any, context: Any, variables: VariableValues) -> None:
        self.plan = plan
        self.root = root
        self.context = context
        self.variables = variables
        self.data: dict[str, Any] | None = None
        self.errors: list[GraphQLError] = []
        self.nulled: set[Path | None] = set()
        self.pending: list[Pending] = []
        self.batches: dict[Batch, dict[Hashable, list[Pending]]] = {}
        self.arguments: dict[Field, Mapping[str, Any]] = {}
        self.converted: dict[Field, Mapping[str, Any]] = {}
        self.waves = Waves(self)

    def result(self) -> ExecutionResult:
        """What has come of it; the last thing that is asked of this object."""
        result = ExecutionResult(self.data, self.errors or None)
        self.close()
        return result

    def close(self) -> None:
        """Let go of everything; errors know the frames they passed, and so this object."""
        self.errors = []
        self.data = None
        del self.waves

    def is_nulled(self, path: Path | None) -> bool:
        """Whether an error has put null here or above."""
        nulled = self.nulled
        while path is not None:
            if path in nulled:
                return True
            path = path[0]
        return None in nulled

    def failed(self, error: Exception, path: Path) -> None:
        """A value could not be completed, while the objects above it are being made.

        Raises:
            GraphQLError: Its position cannot be null.
            Halted: The operation ends with its first error.
        """
        position = path[2]
        error = carried(error)
        located = located_error(error, position.nodes, keys_of(path))
        try:
            if self.plan.behavior is ErrorBehavior.HALT:
                self._halt(located)
            if not position.nullable:
                raise located
            self._add(located, path)
        finally:
            del located, error  # the error would know this frame, and this frame the error

    def fail(self, error: Exception, path: Path) -> None:
        """A value could not be completed, and the objects above it are made already.

        Raises:
            Halted: The operation ends with its first error.
        """
        error = carried(error)
        located = located_error(error, path[2].nodes, keys_of(path))
        try:
            if self.plan.behavior is ErrorBehavior.HALT:
                self._halt(located)
            if path[2].nullable:
                self._add(located, path)
                return
            if self.is_nulled(path):
                return
            above: Path | None = path[0]
            while above is not None and not above[2].nullable:
                above = above[0]
            self._add(located, above)
            self._put_null(above)
            self.waves.drop(above)
        finally:
            del located, error

    def fail_whole(self, error: GraphQLError) -> None:
        """An error has reached the root: there is no data."""
        self._add(error, None)
        self.data = None

    def _halt(self, error: GraphQLError) -> None:
        self.data = None
        self.errors = [error]
        raise Halted

    def _add(self, error: GraphQLError, path: Path | None) -> None:
        if self.nulled and self.is_nulled(path):
            return
        self.nulled.add(path)
        self.errors.append(error)

    def _put_null(self, path: Path | None) -> None:
        if path is None:
            self.data = None
            return
        keys = keys_of(path)
        container: Any = self.data
        for key in keys[:-1]:
            if container is None:
                return
            container = container[key]
            if container.__class__ is Pending:
                container = container.partial
        if container is not None:
            container[keys[-1]] = None

    def await_batch(
        self,
        batch: Batch,
        key: Hashable,
        parent_path: Path | None,
        at: Position,
        complete: Complete,
    ) -> Pending:
        """The value of a batched field, to be loaded with the others of its wave.

        Raises:
            TypeError: The key cannot be compared with others.
        """
        waiting = self.batches.get(batch)
        if waiting is None:
            waiting = self.batches[batch] = {}
        item = Pending(self, (parent_path, at.key, at), None, complete)
        items = waiting.get(key)
        if items is None:
            waiting[key] = [item]
        else:
            items.append(item)
        return item

    def helpers(self) -> GraphQLResolveInfoHelpers:
        """For resolvers that begin work of their own."""
        return GraphQLResolveInfoHelpers(gather=_gather, track=self._track)

    def _track(self, values: Iterable[Any]) -> None:
        self.waves.abandon(value for value in values if is_awaitable(value))

    def abandon_items(self, items: Iterable[Any]) -> None:
        """The rest of a list that is not shown: what it holds to be awaited never will be."""
        held: list[Any] = []
        with suppress(Exception):  # it may fail after some, which are abandoned all the same
            held.extend(item for item in items if is_awaitable(item))
        self.waves.abandon(held)


def _gather(values: Iterable[Awaitable[Any]]) -> Awaitable[list[Any]]:
    return gather_with_cancel(*values)
