"""What is listed as served old, or not at all."""

from __future__ import annotations

from types import SimpleNamespace

from graphql import GraphQLError
from graphql.pyutils import Path

from datasources.errors import BadReply, Forbidden, Rejected, TryLater
from datasources.sourced import Origin, Reason, Sourced
from schema.degraded import DegradedLog
from tests.unit.schema.house import NOON

STALE = Sourced("value", "orders", NOON, Origin.STALE, 1.23456, Reason.TIMEOUT)


def at(*steps):
    path = None
    for step in steps:
        path = Path(path, step, None)
    return SimpleNamespace(path=path)


def paths(entries):
    return [entry["path"] for entry in entries]


def test_nothing_to_report():
    """Live values and values within their freshness are not degraded."""
    log = DegradedLog()
    live = Sourced("value", "orders", NOON)
    cached = Sourced("value", "orders", NOON, Origin.CACHE, 3.0)
    assert (log.show(at("a"), live), log.show(at("b"), cached)) == (live, cached)
    assert log.entries(None, {"a": "value", "b": "value"}) == []


def test_old_values():
    """With service, reason and age to the millisecond."""
    log = DegradedLog()
    assert log.show(at("a"), STALE) is STALE
    assert log.entries([], {"a": "value"}) == [
        {
            "path": ["a"],
            "service": "orders",
            "served": "STALE",
            "reason": "TIMEOUT",
            "ageSeconds": 1.235,
        }
    ]


def test_only_failures_leave_nothing():
    """A service that refuses is well; bad input and faults of ours are no degradation."""
    causes = [
        BadReply("a"),
        TryLater("b", 429),
        Rejected("c", 422),
        Forbidden("d"),
        RuntimeError("e"),
        None,
    ]
    errors = [
        GraphQLError("", path=[letter], original_error=cause)
        for letter, cause in zip("abcdef", causes, strict=True)
    ]
    entries = DegradedLog().entries(errors, dict.fromkeys("abcdef"))
    assert [(entry["service"], entry["served"], entry["reason"]) for entry in entries] == [
        ("a", "NOTHING", "BAD_REPLY"),
        ("b", "NOTHING", "OVERLOADED"),
        ("c", "NOTHING", "BAD_REPLY"),
    ]


def test_one_entry_for_each_path():
    """Where an old value was found and then failed, there is nothing."""
    log = DegradedLog()
    log.show(at("a"), STALE)
    log.show(at("b"), STALE)
    log.show(at("b"), STALE)
    errors = [GraphQLError("", path=["a"], original_error=BadReply("orders"))]
    entries = log.entries(errors, {"b": 1, "a": None})
    assert [(entry["path"], entry["served"]) for entry in entries] == [
        (["b"], "STALE"),
        (["a"], "NOTHING"),
    ]


def test_the_order_of_the_document():
    """Not that in which answers arrive; lists by position, and by name where nothing is left."""
    data = {"z": [{"x": 1}, {"x": 1}], "a": {"q": 1, "b": 1}, "gone": None}
    shown = [("a", "b"), ("z", 1), ("z", 0, "x"), ("a",), ("a", "q"), ("z",)]
    log = DegradedLog()
    for path in shown:
        log.show(at(*path), STALE)
    errors = [
        GraphQLError("", path=path, original_error=BadReply("orders"))
        for path in (["gone", "y"], ["gone", "x", 10], ["gone", "x", 9], ["not", "there"])
    ]
    assert paths(log.entries(errors, data)) == [
        ["z"],
        ["z", 0, "x"],
        ["z", 1],
        ["a"],
        ["a", "q"],
        ["a", "b"],
        ["gone", "x", 9],
        ["gone", "x", 10],
        ["gone", "y"],
        ["not", "there"],
    ]


def test_what_the_answer_lost_was_not_served():
    """Whether its parent went, its list grew shorter, or there is no data at all."""
    log = DegradedLog()
    for path in (("a",), ("b", "c"), ("d", 3), ("e", 0, "f")):
        log.show(at(*path), STALE)
    assert log.entries([], {"a": None, "b": None, "d": [1], "e": [None]}) == []
    assert log.entries([], None) == []
