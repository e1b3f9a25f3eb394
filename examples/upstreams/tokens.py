"""Who is calling: short-lived ES256 tokens of services that we know.

`iss` is the service that calls and signs. `sub` is the user on whose behalf it calls, or the
service itself where it acts on its own account.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

Jwks: TypeAlias = Mapping[str, Any] | Callable[[], Awaitable[Mapping[str, Any]]]
"""A JSON Web Key Set, or how to get the current one."""

TYPE = "svc+jwt"
ALGORITHM = "ES256"
LONGEST_LIFE = 60.0
SKEW = 5.0

_AUTONOMOUS = frozenset({"orders", "notifications"})
"""Services that act on their own account. The BFF does not: it always names the user."""


class InvalidToken(Exception):
    """This proves nothing."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a token says.

    Attributes:
        issuer: The service that calls.
        subject: On whose behalf.
        scopes: What it may do.
    """

    issuer: str
    subject: str
    scopes: frozenset[str]

    @property
    def is_service(self) -> bool:
        """Whether a service acts on its own account.

        The issuer must be the subject: nobody can sign up as a user called "orders" and be it.
        """
        return self.subject == self.issuer and self.issuer in _AUTONOMOUS

    def speaks_for(self, user_id: str) -> bool:
        """Whether that user's data are this caller's business."""
        return self.is_service or self.subject == user_id


class Verifier:
    """Accept tokens for one service.

    Args:
        audience: Name of the service; a token for another one proves nothing here.
        issuers: Who is known, and by which keys.
        now: The instant, aware.
    """

    def __init__(
        self, audience: str, issuers: Mapping[str, Jwks], now: Callable[[], datetime]
    ) -> None:
        self._audience = audience
        self._issuers = issuers
        self._now = now

    async def caller(self, authorization: str) -> Caller:
        """Who sent this `Authorization` header.

        Raises:
            InvalidToken: Absent, malformed, forged, expired, too long-lived, or not meant for us.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise InvalidToken("no bearer token")
        try:
            key = await self._key(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                options={
                    "require": ["exp", "iss", "sub", "aud"],
                    "strict_aud": True,
                    # Ours below: on the clock that was passed in.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as cause:
            raise InvalidToken(str(cause)) from cause
        self._check_times(claims)
        scope = claims.get("scope", "")
        if not claims["sub"] or not isinstance(scope, str):
            raise InvalidToken("an empty subject, or a scope that is no text")
        return Caller(claims["iss"], claims["sub"], frozenset(scope.split()))

    async def _key(self, token: str) -> ec.EllipticCurvePublicKey:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or header.get("alg") != ALGORITHM:
            raise InvalidToken(f"not a {TYPE} signed with {ALGORITHM}")
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        issuer = claims.get("iss")
        jwks = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if jwks is None:
            raise InvalidToken("an issuer that we do not know")
        keys = (await jwks() if callable(jwks) else jwks).get("keys", [])
        kid = header.get("kid")
        found = [key for key in keys if kid is None or key.get("kid") == kid]
        if len(found) != 1:
            raise InvalidToken("no key of the issuer, or no single one, goes with it")
        return _public_key(*(found[0].get(part) for part in ("kty", "crv", "x", "y")))

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._now().timestamp()
        times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
        if any(type(time) not in {int, float} for time in times.values()):
            raise InvalidToken("a time that is no number")
        expires = times["exp"]
        begins = times.get("iat", now)
        if not now < expires <= now + LONGEST_LIFE + SKEW or expires - begins > LONGEST_LIFE:
            raise InvalidToken("expired, or valid for too long")
        if max(begins, times.get("nbf", begins)) > now + SKEW:
            raise InvalidToken("not valid yet")


@functools.lru_cache(maxsize=64)
def _public_key(kty: str, crv: str, x: str, y: str) -> ec.EllipticCurvePublicKey:
    jwk = {"kty": kty, "crv": crv, "x": x, "y": y}
    key = jwt.PyJWK.from_dict(jwk, algorithm=ALGORITHM).key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidToken("not a key of an elliptic curve")
    return key


class Signer:
    """Sign as one service, to ask another.

    Args:
        name: Who we are.
        now: The instant, aware.
        key: A P-256 key; a new one when absent.
    """

    def __init__(
        self,
        name: str,
        now: Callable[[], datetime],
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self._name = name
        self._now = now
        self._key = key or ec.generate_private_key(ec.SECP256R1())

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public half, to be given to those who verify."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._name, "alg": ALGORITHM, "use": "sig"}]}

    def token(self, audience: str, scope: str, *, subject: str | None = None) -> str:
        """Thirty seconds of *scope* at *audience*, for ourselves unless a *subject* is named."""
        issued = int(self._now().timestamp())
        claims = {
            "iss": self._name,
            "sub": subject or self._name,
            "aud": audience,
            "scope": scope,
            "iat": issued,
            "exp": issued + 30,
            "jti": uuid.uuid4().hex,
        }
        headers = {"typ": TYPE, "kid": self._name}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)
