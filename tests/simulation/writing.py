"""What becomes of orders that are placed and messages that are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.simulation.answers import Answer, Reading
from tests.simulation.clients import Path
from tests.simulation.exchanges import Exchange, Exchanges, Key
from tests.simulation.shapes import same
from tests.simulation.truth import Truth
from tests.simulation.verdict import demand

_PLACED = {"OrderCreated", "PaymentQueued"}


class Writing:
    """Compares the outcomes of mutations with what was written.

    Args:
        missing: Judges an error.
        below: Judges what hangs below an order.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        truth: Truth,
        *,
        missing: Callable[[Reading, Path, Key, Any, Any], None],
        below: Callable[[Reading, Path, Key, Any, Any], None],
    ) -> None:
        self._exchanges = exchanges
        self._truth = truth
        self._missing = missing
        self._below = below

    def all(self, reading: Reading) -> None:
        """Every field of a mutation, in the order in which they write."""
        operation = reading.answer.operation
        stopped = False
        if operation.on_error == "NULL":
            kept = reading.body["data"] is not None
            demand(kept, "exactly", f"{operation.name}: an error has taken all data along")
        for path, key in operation.sections.items():
            about = ("write", "/orders" if key[0] == "write" else f"/notifications/{key[1]}/read")
            sent = self._sent(reading.answer, about)
            if stopped:
                twice = list(operation.sections.values()).count(key) > 1
                demand(twice or not sent, "halt", f"{path} was written after an error")
                continue
            failed = path in reading.errors
            self._one(reading, path, about, sent)
            stopped = failed and operation.on_error != "NULL"
        if stopped:
            demand(reading.body["data"] is None, "exactly", f"{operation.name}: an error, and data")

    def _sent(self, answer: Answer, about: Key) -> list[Exchange]:
        return [
            one
            for one in self._exchanges.since(answer.started)
            if one.request == answer.operation.name and one.keys == (about,)
        ]

    def _one(self, reading: Reading, path: Path, about: Key, sent: list[Exchange]) -> None:
        operation = reading.answer.operation
        placed = self.placed(reading.answer)
        if operation.writes == "orders":
            demand(len(placed) <= 1, "orders", f"{operation.name} placed {len(placed)}")
            demand(operation.key or len(sent) <= 1, "orders", f"{operation.name}: sent again")
            keys = {one.idempotency for one in sent}
            demand(len(keys) <= 1, "orders", f"{operation.name}: keys {keys}")
        if path in reading.errors:
            error, entry = reading.errors.pop(path), reading.entries.pop(path, None)
            demand(reading.at(path) is None, "exactly", f"{path} has an outcome and an error")
            demand(not placed, "orders", f"{operation.name} placed an order, and says {error}")
            self._missing(reading, path, about, error, entry)
        elif reading.body["data"] is not None:
            entry = reading.entries.pop(path, None)
            demand(entry is None, "exactly", f"{path} has an outcome, and {entry}")
            self._outcome(reading, path, about, sent)
        else:
            demand(reading.errors, "silent null", path)
            demand(sent, "halt", f"{path} was not written, and stands before the error")

    def placed(self, answer: Answer) -> list[Any]:
        """The orders that its operation has placed."""
        placed = self._truth.placed.values()
        return [order for order, _, request in placed if request == answer.operation.name]

    def _outcome(self, reading: Reading, path: Path, about: Key, sent: list[Exchange]) -> None:
        value, operation = reading.at(path), reading.answer.operation
        kind = value["__typename"]
        if kind in {"OrderRejected", "NotificationNotFound"}:
            placed = self.placed(reading.answer)
            demand(not placed, "orders", f"{operation.name} placed an order, and was refused")
            demand(sent, "orders", f"{operation.name} was refused, and never asked")
        if kind in _PLACED:
            node, key = value["order"], ("order", value["order"]["id"])
            orders = [order.id for order, _, _ in self._truth.placed.values()]
            demand(
                orders.count(key[1]) == 1, "orders", f"{key} exists {orders.count(key[1])} times"
            )
        elif kind == "NotificationRead":
            node, key = value["notification"], ("notes", operation.user)
        else:
            return
        as_of = datetime.fromisoformat(node["freshness"]["asOf"])
        exchange = self._exchanges.answered(about, operation.user, as_of)
        demand(exchange, "truth", f"{path}: nobody confirmed it at {as_of}")
        assert exchange is not None
        demand(exchange.request == operation.name, "truth", f"{path} is from {exchange}")
        said = exchange.said[about]
        listed = said if key[0] == "order" else [said]
        demand(same(key, [node], listed), "truth", f"{path}: {node} where {said} was said")
        if key[0] == "order":
            self._below(reading, (*path, "order"), key, node, said)
