"""The ports that fields ask, once for each importance, and when what they ask for is due."""

from __future__ import annotations

from collections.abc import Mapping

from datasources.importance import Importance
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.scope import current_scope
from datasources.services.notifications import Notifications
from datasources.services.orders import Orders
from datasources.services.payments import Payments
from datasources.services.products import Products
from datasources.services.users import Users
from schema.sources import Sources


def weighed_sources(pipelines: Mapping[str, Handler]) -> Mapping[Importance, Sources]:
    """The ports over the *pipelines* of the services, with every call marked as that important."""
    return {importance: _sources(pipelines, importance) for importance in Importance}


def due() -> float:
    """When what is asked for now is due, to a hundredth of a second (monotonic seconds).

    The fields of a list begin one after the other: those that may take equally long share a batch.
    """
    return round(current_scope().deadline, 2)


def _sources(pipelines: Mapping[str, Handler], importance: Importance) -> Sources:
    ask = {name: _weighed(pipeline, importance) for name, pipeline in pipelines.items()}
    return Sources(
        users=Users(ask["users"]),
        orders=Orders(ask["orders"]),
        products=Products(ask["products"]),
        payments=Payments(ask["payments"]),
        notifications=Notifications(ask["notifications"]),
    )


def _weighed(ask: Handler, importance: Importance) -> Handler:
    if importance is Importance.CRITICAL:
        return ask  # as calls are made

    async def handler(call: Call[V], /) -> Reply[V]:
        return await ask(call.but(importance=importance))

    return handler
