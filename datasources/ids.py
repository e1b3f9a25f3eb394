"""Ids, before they become part of a path.

Percent-encoding is no protection: `/users/%2e%2e` reaches some services as `/`. So an id is made
of a few harmless characters, or it is none.
"""

from __future__ import annotations

import re

from datasources.errors import BadReply

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def segment(service: str, value: str) -> str:
    """*value*, fit to be one segment of a path or one entry of a list of ids.

    What users give is checked where it comes in; what fails here was said by another service.

    Raises:
        BadReply: It is no id.
    """
    if _ID.fullmatch(value) is None:
        raise BadReply(service, "not an id")
    return value
