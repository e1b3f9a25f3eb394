"""How services know that it is us, and on whose behalf we ask.

A token is good for one service, for the scope of one call, for half a minute: whoever steals it
can do little with it, and not elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bff.settings import ServiceTokenSettings, SettingsError
from datasources.clock import Clock

_REMEMBERED = 10_000
_COORDINATE_BYTES = 32


class ServiceTokens:
    """Mints ES256 tokens. Implements `datasources.credentials.Credentials`.

    One token serves for a third of its life, so that it never arrives expired and signing (80 µs)
    is not paid for by every call.

    Args:
        key: On P-256.
        issuer: `iss` of every token, and `sub` of those on nobody's behalf.
        ttl: Life of a token (seconds, 1 to 30).
        clock: Replaced in tests.
    """

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, *, issuer: str, ttl: int, clock: Clock
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._ttl = ttl
        self._clock = clock
        self._public = _public_jwk(key)
        self._minted: OrderedDict[tuple[str, str, str], tuple[float, Mapping[str, str]]] = (
            OrderedDict()
        )

    @classmethod
    def from_settings(cls, settings: ServiceTokenSettings, clock: Clock) -> ServiceTokens:
        """With the operator's key, or one made now.

        Raises:
            SettingsError: The file holds no private key on P-256.
        """
        key = (
            ec.generate_private_key(ec.SECP256R1())
            if settings.key_file is None
            else _read_key(settings.key_file)
        )
        return cls(key, issuer=settings.issuer, ttl=settings.ttl_seconds, clock=clock)

    def headers(self, service: str, scope: str, subject: str) -> Mapping[str, str]:
        """See `datasources.credentials.Credentials`."""
        now = self._clock.monotonic()
        wanted = (service, scope, subject)
        renew_at, headers = self._minted.get(wanted, (0.0, None))
        if headers is None or now >= renew_at:
            token = self._mint(service, scope, subject or self._issuer)
            headers = {"Authorization": f"Bearer {token}"}
            self._minted[wanted] = (now + self._ttl / 3, headers)
            self._minted.move_to_end(wanted)
            if len(self._minted) > _REMEMBERED:
                self._minted.popitem(last=False)
        return headers

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public half, as a JWK set (RFC 7517)."""
        return {"keys": [dict(self._public)]}

    def _mint(self, service: str, scope: str, subject: str) -> str:
        issued = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": service,
            "iat": issued,
            "exp": issued + self._ttl,
            "jti": uuid.uuid4().hex,
            "scope": scope,
        }
        head = {"typ": "svc+jwt", "kid": self._public["kid"]}
        return jwt.encode(claims, self._key, algorithm="ES256", headers=head)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    problem = "BFF_SERVICE_TOKEN__KEY_FILE: must hold an unencrypted PEM private key on P-256"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as exc:
        raise SettingsError([problem]) from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise SettingsError([problem])
    return key


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half, named by its thumbprint (RFC 7638)."""
    numbers = key.public_key().public_numbers()
    required = {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
        "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
    }
    thumbprint = hashlib.sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest()
    return {**required, "kid": _base64url(thumbprint), "use": "sig", "alg": "ES256"}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
