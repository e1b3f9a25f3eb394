"""Fields that are given less time than their operation."""

from __future__ import annotations

from math import inf

from tests.simulation.answers import Answer
from tests.simulation.clients import Operation, Path
from tests.simulation.exchanges import Exchange, Exchanges
from tests.simulation.leftovers import Leftovers
from tests.simulation.verdict import demand

RESERVE = 0.02
"""What the BFF keeps back of a deadline for serving what is old (seconds)."""
_TOGETHER = 0.01
"""Fields that are due so near each other (seconds) are asked for together, and end together."""
_ORDERS = {"orders", "page", "order"}


def spent(answer: Answer, path: Path) -> bool:
    """Whether the time of a field on the way to *path* can have passed."""
    limits = [answer.operation.limits[step] for step in path if step in answer.operation.limits]
    took = answer.ended - answer.started
    return bool(limits) and took >= min(limits) - RESERVE - _TOGETHER


def check(answer: Answer, exchanges: Exchanges, leftovers: Leftovers) -> None:
    """Nothing that was asked for an operation that was alone outlasts the time of its field."""
    operation = answer.operation
    if not operation.limits:
        return
    sections = operation.document.sections
    if sections and all(field in operation.limits for field in sections):
        longest = max(0.0, *(operation.limits[field] - RESERVE for field in sections))
        took = answer.ended - answer.started
        story = f"{operation.name} took {took:.6f} s, each part had {longest:.3f} s"
        demand(took <= longest + _TOGETHER, "limit", story)
    if not answer.alone or not answer.statuses:
        return
    begun: dict[object, float] = {}
    mine = [one for one in exchanges.since(answer.started) if one.request == operation.name]
    for exchange in reversed(mine):
        first = begun.setdefault(exchange.keys, exchange.started)
        late = exchange.ended - _due(operation, exchange, answer.started, first)
        kept = late <= _TOGETHER or leftovers.renews(exchange, answer)
        demand(kept, "limit", f"{exchange} outlasts its field by {late:.6f} s")


def _due(operation: Operation, exchange: Exchange, began: float, first: float) -> float:
    """When the last field that wants it gives up, if it was first asked at *first*."""
    limits, sections = operation.limits, operation.sections.items()
    asking = [path for path, key in sections if key in exchange.keys]
    asking = asking or [path for path, key in sections if key[0] in _ORDERS]
    due = max((began + limits.get(_name(path), inf) for path in asking), default=inf)
    kind = exchange.keys[0][0]
    if kind in operation.document.below:
        due = min(due, first + limits.get(kind, inf))
    return due - RESERVE


def _name(path: Path) -> str:
    return next(step for step in reversed(path) if isinstance(step, str))
