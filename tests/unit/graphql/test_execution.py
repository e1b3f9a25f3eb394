from __future__ import annotations

import graphql
import pytest
import strawberry
from graphql import DirectiveLocation, introspection_from_schema
from strawberry.directive import DirectiveValue
from strawberry.extensions import SchemaExtension

from bff.graphql.documents import Documents
from bff.graphql.execution import Execution, core_schema, never_began
from bff.graphql.executor import OperationExecutor
from bff.graphql.limits import Limits
from schema.deadline import deadline
from tests.unit.graphql.little_graph import SCHEMA, Context, Mutation, Query, Seen


class Nothing(SchemaExtension):
    pass


class Executor(OperationExecutor):
    pass


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def louder(value: DirectiveValue[str]):
    return value.upper()


async def test_a_cached_document_is_not_parsed_or_validated_again(monkeypatch):
    """Executing touches neither graphql-core's parser nor its validator."""
    document = Documents(core_schema(SCHEMA), Limits()).get("{ half(of: 3.0) }")

    def forbidden(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr(graphql.language.parser.Parser, "parse_document", forbidden)
    monkeypatch.setattr(graphql.validation.ValidationContext, "__init__", forbidden)
    result = await Execution(SCHEMA).run(document, None, None, Context(None, Seen()))
    assert result.data == {"half": 1.5}
    assert not never_began(result)


def test_what_would_not_be_run_is_refused():
    """A schema extension that is silently skipped could have been somebody's guard."""
    with pytest.raises(ValueError, match="would not be run"):
        Execution(strawberry.Schema(Query, Mutation, extensions=[Nothing]))
    with pytest.raises(ValueError, match="would not be run"):
        Execution(strawberry.Schema(Query, Mutation, directives=[deadline, louder]))
    with pytest.raises(ValueError, match="would not be run"):
        Execution(strawberry.Schema(Query, Mutation, execution_context_class=Executor))


def test_the_deadline_directive_is_run():
    """It is the only one; clients find it in the schema, with what it says of itself."""
    schema = strawberry.Schema(Query, Mutation, directives=[deadline])
    Execution(schema)
    directives = introspection_from_schema(core_schema(schema))["__schema"]["directives"]
    [found] = [directive for directive in directives if directive["name"] == "deadline"]
    assert found["locations"] == ["FIELD"]
    assert found["description"]
    [argument] = found["args"]
    assert (argument["name"], argument["type"]["kind"]) == ("ms", "NON_NULL")
    assert argument["type"]["ofType"]["name"] == "Int"
