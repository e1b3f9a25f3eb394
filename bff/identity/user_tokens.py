"""Who is asking, as the Authorization header proves it."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import httpx
import jwt
import orjson
import structlog

from bff.graphql.seams import InvalidToken
from bff.identity.claims import Claims, Expected, viewer_of
from bff.identity.jwks import JwksKeys
from bff.identity.keys import Keys, SharedSecret
from bff.settings import AuthSettings, SettingsError
from datasources.clock import Clock
from schema.context import Viewer

_log = structlog.get_logger()

LONGEST_TOKEN = 8192
_REMEMBERED = 10_000
_TYPES = frozenset({"jwt", "at+jwt"})
_BEARER = re.compile(r"(?i:bearer) +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was good.

    Attributes:
        viewer: Who it stands for.
        expires: Until when (seconds since 1970).
        algorithm: What it is signed with.
        kid: The key that it names.
        key: What proved it; it proves nothing any more once that is not trusted.
    """

    viewer: Viewer
    expires: float
    algorithm: str
    kid: str | None
    key: jwt.PyJWK


class UserTokens:
    """Verifies bearer tokens. Implements `bff.graphql.seams.Tokens`.

    A token that was good is remembered until it expires or its key is withdrawn, by its hash: what
    is in memory lets nobody in.

    `InvalidToken` carries one word for the log, nothing of the token.

    Args:
        keys: Of the issuer.
        algorithms: Accepted ones; the token chooses among them and no others.
        expected: Whose tokens, and for whom.
        clock: Replaced in tests.
    """

    def __init__(
        self, keys: Keys, *, algorithms: Collection[str], expected: Expected, clock: Clock
    ) -> None:
        self._keys = keys
        self._algorithms = frozenset(algorithms)
        self._expected = expected
        self._clock = clock
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._jws = jwt.PyJWS(algorithms=sorted(self._algorithms))

    @classmethod
    def from_settings(
        cls, settings: AuthSettings, *, transport: httpx.AsyncBaseTransport, clock: Clock
    ) -> UserTokens:
        """Verifies what the operator's issuer signs.

        Args:
            settings: Whose tokens.
            transport: How the issuer's keys are fetched; unused with a shared secret.
            clock: Replaced in tests.

        Raises:
            SettingsError: There is neither a secret nor an issuer to ask for keys.
        """
        algorithms = settings.accepted_algorithms
        keys: Keys
        if settings.jwks_url is not None:
            keys = JwksKeys(
                settings.jwks_url, algorithms=algorithms, transport=transport, clock=clock
            )
        elif settings.jwt_secret is not None:
            keys = SharedSecret(settings.jwt_secret.get_secret_value())
        else:
            raise SettingsError(["BFF_AUTH__JWKS_URL or BFF_AUTH__JWT_SECRET: one is needed"])
        expected = Expected(settings.issuer, settings.audience)
        return cls(keys, algorithms=algorithms, expected=expected, clock=clock)

    def known(self, authorization: str, /) -> Viewer | None:
        """See `bff.graphql.seams.Tokens`."""
        digest = _digest(authorization)
        known = self._verified.get(digest)
        if known is None or known.expires <= self._now():
            return None
        if not self._keys.trusts(known.key, known.algorithm, known.kid):
            return None
        self._verified.move_to_end(digest)
        return known.viewer

    async def viewer(self, authorization: str, /) -> Viewer:
        """See `bff.graphql.seams.Tokens`."""
        try:
            return await self._viewer(authorization)
        except InvalidToken as refused:
            _log.debug("a caller's token was refused", reason=str(refused))
            raise

    async def aclose(self) -> None:
        """Let go of sockets and of work under way."""
        await self._keys.aclose()

    async def _viewer(self, authorization: str) -> Viewer:
        token = _token(authorization)
        digest = _digest(authorization)
        known = self._verified.get(digest)
        if known is None or not await self._still_good(known):
            known = await self._verify(token)
            self._verified[digest] = known
        self._verified.move_to_end(digest)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return known.viewer

    async def _still_good(self, known: _Verified) -> bool:
        if known.expires <= self._now():
            return False
        return await self._keys.find(known.algorithm, known.kid) is known.key

    async def _verify(self, token: str) -> _Verified:
        algorithm, kid = self._head(token)
        key = await self._keys.find(algorithm, kid)
        if key is None:
            raise InvalidToken("unknown key")
        claims = self._claims(token, key)
        viewer, expires = viewer_of(claims, self._expected, self._now())
        return _Verified(viewer, expires, algorithm, kid, key)

    def _head(self, token: str) -> tuple[str, str | None]:
        """What the token is signed with, which it has yet to prove."""
        try:
            head = cast("dict[str, object]", self._jws.get_unverified_header(token))
        except Exception:  # noqa: BLE001 - whatever it stumbled over came from outside
            raise InvalidToken("malformed") from None
        algorithm, kid, kind = head.get("alg"), head.get("kid"), head.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise InvalidToken("algorithm")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
            raise InvalidToken("type")
        if "crit" in head:
            raise InvalidToken("critical header")
        return algorithm, kid if isinstance(kid, str) else None

    def _claims(self, token: str, key: jwt.PyJWK) -> Claims:
        try:
            payload = self._jws.decode(token, key, algorithms=[key.algorithm_name])
        except Exception:  # noqa: BLE001 - as above
            raise InvalidToken("signature") from None
        try:
            claims: object = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise InvalidToken("malformed") from None
        if not isinstance(claims, dict):
            raise InvalidToken("malformed")
        return cast("Claims", claims)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _digest(authorization: str) -> bytes:
    """Under which a token is remembered; a header has no other characters than these."""
    return hashlib.sha256(authorization.encode("latin-1")).digest()


def _token(authorization: str) -> str:
    found = _BEARER.fullmatch(authorization)
    if found is None:
        raise InvalidToken("malformed")
    if len(found[1]) > LONGEST_TOKEN:
        raise InvalidToken("too long")
    return found[1]
