"""What a token's signature is verified with."""

from __future__ import annotations

from typing import Protocol

import jwt
from jwt.utils import base64url_encode

from bff.graphql.seams import Unverifiable
from bff.settings import SettingsError


class KeysUnavailable(Unverifiable):
    """The issuer cannot be asked for its keys: the token may be good, and nobody can tell."""


class Keys(Protocol):
    """Knows the keys of one issuer."""

    async def find(self, algorithm: str, kid: str | None, /) -> jwt.PyJWK | None:
        """The key for tokens signed with *algorithm* that name *kid*; None for an unknown one.

        A key that is asked for again is the same object for as long as it is trusted.

        Raises:
            KeysUnavailable: No key is known, and none can be had now.
        """
        ...

    def trusts(self, key: jwt.PyJWK, algorithm: str, kid: str | None, /) -> bool:
        """Whether `find` would give *key* again, without asking anybody."""
        ...

    async def aclose(self) -> None:
        """Let go of sockets and of work under way."""
        ...


class SharedSecret:
    """One secret, for HS256. Implements `Keys`.

    Args:
        secret: What the issuer signs with.

    Raises:
        SettingsError: It is no secret but some other key.
    """

    def __init__(self, secret: str) -> None:
        encoded = base64url_encode(secret.encode()).decode()
        self._key = jwt.PyJWK({"kty": "oct", "k": encoded}, "HS256")
        try:
            self._key.Algorithm.prepare_key(self._key.key)
        except jwt.InvalidKeyError:
            problem = "BFF_AUTH__JWT_SECRET: must be a secret, not a PEM, SSH, DER or JWK key"
            raise SettingsError([problem]) from None

    async def find(self, algorithm: str, kid: str | None, /) -> jwt.PyJWK | None:
        """See `Keys`."""
        return self._key if algorithm == "HS256" else None

    def trusts(self, key: jwt.PyJWK, algorithm: str, kid: str | None, /) -> bool:
        """See `Keys`."""
        return key is self._key and algorithm == "HS256"

    async def aclose(self) -> None:
        """See `Keys`."""
