"""Whom the services believe."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from examples.upstreams.tokens import Caller, InvalidToken, Signer, Verifier

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = int(NOW.timestamp())
KEY = ec.generate_private_key(ec.SECP256R1())
BFF = Signer("bff", lambda: NOW, KEY)
CLAIMS = {
    "iss": "bff",
    "sub": "7",
    "aud": "users",
    "scope": "users:read users:write",
    "iat": SECOND,
    "exp": SECOND + 30,
}


def token(claims=None, *, key=KEY, algorithm="ES256", **header):
    kept = {name: value for name, value in (CLAIMS | (claims or {})).items() if value is not None}
    head = {"typ": "svc+jwt", "kid": "bff"} | header
    return "Bearer " + jwt.encode(kept, key, algorithm=algorithm, headers=head)


async def caller(authorization, issuers=None, now=NOW):
    verifier = Verifier("users", issuers or {"bff": BFF.jwks}, lambda: now)
    return await verifier.caller(authorization)


async def test_a_token_says_who_calls_for_whom():
    """Issuer, subject and scopes; for half a minute."""
    expected = Caller("bff", "7", frozenset({"users:read", "users:write"}))
    assert await caller(token()) == expected
    assert await caller(token(), now=NOW + timedelta(seconds=29)) == expected
    assert await caller(token({"iat": None})) == expected


async def test_our_own_signer_is_believed():
    """What `Signer` mints, `Verifier` takes, for its audience."""
    minted = BFF.token("users", "users:read", subject="7")
    assert await caller(f"Bearer {minted}") == Caller("bff", "7", frozenset({"users:read"}))
    with pytest.raises(InvalidToken):
        await caller("Bearer " + BFF.token("orders", "users:read", subject="7"))


async def test_keys_may_be_fetched():
    """An issuer's keys may come from a coroutine function, asked at each token."""
    fetched = []

    async def fetch():
        fetched.append(1)
        return BFF.jwks

    await caller(token(), {"bff": fetch})
    await caller(token(), {"bff": fetch})
    assert len(fetched) == 2


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="none"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Basic YTpi", id="another scheme"),
        pytest.param("Bearer a.b.c", id="garbage"),
        pytest.param("Bearer \xff.\xff.\xff", id="not ASCII"),
        pytest.param(token() + "x", id="another signature"),
        pytest.param(token(key=ec.generate_private_key(ec.SECP256R1())), id="another key"),
        pytest.param(token(key="secret" * 8, algorithm="HS256"), id="another algorithm"),
        pytest.param(token(key=None, algorithm="none"), id="unsigned"),
        pytest.param(token(typ="JWT"), id="another type"),
        pytest.param(token(kid="other"), id="an unknown key"),
        pytest.param(token({"iss": "other"}), id="an unknown issuer"),
        pytest.param(token({"iss": None}), id="no issuer"),
        pytest.param(token({"sub": None}), id="no subject"),
        pytest.param(token({"sub": ""}), id="an empty subject"),
        pytest.param(token({"aud": "orders"}), id="for another service"),
        pytest.param(token({"aud": ["users", "orders"]}), id="for several services"),
        pytest.param(token({"aud": None}), id="for nobody"),
        pytest.param(token({"exp": None}), id="for ever"),
        pytest.param(token({"exp": str(SECOND + 30)}), id="until a text"),
        pytest.param(token({"exp": SECOND}), id="expired"),
        pytest.param(token({"exp": SECOND + 61}), id="for too long"),
        pytest.param(token({"exp": SECOND + 70, "iat": None}), id="for too long, age unknown"),
        pytest.param(token({"iat": SECOND + 6}), id="from the future"),
        pytest.param(token({"nbf": SECOND + 6}), id="not yet"),
        pytest.param(token({"scope": ["users:read"]}), id="a scope that is a list"),
    ],
)
async def test_anything_else_proves_nothing(authorization):
    """Each differs from a good token in one thing."""
    with pytest.raises(InvalidToken):
        await caller(authorization)


async def test_an_issuer_vouches_with_its_own_keys_only():
    """A token of one issuer signed with the key of another is forged."""
    other = Signer("orders", lambda: NOW)
    issuers = {"bff": other.jwks, "orders": BFF.jwks}
    with pytest.raises(InvalidToken):
        await caller(token(kid="orders"), issuers)


def test_only_a_service_itself_speaks_for_everybody():
    """Orders on its own account does; a user does for himself, even one called "orders"."""
    assert Caller("orders", "orders", frozenset()).speaks_for("7")
    assert Caller("bff", "7", frozenset()).speaks_for("7")
    assert not Caller("bff", "7", frozenset()).speaks_for("8")
    assert not Caller("orders", "7", frozenset()).speaks_for("8")
    assert not Caller("bff", "orders", frozenset()).speaks_for("7")
    assert not Caller("bff", "bff", frozenset()).speaks_for("7")
