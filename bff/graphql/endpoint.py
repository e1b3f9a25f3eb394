"""GraphQL over HTTP, as one ASGI application for one path.

Statuses. A result with data is 200 in both media types. An operation that never began (syntax,
validation, limits, variables) is 400 as `application/graphql-response+json` and 200 as
`application/json`, as the audits of npm `graphql-http` ask; a request that is no GraphQL request
is 4xx in both.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from graphql import ExecutionResult, OperationType
from starlette.types import Receive, Scope, Send

from bff.graphql import explaining, terms
from bff.graphql.by_get import check_get, not_by_get
from bff.graphql.disconnect import ClientGone, while_connected
from bff.graphql.documents import Document, Documents, InvalidDocument, request_error
from bff.graphql.execution import Execution, never_began
from bff.graphql.limits import Limits
from bff.graphql.negotiation import acceptable, wants_page
from bff.graphql.outcome import Outcome, Prepared, Whole
from bff.graphql.plan_report import Planner
from bff.graphql.refusal import JSON, Answer, Refusal, errors_only
from bff.graphql.rendering import Rendering
from bff.graphql.request import Headers, Question, parse_body, read_body, read_url
from bff.graphql.response_cache import Request, ResponseCache
from bff.graphql.seams import InvalidToken, NewContext, Tokens, Unverifiable
from bff.middleware.admission import visit_of
from bff.middleware.request_id import request_id_of
from datasources.clock import Clock, SystemClock
from datasources.scope import Scope as OperationScope
from datasources.scope import entered
from schema.context import Context, Viewer


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
        responses: Keeps answers.
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
        responses: ResponseCache,
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
        self._responses = responses
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

    async def _answer(self, scope: Scope, receive: Receive) -> Answer | Prepared:
        media_type = JSON
        try:
            method = _method(scope)
            headers = Headers(scope)
            accept = headers.get(b"accept") or ""
            if method == "GET" and self._page is not None and wants_page(accept):
                return self._page
            media_type = acceptable(accept)
            self._check_url(scope)
            if method == "POST":
                within = visit_of(scope).body
                said = await read_body(headers, receive, self._limits, within)
            else:
                said = cast("bytes", scope["query_string"])
            outcome = await while_connected(self._ask((method, said), headers, scope), receive)
            if isinstance(outcome, Outcome):
                return outcome.answer(media_type)
            return outcome.answer(
                media_type,
                self._clock.monotonic(),
                by_get=method == "GET",
                if_none_match=headers.get(b"if-none-match"),
            )
        except Refusal as refusal:
            return refusal.answer(media_type)

    def _check_url(self, scope: Scope) -> None:
        path = cast("bytes", scope.get("raw_path") or scope["path"].encode())
        if len(path) + len(cast("bytes", scope["query_string"])) > self._limits.url_bytes:
            raise Refusal(414, f"The URL is longer than {self._limits.url_bytes} bytes: use POST.")

    async def _ask(self, request: Request, headers: Headers, scope: Scope) -> Outcome | Whole:
        """Raises `Refusal`; `Full` when there is no room after all."""
        by_get = request[0] == "GET"
        visit = visit_of(scope)
        patience = terms.patience(headers)
        await visit.begin(min(patience, self._deadlines.mutation))
        key = terms.idempotency_key(headers)
        mode = explaining.wanted(headers)
        viewer = await self._viewer(headers, patience)
        if mode is not None:
            explaining.check_allowed(viewer)
        elif not by_get or headers.mean_it():
            kept = self._responses.known(request, viewer)
            if kept is not None:
                return kept
        question = read_url(scope) if by_get else parse_body(request[1])
        try:
            document = self._documents.get(question.query)
        except InvalidDocument as invalid:
            if by_get and invalid.mutates:
                raise not_by_get() from None
            return Outcome(body=errors_only(invalid.errors), began=False)
        operation = document.operation(question.operation_name)
        if by_get:
            check_get(operation, headers)
        longest = min(patience, self._deadlines.of(operation.kind))
        shared = OperationScope(
            deadline=visit.arrived + longest,
            request_id=request_id_of(scope),
            principal=viewer.id if viewer is not None else "",
            traceparent=terms.traceparent(headers),
            journal=explaining.journal_for(mode),
        )
        context = partial(self._new_context, viewer, key)
        execute = partial(self._outcome, document, question, context, shared, visit.arrived)
        if operation.kind is OperationType.MUTATION:
            try:
                return await execute()
            finally:
                self._responses.wrote(viewer)
        asked = None
        if mode is None:
            asked = self._responses.asked(request, question, operation.policy)
        if asked is not None:
            return await self._responses.answer(asked, viewer, shared.deadline, execute)
        outcome = await execute()
        return Whole(outcome.body) if outcome.whole else outcome

    async def _outcome(
        self,
        document: Document,
        question: Question,
        new_context: Callable[[], Context],
        scope: OperationScope,
        arrived: float,
    ) -> Outcome:
        journal = scope.journal
        with entered(scope):
            context = new_context()
            if journal is None or not journal.rehearsal:
                result = await self._execute(document, question, context)
            else:
                execute = partial(self._execute, document, context=context)
                result = await self._planner.plan(document, question, journal, execute)
        if never_began(result) and result.extensions is None:
            shown = [request_error(error) for error in result.errors or ()]
            return Outcome(body=errors_only(shown), began=False)
        told: Mapping[str, str] = {}
        if journal is not None:
            told = explaining.conclude(result, journal, arrived, self._clock.monotonic())
        return Outcome(
            body=self._rendering.body(result, context, scope.request_id),
            whole=not (result.errors or result.extensions or context.degraded.stale),
            age=context.degraded.age,
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
