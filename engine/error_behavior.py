"""What an error does to the rest of the answer."""

from __future__ import annotations

from enum import StrEnum


class ErrorBehavior(StrEnum):
    """Where there is null when a field fails.

    Attributes:
        PROPAGATE: At the nearest position above that may be null, as in graphql-core.
        NULL: Where it failed, also if the schema says that it cannot be null; as in graphql-core
            with `error_propagation=False`.
        HALT: There is no data: the first error ends the operation, and is the only one.
    """

    PROPAGATE = "PROPAGATE"
    NULL = "NULL"
    HALT = "HALT"
