"""What a resolver sets in its context is seen below it, and not beside it.

Not compared where the first error halts: the BFF's executor for that begins tasks of its own.
"""

import asyncio
import contextvars

from engine import ErrorBehavior
from tests.differential.beside import beside, schema_of

WORD = contextvars.ContextVar("WORD", default="-")
BEHAVIORS = (ErrorBehavior.NULL, ErrorBehavior.PROPAGATE)
SDL = """
type Query { n(v: String!): Node, plain: Node }
type Node { seen: String, seenLater: String, deeper(v: String!): Node, list(v: String!): [Node] }
type Mutation { n(v: String!): Node, seen: String }
"""


async def enter(_source, _info, v):
    WORD.set(WORD.get() + v)
    await asyncio.sleep(len(v))
    return {}


async def enter_list(_source, _info, v):
    await asyncio.sleep(1)
    WORD.set(WORD.get() + v)
    return [{}, later({}), {}]


async def later(value):
    await asyncio.sleep(1)
    return value


async def seen_later(*_):
    await asyncio.sleep(1)
    return WORD.get()


SCHEMA = schema_of(
    SDL,
    Query_n=enter,
    Query_plain=lambda *_: {},
    Mutation_n=enter,
    Mutation_seen=lambda *_: WORD.get(),
    Node_seen=lambda *_: WORD.get(),
    Node_seenLater=seen_later,
    Node_deeper=enter,
    Node_list=enter_list,
)


def test_siblings_do_not_see_each_other():
    """Each sees its own, and what is above it."""
    asked = """{
      a: n(v: "a") {
        seen seenLater x: deeper(v: "xx") { seen seenLater } y: deeper(v: "y") { seen }
      }
      b: n(v: "bbb") { seen seenLater list(v: "l") { seen seenLater } }
      plain { seen seenLater deeper(v: "p") { seen seenLater } }
    }"""
    tree = beside(SCHEMA, asked, racing=True, behaviors=BEHAVIORS).tree
    assert tree["a"]["x"] == {"seen": "-axx", "seenLater": "-axx"}
    assert tree["b"]["list"][1] == {"seen": "-bbbl", "seenLater": "-bbbl"}
    assert tree["plain"]["seen"] == "-"


def test_one_alone():
    """Also when it is awaited in place."""
    asked = '{ n(v: "a") { seen deeper(v: "b") { seen } } }'
    assert beside(SCHEMA, asked, behaviors=BEHAVIORS).tree == {
        "n": {"seen": "-a", "deeper": {"seen": "-ab"}}
    }


def test_one_after_another():
    """Fields of a mutation, as graphql-core runs them."""
    asked = 'mutation { a: n(v: "a") { seen } seen b: n(v: "b") { seen } }'
    assert beside(SCHEMA, asked, behaviors=BEHAVIORS).tree["a"] == {"seen": "-a"}
