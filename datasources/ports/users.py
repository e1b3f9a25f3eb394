"""What the users service knows."""

from __future__ import annotations

from typing import NewType, Protocol

import msgspec

from datasources.ports.instant import Instant, demand_expressible
from datasources.sourced import Sourced

UserId = NewType("UserId", str)


class User(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person who can sign in. Source: `GET /users/{id}`."""

    id: UserId
    name: str
    email: str
    phone: str | None = None
    tier: str | None = None
    created_at: Instant | None = None

    def __post_init__(self) -> None:
        """See `demand_expressible`."""
        demand_expressible(self.created_at)


class UserPort(Protocol):
    """The users service, as far as the schema needs it."""

    async def by_id(self, user_id: UserId, /) -> Sourced[User]:
        """The user with that id.

        Raises:
            NotFound: There is none.
        """
        ...
