"""The graph, written down."""

from __future__ import annotations

import orjson
from graphql import GraphQLError, GraphQLSchema, build_schema, introspection_from_schema

from bff.graphql.execution import core_schema
from bff.usage import UsageError
from schema.clients import web

_GRAPHS = {"web": web.build_schema}


def exported(client: str, *, as_json: bool) -> str:
    """The graph of a kind of client, ending in a newline; the same text every time.

    Args:
        client: Such as "web".
        as_json: The answer to the introspection query instead of SDL.
    """
    schema = _GRAPHS[client]()
    if not as_json:
        return schema.as_str().rstrip("\n") + "\n"
    answer = {"data": introspection_from_schema(core_schema(schema))}
    return orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() + "\n"


def parsed(sdl: str, name: str) -> GraphQLSchema:
    """The graph that *sdl* describes.

    Raises:
        UsageError: It describes none; *name* says whose it is.
    """
    try:
        return build_schema(sdl)
    except (GraphQLError, TypeError, RecursionError) as exc:
        raise UsageError(f"{name}: no schema ({str(exc).splitlines()[0]})") from exc
