"""Tokens, good and forged, and an issuer that publishes keys."""

import base64
import json

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.virtual_time import EPOCH

SECRET = "a secret of thirty-two characters, or more"
ISSUER = "https://issuer.example"
AUDIENCE = "bff"
NOW = int(EPOCH.timestamp())

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def claims(**changes):
    """Claims of a good token; a change to None takes one away."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "iat": NOW,
        "exp": NOW + 600,
        "scope": "orders:read orders:write",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(payload=None, *, key=SECRET, algorithm="HS256", **head):
    """A token with any payload, bytes or claims, and any header."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return jwt.PyJWS().encode(body, key, algorithm=algorithm, headers=head)


def part(value):
    """One part of a token that is put together by hand."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_jwk(key, kid="k1", **changes):
    """The public half of *key*; a change to None takes a member away."""
    algorithm = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    (kind,) = (kind for base, kind in algorithm.items() if isinstance(key, base))
    member = {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, **changes}
    return {name: value for name, value in member.items() if value is not None}


class Issuer:
    """Answers requests for its keys, as it is told to."""

    def __init__(self, *members):
        self.members = list(members)
        self.asked = []
        self.answer = None
        self.wait = None

    async def __call__(self, request):
        self.asked.append(str(request.url))
        if self.wait is not None:
            await self.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx.Response(200, json={"keys": self.members})

    @property
    def transport(self):
        return httpx.MockTransport(self)
