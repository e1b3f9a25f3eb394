"""What can be set, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from pydantic.fields import FieldInfo

from bff.settings.model import Settings
from bff.settings.part import Part
from bff.settings.values import Takes

PREFIX = "BFF_"

Place = tuple[str, ...]
"""Where a setting is: the names of its groups, then its own."""


class Described(NamedTuple):
    """One setting.

    Attributes:
        name: Of the environment variable.
        takes: What its value must be.
        default: As one would write it in the environment; "" where there is none.
        meaning: What it is for.
    """

    name: str
    takes: str
    default: str
    meaning: str


def described() -> Iterator[Described]:
    """Every setting, in the order of the model."""
    for path, field in FIELDS.items():
        meaning = " ".join((field.description or "").split())
        yield Described(variable(path), takes(field), _written(field.default), meaning)


def variable(path: Sequence[str]) -> str:
    """The name of the environment variable for the setting at *path*."""
    return PREFIX + "__".join(path).upper()


def takes(field: FieldInfo) -> str:
    """What the value of *field* must be."""
    inner = (part for kind in get_args(field.annotation) for part in get_args(kind))
    return next(part for part in (*field.metadata, *inner) if isinstance(part, Takes))


def _fields(group: type[Part], above: Place) -> Iterator[tuple[Place, FieldInfo]]:
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Part):
            yield from _fields(kind, (*above, name))
        else:
            yield (*above, name), field


def _written(default: object) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)


FIELDS = dict(_fields(Settings, ()))
"""Every setting by its place."""
