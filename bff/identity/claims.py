"""What a verified token says, and whether we take it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from bff.graphql.seams import InvalidToken
from datasources.ports.users import UserId
from schema.context import Viewer

LONGEST_LIFE = 86_400
"""A token that is good for longer (seconds) is refused: it cannot be called back."""

LEEWAY = 30
"""How far the issuer's clock may be ahead of ours (seconds).

It excuses a token that seems to come from the future, never one that has expired.
"""

_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SCOPE_CLAIMS = ("scope", "scopes", "scp")

Claims = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose tokens, and for whom; None where any will do."""

    issuer: str | None = None
    audience: str | None = None


def is_subject(value: object) -> bool:
    """Whether *value* may be a user's id: it enters paths and cache keys."""
    return isinstance(value, str) and _SUBJECT.fullmatch(value) is not None


def viewer_of(claims: Claims, expected: Expected, now: float) -> tuple[Viewer, float]:
    """Who asks, and until when the token says so (seconds since 1970).

    Args:
        claims: Of a token whose signature is good.
        expected: Whose tokens we take.
        now: Seconds since 1970.

    Raises:
        InvalidToken: They are not for us, not for now, or not readable.
    """
    expires = _check_times(claims, now)
    if expected.issuer is not None and claims.get("iss") != expected.issuer:
        raise InvalidToken("issuer")
    if not _is_for(claims.get("aud"), expected.audience):
        raise InvalidToken("audience")
    subject = claims.get("sub")
    if not is_subject(subject):
        raise InvalidToken("subject")
    return Viewer(id=UserId(cast("str", subject)), scopes=_scopes(claims)), expires


def _check_times(claims: Claims, now: float) -> float:
    expires = _instant(claims, "exp")
    if expires is None:
        raise InvalidToken("no expiry")
    if expires <= now:
        raise InvalidToken("expired")
    starts, issued = _instant(claims, "nbf"), _instant(claims, "iat")
    if max(starts or 0.0, issued or 0.0) > now + LEEWAY:
        raise InvalidToken("not yet valid")
    if expires - now > LONGEST_LIFE + LEEWAY:
        raise InvalidToken("lifetime")
    if issued is not None and expires - issued > LONGEST_LIFE:
        raise InvalidToken("lifetime")
    return expires


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidToken("malformed")
    return float(value)


def _is_for(audience: object, ours: str | None) -> bool:
    """A token for somebody else is not for us, also when we have not said who we are."""
    if ours is None:
        return audience is None
    if isinstance(audience, list):
        return ours in cast("list[object]", audience)
    return audience == ours


def _scopes(claims: Claims) -> frozenset[str]:
    """All scopes, however the issuer spells them; what cannot be read is not guessed at."""
    found: set[str] = set()
    for name in _SCOPE_CLAIMS:
        value = claims.get(name)
        if value is None:
            continue
        words = value.split() if isinstance(value, str) else value
        if not isinstance(words, list):
            raise InvalidToken("scope")
        for word in cast("list[object]", words):
            if not isinstance(word, str):
                raise InvalidToken("scope")
            found.add(word)
    return frozenset(found)
