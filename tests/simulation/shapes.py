"""How what a service says looks in the graph: a second opinion on `schema.types`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.simulation.exchanges import Key

_STATUSES = {"PENDING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"}


def nodes_of(value: Any) -> list[Any]:
    """The objects of a section: of a list, of a page, or the only one."""
    if isinstance(value, list):
        return value
    if "edges" in value:
        return [edge["node"] for edge in value["edges"]]
    return [value]


def same(key: Key, nodes: list[Any], said: Any) -> bool:
    """Whether *nodes* show what was *said* about *key*."""
    kind = key[0]
    if kind == "page":
        said = said["items"]
    records = said if isinstance(said, list) else [said]
    if kind == "notes" and len(nodes) == 3 < len(records):
        records = records[:3]  # one more is asked for, to know whether there is another page
    if len(nodes) != len(records):
        return False
    shows = _SHOWS[kind]
    return all(shows(node, record) for node, record in zip(nodes, records, strict=True))


def _user(node: Any, record: Any) -> bool:
    return all(node[name] == record[name] for name in ("id", "name", "email"))


def _product(node: Any, record: Any) -> bool:
    alike = all(node[name] == record[name] for name in ("id", "name", "price"))
    return alike and node["inStock"] == (record["stock"] > 0)


def _payment(node: Any, record: Any) -> bool:
    return all(node[name] == record[name] for name in ("id", "status", "method"))


def _note(node: Any, record: Any) -> bool:
    alike = all(node[name] == record[name] for name in ("id", "message", "read"))
    return alike and _moment(node["createdAt"]) == _moment(record["createdAt"])


def _order(node: Any, record: Any) -> bool:
    status = record["status"] if record["status"] in _STATUSES else "UNKNOWN"
    return (
        node["id"] == record["id"]
        and node["status"] == status
        and node["total"] == record["total"]
        and _moment(node["createdAt"]) == _moment(record["createdAt"])
        and [item["quantity"] for item in node["items"]]
        == [item["quantity"] for item in record["items"]]
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_SHOWS = {
    "user": _user,
    "product": _product,
    "payment": _payment,
    "notes": _note,
    "order": _order,
    "orders": _order,
    "page": _order,
}
