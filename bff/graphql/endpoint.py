"""GraphQL over HTTP, as one ASGI application for one path.

Statuses. A result with data is 200 in both media types. An operation that never began (syntax,
validation, limits, variables) is 400 as `application/graphql-response+json` and 200 as
`application/json`, as the audits of npm `graphql-http` ask; a request that is no GraphQL request
is 4xx in both.

Requests that a foreign web page can make a browser send. A POST must be `application/json`, which
no page can send across sites without a preflight. A GET may be sent by an `<img>`; so one that does
not look meant (Accept names JSON, the content-type is JSON, or there is a header that forces a
preflight: `GraphQL-Require-Preflight`, `X-Requested-With`) may ask for `__typename`, `__schema` and
`__type` only: that touches no service and nothing of any viewer. See `Headers.mean_it`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from graphql import ExecutionResult, OperationType
from starlette.types import Receive, Scope, Send

from bff.graphql import explaining, terms
from bff.graphql.disconnect import ClientGone, while_connected
from bff.graphql.documents import Document, Documents, InvalidDocument, Operation, request_error
from bff.graphql.execution import Execution, never_began
from bff.graphql.limits import Limits
from bff.graphql.negotiation import response_type, wants_page
from bff.graphql.plan_report import Planner
from bff.graphql.refusal import GRAPHQL, JSON, NO_STORE, Answer, Refusal, errors_only
from bff.graphql.rendering import Rendering
from bff.graphql.request import Headers, Question, parse_body, read_body, read_url
from bff.graphql.seams import InvalidToken, NewContext, Tokens, Unverifiable
from bff.middleware.admission import visit_of
from bff.middleware.request_id import request_id_of
from datasources.clock import Clock, SystemClock
from datasources.scope import Scope as OperationScope
from datasources.scope import entered
from schema.context import Context, Viewer

_PRIVATE = "private, no-cache"
_VARY = "Accept, Authorization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long an operation may take (seconds); a caller can only shorten it."""

    query: float = 5.0
    mutation: float = 15.0

    def of(self, kind: OperationType) -> float:
        """The longest for an operation of this *kind*."""
        return self.mutation if kind is OperationType.MUTATION else self.query


class GraphQLEndpoint:
    """Answers the requests of one path; put it in a Starlette `Route`.

    Args:
        documents: Parses and validates.
        execution: Executes.
        planner: Tells what would be executed.
        tokens: Knows callers by their tokens.
        new_context: Makes what resolvers are given.
        limits: How big a request may be.
        deadlines: How long an operation may take.
        page: The explorer, for browsers; None when it is off.
        clock: Replaced in tests.
        new_id: Makes an `errorId`; replaced in tests.
    """

    def __init__(  # noqa: PLR0913 - by name only, and called in one place
        self,
        *,
        documents: Documents,
        execution: Execution,
        planner: Planner,
        tokens: Tokens,
        new_context: NewContext,
        limits: Limits,
        deadlines: Deadlines,
        page: Answer | None = None,
        clock: Clock | None = None,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._documents = documents
        self._execution = execution
        self._planner = planner
        self._tokens = tokens
        self._new_context = new_context
        self._limits = limits
        self._deadlines = deadlines
        self._page = page
        self._clock = clock or SystemClock()
        self._rendering = Rendering(new_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; send nothing when the client has left."""
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        media_type = JSON
        try:
            method = _method(scope)
            headers = Headers(scope)
            accept = headers.get(b"accept") or ""
            if method == "GET" and self._page is not None and wants_page(accept):
                return self._page
            media_type = _acceptable(accept)
            self._check_url(scope)
            read = partial(read_url, scope)
            if method == "POST":
                within = visit_of(scope).body
                body = await read_body(headers, receive, self._limits, within)
                read = partial(parse_body, body)
            return await while_connected(self._ask(read, headers, scope, media_type), receive)
        except Refusal as refusal:
            return refusal.answer(media_type)

    def _check_url(self, scope: Scope) -> None:
        path = cast("bytes", scope.get("raw_path") or scope["path"].encode())
        if len(path) + len(cast("bytes", scope["query_string"])) > self._limits.url_bytes:
            raise Refusal(414, f"The URL is longer than {self._limits.url_bytes} bytes: use POST.")

    async def _ask(
        self, read: Callable[[], Question], headers: Headers, scope: Scope, media_type: str
    ) -> Answer:
        """Raises `Refusal`; `Full` when there is no room after all."""
        visit = visit_of(scope)
        patience = terms.patience(headers)
        await visit.begin(min(patience, self._deadlines.mutation))
        question = read()
        key = terms.idempotency_key(headers)
        mode = explaining.wanted(headers)
        viewer = await self._viewer(headers, patience)
        if mode is not None:
            explaining.check_allowed(viewer)
        try:
            document = self._documents.get(question.query)
        except InvalidDocument as invalid:
            if _method(scope) == "GET" and invalid.mutates:
                raise _not_by_get() from None
            return _not_begun(errors_only(invalid.errors), media_type)
        operation = document.operation(question.operation_name)
        if _method(scope) == "GET":
            _check_get(operation, headers)
        longest = min(patience, self._deadlines.of(operation.kind))
        journal = explaining.journal_for(mode)
        with entered(
            OperationScope(
                deadline=visit.arrived + longest,
                request_id=request_id_of(scope),
                principal=viewer.id if viewer is not None else "",
                traceparent=terms.traceparent(headers),
                journal=journal,
            )
        ):
            context = self._new_context(viewer, key)
            if journal is None or not journal.rehearsal:
                result = await self._execute(document, question, context)
            else:
                execute = partial(self._execute, document, context=context)
                result = await self._planner.plan(document, question, journal, execute)
        if never_began(result) and result.extensions is None:
            shown = [request_error(error) for error in result.errors or ()]
            return _not_begun(errors_only(shown), media_type)
        told = {"Vary": _VARY}
        if journal is not None:
            told |= explaining.conclude(result, journal, visit.arrived, self._clock.monotonic())
        cacheable = operation.kind is OperationType.QUERY and not result.errors and journal is None
        return Answer(
            status=200,
            body=self._rendering.body(result, context, request_id_of(scope)),
            media_type=media_type,
            cache_control=_PRIVATE if cacheable else NO_STORE,
            headers=told,
        )

    async def _viewer(self, headers: Headers, patience: float) -> Viewer | None:
        """Raises `Refusal` for a token that proves nothing."""
        authorization = headers.get(b"authorization")
        if authorization is None:
            return None
        known = self._tokens.known(authorization)
        if known is not None:
            return known
        try:
            async with asyncio.timeout(min(patience, self._deadlines.query)):
                return await self._tokens.viewer(authorization)
        except (Unverifiable, TimeoutError):
            raise Refusal(
                401,
                "The token cannot be verified now: try again.",
                code="UNAUTHENTICATED",
                headers={"WWW-Authenticate": "Bearer", "Retry-After": "1"},
            ) from None
        except InvalidToken:
            raise Refusal(
                401,
                "The token is not valid.",
                code="UNAUTHENTICATED",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            ) from None

    async def _execute(
        self, document: Document, question: Question, context: Context
    ) -> ExecutionResult:
        try:
            return await self._execution.run(
                document,
                question.variables,
                question.operation_name,
                context,
                question.on_error,
            )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise RuntimeError("a resolver was cancelled, though the operation was not") from None
        finally:
            context.end()


def _method(scope: Scope) -> str:
    """Raises `Refusal` for a method that GraphQL has no use for."""
    method = cast("str", scope["method"])
    if method not in {"GET", "POST"}:
        raise Refusal(405, "Use GET or POST.", headers={"Allow": "GET, POST"})
    return method


def _acceptable(accept: str) -> str:
    """Raises `Refusal` when the client takes nothing that we have."""
    media_type = response_type(accept)
    if media_type is None:
        raise Refusal(406, f"The answer can be {GRAPHQL} or {JSON}.")
    return media_type


def _check_get(operation: Operation, headers: Headers) -> None:
    """Raises `Refusal` for what may not, or not like this, be asked by GET."""
    if operation.kind is OperationType.MUTATION:
        raise _not_by_get()
    if operation.reads and not headers.mean_it():
        raise Refusal(
            403,
            "A link could make a browser send this: say Accept: application/graphql-response+json,"
            " or use POST.",
            code="FORBIDDEN",
        )


def _not_by_get() -> Refusal:
    return Refusal(405, "Send mutations by POST.", headers={"Allow": "POST"})


def _not_begun(body: bytes, media_type: str) -> Answer:
    status = 400 if media_type == GRAPHQL else 200
    return Answer(status=status, body=body, media_type=media_type, headers={"Vary": _VARY})
