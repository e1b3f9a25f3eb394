"""`bff explain`: what a query would ask of the services."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx
from graphql import GraphQLError, parse, validate

from bff.graphql.execution import core_schema
from bff.settings import Settings, UpstreamSettings
from bff.usage import UsageError
from bff.wiring import SERVICES, wire
from datasources.clock import SystemClock
from datasources.credentials import ApiKey
from datasources.events import Events
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
    try:
        document = parse(text)
        problems = validate(schema, document)
        if problems:
            raise UsageError("\n".join(_line(problem) for problem in problems))
        return str(plan_of(schema, document, operation, _variables(variables)))
    except GraphQLError as exc:
        raise UsageError(_line(exc)) from exc
    except RecursionError as exc:
        raise UsageError("the query is nested too deeply") from exc


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


def _variables(text: str) -> dict[str, Any]:
    try:
        variables: object = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError("--variables: not JSON") from exc
    if not isinstance(variables, dict):
        raise UsageError("--variables: must be a JSON object")
    return cast("dict[str, Any]", variables)


def _line(problem: GraphQLError) -> str:
    where = problem.locations[0] if problem.locations else None
    return f"{where.line}:{where.column}: {problem.message}" if where else problem.message
