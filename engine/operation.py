"""Finds the operation of a document, and refuses what cannot be compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDeferDirective,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    GraphQLStreamDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.language import DirectiveNode

from engine.not_compilable import NotCompilable

MOST_LEVELS = 64
"""Of selections in one another."""

_CONDITIONS = frozenset({GraphQLSkipDirective.name, GraphQLIncludeDirective.name})
_DELIVERY = frozenset({GraphQLDeferDirective.name, GraphQLStreamDirective.name})


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """What is the same for all plans of an operation.

    Attributes:
        node: In the document.
        fragments: All of the document, as graphql-core collects fields with them.
        fragment_definitions: The same, as resolvers see them.
        condition_variables: Names of the variables that decide what is selected.
    """

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    fragment_definitions: dict[str, FragmentDefinitionNode]
    condition_variables: tuple[str, ...]

    @property
    def name(self) -> str:
        """For people."""
        return self.node.name.value if self.node.name else self.node.operation.value


def find_operation(document: DocumentNode, operation_name: str | None) -> Operation:
    """The operation that is asked for.

    Raises:
        NotCompilable: There is no such operation, or it is none for the engine.
    """
    found: list[OperationDefinitionNode] = []
    definitions: dict[str, FragmentDefinitionNode] = {}
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            definitions[definition.name.value] = definition
        elif isinstance(definition, OperationDefinitionNode) and (
            operation_name is None
            or (definition.name is not None and definition.name.value == operation_name)
        ):
            found.append(definition)
    if len(found) != 1:
        raise NotCompilable(f"{len(found)} operations are called {operation_name!r}.")
    (node,) = found
    if node.operation is OperationType.SUBSCRIPTION:
        raise NotCompilable("Subscriptions are executed by graphql-core.")
    if node.directives:
        raise NotCompilable(f"What @{node.directives[0].name.value} does is not known.")
    reader = _Reader(definitions)
    reader.read(node.selection_set)
    return Operation(
        node,
        {name: FragmentDetails(each, None) for name, each in definitions.items()},
        definitions,
        tuple(sorted(reader.variables)),
    )


class _Reader:
    """Reads all that an operation selects, each fragment once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._levels: dict[str, int] = {}
        self._open: set[str] = set()
        self.variables: set[str] = set()

    def read(self, selection_set: SelectionSetNode, level: int = 1) -> int:
        """How many levels of selections there are, from here on.

        Raises:
            NotCompilable: Too many, or something that is left to graphql-core.
        """
        if level > MOST_LEVELS:
            raise NotCompilable(f"There are more than {MOST_LEVELS} levels of selections.")
        deepest = 1
        for selection in selection_set.selections:
            for directive in selection.directives or ():
                self._read_directive(directive)
            if isinstance(selection, FieldNode):
                if selection.selection_set:
                    deepest = max(deepest, 1 + self.read(selection.selection_set, level + 1))
            elif isinstance(selection, InlineFragmentNode):
                deepest = max(deepest, self.read(selection.selection_set, level + 1))
            elif isinstance(selection, FragmentSpreadNode):
                deepest = max(deepest, self._read_fragment(selection, level))
        if level + deepest > MOST_LEVELS:
            raise NotCompilable(f"There are more than {MOST_LEVELS} levels of selections.")
        return deepest

    def _read_fragment(self, spread: FragmentSpreadNode, level: int) -> int:
        name = spread.name.value
        known = self._levels.get(name)
        if known is not None:
            return known
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            raise NotCompilable(f"The fragment {name} is missing, or spreads itself.")
        if fragment.variable_definitions or spread.arguments:
            raise NotCompilable(f"The fragment {name} has variables of its own.")
        for directive in fragment.directives or ():
            self._read_directive(directive)
        self._open.add(name)
        levels = self._levels[name] = self.read(fragment.selection_set, level + 1)
        self._open.remove(name)
        return levels

    def _read_directive(self, directive: DirectiveNode) -> None:
        name = directive.name.value
        if name in _DELIVERY:
            raise NotCompilable(f"@{name} is executed by graphql-core.")
        if name not in _CONDITIONS:
            raise NotCompilable(f"What @{name} does is not known.")
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.variables.add(argument.value.name.value)
