"""Tokens for trying things out, where no real issuer is."""

from __future__ import annotations

import jwt

from bff.identity.claims import LONGEST_LIFE, is_subject
from bff.settings import AuthSettings
from bff.usage import UsageError
from datasources.clock import Clock


def development_token(  # noqa: PLR0913 - by name only
    settings: AuthSettings,
    *,
    subject: str,
    client: str,
    ttl: int,
    scope: str,
    clock: Clock,
) -> str:
    """A token as the issuer of *settings* would give it.

    Args:
        settings: The secret that signs, and the `iss` and `aud` that the verifier wants.
        subject: Id of the user.
        client: Kind of client, such as "web"; becomes `client_id`.
        ttl: Seconds that it is good for.
        scope: Scopes, separated by spaces; may be "".
        clock: Replaced in tests.

    Raises:
        UsageError: Real tokens come from an issuer, there is no secret, or no verifier would take
            such a token.
    """
    if settings.jwks_url is not None:
        raise UsageError("BFF_AUTH__JWKS_URL is set: tokens come from that issuer")
    if settings.jwt_secret is None:
        raise UsageError("BFF_AUTH__JWT_SECRET is not set: there is nothing to sign with")
    if not is_subject(subject):
        raise UsageError("the subject must be 1 to 64 of A-Z a-z 0-9 _ -")
    if not 1 <= ttl <= LONGEST_LIFE:
        raise UsageError(f"the token may be good for 1 to {LONGEST_LIFE} seconds")
    issued = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "sub": subject,
        "client_id": client,
        "iat": issued,
        "exp": issued + ttl,
    }
    if scope:
        claims["scope"] = scope
    if settings.issuer is not None:
        claims["iss"] = settings.issuer
    if settings.audience is not None:
        claims["aud"] = settings.audience
    return jwt.encode(claims, settings.jwt_secret.get_secret_value(), algorithm="HS256")
