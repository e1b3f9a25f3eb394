"""What a reader is told to type can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from bff.cli import cli
from bff.settings import load_settings
from tests.docs.pages import PAGES, PROJECT, all_commands, blocks, named

REFERENCE = PROJECT / "docs/reference/command-line.md"
PROGRAM = typer.main.get_command(cli)
TARGETS = set(
    re.findall(r"^([a-z-]+):.*##", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)
)


def words_of(command: str) -> list[str]:
    """The words of *command* behind the variables that it sets; none where it sets one only."""
    words = shlex.split(command)
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words


@pytest.mark.parametrize(
    ("page", "command"), [found for found in all_commands() if words_of(found[1])]
)
def test_a_command_exists(page: str, command: str) -> None:
    """It is a target of the Makefile, a command of ours with options that it has, or curl.

    Those with curl are run by `test_walkthrough`.
    """
    program, *arguments = words_of(command)
    if program == "make":
        assert set(arguments) <= TARGETS
    elif program == ".venv/bin/bff":
        parse(arguments)
    else:
        assert program == "curl", f"{page} tells to type {program}"


def parse(arguments: list[str]) -> None:
    """Read *arguments* as the program does; raises what it would complain of."""
    command, context = PROGRAM, typer.Context(PROGRAM)
    while hasattr(command, "commands"):
        name, command, arguments = command.resolve_command(context, arguments)
        context = typer.Context(command, parent=context, info_name=name)
    command.parse_args(context, arguments)


def leaves(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    """Every command with its whole name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, *above, name)
        else:
            yield " ".join((*above, name)), command


@pytest.mark.parametrize(("name", "command"), list(leaves(PROGRAM, "bff")))
def test_the_reference_has_every_option(name: str, command: Any) -> None:
    """Each command has a section, and in it each option with its default, and no other."""
    heading = f"## `{name}`\n"
    text = REFERENCE.read_text("utf-8")
    assert heading in text
    section = text.split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `-")]
    assert {forms.strip(): default.strip() for forms, default in rows} == {
        ", ".join(f"`{form}`" for form in sorted(option.opts)): default_of(option)
        for option in command.params
        if option.param_type_name == "option"
    }


def default_of(option: Any) -> str:
    """The default as the reference writes it; empty for flags and for nothing."""
    if option.is_flag or option.default in {None, ""}:
        return ""
    return f"`{option.default}`"


def test_the_reference_has_no_command_that_is_gone() -> None:
    """A section without a command misleads."""
    sections = re.findall(r"^## `(.*)`$", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert sections == [name for name, _ in leaves(PROGRAM, "bff")]


SETTINGS = [block for page in PAGES for block in blocks(page, "toml")]


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: named(block.page))
def test_settings_can_be_used(block, tmp_path) -> None:
    """A file with what the page shows is accepted."""
    file = tmp_path / "bff.toml"
    file.write_text(block.text, "utf-8")
    settings = load_settings({"BFF_CONFIG": str(file)})
    assert settings.auth.configured
    assert settings.upstreams.users.url == "https://users.internal"
