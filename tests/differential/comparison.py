"""Whether two executions of one operation came to the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from engine import ErrorBehavior
from tests.differential.outcome import Outcome

_ON_THE_WAY_OUT = "cancelled"
_ELSEWHERE = ("elsewhere",)
"""The place of errors that say themselves where they stand."""


def differences(
    behavior: ErrorBehavior,
    expected: Outcome,
    got: Outcome,
    everything: Callable[[], Outcome],
    *,
    at_once: bool,
) -> list[str]:
    """What is wrong with *got*, in words; nothing when it is right.

    Args:
        behavior: In which both have executed.
        expected: What came of it on graphql-core.
        got: What came of it otherwise.
        everything: The outcome where each error is null in its place, so that nothing is cut
            short: all errors that there can be, and all calls.
        at_once: Whether nothing was waited for: then the order of everything is known.
    """
    found = [f"left over: {what}" for what in got.left]
    if expected.ended or got.ended:
        late = expected.iterated and expected.ended == "it never ends"
        if expected.ended != got.ended and not late:
            found.append(f"ended: {expected.ended or 'well'} / {got.ended or 'well'}")
        return found
    if at_once and got.awaited:
        found.append("it is awaited though there is nothing to wait for")
    strict = not (expected.loose or got.loose)
    if expected.data != got.data:
        found.append(f"data:\n  {expected.data}\n  {got.data}")
    elif behavior is ErrorBehavior.HALT and not strict:
        found += _halted(expected, got, everything)
    elif strict:
        if expected.errors != got.errors:
            found.append(_unequal("errors", expected.errors, got.errors))
    elif behavior is ErrorBehavior.NULL:
        found += _same("errors", *_in_place(expected, got))
    else:
        found += _errors_by_place(expected, got, everything)
    found += _calls(behavior, expected, got, everything, at_once=at_once)
    return found


def _halted(expected: Outcome, got: Outcome, everything: Callable[[], Outcome]) -> list[str]:
    if bool(expected.errors) != bool(got.errors) or len(got.errors) > 1:
        return [_unequal("errors", expected.errors, got.errors)]
    return _possible(got.errors, everything)


def _possible(errors: list[tuple[Any, ...]], everything: Callable[[], Outcome]) -> list[str]:
    if not errors:
        return []
    if everything().ended:
        return []  # nobody knows what there could have been
    possible = Counter(everything().errors)
    impossible = Counter(errors) - possible
    return [
        f"an error that nothing raised: {error}"
        for error in impossible
        if error[1] != _ON_THE_WAY_OUT
    ]


def _errors_by_place(
    expected: Outcome, got: Outcome, everything: Callable[[], Outcome]
) -> list[str]:
    """Where one error has taken another along, which of them came first is nobody's promise."""
    if Counter(expected.errors) == Counter(got.errors):
        return []
    here, there = _by_place(expected), _by_place(got)
    if _ELSEWHERE in here or _ELSEWHERE in there:
        return []  # nobody knows what these have taken along
    found = [] if got.iterated else _possible(got.errors, everything)
    for place in here.keys() | there.keys():
        mine, theirs = here.get(place, []), there.get(place, [])
        if not mine or not theirs or (len(mine) == 1 and mine[0][0] == place and mine != theirs):
            found.append(_unequal(f"errors at {place}", mine, theirs))
    return found


def _in_place(*outcomes: Outcome) -> list[list[tuple[Any, ...]]]:
    """All errors; but of lists that came piece by piece and failed, none that are below them.

    graphql-core begins nothing below the pieces before it has the last, and then it is too late.
    """
    if not any(outcome.iterated for outcome in outcomes):
        return [outcome.errors for outcome in outcomes]
    return [
        [error for error in outcome.errors if _nulled(outcome.tree, error[0]) == error[0]]
        for outcome in outcomes
    ]


def _by_place(outcome: Outcome) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    places: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for error in outcome.errors:
        places.setdefault(_nulled(outcome.tree, error[0]), []).append(error)
    return places


def _nulled(tree: Any, path: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of *path* that leads to null."""
    for depth, key in enumerate(path):
        if tree is None:
            return path[:depth]
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return _ELSEWHERE
    return path


def _calls(
    behavior: ErrorBehavior,
    expected: Outcome,
    got: Outcome,
    everything: Callable[[], Outcome],
    *,
    at_once: bool,
) -> list[str]:
    if at_once:
        if expected.calls != got.calls:
            return [_unequal("calls", expected.calls, got.calls)]
        return []
    mine, theirs = Counter(map(repr, expected.calls)), Counter(map(repr, got.calls))
    if mine == theirs:
        return []
    if not expected.errors:
        missing, surplus = mine - theirs, theirs - mine
        return [_unequal("calls", list(missing.elements()), list(surplus.elements()))]
    surplus = Counter()
    if not (everything().ended or got.iterated):
        surplus = theirs - Counter(map(repr, everything().calls))
    found = [f"a call that nobody needs: {call}" for call in surplus]
    if behavior is not ErrorBehavior.HALT:
        alive = [call for call in expected.calls if call[0] and _alive(expected.tree, call[0])]
        missing = Counter(map(repr, alive)) - theirs
        found += [f"a call is missing: {call}" for call in missing]
    return found


def _alive(tree: Any, path: tuple[Any, ...]) -> bool:
    return tree is not None and _nulled(tree, path) in {path, _ELSEWHERE}


def _same(what: str, mine: list[Any], theirs: list[Any]) -> list[str]:
    return [] if Counter(mine) == Counter(theirs) else [_unequal(what, mine, theirs)]


def _unequal(what: str, mine: list[Any], theirs: list[Any]) -> str:
    expected = [one for one in mine if one not in theirs]
    got = [one for one in theirs if one not in mine]
    if not expected and not got:
        return f"{what} in another order or number:\n  {mine}\n  {theirs}"
    lines = [f"  expected {one}" for one in expected] + [f"  got      {one}" for one in got]
    return "\n".join([f"{what}:", *lines])
