"""A compiled operation that can be executed, again and again, also in several threads at once."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, GraphQLSchema, OperationType
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import VariableValues

from engine.assembly import Assembly, Select, Selected, Selection, selected
from engine.error_behavior import ErrorBehavior
from engine.execution import Execution, Halted
from engine.fields import Field
from engine.not_compilable import NotCompilable
from engine.objects import OrdinaryClasses
from engine.operation import Operation
from engine.pending import Pending

_MOST_SELECTIONS = 512
"""That are remembered of objects whose type is known only when they are there."""


class Plan:
    """One operation, for one vector of the values of its `@skip`/`@include` variables.

    Args:
        schema: That the operation is valid in.
        operation: What to execute.
        variables: Any with those values of the condition variables.
        behavior: What errors do.
        hide_suggestions: Whether errors suggest no names of the schema.

    Raises:
        NotCompilable: The operation is left to graphql-core.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: Operation,
        variables: VariableValues,
        behavior: ErrorBehavior,
        *,
        hide_suggestions: bool = False,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.variables = VariableValues(
            {}, {name: variables.coerced.get(name) for name in operation.condition_variables}
        )
        self.behavior = behavior
        self.propagates = behavior is ErrorBehavior.PROPAGATE
        self.hide_suggestions = hide_suggestions
        self.strawberry: Any = getattr(schema, "_strawberry_schema", None)
        self.ordinary = OrdinaryClasses()
        self._selections: dict[Selected, Selection] = {}
        self._by_field: dict[tuple[GraphQLObjectType, Field], Select] = {}
        self._sources: list[str] = []
        self._serial = operation.node.operation is OperationType.MUTATION
        try:
            self._steps = self._compile_steps()
        except GraphQLError as error:
            raise NotCompilable(f"An error that is known beforehand: {error.message}") from None

    @property
    def source(self) -> str:
        """The Python that was generated so far; of objects of an interface, when one was there."""
        return "\n\n".join(self._sources)

    def execute(
        self, root: Any, context: Any, variables: VariableValues
    ) -> ExecutionResult | Awaitable[ExecutionResult]:
        """The answer, or an awaitable of it; when it is there, nothing is under way any more.

        Args:
            root: Parent object of the root fields.
            context: For resolvers.
            variables: Coerced by graphql-core.
        """
        execution = Execution(self, root, context, variables)
        execution.data = {}
        steps = iter(self._steps)
        try:
            for step in steps:
                if not self._take(execution, step):
                    break
                if execution.pending or execution.batches:
                    return self._finish(execution, steps)
        except Halted:
            execution.waves.abandon_pending()
        except BaseException:
            execution.waves.abandon_pending()
            execution.close()
            raise
        if execution.waves.leaving:
            return self._finish(execution, iter(()))
        return execution.result()

    async def _finish(self, execution: Execution, steps: Iterator[Selection]) -> ExecutionResult:
        try:
            try:
                await execution.waves.drive()
                for step in steps:
                    if execution.data is None or not self._take(execution, step):
                        break
                    await execution.waves.drive()
            except Halted:
                pass
            finally:
                await execution.waves.leave()
            return execution.result()
        except BaseException:
            execution.close()
            raise

    def _take(self, execution: Execution, step: Selection) -> bool:
        """Make the objects of one step; a query has one, a mutation one for each root field.

        Returns:
            Whether there is still data.
        """
        try:
            shown = step.select(execution, execution.root, None)
        except GraphQLError as error:
            execution.fail_whole(error)
            execution.waves.abandon_pending()
            return False
        if not self._serial:
            execution.data = shown
            return True
        assert execution.data is not None  # noqa: S101 - else no step is taken
        for key, value in shown.items():
            execution.data[key] = value
            if value.__class__ is Pending:
                value.container = execution.data
        return True

    def selection(self, kind: GraphQLObjectType, field: Field) -> Select:
        """What is selected of an object of a field; compiled when the first one is there."""
        select = self._by_field.get((kind, field))
        if select is not None:
            return select
        which = selected(kind, field.details)
        selection = self._selections.get(which)
        if selection is None:
            assembly = Assembly(self)
            selection = assembly.selection(kind, field.details)
            self._add(assembly)
        self._by_field[kind, field] = selection.select
        return selection.select

    def _compile_steps(self) -> list[Selection]:
        root_type = self.schema.get_root_type(self.operation.node.operation)
        if root_type is None:
            raise NotCompilable("The schema has no root type for the operation.")
        collected = collect_fields(
            self.schema,
            self.operation.fragments,
            self.variables,
            root_type,
            self.operation.node,
            self.hide_suggestions,
        )
        fields = collected.grouped_field_set
        assembly = Assembly(self)
        if self._serial:
            steps = [assembly.root(root_type, {key: each}) for key, each in fields.items()]
        else:
            steps = [assembly.root(root_type, fields)]
        self._add(assembly)
        return steps

    def _add(self, assembly: Assembly) -> None:
        selections = assembly.finish()
        if len(self._selections) > _MOST_SELECTIONS:
            self._selections.clear()
            self._by_field.clear()
            del self._sources[1:]
        self._selections.update(selections)
        self._sources.append(assembly.source.text)
