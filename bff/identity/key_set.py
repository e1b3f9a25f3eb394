"""Public keys, as an issuer publishes them (RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import jwt
import orjson

_FIT: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Which type and curve of key each algorithm takes."""

_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnreadableKeySet(Exception):
    """It is not a JWK set."""


class KeySet:
    """What tokens may be verified with.

    A member is passed over when it is symmetric, holds a private key (then it is nobody's secret
    any more), is meant for something else, is too short, or cannot be read.

    Args:
        body: A JWK set, as JSON.
        algorithms: For which keys are wanted.

    Raises:
        UnreadableKeySet: It is none.
    """

    def __init__(self, body: bytes, algorithms: Iterable[str]) -> None:
        self._keys: dict[str, dict[str | None, jwt.PyJWK]] = {}
        self._sole: dict[str, jwt.PyJWK | None] = {}
        wanted = [name for name in algorithms if name in _FIT]
        for member in _members(body):
            for algorithm in wanted:
                key = _key(member, algorithm)
                if key is not None:
                    self._keys.setdefault(algorithm, {}).setdefault(key.key_id, key)
                    self._sole[algorithm] = key if algorithm not in self._sole else None

    def find(self, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
        """The key of that name; for a token that names none, the only one there is."""
        if kid is None:
            return self._sole.get(algorithm)
        return self._keys.get(algorithm, {}).get(kid)


def _members(body: bytes) -> list[dict[str, object]]:
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise UnreadableKeySet("not JSON") from exc
    keys = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise UnreadableKeySet("no list of keys")
    members = cast("list[object]", keys)
    return [cast("dict[str, object]", member) for member in members if isinstance(member, dict)]


def _key(member: dict[str, object], algorithm: str) -> jwt.PyJWK | None:
    if not _SECRET_MEMBERS.isdisjoint(member) or not _fits(member, algorithm):
        return None
    try:
        key = jwt.PyJWK(member, algorithm)
        too_short = key.Algorithm.check_key_length(key.key) is not None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the others may be good
        return None
    return None if too_short else key


def _fits(member: Mapping[str, object], algorithm: str) -> bool:
    kind, curve = _FIT[algorithm]
    operations = member.get("key_ops", ["verify"])
    return (
        member.get("kty") == kind
        and (curve is None or member.get("crv") == curve)
        and member.get("use", "sig") == "sig"
        and member.get("alg", algorithm) == algorithm
        and isinstance(member.get("kid", ""), str)
        and isinstance(operations, list)
        and "verify" in operations
    )
