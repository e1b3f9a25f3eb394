"""The keys of an issuer that publishes them at a URL."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from http import HTTPStatus
from typing import cast

import httpx
import jwt
import structlog

from bff.identity.key_set import KeySet
from bff.identity.keys import KeysUnavailable
from datasources.clock import Clock

_log = structlog.get_logger()

REFRESH_AFTER = 600.0
"""Age at which keys are fetched again, while the old ones serve (seconds)."""

TRUSTED_FOR = 86_400.0
"""How long keys outlive the last answer of their issuer (seconds): as long as any token may."""

COOLDOWN = 30.0
"""Least time between two fetches (seconds), however many tokens name keys that nobody knows."""

FIRST_COOLDOWN = 1.0
"""The same while there are no keys at all, and so nobody can be let in."""

FETCH_TIMEOUT = 3.0
LARGEST_BODY = 512 * 1024


class JwksKeys:
    """Fetches keys when they are first needed, and again as they age. Implements `Keys`.

    One fetch at a time, in a task of its own: no caller's departure ends it for the others. While
    the issuer cannot be asked, the keys that it gave last remain good. It is spoken to through the
    transport itself: no redirect is followed and no body inflated.

    Args:
        url: Of the JWK set.
        algorithms: For which keys are wanted.
        transport: How the request travels; closed by `aclose`.
        clock: Replaced in tests.
    """

    def __init__(
        self,
        url: str,
        *,
        algorithms: Collection[str],
        transport: httpx.AsyncBaseTransport,
        clock: Clock,
    ) -> None:
        self._url = url
        self._algorithms = frozenset(algorithms)
        self._transport = transport
        self._clock = clock
        self._keys: KeySet | None = None
        self._answered = 0.0
        self._asked: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, kid: str | None, /) -> jwt.PyJWK | None:
        """See `Keys`."""
        if self._trusted() is None:
            await self._fetched(FIRST_COOLDOWN)
        elif self._age() >= REFRESH_AFTER:
            self._fetch(COOLDOWN)
        key = self._known(algorithm, kid)
        if key is None and await self._fetched(COOLDOWN):
            key = self._known(algorithm, kid)
        return key

    def trusts(self, key: jwt.PyJWK, algorithm: str, kid: str | None, /) -> bool:
        """See `Keys`; not when the keys are old enough to be fetched again."""
        if self._keys is None or self._age() >= REFRESH_AFTER:
            return False
        return self._keys.find(algorithm, kid) is key

    async def aclose(self) -> None:
        """See `Keys`."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))
        await self._transport.aclose()

    def _known(self, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
        keys = self._trusted()
        if keys is None:
            raise KeysUnavailable("keys unavailable")
        return keys.find(algorithm, kid)

    def _trusted(self) -> KeySet | None:
        return self._keys if self._age() < TRUSTED_FOR else None

    def _age(self) -> float:
        return self._clock.monotonic() - self._answered

    async def _fetched(self, cooldown: float) -> bool:
        """Wait for a fetch; False when it is too early for one."""
        task = self._fetch(cooldown)
        if task is None:
            return False
        await asyncio.wait((task,))
        return True

    def _fetch(self, cooldown: float) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None within *cooldown* of the last."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._clock.monotonic()
        if self._asked is not None and now - self._asked < cooldown:
            return None
        self._asked = now
        self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                body = await self._get()
            self._keys = KeySet(body, self._algorithms)
        except Exception as exc:  # noqa: BLE001 - nobody awaits this task for what it raises
            _log.warning("the issuer's keys cannot be had", cause=type(exc).__name__)
        else:
            self._answered = self._clock.monotonic()

    async def _get(self) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "bff"}
        request = httpx.Request("GET", self._url, headers=headers)
        response = await self._transport.handle_async_request(request)
        try:
            if response.status_code != HTTPStatus.OK:
                raise httpx.RemoteProtocolError(f"answered {response.status_code}")
            body = bytearray()
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise httpx.RemoteProtocolError(f"more than {LARGEST_BODY} bytes")
            return bytes(body)
        finally:
            await response.aclose()
