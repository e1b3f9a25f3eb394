"""The graph as clients see it, held to what was promised."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import pytest
from graphql import build_schema as core_schema
from graphql import (
    find_breaking_changes,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_scalar_type,
)
from graphql.utilities.print_schema import print_input_value
from strawberry.permission import PermissionExtension

from datasources import sourced
from schema.clients.web import build_schema
from schema.permissions import HasScope, IsAuthenticated
from schema.types.freshness import DegradedReason, Origin
from tests.unit.schema.house import CORE, SCHEMA

SDL = Path("schema/sdl/web.graphql")

PROMISED = """
type Query {
  dashboard: Dashboard!  me: User  order(id: ID!): Order
  orders(first: Int! = 20, after: String): OrderConnection
  product(id: ID!): Product  products(ids: [ID!]!): [Product]!
  notifications(unread: Boolean, first: Int! = 20, after: String): NotificationConnection
  services: [ServiceStatus!]!
}
type Dashboard {
  user: User  recentOrders(limit: Int! = 5): [Order!]
  notifications(unread: Boolean! = true, limit: Int! = 10): [Notification!]
}
interface Sourced { freshness: Freshness! }
type Freshness {
  origin: Origin!  cached: Boolean!  asOf: DateTime!  ageSeconds: Float!  reason: DegradedReason
}
enum Origin { LIVE CACHE STALE }
enum DegradedReason {
  CIRCUIT_OPEN TIMEOUT UNREACHABLE SERVER_ERROR BAD_REPLY OVERLOADED DEADLINE REVALIDATING
}
type User implements Sourced {
  id: ID!  name: String!  email: String!  phone: String  tier: String  createdAt: DateTime
  freshness: Freshness!
}
type Order implements Sourced {
  id: ID!  status: OrderStatus!  total: Money!  createdAt: DateTime!  items: [OrderItem!]!
  payment: Payment  freshness: Freshness!
}
type OrderItem { quantity: Int!  unitPrice: Money!  product: Product }
type Product implements Sourced {
  id: ID!  name: String!  price: Money!  description: String  inStock: Boolean!
  freshness: Freshness!
}
type Payment implements Sourced {
  id: ID!  status: PaymentStatus!  method: String!  paidAt: DateTime  freshness: Freshness!
}
type Notification implements Sourced {
  id: ID!  message: String!  read: Boolean!  createdAt: DateTime!  freshness: Freshness!
}
type Money { amount: Decimal!  currency: String! }
enum OrderStatus { PENDING PAID SHIPPED DELIVERED CANCELLED UNKNOWN }
enum PaymentStatus { PENDING CAPTURED REFUNDED FAILED QUEUED UNKNOWN }
type PageInfo {
  hasNextPage: Boolean!  hasPreviousPage: Boolean!  startCursor: String  endCursor: String
}
type OrderConnection { edges: [OrderEdge!]!  pageInfo: PageInfo! }
type OrderEdge { cursor: String!  node: Order! }
type NotificationConnection { edges: [NotificationEdge!]!  pageInfo: PageInfo! }
type NotificationEdge { cursor: String!  node: Notification! }
type ServiceStatus {
  name: String!  breaker: String!  failingSince: DateTime  servingStale: Boolean!
  lastSuccess: DateTime
}
type Mutation {
  createOrder(input: CreateOrderInput!): CreateOrderResult!
  markNotificationRead(id: ID!): MarkNotificationReadResult!
}
input CreateOrderInput {
  items: [OrderItemInput!]!  paymentMethod: String  idempotencyKey: String
}
input OrderItemInput { productId: ID!  quantity: Int! }
union CreateOrderResult = OrderCreated | OrderRejected | PaymentQueued | OutcomeUnknown
type OrderCreated { order: Order! }
type PaymentQueued { order: Order! }
type OrderRejected { reason: OrderRejectionReason!  message: String! }
enum OrderRejectionReason {
  PAYMENT_DECLINED UNKNOWN_PRODUCT OUT_OF_STOCK INVALID_ITEMS IDEMPOTENCY_CONFLICT UNKNOWN
}
type OutcomeUnknown { idempotencyKey: String!  message: String! }
union MarkNotificationReadResult = NotificationRead | NotificationNotFound
type NotificationRead { notification: Notification! }
type NotificationNotFound { id: ID! }
scalar DateTime
scalar Decimal
"""


def test_the_committed_file_is_the_schema():
    """What was added or changed is in it; `make docs` writes it anew."""
    assert SDL.read_text() == f"{build_schema().as_str()}\n"


def kinds_of(schema):
    return {
        name: kind
        for name, kind in schema.type_map.items()
        if not name.startswith("__") and not is_scalar_type(kind)
    }


def promises(kind):
    """Names, nullability, arguments and defaults; no descriptions and no order."""
    if is_enum_type(kind):
        return set(kind.values)
    if is_input_object_type(kind):
        return {(name, str(field.type)) for name, field in kind.fields.items()}
    if is_object_type(kind) or is_interface_type(kind):
        fields = kind.fields.items()
        return (
            {interface.name for interface in kind.interfaces}
            | {(name, str(field.type)) for name, field in fields}
            | {
                (name, print_input_value(key, argument))
                for name, field in fields
                for key, argument in field.args.items()
            }
        )
    return {member.name for member in kind.types}


@pytest.mark.parametrize("name", kinds_of(core_schema(PROMISED)))
def test_nothing_promised_is_missing(name):
    """Type, fields, arguments, defaults, nullability, enum values, members.

    Whatever is added besides stands in the committed file.
    """
    assert name in CORE.type_map
    assert promises(core_schema(PROMISED).type_map[name]) - promises(CORE.type_map[name]) == set()


def test_who_asks_for_what_was_promised_is_answered():
    """No argument or input field that they do not know of has become required."""
    assert find_breaking_changes(core_schema(PROMISED), CORE) == []


def described(schema):
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        yield name, kind.description
        for key, value in getattr(kind, "values", {}).items():
            yield f"{name}.{key}", value.description
        for key, field in getattr(kind, "fields", {}).items():
            yield f"{name}.{key}", field.description
            for argument, definition in getattr(field, "args", {}).items():
                yield f"{name}.{key}({argument})", definition.description


def test_everything_is_described():
    """Types, fields, arguments and enum values; sentences, not echoes."""
    assert [
        name for name, text in described(CORE) if not text or not text.endswith((".", "`"))
    ] == []


def definitions():
    for kind in (CORE.query_type, CORE.mutation_type):
        for name, field in kind.fields.items():
            yield pytest.param(field.extensions["strawberry-definition"], id=name)


@pytest.mark.parametrize("field", list(definitions()))
def test_every_root_field_asks_who_is_there(field):
    """Before anything else; `services` also for a scope."""
    (guard,) = field.extensions
    assert isinstance(guard, PermissionExtension)
    assert isinstance(guard.permissions[0], IsAuthenticated)
    others = [type(permission) for permission in guard.permissions[1:]]
    assert others == ([HasScope] if field.name == "services" else [])


def test_our_enums_are_those_of_datasources():
    """A reason that datasources learns must be shown."""
    assert [origin.name for origin in Origin] == [origin.name for origin in sourced.Origin]
    assert [reason.name for reason in DegradedReason] == [reason.name for reason in sourced.Reason]


def test_resolvers_are_short():
    """Five statements are enough, or the work belongs elsewhere."""
    for kind in CORE.type_map.values():
        for field in getattr(kind, "fields", {}).values():
            definition = getattr(field, "extensions", {}).get("strawberry-definition")
            resolver = getattr(definition, "base_resolver", None)
            if resolver is None:
                continue
            source = textwrap.dedent(inspect.getsource(resolver.wrapped_func))
            (function,) = ast.parse(source).body
            assert len(function.body) <= 5, definition.name


def test_schemas_are_independent():
    """Building one twice shares nothing that could be changed."""
    assert build_schema() is not SCHEMA
