"""For how long an answer may be kept, and for whom: `@cacheControl`, as Apollo documents it.

A type or a field says so once, among its directives; the exported graph shows it, and the policy of
an operation is the least of all that it selects. What a service says is kept no longer than the
operator lets it count as fresh. Three things are stricter here. A type that is
PRIVATE is private wherever it stands, also below a field that says PUBLIC. Where a field gives an
interface or a union, what its members say counts too. And a hint that lets something be kept must
say for whom: forgotten, it would be PUBLIC.

References:
    https://www.apollographql.com/docs/apollo-server/performance/caching;
    docs/decisions/0027-response-cache.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, cast

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema_directive import Location

from schema.asks import KEY, Asks


@strawberry.enum(name="CacheControlScope", description="For whom an answer may be kept.")
class CacheScope(Enum):
    PUBLIC = strawberry.enum_value(
        "PUBLIC", description="It is the same for everybody who may see it."
    )
    PRIVATE = strawberry.enum_value("PRIVATE", description="It is for one viewer only.")


@strawberry.schema_directive(
    locations=[
        Location.FIELD_DEFINITION,
        Location.OBJECT,
        Location.INTERFACE,
        Location.UNION,
    ],
    name="cacheControl",
    description=(
        "For how many seconds an answer with this in it may be kept, and for whom. The least of "
        "all that an operation selects counts; one that is PRIVATE makes it private. Without it, "
        "fields of the root and those that give objects have a `maxAge` of 0; other fields, and "
        "those with `inheritMaxAge`, have that of what they stand on."
    ),
)
class CacheControl:
    max_age: int | None = strawberry.directive_field(name="maxAge", default=strawberry.UNSET)
    scope: CacheScope | None = strawberry.UNSET
    inherit_max_age: bool | None = strawberry.directive_field(
        name="inheritMaxAge", default=strawberry.UNSET
    )

    def __post_init__(self) -> None:
        """Raises `ValueError` for a hint that says too little, or two things."""
        if self.max_age and not self.scope:
            raise ValueError("What may be kept must say for whom: give a scope.")
        if (self.max_age or 0) < 0:
            raise ValueError("A maxAge is 0 seconds or more.")
        if self.max_age is not strawberry.UNSET and self.inherit_max_age:
            raise ValueError("A maxAge is given or inherited, not both.")


INHERITED: Final = CacheControl(inherit_max_age=True)
"""For a type that is a part of what it stands on, and says nothing that grows untrue."""

PERSONAL: Final = CacheControl(scope=CacheScope.PRIVATE)
"""For a type that belongs to one viewer; by itself it lets nothing be kept."""

NEVER: Final = CacheControl(max_age=0)
"""For what is untrue a moment later."""

_NOTHING: Final = CacheControl()


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What becomes of a whole answer.

    Attributes:
        max_age: For how long it may be kept (seconds), counted from when its oldest part was said.
        scope: For whom.
    """

    max_age: float
    scope: CacheScope


NOT_KEPT: Final = CachePolicy(0.0, CacheScope.PRIVATE)


@dataclass(slots=True)
class _Least:
    """What some fields say together; no `max_age` where none of them says anything."""

    max_age: float | None = None
    private: bool = False

    def add(self, other: _Least) -> None:
        if other.max_age is not None:
            lesser = self.max_age is None or other.max_age < self.max_age
            self.max_age = other.max_age if lesser else self.max_age
        self.private = self.private or other.private

    @property
    def policy(self) -> CachePolicy:
        if not self.max_age:
            return NOT_KEPT
        return CachePolicy(self.max_age, CacheScope.PRIVATE if self.private else CacheScope.PUBLIC)


_UNBOUNDED: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(slots=True)
class _Part:
    """An operation or a fragment by itself, and the fragments that it spreads."""

    least: _Least = field(default_factory=_Least)
    spreads: set[str] = field(default_factory=set[str])


class CachePolicies:
    """Knows the policy of every operation against one schema.

    Whatever a variable may leave out (`@skip`, `@include`) counts, so that there is one policy
    for each operation of a document.

    Args:
        schema: With the hints of the types that Strawberry made it of.
        fresh: For how long what a service says counts as fresh (seconds), by its name; those that
            are not in it bound nothing.
    """

    def __init__(self, schema: GraphQLSchema, fresh: Mapping[str, float] = _UNBOUNDED) -> None:
        self._schema = schema
        self._fresh = fresh
        self._known: dict[tuple[str, str], _Least] = {}

    def of(self, document: DocumentNode) -> Mapping[str | None, CachePolicy]:
        """The policies of the operations of a valid document, by their names.

        Visits every node once, and for each operation every fragment once, on a stack of its own.
        """
        fragments = {
            node.name.value: self._part(self._named(node), node.selection_set)
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return {
            node.name.value if node.name else None: self._policy(node, fragments)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }

    def restriction(self, owner: GraphQLNamedType, name: str) -> tuple[float | None, bool]:
        """What selecting one field means: its `maxAge`, None for its owner's; whether private."""
        least = self._of_field(owner, name)
        return least.max_age, least.private

    def _policy(self, node: OperationDefinitionNode, fragments: Mapping[str, _Part]) -> CachePolicy:
        root = self._schema.get_root_type(node.operation)
        if root is None or node.operation is not OperationType.QUERY:
            return NOT_KEPT
        part = self._part(root, node.selection_set)
        entered: set[str] = set()
        waiting = list(part.spreads)
        while waiting:
            name = waiting.pop()
            if name not in entered:
                entered.add(name)
                part.least.add(fragments[name].least)
                waiting.extend(fragments[name].spreads)
        return part.least.policy

    def _part(self, owner: GraphQLNamedType, selection_set: SelectionSetNode) -> _Part:
        part = _Part()
        stack: list[tuple[GraphQLNamedType, SelectionSetNode]] = [(owner, selection_set)]
        while stack:
            owner, selected = stack.pop()
            for node in selected.selections:
                if isinstance(node, FieldNode):
                    name = node.name.value
                    part.least.add(self._of_field(owner, name))
                    if node.selection_set is not None and not name.startswith("__"):
                        stack.append((_given_by(_field(owner, name)), node.selection_set))
                elif isinstance(node, FragmentSpreadNode):
                    part.spreads.add(node.name.value)
                elif isinstance(node, InlineFragmentNode):
                    narrowed = self._named(node) if node.type_condition else owner
                    stack.append((narrowed, node.selection_set))
        return part

    def _named(self, node: FragmentDefinitionNode | InlineFragmentNode) -> GraphQLNamedType:
        condition = node.type_condition
        if condition is None:  # pragma: no cover - asked for where there is one
            raise TypeError("no type condition")
        return self._schema.type_map[condition.name.value]

    def _of_field(self, owner: GraphQLNamedType, name: str) -> _Least:
        if name == "__typename":
            return _Least()
        if name.startswith("__"):
            return _Least(0)
        known = self._known.get((owner.name, name))
        if known is None:
            known = self._known[owner.name, name] = self._read(owner, _field(owner, name))
        return known

    def _read(self, owner: GraphQLNamedType, definition: GraphQLField) -> _Least:
        given = _given_by(definition)
        own, of_type = _hint(definition), _hint(given)
        members = [_hint(member) for member in self._members(given)]
        private = any(hint.scope is CacheScope.PRIVATE for hint in (own, of_type, *members))
        max_age = _max_age(own, of_type, members, is_composite=is_composite_type(given))
        if max_age is None and owner is self._schema.query_type:
            max_age = 0
        fresh = self._fresh.get(_service(definition))
        if fresh is not None:
            max_age = fresh if max_age is None else min(max_age, fresh)
        return _Least(max_age, private)

    def _members(self, kind: GraphQLNamedType) -> Iterable[GraphQLObjectType]:
        return self._schema.get_possible_types(kind) if is_abstract_type(kind) else ()


def _service(definition: GraphQLField) -> str:
    """Whom the field asks; "" for nobody."""
    declared = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    question = cast("Mapping[object, object]", getattr(declared, "metadata", None) or {}).get(KEY)
    return question.service if isinstance(question, Asks) else ""


def _max_age(
    own: CacheControl, of_type: CacheControl, members: list[CacheControl], *, is_composite: bool
) -> float | None:
    """None for that of the owner."""
    said = _said(own)
    if said is not None:
        return said
    of_all = [age for hint in (of_type, *members) if (age := _said(hint)) is not None]
    if _said(of_type) is not None:
        return min(of_all)
    if own.inherit_max_age or of_type.inherit_max_age or not is_composite:
        return min(of_all, default=None)
    return 0


def _said(hint: CacheControl) -> int | None:
    return hint.max_age if isinstance(hint.max_age, int) else None


def _field(owner: GraphQLNamedType, name: str) -> GraphQLField:
    fields: Mapping[str, GraphQLField] = cast(
        "GraphQLObjectType | GraphQLInterfaceType", owner
    ).fields
    return fields[name]


def _given_by(definition: GraphQLField) -> GraphQLNamedType:
    return cast("GraphQLNamedType", get_named_type(cast("Any", definition).type))


def _hint(defined: GraphQLField | GraphQLNamedType) -> CacheControl:
    declared = defined.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    directives = cast("Iterable[object]", getattr(declared, "directives", None) or ())
    return next((one for one in directives if isinstance(one, CacheControl)), _NOTHING)
