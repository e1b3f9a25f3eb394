"""The BFF keeps the contracts too: it asks what they allow and understands what they promise."""

import asyncio
import json
import re
from datetime import UTC
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from datasources.ports.orders import OrderDraft, OrderLine
from datasources.resilience.pipeline import Reply
from datasources.scope import Scope, entered
from datasources.services.notifications import Notifications
from datasources.services.orders import Orders
from datasources.services.payments import Payments
from datasources.services.products import Products
from datasources.services.users import Users
from datasources.sourced import Sourced
from examples.upstreams.fleet import NAMES
from tests.integration.world import open_world
from tests.virtual_time import EPOCH

FOLDER = Path(__file__).parent / "openapi"
DOCUMENTS = {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text()) for name in NAMES}

EVERYTHING = """query($orders: String) {
  me { id } order(id: "o-1-1") { id payment { id } } product(id: "p-1") { id }
  products(ids: ["p-2", "p-3"]) { id }
  orders(first: 2, after: $orders) { edges { cursor } }
  notifications(unread: true) { edges { cursor } }
  dashboard { user { id } recentOrders { id } notifications(unread: false) { id } } }"""
WRITES = """mutation($note: ID!) {
  createOrder(input: {items: [{productId: "p-1", quantity: 1}], paymentMethod: "card"}) {
    __typename }
  markNotificationRead(id: $note) { __typename } }"""


def resolved(document, schema):
    """*schema* with its references replaced."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            target = document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return resolved(document, target)
        return {key: resolved(document, value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [resolved(document, item) for item in schema]
    return schema


def operation(document, method, path):
    """What the document says of a request, with the values of its path."""
    for template, operations in document["paths"].items():
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if found and method.lower() in operations:
            return resolved(document, operations[method.lower()]), found.groupdict()
    raise AssertionError(f"{method} {path} is not in the contract")


def values_of(schema, text):
    """The text of a parameter as the value that it stands for."""
    if schema.get("type") == "array":
        return text.split(",")
    if schema.get("type") == "integer":
        return int(text)
    if schema.get("type") == "boolean":
        return json.loads(text)
    return text


async def everything_asked(folder):
    async with open_world(folder) as world:
        page = await world.ask("{ orders(first: 1) { pageInfo { endCursor } } }")
        cursor = page["data"]["orders"]["pageInfo"]["endCursor"]
        answer = await world.ask(EVERYTHING, variables={"orders": cursor})
        assert "errors" not in answer
        note = (await world.ask("{ dashboard { notifications { id } } }"))["data"]["dashboard"]
        written = await world.ask(WRITES, variables={"note": note["notifications"][0]["id"]})
        assert "errors" not in written
        return [(name, request) for name in NAMES for request in world.wires[name].requests]


def test_every_request_is_in_its_contract(tmp_path):
    """Paths, parameters, headers and bodies; nothing is asked that the file does not know."""
    asked = asyncio.run(everything_asked(tmp_path))
    seen = set()
    for name, request in asked:
        document = DOCUMENTS[name]
        described, in_path = operation(document, request.method, request.url.path)
        seen.add((name, described["operationId"]))
        given_ = {
            "path": in_path,
            "query": parse_qs(request.url.query.decode(), keep_blank_values=True),
        }
        known = {(item["in"], item["name"]): item for item in described.get("parameters", [])}
        for where, values in given_.items():
            for key, value in values.items():
                text = unquote(value if isinstance(value, str) else value[0])
                schema = known[where, key]["schema"]
                Draft202012Validator(schema).validate(values_of(schema, text))
        for (where, key), item in known.items():
            if item.get("required"):
                assert where == "header" or key in given_[where]
                assert where != "header" or key.lower() in request.headers
        if "requestBody" in described:
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            Draft202012Validator(schema).validate(json.loads(request.content))
        else:
            assert request.content == b""
    assert len(seen) == 8


def objects(schema):
    """With fields besides, since the schema does not forbid them."""
    properties = schema.get("properties", {})
    required = {key: instances(properties[key]) for key in schema.get("required", [])}
    optional = {key: instances(properties[key]) for key in properties.keys() - required.keys()}
    return st.fixed_dictionaries(required, optional=optional | {"unheardOf": st.none()})


def strings(schema):
    if schema.get("format") == "date-time":
        return st.datetimes(timezones=st.just(UTC)).map(
            lambda instant: instant.isoformat().replace("+00:00", "Z")
        )
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


KINDS = {
    "object": objects,
    "string": strings,
    "array": lambda schema: st.lists(instances(schema["items"]), max_size=3),
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
    "integer": lambda schema: st.integers(
        schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)
    ),
}


def instances(schema):
    """Anything that *schema* allows."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return st.one_of(*map(instances, choices))
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of(*(KINDS[kind](schema) for kind in kinds))


def success(name, method, path, status="200"):
    """The schema of a good answer."""
    described, _ = operation(DOCUMENTS[name], method, path)
    return described["responses"][status]["content"]["application/json"]["schema"]


def heard(service, question, answer, principal="1", status=200):
    """What the port makes of *answer*."""

    async def ask(call):
        parts = call.decode(status, json.dumps(answer).encode())
        return Reply({key: Sourced(value, "s", EPOCH) for key, value in parts.items()})

    async def story():
        with entered(Scope(deadline=0.0, request_id="r", principal=principal)):
            return await question(service(ask))

    return asyncio.run(story())


def tweaked(answer, **values):
    """*answer* to the question that was asked: ids are the service's word, and must agree."""
    for item in answer if isinstance(answer, list) else [answer]:
        item.update({key: value for key, value in values.items() if key in item})
    return answer


DRAFT = OrderDraft(
    user_id="1", lines=(OrderLine(product_id="p-1", quantity=1),), payment_method=None
)
PROMISES = [
    (Users, "users", "GET", "/users/1", "200", {"id": "1"}, lambda s: s.by_id("1")),
    (Orders, "orders", "GET", "/orders/o-1", "200", {"id": "o-1", "userId": "1"},
     lambda s: s.by_id("o-1")),
    (Orders, "orders", "POST", "/orders", "201", {"userId": "1"},
     lambda s: s.create(DRAFT, idempotency_key="k", repeatable=False)),
    (Products, "products", "GET", "/products", "200", {}, lambda s: s.by_ids(["p-1"])),
    (Payments, "payments", "GET", "/payments/o-1", "200", {"orderId": "o-1"},
     lambda s: s.by_order("o-1")),
    (Notifications, "notifications", "GET", "/notifications", "200", {"userId": "1"},
     lambda s: s.recent("1", unread_only=False, limit=10)),
    (Notifications, "notifications", "POST", "/notifications/n-1/read", "200",
     {"id": "n-1", "userId": "1"}, lambda s: s.mark_read("n-1")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "name", "method", "path", "status", "agreed", "question"),
    PROMISES,
    ids=[f"{method} {path}" for _, _, method, path, *_ in PROMISES],
)
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_promised_answer_is_understood(
    data, service, name, method, path, status, agreed, question
):
    """Whatever the schema allows can be read, and unheard-of fields do not matter."""
    answer = data.draw(instances(success(name, method, path, status)))
    heard(service, question, tweaked(answer, **agreed), status=int(status))


@pytest.mark.parametrize("shape", ["list", "page"])
@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_both_shapes_of_a_list_of_orders_are_understood(data, shape):
    """An array without `after`; a page with it."""
    schemas = DOCUMENTS["orders"]["components"]["schemas"]
    schema = resolved(DOCUMENTS["orders"], schemas["Order" if shape == "list" else "OrderPage"])
    if shape == "list":
        orders = data.draw(st.lists(instances(schema), max_size=3))
        found = heard(Orders, lambda s: s.recent("1", limit=100), tweaked(orders, userId="1"))
        assert [order.id for order in found.value] == [order["id"] for order in orders]
    else:
        page = data.draw(instances(schema))
        tweaked(page["items"], userId="1")
        found = heard(Orders, lambda s: s.page("1", limit=100, after=""), page)
        assert found.value.next == page["next"]
