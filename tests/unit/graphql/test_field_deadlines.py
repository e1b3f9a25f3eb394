"""`@deadline(ms:)`: one section gives up early, and leaves the rest."""

from __future__ import annotations

import asyncio

import pytest
import strawberry
from graphql import parse

from bff.graphql.documents import Documents, InvalidDocument
from bff.graphql.execution import Execution, core_schema
from bff.graphql.field_deadlines import deadlines_of
from bff.graphql.limits import Limits
from datasources.scope import Scope, current_scope, entered
from schema.deadline import deadline
from tests.unit.graphql.little_graph import code_of
from tests.unit.graphql.shop import HANGS, open_shop, slow
from tests.virtual_time import run


def told(story):
    """Run *story* with a shop of its own."""

    async def in_shop():
        async with open_shop() as shop:
            return await story(shop)

    return run(in_shop())


def timed(shop, query, **asked):
    """The answer, and how long it took (seconds)."""

    async def ask():
        loop = asyncio.get_running_loop()
        begun = loop.time()
        answer = await shop.ask(query, **asked)
        return answer, loop.time() - begun

    return ask()


def codes(answer):
    """By path."""
    return {
        ".".join(map(str, error["path"])): error["extensions"]["code"]
        for error in answer.get("errors", [])
    }


def degraded(answer):
    """What was served and why, by path."""
    return {
        ".".join(map(str, entry["path"])): (entry["served"], entry["reason"])
        for entry in answer.get("extensions", {}).get("degraded", [])
    }


SECTIONS = """{ dashboard {
  user { id }
  recentOrders @deadline(ms: 200) { id }
  notifications { id }
} }"""


class TestTimeIsUp:
    def test_nothing_is_kept(self):
        """Null with the code at its path; the rest is there, and was not kept waiting."""

        async def story(shop):
            shop.break_(orders=HANGS)
            return await timed(shop, SECTIONS)

        answer, seconds = told(story)
        assert seconds == pytest.approx(0.18)
        assert codes(answer) == {"dashboard.recentOrders": "DEADLINE_EXCEEDED"}
        assert degraded(answer) == {"dashboard.recentOrders": ("NOTHING", "DEADLINE")}
        dashboard = answer["data"]["dashboard"]
        assert dashboard["recentOrders"] is None
        assert dashboard["user"] == {"id": "u1"}
        assert len(dashboard["notifications"]) == 2

    def test_an_old_value_is_kept(self):
        """It is served for that reason, without an error."""

        async def story(shop):
            query = "{ dashboard { recentOrders @deadline(ms: 100) { id freshness { reason } } } }"
            await shop.warm(query)
            shop.break_(orders=HANGS)
            return await timed(shop, query)

        answer, seconds = told(story)
        assert seconds == pytest.approx(0.08)
        assert codes(answer) == {}
        assert degraded(answer) == {"dashboard.recentOrders": ("STALE", "DEADLINE")}
        orders = answer["data"]["dashboard"]["recentOrders"]
        assert [order["freshness"]["reason"] for order in orders] == ["DEADLINE"] * 3

    def test_it_comes_in_time(self):
        """Nothing is different."""

        async def story(shop):
            shop.break_(orders=slow(0.1))
            return await timed(shop, SECTIONS)

        answer, seconds = told(story)
        assert (codes(answer), seconds) == ({}, pytest.approx(0.1))

    @pytest.mark.parametrize("service", ["users", "products", "payments"])
    def test_what_comes_through_a_loader(self, service):
        """The waits for a batch give up as well, and nothing is under way afterwards."""

        async def story(shop):
            shop.break_(**{service: HANGS})
            query = """{
              me @deadline(ms: 300) { id }
              order(id: "o1") {
                payment @deadline(ms: 300) { id }
                items { product @deadline(ms: 300) { id } }
              } }"""
            found = await timed(shop, query)
            await asyncio.sleep(0.1)
            return *found, shop.busy

        answer, seconds, busy = told(story)
        expected = {
            "users": ["me"],
            "payments": ["order.payment"],
            "products": ["order.items.0.product", "order.items.1.product"],
        }[service]
        assert codes(answer) == dict.fromkeys(expected, "DEADLINE_EXCEEDED")
        assert set(degraded(answer).values()) == {("NOTHING", "DEADLINE")}
        assert seconds == pytest.approx(0.28)
        assert busy == {}

    def test_everything_below(self):
        """Of a whole section, what has come stays; what comes too late is null by itself."""

        async def story(shop):
            shop.break_(orders=slow(0.1), products=slow(0.1), payments=HANGS)
            query = """{ dashboard @deadline(ms: 400) {
              recentOrders(limit: 1) { id payment { id } items { product { id } } } } }"""
            return await timed(shop, query)

        answer, seconds = told(story)
        assert codes(answer) == {"dashboard.recentOrders.0.payment": "DEADLINE_EXCEEDED"}
        [order] = answer["data"]["dashboard"]["recentOrders"]
        assert order["items"][0]["product"] == {"id": "p1"}
        assert seconds == pytest.approx(0.38)


class TestWhichCounts:
    def test_it_begins_with_the_field(self):
        """Not with the operation: the orders have taken 300 ms of it already."""

        async def story(shop):
            shop.break_(orders=slow(0.3), payments=slow(0.1))
            return await timed(shop, '{ order(id: "o1") { payment @deadline(ms: 200) { id } } }')

        answer, seconds = told(story)
        assert (codes(answer), seconds) == ({}, pytest.approx(0.4))

    @pytest.mark.parametrize(("outer", "inner", "seconds"), [(500, 200, 0.18), (200, 500, 0.18)])
    def test_of_nested_ones_the_nearest(self, outer, inner, seconds):
        """Neither can give more than the other has left."""

        async def story(shop):
            shop.break_(users=HANGS)
            query = (
                f"{{ dashboard @deadline(ms: {outer}) {{ user @deadline(ms: {inner}) {{ id }} }} }}"
            )
            return await timed(shop, query)

        answer, took = told(story)
        assert codes(answer) == {"dashboard.user": "DEADLINE_EXCEEDED"}
        assert took == pytest.approx(seconds)

    def test_it_cannot_prolong_the_operation(self):
        """Whose own deadline is nearer."""

        async def story(shop):
            shop.break_(users=HANGS)
            headers = {"X-Request-Timeout-Ms": "300"}
            return await timed(shop, "{ me @deadline(ms: 60000) { id } }", **headers)

        answer, seconds = told(story)
        assert (codes(answer), seconds) == ({"me": "DEADLINE_EXCEEDED"}, pytest.approx(0.28))

    def test_of_the_same_field_asked_for_twice_the_shortest(self):
        """Both stand at one place in the answer."""

        async def story(shop):
            shop.break_(users=HANGS)
            query = """{ me @deadline(ms: 900) { id } ...Again }
              fragment Again on Query { me { name } ... { me @deadline(ms: 200) { email } } }"""
            return await timed(shop, query)

        answer, seconds = told(story)
        assert (codes(answer), seconds) == ({"me": "DEADLINE_EXCEEDED"}, pytest.approx(0.18))

    def test_aliases_have_their_own(self):
        """The same question may be given up by one field, and answered for the other."""

        async def story(shop):
            shop.break_(products=slow(0.5), users=slow(0.5))
            query = """{ hasty: product(id: "p1") @deadline(ms: 200) { id } product(id: "p1") { id }
              patient: product(id: "p1") @deadline(ms: 2000) { id }
              me @deadline(ms: 200) { id } again: me { id } }"""
            return await timed(shop, query)

        answer, seconds = told(story)
        assert codes(answer) == dict.fromkeys(["hasty", "me"], "DEADLINE_EXCEEDED")
        assert answer["data"] == {
            "hasty": None,
            "product": {"id": "p1"},
            "patient": {"id": "p1"},
            "me": None,
            "again": {"id": "u1"},
        }
        assert seconds == pytest.approx(0.5)

    def test_in_a_list_each_has_its_own_and_they_are_asked_for_together(self):
        """One call for all products, as without the directive."""

        async def story(shop):
            query = """{ dashboard { recentOrders {
              items { product @deadline(ms: 200) { id } } payment @deadline(ms: 200) { id } } } }"""
            answer = await shop.ask(query)
            return answer, len(shop.services["products"].asked)

        answer, calls = told(story)
        assert (codes(answer), calls) == ({}, 1)

    def test_a_variable_says_how_long(self):
        """Or its default."""

        async def story(shop):
            shop.break_(users=HANGS)
            query = "query($budget: Int! = 200) { me @deadline(ms: $budget) { id } }"
            return [
                (await timed(shop, query, variables=variables))[1]
                for variables in ({}, {"budget": 700})
            ]

        assert told(story) == [pytest.approx(0.18), pytest.approx(0.68)]

    @pytest.mark.parametrize(
        ("on_error", "data"), [("NULL", {"dashboard": {"user": None}}), ("HALT", None)]
    )
    def test_with_the_other_ways_to_treat_errors(self, on_error, data):
        """Time that is up is an error like others."""

        async def story(shop):
            shop.break_(users=HANGS)
            query = "{ dashboard { user @deadline(ms: 200) { id } } }"
            return await timed(shop, query, on_error=on_error)

        answer, seconds = told(story)
        assert answer["data"] == data
        assert codes(answer) == {"dashboard.user": "DEADLINE_EXCEEDED"}
        assert degraded(answer) == {"dashboard.user": ("NOTHING", "DEADLINE")}
        assert seconds == pytest.approx(0.18)

    def test_the_services_are_told_what_is_left_of_the_shared_question(self):
        """Another may have joined it, who has more time: see decision 0006."""

        async def story(shop):
            await shop.ask("{ me @deadline(ms: 200) { id } }")
            [request] = shop.services["users"].asked
            return int(request.headers["x-request-timeout-ms"])

        assert told(story) > 200


BELOW = "query($b: Int!) { me { ...F } } fragment F on User { id @deadline(ms: $b) }"
NULLED = "query($b: Int = 5) { me @deadline(ms: $b) { id } }"

BAD = [
    pytest.param("{ me @deadline(ms: 0) { id } }", None, id="none"),
    pytest.param("{ me @deadline(ms: -5) { id } }", None, id="negative"),
    pytest.param("{ me @deadline(ms: 2147483648) { id } }", None, id="too long"),
    pytest.param("{ me @deadline(ms: 1.5) { id } }", None, id="a fraction"),
    pytest.param("{ me @deadline(ms: null) { id } }", None, id="null"),
    pytest.param("{ me @deadline { id } }", None, id="left out"),
    pytest.param("{ me @deadline(ms: 1) @deadline(ms: 2) { id } }", None, id="twice"),
    pytest.param("query @deadline(ms: 1) { me { id } }", None, id="on an operation"),
    pytest.param("{ ... @deadline(ms: 1) { me { id } } }", None, id="on a fragment"),
    pytest.param("query($b: Int! = 0) { me @deadline(ms: $b) { id } }", None, id="the default"),
    *(
        pytest.param(BELOW, {"b": value}, id=f"{value!r} given")
        for value in (0, -1, 2**31, 1.5, "1", None)
    ),
    pytest.param(NULLED, {"b": None}, id="null for a default"),
]


@pytest.mark.parametrize(("query", "variables"), BAD)
def test_what_is_no_time(query, variables):
    """BAD_USER_INPUT, before anything is asked."""

    async def story(shop):
        accept = {"Accept": "application/graphql-response+json"}
        response = await shop.post(query, variables=variables, **accept)
        return response, [name for name, service in shop.services.items() if service.asked]

    response, asked = told(story)
    assert (response.status_code, code_of(response), asked) == (400, "BAD_USER_INPUT", [])


def test_the_longest_and_the_shortest():
    """Both are accepted; in the shortest nothing can be asked."""

    async def story(shop):
        query = '{ me @deadline(ms: 2147483647) { id } product(id: "p1") @deadline(ms: 1) { id } }'
        return await shop.ask(query)

    answer = told(story)
    assert answer["data"] == {"me": {"id": "u1"}, "product": None}
    assert codes(answer) == {"product": "DEADLINE_EXCEEDED"}


def test_each_operation_has_its_own():
    """Those that it reaches, through fragments too; most operations have none."""
    found = deadlines_of(
        parse("""
          query A { a @deadline(ms: 1) { ...F ... { b @deadline(ms: 2) } } }
          query B { ...F ...F }
          query C { c }
          fragment F on Query { f @deadline(ms: 3) ...G }
          fragment G on Query { g @deadline(ms: 4) ...F }
        """)
    )
    numbers = {
        name: sorted(int(node.arguments[0].value.value) for node in nodes)
        for name, nodes in found.items()
    }
    assert numbers == {"A": [1, 2, 3, 4], "B": [3, 4], "C": []}


class TickingClock:
    """A hundredth of a millisecond goes by whenever somebody looks."""

    def __init__(self):
        self.at = 1_000.0

    def monotonic(self):
        self.at += 0.00001
        return self.at


@strawberry.type
class Thing:
    @strawberry.field
    def due(self) -> float:
        return current_scope().deadline

    @strawberry.field
    def pause(self, info: strawberry.Info[TickingClock, None], seconds: float) -> float:
        info.context.at += seconds
        return seconds


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        return [Thing() for _ in range(100)]

    @strawberry.field
    def thing(self) -> Thing:
        return Thing()


LITTLE = strawberry.Schema(Query, directives=[deadline])


def due(query):
    """The answer of `LITTLE`, in an operation of five seconds."""
    clock = TickingClock()
    document = Documents(core_schema(LITTLE), Limits()).get(query)
    with entered(Scope(deadline=1_005.0, request_id="r")):
        result = run(Execution(LITTLE, clock=clock).run(document, None, None, clock))
    assert result.errors is None
    return result.data


def test_fields_that_begin_nearly_together_are_due_together():
    """So that what they want can be asked for together; a little later is another instant."""
    things = due("{ things { due @deadline(ms: 100) } }")["things"]
    assert len({thing["due"] for thing in things}) == 1
    assert things[0]["due"] == pytest.approx(1_000.1, abs=1e-4)
    thing = due(
        "{ thing { due @deadline(ms: 100) pause(seconds: 0.006) again: due @deadline(ms: 100)"
        " other: due @deadline(ms: 200) whole: due long: due @deadline(ms: 6000) } }"
    )["thing"]
    assert thing["again"] == pytest.approx(thing["due"] + 0.006, abs=1e-3)
    assert thing["other"] == pytest.approx(thing["again"] + 0.1, abs=1e-3)
    assert thing["whole"] == thing["long"] == 1_005.0


def test_a_document_with_a_deadline_that_has_passed_is_not_valid():
    """It is refused, and remembered as bad, whichever of its operations is asked for."""
    documents = Documents(core_schema(LITTLE), Limits())
    with pytest.raises(InvalidDocument):
        documents.get("query A { thing { due } } query B { thing { due @deadline(ms: 0) } }")
