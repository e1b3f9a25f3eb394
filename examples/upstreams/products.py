"""The products service: what there is, and at which price."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from examples.upstreams.faults import Faults
from examples.upstreams.seed import world
from examples.upstreams.service import (
    Operation,
    answer,
    bad_request,
    build_app,
    not_found,
    path_id,
)
from examples.upstreams.storage import Store, open_store
from examples.upstreams.tokens import Caller, Verifier
from examples.upstreams.values import ID, money

MOST_IDS = 100

_TABLES = """
CREATE TABLE products (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    cents INTEGER NOT NULL,
    description TEXT NOT NULL,
    stock INTEGER NOT NULL
) STRICT
"""


def open_products(path: Path) -> Store:
    """Their file."""
    return open_store(path, _TABLES, _fill)


def _fill(writing: sqlite3.Connection) -> None:
    writing.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?)", world().products)


def products_app(store: Store, verifier: Verifier, faults: Faults) -> Starlette:
    """`GET /products/{id}` and `GET /products?ids=`; the same for everybody."""

    async def by_id(request: Request, _caller: Caller) -> Response:
        row = store.one("SELECT * FROM products WHERE id = ?", path_id(request, "product"))
        if row is None:
            raise not_found("product")
        return answer(_product(row))

    async def by_ids(request: Request, _caller: Caller) -> Response:
        ids = request.query_params.get("ids", "").split(",")
        if len(ids) > MOST_IDS or any(re.match(ID, each) is None for each in ids):
            raise bad_request(f"ids must be 1 to {MOST_IDS} ids with commas between them")
        # Only the number of question marks is made here.
        marks = ", ".join("?" * len(ids))
        rows = store.all(f"SELECT * FROM products WHERE id IN ({marks})", *ids)  # noqa: S608
        return answer([_product(row) for row in rows])

    return build_app(
        verifier,
        faults,
        {
            "/products": {"GET": Operation("products:read", by_ids)},
            "/products/{id}": {"GET": Operation("products:read", by_id)},
        },
    )


def _product(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "price": money(row["cents"]),
        "description": row["description"],
        "stock": row["stock"],
    }
