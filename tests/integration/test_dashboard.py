"""The dashboard over healthy services."""

import json

import jwt
import pytest

from examples.upstreams.fleet import NAMES
from tests.integration.world import DASHBOARD


async def upstream(world, name, path, **params):
    """What the service itself says to the BFF, past all policies."""
    wire = world.wires[name]
    url = wire.requests[-1].url.copy_with(path=path, query=None).copy_merge_params(params)
    request = wire.requests[-1]
    again = type(request)("GET", url, headers=request.headers)
    response = await wire.inner.handle_async_request(again)
    return json.loads(await response.aread())


async def test_four_calls_whatever_the_number_of_orders(world):
    """Users, orders and notifications, then all products of all orders at once."""
    for limit in (1, 5, 30):
        world.forget()
        answer = await world.ask(DASHBOARD.replace("limit: 5", f"limit: {limit}"), user="1")
        assert "errors" not in answer
        expected = dict.fromkeys(NAMES, 1) | {"payments": 0}
        calls = world.calls()
        # What was shown a moment ago is fresh, so later rounds may ask for fewer products or none.
        assert {**calls, "products": 1} == expected
        assert calls["products"] <= 1


async def test_every_value_is_the_services_own(world):
    """Compared one by one with what the services say."""
    answer = await world.ask()
    shown = answer["data"]["dashboard"]
    user = await upstream(world, "users", "/users/1")
    orders = await upstream(world, "orders", "/orders", userId="1", limit="5")
    notes = await upstream(
        world, "notifications", "/notifications", userId="1", unread="true", limit="10"
    )
    ids = {item["productId"] for order in orders for item in order["items"]}
    products = {
        product["id"]: product
        for product in await upstream(world, "products", "/products", ids=",".join(ids))
    }
    assert "extensions" not in answer
    assert shown["user"] == {key: user[key] for key in ("id", "name", "email")}
    assert shown["notifications"] == [{"id": n["id"], "message": n["message"]} for n in notes]
    assert shown["recentOrders"] == [
        {
            "id": order["id"],
            "status": order["status"],
            "total": order["total"],
            "items": [
                {
                    "quantity": item["quantity"],
                    "product": {
                        key: products[item["productId"]][key] for key in ("id", "name", "price")
                    },
                }
                for item in order["items"]
            ],
        }
        for order in orders
    ]
    assert len(orders) == 5
    assert notes


async def test_two_waves(world):
    """Products are asked once, after the orders are known, and nothing waits for anything else."""
    world.break_("users", latencySeconds=0.1)
    world.break_("notifications", latencySeconds=0.1)
    world.break_("orders", latencySeconds=0.1)
    await world.ask()
    asked = {name: world.fleet.requests(name)[0].at for name in NAMES if name != "payments"}
    first = [asked[name] for name in ("users", "orders", "notifications")]
    assert (max(first) - min(first)).total_seconds() < 0.09
    assert (asked["products"] - max(first)).total_seconds() >= 0.09


async def test_payments_are_asked_one_by_one_and_only_when_wanted(world):
    """One for each order; concurrently."""
    query = "{ dashboard { recentOrders(limit: 4) { id payment { status method } } } }"
    answer = await world.ask(query)
    orders = answer["data"]["dashboard"]["recentOrders"]
    assert world.calls() == {
        "users": 0,
        "orders": 1,
        "products": 0,
        "payments": 4,
        "notifications": 0,
    }
    assert sorted(world.sent("payments")) == sorted(
        f"GET /payments/{order['id']}" for order in orders
    )
    assert all(order["payment"]["status"] != "UNKNOWN" for order in orders)


async def test_what_services_are_told(world):
    """A token of our own for each, with the scope of the call; never the caller's."""
    bearer = world.bearer("1")
    await world.ask(
        Authorization=bearer,
        **{
            "X-Request-ID": "abc-1",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "X-Internal-Role": "admin",
            "Cookie": "session=1",
        },
    )
    scopes = {}
    for name in ("users", "orders", "products", "notifications"):
        [request] = world.wires[name].requests
        assert bearer not in str(request.headers)
        assert "x-internal-role" not in request.headers
        assert "cookie" not in request.headers
        assert request.headers["x-request-id"] == "abc-1"
        assert request.headers["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c")
        assert request.headers["x-service-name"] == "bff"
        assert request.headers["x-attempt"] == "1"
        assert 0 < int(request.headers["x-request-timeout-ms"]) <= 300
        token = request.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        scopes[claims["aud"]] = (claims["sub"], claims["scope"])
        assert claims["exp"] - claims["iat"] == 30
        assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert scopes == {
        "users": ("1", "users:read"),
        "orders": ("1", "orders:read"),
        "products": ("bff", "products:read"),
        "notifications": ("1", "notifications:read"),
    }


async def test_two_users_side_by_side(world):
    """Each his own; products, which are everybody's, may be shared."""
    first, second = await world.ask(user="1"), await world.ask(user="2")
    again = await world.ask(user="1")
    assert first["data"]["dashboard"]["user"]["id"] == "1"
    assert second["data"]["dashboard"]["user"]["id"] == "2"
    assert again["data"] == first["data"]
    mine = {order["id"] for order in first["data"]["dashboard"]["recentOrders"]}
    yours = {order["id"] for order in second["data"]["dashboard"]["recentOrders"]}
    assert not mine & yours


async def test_another_users_order_is_as_missing_as_one_that_never_was(world):
    """Null, without an error, and the same bytes."""
    theirs = (await world.ask(user="2"))["data"]["dashboard"]["recentOrders"][0]["id"]
    query = "query($id: ID!) { order(id: $id) { id } }"
    foreign = await world.post(query, "1", {"id": theirs})
    missing = await world.post(query, "1", {"id": "o-never"})
    assert foreign.content == missing.content == b'{"data":{"order":null}}'


@pytest.mark.parametrize(
    "query",
    [
        DASHBOARD,
        "{ me { id } }",
        '{ order(id: "o-1-1") { id } }',
        "{ orders { edges { cursor } } }",
        '{ product(id: "p-1") { id } }',
        '{ products(ids: ["p-1"]) { id } }',
        "{ notifications { edges { cursor } } }",
        "{ services { name } }",
        'mutation { markNotificationRead(id: "n") { __typename } }',
        "mutation { createOrder(input: {items: []}) { __typename } }",
    ],
)
async def test_without_a_token_nobody_is_asked(world, query):
    """UNAUTHENTICATED on everything; the schema itself may be read."""
    answer = await world.ask(query, user=None)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAUTHENTICATED"}
    assert set(world.calls().values()) == {0}


async def test_without_a_token_the_schema_can_be_read(world):
    """Introspection and `__typename`."""
    answer = await world.ask("{ __typename __schema { queryType { name } } }", user=None)
    assert answer == {"data": {"__typename": "Query", "__schema": {"queryType": {"name": "Query"}}}}


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "9" * 9000])
async def test_a_bad_token_is_refused(world, token):
    """401 with the code; nothing is executed."""
    response = await world.post("{ __typename }", Authorization=f"Bearer {token}".encode())
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("{ dashboard { recentOrders(limit: 101) { id } } }", ["dashboard", "recentOrders"]),
        ("{ dashboard { recentOrders(limit: 0) { id } } }", ["dashboard", "recentOrders"]),
        ("{ dashboard { notifications(limit: 101) { id } } }", ["dashboard", "notifications"]),
        ("{ orders(first: 101) { edges { cursor } } }", ["orders"]),
        ('{ orders(after: "§") { edges { cursor } } }', ["orders"]),
        ("{ notifications(first: 101) { edges { cursor } } }", ["notifications"]),
        (f'{{ order(id: "{"a" * 65}") {{ id }} }}', ["order"]),
        (f"{{ order(id: {'1' * 5000}) {{ id }} }}", None),
        ('{ order(id: "..") { id } }', ["order"]),
        ('{ product(id: "a/b") { id } }', ["product"]),
        (f"{{ dashboard {{ recentOrders(limit: {'1' * 5000}) {{ id }} }} }}", None),
    ],
)
async def test_bad_input_is_told_and_nobody_is_asked(world, query, path):
    """One coded error at its path."""
    answer = await world.ask(query)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error.get("path") == path
    assert set(world.calls().values()) == {0}


async def test_operators_see_the_services(world):
    """With their scope; nobody else does."""
    query = "{ services { name breaker failingSince servingStale } }"
    refused = await world.ask(query)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    bearer = world.bearer("1", scope="bff.operator")
    answer = await world.ask(query, Authorization=bearer)
    assert [service["name"] for service in answer["data"]["services"]] == list(NAMES)
    assert {service["breaker"] for service in answer["data"]["services"]} == {"closed"}
