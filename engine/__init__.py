"""Executes validated GraphQL operations by plans that are compiled once.

    compiled = compile_operation(schema, document, operation_name)
    plan = compiled.plan(variables, ErrorBehavior.PROPAGATE)
    result = plan.execute(root, context, variables)

A plan is Python source, generated for one operation and one vector of the values of its
`@skip`/`@include` variables. It answers what graphql-core would answer; what it cannot do raises
`NotCompilable` before anything has run, and is for graphql-core to execute. `execute` gives an
`ExecutionResult`, or an awaitable of one where something has to be awaited.

The package knows graphql-core and Strawberry, and nothing else.
"""

from engine.batching import BATCH, Batch, load_alone
from engine.compiled import CompiledOperation, compile_operation
from engine.error_behavior import ErrorBehavior
from engine.info import ResolveInfo
from engine.not_compilable import NotCompilable
from engine.plan import Plan

__all__ = [
    "BATCH",
    "Batch",
    "CompiledOperation",
    "ErrorBehavior",
    "NotCompilable",
    "Plan",
    "ResolveInfo",
    "compile_operation",
    "load_alone",
]
