"""How one reference service asks another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from examples.upstreams.tokens import Signer


class PeerUnavailable(Exception):
    """No answer that helps: whether the other service did something is not known."""


class PeerRefused(Exception):
    """The other service says no.

    Attributes:
        status: Its HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.status = status


class Peer:
    """One other service, asked on our own account.

    Args:
        name: Who it is, and the audience of our tokens.
        base_url: Where it is.
        transport: The way to it.
        signer: Who we are.
        limit: How long to wait for a whole answer (seconds).
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        transport: httpx.AsyncBaseTransport,
        signer: Signer,
        limit: float,
    ) -> None:
        self._name = name
        self._signer = signer
        self._limit = limit
        self._client = httpx.AsyncClient(
            base_url=base_url, transport=transport, timeout=limit, trust_env=False
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(exc_type, exc, traceback)

    async def ask(  # noqa: PLR0913
        self,
        method: str,
        path: str,
        scope: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        key: str | None = None,
        expected: Iterable[int] = (),
    ) -> Any:  # noqa: ANN401
        """The JSON of the answer.

        Args:
            method: Of HTTP.
            path: From the root of the service.
            scope: What our token must allow.
            params: The query.
            body: To be sent as JSON; nothing when None.
            key: The `Idempotency-Key`.
            expected: Statuses of 4xx that are answers rather than somebody's mistake.

        Raises:
            PeerRefused: One of the *expected* statuses.
            PeerUnavailable: Anything else that is not a success with JSON.
        """
        headers = {"Authorization": f"Bearer {self._signer.token(self._name, scope)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            async with asyncio.timeout(self._limit):
                response = await self._client.request(
                    method, path, params=params, json=body, headers=headers
                )
            if response.status_code in expected:
                raise PeerRefused(response.status_code)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as cause:
            raise PeerUnavailable(f"{self._name}: {cause!r}") from cause


NOT_FOUND = (HTTPStatus.NOT_FOUND,)
PAYMENT_REQUIRED = (HTTPStatus.PAYMENT_REQUIRED,)
