"""Paths on one side, records on the other."""

import asyncio
import json
from decimal import Decimal

import msgspec
import pytest

from datasources.errors import BadReply, Forbidden, NotFound, ServerFault, Unauthorized
from datasources.ports.orders import OrderDraft, OrderLine
from datasources.resilience.pipeline import Reply
from datasources.scope import Scope, entered
from datasources.services.notifications import Notifications
from datasources.services.orders import Orders
from datasources.services.payments import Payments
from datasources.services.products import Products
from datasources.services.users import Users
from datasources.sourced import Sourced
from tests.virtual_time import EPOCH

EUR = {"amount": "12.30", "currency": "EUR"}
USER = {"id": "u1", "name": "Ada", "email": "ada@example.com", "shoe": 41}
ORDER = {
    "id": "o1",
    "userId": "u1",
    "status": "PAID",
    "total": EUR,
    "createdAt": "2026-01-01T08:00:00Z",
    "items": [{"productId": "p1", "quantity": 2, "unitPrice": EUR}],
}
PRODUCT = {"id": "p1", "name": "Lamp", "price": EUR, "stock": 3}
PAYMENT = {"id": "pay1", "orderId": "o1", "status": "CAPTURED", "method": "card", "paidAt": None}
NOTE = {
    "id": "n1",
    "userId": "u1",
    "message": "Hello",
    "read": False,
    "createdAt": "2026-01-01T08:00:00+02:00",
}


class Wire:
    """The inner end of a pipeline: decodes *answer* as the sender would."""

    def __init__(self, answer, status=200):
        self.answer = answer
        self.status = status
        self.calls = []

    async def __call__(self, call, /):
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        parts = call.decode(self.status, body)
        for value in parts.values():
            assert call.route.unpack(call.route.pack(value)) == value
        return Reply(
            {key: Sourced(value, call.route.service, EPOCH) for key, value in parts.items()}
        )


def ask(awaitable, principal="u1"):
    async def story():
        with entered(Scope(deadline=0.0, request_id="r", principal=principal)):
            return await awaitable

    return asyncio.run(story())


def asked(wire):
    [call] = wire.calls
    return call.route.method, call.path, dict(call.params), call.route.scope


@pytest.mark.parametrize(
    ("service", "answer", "question", "request_"),
    [
        (Users, USER, lambda s: s.by_id("u1"), ("GET", "/users/u1", {}, "users:read")),
        (
            Orders,
            [ORDER],
            lambda s: s.recent("u1", limit=5),
            ("GET", "/orders", {"userId": "u1", "limit": "5"}, "orders:read"),
        ),
        (
            Orders,
            {"items": [ORDER], "next": None},
            lambda s: s.page("u1", limit=5, after=""),
            ("GET", "/orders", {"userId": "u1", "limit": "5", "after": ""}, "orders:read"),
        ),
        (Orders, ORDER, lambda s: s.by_id("o1"), ("GET", "/orders/o1", {}, "orders:read")),
        (
            Products,
            [PRODUCT],
            lambda s: s.by_ids(["p2", "p1"]),
            ("GET", "/products", {"ids": "p1,p2"}, "products:read"),
        ),
        (
            Payments,
            PAYMENT,
            lambda s: s.by_order("o1"),
            ("GET", "/payments/o1", {}, "payments:read"),
        ),
        (
            Notifications,
            [NOTE],
            lambda s: s.recent("u1", unread_only=True, limit=10),
            (
                "GET",
                "/notifications",
                {"userId": "u1", "limit": "10", "unread": "true"},
                "notifications:read",
            ),
        ),
        (
            Notifications,
            [NOTE],
            lambda s: s.recent("u1", unread_only=False, limit=10),
            ("GET", "/notifications", {"userId": "u1", "limit": "10"}, "notifications:read"),
        ),
        (
            Notifications,
            NOTE,
            lambda s: s.mark_read("n1"),
            ("POST", "/notifications/n1/read", {}, "notifications:write"),
        ),
    ],
)
def test_what_is_asked(service, answer, question, request_):
    """Method, path, parameters, and the scope that it takes."""
    wire = Wire(answer)
    ask(question(service(wire)))
    assert asked(wire) == request_


def test_records_hold_what_the_graph_shows_exactly():
    """Amounts keep their digits, instants their offsets, and what we do not know is ignored."""
    user = ask(Users(Wire(USER)).by_id("u1")).value
    assert (user.name, user.phone, user.created_at) == ("Ada", None, None)
    order = ask(Orders(Wire(ORDER)).by_id("o1")).value
    assert (str(order.total.amount), order.items[0].quantity) == ("12.30", 2)
    note = ask(Notifications(Wire([NOTE])).recent("u1", unread_only=True, limit=1)).value[0]
    assert note.created_at.isoformat() == "2026-01-01T08:00:00+02:00"


def test_orders_are_placed_with_their_key():
    """Exactly what was asked for, once per key; 202 says that the payment is queued."""
    draft = OrderDraft(
        user_id="u1", lines=(OrderLine(product_id="p1", quantity=2),), payment_method="card"
    )
    wire = Wire(ORDER, 201)
    placed = ask(Orders(wire).create(draft, idempotency_key="k1", repeatable=True))
    [call] = wire.calls
    assert (call.path, call.route.method, call.idempotency_key, call.repeatable, call.keys) == (
        "/orders",
        "POST",
        "k1",
        True,
        (),
    )
    assert json.loads(call.body) == {
        "userId": "u1",
        "items": [{"productId": "p1", "quantity": 2}],
        "paymentMethod": "card",
    }
    assert (placed.order.value.id, placed.payment_queued) == ("o1", False)
    queued = ask(Orders(Wire(ORDER, 202)).create(draft, idempotency_key="k", repeatable=False))
    assert queued.payment_queued


def test_without_a_payment_method_none_is_sent():
    """The service has its own default."""
    draft = OrderDraft(
        user_id="u1", lines=(OrderLine(product_id="p1", quantity=1),), payment_method=None
    )
    wire = Wire(ORDER)
    ask(Orders(wire).create(draft, idempotency_key="k", repeatable=False))
    assert "paymentMethod" not in json.loads(wire.calls[0].body)


@pytest.mark.parametrize(
    ("service", "answer", "question"),
    [
        (Users, USER | {"id": "u2"}, lambda s: s.by_id("u1")),
        (Orders, [ORDER | {"userId": "u2"}], lambda s: s.recent("u1", limit=5)),
        (
            Orders,
            {"items": [ORDER | {"userId": "u2"}]},
            lambda s: s.page("u1", limit=5, after=""),
        ),
        (Orders, ORDER | {"id": "o2"}, lambda s: s.by_id("o1")),
        (Payments, PAYMENT | {"orderId": "o2"}, lambda s: s.by_order("o1")),
        (
            Notifications,
            [NOTE | {"userId": "u2"}],
            lambda s: s.recent("u1", unread_only=True, limit=5),
        ),
        (Users, {"id": "u1", "name": "Ada"}, lambda s: s.by_id("u1")),
        (Users, USER | {"name": 5}, lambda s: s.by_id("u1")),
        (Orders, ORDER | {"createdAt": "2026-01-01T08:00:00"}, lambda s: s.by_id("o1")),
        (Orders, ORDER | {"total": EUR | {"amount": "NaN"}}, lambda s: s.by_id("o1")),
        (Orders, ORDER | {"total": EUR | {"amount": "Infinity"}}, lambda s: s.by_id("o1")),
        (Orders, ORDER | {"total": EUR | {"amount": "1E+999999999"}}, lambda s: s.by_id("o1")),
        (Orders, ORDER | {"total": EUR | {"amount": "0." + "1" * 30}}, lambda s: s.by_id("o1")),
        (
            Orders,
            ORDER | {"items": [ORDER["items"][0] | {"quantity": 2**31}]},
            lambda s: s.by_id("o1"),
        ),
        (Orders, ORDER | {"createdAt": "0001-01-01T00:00:00+01:00"}, lambda s: s.by_id("o1")),
        (Orders, ORDER | {"createdAt": "9999-12-31T23:59:59-01:00"}, lambda s: s.by_id("o1")),
        (Users, USER | {"createdAt": "0001-01-01T00:00:00+01:00"}, lambda s: s.by_id("u1")),
        (Payments, PAYMENT | {"paidAt": "0001-01-01T00:00:00+01:00"}, lambda s: s.by_order("o1")),
        (
            Notifications,
            NOTE | {"createdAt": "0001-01-01T00:00:00+01:00"},
            lambda s: s.mark_read("n1"),
        ),
        (Notifications, NOTE | {"id": "n2"}, lambda s: s.mark_read("n1")),
        (Orders, ORDER | {"total": EUR | {"currency": "eur<>"}}, lambda s: s.by_id("o1")),
        (Orders, {"items": [], "next": "x" * 5000}, lambda s: s.page("u1", limit=5, after="")),
        (Products, {"items": []}, lambda s: s.by_ids(["p1"])),
        (Users, b'{"id":"u1","name":"\\ud800","email":"e"}', lambda s: s.by_id("u1")),
    ],
)
def test_what_is_not_what_was_asked_for_is_refused(service, answer, question):
    """Somebody else's data, missing or senseless fields: `decode` raises, so it counts as bad."""
    with pytest.raises((ValueError, OverflowError, msgspec.MsgspecError)):
        ask(question(service(Wire(answer))))


def test_another_users_order_is_as_missing_as_one_that_never_was():
    """Same error, and nothing to keep."""
    for answer in (ORDER | {"userId": "u2"}, NotFound("orders")):
        with pytest.raises(NotFound):
            ask(Orders(Wire(answer)).by_id("o1"))


@pytest.mark.parametrize(
    "question",
    [lambda wire: Orders(wire).by_id("o1"), lambda wire: Notifications(wire).mark_read("n1")],
)
def test_forbidden_is_missing_too(question):
    """That it exists is not ours to tell; that our own credentials are not accepted, is."""
    with pytest.raises(NotFound):
        ask(question(Wire(Forbidden("orders"))))
    with pytest.raises(Unauthorized):
        ask(question(Wire(Unauthorized("orders"))))


def test_another_users_notification_likewise():
    """Whatever the service did with it."""
    with pytest.raises(NotFound):
        ask(Notifications(Wire(NOTE | {"userId": "u2"})).mark_read("n1"))


def test_more_than_was_asked_for_is_cut():
    """A service that knows no limits."""
    orders = [ORDER | {"id": f"o{number}"} for number in range(9)]
    assert len(ask(Orders(Wire(orders)).recent("u1", limit=5)).value) == 5
    assert (
        len(ask(Notifications(Wire([NOTE] * 9)).recent("u1", unread_only=True, limit=5)).value) == 5
    )


def test_products_come_by_id_whatever_the_order():
    """Unknown ones are absent, unasked ones ignored."""
    wire = Wire([PRODUCT | {"id": "p9"}, PRODUCT | {"id": "p2"}, PRODUCT])
    found = ask(Products(wire).by_ids(["p1", "p2", "p3"]))
    assert {key: part.value.id for key, part in found.items()} == {"p1": "p1", "p2": "p2"}
    assert found["p1"].value.price.amount == Decimal("12.30")


@pytest.mark.parametrize("value", ["..", "SKU/1", "", "a" * 65])
def test_a_product_id_that_is_none_fails_alone(value):
    """It was said by another service; the others of the batch are asked for."""
    wire = Wire([PRODUCT])
    found = ask(Products(wire).by_ids([value, "p1"]))
    assert (type(found[value]), found["p1"].value.id) == (BadReply, "p1")
    assert asked(wire)[2] == {"ids": "p1"}
    nobody = Wire([])
    assert list(ask(Products(nobody).by_ids([value]))) == [value]
    assert nobody.calls == []


def test_only_what_was_asked_for_is_read():
    """A product that a service adds of its own accord is nobody's business."""
    wire = Wire([PRODUCT])
    ask(Products(wire).by_ids(["p1"]))
    body = json.dumps([PRODUCT, PRODUCT | {"id": "p9"}]).encode()
    assert list(wire.calls[0].decode(200, body)) == ["p1"]


def test_products_are_everybodys_and_the_rest_is_personal():
    """Decides what callers may share."""
    wire = Wire([PRODUCT])
    ask(Products(wire).by_ids(["p1"]))
    others = Wire(USER)
    ask(Users(others).by_id("u1"))
    assert (wire.calls[0].route.personal, others.calls[0].route.personal) == (False, True)


@pytest.mark.parametrize(
    ("service", "answer", "questions"),
    [
        (Orders, [], [lambda s: s.recent("u1", limit=5), lambda s: s.recent("u1", limit=6)]),
        (
            Orders,
            {"items": []},
            [
                lambda s: s.page("u1", limit=5, after=""),
                lambda s: s.page("u1", limit=5, after="x"),
                lambda s: s.page("u1", limit=6, after=""),
            ],
        ),
        (
            Notifications,
            [],
            [
                lambda s: s.recent("u1", unread_only=True, limit=5),
                lambda s: s.recent("u1", unread_only=False, limit=5),
                lambda s: s.recent("u1", unread_only=True, limit=6),
            ],
        ),
    ],
)
def test_different_questions_have_different_keys(service, answer, questions):
    """Or one would be answered with what is kept for another."""
    wire = Wire(answer)
    for question in questions:
        ask(question(service(wire)))
    assert len({call.keys for call in wire.calls}) == len(questions)


@pytest.mark.parametrize(
    ("service", "first", "second", "question"),
    [
        (Users, USER, USER | {"id": "u2"}, lambda s, n: s.by_id(f"u{n}")),
        (Orders, ORDER, ORDER | {"id": "o2"}, lambda s, n: s.by_id(f"o{n}")),
        (Payments, PAYMENT, PAYMENT | {"orderId": "o2"}, lambda s, n: s.by_order(f"o{n}")),
    ],
)
def test_different_records_have_different_keys(service, first, second, question):
    """As above, for what is asked for by id."""
    wires = [Wire(first), Wire(second)]
    for number, wire in enumerate(wires, 1):
        ask(question(service(wire), number))
    assert wires[0].calls[0].keys != wires[1].calls[0].keys


def test_messages_are_marked_under_keys_of_their_own():
    """So that the service can tell a repeat from another message."""
    wires = [Wire(NOTE), Wire(NOTE | {"id": "n2", "userId": None})]
    for number, wire in enumerate(wires, 1):
        marked = ask(Notifications(wire).mark_read(f"n{number}"))
        assert marked.value.id == f"n{number}"
    assert [wire.calls[0].idempotency_key for wire in wires] == ["read-n1", "read-n2"]


def test_a_message_need_not_repeat_to_whom_it_is():
    """It was asked for by user."""
    wire = Wire([{key: value for key, value in NOTE.items() if key != "userId"}])
    assert len(ask(Notifications(wire).recent("u1", unread_only=True, limit=5)).value) == 1


def test_the_longest_id_is_one():
    """Sixty-four characters."""
    wire = Wire(USER | {"id": "a" * 64})
    assert ask(Users(wire).by_id("a" * 64), "a" * 64).value.id == "a" * 64


def test_a_failing_batch_fails_each_product():
    """With the same error."""
    failure = ServerFault("products", 503)
    assert ask(Products(Wire(failure)).by_ids(["p1", "p2"])) == {"p1": failure, "p2": failure}


def test_a_partial_batch_says_so_for_each():
    """Old values for some, the failure for the others."""
    failure = ServerFault("products", 503)
    part = Sourced("old", "products", EPOCH)

    async def answer(call):
        return Reply({"p1": part}, failure)

    assert ask(Products(answer).by_ids(["p1", "p2"])) == {"p1": part, "p2": failure}


def test_a_batch_can_be_narrowed():
    """To the same question for fewer ids."""
    wire = Wire([PRODUCT])
    ask(Products(wire).by_ids(["p1", "p2", "p3"]))
    narrowed = wire.calls[0].narrow(("p2",))
    assert (narrowed.keys, narrowed.params) == (("p2",), {"ids": "p2"})


@pytest.mark.parametrize("value", ["..", "a/b", "", "%2e", "a" * 65, "a?b", "\uff11"])
def test_what_is_no_id_never_becomes_a_path(value):
    """Nothing is asked."""
    wire = Wire(USER)
    for question in (
        lambda: Users(wire).by_id(value),
        lambda: Orders(wire).by_id(value),
        lambda: Payments(wire).by_order(value),
        lambda: Notifications(wire).mark_read(value),
    ):
        with pytest.raises(BadReply):
            ask(question())
    assert wire.calls == []
