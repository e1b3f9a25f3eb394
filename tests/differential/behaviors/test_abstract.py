"""How it is found out what an object is."""

import asyncio

import pytest

from tests.differential.beside import beside, schema_of

SDL = """
interface Named { name: String }
interface Pet implements Named { name: String, owner: Named }
type Cat implements Named & Pet { name: String, owner: Named, meows: Boolean! }
type Dog implements Named & Pet { name: String, owner: Named, barks: Boolean }
type Person implements Named { name: String, pets: [Pet!] }
union Being = Cat | Person
type Query { pet: Pet, pets: [Pet], being: Being, beings: [Being!], named: [Named]! }
"""
ASKED = """
{ pets { __typename name ... on Cat { meows } ...Barks
    owner { name ... on Person { pets { name } } } }
  beings { __typename ... on Named { name } ... on Cat { meows } } }
fragment Barks on Dog { barks }
"""


def pets():
    owner = {"__typename": "Person", "name": "Jon", "pets": [{"__typename": "Cat", "name": "G"}]}
    return [
        {"__typename": "Cat", "name": "Garfield", "meows": False, "owner": owner},
        {"__typename": "Dog", "name": "Odie", "barks": True},
        {"__typename": "Cat", "name": "Nermal", "meows": None},
    ]


def root():
    return {"pets": pets(), "beings": pets()[::2][:1], "pet": pets()[0]}


def named(value, *_):
    return value["__typename"]


async def named_later(value, *_):
    await asyncio.sleep(1)
    return value["__typename"]


def check(kind):
    return lambda value, _: value["__typename"] == kind


def check_later(kind):
    async def is_type_of(value, _):
        await asyncio.sleep(len(kind))
        return value["__typename"] == kind

    return is_type_of


WAYS = {
    "by the type name in the value": {},
    "by resolve_type": {"Pet_resolve_type": named, "Being_resolve_type": named},
    "by resolve_type, later": {"Pet_resolve_type": named_later, "Being_resolve_type": named_later},
    "by is_type_of": {f"{kind}_is_type_of": check(kind) for kind in ("Cat", "Dog", "Person")},
    "by is_type_of, later": {
        f"{kind}_is_type_of": check_later(kind) for kind in ("Cat", "Dog", "Person")
    },
    "by one or the other": {"Cat_is_type_of": check_later("Cat"), "Dog_is_type_of": check("Dog")},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_ways_to_say_it(way):
    """All come to the same object."""
    outcome = beside(schema_of(SDL, **way), ASKED, root, racing=True)
    assert outcome.tree["pets"][1] == {
        "__typename": "Dog",
        "name": "Odie",
        "barks": True,
        "owner": None,
    }
    assert outcome.tree["pets"][2] is None


class Hidden:
    """Told only by `is_type_of`."""

    name = "hidden"


@pytest.mark.parametrize("way", [check, check_later])
def test_no_type_fits(way):
    """It is an error that says so."""
    ways = {f"{kind}_is_type_of": lambda *_: False for kind in ("Cat", "Dog")}
    outcome = beside(schema_of(SDL, **ways), "{ pet { name } }", lambda: {"pet": Hidden()})
    assert "must resolve to an Object type at runtime" in outcome.errors[0][1]


@pytest.mark.parametrize("name", ["Nothing", "Person", "Query", "Pet", "Being", None, 5, ""])
def test_a_wrong_name(name):
    """Each has an error of its own."""
    for told in (lambda *_: name, lambda *_: _later(name)):
        outcome = beside(schema_of(SDL, Pet_resolve_type=told), "{ pet { name } }", root)
        assert outcome.tree == {"pet": None}
        assert len(outcome.errors) == 1


async def _later(value):
    await asyncio.sleep(1)
    if isinstance(value, Exception):
        raise value
    return value


def test_who_says_what_it_is_may_fail():
    """At once or later, resolve_type or is_type_of."""

    def fail(*_):
        raise ValueError("no idea")

    for way in (
        {"Pet_resolve_type": fail},
        {"Pet_resolve_type": lambda *_: _later(ValueError("no idea"))},
        {"Cat_is_type_of": fail},
        {"Cat_is_type_of": lambda *_: _later(ValueError("no idea"))},
    ):
        outcome = beside(schema_of(SDL, **way), "{ pet { name } }", root)
        assert [error[1] for error in outcome.errors] == ["no idea"]


def test_an_object_that_is_not_what_its_field_says():
    """`is_type_of` is asked also where the type is known."""
    schema = schema_of(
        "type Query { one: Thing, many: [Thing!] } type Thing { x: Int }",
        Thing_is_type_of=lambda value, _: value != 2,
    )
    outcome = beside(schema, "{ one { x } many { x } }", lambda: {"one": 2, "many": [1, 2]})
    assert outcome.tree == {"one": None, "many": None}
    later = schema_of(
        "type Query { one: Thing, many: [Thing] } type Thing { x: Int }",
        Thing_is_type_of=lambda value, _: _later(value != 2),
        Thing_x=lambda value, _: _later(value),
    )
    outcome = beside(
        later, "{ one { x } many { x } }", lambda: {"one": 2, "many": [1, 2]}, racing=True
    )
    assert outcome.tree == {"one": None, "many": [{"x": 1}, None]}


def test_what_is_pending_when_another_check_fails_at_once():
    """It is not forgotten."""

    def fail(*_):
        raise ValueError("at once")

    way = {"Cat_is_type_of": check_later("Cat"), "Dog_is_type_of": fail}
    hidden = schema_of(SDL, **way)
    outcome = beside(hidden, "{ pet { name } }", lambda: {"pet": {"name": "x"}})
    assert outcome.tree == {"pet": None}


def test_a_union_tells_only_its_name():
    """Fields come from fragments."""
    outcome = beside(schema_of(SDL), "{ beings { __typename } }", root)
    assert outcome.tree == {"beings": [{"__typename": "Cat"}]}


def test_introspection():
    """The schema describes itself."""
    asked = """{ __schema { types { name kind fields { name type { name ofType { name } } }
      possibleTypes { name } interfaces { name } } directives { name } }
      __type(name: "Pet") { name possibleTypes { name } } }"""
    outcome = beside(schema_of(SDL), asked)
    assert outcome.tree["__type"]["name"] == "Pet"
