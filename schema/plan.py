"""Which upstream calls an operation makes, found without making any.

Reads what fields declare with `schema.asks`. Counts are upper bounds, since records may be missing
and both sides of a union are counted, with one exception: a list whose length no argument bounds
counts once, and the calls below it are marked `open_ended`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLList,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLWrappingType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_operation_ast,
    get_variable_values,
)
from graphql.execution.values import VariableValues
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from datasources.importance import Importance
from datasources.ports.products import BATCH_LIMIT
from schema.arguments import checked_ids, checked_size
from schema.asks import KEY, Asks, Per
from schema.errors import BadUserInput

_Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One or more like calls.

    Attributes:
        service: Who is asked.
        operation: What.
        scope: What our service token must allow.
        importance: How much the answer would miss them.
        batched: Whether each call asks for many things.
        things: How many things are asked for, at most.
        open_ended: Whether there may be more, because nothing in the document bounds a list.
    """

    service: str
    operation: str
    scope: str
    importance: Importance
    batched: bool
    things: int
    open_ended: bool

    @property
    def count(self) -> int:
        """How many calls that takes, at most."""
        return -(-self.things // BATCH_LIMIT) if self.batched else self.things


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls in waves: those of one wave are made together, after those of the one before."""

    waves: tuple[tuple[PlannedCall, ...], ...]

    @property
    def count(self) -> int:
        """How many calls there are in all, at most."""
        return sum(call.count for wave in self.waves for call in wave)

    def __str__(self) -> str:
        """As `bff explain` shows it."""
        lines = [f"{_plural(self.count, 'call')} in {_plural(len(self.waves), 'wave')}"]
        for number, wave in enumerate(self.waves, 1):
            lines += [f"wave {number}", *(f"  {_line(call)}" for call in wave)]
        return "\n".join(lines)


def plan_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of one operation of a valid document.

    Raises:
        GraphQLError: There is no such operation, or its variables or arguments do not fit.
    """
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        raise GraphQLError("Name one operation of the document.")
    definitions = operation.variable_definitions or ()
    coerced = get_variable_values(schema, definitions, dict(variables or {}))
    if not isinstance(coerced, VariableValues):
        raise coerced[0]
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return _Planner(schema, fragments, coerced).plan(operation)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a selection stands.

    Attributes:
        wave: How many calls come before it.
        objects: On how many objects it stands.
        open_ended: Whether there may be more.
        size: Of the next list below; None when nothing bounds it.
    """

    wave: int = 0
    objects: int = 1
    open_ended: bool = False
    size: int | None = None


class _Planner:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._calls: dict[_Key, tuple[int, PlannedCall]] = {}

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        root = self._schema.get_root_type(operation.operation)
        one_by_one = operation.operation is OperationType.MUTATION
        for fields in self._fields(cast("GraphQLCompositeType", root), [operation.selection_set]):
            start = self._depth() if one_by_one else 0
            self._visit(*fields, _Place(wave=start))
        waves: list[list[PlannedCall]] = [[] for _ in range(self._depth())]
        for wave, call in self._calls.values():
            waves[wave].append(call)
        return Plan(tuple(tuple(wave) for wave in waves))

    def _depth(self) -> int:
        return max((wave + 1 for wave, _ in self._calls.values()), default=0)

    def _fields(
        self, parent: GraphQLCompositeType, selections: Iterable[SelectionSetNode]
    ) -> Iterator[tuple[GraphQLCompositeType, list[FieldNode]]]:
        """The fields selected on *parent*, those that share a place in the answer together."""
        grouped: dict[tuple[str, str], tuple[GraphQLCompositeType, list[FieldNode]]] = {}
        visited: set[str] = set()
        for selection_set in selections:
            for owner, node in self._flat(parent, selection_set, visited):
                response_key = (node.alias or node.name).value
                grouped.setdefault((owner.name, response_key), (owner, []))[1].append(node)
        yield from grouped.values()

    def _flat(
        self, parent: GraphQLCompositeType, selection_set: SelectionSetNode, visited: set[str]
    ) -> Iterator[tuple[GraphQLCompositeType, FieldNode]]:
        for node in selection_set.selections:
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                yield parent, node
            elif (fragment := self._fragment(node, visited)) is not None:
                condition = fragment.type_condition
                narrowed = self._schema.type_map[condition.name.value] if condition else parent
                yield from self._flat(
                    cast("GraphQLCompositeType", narrowed), fragment.selection_set, visited
                )

    def _fragment(
        self, node: object, visited: set[str]
    ) -> InlineFragmentNode | FragmentDefinitionNode | None:
        """What *node* spreads; None for a named fragment that was visited before."""
        if not isinstance(node, FragmentSpreadNode):
            return node if isinstance(node, InlineFragmentNode) else None
        if node.name.value in visited:
            return None
        visited.add(node.name.value)
        return self._fragments[node.name.value]

    def _left_out(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return bool(skip and skip["if"]) or not (include is None or include["if"])

    def _visit(self, owner: GraphQLCompositeType, nodes: list[FieldNode], place: _Place) -> None:
        field = self._schema.get_field(owner, nodes[0].name.value)
        if field is None:
            return
        question = _asks_of(field)
        if question is not None:
            arguments = get_argument_values(field, nodes[0], self._variables)
            size = _size(question.sized_by, arguments, nodes) if question.sized_by else None
            self._count(question, (owner.name, nodes[0].name.value, repr(arguments)), place, size)
            place = replace(place, wave=place.wave + 1, size=size)
        kind, is_list = _unwrapped(field)
        if is_list:
            objects = place.objects * (1 if place.size is None else place.size)
            open_ended = place.open_ended or place.size is None
            place = replace(place, objects=objects, open_ended=open_ended, size=None)
        below = [node.selection_set for node in nodes if node.selection_set is not None]
        for fields in self._fields(kind, below):
            self._visit(*fields, place)

    def _count(self, question: Asks, wording: _Key, place: _Place, size: int | None) -> None:
        if question.per is Per.VIEWER:
            self._once((question.service, question.operation), question, place)
        elif question.per is Per.ARGUMENTS:
            self._once((question.service, question.operation, place.wave, wording), question, place)
        else:
            key = (question.service, question.operation, question.importance, place.wave)
            self._add(key, question, place, size)

    def _once(self, key: _Key, question: Asks, place: _Place) -> None:
        wave, call = self._calls.get(key, (place.wave, _call(question)))
        self._calls[key] = (min(wave, place.wave), call)

    def _add(self, key: _Key, question: Asks, place: _Place, size: int | None) -> None:
        _, call = self._calls.get(key, (place.wave, _call(question, things=0)))
        things = call.things + place.objects * (1 if size is None else size)
        open_ended = call.open_ended or place.open_ended
        self._calls[key] = (place.wave, replace(call, things=things, open_ended=open_ended))


def _call(question: Asks, things: int = 1) -> PlannedCall:
    return PlannedCall(
        service=question.service,
        operation=question.operation,
        scope=question.scope,
        importance=question.importance,
        batched=question.per is Per.WAVE,
        things=things,
        open_ended=False,
    )


def _asks_of(field: GraphQLField) -> Asks | None:
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return declared.metadata.get(KEY) if isinstance(declared, StrawberryField) else None


def _unwrapped(field: GraphQLField) -> tuple[GraphQLCompositeType, bool]:
    """The type of what the field gives, and whether it gives a list of them."""
    kind = cast("Any", field).type
    is_list = False
    while isinstance(kind, GraphQLWrappingType):
        is_list = is_list or isinstance(kind, GraphQLList)
        kind = cast("Any", kind).of_type
    return kind, is_list


def _size(argument: str, arguments: Mapping[str, Any], nodes: list[FieldNode]) -> int:
    """How many objects come of it; raises `GraphQLError` where the resolver would refuse it."""
    given: int | list[str] = arguments[argument]
    try:
        if isinstance(given, int):
            return checked_size(argument, given)
        return len(checked_ids(argument, given))
    except BadUserInput as problem:
        raise GraphQLError(str(problem), nodes, original_error=problem) from None


def _line(call: PlannedCall) -> str:
    if call.batched and call.open_ended:
        extent = f"1 call for every {BATCH_LIMIT} ids"
    elif call.batched:
        extent = f"{_plural(call.count, 'call')} for at most {_plural(call.things, 'id')}"
    else:
        extent = f"{'at most ' if call.count > 1 else ''}{_plural(call.count, 'call')}"
    return f"{call.service}.{call.operation}: {extent} ({call.scope})"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
