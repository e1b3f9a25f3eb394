"""The code of one selection: a function that makes the answer's object of a parent object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from graphql import GraphQLObjectType, is_leaf_type
from graphql.execution.collect_fields import FieldDetails

from engine.completion import shown_of_batch
from engine.fields import Field
from engine.kinds import unwrapped
from engine.leaves import names_of_members, unchanged_when
from engine.objects import sure_when
from engine.resolvers import ValueCode, batch_of, value_code
from engine.source import comment, indented

if TYPE_CHECKING:
    from engine.assembly import Assembly


def write_selection(
    assembly: Assembly,
    function: str,
    kind: GraphQLObjectType,
    fields: Mapping[str, list[FieldDetails]],
) -> None:
    """Write `function(run, source, path)`.

    It gives the object in whose entries some `Pending` may stand; an error that null cannot take
    the place of leaves it.
    """
    lines: list[str] = []
    shown: list[str] = []
    needs_mapping = False
    for index, (key, details) in enumerate(fields.items()):
        if details[0].node.name.value == "__typename":
            shown.append(f"{key!r}: {kind.name!r}")
            continue
        field = assembly.field(kind, details)
        if field is None:
            continue
        local = f"v{index}_{key}"
        shown.append(f"{key!r}: {local}")
        code = value_code(field, assembly.strawberry, assembly.source, local)
        needs_mapping = needs_mapping or (code.is_mapping and batch_of(field) is None)
        lines += _field_lines(assembly, field, local, code)
    body = ["odd = False"]
    if needs_mapping:
        body.append("mapping = source.__class__ is dict or isinstance(source, Mapping)")
    body += [*lines, f"shown = {{{', '.join(shown)}}}"]
    body += ["if odd:", "    place(shown)", "return shown"]
    assembly.source.write([f"def {function}(run, source, path):", *indented(body)])


def _field_lines(assembly: Assembly, field: Field, local: str, code: ValueCode) -> list[str]:
    source = assembly.source
    at = source.bind("at", field.position)
    complete = assembly.completion(field)
    batch = batch_of(field)
    if batch is not None:
        known = source.bind("batch", batch)
        show = source.bind("show", shown_of_batch(field, batch, complete))
        steps = [
            "odd = True",
            f"{local} = run.await_batch({known}, {known}.key(source), path, {at}, {show})",
        ]
    else:
        steps = [*code.before, f"{local} = {code.expression}"]
        steps += _completed(assembly, field, local, code, source.bind("complete", complete))
    return [
        comment(f"{field.key}: {field.type}"),
        "try:",
        *indented(steps),
        "except Exception:",
        f"    {local} = failed(run, path, {at})",
    ]


def _completed(
    assembly: Assembly, field: Field, local: str, code: ValueCode, complete: str
) -> list[str]:
    """What is done with the value; the usual one of a leaf needs no call."""
    source = assembly.source
    inner, required = unwrapped(field.type)
    some = f"{local} is not None"
    unusual = [
        (
            f"{local} = await_or_complete("
            f"run, {local}, path, {source.bind('at', field.position)}, {complete})"
        )
    ]
    if code.may_be_member:
        unusual[:0] = [
            f"if callable({local}):",
            f"    {local} = call_member(run, {source.bind('field', field)}, {local}, path)",
        ]
    if not is_leaf_type(inner):
        unusual += [f"if {local}.__class__ is Pending:", "    odd = True"]
        sure = None
        if isinstance(inner, GraphQLObjectType) and not code.may_be_member:
            sure = sure_when(inner, source, assembly.ordinary)
        if sure is None:
            return unusual if required else [f"if {some}:", *indented(unusual)]
        select = assembly.selection(inner, field.details).name
        path = f"(path, {field.key!r}, {source.bind('at', field.position)})"
        return [
            f"if {sure.format(local)}:",
            f"    {local} = {select}(run, {local}, {path})",
            "else:" if required else f"elif {some}:",
            *indented(unusual),
        ]
    unusual.insert(0, "odd = True")
    unchanged = unchanged_when(inner)
    if unchanged is not None:
        test = f"not ({unchanged.format(local)})"
        return [f"if {test}:" if required else f"if {some} and {test}:", *indented(unusual)]
    members = names_of_members(inner)
    if members is not None:
        return [
            f"member = {source.bind('members', members)}.get(id({local}))",
            "if member is not None:",
            f"    {local} = member[0]",
            "else:" if required else f"elif {some}:",
            *indented(unusual),
        ]
    return unusual if required else [f"if {some}:", *indented(unusual)]
