"""Where there is null when something fails, and which errors are told."""

import asyncio

import pytest

from tests.differential.beside import beside, schema_of

TREE = """
type Query { a: Tree, b: Tree!, nest: Tree, c: String, sure: String! }
type Tree { leaf: String, sure: String!, nest: Tree, must: Tree!, list: [Tree!], many: [Tree]! }
"""
SCHEMA = schema_of(TREE)


def at_once(value):
    def give(*_):
        if isinstance(value, Exception):
            raise value
        return value

    return give


def later(value, delay=1.0):
    async def wait(*_):
        await asyncio.sleep(delay)
        if isinstance(value, Exception):
            raise value
        return value

    return wait


GIVERS = [at_once, later]


def tree(**entries):
    """A tree in which what is not given is a tree again, two levels deep."""
    return {"leaf": "leaf", "sure": "sure", **entries}


@pytest.mark.parametrize("give", GIVERS)
@pytest.mark.parametrize("wrong", [None, ValueError("wrong")])
def test_a_nullable_field_takes_nothing_along(give, wrong):
    """It is null where it stands; its neighbours are as they were."""
    outcome = beside(SCHEMA, "{ a { leaf sure } }", lambda: {"a": tree(leaf=give(wrong))})
    assert outcome.tree == {"a": {"leaf": None, "sure": "sure"}}
    assert len(outcome.errors) == (wrong is not None)


@pytest.mark.parametrize("give", GIVERS)
@pytest.mark.parametrize("wrong", [None, ValueError("wrong")])
def test_a_field_that_must_be_there_takes_its_parent_along(give, wrong):
    """The object that holds it is null, and the error stands at the field."""
    outcome = beside(
        SCHEMA, "{ a { leaf sure } c }", lambda: {"a": tree(sure=give(wrong)), "c": "c"}
    )
    assert outcome.tree == {"a": None, "c": "c"}
    assert [error[0] for error in outcome.errors] == [("a", "sure")]


@pytest.mark.parametrize("give", GIVERS)
def test_a_chain_of_those_that_must_be_there_falls_as_one(give):
    """Up to the nearest that may be null."""
    asked = "{ a { nest { must { must { sure } } leaf } } }"
    inner = {"nest": {"must": {"must": {"sure": give(ValueError("deep"))}}, "leaf": "x"}}
    outcome = beside(SCHEMA, asked, lambda: {"a": inner})
    assert outcome.tree == {"a": {"nest": None}}
    assert [error[0] for error in outcome.errors] == [("a", "nest", "must", "must", "sure")]


@pytest.mark.parametrize("give", GIVERS)
def test_the_top_can_be_null(give):
    """Where nothing above may be null, there is no data."""
    outcome = beside(
        SCHEMA, "{ b { must { sure } } c }", lambda: {"b": {"must": {"sure": give(None)}}}
    )
    assert outcome.tree is None
    assert len(outcome.errors) == 1


def test_an_earlier_error_below_is_told_as_well():
    """What failed before its parent fell is an error of its own."""
    outcome = beside(
        SCHEMA,
        "{ a { leaf sure } }",
        lambda: {"a": tree(leaf=later(ValueError("first"), 1), sure=later(ValueError("then"), 2))},
    )
    assert [error[1] for error in outcome.errors] == ["first", "then"]


def test_a_later_error_below_is_not_told():
    """What would have failed after its parent fell is stopped."""
    outcome = beside(
        SCHEMA,
        "{ a { leaf sure } c }",
        lambda: {
            "a": tree(leaf=later(ValueError("late"), 3), sure=later(ValueError("then"), 2)),
            "c": later("c", 9),
        },
    )
    assert [error[1] for error in outcome.errors] == ["then"]


def test_two_that_must_be_there_fail_once():
    """The first error is told, the second has lost its place."""
    outcome = beside(
        SCHEMA, "{ a { sure again: sure } }", lambda: {"a": tree(sure=at_once(KeyError("k")))}
    )
    assert len(outcome.errors) == 1


def test_an_error_at_the_root_and_one_below():
    """Each branch falls by itself."""
    outcome = beside(
        SCHEMA,
        "{ a { nest { sure } leaf } c }",
        lambda: {
            "a": tree(nest={"sure": later(None, 1)}, leaf=later(ValueError("l"), 2)),
            "c": at_once(ValueError("c")),
        },
    )
    assert outcome.tree == {"a": {"nest": None, "leaf": None}, "c": None}
    assert len(outcome.errors) == 3


def test_what_hangs_is_stopped_when_its_parent_falls():
    """Nobody waits for it."""

    async def hang(*_):
        await asyncio.get_running_loop().create_future()

    outcome = beside(
        SCHEMA, "{ a { leaf sure } }", lambda: {"a": tree(leaf=hang, sure=later(None))}
    )
    assert outcome.tree == {"a": None}


def test_what_hangs_is_stopped_when_a_neighbour_fails_at_once():
    """Also when it has not begun."""

    async def hang(*_):
        await asyncio.get_running_loop().create_future()

    outcome = beside(
        SCHEMA, "{ a { leaf sure } c }", lambda: {"a": tree(leaf=hang, sure=None), "c": later("c")}
    )
    assert outcome.tree == {"a": None, "c": "c"}


@pytest.mark.parametrize("give", GIVERS)
def test_items_fall_with_their_list(give):
    """An item that must be there takes the list along, an item that may be null does not."""
    outcome = beside(
        SCHEMA,
        "{ a { list { sure } many { sure } } }",
        lambda: {
            "a": {
                "list": [{"sure": "s"}, {"sure": give(None)}],
                "many": [{"sure": give(ValueError("w"))}, {"sure": "s"}],
            }
        },
    )
    assert outcome.tree == {"a": {"list": None, "many": [None, {"sure": "s"}]}}


@pytest.mark.parametrize("value", [ValueError("returned"), [1, ValueError("in a list")]])
def test_an_error_may_be_returned(value):
    """It counts as raised, at the place of the value."""
    schema = schema_of("type Query { one: Int, many: [Int] }")
    name = "many" if isinstance(value, list) else "one"
    outcome = beside(schema, f"{{ {name} }}", lambda: {name: value})
    assert len(outcome.errors) == 1
