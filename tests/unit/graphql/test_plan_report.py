"""A plan, what is kept for it, and how long it would take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse

from bff.graphql.plan_report import plan_report
from bff.graphql.seams import never_asked
from bff.telemetry.latencies import Latency
from datasources.journal import Kept, Question
from schema.plan import plan_of
from tests.unit.schema.house import CORE

FRESH, STALE, ABSENT = Kept.FRESH, Kept.STALE, Kept.ABSENT
KNOWN = replace(never_asked("", ""), patience=0.15, latency=Latency(0.02, 0.4, 7))

DASHBOARD = """{ dashboard { user { id } recentOrders(limit: 2) { items { product { id } }
    payment { id } } } }"""


def met(service, operation, *kept):
    question = Question(service=service, operation=operation, keys=len(kept), began=0.0)
    question.rehearsed = kept
    return question


def report(query, *rehearsed, prospects=lambda *_: KNOWN):
    """The plan of a query that was rehearsed so."""
    return plan_report(plan_of(CORE, parse(query)), rehearsed, prospects)


def calls(told):
    """By service, over all waves."""
    return {call["service"]: call for wave in told["waves"] for call in wave["calls"]}


def kept(told):
    return {service: tuple(call["kept"].values()) for service, call in calls(told).items()}


def test_nothing_kept():
    """What comes second cannot be known yet: no number where nothing bounds it."""
    told = report(DASHBOARD, met("users", "by_id", ABSENT), met("orders", "recent", ABSENT))
    assert kept(told) == {
        "users": (0, 0, 1, 0),
        "orders": (0, 0, 1, 0),
        "products": (0, 0, 0, None),
        "payments": (0, 0, 0, 2),
    }
    assert {call["outlook"] for call in calls(told).values()} == {"CALL"}


def test_everything_kept():
    """Then the second wave is known to the last id, also beyond what the document bounds."""
    told = report(
        DASHBOARD,
        met("users", "by_id", FRESH),
        met("orders", "recent", FRESH),
        met("products", "by_ids", FRESH, FRESH, FRESH),
        met("payments", "by_order", FRESH),
        met("payments", "by_order", STALE),
    )
    assert kept(told) == {
        "users": (1, 0, 0, 0),
        "orders": (1, 0, 0, 0),
        "products": (3, 0, 0, 0),
        "payments": (1, 1, 0, 0),
    }
    found = calls(told)
    assert {service: call["outlook"] for service, call in found.items()} == {
        "users": "CACHE",
        "orders": "CACHE",
        "products": "CACHE",
        "payments": "CALL",
    }
    assert (found["products"]["keys"], found["products"]["openEnded"]) == (3, True)
    assert found["users"]["predicted"] == {"medianMs": 0, "p95Ms": 0}


def test_what_was_met_is_no_longer_unknown():
    """Of two payments one is known, as the order of the other is."""
    told = report(
        DASHBOARD,
        met("users", "by_id", ABSENT),
        met("orders", "recent", STALE),
        met("payments", "by_order", FRESH),
    )
    assert kept(told)["payments"] == (1, 0, 0, 1)


def test_an_old_value_bounds_the_wait_and_an_absent_one_does_not():
    """Whoever has something for everything waits 150 ms at most."""
    old = report("{ me { id } }", met("users", "by_id", STALE))
    new = report("{ me { id } }", met("users", "by_id", ABSENT))
    assert old["predicted"] == {"medianMs": 20, "p95Ms": 150}
    assert new["predicted"] == {"medianMs": 20, "p95Ms": 400}
    partly = report(
        '{ products(ids: ["a", "b"]) { id } }', met("products", "by_ids", STALE, ABSENT)
    )
    assert partly["predicted"] == {"medianMs": 20, "p95Ms": 400}


def test_the_slowest_of_each_wave_one_after_the_other():
    """Users are slower than orders; payments and products come after both."""
    times = {"users": 0.05, "orders": 0.03, "products": 0.02, "payments": 0.01}

    def prospects(service, _operation):
        return replace(KNOWN, latency=Latency(times[service], 2 * times[service], 1))

    told = report(
        DASHBOARD,
        met("users", "by_id", ABSENT),
        met("orders", "recent", ABSENT),
        prospects=prospects,
    )
    assert [wave["predicted"]["medianMs"] for wave in told["waves"]] == [50, 20]
    assert told["predicted"] == {"medianMs": 70, "p95Ms": 140}
    assert calls(told)["users"]["measured"] == {"medianMs": 50, "p95Ms": 100, "samples": 1}


def test_what_was_never_measured_is_not_guessed():
    """Nor is a sum of which it is a part; a call that is not made needs no measure."""

    def prospects(service, _operation):
        return replace(KNOWN, latency=None) if service == "users" else KNOWN

    orders = met("orders", "recent", ABSENT)
    told = report(DASHBOARD, met("users", "by_id", STALE), orders, prospects=prospects)
    assert calls(told)["users"]["measured"] is None
    assert calls(told)["users"]["predicted"] is None
    assert [wave["predicted"] is None for wave in told["waves"]] == [True, False]
    assert told["predicted"] is None
    fresh = report(DASHBOARD, met("users", "by_id", FRESH), orders, prospects=prospects)
    assert fresh["predicted"] is not None


def test_what_an_open_breaker_refuses_takes_no_time():
    """Unless it is due to let somebody through."""
    shut = replace(KNOWN, breaker="open", admits=False, in_flight=2, waiting=1)
    told = report("{ me { id } }", met("users", "by_id", STALE), prospects=lambda *_: shut)
    [call] = calls(told).values()
    assert (call["outlook"], call["breaker"]) == ("REFUSED", "open")
    assert call["bulkhead"] == {"inFlight": 2, "waiting": 1}
    assert told["predicted"] == {"medianMs": 0, "p95Ms": 0}
    due = replace(shut, admits=True)
    told = report("{ me { id } }", met("users", "by_id", STALE), prospects=lambda *_: due)
    assert calls(told)["users"]["outlook"] == "CALL"


def test_what_is_not_there_is_not_asked_for():
    """No orders, no products: the document bounds what is asked, and does not make it be asked."""
    told = report(
        "{ dashboard { recentOrders { items { product { id } } } } }",
        met("orders", "recent", FRESH),
    )
    assert [call["outlook"] for call in calls(told).values()] == ["CACHE", "NONE"]
    assert told["predicted"] == {"medianMs": 0, "p95Ms": 0}


def test_a_mutation_is_not_rehearsed():
    """Nothing is said of what is kept."""
    plan = plan_of(CORE, parse('mutation { markNotificationRead(id: "a") { __typename } }'))
    [call] = plan_report(plan, None, lambda *_: KNOWN)["waves"][0]["calls"]
    assert (call["kept"], call["keys"], call["outlook"]) == (None, 1, "CALL")


def test_like_calls_of_one_wave_share_what_was_met():
    """In their order; each is one thing."""
    told = report(
        '{ order(id: "a") { id } x: order(id: "b") { id } }',
        met("orders", "by_id", FRESH),
        met("orders", "by_id", ABSENT),
    )
    shown = [tuple(call["kept"].values()) for call in told["waves"][0]["calls"]]
    assert shown == [(1, 0, 0, 0), (0, 0, 1, 0)]


def test_like_calls_of_two_waves_share_what_was_met():
    """The first wave asks for two, by its document; the rest is the second's."""
    told = report(
        """{ products(ids: ["a", "b"]) { id }
            dashboard { recentOrders { items { product { id } } } } }""",
        met("products", "by_ids", FRESH, ABSENT),
        met("orders", "recent", FRESH),
        met("products", "by_ids", STALE, STALE, STALE),
    )
    shown = [
        tuple(call["kept"].values())
        for wave in told["waves"]
        for call in wave["calls"]
        if call["service"] == "products"
    ]
    assert shown == [(1, 0, 1, 0), (0, 3, 0, None)]


@pytest.mark.parametrize("query", ["{ __typename }", "{ services { name } }"])
def test_what_asks_nobody_takes_no_time(query):
    """As far as the services are concerned."""
    assert report(query) == {
        "mode": "plan",
        "calls": 0,
        "predicted": {"medianMs": 0, "p95Ms": 0},
        "waves": [],
    }
