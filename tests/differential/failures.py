"""The ways in which a resolver can fail."""

from __future__ import annotations

from graphql import GraphQLError

from tests.differential.chance import Chance


class Failure(Exception):
    """Raised by a resolver."""


class OnTheWayOut(Failure):
    """Raised instead of a cancellation."""


class Telling(Failure):
    """Has attributes that graphql-core looks at."""

    def __init__(self, number: int) -> None:
        super().__init__(f"told {number}")
        self.message = f"message {number}"
        self.extensions = {"number": number}


def failure(chance: Chance, shared: Exception) -> Exception:
    """A new one, or *shared*, which fails in several places."""
    number = chance.below(1000)
    plain = Failure(f"failed {number}")
    some = (
        GraphQLError(f"graphql {number}", extensions={"code": "C", "number": number}),
        GraphQLError(f"elsewhere {number}", path=["elsewhere", number]),
        Telling(number),
        shared,
        Failure(),
        KeyError("key"),
    )
    return chance.pick((*some, plain, plain, plain))
