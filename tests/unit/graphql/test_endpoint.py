from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bff.app import Serving
from bff.graphql.limits import Limits
from datasources.errors import Unreachable
from tests.unit.graphql.little_graph import (
    NamedTokens,
    Seen,
    client_of,
    code_of,
    little_app,
    with_tokens,
)

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
TYPENAME = '{"query":"{__typename}"}'


async def post(query: str, *, app=None, accept=GRAPHQL, headers=None, **body):
    async with client_of(app or little_app()) as client:
        return await client.post(
            "/graphql",
            json={"query": query, **body},
            headers={"accept": accept, "authorization": "Bearer ann", **(headers or {})},
        )


async def get(query: str, *, app=None, headers=None, **parameters):
    async with client_of(app or little_app()) as client:
        return await client.get(
            "/graphql",
            params={"query": query, **parameters},
            headers={"authorization": "Bearer ann", **(headers or {})},
        )


PREFLIGHT = {"graphql-require-preflight": "1"}


@pytest.mark.parametrize("media_type", [GRAPHQL, JSON])
async def test_a_query_is_answered(media_type):
    """Data comes first; the media type is the one asked for; the answer is the viewer's own."""
    response = await post("{ me { id } }", accept=media_type)
    assert response.status_code == 200
    assert response.content == b'{"data":{"me":{"id":"ann"}}}'
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "Accept, Authorization"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert len(response.headers["x-request-id"]) == 32


async def test_variables_and_the_operation_name_are_used():
    """The named operation runs, with its variables; unknown keys of the body are ignored."""
    response = await post(
        "query A { __typename } query B($n: Int!) { twice(number: $n) }",
        operationName="B",
        variables={"n": 21},
        extensions={"any": "thing"},
        somethingNew=True,
    )
    assert response.json() == {"data": {"twice": 42}}


async def test_several_operations_and_no_name_is_a_mistake():
    """400 in both media types: nothing is guessed, nothing is executed."""
    seen = Seen()
    for accept in (GRAPHQL, JSON):
        response = await post(
            "query A { me { id } } mutation B { bump }", app=little_app(seen), accept=accept
        )
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
    assert seen.fields == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        pytest.param("{", None, id="syntax"),
        pytest.param("{ nothing }", None, id="validation"),
        pytest.param("query($n: Int!) { twice(number: $n) }", {"n": None}, id="null variable"),
        pytest.param("query($n: Int!) { twice(number: $n) }", {"n": 10**12}, id="big variable"),
        pytest.param("query($n: Int!) { twice(number: $n) }", {"n": 10**30}, id="bigger variable"),
        pytest.param("query($n: Int!) { twice(number: $n) }", {"n": "x" * 5_000}, id="long text"),
    ],
)
async def test_an_operation_that_never_began_has_no_data(query, variables):
    """400 to those who know the new media type, 200 to those who do not; never `data`."""
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        response = await post(query, variables=variables, accept=accept)
        assert (response.status_code, code_of(response)) == (status, "BAD_USER_INPUT")
        assert response.headers["cache-control"] == "no-store"
        assert len(response.content) < 1_000


RAW = {
    "string": (b'"x"', 400),
    "number": (b"1", 400),
    "null": (b"null", 400),
    "empty": (b"", 400),
    "not JSON": (b'{ "not a JSON', 400),
    "empty batch": (b"[]", 400),
    "batch of numbers": (b"[1]", 400),
    "batch": (b"[" + TYPENAME.encode() + b"]", 400),
    "no query": (b'{"qeury":"{__typename}"}', 400),
    "null query": (b'{"query":null}', 400),
    "query is a list": (b'{"query":["{__typename}"]}', 400),
    "variables is a string": (b'{"query":"{__typename}","variables":"{}"}', 400),
    "variables is a list": (b'{"query":"{__typename}","variables":[]}', 400),
    "variables is 0": (b'{"query":"{__typename}","variables":0}', 400),
    "extensions is false": (b'{"query":"{__typename}","extensions":false}', 400),
    "operationName is an object": (b'{"query":"{__typename}","operationName":{}}', 400),
    "NaN": (b'{"query":"{__typename}","variables":{"a":NaN,"b":-Infinity}}', 400),
    "1e999": (b'{"query":"{__typename}","variables":{"a":1e999}}', 400),
    "5,000 digits": (b'{"query":"{__typename}","variables":{"a":' + b"1" * 5_000 + b"}}", 400),
    "lone surrogate": (b'{"query":"{__typename}","variables":{"a":"\\ud800"}}', 400),
    "surrogate in the query": (b'{"query":"{__typename \\udfff}"}', 400),
    "bad UTF-8": (b'{"query":"{__typename}\xff"}', 400),
    "UTF-16": (TYPENAME.encode("utf-16"), 400),
    "byte order mark": (b"\xef\xbb\xbf" + TYPENAME.encode(), 400),
    "deep": (
        b'{"query":"{__typename}","variables":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
        400,
    ),
    "too long": (b'{"query":"{__typename}","x":"' + b"a" * 262_144 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), RAW.values(), ids=RAW)
@pytest.mark.parametrize("accept", [GRAPHQL, JSON, "*/*"])
async def test_a_body_that_is_no_request(body, status, accept):
    """Each is one coded error, in every media type, and nothing is executed."""
    async with client_of(little_app()) as client:
        response = await client.post(
            "/graphql", content=body, headers={"content-type": JSON, "accept": accept}
        )
    assert (response.status_code, code_of(response)) == (status, "BAD_USER_INPUT")
    assert response.headers["cache-control"] == "no-store"
    assert "x-request-id" in response.headers


CONTENT_TYPES = [
    ("application/json", 200),
    ("APPLICATION/JSON", 200),
    ("application/json; charset=utf-8", 200),
    ('application/json;charset="UTF-8"', 200),
    ("application/json; charset=utf-16", 415),
    ("application/json; charset=latin-1", 415),
    ("application/x-www-form-urlencoded", 415),
    ("text/plain", 415),
    ("text/plain; application/json", 415),
    ("multipart/form-data; boundary=x", 415),
    ("application/jsonfoo", 415),
    ("application/json-seq", 415),
    ("application/json, text/plain", 415),
    ("application/graphql", 415),
    ("", 415),
]


@pytest.mark.parametrize(("content_type", "status"), CONTENT_TYPES)
async def test_only_json_is_read(content_type, status):
    """What a form on a foreign page can send is refused before it is read."""
    seen = Seen()
    async with client_of(little_app(seen)) as client:
        response = await client.post(
            "/graphql",
            content=b'{"query":"mutation{bump}"}',
            headers={"content-type": content_type, "authorization": "Bearer ann"},
        )
    assert response.status_code == status
    assert seen.fields == (["bump"] if status == 200 else [])


async def test_accept_may_be_given_in_several_lines():
    """They are one list."""
    async with client_of(little_app()) as client:
        response = await client.post(
            "/graphql",
            content=TYPENAME,
            headers=[
                ("content-type", JSON),
                ("accept", "text/plain"),
                ("accept", GRAPHQL),
            ],
        )
    assert response.headers["content-type"].startswith(GRAPHQL)


async def test_a_compressed_body_is_refused():
    """415, and not a complaint about JSON."""
    response = await post("{ __typename }", headers={"content-encoding": "gzip"})
    assert (response.status_code, code_of(response)) == (415, "BAD_USER_INPUT")


async def test_a_declared_length_is_enough_to_refuse():
    """413 without reading a byte of it."""
    read = []

    async def body():
        read.append(1)
        yield b"x"

    async with client_of(little_app()) as client:
        response = await client.post(
            "/graphql",
            content=body(),
            headers={"content-type": JSON, "content-length": "20000000"},
        )
    assert response.status_code == 413
    assert read == []


async def test_an_endless_body_is_cut_at_the_limit():
    """Without a declared length, reading stops with the chunk that goes over."""
    read = 0

    async def body():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1_000

    app = little_app(serving=Serving(limits=Limits(body_bytes=10_000)))
    async with client_of(app) as client:
        response = await client.post("/graphql", content=body(), headers={"content-type": JSON})
    assert (response.status_code, code_of(response)) == (413, "BAD_USER_INPUT")
    assert read == 11


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
async def test_other_methods(method):
    """405 and what would be allowed."""
    async with client_of(little_app()) as client:
        response = await client.request(method, "/graphql", content=TYPENAME)
    assert (response.status_code, code_of(response)) == (405, "BAD_USER_INPUT")
    assert response.headers["allow"] == "GET, POST"


async def test_head_has_headers_only():
    """405 as well."""
    async with client_of(little_app()) as client:
        response = await client.head("/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_nothing_that_the_client_takes():
    """406 when Accept names only what we do not have; nothing is executed."""
    seen = Seen()
    response = await post("mutation { bump }", app=little_app(seen), accept="text/event-stream")
    assert (response.status_code, code_of(response)) == (406, "BAD_USER_INPUT")
    assert seen.fields == []


class TestGet:
    async def test_a_query_with_variables(self):
        """Variables and extensions are JSON in the URL."""
        response = await get(
            "query($n: Int!) { twice(number: $n) }",
            variables='{"n": 4}',
            extensions="{}",
            operationName="",
            headers=PREFLIGHT,
        )
        assert (response.status_code, response.json()) == (200, {"data": {"twice": 8}})

    @pytest.mark.parametrize("accept", ["*/*", "image/png,*/*;q=0.8", "application/*"])
    async def test_what_an_image_could_send_reads_nothing(self, accept):
        """Nothing shows that somebody meant to ask."""
        seen = Seen()
        response = await get("{ me { id } }", app=little_app(seen), headers={"accept": accept})
        assert (response.status_code, code_of(response)) == (403, "FORBIDDEN")
        assert seen.fields == []

    @pytest.mark.parametrize(
        "query",
        ["{ __typename }", '{ __type(name: "User") { name } }', "{ __schema { types { name } } }"],
    )
    async def test_the_schema_may_be_asked_by_anybody(self, query):
        """It touches no service and nothing of a viewer."""
        response = await get(query)
        assert response.status_code == 200
        assert "errors" not in response.json()

    @pytest.mark.parametrize(
        "headers",
        [
            {"graphql-require-preflight": "1"},
            {"apollo-require-preflight": "true"},
            {"x-requested-with": "XMLHttpRequest"},
            {"content-type": "application/json"},
            {"accept": JSON},
            {"accept": f"{GRAPHQL}, */*;q=0.1"},
        ],
    )
    async def test_headers_that_show_a_client(self, headers):
        """Any of them: a preflight would be needed, or JSON is asked for by name."""
        response = await get("{ me { id } }", headers=headers)
        assert response.json() == {"data": {"me": {"id": "ann"}}}

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
    async def test_simple_content_types_do_not(self, content_type):
        """A page may set these three without asking."""
        response = await get("{ me { id } }", headers={"content-type": content_type})
        assert response.status_code == 403

    async def test_mutations_are_for_post(self):
        """405 with Allow, also with the preflight, and whether it is valid or not; not executed."""
        seen = Seen()
        app = little_app(seen)
        valid = ["mutation { bump }", "mutation { __typename }"]
        invalid = [
            "mutation { nothing }",
            "mutation { nothing }",
            "mutation {" + "bump " * 501 + "}",
        ]
        for query in (*valid, *invalid):
            response = await get(query, app=app, headers=PREFLIGHT)
            assert (response.status_code, code_of(response)) == (405, "BAD_USER_INPUT")
            assert response.headers["allow"] == "POST"
        assert seen.fields == []

    async def test_a_query_named_beside_a_mutation_runs(self):
        """The operation that is executed decides, not what else the document has."""
        query = "query A { me { id } } mutation B { bump }"
        response = await get(query, operationName="A", headers=PREFLIGHT)
        assert response.json() == {"data": {"me": {"id": "ann"}}}
        response = await get(query, operationName="B", headers=PREFLIGHT)
        assert response.status_code == 405

    @pytest.mark.parametrize(
        "url",
        [
            "/graphql",
            "/graphql?query=%FF",
            "/graphql?query=%ED%A0%80",
            "/graphql?query={__typename}&query={__typename}",
            "/graphql?query={__typename}&variables=[]",
            "/graphql?query={__typename}&variables=",
            "/graphql?query={__typename}&variables={",
            "/graphql?query={__typename}&extensions=1",
            "/graphql?query={__typename}" + "".join(f"&a{n}=1" for n in range(20)),
        ],
    )
    async def test_a_url_that_is_no_request(self, url):
        """400, one coded error."""
        async with client_of(little_app()) as client:
            response = await client.get(url)
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")

    async def test_a_long_url(self):
        """414."""
        response = await get("{" + " ".join(f"a{i}:__typename" for i in range(2_000)) + "}")
        assert (response.status_code, code_of(response)) == (414, "BAD_USER_INPUT")


class TestIdentity:
    async def test_a_bad_token_executes_nothing(self):
        """401 with the scheme, also where an anonymous caller would be answered."""
        seen = Seen()
        response = await post(
            "{ __typename me { id } }",
            app=little_app(seen),
            headers={"authorization": "Bearer bad"},
        )
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert seen.fields == []

    async def test_no_token_is_for_the_schema_to_judge(self):
        """200: the field says UNAUTHENTICATED, its neighbours answer."""
        async with client_of(little_app()) as client:
            response = await client.post("/graphql", json={"query": "{ __typename me { id } }"})
        body = response.json()
        assert (response.status_code, body["data"]) == (200, {"__typename": "Query", "me": None})
        assert body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert body["errors"][0]["path"] == ["me"]

    @pytest.mark.parametrize(
        "name",
        [
            "Authorization",
            "Content-Type",
            "Content-Length",
            "Idempotency-Key",
            "X-Request-Timeout-Ms",
        ],
    )
    async def test_what_is_said_twice_is_not_chosen_from(self, name):
        """A proxy may have judged by the other one."""
        seen = Seen()
        async with client_of(little_app(seen)) as client:
            response = await client.post(
                "/graphql",
                content=b'{"query":"{me{id}}"}',
                headers=[
                    ("content-type", JSON),
                    ("authorization", "Bearer ann"),
                    ("content-length", "20"),
                    (name, "1"),
                    (name, "1"),
                ],
            )
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert seen.fields == []


class TestScope:
    async def scope_of(self, query="{ me { id } }", **headers):
        seen = Seen()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await post(query, app=little_app(seen), headers=named)
        assert response.status_code == 200
        [scope] = seen.scopes
        return scope

    async def test_the_operation_knows_whose_it_is(self):
        """Principal, correlation id and trace go to everything that is called."""
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        scope = await self.scope_of(x_request_id="call-7", traceparent=trace)
        assert (scope.principal, scope.request_id, scope.traceparent) == ("ann", "call-7", trace)

    async def test_nobody_is_nobody(self):
        """An anonymous operation has an empty principal, never somebody else's."""
        seen = Seen()
        async with client_of(little_app(seen)) as client:
            await client.post("/graphql", json={"query": "{ me { id } }"})
        assert seen.scopes[0].principal == ""

    @pytest.mark.parametrize(
        "trace",
        [
            "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "nonsense",
        ],
    )
    async def test_a_bad_trace_is_dropped(self, trace):
        """As the W3C says; it is not an error."""
        assert (await self.scope_of(traceparent=trace)).traceparent is None

    @pytest.mark.parametrize(
        ("query", "headers", "seconds"),
        [
            ("{ me { id } }", {}, 5.0),
            ("mutation { bump }", {}, 15.0),
            ("{ me { id } }", {"x_request_timeout_ms": "250"}, 0.25),
            ("{ me { id } }", {"x_request_timeout_ms": "60000"}, 5.0),
            ("mutation { bump }", {"x_request_timeout_ms": "9000"}, 9.0),
            ("{ me { id } }", {"grpc_timeout": "2S"}, 2.0),
            ("{ me { id } }", {"grpc_timeout": "300m"}, 0.3),
            ("{ me { id } }", {"grpc_timeout": "1H"}, 5.0),
            ("{ me { id } }", {"grpc_timeout": "soon"}, 5.0),
            ("{ me { id } }", {"x_envoy_expected_rq_timeout_ms": "1500"}, 1.5),
            ("{ me { id } }", {"x_envoy_expected_rq_timeout_ms": "0"}, 5.0),
            ("{ me { id } }", {"x_request_timeout_ms": "900", "grpc_timeout": "800m"}, 0.8),
        ],
    )
    async def test_the_deadline_can_only_be_shortened(self, query, headers, seconds):
        """The nearest of ours and theirs counts, from the moment when the request was read."""
        scope = await self.scope_of(query, **headers)
        assert scope.deadline == pytest.approx(1_000.0 + seconds)

    @pytest.mark.parametrize("value", ["0", "-1", "1.5", "soon", "", "٣", "9" * 10, "1" * 5_000])
    async def test_a_timeout_that_is_no_number_is_a_mistake(self, value):
        """400: the caller wrote it and can mend it."""
        response = await post("{ me { id } }", headers={"x-request-timeout-ms": value.encode()})
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")

    async def test_the_idempotency_key_reaches_the_context(self):
        """As it was sent; None without one."""
        seen = Seen()
        app = little_app(seen)
        await post("mutation { bump }", app=app, headers={"idempotency-key": "k-1"})
        await post("mutation { bump }", app=app)
        assert seen.keys == ["k-1", None]

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
    async def test_an_idempotency_key_that_could_not_be_passed_on(self, key):
        """400, nothing executed."""
        seen = Seen()
        response = await post(
            "mutation { bump }", app=little_app(seen), headers={"idempotency-key": key.encode()}
        )
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert seen.fields == []


class TestErrors:
    async def test_a_bug_is_masked_and_logged_once(self):
        """The client gets an id; the log has it, the request and where it broke, but no values."""
        with capture_logs() as logged:
            response = await post("{ broken }", headers={"x-request-id": "call-9"})
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert "10.0.0.7" not in response.text
        [entry] = logged
        assert entry["error_id"] == error["extensions"]["errorId"]
        assert entry["request_id"] == "call-9"
        assert "RuntimeError: the database" in entry["traceback"]
        assert set(entry) == {"event", "log_level", "error_id", "request_id", "traceback"}
        assert "ann" not in str(entry)

    async def test_what_services_do_is_told_and_not_logged(self):
        """An open breaker is no bug of ours."""
        with capture_logs() as logged:
            response = await post("{ closed }")
        body = response.json()
        assert (response.status_code, body["data"]) == (200, {"closed": None})
        assert body["errors"][0]["extensions"]["code"] == "CIRCUIT_OPEN"
        assert body["extensions"]["degraded"][0]["served"] == "NOTHING"
        assert response.headers["cache-control"] == "no-store"
        assert logged == []

    async def test_what_is_old_is_listed(self):
        """`extensions.degraded` comes with old values, and is absent without."""
        response = await post("{ stale }")
        assert response.json()["extensions"]["degraded"] == [
            {
                "path": ["stale"],
                "service": "users",
                "served": "STALE",
                "reason": "CIRCUIT_OPEN",
                "ageSeconds": 12.5,
            }
        ]
        assert "extensions" not in (await post("{ __typename }")).json()

    async def test_a_cancellation_that_nobody_asked_for_is_a_bug(self):
        """One coded 500, not a connection that closes without a word."""
        with capture_logs() as logged:
            response = await post("{ cut }")
        assert (response.status_code, code_of(response)) == (500, "INTERNAL")
        assert [entry["event"] for entry in logged] == ["a request failed"]

    async def test_mistakes_in_variables_are_few_too(self):
        """A list of a hundred wrong ids gives five errors and one that says so."""
        response = await post(
            "query($ids: [ID!]!) { named(ids: $ids) }", variables={"ids": [{}] * 100}
        )
        assert len(response.json()["errors"]) == 6

    async def test_mutations_are_never_kept(self):
        """no-store even when all went well."""
        response = await post("mutation { bump }")
        assert response.json() == {"data": {"bump": 1}}
        assert response.headers["cache-control"] == "no-store"

    async def test_too_complex_has_its_own_code(self):
        """QUERY_TOO_COMPLEX, and no data."""
        response = await post("{" + "__typename " * 10_000 + "}")
        assert (response.status_code, code_of(response)) == (400, "QUERY_TOO_COMPLEX")

    async def test_without_introspection_variables_suggest_no_names_either(self):
        """Coercion errors are made by the executor, which is told as well."""
        wish = {"query": "query($w: Wish!) { wish(for: $w) }", "variables": {"w": {"colur": "red"}}}
        for introspection in (True, False):
            app = little_app(serving=Serving(introspection=introspection))
            response = await post(**wish, app=app)
            assert code_of(response) == "BAD_USER_INPUT"
            assert ("Did you mean" in response.text) is introspection

    async def test_without_introspection_the_typename_is_left(self):
        """What clients need to tell types apart is no secret."""
        closed = little_app(serving=Serving(introspection=False))
        response = await post("{ __schema { types { name } } }", app=closed)
        assert response.status_code == 400
        assert (await post("{ __typename }", app=closed)).json() == {
            "data": {"__typename": "Query"}
        }


async def test_a_trouble_in_the_token_check_is_ours():
    """What `tokens.viewer` raises beyond InvalidToken is a masked 500."""

    class Down(NamedTokens):
        async def viewer(self, authorization, /):
            raise Unreachable("idp", "jwks.internal refused")

    response = await post("{ __typename }", app=little_app(change=with_tokens(Down())))
    assert (response.status_code, code_of(response)) == (500, "INTERNAL")
    assert "jwks" not in response.text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)
QUERIES = st.sampled_from(
    [
        "{ me { id } }",
        "query($n: Int!) { twice(number: $n) }",
        "query($f: Float!) { half(of: $f) }",
        "query($t: String!) { echo(text: $t) }",
        "query($ids: [ID!]!) { named(ids: $ids) }",
    ]
)


class TestNothingGivesFiveHundred:
    @settings(max_examples=60, deadline=None)
    @given(body=st.binary(max_size=200))
    async def test_bytes(self, body):
        """Whatever is sent, the answer is 4xx JSON with a code."""
        async with client_of(little_app()) as client:
            response = await client.post(
                "/graphql", content=body, headers={"content-type": JSON, "accept": GRAPHQL}
            )
        assert 400 <= response.status_code < 500
        assert code_of(response) == "BAD_USER_INPUT"

    @settings(max_examples=60, deadline=None)
    @given(
        query=st.text(max_size=60) | QUERIES | JSON_VALUES, variables=JSON_VALUES, name=JSON_VALUES
    )
    async def test_json(self, query, variables, name):
        """Parts of the wrong kind, in any combination."""
        body = {"query": query, "variables": variables, "operationName": name}
        try:
            content = orjson.dumps(body)
        except orjson.JSONEncodeError:
            return
        async with client_of(little_app()) as client:
            response = await client.post(
                "/graphql", content=content, headers={"content-type": JSON, "accept": GRAPHQL}
            )
        assert response.status_code < 500
        assert response.json()

    @settings(max_examples=60, deadline=None)
    @given(query=QUERIES, value=JSON_VALUES)
    async def test_variables(self, query, value):
        """A value of any shape for a variable of each scalar."""
        variables = {"n": value, "f": value, "t": value, "ids": value}
        try:
            content = orjson.dumps({"query": query, "variables": variables})
        except orjson.JSONEncodeError:
            return
        async with client_of(little_app()) as client:
            response = await client.post(
                "/graphql", content=content, headers={"content-type": JSON, "accept": GRAPHQL}
            )
        assert response.status_code in {200, 400}
        assert "INTERNAL" not in response.text

    @settings(max_examples=40, deadline=None)
    @given(
        headers=st.dictionaries(
            st.sampled_from(
                ["accept", "content-type", "traceparent", "x-request-id", "grpc-timeout"]
            ),
            st.binary(max_size=30),
        )
    )
    async def test_headers(self, headers):
        """Any bytes in the headers that we read."""
        async with client_of(little_app()) as client:
            response = await client.post("/graphql", content=TYPENAME, headers=headers)
        assert response.status_code < 500
        assert "x-request-id" in response.headers


class TestBodiesThatDoNotCome:
    async def test_a_body_that_stops_is_not_waited_for(self):
        """408 after its time, so that nobody can keep a place by sending nothing."""
        limits = Limits(body_seconds=0.05)
        sent = []

        async def receive():
            if receive.parts:
                return receive.parts.pop()
            return await asyncio.Event().wait()

        receive.parts = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def send(message):
            sent.append(message)

        app = little_app(serving=Serving(limits=limits))
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"host", b"bff")],
            "http_version": "1.1",
            "scheme": "http",
            "server": ("bff", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        async with asyncio.timeout(5):
            await app(scope, receive, send)
        assert sent[0]["status"] == 408
        assert (b"connection", b"close") in sent[0]["headers"]

    @pytest.mark.parametrize("length", ["1" * 5_000, "²", "-1", "x"])
    async def test_a_length_that_nobody_means(self, length):
        """413, before anything is read or converted."""
        response = await post("{ __typename }", headers={"content-length": length.encode()})
        assert response.status_code == 413


@pytest.mark.parametrize("name", ["x-request-timeout-ms", "idempotency-key"])
async def test_what_must_be_said_once(name):
    """Or whoever stood in front of us may have judged by another than we would."""
    headers = [("content-type", "application/json"), (name, "5"), (name, "6")]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(little_app()), base_url="http://bff.example"
    ) as client:
        response = await client.post(
            "/graphql", content=b'{"query":"{__typename}"}', headers=headers
        )
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("given", "status"), [("k-1", 200), ('"k-1"', 200), ("a b", 400), ("", 400)]
)
async def test_an_idempotency_key_is_the_same_with_quotes_and_without(given, status):
    """The draft of the IETF has them."""
    response = await post("{ __typename }", headers={"idempotency-key": given})
    assert response.status_code == status
