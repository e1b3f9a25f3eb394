"""Tokens for trying things out."""

import pytest

from bff.graphql.seams import InvalidToken
from bff.identity.development import development_token
from bff.identity.user_tokens import UserTokens
from bff.settings import AuthSettings
from bff.usage import UsageError
from schema.context import Viewer
from tests.unit.identity.tokens import AUDIENCE, ISSUER, SECRET, Issuer
from tests.virtual_time import HandClock


def mint(settings, *, clock=None, subject="u1", client="web", ttl=60, scope=""):
    return development_token(
        settings, subject=subject, client=client, ttl=ttl, scope=scope, clock=clock or HandClock()
    )


@pytest.mark.parametrize(
    "names", [{}, {"issuer": ISSUER}, {"issuer": ISSUER, "audience": AUDIENCE}]
)
@pytest.mark.parametrize("ttl", [1, 86_400])
async def test_our_own_verifier_takes_it(names, ttl):
    """Whatever issuer and audience it wants, for as long as was asked."""
    settings = AuthSettings(jwt_secret=SECRET, **names)
    clock = HandClock()
    tokens = UserTokens.from_settings(settings, transport=Issuer().transport, clock=clock)
    token = "Bearer " + mint(settings, clock=clock, ttl=ttl, scope="bff.operator a")
    assert await tokens.viewer(token) == Viewer(id="u1", scopes=frozenset({"bff.operator", "a"}))
    clock.time += ttl
    with pytest.raises(InvalidToken):
        await tokens.viewer(token)


@pytest.mark.parametrize(
    ("settings", "wish", "line"),
    [
        (AuthSettings(), {}, "BFF_AUTH__JWT_SECRET is not set: there is nothing to sign with"),
        (
            AuthSettings(jwks_url=ISSUER, issuer=ISSUER, audience=AUDIENCE),
            {},
            "BFF_AUTH__JWKS_URL is set: tokens come from that issuer",
        ),
        (
            AuthSettings(jwt_secret=SECRET),
            {"subject": "u 1"},
            "the subject must be 1 to 64 of A-Z a-z 0-9 _ -",
        ),
        (
            AuthSettings(jwt_secret=SECRET),
            {"ttl": 0},
            "the token may be good for 1 to 86400 seconds",
        ),
        (
            AuthSettings(jwt_secret=SECRET),
            {"ttl": 86_401},
            "the token may be good for 1 to 86400 seconds",
        ),
    ],
)
def test_what_cannot_be_minted_is_one_clear_line(settings, wish, line):
    """Where a real issuer is, and for what no verifier would take."""
    with pytest.raises(UsageError) as refused:
        mint(settings, **wish)
    assert str(refused.value) == line
