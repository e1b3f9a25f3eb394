from __future__ import annotations

import graphql
import pytest
import strawberry
from strawberry.extensions import SchemaExtension

from bff.graphql.documents import Documents
from bff.graphql.execution import Execution, core_schema, never_began
from bff.graphql.limits import Limits
from tests.unit.graphql.little_graph import SCHEMA, Context, Mutation, Query, Seen


class Nothing(SchemaExtension):
    pass


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
