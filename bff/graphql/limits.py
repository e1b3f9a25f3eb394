"""How big a request may be, and how big a document is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

_MANY = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is refused before anything is executed.

    The defaults let the standard introspection query pass (165 tokens, 15 levels). `tokens` and
    `fields` together bound validation, which compares every two fields of one name: at the
    defaults the worst document found takes about 0.2 s; it grows with the square of `fields`.

    Attributes:
        operations: Under way at once, those that wait to begin included.
        wait_seconds: Before an operation begins.
        body_bytes: Of a request.
        body_seconds: In which it must have arrived.
        url_bytes: Path and query string.
        header_bytes: All names and values together.
        headers: Number of header lines.
        document_bytes: Of a GraphQL document in UTF-8.
        tokens: Lexical tokens of a document; as many comments besides.
        depth: Nested fields of an operation.
        aliases: In an operation, as all that follow: counted once per spread of a fragment.
        fields: In an operation, at any depth.
        directives: In an operation.
        root_fields: Of an operation.
    """

    operations: int = 2_048
    wait_seconds: float = 2.5
    body_bytes: int = 262_144
    body_seconds: float = 10.0
    url_bytes: int = 16_384
    header_bytes: int = 65_536
    headers: int = 100
    document_bytes: int = 65_536
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 100
    fields: int = 500
    directives: int = 50
    root_fields: int = 50

    def exceeded_by(self, size: Size) -> str | None:
        """The first limit that *size* breaks, in words; None when it fits."""
        for name, most, has in (
            ("levels of fields", self.depth, size.depth),
            ("aliases", self.aliases, size.aliases),
            ("fields", self.fields, size.fields),
            ("directives", self.directives, size.directives),
            ("fields at the root", self.root_fields, size.root_fields),
        ):
            if has > most:
                return f"The operation has more than {most} {name}."
        return None


@dataclass(slots=True)
class Size:
    """What an operation or a fragment amounts to with every spread written out.

    Attributes:
        reads: Whether a field at the root is more than `__typename`, `__schema` or `__type`.
    """

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0
    root_fields: int = 0
    reads: bool = False

    def add(self, other: Size, below: int) -> None:
        """Count *other* in, spread below that many fields.

        Fragments that spread one another double the counts at each step, so they stop at a number
        that is beyond every limit.
        """
        self.depth = max(self.depth, below + other.depth)
        self.aliases = min(_MANY, self.aliases + other.aliases)
        self.fields = min(_MANY, self.fields + other.fields)
        self.directives = min(_MANY, self.directives + other.directives)
        if not below:
            self.root_fields = min(_MANY, self.root_fields + other.root_fields)
            self.reads = self.reads or other.reads


@dataclass(slots=True)
class _Part:
    """A definition by itself, and the fragments it spreads: name and number of fields above."""

    size: Size = field(default_factory=Size)
    spreads: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


def sizes(document: DocumentNode) -> list[tuple[OperationDefinitionNode, Size]]:
    """The size of each operation, in their order.

    Visits each node once and each spread twice, and never recurses, so neither fragments that
    multiply nor deep nesting can make it slow or overflow the stack. Unknown fragments and cycles
    add nothing: validation reports them.
    """
    fragments: dict[str, _Part] = {}
    operations: list[tuple[OperationDefinitionNode, _Part]] = []
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append((definition, _part(definition)))
        elif isinstance(definition, FragmentDefinitionNode):
            fragments.setdefault(definition.name.value, _part(definition))
    whole: dict[str, Size] = {}
    for name in fragments:
        _write_out(name, fragments, whole)
    for _, part in operations:
        _add_spreads(part, whole)
    return [(definition, part.size) for definition, part in operations]


def _part(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Part:
    part = _Part()
    size = part.size
    size.directives = len(definition.directives or ())
    stack: list[tuple[SelectionSetNode | None, int]] = [(definition.selection_set, 0)]
    while stack:
        selection_set, above = stack.pop()
        for selection in selection_set.selections if selection_set else ():
            size.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                size.fields += 1
                size.aliases += selection.alias is not None
                size.depth = max(size.depth, above + 1)
                if not above:
                    size.root_fields += 1
                    size.reads = size.reads or not selection.name.value.startswith("__")
                stack.append((selection.selection_set, above + 1))
            elif isinstance(selection, FragmentSpreadNode):
                part.spreads.append((selection.name.value, above))
            else:
                stack.append((getattr(selection, "selection_set", None), above))
    return part


def _write_out(start: str, fragments: Mapping[str, _Part], whole: dict[str, Size]) -> None:
    """Put *start*, and what it spreads, into *whole*: innermost first, on a stack of our own."""
    entered: set[str] = set()
    stack = [start]
    while stack:
        name = stack[-1]
        if name in whole:
            stack.pop()
        elif name in entered:
            part = fragments[name]
            _add_spreads(part, whole)
            whole[name] = part.size
            stack.pop()
        else:
            entered.add(name)
            stack.extend(
                spread
                for spread, _ in fragments[name].spreads
                if spread in fragments and spread not in whole and spread not in entered
            )


def _add_spreads(part: _Part, whole: Mapping[str, Size]) -> None:
    for spread, above in part.spreads:
        if spread in whole:
            part.size.add(whole[spread], above)
