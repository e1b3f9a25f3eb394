"""The comparison tells apart what is different, and lets pass what nobody promises."""

from engine import ErrorBehavior
from tests.differential.comparison import differences
from tests.differential.outcome import Outcome

PROPAGATE, NULL, HALT = ErrorBehavior.PROPAGATE, ErrorBehavior.NULL, ErrorBehavior.HALT


def error(*path, message="m"):
    return (path, message, (), "{}", "ValueError", "ValueError()")


def outcome(tree=None, errors=(), calls=(), **rest):
    return Outcome(repr(tree), tree, list(errors), calls=list(calls), **rest)


def unequal(expected, got, behavior=PROPAGATE, everything=None, *, at_once=False):
    return differences(behavior, expected, got, lambda: everything or expected, at_once=at_once)


def test_the_order_of_keys_and_exact_types_count():
    """1, 1.0 and True are three answers."""
    assert unequal(outcome({"a": 1, "b": 2}), outcome({"b": 2, "a": 1}))
    assert unequal(outcome({"a": 1}), outcome({"a": 1.0}))
    assert unequal(outcome({"a": 1}), outcome({"a": True}))
    assert not unequal(outcome({"a": 1}), outcome({"a": 1}))


def test_the_order_of_errors_counts_where_it_is_known():
    """Not where two things happened at one instant."""
    both = [error("a"), error("b")]
    tree = {"a": None, "b": None}
    assert unequal(outcome(tree, both), outcome(tree, both[::-1]))
    for behavior in (PROPAGATE, NULL):
        loose = outcome(tree, both[::-1], loose=True)
        assert not unequal(outcome(tree, both), loose, behavior)


def test_which_of_two_took_their_parent_along_is_nobodys_promise():
    """But one of them did, and nothing else is told."""
    tree = {"a": None}
    first, second = error("a", "x"), error("a", "y")
    everything = outcome({"a": {"x": None, "y": None}}, [first, second])
    expected = outcome(tree, [first])
    assert not unequal(expected, outcome(tree, [second], loose=True), everything=everything)
    assert unequal(expected, outcome(tree, [], loose=True), everything=everything)
    invented = outcome(tree, [error("a", "x", message="invented")], loose=True)
    assert unequal(expected, invented, everything=everything)
    assert unequal(expected, outcome(tree, [second]), everything=everything)


def test_an_error_in_its_own_place_is_never_another():
    """What has not taken anything along is told by both."""
    tree = {"a": None, "b": None}
    everything = outcome(tree, [error("a"), error("b")])
    expected = outcome(tree, [error("a")])
    assert unequal(expected, outcome(tree, [error("b")], loose=True), everything=everything)


def test_halting_tells_one_error():
    """The first, or where nobody knows which that is, one of them."""
    first, second = error("a"), error("b")
    everything = outcome({"a": None, "b": None}, [first, second])
    expected = outcome(None, [first])
    assert unequal(expected, outcome(None, [second]), HALT, everything)
    assert not unequal(expected, outcome(None, [second], loose=True), HALT, everything)
    assert unequal(expected, outcome(None, [first, second], loose=True), HALT, everything)
    assert unequal(expected, outcome(None, [error("c")], loose=True), HALT, everything)


def test_calls_are_the_same_where_nothing_failed():
    """Not one more, not one less, with the same arguments."""
    calls = [(("a",), "a", 1), (("b",), "b", 1)]
    tree = {"a": 1, "b": 1}
    assert not unequal(outcome(tree, calls=calls), outcome(tree, calls=calls[::-1]))
    assert unequal(outcome(tree, calls=calls), outcome(tree, calls=calls[::-1]), at_once=True)
    assert unequal(outcome(tree, calls=calls), outcome(tree, calls=calls[:1]))
    assert unequal(outcome(tree, calls=calls), outcome(tree, calls=[*calls, calls[0]]))


def test_fewer_calls_where_something_fell():
    """Only below what is null, and never others."""
    calls = [(("a", "x"), "x"), (("a", "y"), "y"), (("b",), "b")]
    tree, errors = {"a": None, "b": 1}, [error("a", "x")]
    expected = outcome(tree, errors, calls)
    assert not unequal(expected, outcome(tree, errors, [calls[0], calls[2]]))
    assert unequal(expected, outcome(tree, errors, calls[:2]))
    assert unequal(expected, outcome(tree, errors, [*calls, (("c",), "c")]))


def test_what_is_left_over_counts():
    """A task, a coroutine, a complaint of Python."""
    assert unequal(outcome({}), outcome({}, left=["a task goes on"]))


def test_how_it_ended_counts():
    """To end is one thing, to hang another."""
    assert unequal(outcome({}), Outcome(ended="it never ends"))
    assert not unequal(Outcome(ended="it never ends"), Outcome(ended="it never ends"))
