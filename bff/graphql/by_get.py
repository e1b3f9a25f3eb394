"""What may be asked by GET, which a foreign page can make a browser send.

A POST must be `application/json`, which no page can send across sites without a preflight. A GET
may be sent by an `<img>`; so one that does not look meant (Accept names JSON, the content-type is
JSON, or there is a header that forces a preflight: `GraphQL-Require-Preflight`, `X-Requested-With`)
may ask for `__typename`, `__schema` and `__type` only: that touches no service and nothing of any
viewer. See `Headers.mean_it`.
"""

from __future__ import annotations

from graphql import OperationType

from bff.graphql.documents import Operation
from bff.graphql.refusal import Refusal
from bff.graphql.request import Headers


def check_get(operation: Operation, headers: Headers) -> None:
    """Raises `Refusal` for what may not, or not like this, be asked by GET."""
    if operation.kind is OperationType.MUTATION:
        raise not_by_get()
    if operation.reads and not headers.mean_it():
        raise Refusal(
            403,
            "A link could make a browser send this: say Accept: application/graphql-response+json,"
            " or use POST.",
            code="FORBIDDEN",
        )


def not_by_get() -> Refusal:
    """For a mutation."""
    return Refusal(405, "Send mutations by POST.", headers={"Allow": "POST"})
