"""Whether a client has the answer already (RFC 9110 §8.8.3, §13.1.2)."""

from __future__ import annotations

import hashlib


def tag_of(body: bytes, media_type: str) -> str:
    """The strong entity tag of *body*, which is another one in another media type."""
    return f'"{hashlib.blake2b(body, digest_size=16, key=media_type.encode("ascii")).hexdigest()}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether an If-None-Match names *tag*, or is `*`, by weak comparison.

    Looks for the tag with its quotes, which cannot stand inside of another one.
    """
    if if_none_match is None:
        return False
    return tag in if_none_match or if_none_match.strip() == "*"
