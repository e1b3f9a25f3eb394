"""`bff explain`: what a query would ask of the services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import httpx
from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_variable_values

from bff.graphql.documents import Document, Documents, InvalidDocument
from bff.graphql.execution import core_schema
from bff.graphql.limits import Limits
from bff.graphql.refusal import Refusal
from bff.settings import Settings, UpstreamSettings
from bff.usage import UsageError
from bff.wiring import SERVICES, wire
from datasources.clock import SystemClock
from datasources.credentials import ApiKey
from datasources.events import Events
from engine import ErrorBehavior, NotCompilable, compile_operation
from schema.clients import web
from schema.plan import plan_of


def explain_query(text: str, *, variables: str, operation: str | None) -> str:
    """Calls and waves of one operation.

    Args:
        text: The GraphQL document.
        variables: A JSON object.
        operation: Which of several; None for the only one.

    Raises:
        UsageError: The document, its variables or the name do not fit.
    """
    schema = core_schema(web.build_schema())
    document = _document(schema, text)
    try:
        return str(plan_of(schema, document.node, operation, _variables(variables)))
    except GraphQLError as exc:
        raise UsageError(_line(exc.formatted)) from exc


def plan_source(text: str, *, variables: str, operation: str | None) -> str:
    """The Python that executes one operation.

    Args:
        text: The GraphQL document.
        variables: A JSON object.
        operation: Which of several; None for the only one.

    Raises:
        UsageError: The document, its variables or the name do not fit; or graphql-core executes it.
    """
    schema = core_schema(web.build_schema())
    document = _document(schema, text)
    try:
        node = document.operation(operation).node
    except Refusal as refusal:
        raise UsageError(str(refusal)) from None
    coerced = get_variable_values(schema, node.variable_definitions or (), _variables(variables))
    if not isinstance(coerced, VariableValues):
        raise UsageError("\n".join(_line(error.formatted) for error in coerced))
    try:
        compiled = compile_operation(schema, document.node, operation)
        return compiled.plan(coerced, ErrorBehavior.PROPAGATE).source
    except NotCompilable as reason:
        raise UsageError(f"graphql-core executes this: {reason}") from None


def explain_pipeline(settings: Settings) -> str:
    """The policies around the calls of each service, outermost first."""
    wired = wire(
        settings,
        credentials=ApiKey(""),
        events=Events(),
        clock=SystemClock(),
        transport=_nowhere,
    )
    return "\n".join(f"{name}: {wired.services[name].ask}" for name in SERVICES)


def _nowhere(_name: str, _upstream: UpstreamSettings) -> httpx.AsyncBaseTransport:
    return httpx.AsyncBaseTransport()


def _document(schema: GraphQLSchema, text: str) -> Document:
    """Raises `UsageError` for one that is not valid."""
    try:
        return Documents(schema, Limits()).get(text)
    except InvalidDocument as invalid:
        raise UsageError("\n".join(_line(error) for error in invalid.errors)) from None


def _variables(text: str) -> dict[str, Any]:
    try:
        variables: object = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError("--variables: not JSON") from exc
    if not isinstance(variables, dict):
        raise UsageError("--variables: must be a JSON object")
    return cast("dict[str, Any]", variables)


def _line(error: Mapping[str, object]) -> str:
    """An error as the server shows it, on one line."""
    where = cast("list[dict[str, int]]", error.get("locations") or [])
    place = f"{where[0]['line']}:{where[0]['column']}: " if where else ""
    return place + str(error["message"])
