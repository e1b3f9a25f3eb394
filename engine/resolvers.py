"""The code that gives the raw value of a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from graphql.execution import executor

from engine.arguments import are_immutable, arguments_of, convert, converted_arguments
from engine.batching import BATCH, Batch
from engine.fields import Field
from engine.info import ResolveInfo
from engine.paths import Path
from engine.source import Source, is_name
from engine.strawberry_fields import is_attribute, resolver_called_as

if TYPE_CHECKING:
    from engine.execution import Execution


_DEFAULT: Any = cast("Any", executor).default_field_resolver


@dataclass(frozen=True, slots=True)
class ValueCode:
    """Code of a value.

    Attributes:
        expression: Of `run`, `source` (the parent object) and `path` (that of the parent).
        before: Lines that it needs.
        may_be_member: Whether it is called if it can be, as graphql-core's default resolver does.
        is_mapping: Whether it needs to know `mapping`: whether the parent is one.
    """

    expression: str
    before: tuple[str, ...] = ()
    may_be_member: bool = False
    is_mapping: bool = False


def batch_of(field: Field) -> Batch | None:
    """How the values of the field are loaded together; None if they are not."""
    known = field.strawberry
    if known is None or known.extensions or field.definition.args:
        return None
    batch = known.metadata.get(BATCH)
    return batch if isinstance(batch, Batch) else None


def value_code(field: Field, strawberry: Any, source: Source, suffix: str) -> ValueCode:
    """The quickest code that gives what the field's resolver would give.

    Args:
        field: That is resolved.
        strawberry: Strawberry's schema, if it is one.
        source: Where the code will stand.
        suffix: Of local names.
    """
    if field.strawberry is not None and is_attribute(field.strawberry, field.definition):
        name = field.strawberry.python_name
        if is_name(name) and not name.startswith("__"):
            return ValueCode(f"source.{name}")
        return ValueCode(f"getattr(source, {name!r})")
    if field.strawberry is not None and strawberry is not None:
        direct = _direct_call(field, strawberry, source, suffix)
        if direct is not None:
            return direct
    if field.definition.resolve in {None, _DEFAULT} and not field.definition.args:
        name = field.name
        return ValueCode(
            f"source.get({name!r}) if mapping else getattr(source, {name!r}, None)",
            may_be_member=True,
            is_mapping=True,
        )
    return ValueCode(f"resolve(run, {source.bind('field', field)}, source, path)")


def resolve(execution: Execution, field: Field, source: Any, path: Path | None) -> Any:
    """Call the resolver of the schema."""
    resolver = field.definition.resolve or _DEFAULT
    return resolver(source, ResolveInfo(execution, field, path), **arguments_of(execution, field))


def call_member(execution: Execution, field: Field, member: Any, path: Path | None) -> Any:
    """Call what graphql-core's default resolver has found on the parent."""
    return member(ResolveInfo(execution, field, path))


def _direct_call(field: Field, strawberry: Any, source: Source, suffix: str) -> ValueCode | None:
    """A call of the function that Strawberry would call; None if it does more than that."""
    assert field.strawberry is not None  # noqa: S101 - for the type checkers
    known = resolver_called_as(field.strawberry, field.definition, strawberry)
    if known is None:
        return None
    before: list[str] = []
    given = ["source"] if known.takes_self else []
    given += [f"{name}=source" for name in known.takes_parent]
    constant = _constant(field, strawberry)
    if known.takes_info is not None or constant is None:
        info = f"info_{suffix}"
        before.append(
            f"{info} = {source.bind('Info', strawberry.config.info_class)}("
            f"_raw_info=ResolveInfo(run, {source.bind('field', field)}, path), "
            f"_field={source.bind('declared', field.strawberry)})"
        )
        if known.takes_info is not None:
            given.append(f"{known.takes_info}={info}")
        if constant is None:
            given.append(f"**converted_arguments(run, {source.bind('field', field)}, {info})")
    for name, value in (constant or {}).items():
        given.append(f"{name}={source.bind(f'argument_{name}', value)}")
    function = source.bind("resolver", known.function)
    return ValueCode(f"{function}({', '.join(given)})", tuple(before))


def _constant(field: Field, strawberry: Any) -> Mapping[str, Any] | None:
    """The arguments of the Strawberry resolver, where they never change."""
    if field.constant_arguments is None:
        return None
    try:
        values = convert(strawberry, field, field.constant_arguments, None)
    except Exception:  # noqa: BLE001 - and so it is each time
        return None
    return values if are_immutable(values.values()) else None


RESOLVING: Mapping[str, Any] = {
    "ResolveInfo": ResolveInfo,
    "call_member": call_member,
    "converted_arguments": converted_arguments,
    "resolve": resolve,
}
"""What the code uses by name."""
