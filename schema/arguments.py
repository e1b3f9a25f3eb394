"""What arguments must look like before anything is asked on their behalf."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schema.errors import BadUserInput

MOST_AT_ONCE = 100
"""Largest page, and most ids in one argument."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PAYMENT_METHOD = re.compile(r"[A-Za-z0-9 _.-]{1,64}")


def is_id(value: str) -> bool:
    """Whether *value* may stand in the path of an upstream request."""
    return _ID.fullmatch(value) is not None


def checked_id(argument: str, value: str) -> str:
    """Give *value* back if it is an id; raises `BadUserInput` if not."""
    if not is_id(value):
        raise BadUserInput(argument, "an id is 1 to 64 letters, digits, _ or -")
    return value


def checked_ids(argument: str, values: Sequence[str]) -> Sequence[str]:
    """Give *values* back if they are ids, and not too many; raises `BadUserInput` if not."""
    if len(values) > MOST_AT_ONCE:
        raise BadUserInput(argument, f"at most {MOST_AT_ONCE} ids")
    return [checked_id(f"{argument}[{index}]", value) for index, value in enumerate(values)]


def checked_size(argument: str, value: int) -> int:
    """Give *value* back if it is the size of a page; raises `BadUserInput` if not."""
    if not 1 <= value <= MOST_AT_ONCE:
        raise BadUserInput(argument, f"from 1 to {MOST_AT_ONCE}")
    return value


def checked_idempotency_key(argument: str, value: str) -> str:
    """Give *value* back if it is a key; raises `BadUserInput` if not."""
    if not _IDEMPOTENCY_KEY.fullmatch(value):
        raise BadUserInput(argument, "1 to 128 letters, digits, _ or -")
    return value


def checked_payment_method(argument: str, value: str) -> str:
    """Give *value* back if it names a means of payment; raises `BadUserInput` if not."""
    if not _PAYMENT_METHOD.fullmatch(value):
        raise BadUserInput(argument, "1 to 64 letters, digits, spaces, _ . or -")
    return value
