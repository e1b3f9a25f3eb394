"""Compares every answer with what the services said, to whom and when."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bff.wiring import SERVICES
from tests.simulation import door, explained, limits
from tests.simulation.answers import Answer, Reading
from tests.simulation.clients import Operation, Path
from tests.simulation.evidence import Evidence
from tests.simulation.exchanges import Exchange, Exchanges, Key
from tests.simulation.halting import is_prompt, keys_at
from tests.simulation.leftovers import Leftovers
from tests.simulation.setting import Setting
from tests.simulation.shapes import nodes_of, same
from tests.simulation.traffic import Traffic
from tests.simulation.truth import Truth
from tests.simulation.verdict import Violation, demand
from tests.simulation.writing import Writing

_MILLISECOND = 0.001
_LISTENED = 0.01
"""From when on a client who leaves is heard (seconds)."""

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
        self._traffic = traffic
        self._evidence = Evidence(setting, exchanges, traffic)
        self._leftovers = Leftovers(exchanges, setting.settings)
        self._planned: set[str] = set()
        self._writing = Writing(exchanges, truth, missing=self._missing, below=self._below)
        self.healed = False

    def begins(self, operation: Operation, now: float) -> None:
        """An operation is sent."""
        if operation.writes:
            self._evidence.writes(operation, now)
        if operation.explain == "plan":
            self._planned.add(operation.name)

    def arrives(self, exchange: Exchange) -> None:
        """A request reaches its service."""
        planned = exchange.request in self._planned
        demand(not planned, "explain", f"{exchange} was only to be planned")
        self._leftovers.arrives(exchange)

    def look(self, answer: Answer) -> None:
        """Shortly after it is over."""
        self._leftovers.look(answer)
        limits.check(answer, self._exchanges, self._leftovers)

    def ends(self, answer: Answer) -> None:
        """It is over, one way or the other."""
        operation = answer.operation
        if operation.writes:
            self._evidence.written(operation, answer.ended)
        self._leftovers.ends(answer)
        self._settled(answer)
        if not answer.statuses:
            return
        body = json.loads(answer.body)
        if answer.refused:
            door.turned_away(answer, body, self._exchanges)
            return
        if operation.explain == "plan":
            explained.planned(answer, body, self._exchanges, self._traffic)
            return
        if operation.explain == "analyze":
            explained.analyzed(answer, body["extensions"]["explain"], self._exchanges)
        reading = Reading.of(answer, body)
        if operation.on_error == "HALT" and reading.errors:
            self._halted(reading)
        elif operation.writes:
            self._writing.all(reading)
        else:
            for path, key in operation.sections.items():
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
            left = max(operation.leaves, _LISTENED)
            demand(took <= left + _INSTANT, "settles", f"{operation.name} goes on when left")
            if not answer.statuses:
                return
        expected = [503] if answer.refused else [200]
        promise = "door" if answer.refused or 503 in answer.statuses else "settles"
        demand(answer.statuses == expected, promise, f"{operation.name}: {answer.statuses}")

    def _halted(self, reading: Reading) -> None:
        """One error, no data, and nothing but what the error is about."""
        answer, operation = reading.answer, reading.answer.operation
        demand(reading.body["data"] is None, "halt", f"{operation.name} halts, and has data")
        demand(len(reading.errors) == 1, "halt", f"{operation.name} halts at {reading.errors}")
        path, error = next(iter(reading.errors.items()))
        keys = keys_at(answer, path, self._exchanges)
        demand(keys, "error", f"{path}: nobody said that there is anything")
        entry = reading.entries.get(path)
        self._prompt(answer, path, keys, error, entry)
        if operation.writes and path in operation.sections:
            self._writing.all(reading)
            return
        reading.errors.clear()
        reading.entries.pop(path, None)
        for number, key in enumerate(keys, 1):
            try:
                self._missing(reading, path, key, error, entry)
            except Violation:
                if number == len(keys):
                    raise
            else:
                break

    def _prompt(self, answer: Answer, path: Path, keys: list[Key], error: Any, entry: Any) -> None:
        """What a service has failed to say ends the operation then."""
        service, name = error.get("service"), answer.operation.name
        if answer.operation.writes or entry is None or not error["code"].startswith("UPSTREAM"):
            return
        if self._settings.upstream(service).hedge.operations:
            return  # the first of two failures is told of, after the second
        repeated = self._settings.upstream(service).retries > 0
        prompt = is_prompt(answer, keys, entry["reason"], self._exchanges, repeated=repeated)
        demand(prompt, "halt", f"{name} does not end with its error at {path}")

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
        justified = self._evidence.justifies(answer, path, key, service, reason)
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
        justified = self._evidence.justifies(answer, path, key, service, reason)
        demand(justified, "reason", f"{path}: {reason}, for no cause")
        kept = self._evidence.surely_kept(answer, key, service)
        demand(kept is None, "withheld", f"{path} is null, and {kept} has said what it is")


assert set(_SERVICE.values()) == set(SERVICES)
