"""Operations that want all or nothing: there is no data to say what an error is about."""

from __future__ import annotations

from typing import Any

from tests.simulation.answers import Answer
from tests.simulation.clients import Path
from tests.simulation.exchanges import REASONS, Exchanges, Key

_MILLISECOND = 0.001
_PAUSE = 1.25
_ASKED_TO_WAIT = 3.25
_LONGEST = 600.0
"""For how long (seconds) anything is kept."""


def keys_at(answer: Answer, path: Path, exchanges: Exchanges) -> list[Key]:
    """What may have been asked for *path*: what hangs below orders depends on what they were."""
    sections = answer.operation.sections
    if path in sections:
        return [sections[path]]
    above = next(section for section in sections if path[: len(section)] == section)
    key = sections[above]
    if answer.operation.writes:
        key = ("write", "/orders")
    steps = [step for step in path[len(above) :] if step not in {"edges", "node", "order"}]
    found: dict[Key, None] = {}
    since = answer.started - _LONGEST
    for one in exchanges.about(key, answer.operation.user, since):
        said = one.said.get(key)
        if one.outcome == "said" and said is not None:
            found |= dict.fromkeys(_named(key, said, steps))
    return list(found)


def _named(key: Key, said: Any, steps: list[str | int]) -> list[Key]:
    """The payment, or the product, at *steps* of what was *said*."""
    order = said
    if key[0] in {"orders", "page"}:
        orders = said if key[0] == "orders" else said["items"]
        at, *steps = steps
        assert isinstance(at, int)
        if at >= len(orders):
            return []
        order = orders[at]
    if steps == ["payment"]:
        return [("payment", order["id"])]
    items, position, product = steps
    assert (items, product) == ("items", "product")
    assert isinstance(position, int)
    lines = order["items"][position : position + 1]
    return [("product", line["productId"]) for line in lines]


def is_prompt(
    answer: Answer, keys: list[Key], reason: str, exchanges: Exchanges, *, repeated: bool
) -> bool:
    """Whether something had just gone wrong, with that *reason*, when the answer came.

    Where it may be *repeated*, a pause and a wait for a slot may have come between.
    """
    return any(
        one.outcome in REASONS[reason]
        and answer.ended - one.ended <= (_pause(one.outcome) if repeated else _MILLISECOND)
        for key in keys
        for user in (answer.operation.user, "")
        for one in exchanges.about(key, user, answer.started - _MILLISECOND)
    )


def _pause(outcome: str) -> float:
    """Longest time (seconds) from an attempt that ended so to the last word about it."""
    return _ASKED_TO_WAIT if outcome in {"429", "503"} else _PAUSE
