"""Who is asking, and who is not believed."""

import asyncio
import hashlib

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bff.graphql.seams import InvalidToken
from bff.identity.user_tokens import UserTokens
from bff.settings import AuthSettings, SettingsError
from schema.context import Viewer
from tests.unit.identity.tokens import (
    AUDIENCE,
    EC_KEY,
    ED_KEY,
    ISSUER,
    NOW,
    OTHER_RSA_KEY,
    RSA_KEY,
    SECRET,
    Issuer,
    claims,
    part,
    public_jwk,
    signed,
)
from tests.virtual_time import HandClock

SETTINGS = {"issuer": ISSUER, "audience": AUDIENCE}
URL = f"{ISSUER}/keys"


def nowhere(request):
    raise AssertionError(f"asked {request.url}")


@pytest.fixture
def clock():
    return HandClock()


def with_secret(clock, **settings):
    auth = AuthSettings(jwt_secret=SECRET, **settings)
    return UserTokens.from_settings(auth, transport=httpx.MockTransport(nowhere), clock=clock)


def with_issuer(clock, issuer, **settings):
    auth = AuthSettings(jwks_url=URL, **SETTINGS, **settings)
    return UserTokens.from_settings(auth, transport=issuer.transport, clock=clock)


@pytest.fixture
def tokens(clock):
    return with_secret(clock, **SETTINGS)


async def refusal(tokens, authorization):
    with pytest.raises(InvalidToken) as refused:
        await tokens.viewer(authorization)
    return str(refused.value)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_a_good_token_says_who_asks(tokens, scheme):
    """The subject becomes the viewer, the scope its scopes."""
    viewer = await tokens.viewer(scheme + signed())
    assert viewer == Viewer(id="u1", scopes=frozenset({"orders:read", "orders:write"}))


@pytest.mark.parametrize(
    ("changes", "scopes"),
    [
        ({"scope": None}, set()),
        ({"scope": ""}, set()),
        ({"scope": None, "scopes": ["a", "b"]}, {"a", "b"}),
        ({"scope": None, "scp": ["a"]}, {"a"}),
        ({"scope": None, "scp": "a b"}, {"a", "b"}),
        ({"scope": "a", "scp": ["b"]}, {"a", "b"}),
    ],
)
async def test_issuers_spell_scopes_in_three_ways(tokens, changes, scopes):
    """`scope`, `scopes` and `scp`, as text or as a list."""
    viewer = await tokens.viewer("Bearer " + signed(claims(**changes)))
    assert viewer.scopes == scopes


@pytest.mark.parametrize(
    "head", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"typ": "at+jwt"}, {"typ": "application/at+jwt"}]
)
async def test_types_of_access_tokens(tokens, head):
    """RFC 9068 names one type, and most issuers use another or none."""
    assert await tokens.viewer("Bearer " + signed(**head))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "another"]},
        {"exp": NOW + 600.5},
        {"iat": None},
        {"iat": NOW + 30, "nbf": NOW + 30},
        {"exp": NOW + 86_400},
        {"sub": "A-z_" + "0" * 60},
    ],
)
async def test_what_is_just_allowed(tokens, changes):
    """Several audiences, fractions, an issuer whose clock is ahead, a whole day, 64 characters."""
    assert await tokens.viewer("Bearer " + signed(claims(**changes)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": None}, "no expiry"),
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 1}, "expired"),
        ({"exp": -(10**30)}, "expired"),
        ({"exp": NOW + 86_431, "iat": None}, "lifetime"),
        ({"exp": NOW + 100, "iat": NOW - 86_301}, "lifetime"),
        ({"exp": 10**400}, "malformed"),
        ({"exp": 10**30}, "lifetime"),
        ({"exp": float("nan")}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": str(NOW + 600)}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": [NOW + 600]}, "malformed"),
        ({"nbf": NOW + 31}, "not yet valid"),
        ({"nbf": "tomorrow"}, "malformed"),
        ({"iat": NOW + 31}, "not yet valid"),
        ({"iat": {}}, "malformed"),
        ({"iss": None}, "issuer"),
        ({"iss": "https://issuer.example.evil"}, "issuer"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another"]}, "audience"),
        ({"aud": {AUDIENCE: 1}}, "audience"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 1}, "subject"),
        ({"sub": "0" * 65}, "subject"),
        ({"sub": "u1\r\nX-Admin: 1"}, "subject"),
        ({"sub": "u1\n"}, "subject"),
        ({"sub": ".."}, "subject"),
        ({"sub": "u1/../u2"}, "subject"),
        ({"sub": "ü1"}, "subject"),
        ({"sub": "\ud800"}, "malformed"),
        ({"scope": 1}, "scope"),
        ({"scp": {"admin": True}}, "scope"),
        ({"scopes": ["a", 1]}, "scope"),
    ],
)
async def test_claims_that_are_not_taken(tokens, changes, reason):
    """The signature is good, and still it is not for us, not for now, or not readable."""
    assert await refusal(tokens, "Bearer " + signed(claims(**changes))) == reason


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Basic dTpw", "malformed"),
        (signed(), "malformed"),
        ("Bearer " + signed() + ", Bearer " + signed(), "malformed"),
        ("Bearer " + signed().rpartition(".")[0], "malformed"),
        ("Bearer " + signed() + ".x", "malformed"),
        ("Bearer " + signed() + "==", "malformed"),
        ("Bearer " + signed() + "\n", "malformed"),
        ("Bearer a.b.c", "malformed"),
        ("Bearer ä.b.c", "malformed"),
        ("Bearer \ud800.b.c", "malformed"),
        ("Bearer " + part([]) + ".e30.AAAA", "malformed"),
        ("Bearer " + part(b'{"alg":' + b"1" * 5_000 + b"}") + ".e30.AAAA", "malformed"),
        ("Bearer " + part(b"[" * 2_000) + ".e30.AAAA", "malformed"),
        ("Bearer " + part(b"\xff\xfe{}") + ".e30.AAAA", "malformed"),
        ("Bearer " + part({"alg": "none"}) + "." + part(claims()) + ".", "malformed"),
        ("Bearer " + part({"alg": "none"}) + "." + part(claims()) + ".AAAA", "algorithm"),
        ("Bearer " + part({"alg": "None"}) + "." + part(claims()) + ".AAAA", "algorithm"),
        ("Bearer " + part({"alg": ["HS256"]}) + "." + part(claims()) + ".AAAA", "algorithm"),
        ("Bearer " + part({}) + "." + part(claims()) + ".AAAA", "algorithm"),
        ("Bearer " + signed(key=SECRET * 2, algorithm="HS512"), "algorithm"),
        ("Bearer " + signed(key=RSA_KEY, algorithm="RS256"), "algorithm"),
        ("Bearer " + signed(key="another secret, as long as the first"), "signature"),
        ("Bearer " + signed(typ="svc+jwt"), "type"),
        ("Bearer " + signed(typ="application/svc+jwt"), "type"),
        ("Bearer " + signed(typ=1), "type"),
        ("Bearer " + part({"alg": "HS256", "crit": ["x"], "x": 1}) + ".e30.AAAA", "malformed"),
        ("Bearer " + part({"alg": "HS256", "crit": ["b64"], "b64": True}) + ".e30.AAAA",
         "critical header"),
        ("Bearer " + part({"alg": "HS256", "b64": False}) + ".e30.AAAA", "malformed"),
        ("Bearer " + part({"alg": "HS256", "kid": 1}) + ".e30.AAAA", "malformed"),
        ("Bearer " + signed(b"not JSON"), "malformed"),
        ("Bearer " + signed(b"[]"), "malformed"),
        ("Bearer " + signed(b'{"sub":"\xff"}'), "malformed"),
        ("Bearer " + signed(b"[" * 1_100 + b"]" * 1_100), "malformed"),
    ],
)  # fmt: skip
async def test_forged_and_garbled_tokens(tokens, authorization, reason):
    """Whatever comes in: one kind of exception, one word, nothing of the token."""
    assert await refusal(tokens, authorization) == reason


async def test_a_changed_payload_breaks_the_signature(tokens):
    """The body of one token with the signature of another."""
    head, _, signature = signed().split(".")
    forged = f"{head}.{part(claims(sub='u2'))}.{signature}"
    assert await refusal(tokens, f"Bearer {forged}") == "signature"


async def test_a_token_of_8192_bytes_is_read_and_one_more_is_not(tokens):
    """The size is bounded before anything is decoded."""
    longer = {extra: len(signed(claims(extra="x" * extra))) for extra in range(5_700, 6_100)}
    fits = max(extra for extra, size in longer.items() if size <= 8_192)
    assert longer[fits] == 8_192
    assert await tokens.viewer("Bearer " + signed(claims(extra="x" * fits)))
    assert await refusal(tokens, "Bearer " + signed(claims(extra="x" * (fits + 1)))) == "too long"


async def test_the_public_key_is_no_secret(clock):
    """A token that is signed with the text of the public key by HS256 (the RS/HS confusion)."""
    tokens = with_issuer(clock, Issuer(public_jwk(RSA_KEY)))
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for algorithm, reason in [("HS256", "algorithm"), ("RS256", "signature")]:
        text = f"{part({'alg': algorithm, 'kid': 'k1'})}.{part(claims())}"
        forged = f"{text}.{part(hmac.sign(text.encode(), pem))}"
        assert await refusal(tokens, f"Bearer {forged}") == reason


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA_KEY, "RS256"), (RSA_KEY, "PS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")],
)
async def test_published_keys_verify(clock, key, algorithm):
    """Each algorithm that settings may name, with a key that names none itself."""
    tokens = with_issuer(clock, Issuer(public_jwk(key)), algorithms=algorithm)
    assert await tokens.viewer("Bearer " + signed(key=key, algorithm=algorithm, kid="k1"))


async def test_a_key_of_another_kind_is_not_tried(clock):
    """The token names an EC key and says RS256; or PS256, which settings do not name."""
    tokens = with_issuer(clock, Issuer(public_jwk(EC_KEY)))
    for algorithm, reason in [("RS256", "unknown key"), ("PS256", "algorithm")]:
        token = signed(key=RSA_KEY, algorithm=algorithm, kid="k1")
        assert await refusal(tokens, f"Bearer {token}") == reason


async def test_somebody_elses_signature(clock):
    """The right name of a key, and not the key."""
    tokens = with_issuer(clock, Issuer(public_jwk(RSA_KEY)))
    token = signed(key=OTHER_RSA_KEY, algorithm="RS256", kid="k1")
    assert await refusal(tokens, f"Bearer {token}") == "signature"


async def test_without_issuer_and_audience_any_issuer_will_do(clock):
    """But a token for a named audience is not for us, who have no name."""
    tokens = with_secret(clock)
    assert await tokens.viewer("Bearer " + signed(claims(iss=None, aud=None)))
    assert await refusal(tokens, "Bearer " + signed(claims())) == "audience"


async def test_a_remembered_token_still_expires(tokens, clock):
    """It is good to the last second, and not a moment longer."""
    token = "Bearer " + signed()
    clock.time += 599.9
    assert tokens.known(token) is None
    viewer = await tokens.viewer(token)
    assert tokens.known(token) == await tokens.viewer(token) == viewer
    clock.time += 0.1
    assert tokens.known(token) is None
    assert await refusal(tokens, token) == "expired"


async def test_a_remembered_token_ends_with_its_key(clock):
    """The issuer withdraws the key; the token that it signed is good no longer."""
    issuer = Issuer(public_jwk(RSA_KEY, "old"))
    tokens = with_issuer(clock, issuer)
    token = "Bearer " + signed(claims(exp=NOW + 3_600), key=RSA_KEY, algorithm="RS256", kid="old")
    assert await tokens.viewer(token)
    clock.time += 599
    assert tokens.known(token)
    issuer.members = [public_jwk(OTHER_RSA_KEY, "new")]
    clock.time += 1
    assert tokens.known(token) is None
    other = signed(claims(exp=NOW + 3_600), key=OTHER_RSA_KEY, algorithm="RS256", kid="new")
    assert await tokens.viewer(f"Bearer {other}")
    assert tokens.known(f"Bearer {other}")
    assert tokens.known(token) is None
    assert await refusal(tokens, token) == "unknown key"


@pytest.mark.slow
async def test_memory_is_bounded_and_holds_no_token(clock):
    """10,000 are remembered by their hashes; the one not seen for longest goes first."""
    tokens = with_secret(clock, **SETTINGS)
    minted = [signed(claims(jti=str(number))) for number in range(10_001)]
    for token in [*minted[:10_000], minted[0], minted[10_000]]:
        assert await tokens.viewer(f"Bearer {token}")
    kept = [
        hashlib.sha256(f"Bearer {token}".encode()).digest()
        for token in minted
        if token != minted[1]
    ]
    assert set(tokens._verified) == set(kept)


@pytest.mark.parametrize("settings", [{"jwt_secret": SECRET}, {"jwks_url": URL, **SETTINGS}])
async def test_closing_closes_what_keys_come_through(clock, settings):
    """The verifier owns the transport that it was given for its keys, when it has a use for it."""

    class Transport(httpx.AsyncBaseTransport):
        closed = False

        async def aclose(self):
            self.closed = True

    transport = Transport()
    tokens = UserTokens.from_settings(AuthSettings(**settings), transport=transport, clock=clock)
    await tokens.aclose()
    assert transport.closed == ("jwks_url" in settings)


def test_settings_must_name_a_source(clock):
    """Without a secret and an issuer nobody could ever sign in."""
    with pytest.raises(SettingsError) as wrong:
        UserTokens.from_settings(
            AuthSettings(), transport=httpx.MockTransport(nowhere), clock=clock
        )
    assert wrong.value.lines == ["BFF_AUTH__JWKS_URL or BFF_AUTH__JWT_SECRET: one is needed"]


def test_a_public_key_cannot_be_the_secret(clock):
    """Whoever pastes a key where a secret belongs would let everybody in who knows the key."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SettingsError) as wrong:
        UserTokens.from_settings(
            AuthSettings(jwt_secret=pem.decode()),
            transport=httpx.MockTransport(nowhere),
            clock=clock,
        )
    (line,) = wrong.value.lines
    assert line.startswith("BFF_AUTH__JWT_SECRET: ")
    assert "BEGIN" not in line


async def test_a_remembered_token_is_refused_once_its_key_is_replaced():
    """Under the same name: whoever has the old key is trusted no more."""
    issuer = Issuer(public_jwk(RSA_KEY, "k1"))
    clock = HandClock()
    auth = AuthSettings(jwks_url=URL, **SETTINGS)
    tokens = UserTokens.from_settings(auth, transport=issuer.transport, clock=clock)
    bearer = "Bearer " + signed(claims(exp=NOW + 3_600), key=RSA_KEY, algorithm="RS256", kid="k1")
    assert await tokens.viewer(bearer)
    issuer.members[:] = [public_jwk(OTHER_RSA_KEY, "k1")]
    clock.time += 600
    assert await tokens.viewer(bearer)
    for _ in range(20):
        await asyncio.sleep(0)
    with pytest.raises(InvalidToken):
        await tokens.viewer(bearer)
