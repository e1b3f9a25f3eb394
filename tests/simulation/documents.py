"""The texts that clients send."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_FRESHNESS = "freshness { origin cached asOf ageSeconds reason }"
_USER = f"id name email {_FRESHNESS}"
_PRODUCT = f"id name price {{ amount currency }} inStock {_FRESHNESS}"
_NOTE = f"id message read createdAt {_FRESHNESS}"
_PAYMENT = f"id status method {_FRESHNESS}"
_ORDER = (
    f"id status total {{ amount currency }} createdAt {_FRESHNESS}"
    f" items {{ quantity product@ {{ {_PRODUCT} }} }}"
)
_PAID = f"{_ORDER} payment@ {{ {_PAYMENT} }}"
_MARKED = f"""{{ __typename ... on NotificationRead {{ notification {{ {_NOTE} }} }}
  ... on NotificationNotFound {{ id }} }}"""


@dataclass(frozen=True, slots=True)
class Document:
    """A query, where `@` stands behind what may be given less time.

    Attributes:
        kind: "query" or "mutation".
        declares: Its variables.
        text: Its selections.
        sections: The fields that begin with the operation.
        below: Those that begin when the one above is there.
    """

    kind: str
    declares: str
    text: str
    sections: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@lru_cache(maxsize=500)
def written(document: Document, limited: tuple[str, ...]) -> str:
    """As it is sent, with a deadline on the fields that are *limited*, from variables."""

    def deadline(found: re.Match[str]) -> str:
        alias, field, arguments = found.groups(default="")
        name = alias.removesuffix(": ") or field
        limit = f" @deadline(ms: ${name}Ms)" if name in limited else ""
        return f"{alias}{field}{arguments}{limit}"

    declares = ", ".join([document.declares, *(f"${field}Ms: Int!" for field in limited)])
    body = re.sub(r"(\w+: )?(\w+)@(\([^)]*\))?", deadline, document.text)
    head = document.kind + (f" ({declares.strip(', ')})" if declares.strip(", ") else "")
    return f"{head} {{ {body} }}"


DASHBOARD = Document(
    "query",
    "$limit: Int!, $unread: Boolean!, $payments: Boolean!",
    f"""dashboard {{
  user@ {{ {_USER} }}
  recentOrders@(limit: $limit) {{ {_ORDER}
    payment@ @include(if: $payments) {{ {_PAYMENT} }} }}
  notifications@(unread: $unread, limit: 4) {{ {_NOTE} }} }}""",
    ("user", "recentOrders", "notifications"),
    ("product", "payment"),
)
ME = Document("query", "", f"me@ {{ {_USER} }} again: me@ {{ {_USER} }}", ("me", "again"))
ORDERS = Document(
    "query",
    "$a: ID!, $b: ID!",
    f"a: order@(id: $a) {{ {_PAID} }} b: order@(id: $b) {{ {_ORDER} }}",
    ("a", "b"),
)
PAGE = Document(
    "query",
    "$first: Int!",
    f"orders@(first: $first) {{ edges {{ node {{ {_ORDER} }} }} }}",
    ("orders",),
    ("product",),
)
PRODUCTS = Document(
    "query", "$ids: [ID!]!", f"products@(ids: $ids) {{ {_PRODUCT} }}", ("products",)
)
NOTES = Document(
    "query",
    "",
    f"notifications@(first: 3) {{ edges {{ node {{ {_NOTE} }} }} }} me@ {{ {_USER} }}",
    ("notifications", "me"),
)
CREATE = Document(
    "mutation",
    "$input: CreateOrderInput!",
    f"""createOrder(input: $input) {{ __typename
  ... on OrderCreated {{ order {{ {_ORDER} }} }} ... on PaymentQueued {{ order {{ {_ORDER} }} }}
  ... on OrderRejected {{ reason }} ... on OutcomeUnknown {{ idempotencyKey }} }}""",
)
READ = Document("mutation", "$id: ID!", f"markNotificationRead(id: $id) {_MARKED}")
READ_TWO = Document(
    "mutation",
    "$a: ID!, $b: ID!",
    f"a: markNotificationRead(id: $a) {_MARKED} b: markNotificationRead(id: $b) {_MARKED}",
)
