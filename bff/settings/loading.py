"""From environment and file to settings, or to a list of everything that is wrong with them."""

from __future__ import annotations

import difflib
import errno
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bff.settings.described import FIELDS, PREFIX, Place, takes, variable
from bff.settings.model import Settings

CONFIG = "BFF_CONFIG"

NOT_YET: Mapping[Place, str | None] = {
    ("redis_url",): None,
    ("events_url",): "memory://",
    ("trusted_documents",): "off",
    ("trusted_documents_file",): None,
    ("admin_port",): None,
    ("otlp_endpoint",): None,
}
"""Settings of a later version, and the value with which they change nothing."""

_KNOWN = {*FIELDS, *NOT_YET}
_GROUPS = {path[:length] for path in _KNOWN for length in range(1, len(path))}
_VARIABLES = {variable(path): path for path in (*_KNOWN, *_GROUPS)}
_LONGEST_NAME = 100

_Given = dict[Place, object]


class SettingsError(Exception):
    """The settings cannot be used.

    Attributes:
        lines: One for each problem, `NAME: what is wrong`; none holds a value that may be secret.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read *environ*, and the TOML file that it may name; variables win.

    Raises:
        SettingsError: Something in them is unknown, malformed or contradictory.
    """
    problems: list[str] = []
    given = {**_of_file(environ.get(CONFIG), problems), **_of_variables(environ, problems)}
    for path, harmless in NOT_YET.items():
        if given.pop(path, harmless) != harmless:
            problems.append(f"{variable(path)}: not in this version yet")
    settings = _validated(given, problems)
    if settings is None or problems:
        # Raised where no ValidationError is being handled: that one holds the values.
        raise SettingsError(problems)
    return settings


def _validated(given: _Given, problems: list[str]) -> Settings | None:
    try:
        return Settings.model_validate(_nested(given))
    except ValidationError as error:
        problems += [_line(detail) for detail in error.errors(include_input=False)]
        return None


def _of_variables(environ: Mapping[str, str], problems: list[str]) -> _Given:
    given: _Given = {}
    for name, value in sorted(environ.items()):
        if not name.upper().startswith(PREFIX) or name == CONFIG:
            continue
        path = _VARIABLES.get(name)
        if path is None:
            known = (*map(variable, _KNOWN), CONFIG)
            nearest = _nearest(name.upper(), known)
            problems.append(f"{_shown(name)}: there is no such setting; did you mean {nearest}?")
        else:
            _take(path, value, given, problems)
    return given


def _of_file(name: str | None, problems: list[str]) -> _Given:
    given: _Given = {}
    if name is None:
        return given
    if not name.strip():
        problems.append(f"{CONFIG}: is empty; leave it out for none")
        return given
    try:
        tables = tomllib.loads(_text(name))
    except OSError as error:
        problems.append(f"{CONFIG}: the file cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{CONFIG}: the file is not UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{CONFIG}: the file is not TOML: {_shown(str(error))}")
    except (ValueError, RecursionError):
        problems.append(f"{CONFIG}: the file is not TOML: a number too long, or too deep")
    else:
        _flatten(tables, (), given, problems)
    return given


def _text(name: str) -> str:
    if "\0" in name:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return Path(name).read_bytes().decode()


def _flatten(tables: Mapping[str, Any], above: Place, given: _Given, problems: list[str]) -> None:
    for name, value in tables.items():
        path = (*above, name)
        if path in _GROUPS and isinstance(value, dict):
            _flatten(cast("dict[str, Any]", value), path, given, problems)
        elif path in _KNOWN or path in _GROUPS:
            _take(path, value, given, problems)
        else:
            key = ".".join(path)
            known = map(".".join, _GROUPS if isinstance(value, dict) else _KNOWN)
            nearest = _nearest(key, known)
            problems.append(
                f"{_shown(variable(path))}: there is no {_shown(key)}; did you mean {nearest}?"
            )


def _take(path: Place, value: object, given: _Given, problems: list[str]) -> None:
    """Put *value* where it belongs; a bulkhead that is a mere number is its limit."""
    name = variable(path)
    if path[-1] == "bulkhead" and not isinstance(value, dict):
        path = (*path, "limit")
    if path in _GROUPS:
        problems.append(f"{name}: is a group of settings, not one of them")
    elif path in given:
        problems.append(f"{variable(path)}: is set twice, the other time without __LIMIT")
    elif isinstance(value, str) and not value.strip():
        problems.append(f"{name}: is empty; leave it out for the default")
    else:
        given[path] = value


def _nearest(name: str, known: Iterable[str]) -> str:
    return difflib.get_close_matches(name[:_LONGEST_NAME], sorted(known), n=1, cutoff=0.0)[0]


def _nested(given: _Given) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, value in given.items():
        group = nested
        for name in path[:-1]:
            group = group.setdefault(name, {})
        group[path[-1]] = value
    return nested


def _line(detail: ErrorDetails) -> str:
    """Our own message, or what the setting takes: pydantic's words are for programmers."""
    path = tuple(part for part in detail["loc"] if isinstance(part, str))
    cause = detail.get("ctx", {}).get("error")
    return f"{variable(path)}: {cause or f'must be {takes(FIELDS[path])}'}"


def _shown(text: str) -> str:
    """*text* on one line, whatever is in it."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    return line if len(line) <= _LONGEST_NAME else f"{line[:_LONGEST_NAME]}…"
