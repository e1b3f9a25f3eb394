"""Operations by chance, for any schema."""

from __future__ import annotations

import json
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_non_null_type,
    is_required_argument,
)

from tests.differential.chance import Chance, mixed
from tests.differential.worlds import external

_CONDITIONS = ("if_", "class", "c")


class Writer:
    """Writes one document."""

    def __init__(self, chance: Chance, schema: GraphQLSchema) -> None:
        self._chance = chance
        self._schema = schema
        self._fragments: list[tuple[str, str, str]] = []
        self._shapes: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._kinds: dict[str, Any] = {}
        self._defaults: dict[str, str] = {}

    def document(self) -> tuple[str, str | None]:
        """Its text, and which of its operations to execute."""
        chance = self._chance
        mutation = self._schema.mutation_type
        keyword = "mutation" if mutation is not None and chance.happens(0.2) else "query"
        root = mutation if keyword == "mutation" else self._schema.query_type
        assert root is not None
        selection = self._selection(root, 1 + chance.below(4))
        if keyword == "query" and chance.happens(0.03):
            selection += " __schema { queryType { name } types { name kind } }"
        fragments = "".join(
            f"\nfragment {name} on {kind} {{ {body} }}" for name, kind, body in self._fragments
        )
        declared = ", ".join(
            f"${name}: {kind}{self._defaults.get(name, '')}"
            for name, kind in self._variables.items()
        )
        head = f"{keyword} Asked" + (f"({declared})" if declared else "")
        text = f"{head} {{ {selection} }}{fragments}"
        if chance.happens(0.15):
            return f"query Other {{ __typename }}\n{text}", "Asked"
        return text, "Asked" if chance.happens(0.3) else None

    def variables(self, chance: Chance) -> dict[str, Any]:
        """Values for what the document declares: given, left out, null."""
        values: dict[str, Any] = {}
        for name, kind in self._kinds.items():
            optional = not is_non_null_type(kind) or name in self._defaults
            if optional and chance.happens(0.25):
                continue
            if not is_non_null_type(kind) and chance.happens(0.15):
                values[name] = None
            else:
                values[name] = external(chance, kind, 2)
        return values

    def _selection(self, kind: Any, depth: int) -> str:
        chance = self._chance
        parts = [self._part(kind, depth) for _ in range(1 + chance.below(4))]
        if chance.happens(0.1):
            parts.append(parts[0])
        return " ".join(part for part in parts if part) or "__typename"

    def _part(self, kind: Any, depth: int) -> str:
        chance = self._chance
        if chance.happens(0.07):
            alias = f"{chance.pick(('typename_', 'kind_'))}: " if chance.happens(0.4) else ""
            return f"{alias}__typename{self._directives()}"
        if isinstance(kind, GraphQLUnionType) or (depth > 0 and chance.happens(0.25)):
            return self._fragment(kind, depth)
        return self._field(kind, depth)

    def _field(self, kind: Any, depth: int) -> str:
        chance = self._chance
        fields = kind.fields
        names = list(fields)
        name = chance.pick(names)
        if depth <= 0:
            leaves = [one for one in names if is_leaf_type(get_named_type(fields[one].type))]
            if not leaves:
                return "__typename"
            name = chance.pick(leaves)
        field: GraphQLField = fields[name]
        arguments = self._arguments(field)
        # A name of its own for each type and each list of arguments: they never conflict.
        mark = mixed(0, str(field.type), arguments) % 999983
        shape = str(field.type)
        plain = not arguments and self._shapes.setdefault(name, shape) == shape
        alias = "" if plain and chance.happens(0.7) else f"{name}_{kind.name}_{mark}: "
        if chance.happens(0.1):
            alias = f"{chance.pick(('None', 'a', 'self', 'data'))}{mark}_{name}: "
        asked = f"{alias}{name}{arguments}{self._directives()}"
        named = get_named_type(field.type)
        if is_composite_type(named):
            return f"{asked} {{ {self._selection(named, depth - 1)} }}"
        return asked

    def _fragment(self, kind: Any, depth: int) -> str:
        chance = self._chance
        if depth <= 0:
            return "__typename"
        overlapping = self._overlapping(kind)
        if not overlapping:
            return "__typename"
        on = chance.pick(overlapping)
        directives = self._directives()
        if chance.happens(0.5):
            condition = "" if on is kind and chance.happens(0.5) else f" on {on.name}"
            return f"...{condition}{directives} {{ {self._selection(on, depth - 1)} }}"
        if self._fragments and chance.happens(0.3):
            for name, where, _ in self._fragments:
                if where == on.name:
                    return f"...{name}{directives}"
        body = self._selection(on, depth - 1)
        name = f"{chance.pick(('F', 'class', '_'))}{len(self._fragments)}"
        self._fragments.append((name, on.name, body))
        return f"...{name}{directives}"

    def _overlapping(self, kind: Any) -> list[Any]:
        def possible(one: Any) -> set[str]:
            if isinstance(one, GraphQLObjectType):
                return {one.name}
            return {each.name for each in self._schema.get_possible_types(one)}

        here = possible(kind)
        every = self._schema.type_map.values()
        composite = (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
        return [
            one
            for one in every
            if isinstance(one, composite) and not one.name.startswith("__") and here & possible(one)
        ]

    def _directives(self) -> str:
        chance = self._chance
        text = ""
        if chance.happens(0.14):
            text += f" @{chance.pick(('include', 'skip'))}(if: {self._condition()})"
            if chance.happens(0.1) and "@skip" not in text:
                text += f" @skip(if: {self._condition()})"
        return text

    def _condition(self) -> str:
        chance = self._chance
        if chance.happens(0.4):
            return chance.pick(("true", "false"))
        name = chance.pick(_CONDITIONS)
        if name not in self._variables:
            default = " = true" if chance.happens(0.2) else ""
            self._declare(name, GraphQLNonNull(self._schema.type_map["Boolean"]), default)
        return f"${name}"

    def _arguments(self, field: GraphQLField) -> str:
        chance = self._chance
        given = []
        for name, argument in field.args.items():
            if not is_required_argument(argument) and chance.happens(0.4):
                continue
            has_default = argument.default is not None
            given.append(f"{name}: {self._value(argument.type, 3, has_default=has_default)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, kind: Any, depth: int, *, has_default: bool = False) -> str:
        chance = self._chance
        if chance.happens(0.3):
            return self._variable(kind, has_default=has_default)
        if is_non_null_type(kind):
            kind = kind.of_type
        elif chance.happens(0.1):
            return "null"
        if isinstance(kind, GraphQLList):
            if depth > 0 and chance.happens(0.15):
                return literal(external(chance, kind.of_type, depth - 1), kind.of_type)
            items = [self._value(kind.of_type, depth - 1) for _ in range(chance.below(3))]
            return f"[{', '.join(items)}]"
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, depth)
        return literal(external(chance, kind, depth), kind)

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> str:
        chance = self._chance
        if kind.is_one_of:
            key = chance.pick(list(kind.fields))
            value = literal(external(chance, kind.fields[key].type, 0), kind.fields[key].type)
            return f"{{{key}: {value}}}"
        given = []
        for key, field in kind.fields.items():
            required = is_non_null_type(field.type) and field.default is None
            if required or (depth > 0 and chance.happens(0.4)):
                has_default = field.default is not None
                given.append(
                    f"{key}: {self._value(field.type, depth - 1, has_default=has_default)}"
                )
        return f"{{{', '.join(given)}}}"

    def _variable(self, kind: Any, *, has_default: bool) -> str:
        chance = self._chance
        declared, default = kind, ""
        if not is_non_null_type(kind) and chance.happens(0.3):
            declared = GraphQLNonNull(kind)
        elif is_non_null_type(kind) and chance.happens(0.4):
            # Where the position has a default, or the variable, null may come to it at run time.
            if not has_default or chance.happens(0.5):
                default = f" = {literal(external(chance, kind, 1), kind)}"
            declared = kind.of_type
        elif chance.happens(0.25):
            default = f" = {literal(external(chance, kind, 1), kind)}"
        name = f"v{mixed(0, str(declared), default) % 999983}{chance.pick(('', '_b'))}"
        if name not in self._variables:
            self._declare(name, declared, default)
        return f"${name}"

    def _declare(self, name: str, kind: Any, default: str) -> None:
        self._variables[name] = str(kind)
        self._kinds[name] = kind
        if default:
            self._defaults[name] = default


def literal(value: Any, kind: Any) -> str:
    """A value that clients would send in JSON, as it stands in a document."""
    if is_non_null_type(kind):
        kind = kind.of_type
    if isinstance(value, list) and isinstance(kind, GraphQLList):
        return f"[{', '.join(literal(one, kind.of_type) for one in value)}]"
    if isinstance(kind, GraphQLList):
        return literal(value, kind.of_type)
    if isinstance(kind, GraphQLInputObjectType):
        entries = (f"{key}: {literal(one, kind.fields[key].type)}" for key, one in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(kind, GraphQLEnumType):
        return str(value)
    return json.dumps(value)
