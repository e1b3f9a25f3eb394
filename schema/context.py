"""What every resolver can reach, made anew for each operation."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import strawberry

from datasources.importance import Importance
from datasources.ports.status import StatusPort
from datasources.ports.users import UserId
from schema.asks import Asks
from schema.degraded import DegradedLog
from schema.errors import Unauthenticated
from schema.loaders import Loaders, LoaderSets
from schema.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who is asking, as proven by the token; made in `bff.identity`.

    Attributes:
        id: The user.
        scopes: What the token allows besides being that user.
    """

    id: UserId
    scopes: frozenset[str] = frozenset()


def _random_key() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One operation.

    Attributes:
        viewer: Who is asking; None for somebody without a token.
        ports: Who is asked, by importance.
        loader_sets: Made for this operation only.
        status: How the services are doing.
        degraded: Collects what is served old or not at all.
        idempotency_key: The request's own, from its `Idempotency-Key` header; None without one.
        spent_keys: Those that a command of this operation was given already.
        new_idempotency_key: Makes one for a command whose caller gave none.
    """

    viewer: Viewer | None
    ports: Callable[[Importance], Sources]
    loader_sets: LoaderSets
    status: StatusPort
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

    def end(self) -> None:
        """The operation is over."""
        self.loader_sets.end()

    def sources(self, question: Asks) -> Sources:
        """For lists and commands: whom the field that asks *question* may ask."""
        return self.ports(question.importance)

    def loaders(self, question: Asks) -> Loaders:
        """For single records by id: batches and remembers within this operation only."""
        return self.loader_sets.of(question.importance)


Info = strawberry.Info[Context, None]
