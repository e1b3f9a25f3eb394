"""Python source that is written by parts, compiled once, and shown in tracebacks."""

from __future__ import annotations

import itertools
import keyword
import linecache
import re
import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_numbers = itertools.count(1)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)


class Source:
    """One module of functions.

    What a document or a schema names goes into the text only as part of a name that was checked;
    all else is bound to a name, or is the `repr` of a string.

    Args:
        title: What tracebacks call it.
        known: What every function may use, by name.
    """

    def __init__(self, title: str, known: Mapping[str, Any]) -> None:
        self._title = title
        self._names: dict[str, Any] = dict(known)
        self._bound: dict[int, str] = {}
        self._blocks: list[str] = []
        self._count = itertools.count(1)

    @property
    def text(self) -> str:
        """What has been written so far; who calls stands before what is called."""
        return "\n\n".join(reversed(self._blocks)) + "\n"

    def bind(self, hint: str, value: Any) -> str:
        """The name under which the functions find *value*, from the first time on."""
        name = self._bound.get(id(value))
        if name is None:
            name = self.name(hint)
            self._names[name] = value  # and so keeps it: its id stays its own
            self._bound[id(value)] = name
        return name

    def name(self, hint: str) -> str:
        """A new name."""
        return f"{hint if is_name(hint) else 'odd'}_{next(self._count)}"

    def reserve(self, hint: str) -> str:
        """The name of a function that will be written."""
        name = self.name(hint)
        self._names[name] = None
        return name

    def write(self, lines: list[str]) -> None:
        """Add one function."""
        self._blocks.append("\n".join(lines))

    def compile(self, owner: object) -> Mapping[str, Any]:
        """The functions and what they use, by name.

        Args:
            owner: As long as it lives, tracebacks show the text.
        """
        text = self.text
        filename = f"<graphql {self._title} #{next(_numbers)}>"
        exec(compile(text, filename, "exec"), self._names)  # noqa: S102 - what the engine is for
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        weakref.finalize(owner, linecache.cache.pop, filename, None)
        return MappingProxyType(self._names)


def is_name(text: str) -> bool:
    """Whether *text* can be an attribute, a parameter or part of a name, as it is."""
    return _NAME.match(text) is not None and not keyword.iskeyword(text)


def indented(lines: list[str], depth: int = 1) -> list[str]:
    """The lines, further to the right."""
    return ["    " * depth + line for line in lines]


def comment(text: str) -> str:
    """A line that only people read."""
    return "# " + "".join(letter if letter.isprintable() else "?" for letter in text)
