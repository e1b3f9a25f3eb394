"""An operation and its plans."""

from __future__ import annotations

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from engine.error_behavior import ErrorBehavior
from engine.not_compilable import NotCompilable
from engine.operation import Operation, find_operation
from engine.plan import Plan


def compile_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    *,
    hide_suggestions: bool = False,
    most_plans: int = 32,
) -> CompiledOperation:
    """Prepare an operation of a document that is valid in the schema.

    Args:
        schema: graphql-core's; that of Strawberry is below its own.
        document: Validated.
        operation_name: None if there is only one.
        hide_suggestions: Whether errors suggest no names of the schema.
        most_plans: That are kept for it, of some 1,500 bytes for each token of the operation.

    Raises:
        NotCompilable: It is left to graphql-core.
    """
    return CompiledOperation(
        schema,
        find_operation(document, operation_name),
        hide_suggestions=hide_suggestions,
        most_plans=most_plans,
    )


class CompiledOperation:
    """Keeps the plans of an operation; made by `compile_operation`."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: Operation,
        *,
        hide_suggestions: bool,
        most_plans: int,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._hide_suggestions = hide_suggestions
        self._most_plans = most_plans
        self._plans: dict[tuple[object, ...], Plan] = {}

    @property
    def operation(self) -> OperationDefinitionNode:
        """In the document."""
        return self._operation.node

    def plan(self, variables: VariableValues, on_error: ErrorBehavior) -> Plan:
        """The plan for these values of the condition variables; compiled when first asked for.

        Raises:
            NotCompilable: It is left to graphql-core, also because there are many plans already.
        """
        coerced = variables.coerced
        key = (on_error, *(coerced.get(name) for name in self._operation.condition_variables))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= self._most_plans:
                raise NotCompilable(f"The operation has {self._most_plans} plans already.")
            plan = Plan(
                self._schema,
                self._operation,
                variables,
                on_error,
                hide_suggestions=self._hide_suggestions,
            )
            self._plans[key] = plan
        return plan
