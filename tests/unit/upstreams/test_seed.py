"""What the services know before anybody asks."""

from collections import Counter

import pytest

from examples.upstreams.seed import REFERENCE, world
from examples.upstreams.values import instant


def test_it_is_the_same_every_time():
    """Two worlds of one seed are equal; those of two seeds are not."""
    assert world.__wrapped__(1) == world(1)
    assert world.__wrapped__(2) != world(1)


def test_it_is_large_enough():
    """At least 200 users, 300 products and 2,000 orders, each under an id of its own."""
    for rows, least in ((world().users, 200), (world().products, 300), (world().orders, 2000)):
        assert len({row.id for row in rows}) == len(rows) >= least
    assert len({product.name for product in world().products}) == len(world().products)


def test_orders_add_up():
    """A total is the sum of its lines, at the prices of the products; nobody buys one twice."""
    prices = {product.id: product.cents for product in world().products}
    sums = Counter()
    bought = set()
    for line in world().lines:
        assert line.unit_cents == prices[line.product_id]
        assert (line.order_id, line.product_id) not in bought
        bought.add((line.order_id, line.product_id))
        sums[line.order_id] += line.quantity * line.unit_cents
    assert sums == {order.id: order.cents for order in world().orders}


def test_every_order_has_a_payment_that_fits():
    """One of the same amount and user, captured where the goods are on their way."""
    payments = {payment.order_id: payment for payment in world().payments}
    assert len(payments) == len(world().payments) == len(world().orders)
    for order in world().orders:
        payment = payments[order.id]
        assert (payment.user_id, payment.cents) == (order.user_id, order.cents)
        if order.status in {"PAID", "SHIPPED", "DELIVERED"}:
            assert payment.status == "CAPTURED"
        assert (payment.paid_at is None) == (payment.status in {"PENDING", "QUEUED", "FAILED"})
    assert {payment.status for payment in world().payments} == {
        *("PENDING", "CAPTURED", "REFUNDED", "FAILED", "QUEUED")
    }


def test_the_past_is_in_order():
    """Orders are oldest first, numbered so for each user, and none is of the future."""
    assert [order.created_at for order in world().orders] == sorted(
        order.created_at for order in world().orders
    )
    numbers = Counter()
    for order in world().orders:
        numbers[order.user_id] += 1
        assert order.id == f"o-{order.user_id}-{numbers[order.user_id]}"
    assert world().orders[-1].created_at <= instant(REFERENCE)


@pytest.mark.parametrize("status", ["PENDING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"])
def test_every_status_occurs(status):
    """So that a dashboard shows all of them."""
    assert any(order.status == status for order in world().orders)


def test_user_1_has_a_full_dashboard():
    """Eight orders or more, each of several products, and four unread messages or more."""
    orders = [order.id for order in world().orders if order.user_id == "1"]
    lines = Counter(line.order_id for line in world().lines)
    assert len(orders) >= 8
    assert min(lines[order] for order in orders) >= 2
    unread = [each for each in world().notifications if each.user_id == "1" and not each.read]
    assert len(unread) >= 4


def test_some_products_are_sold_out():
    """And most are not."""
    sold_out = sum(product.stock == 0 for product in world().products)
    assert 10 <= sold_out <= 50
