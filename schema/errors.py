"""What clients may read of an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from graphql import FieldNode, GraphQLError, ValueNode

from datasources import errors as upstream


class ClientError(Exception):
    """The request cannot be served as it stands. Its message is public: it speaks of the request.

    Attributes:
        code: As `datasources.errors.DatasourceError.code`.
    """

    code: ClassVar[str]


class BadUserInput(ClientError):
    """An argument that the type system lets pass, and we do not."""

    code = "BAD_USER_INPUT"

    def __init__(self, argument: str, expected: str) -> None:
        super().__init__(f'Argument "{argument}": {expected}.')


class Unauthenticated(ClientError):
    """Nobody has said who is asking."""

    code = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("Sign in to ask this.")


class Forbidden(ClientError):
    """The viewer's token does not allow this."""

    code = "FORBIDDEN"

    def __init__(self, scope: str) -> None:
        super().__init__(f'This takes the scope "{scope}".')


@dataclass(frozen=True, slots=True)
class PublicError:
    """An error, split between those who may read it.

    Attributes:
        formatted: For the client: an entry of `errors`.
        internal: For our log, under the same `errorId`; None when nothing of ours is broken.
    """

    formatted: dict[str, object]
    internal: Exception | None = None


_MESSAGES: dict[type[BaseException], str] = {
    upstream.Unreachable: "The {} service could not be reached.",
    upstream.AttemptTimedOut: "The {} service did not answer in time.",
    upstream.ServerFault: "The {} service failed.",
    upstream.BadReply: "The {} service gave an answer that cannot be used.",
    upstream.NotFound: "The {} service knows no such thing.",
    upstream.Forbidden: "The {} service does not allow that.",
    upstream.Rejected: "The {} service did not accept the request.",
    upstream.TryLater: "The {} service is busy.",
    upstream.CircuitOpen: "The {} service keeps failing and is not asked for now.",
    upstream.BulkheadFull: "Too many requests wait for the {} service.",
    upstream.DeadlineExceeded: "Time ran out before the {} service had answered.",
    upstream.NoTimeToAsk: "Time ran out before the {} service was asked.",
    upstream.Shed: "The {} service was not asked: there is too much else to do.",
    upstream.ShedForTime: "The {} service was not asked: too little time was left for it.",
    upstream.DatasourceError: "The {} service could not answer.",
}


def public_error(error: GraphQLError, new_error_id: Callable[[], str]) -> PublicError:
    """What to tell of *error*.

    A `TimeoutError` is the operation's own deadline: datasources turn every other one into an
    error of theirs. A cancellation is no error; whoever cancelled does not read the answer.

    Args:
        error: As the executor, the validator or the parser made it.
        new_error_id: Makes the id under which an internal error is logged.
    """
    cause = error.original_error
    if isinstance(cause, upstream.DatasourceError):
        return _public(error, _upstream_message(cause), _upstream_extensions(cause))
    if isinstance(cause, ClientError):
        return _public(error, str(cause), {"code": cause.code})
    if isinstance(cause, TimeoutError):
        extensions: dict[str, object] = {"code": "DEADLINE_EXCEEDED", "retryable": True}
        return _public(error, "Time ran out before the answer was complete.", extensions)
    if _speaks_of_the_request(error):
        return _public(error, error.message, {"code": "BAD_USER_INPUT", **(error.extensions or {})})
    if error.nodes and all(isinstance(node, ValueNode) for node in error.nodes):
        # Python could not read a literal, as an integer of 5,000 digits; its words are not public.
        message = "A value in the request cannot be read as its type."
        return _public(error, message, {"code": "BAD_USER_INPUT"})
    extensions = {"code": "INTERNAL", "errorId": new_error_id()}
    return _public(error, "Internal error.", extensions, internal=cause or error)


def _public(
    error: GraphQLError,
    message: str,
    extensions: dict[str, object],
    internal: Exception | None = None,
) -> PublicError:
    formatted: dict[str, object] = {"message": message}
    if error.locations:
        formatted["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        formatted["path"] = list(error.path)
    formatted["extensions"] = extensions
    return PublicError(formatted, internal)


def _upstream_message(failure: upstream.DatasourceError) -> str:
    known = next(kind for kind in type(failure).__mro__ if kind in _MESSAGES)
    return _MESSAGES[known].format(failure.service)


def _upstream_extensions(failure: upstream.DatasourceError) -> dict[str, object]:
    return {"code": failure.code, "service": failure.service, "retryable": failure.retryable}


def _speaks_of_the_request(error: GraphQLError) -> bool:
    """Whether graphql-core found fault with the document or its variables.

    It uses the same class for a value of ours that does not fit its type; then the error points
    at a whole field, while those of arguments point at the argument.
    """
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        return False
    of_a_field = all(isinstance(node, FieldNode) for node in error.nodes or ())
    return error.path is None or not of_a_field
