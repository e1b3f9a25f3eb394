"""Who can be asked."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.ports.notifications import NotificationPort
from datasources.ports.orders import OrderPort
from datasources.ports.payments import PaymentPort
from datasources.ports.products import ProductPort
from datasources.ports.users import UserPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The ports that fields of one importance ask; filled in `bff.wiring`, faked in tests."""

    users: UserPort
    orders: OrderPort
    products: ProductPort
    payments: PaymentPort
    notifications: NotificationPort
