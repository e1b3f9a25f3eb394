"""Services can tell that it is us, for them alone, for half a minute."""

import base64
import hashlib
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bff.identity.service_tokens import ServiceTokens
from bff.settings import ServiceTokenSettings, SettingsError
from tests.virtual_time import EPOCH, HandClock

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def minted(clock):
    return ServiceTokens(KEY, issuer="bff", ttl=30, clock=clock)


def bearer(headers):
    assert set(headers) == {"Authorization"}
    scheme, token = headers["Authorization"].split(" ")
    assert scheme == "Bearer"
    return token


def token_of(minted, service="orders", scope="orders:read", subject="u1"):
    return bearer(minted.headers(service, scope, subject))


def unverified(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_a_service_can_verify_a_token_with_our_published_keys(minted):
    """As a service would: by the JWK set, for its own name."""
    token = token_of(minted)
    head = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(json.loads(json.dumps(minted.jwks())))[head["kid"]]
    options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "jti"]}
    claims = jwt.decode(
        token, key, algorithms=["ES256"], audience="orders", issuer="bff", options=options
    )
    issued = int(EPOCH.timestamp())
    assert (head["typ"], head["alg"]) == ("svc+jwt", "ES256")
    assert claims.pop("jti")
    assert claims == {
        "iss": "bff",
        "sub": "u1",
        "aud": "orders",
        "iat": issued,
        "exp": issued + 30,
        "scope": "orders:read",
    }


def test_a_token_for_one_service_is_refused_by_another(minted):
    """Whoever steals it from orders cannot use it at payments."""
    key = jwt.PyJWKSet.from_dict(minted.jwks()).keys[0]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(
            token_of(minted),
            key,
            algorithms=["ES256"],
            audience="payments",
            options={"verify_exp": False, "verify_iat": False},
        )


def test_on_nobodys_behalf_the_subject_is_ourselves(minted):
    """A service must never take us for a user."""
    assert unverified(token_of(minted, subject=""))["sub"] == "bff"


def test_the_key_is_named_by_its_thumbprint(minted):
    """RFC 7638: the required members, sorted, hashed."""
    (member,) = minted.jwks()["keys"]
    text = json.dumps(
        {name: member[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":")
    )
    digest = hashlib.sha256(text.encode()).digest()
    assert member["kid"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_the_published_key_is_public(minted):
    """No private member, and whoever changes the answer changes nothing of ours."""
    (member,) = minted.jwks()["keys"]
    assert set(member) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    member.clear()
    assert minted.jwks()["keys"][0]["kty"] == "EC"


def test_one_token_serves_for_a_third_of_its_life(minted, clock):
    """It always has 20 of its 30 seconds left when it is sent."""
    first = token_of(minted)
    clock.time += 9.9
    assert token_of(minted) == first
    clock.time += 0.1
    second = token_of(minted)
    assert second != first
    expires = EPOCH + timedelta(seconds=clock.time - 1_000 + 30)
    assert unverified(second)["exp"] == int(expires.timestamp())


@pytest.mark.parametrize(
    "other", [{"service": "payments"}, {"scope": "orders:write"}, {"subject": "u2"}]
)
def test_nothing_is_shared_between_services_scopes_and_users(minted, other):
    """The token of one call is never sent with another."""
    first, second = unverified(token_of(minted)), unverified(token_of(minted, **other))
    claim = {"service": "aud", "scope": "scope", "subject": "sub"}[next(iter(other))]
    assert second[claim] == next(iter(other.values()))
    assert first["jti"] != second["jti"]


def test_memory_is_bounded(minted):
    """10,000 tokens are kept; the oldest goes first."""
    first = token_of(minted, subject="u0")
    kept = {("orders", "orders:read", f"u{number}"): (2_000.0, {}) for number in range(1, 10_000)}
    minted._minted.update(kept)
    assert token_of(minted, subject="u0") == first
    token_of(minted, subject="one more")
    assert len(minted._minted) == 10_000
    assert token_of(minted, subject="u0") != first


def test_a_key_is_made_at_start_without_a_file(clock):
    """And every start makes another."""
    one, other = (ServiceTokens.from_settings(ServiceTokenSettings(), clock) for _ in range(2))
    assert one.jwks() != other.jwks()


@pytest.mark.parametrize("format_", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_the_operators_key_is_read(tmp_path, clock, format_):
    """As `openssl` writes it, old style or new; issuer and life are the operator's too."""
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, format_, NoEncryption()))
    settings = ServiceTokenSettings(key_file=path, issuer="shop", ttl_seconds=9)
    minted = ServiceTokens.from_settings(settings, clock)
    claims = unverified(token_of(minted))
    assert minted.jwks() == ServiceTokens(KEY, issuer="bff", ttl=30, clock=clock).jwks()
    assert (claims["iss"], claims["exp"] - claims["iat"]) == ("shop", 9)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff not PEM",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(KEY, BestAvailableEncryption(b"passphrase")),
    ],
    ids=["empty", "garbage", "RSA", "P-384", "encrypted"],
)
def test_a_file_without_such_a_key_is_one_clear_line(tmp_path, clock, content):
    """Named as the operator knows the setting; nothing of the file is shown."""
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as wrong:
        ServiceTokens.from_settings(ServiceTokenSettings(key_file=path), clock)
    (line,) = wrong.value.lines
    assert line.startswith("BFF_SERVICE_TOKEN__KEY_FILE: ")
    assert "P-256" in line
