"""Which operations are executed by a plan of their own, and from when on."""

from __future__ import annotations

from graphql import DocumentNode, GraphQLSchema
from graphql.execution.values import VariableValues

from bff.graphql.on_error import OnError
from engine import CompiledOperation, ErrorBehavior, NotCompilable, Plan, compile_operation

_MOST_PLANS = 4
"""Of one operation: whoever sends every vector of twenty conditions shall not fill the memory."""

_BEHAVIORS = {on_error: ErrorBehavior(on_error) for on_error in OnError}


class Compilation:
    """The plans of one operation of a document; kept as long as the document is.

    To compile costs as much as to execute a few times by graphql-core, so what is asked once is
    not compiled.
    """

    __slots__ = ("_compiled", "_impossible", "_uses")

    def __init__(self) -> None:
        self._compiled: CompiledOperation | None = None
        self._impossible = False
        self._uses = 0

    def is_due(self, first: int) -> bool:
        """Whether this use of the operation is the *first*-th or a later one; counts it."""
        self._uses += 1
        return self._uses >= first and not self._impossible

    def plan(  # noqa: PLR0913 - what an operation is, and how it is to be executed
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation_name: str | None,
        variables: VariableValues,
        on_error: OnError,
        *,
        hide_suggestions: bool,
    ) -> Plan | None:
        """The plan to execute; None where graphql-core has to."""
        try:
            if self._compiled is None:
                self._compiled = compile_operation(
                    schema,
                    document,
                    operation_name,
                    hide_suggestions=hide_suggestions,
                    most_plans=_MOST_PLANS,
                )
        except NotCompilable:
            self._impossible = True
            return None
        try:
            return self._compiled.plan(variables, _BEHAVIORS[on_error])
        except NotCompilable:
            return None
