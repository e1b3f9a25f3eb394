"""What the reference services answer is what their OpenAPI files say, status by status."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from examples.upstreams.faults import FaultPlan
from examples.upstreams.fleet import NAMES
from tests.unit.upstreams.shop import SCOPES, open_shop

FOLDER = Path(__file__).parent / "openapi"
DOCUMENTS = {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in NAMES}

ITEM = {"productId": "p-1", "quantity": 1}
ORDER = {"userId": "1", "items": [ITEM]}
OTHER = ORDER | {"items": [ITEM | {"quantity": 2}]}
DECLINED = {"paymentMethod": "declined-card"}
CHARGE = {"orderId": "o-1-new", "amount": {"amount": "1.00", "currency": "EUR"}, "method": "card"}
BAD_CHARGE = CHARGE | {"orderId": "o-1-x", "method": "declined-card"}
NOT_MINE = CHARGE | {"userId": "2"}
NOTICE = {"userId": "1", "message": "Hello", "key": "k"}
NOT_TOLD = {"json": NOTICE, "user": "2"}
LONG = " " * 70_000

# Service, method, path as documented, path as asked, status, and what to send along.
STORIES: list[tuple[str, str, str, str, int, dict[str, Any]]] = [
    ("users", "GET", "/users/{id}", "/users/1", 200, {}),
    ("users", "GET", "/users/{id}", "/users/2", 403, {}),
    ("users", "GET", "/users/{id}", "/users/nobody", 404, {"user": "nobody"}),
    ("products", "GET", "/products", "/products?ids=p-1,p-2,none", 200, {}),
    ("products", "GET", "/products", "/products?ids=", 400, {}),
    ("products", "GET", "/products/{id}", "/products/p-1", 200, {}),
    ("products", "GET", "/products/{id}", "/products/none", 404, {}),
    ("orders", "GET", "/orders", "/orders?userId=1", 200, {}),
    ("orders", "GET", "/orders", "/orders?userId=1&limit=2&after=", 200, {}),
    ("orders", "GET", "/orders", "/orders?userId=1&limit=100&after=", 200, {}),
    ("orders", "GET", "/orders", "/orders?userId=1&limit=0", 400, {}),
    ("orders", "GET", "/orders", "/orders?userId=2", 403, {}),
    ("orders", "GET", "/orders/{id}", "/orders/o-1-1", 200, {}),
    ("orders", "GET", "/orders/{id}", "/orders/o-2-1", 404, {}),
    ("orders", "POST", "/orders", "/orders", 201, {"key": "a", "json": ORDER}),
    ("orders", "POST", "/orders", "/orders", 200, {"key": "a", "json": ORDER}),
    ("orders", "POST", "/orders", "/orders", 409, {"key": "a", "json": OTHER}),
    ("orders", "POST", "/orders", "/orders", 402, {"key": "b", "json": ORDER | DECLINED}),
    ("orders", "POST", "/orders", "/orders", 422, {"key": "c", "json": ORDER | {"items": []}}),
    ("orders", "POST", "/orders", "/orders", 400, {"json": ORDER}),
    ("orders", "POST", "/orders", "/orders", 403, {"key": "c", "json": ORDER, "user": "2"}),
    ("orders", "POST", "/orders", "/orders", 413, {"key": "c", "content": LONG}),
    ("orders", "POST", "/orders", "/orders", 202, {"key": "d", "json": ORDER, "down": "payments"}),
    ("orders", "POST", "/orders", "/orders", 503, {"key": "e", "json": ORDER, "down": "users"}),
    ("payments", "GET", "/payments/{orderId}", "/payments/o-1-1", 200, {}),
    ("payments", "GET", "/payments/{orderId}", "/payments/o-2-1", 404, {}),
    ("payments", "POST", "/charges", "/charges", 201, {"key": "a", "json": CHARGE}),
    ("payments", "POST", "/charges", "/charges", 200, {"key": "a", "json": CHARGE}),
    ("payments", "POST", "/charges", "/charges", 409, {"key": "b", "json": CHARGE}),
    ("payments", "POST", "/charges", "/charges", 402, {"key": "c", "json": BAD_CHARGE}),
    ("payments", "POST", "/charges", "/charges", 400, {"key": "d", "json": {}}),
    ("payments", "POST", "/charges", "/charges", 403, {"key": "d", "json": NOT_MINE}),
    ("payments", "POST", "/charges", "/charges", 413, {"key": "d", "content": LONG}),
    ("notifications", "GET", "/notifications", "/notifications?userId=1&unread=true", 200, {}),
    ("notifications", "GET", "/notifications", "/notifications?userId=1&unread=1", 400, {}),
    ("notifications", "GET", "/notifications", "/notifications?userId=2", 403, {}),
    ("notifications", "POST", "/notifications", "/notifications", 201, {"json": NOTICE}),
    ("notifications", "POST", "/notifications", "/notifications", 200, {"json": NOTICE}),
    ("notifications", "POST", "/notifications", "/notifications", 400, {"json": {}}),
    ("notifications", "POST", "/notifications", "/notifications", 403, NOT_TOLD),
    ("notifications", "POST", "/notifications", "/notifications", 413, {"content": LONG}),
    ("notifications", "POST", "/notifications/{id}/read", "/notifications/n-{own}/read", 200, {}),
    ("notifications", "POST", "/notifications/{id}/read", "/notifications/n-0/read", 404, {}),
]  # fmt: skip

CONTROL: list[tuple[str, str, int, dict[str, Any]]] = [
    ("GET", "/livez", 200, {}),
    ("PUT", "/faults", 200, {"json": {"latencySeconds": 0.0}}),
    ("PUT", "/faults", 400, {"json": {"unknown": 1}}),
    ("PUT", "/faults", 403, {"client": "192.0.2.1"}),
    ("PUT", "/faults", 413, {"content": LONG}),
    ("GET", "/faults", 200, {}),
    ("GET", "/faults", 403, {"client": "192.0.2.1"}),
    ("DELETE", "/faults", 200, {}),
    ("DELETE", "/faults", 403, {"client": "192.0.2.1"}),
    ("GET", "/requests", 200, {}),
    ("GET", "/requests", 403, {"client": "192.0.2.1"}),
    ("DELETE", "/requests", 200, {}),
    ("DELETE", "/requests", 403, {"client": "192.0.2.1"}),
]


def documented(name: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Method, path and status of every response in the file, with what it says of it."""
    document = DOCUMENTS[name]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                yield method.upper(), path, status, response


def check(name: str, method: str, path: str, response: httpx.Response) -> None:
    """*response* is one that the file has, and of its shape."""
    document = DOCUMENTS[name]
    responses = document["paths"][path][method.lower()]["responses"]
    status = str(response.status_code)
    described = responses.get(status) or responses[f"{status[0]}XX"]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    assert response.headers["content-type"] in described["content"]
    for header, expected in described.get("headers", {}).items():
        Draft202012Validator(expected["schema"]).validate(response.headers[header])
    schema = described["content"]["application/json"]["schema"]
    Draft202012Validator(
        {"components": document["components"], **schema}, format_checker=FormatChecker()
    ).validate(response.json())


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_openapi_3_1(name):
    """By the specification's own schema."""
    validate(DOCUMENTS[name])
    assert DOCUMENTS[name]["openapi"].startswith("3.1")


async def test_every_documented_answer_is_given_and_of_its_shape(stocked_shop):
    """Each status in the five files occurs below, and nothing occurs that is not in them."""
    shop, seen = stocked_shop, set()

    def told(name, method, path, response, status):
        assert response.status_code == status, (method, path, response.text)
        check(name, method, path, response)
        seen.add((name, method, path, str(status)))

    unread = await shop.ask("notifications", "/notifications?userId=1&unread=true")
    own = unread.json()[0]["id"].removeprefix("n-")
    for name, method, path, asked, status, more in STORIES:
        sent = {part: more[part] for part in ("json", "content", "user") if part in more}
        headers = {"Idempotency-Key": more["key"]} if "key" in more else {}
        if "down" in more:
            shop.fleet.faults(more["down"]).plan = FaultPlan(error_rate=1)
        response = await shop.ask(
            name, asked.replace("{own}", own), method=method, headers=headers, **sent
        )
        if "down" in more:
            shop.fleet.faults(more["down"]).heal()
        told(name, method, path, response, status)
    for name, method, path in sorted({story[:3] for story in STORIES}):
        asked = path.format(id="x", orderId="x")
        bare = await shop.ask(name, asked, method=method, headers={"Authorization": ""})
        told(name, method, path, bare, 401)
        told(name, method, path, await shop.ask(name, asked, method=method, scope=""), 403)
        shop.fleet.faults(name).plan = FaultPlan(error_rate=1, status=500)
        told(name, method, path, await shop.ask(name, asked, method=method), 500)
        seen.add((name, method, path, "5XX"))
        shop.fleet.faults(name).heal()
    for name in NAMES:
        for method, path, status, more in CONTROL:
            sent = {part: more[part] for part in ("json", "content") if part in more}
            client = (more.get("client", "127.0.0.1"), 1)
            transport = httpx.ASGITransport(shop.fleet.apps[name], client=client)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as asking:
                told(name, method, path, await asking.request(method, path, **sent), status)
    expected = {
        (name, method, path, status)
        for name in NAMES
        for method, path, status, _ in documented(name)
    }
    assert expected - seen == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_says_which_scope_it_needs(name):
    """In words, since HTTP authentication has no scopes in OpenAPI."""
    for path, operations in DOCUMENTS[name]["paths"].items():
        for operation in operations.values():
            public = operation.get("security") == []
            said = [scope for scope in SCOPES.split() if scope in operation.get("description", "")]
            assert len(said) == (0 if public else 1), path


@pytest.fixture
async def stocked_shop(tmp_path):
    async with open_shop(tmp_path) as shop:
        yield shop
