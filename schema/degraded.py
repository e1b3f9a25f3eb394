"""What an answer serves old, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from graphql import GraphQLError

from datasources.errors import DatasourceError
from datasources.sourced import Origin, Sourced

T = TypeVar("T")

Step = str | int
Entry = dict[str, object]


class ResponsePath(Protocol):
    """Where in an answer; graphql-core's `Path` is one."""

    def as_list(self) -> list[Step]:
        """Response keys and positions, from the root."""
        ...


class Field(Protocol):
    """A field that is being resolved; Strawberry's `Info` is one."""

    @property
    def path(self) -> ResponsePath:
        """Where it stands; asked for only where it matters, since it may have to be made."""
        ...


class DegradedLog:
    """Everything sourced passes through it on its way into the answer; one log per operation.

    Attributes:
        age: Of the oldest of it, since its service said it (seconds); 0 when all is live.
    """

    __slots__ = ("_stale", "age")

    def __init__(self) -> None:
        self.age = 0.0
        self._stale: list[tuple[list[Step], Sourced[Any]]] = []

    def show(self, field: Field, found: Sourced[T], position: int | None = None) -> Sourced[T]:
        """Give *found* back, which from now on counts as shown.

        Args:
            field: Where.
            found: What.
            position: In the field's list; None when all of the field is *found*.
        """
        if found.origin is Origin.LIVE:
            return found
        self.age = max(self.age, found.age)
        if found.origin is Origin.STALE:
            path = field.path.as_list()
            self._stale.append((path if position is None else [*path, position], found))
        return found

    @property
    def stale(self) -> bool:
        """Whether anything old was shown, wherever it has gone since."""
        return bool(self._stale)

    def entries(self, errors: Sequence[GraphQLError] | None, data: object) -> list[Entry]:
        """The value of `extensions.degraded`: one entry per path, in the order of the document.

        Needs the data to be truthful: an old value that an error beside it has taken out of the
        answer, together with their parent, was not served.

        Args:
            errors: Of the finished operation, as the executor made them.
            data: Of the finished operation.
        """
        served: dict[tuple[Step, ...], Entry] = {}
        for shown_at, found in self._stale:
            path = tuple(shown_at)
            if _value_at(data, path) is not None:
                served[path] = _entry(
                    path, found.service, "STALE", found.reason, round(found.age, 3)
                )
        for error in errors or ():
            failure, path = error.original_error, tuple(error.path or ())
            if isinstance(failure, DatasourceError) and failure.reason is not None:
                served[path] = _entry(path, failure.service, "NOTHING", failure.reason, None)
        return [served[path] for path in sorted(served, key=lambda path: _place(data, path))]


def _entry(
    path: tuple[Step, ...], service: str, served: str, reason: str | None, age: float | None
) -> Entry:
    return {
        "path": list(path),
        "service": service,
        "served": served,
        "reason": None if reason is None else str(reason),
        "ageSeconds": age,
    }


def _child(parent: object, step: Step) -> object:
    """What stands at *step* in *parent*; None where nothing does."""
    if isinstance(parent, Mapping):
        return cast("Mapping[Step, object]", parent).get(step)
    if isinstance(parent, list) and isinstance(step, int):
        items = cast("list[object]", parent)
        return items[step] if step < len(items) else None
    return None


def _rank(parent: object, key: str) -> int:
    """How many keys stand before *key* in *parent*."""
    keys = list(cast("Mapping[str, object]", parent)) if isinstance(parent, Mapping) else []
    return keys.index(key) if key in keys else len(keys)


def _value_at(data: object, path: tuple[Step, ...]) -> object:
    for step in path:
        data = _child(data, step)
    return data


def _place(data: object, path: tuple[Step, ...]) -> list[tuple[int, str]]:
    """Sorts paths as the answer does, and by name below what is null."""
    place: list[tuple[int, str]] = []
    for step in path:
        place.append((step if isinstance(step, int) else _rank(data, step), str(step)))
        data = _child(data, step)
    return place
