"""Cursors: opaque to clients, and no secret to anybody.

A cursor is the base64url form of a compact JSON array whose first word says which list it is of.
Nothing in it grants anything: a page holds what its viewer may see, whatever the cursor says.
"""

from __future__ import annotations

import base64
from typing import TypeVar

import msgspec

from schema.errors import BadUserInput

C = TypeVar("C", bound=msgspec.Struct)

_LONGEST = 16_384


def written(cursor: msgspec.Struct) -> str:
    """The cursor as clients see it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read(argument: str, text: str, kind: type[C]) -> C:
    """The inverse of `written`.

    Raises:
        BadUserInput: It is no cursor of that kind, or not as we write it.
    """
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text[:_LONGEST] + "=="), type=kind)
    except (ValueError, RecursionError, msgspec.DecodeError):
        cursor = None
    if cursor is None or written(cursor) != text:
        raise BadUserInput(argument, "a cursor that an earlier answer gave")
    return cursor
