"""What an error does to the rest of the answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry

from bff.graphql.documents import Documents
from bff.graphql.execution import Execution, core_schema, never_began
from bff.graphql.limits import Limits
from bff.graphql.on_error import OnError
from datasources.errors import ServerFault
from tests.unit.graphql.little_graph import Seen, client_of, code_of, little_app
from tests.virtual_time import run

NULL, PROPAGATE, HALT = OnError


@dataclass
class Log:
    """What resolvers did, and how they ended."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


async def work(log: Log, name: str, seconds: float) -> str:
    log.begun.append(name)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)  # as long as it takes to clean up
        log.ended.append(f"{name} cancelled")
        raise
    log.ended.append(name)
    return name


Info = strawberry.Info[Log, None]


@strawberry.type
class Thing:
    name: strawberry.Private[str]

    @strawberry.field
    async def slow(self, info: Info) -> str:
        return await work(info.context, f"{self.name}.slow", 10.0)

    @strawberry.field
    async def late(self, info: Info) -> str:
        await asyncio.sleep(1.0)
        raise ServerFault("users", 503)

    @strawberry.field
    def bad(self) -> str:
        raise ServerFault("orders", 503)

    @strawberry.field
    def good(self) -> str:
        return self.name

    @strawberry.field
    def deeper(self) -> Thing:
        return Thing(name=f"{self.name}.deeper")

    @strawberry.field
    def several(self) -> list[Thing]:
        return [Thing(name=f"{self.name}.{index}") for index in range(2)]

    @strawberry.field
    def waited_for(self, info: Info) -> list[str]:
        return [work(info.context, f"{self.name}[{index}]", 10.0) for index in range(2)]


@strawberry.type
class Query:
    @strawberry.field
    def thing(self) -> Thing | None:
        return Thing(name="thing")

    @strawberry.field
    def sure(self) -> Thing:
        return Thing(name="sure")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: Info, name: str) -> Thing:
        return Thing(name=await work(info.context, name, 2.0))

    @strawberry.mutation
    def write_at_once(self, info: Info) -> Thing:
        info.context.begun.append("at once")
        return Thing(name="at once")

    @strawberry.mutation
    async def fail(self, info: Info) -> Thing:
        await work(info.context, "fail", 2.0)
        raise ServerFault("orders", 503)


SCHEMA = strawberry.Schema(Query, Mutation)


def answer(query: str, on_error: OnError, log: Log | None = None) -> tuple[Any, list[Any], float]:
    """Data, the paths of errors, and how long it took (seconds); no task may be left over."""

    async def story():
        document = Documents(core_schema(SCHEMA), Limits()).get(query)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        result = await Execution(SCHEMA).run(document, None, None, log or Log(), on_error)
        assert not never_began(result)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result.data, [error.path for error in result.errors or []], loop.time() - begun

    return run(story())


FAILING = "{ thing { good deeper { bad good } } sure { good } }"

ANSWERS = [
    pytest.param(
        NULL,
        {"thing": {"good": "thing", "deeper": {"bad": None, "good": "thing.deeper"}}}
        | {"sure": {"good": "sure"}},
        id="null",
    ),
    pytest.param(PROPAGATE, {"thing": None, "sure": {"good": "sure"}}, id="propagate"),
    pytest.param(HALT, None, id="halt"),
]


@pytest.mark.parametrize(("on_error", "data"), ANSWERS)
def test_an_error_where_null_cannot_be(on_error, data):
    """Null there; null at the nearest place that may be null; nothing at all."""
    assert answer(FAILING, on_error) == (data, [["thing", "deeper", "bad"]], 0.0)


def test_null_leaves_every_other_position_alone():
    """Also in lists, and where even the root could not be null."""
    data, errors, _ = answer("{ sure { several { bad good } late } }", NULL)
    assert data == {
        "sure": {
            "several": [{"bad": None, "good": "sure.0"}, {"bad": None, "good": "sure.1"}],
            "late": None,
        }
    }
    assert errors == [
        ["sure", "several", 0, "bad"],
        ["sure", "several", 1, "bad"],
        ["sure", "late"],
    ]


def test_without_an_error_they_are_alike():
    """The same data, and nothing is cancelled."""
    query = "{ thing { slow several { good } waitedFor } sure { slow } }"
    found = [answer(query, on_error) for on_error in OnError]
    assert found[0] == found[1] == found[2]
    assert found[0][1:] == ([], 10.0)


class TestHalt:
    def test_the_first_error_ends_it(self):
        """Only that one is told; what was under way is cancelled, and waited for."""
        log = Log()
        query = "{ thing { late other: late slow waitedFor } sure { slow deeper { slow } } }"
        data, errors, seconds = answer(query, HALT, log)
        assert (data, errors) == (None, [["thing", "late"]])
        assert seconds == pytest.approx(1.05)
        assert sorted(log.ended) == sorted(f"{name} cancelled" for name in log.begun)
        assert len(log.ended) == 5

    def test_what_comes_after_an_error_at_once_is_not_begun(self):
        """Those before it, whose resolvers have not run a step, do not run one either."""
        for query in (
            "{ thing { slow bad } sure { slow } }",
            "{ thing { bad slow } sure { slow waitedFor } }",
            "{ thing { waitedFor bad deeper { slow } } }",
        ):
            log = Log()
            data, errors, seconds = answer(query, HALT, log)
            assert (data, errors, seconds) == (None, [["thing", "bad"]], 0.0)
            assert log.begun == []

    def test_fields_of_a_mutation_after_the_error_are_not_begun(self):
        """They run one after another; the one before was over, and stays so."""
        log = Log()
        query = (
            'mutation { a: write(name: "a") { good } fail { good } b: write(name: "b") { good } }'
        )
        assert answer(query, HALT, log) == (None, [["fail"]], 4.0)
        assert (log.begun, log.ended) == (["a", "fail"], ["a", "fail"])

    def test_nor_are_those_that_do_their_work_before_anybody_waits(self):
        """A resolver that is no coroutine has done it once it is called."""
        log = Log()
        query = "mutation { fail { good } writeAtOnce { good } }"
        assert answer(query, HALT, log) == (None, [["fail"]], 2.0)
        assert log.begun == ["fail"]

    def test_no_write_is_cancelled_by_what_is_read_after_another(self):
        """The error below the first field ends the operation before the second is begun."""
        log = Log()
        query = 'mutation { a: write(name: "a") { late slow } b: write(name: "b") { good } }'
        data, errors, seconds = answer(query, HALT, log)
        assert (data, errors, seconds) == (None, [["a", "late"]], pytest.approx(3.05))
        assert log.ended == ["a", "a.slow cancelled"]

    def test_whoever_leaves_takes_it_along(self):
        """A client that hangs up cancels the operation, as without HALT; nothing is left over."""
        log = Log()

        async def story():
            document = Documents(core_schema(SCHEMA), Limits()).get("{ thing { slow waitedFor } }")
            running = asyncio.create_task(
                Execution(SCHEMA).run(document, None, None, log, OnError.HALT)
            )
            await asyncio.sleep(1.0)
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(story())
        assert len(log.ended) == 3


class TestPropagate:
    """What an error has made useless ends with the operation; graphql-core would let it run on."""

    def test_what_has_not_begun_never_begins(self):
        """Its resolvers have been called, and have not run a step."""
        log = Log()
        query = "{ sure { slow waitedFor several { slow } deeper { bad } } thing { good } }"
        assert answer(query, PROPAGATE, log) == (None, [["sure", "deeper", "bad"]], 0.0)
        assert log.begun == []

    def test_what_is_under_way_is_cancelled_and_waited_for(self):
        """One section has failed at once, and the operation goes on for another."""
        log = Log()
        query = "{ thing { slow waitedFor bad } sure { late } }"
        data, errors, seconds = answer(query, PROPAGATE, log)
        assert (data, errors) == (None, [["thing", "bad"], ["sure", "late"]])
        assert seconds == pytest.approx(1.05)
        assert sorted(log.begun) == ["thing.slow", "thing[0]", "thing[1]"]
        assert sorted(log.ended) == [f"{name} cancelled" for name in sorted(log.begun)]


class TestTheRequest:
    @pytest.mark.parametrize("given", ["NULL", "PROPAGATE", "HALT"])
    async def test_in_a_body_and_in_a_url(self, given):
        """As a member beside `query`, and as a parameter."""
        expected = {
            "NULL": {"closed": None, "stale": "old", "burst": None},
            "PROPAGATE": None,
            "HALT": None,
        }[given]
        query = "{ closed stale burst }"
        accept = {"accept": "application/graphql-response+json"}
        async with client_of(little_app()) as client:
            posted = await client.post(
                "/graphql", json={"query": query, "onError": given}, headers=accept
            )
            got = await client.get(
                "/graphql", params={"query": query, "onError": given}, headers=accept
            )
        assert posted.json() == got.json()
        assert (posted.status_code, got.status_code) == (200, 200)
        assert posted.headers["content-type"].startswith(accept["accept"])
        assert posted.headers["cache-control"] == got.headers["cache-control"] == "no-store"
        body = posted.json()
        assert body["data"] == expected
        paths = [error["path"] for error in body["errors"]]
        served = [(entry["path"], entry["served"]) for entry in body["extensions"]["degraded"]]
        if given == "NULL":
            assert paths == [["closed"], ["burst"]]
            assert served == [(["closed"], "NOTHING"), (["stale"], "STALE"), (["burst"], "NOTHING")]
        elif given == "PROPAGATE":
            assert paths == [["closed"], ["burst"]]
            assert served == [(["burst"], "NOTHING"), (["closed"], "NOTHING")]
        else:
            assert paths == [["closed"]]
            assert served == [(["closed"], "NOTHING")]

    @pytest.mark.parametrize("given", [None, "PROPAGATE"])
    async def test_the_default(self, given):
        """Null is as good as nothing, as for every optional parameter."""
        async with client_of(little_app()) as client:
            response = await client.post("/graphql", json={"query": "{ burst }", "onError": given})
        assert response.json()["data"] is None

    @pytest.mark.parametrize(
        "given", ["null", "Null", "", "IGNORE", "__members__", 0, 1, True, False, [], ["NULL"], {}]
    )
    async def test_what_it_cannot_be(self, given):
        """400 in both media types, and nothing is executed."""
        seen = Seen()
        for accept in ("application/json", "application/graphql-response+json"):
            async with client_of(little_app(seen)) as client:
                response = await client.post(
                    "/graphql",
                    json={"query": "{ me { id } }", "onError": given},
                    headers={"accept": accept, "authorization": "Bearer ann"},
                )
            assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert seen.fields == []

    @pytest.mark.parametrize("given", ["null", "", "PROPAGATE&onError=NULL"])
    async def test_what_it_cannot_be_in_a_url(self, given):
        """Nor twice."""
        async with client_of(little_app()) as client:
            response = await client.get(f"/graphql?query={{__typename}}&onError={given}")
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")

    @pytest.mark.parametrize("on_error", OnError)
    async def test_an_operation_that_never_began(self, on_error):
        """Is refused as it always is: no data, not even null."""
        body = {"query": "query($n: Int!) { twice(number: $n) }", "onError": on_error}
        for accept, status in (
            ("application/json", 200),
            ("application/graphql-response+json", 400),
        ):
            async with client_of(little_app()) as client:
                response = await client.post("/graphql", json=body, headers={"accept": accept})
            assert (response.status_code, code_of(response)) == (status, "BAD_USER_INPUT")
