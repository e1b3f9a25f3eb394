"""What each service does when it is well."""

import httpx
import pytest

from examples.upstreams.fleet import InProcessTransport
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now

AMOUNT = {"amount": "12.34", "currency": "EUR"}


def problem(response):
    return response.status_code, response.json()["error"]["code"]


async def test_a_user_sees_himself(shop):
    """Everything about him, and nothing of anybody else."""
    user = (await shop.ask("users", "/users/1")).json()
    assert user["id"] == "1"
    fields = {"id", "name", "email", "phone", "tier", "address", "createdAt"}
    assert set(user) == fields
    assert set(user["address"]) == {"street", "city", "zip"}


PERSONAL = [
    ("users", "/users/{}", 403),
    ("orders", "/orders?userId={}", 403),
    ("orders", "/orders/o-{}-1", 404),
    ("payments", "/payments/o-{}-1", 404),
    ("notifications", "/notifications?userId={}", 403),
]


async def test_nobody_sees_what_is_another_users(shop):
    """Refused, and in the same words whether or not it is there."""
    for service, path, status in PERSONAL:
        refused = await shop.ask(service, path.format("2"))
        missing = await shop.ask(service, path.format("99999"))
        assert refused.status_code == missing.status_code == status, path
        assert refused.content == missing.content, path


async def test_the_orders_service_sees_everybody(shop):
    """On its own account, with its own token."""
    orders = Signer("orders", utc_now)
    forged = {"Authorization": f"Bearer {orders.token('users', 'users:read')}"}
    transport = InProcessTransport(shop.fleet.apps["users"])
    async with httpx.AsyncClient(transport=transport, base_url="http://users") as client:
        assert (await client.get("/users/2", headers=forged)).status_code == 401
    # The real one has just looked somebody up, or there would be no order.
    assert (await shop.order("one", {"p-1": 1}, user="2")).status_code == 201


SCOPES = [
    ("users", "GET", "/users/1", "users:read"),
    ("orders", "GET", "/orders?userId=1", "orders:read"),
    ("orders", "GET", "/orders/o-1-1", "orders:read"),
    ("orders", "POST", "/orders", "orders:write"),
    ("products", "GET", "/products?ids=p-1", "products:read"),
    ("products", "GET", "/products/p-1", "products:read"),
    ("payments", "GET", "/payments/o-1-1", "payments:read"),
    ("payments", "POST", "/charges", "payments:write"),
    ("notifications", "GET", "/notifications?userId=1", "notifications:read"),
    ("notifications", "POST", "/notifications", "notifications:write"),
    ("notifications", "POST", "/notifications/n-1/read", "notifications:write"),
]


async def test_each_operation_needs_its_scope(shop):
    """401 without a token, 403 with all scopes but the one, and anything else with it."""
    for service, method, path, scope in SCOPES:
        bare = await shop.ask(service, path, method=method, headers={"Authorization": ""})
        assert problem(bare) == (401, "UNAUTHENTICATED")
        assert bare.headers["www-authenticate"] == "Bearer"
        others = " ".join(sorted({each for *_, each in SCOPES} - {scope}))
        answer = await shop.ask(service, path, method=method, scope=others)
        assert problem(answer) == (403, "FORBIDDEN"), scope
        allowed = await shop.ask(service, path, method=method, scope=scope)
        assert allowed.status_code not in {401, 403}, scope


@pytest.mark.parametrize("service", ["orders", "notifications"])
async def test_a_limit_is_from_1_to_1000(shop, service):
    """Anything else is a bad request."""
    for limit in ("0", "1001", "-1", "x", "", "1.5", "9" * 5000):
        answer = await shop.ask(service, f"/{service}?userId=1&limit={limit}")
        assert problem(answer) == (400, "BAD_REQUEST"), limit
    for limit in ("1", "1000"):
        answer = await shop.ask(service, f"/{service}?userId=1&limit={limit}")
        assert answer.status_code == 200, limit


async def test_orders_are_newest_first(shop):
    """As many as asked for; 20 unless asked."""
    everything = (await shop.ask("orders", "/orders?userId=1&limit=1000")).json()
    days = [order["createdAt"] for order in everything]
    assert days == sorted(days, reverse=True)
    assert len(days) >= 8
    assert (await shop.ask("orders", "/orders?userId=1&limit=3")).json() == everything[:3]
    assert (await shop.ask("orders", "/orders?userId=1")).json() == everything[:20]


async def test_pages_go_on_where_they_were_when_orders_arrive(shop):
    """Walking the pages gives every order once, whatever is placed meanwhile."""
    everything = (await shop.ask("orders", "/orders?userId=1&limit=1000")).json()
    seen, cursor = [], ""
    while cursor is not None:
        path = f"/orders?userId=1&limit=5&after={cursor}"
        page = (await shop.ask("orders", path)).json()
        seen += page["items"]
        cursor = page["next"]
        assert (await shop.order(f"meanwhile-{cursor}", {"p-1": 1})).status_code == 201
    assert seen == everything


async def test_a_cursor_is_one_that_was_given_out(shop):
    """Anything else is a bad request."""
    huge = "WyJ-Iiw5OTk5OTk5OTk5OTk5OTk5OTk5OV0"  # ["~",99999999999999999999]
    for cursor in ("x", "!", "bnVsbA", huge, "ü", "A" * 5000):
        answer = await shop.ask("orders", f"/orders?userId=1&after={cursor}")
        assert problem(answer) == (400, "BAD_REQUEST"), cursor


async def test_products_come_in_batches(shop):
    """Unknown ones are absent; at most a hundred."""
    found = (await shop.ask("products", "/products?ids=p-3,p-1,nothing,p-1")).json()
    assert sorted(product["id"] for product in found) == ["p-1", "p-3"]
    assert (await shop.ask("products", "/products/p-3")).json() in found
    hundred = ",".join(f"p-{number}" for number in range(1, 101))
    assert len((await shop.ask("products", f"/products?ids={hundred}")).json()) == 100
    for ids in (hundred + ",p-101", "", "p-1,", "../x"):
        answer = await shop.ask("products", f"/products?ids={ids}")
        assert problem(answer) == (400, "BAD_REQUEST")
    assert problem(await shop.ask("products", "/products/p-999999")) == (404, "NOT_FOUND")


async def charge(shop, key, order="o-1-new", **more):
    body = {"orderId": order, "amount": AMOUNT, "method": "card"} | more
    headers = {"Idempotency-Key": key}
    return await shop.ask("payments", "/charges", method="POST", headers=headers, json=body)


async def test_a_key_charges_once(shop):
    """The same answer to the same key; another charge under it is a conflict."""
    first = await charge(shop, "k")
    again = await charge(shop, "k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == (await shop.ask("payments", "/payments/o-1-new")).json()
    assert first.json()["status"] == "CAPTURED"
    assert problem(await charge(shop, "k", method="paypal")) == (409, "IDEMPOTENCY_CONFLICT")
    assert problem(await charge(shop, "k2")) == (409, "ALREADY_CHARGED")


async def test_a_declined_card_is_declined_again(shop):
    """402 each time, and the payment has failed."""
    for _ in range(2):
        answer = await charge(shop, "k", method="declined-card")
        assert problem(answer) == (402, "PAYMENT_DECLINED")
    payment = (await shop.ask("payments", "/payments/o-1-new")).json()
    assert (payment["status"], payment["paidAt"]) == ("FAILED", None)


SENSELESS = [
    {"amount": {"amount": "0.00", "currency": "EUR"}},
    {"amount": {"amount": "1.00", "currency": "USD"}},
    {"amount": {"amount": "1", "currency": "EUR"}},
    {"amount": {"amount": "-1.00", "currency": "EUR"}},
    {"amount": {"amount": "\u0661.00", "currency": "EUR"}},
    {"amount": {"amount": "1.00\n", "currency": "EUR"}},
    {"amount": 1},
    {"orderId": "../x"},
    {"orderId": "a\n"},
    {"method": ""},
]


async def test_a_charge_must_make_sense(shop):
    """Some euros, for an order, by some method."""
    for more in SENSELESS:
        assert problem(await charge(shop, "k", **more)) == (400, "BAD_REQUEST"), more


@pytest.mark.parametrize(("service", "path"), [("payments", "/charges"), ("orders", "/orders")])
async def test_a_write_needs_a_key(shop, service, path):
    """Of 1 to 255 visible characters, for charges and for orders."""
    for headers in ({}, *({"Idempotency-Key": key} for key in ("", "a b", "x" * 256))):
        answer = await shop.ask(service, path, method="POST", headers=headers, json={})
        assert problem(answer) == (400, "BAD_REQUEST")
        assert "Idempotency-Key" in answer.json()["error"]["message"]


async def test_nobody_charges_for_another(shop):
    """The owner of a new payment is the subject of the token."""
    assert problem(await charge(shop, "k", userId="2")) == (403, "FORBIDDEN")
    assert (await charge(shop, "k", userId="1")).status_code == 201


async def notify(shop, **body):
    return await shop.ask("notifications", "/notifications", method="POST", json=body)


async def test_a_message_with_a_key_is_sent_once(shop):
    """The second one changes nothing; without a key each is new, and keys are the user's own."""
    first = await notify(shop, userId="1", message="Hello", key="k")
    again = await notify(shop, userId="1", message="Hello again", key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    for _ in range(2):
        assert (await notify(shop, userId="1", message="News")).status_code == 201
    assert (await shop.messages())[:3] == ["News", "News", "Hello"]


async def test_reading_takes_a_message_off_the_unread(shop):
    """Twice is once; what is not one's own is not there."""
    unread = (await shop.ask("notifications", "/notifications?userId=1&unread=true")).json()
    assert len(unread) >= 4
    path = f"/notifications/{unread[0]['id']}/read"
    for _ in range(2):
        answer = await shop.ask("notifications", path, method="POST")
        assert answer.json() == unread[0] | {"read": True}
    left = (await shop.ask("notifications", "/notifications?userId=1&unread=true")).json()
    assert left == unread[1:]
    for missing, user in ((path, "2"), ("/notifications/n-999999/read", "1"), ("/x/y/z", "1")):
        answer = await shop.ask("notifications", missing, method="POST", user=user)
        assert problem(answer) == (404, "NOT_FOUND")


async def test_unread_is_true_or_false(shop):
    """Anything else is a bad request."""
    answer = await shop.ask("notifications", "/notifications?userId=1&unread=yes")
    assert problem(answer) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("service", "path"),
    [("payments", "/charges"), ("orders", "/orders"), ("notifications", "/notifications")],
)
async def test_a_body_must_be_a_json_object(shop, service, path):
    """Anything else is a bad request, never a 500."""
    headers = {"Idempotency-Key": "k"}
    deep = b"[" * 60_000
    for body in (b"", b"{", b"[]", b"null", b'{"userId":"\\ud800"}', b"\xff", deep):
        answer = await shop.ask(service, path, method="POST", headers=headers, content=body)
        assert problem(answer) == (400, "BAD_REQUEST"), body[:50]


async def test_a_body_must_be_short(shop):
    """65 KiB are too much."""
    answer = await shop.ask("notifications", "/notifications", method="POST", content=b" " * 65537)
    assert problem(answer) == (413, "TOO_LARGE")


async def test_what_there_is_not_is_an_error_in_json(shop):
    """An unknown path, a slash too many, and a method that is not there."""
    for path in ("/", "/nothing", "/orders/"):
        assert problem(await shop.ask("orders", path)) == (404, "NOT_FOUND")
    answer = await shop.ask("orders", "/orders", method="DELETE")
    assert problem(answer) == (405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
