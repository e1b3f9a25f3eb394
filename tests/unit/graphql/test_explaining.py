"""Who may have an operation explained, and in what words it is."""

from __future__ import annotations

import pytest

from bff.app import Serving
from bff.graphql.explaining import analysis, server_timing
from datasources.errors import ServerFault
from datasources.journal import Journal, Question
from datasources.sourced import Origin, Reason, Sourced
from schema.context import Viewer
from tests.unit.graphql.little_graph import (
    NamedTokens,
    Seen,
    client_of,
    code_of,
    little_app,
    with_tokens,
)
from tests.virtual_time import EPOCH

GRAPHQL = "application/graphql-response+json"


class Operators(NamedTokens):
    """Everybody is one, except who sends no token, and Bob."""

    async def viewer(self, authorization, /):
        name = authorization.removeprefix("Bearer ")
        return Viewer(id=name, scopes=frozenset({"x"} if name == "bob" else {"x", "bff.operator"}))


async def ask(query, mode, *, seen=None, user="ann", method="POST", headers=(), **body):
    app = little_app(seen, change=with_tokens(Operators()))
    own = [("accept", GRAPHQL), *headers]
    own += [("bff-explain", mode)] if mode is not None else []
    own += [("authorization", f"Bearer {user}")] if user else []
    async with client_of(app) as client:
        if method == "GET":
            return await client.get("/graphql", params={"query": query}, headers=own)
        return await client.post("/graphql", json={"query": query} | body, headers=own)


@pytest.mark.parametrize("mode", ["", "PLAN", "Analyze", "plan,analyze", "yes", "1"])
async def test_any_other_word_is_refused(mode):
    """Before anything is executed; also for those who may not say it at all."""
    seen = Seen()
    for user in ("ann", "bob", None):
        response = await ask("{ me { id } }", mode, seen=seen, user=user)
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert "server-timing" not in response.headers
    assert seen.fields == []


async def test_one_word_is_enough():
    """Two headers could be read in two ways."""
    response = await ask("{ me { id } }", "plan", headers=[("bff-explain", "analyze")])
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("user", ["bob", None])
@pytest.mark.parametrize("mode", ["plan", "analyze"])
@pytest.mark.parametrize("query", ["{ me { id } }", "mutation { bump }", "{ nonsense"])
async def test_it_takes_the_operators_scope(user, mode, query):
    """403, in words, and nothing is executed."""
    seen = Seen()
    response = await ask(query, mode, seen=seen, user=user)
    assert (response.status_code, code_of(response)) == (403, "FORBIDDEN")
    assert response.json()["errors"][0]["message"] == 'Bff-Explain takes the scope "bff.operator".'
    assert response.headers["cache-control"] == "no-store"
    assert seen.fields == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_analysis_stands_beside_the_whole_answer(method):
    """Which nobody may keep."""
    response = await ask("{ me { id } }", "analyze", method=method)
    body = response.json()
    assert body["data"] == {"me": {"id": "ann"}}
    assert body["extensions"]["explain"]["mode"] == "analyze"
    assert body["extensions"]["explain"]["calls"] == []
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["server-timing"].startswith("total;dur=")


async def test_an_analysis_takes_nothing_from_the_other_extensions():
    """What is old is told too."""
    extensions = (await ask("{ stale }", "analyze")).json()["extensions"]
    assert set(extensions) == {"explain", "degraded"}


async def test_without_the_header_nothing_is_explained():
    """Also to operators."""
    response = await ask("{ me { id } }", None)
    assert response.json() == {"data": {"me": {"id": "ann"}}}
    assert "server-timing" not in response.headers
    assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("mode", ["plan", "analyze", None])
@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ nope }", {}),
        ("{ me { id ", {}),
        ("query($n: Int!) { twice(number: $n) }", {}),
        ("query($n: Int!) { twice(number: $n) }", {"n": "x"}),
        ("mutation($n: Int!) { bump @include(if: $n) }", {"n": 1}),
    ],
)
async def test_what_is_wrong_with_a_request_is_told_as_always(mode, query, variables):
    """An operation that never begins is not explained."""
    response = await ask(query, mode, variables=variables)
    plain = await ask(query, None, variables=variables)
    assert (response.status_code, response.content) == (plain.status_code, plain.content)
    assert response.status_code == 400


async def test_a_mutation_is_planned_without_being_run():
    """Not even rehearsed."""
    seen = Seen()
    response = await ask("mutation { bump }", "plan", seen=seen)
    assert response.json() == {
        "data": None,
        "extensions": {
            "explain": {
                "mode": "plan",
                "calls": 0,
                "predicted": {"medianMs": 0, "p95Ms": 0},
                "waves": [],
            }
        },
    }
    assert seen.fields == []


async def test_a_mutation_whose_variables_do_not_fit_has_no_plan():
    """It says why, as if it had been run."""
    response = await ask("mutation($yes: Boolean!) { bump @skip(if: $yes) }", "plan")
    assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("query", ["{ me { id } }", "{ closed }"])
async def test_a_plan_has_no_data(query):
    """And none of the errors that services would have; the answer is thrown away."""
    body = (await ask(query, "plan")).json()
    assert set(body) == {"data", "extensions"}
    assert body["data"] is None
    assert set(body["extensions"]) == {"explain"}


async def test_a_plan_tells_the_errors_that_do_not_depend_on_services():
    """A defect of ours has its id, as always."""
    body = (await ask("{ broken }", "plan")).json()
    [error] = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["broken"], "INTERNAL")
    assert body["extensions"]["explain"]["mode"] == "plan"


async def test_a_page_of_another_origin_may_ask_and_read_it():
    """If its origin may ask at all."""
    app = little_app(serving=Serving(cors_origins=["https://app.example"]))
    async with client_of(app) as client:
        asked = await client.options(
            "/graphql",
            headers={
                "origin": "https://app.example",
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,bff-explain,content-type",
            },
        )
        answered = await client.get("/livez", headers={"origin": "https://app.example"})
    assert asked.status_code == 200
    assert "bff-explain" in asked.headers["access-control-allow-headers"].lower()
    assert "Server-Timing" in answered.headers["access-control-expose-headers"]


def question(began, service="users", keys=1):
    return Question(service=service, operation="by_id", keys=keys, began=began)


def part(origin, age=0.0, reason=None):
    return Sourced("v", "users", EPOCH, origin, age, reason)


def test_a_question_and_its_calls_in_milliseconds():
    """Counted from the beginning of the operation; calls in the order in which they were sent."""
    late, early = question(100.5, "orders"), question(100.001, keys=2)
    early.retries = 1
    journal = Journal().asking(late).sending(1, 100.6, hedge=False)
    journal.received(120)
    journal.over(100.75, "ok")
    late.answered(100.75, {"a": part(Origin.LIVE)}, None)
    Journal().asking(early).sending(1, 100.002, hedge=False).over(100.102, "UPSTREAM_TIMEOUT")
    Journal().asking(early).sending(2, 100.2, hedge=False)
    stale = {"a": part(Origin.STALE, 12.3456, Reason.TIMEOUT)}
    early.answered(100.3, stale, ServerFault("users", 503))
    told = analysis([late, early], 100.0, 101.0)
    assert told["durationMs"] == 1000.0
    assert told["totals"] == {
        "questions": 2,
        "calls": 3,
        "retries": 1,
        "hedges": 0,
        "shed": 0,
        "joined": 0,
        "bytes": 120,
    }
    assert told["questions"][1] == {
        "service": "users",
        "operation": "by_id",
        "keys": 2,
        "startMs": 1.0,
        "durationMs": 299.0,
        "outcome": "UPSTREAM_UNAVAILABLE",
        "cache": "STALE",
        "served": {"LIVE": 0, "CACHE": 0, "STALE": 1},
        "ageSeconds": 12.346,
        "reason": "TIMEOUT",
        "retries": 1,
        "hedges": 0,
        "shed": False,
        "calls": 2,
    }
    brief = [
        (c["question"], c["attempt"], c["startMs"], c["durationMs"], c["outcome"], c["bytes"])
        for c in told["calls"]
    ]
    assert brief == [
        (1, 1, 2.0, 100.0, "UPSTREAM_TIMEOUT", None),
        (1, 2, 200.0, None, "UNDER_WAY", None),
        (0, 1, 600.0, 150.0, "ok", 120),
    ]


@pytest.mark.parametrize(
    ("origins", "joined", "expected"),
    [
        ([], False, "NONE"),
        ([Origin.LIVE], False, "LIVE"),
        ([Origin.CACHE], False, "CACHE"),
        ([Origin.STALE], False, "STALE"),
        ([Origin.LIVE, Origin.CACHE], False, "MIXED"),
        ([Origin.LIVE], True, "JOINED"),
        ([Origin.STALE], True, "STALE"),
    ],
)
def test_where_an_answer_came_from_in_one_word(origins, joined, expected):
    """Who joins another's question has his answer live; unless he did not wait for it."""
    asked = question(0.0)
    asked.joined = joined
    asked.answered(1.0, {str(origin): part(origin) for origin in origins}, None)
    assert analysis([asked], 0.0, 1.0)["questions"][0]["cache"] == expected


def test_a_question_without_an_answer_is_under_way():
    """As when an error elsewhere ended the operation."""
    told = analysis([question(0.5)], 0.0, 1.0)["questions"][0]
    assert (told["outcome"], told["durationMs"]) == ("UNDER_WAY", None)


def test_server_timing_counts_overlapping_calls_once():
    """And what goes on after the answer only to its end."""
    users, orders = question(0.0), question(0.0, "orders")
    for began, ended in ((0.1, 0.3), (0.2, 0.4), (0.6, 0.7)):
        Journal().asking(users).sending(1, began, hedge=False).over(ended, "ok")
    Journal().asking(orders).sending(1, 0.9, hedge=False)
    assert (
        server_timing([users, orders], 0.0, 1.0) == "total;dur=1000.0, users;dur=400.0,"
        " orders;dur=100.0"
    )
