"""User."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datasources.ports import users
from datasources.sourced import Sourced as Found
from schema.cache_control import PERSONAL
from schema.types.freshness import Sourced


@strawberry.type(description="A person who can sign in.", directives=[PERSONAL])
class User(Sourced):
    id: strawberry.ID = strawberry.field(description="Names the user.")
    name: str = strawberry.field(description="As the user wants to be called.")
    email: str = strawberry.field(description="Where to write to.")
    phone: str | None = strawberry.field(description="Where to call, if known.")
    tier: str | None = strawberry.field(description='Such as "gold", if any.')
    created_at: datetime | None = strawberry.field(description="When the user joined, if known.")

    @classmethod
    def of(cls, found: Found[users.User]) -> User:
        record = found.value
        return cls(
            id=strawberry.ID(record.id),
            name=record.name,
            email=record.email,
            phone=record.phone,
            tier=record.tier,
            created_at=record.created_at,
            found=found,
        )
