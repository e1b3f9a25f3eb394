"""The last resort: what nobody caught becomes one coded error and one log line."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.graphql.refusal import JSON, Answer, coded, errors_only
from bff.middleware.request_id import request_id_of

_log = structlog.get_logger()


class Errors:
    """Answer 500 with an `errorId`, under which the exception is logged, and nothing else.

    An exception after the response has begun is logged too; the server then cuts the response
    short, which is all that can still be said.

    Args:
        app: What may raise.
        new_id: Makes an `errorId`; replaced in tests.
    """

    def __init__(self, app: ASGIApp, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and catch what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as exc:  # noqa: BLE001 - the last resort
            error_id = self._new_id()
            _log.error(
                "a request failed",
                error_id=error_id,
                request_id=request_id_of(scope),
                traceback=traceback_of(exc),
            )
            if not started:
                error = coded("Internal error.", "INTERNAL", errorId=error_id)
                answer = Answer(status=500, body=errors_only([error]), media_type=JSON, headers={})
                await answer.send(send)


def traceback_of(error: BaseException) -> str:
    """Where *error* came from, as text.

    Given to a log instead of the exception itself, whose frames some renderers show together with
    their variables: tokens and arguments among them.
    """
    return "".join(traceback.format_exception(error))
