"""What an operator sets is what is built."""

import asyncio
import contextlib
import json

import httpx
import jwt
import pytest
import structlog

from bff.build import build_app
from bff.identity.service_tokens import ServiceTokens
from bff.serve import demand_essentials
from bff.server import configured, grace_seconds
from bff.settings import ServiceTokenSettings, Settings, SettingsError
from bff.usage import UsageError
from bff.wiring import SERVICES, _numbers, check_hedges, network, wire
from datasources.clock import SystemClock
from datasources.credentials import ApiKey
from datasources.errors import AttemptTimedOut
from datasources.events import Events
from datasources.importance import Importance
from datasources.resilience.standard import Numbers
from datasources.scope import Scope, entered
from datasources.transport.httpx_pool import HttpxPool
from datasources.transport.pool import OriginTransport
from tests.virtual_time import HandClock

SECRET = "a secret of thirty-two characters"
USER = {"id": "1", "name": "Ada", "email": "ada@example.com"}
ORDER = {
    "id": "o1",
    "userId": "1",
    "status": "PAID",
    "total": {"amount": "1.00", "currency": "EUR"},
    "createdAt": "2026-01-01T00:00:00Z",
    "items": [],
}


def settings_of(upstream=None, **others):
    upstreams = {name: {"url": f"http://{name}.internal"} | (upstream or {}) for name in SERVICES}
    auth = {"jwt_secret": SECRET}
    return Settings.model_validate(
        {"upstreams": upstreams, "auth": auth, "explorer": False} | others
    )


class Wire(httpx.AsyncBaseTransport):
    """Answers each service's first question; or hangs."""

    def __init__(self, *, hang=False):
        self.hang = hang
        self.requests = []
        self.asked = asyncio.Event()
        self.closed = False

    async def handle_async_request(self, request):
        self.requests.append(request)
        self.asked.set()
        if self.hang:
            await asyncio.sleep(60)
        body = USER if "users" in str(request.url) else ORDER
        return httpx.Response(
            200,
            headers={"content-type": "application/json"},
            stream=httpx.ByteStream(json.dumps(body).encode()),
        )

    async def aclose(self):
        self.closed = True


@contextlib.asynccontextmanager
async def served(settings, wire_=None, clock=None):
    wire_ = wire_ or Wire()
    clock = clock or SystemClock()
    tokens = ServiceTokens.from_settings(ServiceTokenSettings(), clock)
    app = build_app(
        settings, service_tokens=tokens, transport=lambda name, upstream: wire_, clock=clock
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bff") as client,
    ):
        token = jwt.encode({"sub": "1", "exp": clock.now().timestamp() + 60}, SECRET)
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def ask(client, query):
    return (await client.post("/graphql", json={"query": query})).json()


def test_every_number_reaches_its_policy():
    """Each differs from its default, and stands where it belongs."""
    settings = settings_of(
        {
            "timeout_read_seconds": 1.5,
            "timeout_write_seconds": 2.5,
            "retries": 7,
            "bulkhead": {"limit": 11, "queue": 13, "adaptive": True},
            "hedge": {"operations": "by_id", "after_seconds": 0.7},
            "breaker": {
                "failure_ratio": 0.25,
                "minimum_calls": 17,
                "window_seconds": 19,
                "consecutive": 23,
                "reset_seconds": 29,
                "slow_seconds": 0.9,
                "slow_ratio": 0.75,
            },
            "cache": {"fresh_seconds": 31, "stale_seconds": 37},
        },
        deadline_seconds=4.5,
    )
    assert _numbers(settings.upstream("users"), settings) == Numbers(
        fresh=31,
        stale=37,
        patience=0.15,
        budget=4.5,
        retries=7,
        bulkhead_limit=11,
        bulkhead_queue=13,
        adaptive=True,
        failure_ratio=0.25,
        minimum_calls=17,
        window=19,
        consecutive=23,
        reset=29,
        slow=0.9,
        slow_ratio=0.75,
        read=1.5,
        write=2.5,
        hedged=frozenset({"by_id"}),
        hedge_after=0.7,
    )


def test_the_defaults_of_the_policies_are_those_of_the_settings():
    """Written twice, so held together here."""
    settings = settings_of()
    assert _numbers(settings.upstream("users"), settings) == Numbers()


def test_an_attempt_is_shorter_than_its_operation():
    """Or a service that hangs would only ever meet our own deadline, and never be to blame."""
    settings = settings_of(deadline_seconds=2.0, mutation_deadline_seconds=5.0)
    numbers = _numbers(settings.upstream("users"), settings)
    assert (numbers.read, numbers.write) == pytest.approx((0.8 * 1.98, 0.8 * 4.98))


def test_slow_is_less_than_the_limit_of_an_attempt():
    """Beyond it an answer has failed; a rule that nothing can meet would be none."""
    short = settings_of({"timeout_read_seconds": 0.6})
    assert _numbers(short.upstream("users"), short).slow == pytest.approx(0.5)
    hasty = settings_of(deadline_seconds=2.0)
    assert _numbers(hasty.upstream("users"), hasty).slow == pytest.approx(0.8 * 1.98 * 5 / 6)
    own = settings_of({"breaker": {"slow_seconds": 0.4}})
    assert _numbers(own.upstream("users"), own).slow == pytest.approx(0.4)


def test_what_a_service_does_not_have_cannot_be_hedged():
    """Nor a write; every service is told, with what it has."""
    settings = settings_of({"hedge": {"operations": "by_id"}})
    with pytest.raises(SettingsError) as refused:
        check_hedges(settings)
    assert refused.value.lines == [
        "BFF_UPSTREAMS__PRODUCTS__HEDGE__OPERATIONS: must be some of by_ids",
        "BFF_UPSTREAMS__PAYMENTS__HEDGE__OPERATIONS: must be some of by_order",
        "BFF_UPSTREAMS__NOTIFICATIONS__HEDGE__OPERATIONS: must be some of recent",
    ]
    with pytest.raises(SettingsError):
        build_app(
            settings,
            service_tokens=ServiceTokens.from_settings(ServiceTokenSettings(), SystemClock()),
            transport=lambda name, upstream: Wire(),
        )
    orders = Settings.model_validate(
        {"upstreams": {"orders": {"hedge": {"operations": "recent,page,by_id"}}}}
    )
    check_hedges(orders)
    writing = Settings.model_validate(
        {"upstreams": {"orders": {"hedge": {"operations": "create"}}}}
    )
    with pytest.raises(SettingsError, match="must be some of by_id, page, recent"):
        check_hedges(writing)


async def test_a_hanging_service_opens_its_breaker_under_a_short_deadline():
    """Ten questions to a service that never answers."""
    settings = settings_of({"retries": 0}, deadline_seconds=0.1)
    wired = wire(
        settings,
        credentials=ApiKey("k"),
        events=Events(),
        clock=SystemClock(),
        transport=lambda name, upstream: Wire(hang=True),
    )
    async with wired.running():
        for number in range(10):
            deadline = asyncio.get_running_loop().time() + 5.0
            scope = Scope(deadline=deadline, request_id="r", principal=str(number))
            with entered(scope), pytest.raises(AttemptTimedOut):
                await wired.sources[Importance.CRITICAL].users.by_id("1")
        assert wired.services["users"].breaker.state == "open"


async def test_a_service_with_an_api_key_gets_it_and_no_token():
    """It knows no tokens of ours."""
    wire_ = Wire()
    async with served(settings_of({"api_key": "key-1"}), wire_) as client:
        await ask(client, "{ me { id } }")
    [request] = wire_.requests
    assert request.headers["x-api-key"] == "key-1"
    assert "authorization" not in request.headers


async def test_introspection_can_be_turned_off():
    """The schema is not told; `__typename` is."""
    async with served(settings_of(introspection=False)) as client:
        told = await ask(client, "{ __schema { queryType { name } } }")
        assert told["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert await ask(client, "{ __typename }") == {"data": {"__typename": "Query"}}


async def test_pages_of_named_origins_may_ask():
    """And read the id of their request, and of errors, and how long things took."""
    page = "https://app.example"
    async with served(settings_of(cors={"origins": page})) as client:
        asked = await client.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"Origin": page}
        )
        assert asked.headers["access-control-allow-origin"] == page
        assert asked.headers["access-control-expose-headers"] == "Server-Timing, X-Request-ID"
        refused = await client.get("/graphql", headers={"Origin": page, "X": "a" * 70_000})
        assert refused.status_code == 431
        assert refused.headers["access-control-allow-origin"] == page


async def test_limits_are_the_operators():
    """Depth, for one."""
    async with served(settings_of(limits={"depth": 2})) as client:
        refused = await ask(client, "{ dashboard { user { id } } }")
        assert refused["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_how_much_is_taken_on_is_the_operators():
    """Places, and the longest wait for one."""
    wire_ = Wire(hang=True)
    async with served(settings_of(limits={"operations": 1}), wire_) as client:
        first = asyncio.create_task(ask(client, "{ me { id } }"))
        await wire_.asked.wait()
        refused = await ask(client, "{ me { id } }")
        assert refused["errors"][0]["extensions"]["code"] == "OVERLOADED"
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])
    tokens = ServiceTokens.from_settings(ServiceTokenSettings(), SystemClock())
    app = build_app(settings_of(limits={"wait_seconds": 0.7}), service_tokens=tokens)
    assert app.routes[0].app._pressure._wait == 0.7


async def test_each_kind_of_operation_has_its_deadline():
    """A query that hangs ends before a mutation that hangs."""
    settings = settings_of(
        {"timeout_read_seconds": 9, "timeout_write_seconds": 9},
        deadline_seconds=0.1,
        mutation_deadline_seconds=0.3,
    )
    loop = asyncio.get_running_loop()
    async with served(settings, Wire(hang=True)) as client:
        started = loop.time()
        await ask(client, "{ me { id } }")
        between = loop.time()
        await ask(client, 'mutation { markNotificationRead(id: "n") { __typename } }')
        assert 0.05 < between - started < 0.2 < loop.time() - between


async def test_nothing_is_left_after_the_end():
    """Neither questions that went on without a caller, nor connections."""
    wire_ = Wire(hang=True)
    before = asyncio.all_tasks()
    async with served(settings_of(deadline_seconds=5), wire_) as client:
        impatient = asyncio.create_task(ask(client, "{ me { id } }"))
        await asyncio.sleep(0.05)
        assert wire_.requests
    assert wire_.closed
    await impatient
    assert asyncio.all_tasks() == before


async def test_the_keys_connection_is_closed_at_the_end():
    """That of the issuer."""
    keys = Wire()
    auth = {"jwks_url": "http://issuer/keys", "issuer": "i", "audience": "a"}
    settings = settings_of(auth=auth)
    tokens = ServiceTokens.from_settings(ServiceTokenSettings(), SystemClock())
    app = build_app(settings, service_tokens=tokens, transport=lambda *_: Wire(), keys=keys)
    async with app.router.lifespan_context(app):
        assert not keys.closed
    assert keys.closed


async def test_what_happens_to_calls_is_logged_and_shown():
    """A breaker that opens is a line in the log and a word on the board."""
    shown = []
    settings = settings_of({"retries": 0, "breaker": {"consecutive": 1}}, deadline_seconds=0.1)
    with structlog.testing.capture_logs() as lines:
        async with served(settings, Wire(hang=True)) as client:
            await ask(client, "{ me { id } }")
            shown = (await client.get("/healthz")).json()["services"]
    assert {"event": "breaker changed", "new": "open", "old": "closed"}.items() <= next(
        line for line in lines if line["event"] == "breaker changed"
    ).items()
    assert [service["breaker"] for service in shown] == ["open"] + ["closed"] * 4


async def test_one_clock_governs_all():
    """Stopped at another time, it is the time of which answers are."""
    clock = HandClock()
    async with served(settings_of(), clock=clock) as client:
        answer = await ask(client, "{ me { freshness { asOf } } }")
    assert answer["data"]["me"]["freshness"]["asOf"] == "2026-01-01T00:00:00Z"


def test_as_many_requests_as_the_bulkhead_lets_through():
    """The pool is never what refuses."""
    settings = settings_of({"bulkhead": {"limit": 300}})
    assert network("users", settings.upstream("users"))._most_requests == 600


@pytest.mark.parametrize(
    ("upstream", "kind"),
    [
        ({}, OriginTransport),
        ({"transport": "httpx"}, HttpxPool),
        ({"transport": "http2"}, HttpxPool),
    ],
)
async def test_what_carries_requests(upstream, kind):
    """Ours, unless a setting says otherwise."""
    transport = network("users", settings_of(upstream).upstream("users"))
    assert type(transport) is kind
    await transport.aclose()


@pytest.mark.parametrize("transport", ["own", "httpx"])
async def test_a_unix_socket_in_place_of_host_and_port(tmp_path, transport):
    """Both kinds connect there; the name of the service stays."""
    seen = []

    async def answer(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        body = json.dumps(USER).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    path = tmp_path / "users.sock"
    settings = settings_of({"unix_socket": path, "transport": transport})
    carrier = network("users", settings.upstream("users"))
    async with await asyncio.start_unix_server(answer, path):
        request = httpx.Request("GET", "http://users.internal/users/1")
        assert (await carrier.handle_async_request(request)).status_code == 200
        await carrier.aclose()
    assert b"\r\nHost: users.internal\r\n" in seen[0]


async def test_a_proxy_is_asked_for_the_service():
    """By the whole URL, on the way of httpx."""
    seen = []

    async def answer(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        settings = settings_of({"transport": "httpx", "proxy": url})
        carrier = network("users", settings.upstream("users"))
        request = httpx.Request("GET", "http://users.internal/users/1")
        assert (await carrier.handle_async_request(request)).status_code == 204
        await carrier.aclose()
    assert seen[0].startswith(b"GET http://users.internal/users/1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("upstream", "problem"),
    [
        ({"proxy": "http://proxy"}, "is of no use without TRANSPORT httpx or http2"),
        (
            {"transport": "httpx", "proxy": "http://proxy", "unix_socket": "/s"},
            "is of no use with PROXY",
        ),
        ({"transport": "curl"}, "own"),
    ],
)
def test_what_does_not_go_together_is_refused(upstream, problem):
    """Rather than ignored."""
    with pytest.raises(ValueError, match=problem):
        settings_of(upstream)


def test_how_we_serve():
    """No access log, no name of the server; what is under way may end in its time."""
    config = configured("bff.serve:create", 16, 2)
    assert (config.access_log, config.server_header, config.workers) == (False, False, 2)
    assert config.timeout_graceful_shutdown == 16
    assert grace_seconds(settings_of()) == 16
    assert grace_seconds(settings_of(deadline_seconds=20.5)) == 22


def test_several_workers_need_one_key():
    """Or services would refuse what the others sign."""
    demand_essentials(settings_of(), 1)
    with pytest.raises(UsageError, match="BFF_SERVICE_TOKEN__KEY_FILE"):
        demand_essentials(settings_of(), 2)
