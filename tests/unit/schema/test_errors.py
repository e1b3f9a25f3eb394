"""What a client may read of an error."""

from __future__ import annotations

import asyncio

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, parse

from datasources import errors as upstream
from schema.errors import BadUserInput, Forbidden, Unauthenticated, public_error

SECRET = "10.0.0.7: password hunter2"


def made_public(cause, path=("me",)):
    error = GraphQLError(SECRET, path=list(path), original_error=cause)
    return public_error(error, lambda: "e1")


@pytest.mark.parametrize(
    ("cause", "message", "code", "retryable"),
    [
        (
            upstream.Unreachable("orders", SECRET),
            "The orders service could not be reached.",
            "UPSTREAM_UNAVAILABLE",
            True,
        ),
        (
            upstream.AttemptTimedOut("orders", 3.0),
            "The orders service did not answer in time.",
            "UPSTREAM_TIMEOUT",
            True,
        ),
        (
            upstream.ServerFault("orders", 503),
            "The orders service failed.",
            "UPSTREAM_UNAVAILABLE",
            True,
        ),
        (
            upstream.ServerFault("orders", 501),
            "The orders service failed.",
            "UPSTREAM_UNAVAILABLE",
            False,
        ),
        (
            upstream.BadReply("orders", SECRET),
            "The orders service gave an answer that cannot be used.",
            "UPSTREAM_BAD_REPLY",
            False,
        ),
        (
            upstream.NotFound("orders", SECRET),
            "The orders service knows no such thing.",
            "NOT_FOUND",
            False,
        ),
        (
            upstream.Forbidden("orders", SECRET),
            "The orders service does not allow that.",
            "FORBIDDEN",
            False,
        ),
        (
            upstream.Rejected("orders", 422, SECRET),
            "The orders service did not accept the request.",
            "UPSTREAM_BAD_REPLY",
            False,
        ),
        (upstream.TryLater("orders", 429), "The orders service is busy.", "OVERLOADED", True),
        (
            upstream.CircuitOpen("orders", SECRET),
            "The orders service keeps failing and is not asked for now.",
            "CIRCUIT_OPEN",
            True,
        ),
        (
            upstream.BulkheadFull("orders", SECRET),
            "Too many requests wait for the orders service.",
            "OVERLOADED",
            True,
        ),
        (
            upstream.DeadlineExceeded("orders", SECRET),
            "Time ran out before the orders service had answered.",
            "DEADLINE_EXCEEDED",
            True,
        ),
        (
            upstream.LocalRejection("orders", SECRET),
            "The orders service could not answer.",
            "INTERNAL",
            True,
        ),
    ],
)
def test_upstream_errors(cause, message, code, retryable):
    """Code, service and whether to ask again; a sentence of ours, and no word of theirs."""
    public = made_public(cause)
    assert public.formatted == {
        "message": message,
        "path": ["me"],
        "extensions": {"code": code, "service": "orders", "retryable": retryable},
    }
    assert public.internal is None


@pytest.mark.parametrize(
    ("cause", "message", "code"),
    [
        (BadUserInput("id", "no"), 'Argument "id": no.', "BAD_USER_INPUT"),
        (Unauthenticated(), "Sign in to ask this.", "UNAUTHENTICATED"),
        (Forbidden("x.y"), 'This takes the scope "x.y".', "FORBIDDEN"),
    ],
)
def test_our_own_refusals(cause, message, code):
    """They are written for the client."""
    public = made_public(cause)
    assert public.formatted == {"message": message, "path": ["me"], "extensions": {"code": code}}
    assert public.internal is None


@pytest.mark.parametrize("cause", [TimeoutError(SECRET), TimeoutError()])
@pytest.mark.parametrize("path", [(), ("me",)])
def test_the_operations_own_deadline(cause, path):
    """Wherever it strikes."""
    public = made_public(cause, path)
    assert public.formatted["message"] == "Time ran out before the answer was complete."
    assert public.formatted["extensions"] == {"code": "DEADLINE_EXCEEDED", "retryable": True}


@pytest.mark.parametrize("cause", [RuntimeError(SECRET), KeyError("x"), asyncio.CancelledError()])
def test_anything_else_is_hidden(cause):
    """The client gets a number, our log the exception."""
    public = made_public(cause)
    assert public.formatted == {
        "message": "Internal error.",
        "path": ["me"],
        "extensions": {"code": "INTERNAL", "errorId": "e1"},
    }
    assert public.internal is cause


def test_error_ids_are_made_only_when_needed():
    """They are for our log."""

    def none():
        raise AssertionError

    error = GraphQLError("", original_error=Unauthenticated())
    assert public_error(error, none).formatted["extensions"] == {"code": "UNAUTHENTICATED"}


def test_syntax():
    """GraphQL's own words, with the place in the document."""
    with pytest.raises(GraphQLSyntaxError) as raised:
        parse("{ me")
    public = public_error(raised.value, lambda: "e1")
    assert public.formatted == {
        "message": "Syntax Error: Expected Name, found <EOF>.",
        "locations": [{"line": 1, "column": 5}],
        "extensions": {"code": "BAD_USER_INPUT"},
    }


def test_a_code_that_is_given():
    """Whoever refuses a request before it runs may name his own code."""
    error = GraphQLError("Too deep.", extensions={"code": "QUERY_TOO_COMPLEX"})
    public = public_error(error, lambda: "e1")
    assert public.formatted["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
