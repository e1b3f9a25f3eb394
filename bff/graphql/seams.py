"""What the view needs of others, who need not know the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from schema.context import Context, Viewer

NewContext = Callable[[Viewer | None, str | None], Context]
"""Makes the context of one operation from the viewer and the request's Idempotency-Key."""


class InvalidToken(Exception):
    """The token proves nothing: the request is refused, not treated as anonymous."""


class Unverifiable(InvalidToken):
    """The token may be good, and nobody can tell now."""


class Tokens(Protocol):
    """Knows callers by their tokens."""

    async def viewer(self, authorization: str | None, /) -> Viewer | None:
        """Who sent this Authorization header; None for a request without one.

        Raises:
            InvalidToken: There is a token, and it is not good.
        """
        ...
