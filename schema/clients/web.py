"""The graph of the web client."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.deadline import deadline
from schema.mutations import Mutation
from schema.queries import Query
from schema.types.instant import DATE_TIME
from schema.types.money import DECIMAL


def build_schema() -> strawberry.Schema:
    """A new, independent schema."""
    scalars = StrawberryConfig(scalar_map={datetime: DATE_TIME, Decimal: DECIMAL})
    return strawberry.Schema(query=Query, mutation=Mutation, directives=[deadline], config=scalars)
