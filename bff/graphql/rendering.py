"""What a client reads of an operation that was executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError

from bff.middleware.errors import traceback_of
from schema.context import Context
from schema.errors import public_error

_log = structlog.get_logger()


class Rendering:
    """Writes results as JSON, with every error masked that is not the client's business.

    Args:
        new_id: Makes an `errorId`.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def body(self, result: ExecutionResult, context: Context, request_id: str) -> bytes:
        """The body of the response: data, errors, and what is degraded in it."""
        body: dict[str, object] = {"data": result.data}
        errors = result.errors or []
        if errors:
            body["errors"] = [self._shown(error, request_id) for error in errors]
        extensions = result.extensions or {}
        degraded = context.degraded.entries(errors, result.data)
        if degraded:
            extensions["degraded"] = degraded
        if extensions:
            body["extensions"] = extensions
        return orjson.dumps(body)

    def _shown(self, error: GraphQLError, request_id: str) -> Mapping[str, object]:
        """The error for the client; what it hides is logged under the `errorId` that it shows."""
        error_id = ""

        def issue() -> str:
            nonlocal error_id
            error_id = self._new_id()
            return error_id

        public = public_error(error, issue)
        if public.internal is not None:
            _log.error(
                "a resolver failed",
                error_id=error_id,
                request_id=request_id,
                traceback=traceback_of(public.internal),
            )
        return public.formatted
