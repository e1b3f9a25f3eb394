"""Compares every answer with what the services said, to whom and when."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bff.wiring import SERVICES
from tests.simulation.answers import Answer, Reading
from tests.simulation.clients import Operation, Path
from tests.simulation.evidence import Evidence
from tests.simulation.exchanges import Exchange, Exchanges, Key
from tests.simulation.setting import Setting
from tests.simulation.shapes import nodes_of, same
from tests.simulation.traffic import Traffic
from tests.simulation.truth import Truth
from tests.simulation.verdict import demand

_MILLISECOND = 0.001
_INSTANT = 1e-6
_SERVICE = {
    "user": "users",
    "orders": "orders",
    "page": "orders",
    "order": "orders",
    "product": "products",
    "payment": "payments",
    "notes": "notifications",
}
_REASONS = {
    "UPSTREAM_UNAVAILABLE": {"UNREACHABLE", "SERVER_ERROR"},
    "UPSTREAM_TIMEOUT": {"TIMEOUT"},
    "UPSTREAM_BAD_REPLY": {"BAD_REPLY"},
    "CIRCUIT_OPEN": {"CIRCUIT_OPEN"},
    "OVERLOADED": {"OVERLOADED"},
    "DEADLINE_EXCEEDED": {"DEADLINE"},
}
_NO_REASON = {"FORBIDDEN": {"401", "403"}, "NOT_FOUND": {"404", "410"}}
_PLACED = {"OrderCreated", "PaymentQueued"}


class Oracle:
    """Knows what an answer may say.

    Attributes:
        healed: Whether all services are well, so that nothing may be old or missing.
    """

    def __init__(
        self, setting: Setting, exchanges: Exchanges, traffic: Traffic, truth: Truth
    ) -> None:
        self._settings = setting.settings
        self._exchanges = exchanges
        self._truth = truth
        self._evidence = Evidence(setting, exchanges, traffic)
        self.healed = False

    def begins(self, operation: Operation, now: float) -> None:
        """An operation is sent."""
        if operation.writes:
            self._evidence.writes(operation, now)

    def ends(self, answer: Answer) -> None:
        """It is over, one way or the other."""
        operation = answer.operation
        if operation.writes:
            self._evidence.written(operation, answer.ended)
        self._settled(answer)
        if not answer.statuses:
            return
        reading = Reading.of(answer, json.loads(answer.body))
        for path, key in operation.sections.items():
            if key[0] in {"write", "note"}:
                self._mutation(reading, path, key)
            else:
                self._section(reading, path, key)
        demand(not reading.errors, "exactly", f"errors at other paths: {reading.errors}")
        demand(not reading.entries, "exactly", f"entries at other paths: {reading.entries}")
        shown = json.dumps(reading.body)
        for stranger in answer.strangers():
            demand(stranger not in shown, "leak", f"{stranger} is shown to {operation.user}")

    def _settled(self, answer: Answer) -> None:
        operation = answer.operation
        took = answer.ended - answer.started
        usual = (
            self._settings.mutation_deadline_seconds
            if operation.writes
            else self._settings.deadline_seconds
        )
        deadline = min(usual, operation.patience or usual)
        demand(took <= deadline + _INSTANT, "deadline", f"{operation.name} took {took:.6f} s")
        answer.deadline = answer.started + deadline
        if operation.leaves is not None:
            left = operation.leaves
            demand(took <= left + _INSTANT, "settles", f"{operation.name} goes on when left")
            if not answer.statuses:
                return
        demand(answer.statuses == [200], "settles", f"{operation.name}: {answer.statuses}")

    def _section(self, reading: Reading, path: Path, key: Key) -> None:
        """Whatever stands at *path*, and what hangs below it."""
        error, entry = reading.errors.pop(path, None), reading.entries.pop(path, None)
        value = reading.at(path)
        if error is not None:
            demand(value is None, "exactly", f"{path} has a value and an error")
            self._missing(reading, path, key, error, entry)
            return
        if value is None:
            demand(entry is None, "exactly", f"{path} is null, and {entry}")
            demand(key[0] in {"user", "order", "product", "payment"}, "silent null", path)
            self._absent(reading, path, key)
            return
        nodes = nodes_of(value)
        exchange = self._source(reading, path, key, nodes, entry)
        said = exchange.said[key]
        demand(same(key, nodes, said), "truth", f"{path}: {nodes} where {said} was said")
        self._below(reading, path, key, value, said)

    def _below(self, reading: Reading, path: Path, key: Key, value: Any, said: Any) -> None:
        """The products and payments of orders."""
        if key[0] not in {"orders", "order", "page"}:
            return
        orders = said if key[0] == "orders" else said["items"] if key[0] == "page" else [said]
        if key[0] == "order":
            places = [path]
        elif key[0] == "orders":
            places = [(*path, at) for at in range(len(value))]
        else:
            places = [(*path, "edges", at, "node") for at in range(len(value["edges"]))]
        for place, order in zip(places, orders, strict=False):
            for at, item in enumerate(order["items"]):
                self._section(
                    reading, (*place, "items", at, "product"), ("product", item["productId"])
                )
            if "payment" in reading.at(place):
                self._section(reading, (*place, "payment"), ("payment", order["id"]))

    def _source(
        self, reading: Reading, path: Path, key: Key, nodes: list[Any], entry: Any
    ) -> Exchange:
        """Where the value comes from, if what is said of its age is right."""
        if not nodes:
            found = self._evidence.of_nothing(reading.answer, key, _SERVICE[key[0]], entry)
            demand(found, "truth", f"{path} is empty, and nobody said so")
            return found
        freshness = nodes[0]["freshness"]
        demand(
            all(node["freshness"] == freshness for node in nodes), "freshness", f"{path}: differs"
        )
        as_of = datetime.fromisoformat(freshness["asOf"])
        exchange = self._exchanges.answered(key, self._evidence.asker(key, reading.answer), as_of)
        demand(exchange, "truth", f"{path}: nobody said anything about {key} at {as_of}")
        assert exchange is not None
        demand(
            freshness["cached"] == (freshness["origin"] != "LIVE"), "freshness", f"{path}: cached"
        )
        if freshness["origin"] == "LIVE":
            self._live(reading.answer, path, key, exchange, freshness, entry)
        else:
            self._kept(reading.answer, path, key, exchange, freshness, entry)
        return exchange

    def _live(
        self, answer: Answer, path: Path, key: Key, exchange: Exchange, freshness: Any, entry: Any
    ) -> None:
        demand(entry is None, "exactly", f"{path} is live, and {entry}")
        demand(freshness["ageSeconds"] == 0, "age", f"{path}: live, and {freshness}")
        demand(freshness["reason"] is None, "reason", f"{path}: live, and {freshness}")
        in_time = answer.started - _INSTANT <= exchange.ended <= answer.ended + _INSTANT
        demand(in_time, "live", f"{path} is from {exchange.ended:.3f}")
        self._evidence.newer_than_own_writes(answer, path, key, _SERVICE[key[0]], exchange)

    def _kept(
        self, answer: Answer, path: Path, key: Key, exchange: Exchange, freshness: Any, entry: Any
    ) -> None:
        service = _SERVICE[key[0]]
        kept = self._settings.upstream(service).cache
        age, reason = freshness["ageSeconds"], freshness["reason"]
        served = exchange.ended + age
        in_time = answer.started - _MILLISECOND <= served <= answer.ended + _MILLISECOND
        demand(in_time, "age", f"{path}: {age} s of {exchange.ended:.3f} at {answer.started:.3f}")
        self._evidence.not_purged(answer, path, key, exchange, served)
        if freshness["origin"] == "CACHE":
            demand(entry is None, "exactly", f"{path} is fresh, and {entry}")
            demand(reason is None, "reason", f"{path}: fresh, and {reason}")
            demand(age < kept.fresh_seconds + _MILLISECOND, "fresh", f"{path}: {age} s old")
            self._evidence.newer_than_own_writes(answer, path, key, service, exchange)
            return
        patient = not self.healed or reason == "OVERLOADED"  # a tiny queue is full in health too
        demand(patient, "healing", f"{path} of {answer.operation.name} is still old: {reason}")
        demand(entry is not None, "unmarked", f"{path} is old, and has no entry")
        expected = {"path": list(path), "service": service, "served": "STALE"}
        expected |= {"reason": reason, "ageSeconds": age}
        demand(entry == expected, "exactly", f"{entry} where {expected}")
        demand(age < kept.stale_seconds + _MILLISECOND, "stale", f"{path}: {age} s old")
        if reason == "REVALIDATING":
            self._evidence.newer_than_own_writes(answer, path, key, service, exchange)
        justified = self._evidence.justifies(answer, key, service, reason)
        demand(justified, "reason", f"{path}: {reason}, for no cause")

    def _absent(self, reading: Reading, path: Path, key: Key) -> None:
        statuses = {"404", "410", "said"} | ({"403"} if key[0] == "order" else set())
        found = self._evidence.denied(reading.answer, key, statuses)
        demand(found, "silent null", f"{path}: nobody said that there is no {key}")

    def _missing(self, reading: Reading, path: Path, key: Key, error: Any, entry: Any) -> None:
        answer = reading.answer
        service = answer.operation.writes if key[0] == "write" else _SERVICE[key[0]]
        code = error["code"]
        demand(not self.healed or code == "OVERLOADED", "healing", f"{path}: {error}")
        demand(error.get("service") == service, "error", f"{path}: {error}")
        if code in _NO_REASON:
            demand(entry is None, "exactly", f"{path}: {code}, and {entry}")
            denied = self._evidence.denied(answer, key, _NO_REASON[code])
            demand(denied, "error", f"{path}: {code}, which nobody said")
            return
        demand(code in _REASONS, "error", f"{path}: {error}")
        demand(entry is not None, "unmarked", f"{path}: {code} without an entry")
        reason = entry["reason"]
        expected = {"path": list(path), "service": service, "served": "NOTHING"}
        expected |= {"reason": reason, "ageSeconds": None}
        demand(entry == expected and reason in _REASONS[code], "exactly", f"{code} and {entry}")
        justified = self._evidence.justifies(answer, key, service, reason)
        demand(justified, "reason", f"{path}: {reason}, for no cause")
        kept = self._evidence.surely_kept(answer, key, service)
        demand(kept is None, "withheld", f"{path} is null, and {kept} has said what it is")

    def _mutation(self, reading: Reading, path: Path, key: Key) -> None:
        answer, operation = reading.answer, reading.answer.operation
        sent = [
            one for one in self._exchanges.since(answer.started) if one.request == operation.name
        ]
        sent = [one for one in sent if one.method == "POST"]
        placed = [
            order for order, _, request in self._truth.placed.values() if request == operation.name
        ]
        if operation.writes == "orders":
            demand(len(placed) <= 1, "orders", f"{operation.name} placed {len(placed)}")
            demand(operation.key or len(sent) <= 1, "orders", f"{operation.name}: sent again")
            keys = {one.idempotency for one in sent}
            demand(len(keys) <= 1, "orders", f"{operation.name}: keys {keys}")
        error, entry = reading.errors.pop(path, None), reading.entries.pop(path, None)
        about = ("write", "/orders") if key[0] == "write" else ("write", _read_path(operation))
        if error is not None:
            demand(not placed, "orders", f"{operation.name} placed an order, and says {error}")
            self._missing(reading, path, about, error, entry)
            return
        demand(entry is None, "exactly", f"{path} has an outcome, and {entry}")
        self._outcome(reading, path, about, sent, placed)

    def _outcome(
        self, reading: Reading, path: Path, about: Key, sent: list[Exchange], placed: list[Any]
    ) -> None:
        value, operation = reading.at(path), reading.answer.operation
        kind = value["__typename"]
        if kind in {"OrderRejected", "NotificationNotFound"}:
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


def _read_path(operation: Operation) -> str:
    return f"/notifications/{operation.variables['id']}/read"


assert set(_SERVICE.values()) == set(SERVICES)
