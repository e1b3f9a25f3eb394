"""Objects that are completed by their selection alone, and asked nothing before."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLObjectType

from engine.awaitables import is_ordinary
from engine.source import Source
from engine.strawberry_fields import CAST, class_of_type

_MOST_CLASSES: Final = 64


class OrdinaryClasses:
    """Of the objects that a plan has completed: neither null, nor errors, nor awaited.

    Attributes:
        known: So far, and not more than a plan usually meets.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: set[type] = set()

    def see(self, kind: type) -> None:
        """There was an object of the class *kind*."""
        if kind not in self.known and len(self.known) < _MOST_CLASSES and is_ordinary(kind):
            self.known.add(kind)


def own_class(kind: GraphQLObjectType) -> type | None:
    """The ordinary class of whose objects `is_type_of` says yes, if they were not cast."""
    own = class_of_type(kind)
    return own if own is not None and is_ordinary(own) else None


def sure_when(kind: GraphQLObjectType, source: Source, ordinary: OrdinaryClasses) -> str | None:
    """A condition on `{0}` under which it is an object of *kind*; None if all have to be asked."""
    if kind.is_type_of is None:
        return f"{{0}}.__class__ in {source.bind('ordinary', ordinary.known)}"
    own = own_class(kind)
    if own is None:
        return None
    return (
        f"{{0}}.__class__ is {source.bind('own', own)} and getattr({{0}}, {CAST!r}, None) is None"
    )
