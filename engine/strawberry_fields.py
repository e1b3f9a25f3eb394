"""What Strawberry does when a field is resolved, and whether it can be done without it.

Strawberry wraps each resolver in a function that makes its `Info`, converts arguments, and runs
extensions and permissions (which are extensions) and handlers of exceptions. Without these, it
comes down to one call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import GraphQLField, GraphQLObjectType
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE, get_strawberry_type_cast
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from engine.source import is_name

CAST: Final = TYPE_CAST_ATTRIBUTE
_WRAPPERS = "strawberry.schema.schema_converter"


@dataclass(frozen=True, slots=True)
class Resolver:
    """How a resolver is called.

    Attributes:
        function: That was declared.
        takes_self: Whether the parent is its first argument.
        takes_parent: Names of the parameters that are the parent.
        takes_info: Name of the one that is the info.
    """

    function: Callable[..., Any]
    takes_self: bool
    takes_parent: tuple[str, ...]
    takes_info: str | None


def is_attribute(field: StrawberryField, definition: GraphQLField) -> bool:
    """Whether the value is an attribute of the parent."""
    return (
        _is_wrapped(field, definition)
        and field.is_basic_field
        and field.default_resolver is getattr
        and bool(getattr(definition.resolve, "_is_default", False))
    )


def resolver_called_as(
    field: StrawberryField, definition: GraphQLField, strawberry: Any
) -> Resolver | None:
    """How the resolver is called; None if Strawberry does more."""
    resolver = cast("Any", field).base_resolver
    if (
        not _is_wrapped(field, definition)
        or field.extensions
        or resolver.__class__ is not StrawberryResolver
        or not callable(resolver.wrapped_func)
        or strawberry.exception_handlers
    ):
        return None
    # In the order in which Strawberry sets them: who has both gets the later one.
    parents = (resolver.parent_parameter, resolver.root_parameter)
    names = tuple(dict.fromkeys(each.name for each in parents if each is not None))
    info = resolver.info_parameter.name if resolver.info_parameter is not None else None
    arguments = [argument.python_name for argument in field.arguments]
    given = [*names, *arguments, *([info] if info is not None else [])]
    if len(set(given)) != len(given) or not all(is_name(name) for name in given):
        return None
    return Resolver(resolver.wrapped_func, resolver.self_parameter is not None, names, info)


def class_of_type(kind: GraphQLObjectType) -> type | None:
    """The class of whose objects Strawberry's own `is_type_of` says yes; None if there is none.

    But for one that was cast to another type, which it remembers as its attribute `CAST`.
    """
    declared: Any = kind.extensions.get("strawberry-definition")
    if (
        declared is None
        or declared.is_type_of is not None
        or getattr(kind.is_type_of, "__module__", None) != _WRAPPERS
    ):
        return None
    origin: type = declared.origin
    return origin


def is_of_class(kind: GraphQLObjectType, value: object) -> bool:
    """Whether Strawberry's own `is_type_of` agrees for sure."""
    return value.__class__ is class_of_type(kind) and get_strawberry_type_cast(value) is None


def _is_wrapped(field: StrawberryField, definition: GraphQLField) -> bool:
    """Whether the schema resolves the field in the way this module knows."""
    return (
        type(field) is StrawberryField
        and getattr(definition.resolve, "__module__", None) == _WRAPPERS
    )
