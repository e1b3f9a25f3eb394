"""The BFF reads nothing that a service has not promised."""

import pkgutil
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
import yaml
from msgspec import inspect

from datasources import ports
from datasources.ports.orders import Order, OrderItem

FOLDER = Path(__file__).parent / "openapi"
DOCUMENTS = {file.stem: yaml.safe_load(file.read_text()) for file in FOLDER.glob("*.yaml")}
RECORDS = {
    (module.name, kind)
    for module in pkgutil.iter_modules(ports.__path__)
    for kind in vars(import_module(f"{ports.__name__}.{module.name}")).values()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    if kind.__module__ == f"{ports.__name__}.{module.name}"
}


def followed(document, schema):
    """What *schema* refers to."""
    while "$ref" in schema:
        target = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def forms(document, schema):
    """Everything that *schema* allows a value to be."""
    schema = followed(document, schema)
    yield schema
    for choice in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from forms(document, choice)


def names_in(document, part):
    """The named schemas that *part* of a document refers to, and those that they refer to."""
    if isinstance(part, list):
        return {name for item in part for name in names_in(document, item)}
    if not isinstance(part, dict):
        return set()
    found = {name for value in part.values() for name in names_in(document, value)}
    if "$ref" in part:
        found |= {part["$ref"].rsplit("/", 1)[-1]}
        found |= names_in(document, followed(document, part))
    return found


def answered(document):
    """The named schemas of good answers."""
    return {
        name
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for name in names_in(document, response)
    }


ROOTS = sorted(
    (service, kind.__name__, kind)
    for service, kind in RECORDS
    if service in DOCUMENTS and kind.__name__ in answered(DOCUMENTS[service])
)
"""Records that are named as the schema of an answer; the others are parts of them."""


def fields_of(kind, document, schema, place):
    """Each field that is read of *schema*: its record, its name, and whether it is promised."""
    shapes = list(forms(document, schema))
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            promised = [
                shape["properties"][field.encode_name]
                for shape in shapes
                if field.encode_name in shape.get("properties", ())
            ]
            below = f"{place}.{field.encode_name}"
            yield kind.cls, below, bool(promised)
            yield from fields_of(field.type, document, {"anyOf": promised}, below)
    elif isinstance(kind, inspect.UnionType):
        for choice in kind.types:
            yield from fields_of(choice, document, schema, place)
    elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
        items = {"anyOf": [shape["items"] for shape in shapes if "items" in shape]}
        yield from fields_of(kind.item_type, document, items, place)


def read(service, schema, kind):
    """Every field of *kind* and of what is in it, held against that schema of *service*."""
    document = DOCUMENTS[service]
    named = document["components"]["schemas"][schema]
    return list(fields_of(inspect.type_info(kind), document, named, schema))


@pytest.mark.parametrize(("service", "schema", "kind"), ROOTS, ids=[name for _, name, _ in ROOTS])
def test_a_field_is_promised_before_it_is_read(service, schema, kind):
    """A field that the service's owner has not said is not in the record, nor in its parts."""
    assert [place for _, place, promised in read(service, schema, kind) if not promised] == []


def test_no_record_is_left_out():
    """Each has a schema of its name in the file of its service, or is a part of one that has."""
    reached = {kind for root in ROOTS for kind, _, _ in read(*root)}
    assert {kind for _, kind in RECORDS} == reached


def test_a_field_that_nobody_promised_is_found():
    """However deep, and by the name that it has in the JSON."""

    class Line(OrderItem, frozen=True, kw_only=True, rename="camel"):
        gift_wrap: bool = False

    class Wrapped(Order, frozen=True, kw_only=True, rename="camel"):
        items: tuple[Line, ...] | None = None

    unpromised = [place for _, place, promised in read("orders", "Order", Wrapped) if not promised]
    assert unpromised == ["Order.items.giftWrap"]
