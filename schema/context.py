"""What every resolver can reach, made anew for each operation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import strawberry

from datasources.ports.notifications import NotificationPort
from datasources.ports.orders import OrderPort
from datasources.ports.payments import PaymentPort
from datasources.ports.products import ProductPort
from datasources.ports.status import StatusPort
from datasources.ports.users import UserId, UserPort
from schema.degraded import DegradedLog
from schema.errors import Unauthenticated
from schema.loaders import Loaders


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who is asking, as proven by the token; made in `bff.identity`.

    Attributes:
        id: The user.
        scopes: What the token allows besides being that user.
    """

    id: UserId
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The ports that the schema may use; filled in `bff.wiring`, faked in tests."""

    users: UserPort
    orders: OrderPort
    products: ProductPort
    payments: PaymentPort
    notifications: NotificationPort
    status: StatusPort


def _random_key() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One operation.

    Attributes:
        viewer: Who is asking; None for somebody without a token.
        sources: For lists and commands.
        loaders: For single records by id; batches and remembers within this operation only.
        degraded: Collects what is served old or not at all.
        idempotency_key: The request's own, from its `Idempotency-Key` header; None without one.
        spent_keys: Those that a command of this operation was given already.
        new_idempotency_key: Makes one for a command whose caller gave none.
    """

    viewer: Viewer | None
    sources: Sources
    loaders: Loaders
    degraded: DegradedLog = field(default_factory=DegradedLog)
    idempotency_key: str | None = None
    spent_keys: set[str] = field(default_factory=set[str])
    new_idempotency_key: Callable[[], str] = _random_key

    @property
    def signed_in(self) -> Viewer:
        """Who is asking.

        Raises:
            Unauthenticated: Nobody has said.
        """
        if self.viewer is None:
            raise Unauthenticated
        return self.viewer


Info = strawberry.Info[Context, None]
