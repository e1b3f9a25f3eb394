"""The users service."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from datasources.ids import segment
from datasources.ports.users import User, UserId
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.sourced import Sourced

_user = msgspec.json.Decoder(User).decode

_BY_ID = Route(
    service="users",
    operation="by_id",
    scope="users:read",
    pack=msgspec.json.encode,
    unpack=_user,
)


class Users:
    """Implements `ports.users.UserPort` over REST."""

    READS: ClassVar[frozenset[str]] = frozenset({_BY_ID.operation})
    """Operations that change nothing."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def by_id(self, user_id: UserId, /) -> Sourced[User]:
        """See `ports.users.UserPort`."""

        def decode(_status: int, body: bytes) -> dict[str, User]:
            user = _user(body)
            if user.id != user_id:
                raise ValueError("another user")
            return {key: user}

        key = f"by_id:{user_id}"
        path = f"/users/{segment('users', user_id)}"
        reply = await self._ask(Call(route=_BY_ID, path=path, keys=(key,), decode=decode))
        return reply.only("users")
