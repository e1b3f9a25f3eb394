"""The five services, and somebody who asks them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from examples.upstreams.fleet import NAMES, Fleet, InProcessTransport, open_fleet
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now

SCOPES = (
    "users:read orders:read orders:write products:read payments:read payments:write"
    " notifications:read notifications:write"
)


class Shop:
    """Asks as the BFF does, on behalf of user 1 unless told otherwise."""

    def __init__(self, fleet: Fleet, bff: Signer) -> None:
        self.fleet = fleet
        self._bff = bff

    async def ask(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        user: str = "1",
        scope: str = SCOPES,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        token = self._bff.token(service, scope, subject=user)
        transport = InProcessTransport(self.fleet.apps[service])
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.request(
                method, path, headers={"Authorization": f"Bearer {token}"} | (headers or {}), **more
            )

    async def order(
        self, key: str, items: dict[str, int], *, user: str = "1", method: str | None = None
    ) -> httpx.Response:
        lines = [{"productId": product, "quantity": items[product]} for product in items]
        body: dict[str, Any] = {"userId": user, "items": lines}
        if method:
            body["paymentMethod"] = method
        headers = {"Idempotency-Key": key}
        return await self.ask(
            "orders", "/orders", method="POST", user=user, headers=headers, json=body
        )

    async def messages(self, user: str = "1") -> list[str]:
        """Newest first."""
        path = f"/notifications?userId={user}&limit=1000"
        answer = await self.ask("notifications", path, user=user)
        return [notification["message"] for notification in answer.json()]

    def asked(self, service: str) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.fleet.requests(service)]


@contextlib.asynccontextmanager
async def open_shop(folder: Path, **fleet: Any) -> AsyncIterator[Shop]:
    bff = Signer("bff", fleet.get("now", utc_now))
    async with open_fleet(folder, issuers={"bff": bff.jwks}, **fleet) as opened:
        assert list(opened.apps) == list(NAMES)
        yield Shop(opened, bff)
