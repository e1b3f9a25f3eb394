"""The documentation as the tests read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: Where it stands.
        language: What is behind the fence.
        text: What is between the fences, without the indent of the fence.
    """

    page: Path
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """What a reader types."""
        return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of *page* in those *languages*, in their order."""
    return [
        Block(page, language, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for indent, language, text in _FENCE.findall(page.read_text("utf-8"))
        if language in languages
    ]


def prose(page: Path) -> str:
    """The text of *page* without its blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def named(page: Path) -> str:
    """The name of a page in a test's id."""
    return str(page.relative_to(PROJECT))


def all_commands() -> Iterator[tuple[str, str]]:
    """Every command that a page tells to type, with the page's name."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for command in block.commands:
                yield named(page), command
