from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse

from bff.graphql.limits import Limits, sizes


def size_of(text: str):
    [(_, size)] = sizes(parse(text))
    return size


def test_everything_is_counted_once_per_spread():
    """A fragment that is spread twice counts twice, at the depth where it is spread."""
    size = size_of(
        """query @a { x: one { ...F @b } two { three { ...F } } ... on Query @c { four } }
        fragment F on T @d { y: five { six } }"""
    )
    assert (size.depth, size.aliases, size.fields) == (4, 3, 8)
    assert (size.directives, size.root_fields) == (5, 3)


def test_root_fields_are_counted_through_fragments():
    """A spread at the root adds its own first level, and only that."""
    assert size_of("{ ...A } fragment A on Query { b c { d } }").root_fields == 2


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("{ __typename }", False),
        ("{ __schema { types { name } } __type(name: 1) { name } }", False),
        ("{ __typename me }", True),
        ("{ ...F } fragment F on Query { me }", True),
        ("{ ...F } fragment F on Query { __typename }", False),
        ("{ ... { ... { x: me } } }", True),
        ("{ __typename: me }", True),
    ],
)
def test_an_alias_does_not_hide_what_is_read(text, reads):
    """Only fields of the schema about itself read nothing, by their names and not their aliases."""
    assert size_of(text).reads is reads


def test_fragments_that_multiply_stop_counting():
    """Doubling 300 times is a number beyond every limit, not one of 90 digits."""
    fragments = "".join(f"fragment F{i} on T {{ ...F{i + 1} ...F{i + 1} }} " for i in range(300))
    size = size_of("{ ...F0 } " + fragments + "fragment F300 on T { id }")
    assert size.fields == 1 << 30
    assert Limits().exceeded_by(size) == "The operation has more than 500 fields."


@pytest.mark.slow
def test_a_chain_of_fragments_does_not_overflow_the_stack():
    """5,000 fragments, each a level deeper: counted, not recursed into."""
    fragments = "".join(f"fragment F{i} on T {{ a {{ ...F{i + 1} }} }} " for i in range(5_000))
    assert size_of("{ ...F0 } " + fragments + "fragment F5000 on T { id }").depth == 5_001


def test_cycles_and_unknown_fragments_end():
    """They add nothing; validation says what is wrong with them."""
    size = size_of("{ ...A ...Nowhere } fragment A on T { x ...B } fragment B on T { y ...A }")
    assert size.fields == 2


def test_the_standard_introspection_query_fits():
    """The defaults let every tool read the schema; it is 15 deep, which is the limit."""
    size = size_of(get_introspection_query())
    assert size.depth == 15
    assert Limits().exceeded_by(size) is None


@pytest.mark.parametrize(
    ("limits", "text", "says"),
    [
        (Limits(depth=2), "{ a { b { c } } }", "more than 2 levels of fields"),
        (Limits(aliases=1), "{ x: a y: a }", "more than 1 aliases"),
        (Limits(fields=2), "{ a { b c } }", "more than 2 fields"),
        (Limits(directives=1), "{ a @x @y }", "more than 1 directives"),
        (Limits(root_fields=1), "{ a b }", "more than 1 fields at the root"),
    ],
)
def test_each_limit_is_named(limits, text, says):
    """One more than allowed is refused by name; exactly as many is not."""
    assert says in (limits.exceeded_by(size_of(text)) or "")
    assert limits.exceeded_by(size_of("{ a }")) is None


def test_at_the_limit_is_within_it():
    """The limit itself is allowed."""
    limits = Limits(depth=2, aliases=1, fields=2, directives=1, root_fields=1)
    assert limits.exceeded_by(size_of("{ x: a @y { b } }")) is None
