"""A graph of as many services as one likes, each with a pipeline and connections of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import strawberry
from strawberry.tools import create_type

from datasources.ids import segment
from datasources.ports.users import User
from datasources.resilience.pipeline import Call, Handler, Route
from schema.context import Context
from schema.permissions import SIGNED_IN

if TYPE_CHECKING:
    from datasources.sourced import Sourced

_user = msgspec.json.Decoder(User).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesContext(Context):
    """One operation.

    Attributes:
        asked: The pipeline of each service, by its name.
    """

    asked: Mapping[str, Handler]


Info = strawberry.Info[ServicesContext, None]


@strawberry.type(description="What every service of this graph knows.")
class Thing:
    id: strawberry.ID
    name: str
    email: str


def names(count: int) -> list[str]:
    """Of so many services, as of their fields."""
    return [f"service{number}" for number in range(1, count + 1)]


def build_schema(count: int) -> strawberry.Schema:
    """A field for each service, which asks it once for the viewer."""
    fields = [
        strawberry.field(_resolver(name), name=name, extensions=SIGNED_IN) for name in names(count)
    ]
    return strawberry.Schema(query=create_type("Query", fields))


def _resolver(name: str) -> Callable[[Info], Awaitable[Thing]]:
    route = Route(
        service=name,
        operation="by_id",
        scope=f"{name}:read",
        pack=msgspec.json.encode,
        unpack=_user,
    )

    async def resolve(info: Info) -> Thing:
        viewer = info.context.signed_in.id

        def decode(_status: int, body: bytes) -> dict[str, User]:
            return {key: _user(body)}

        key = f"by_id:{viewer}"
        path = f"/users/{segment(name, viewer)}"
        reply = await info.context.asked[name](
            Call(route=route, path=path, keys=(key,), decode=decode)
        )
        found: Sourced[User] = reply.only(name)
        info.context.degraded.show(info, found)
        record = found.value
        return Thing(id=strawberry.ID(record.id), name=record.name, email=record.email)

    resolve.__name__ = name
    return resolve
