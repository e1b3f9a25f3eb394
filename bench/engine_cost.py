"""Time the engine beside graphql-core: a long list, and services that answer at once.

Figures are seconds of the processor, medians and bests of many runs in turns, and are good for
one thing: to compare the two, or two versions of one, on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, parse
from graphql.execution import Executor
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import ErrorBehavior, Plan, compile_operation

_OBJECTS = 1_000
_ORDERS = 5
_ITEMS = 3


@strawberry.type
class Row:
    """Ten scalars."""

    a: int
    b: str
    c: float
    d: bool
    e: str | None
    f: int
    g: str
    h: float | None
    i: bool
    j: strawberry.ID


@strawberry.type
class Product:
    """What an item is of."""

    id: strawberry.ID
    name: str
    price: float


@strawberry.type
class Item:
    """One line of an order."""

    quantity: int
    product_id: strawberry.Private[int]

    @strawberry.field
    async def product(self) -> Product:
        """Answers at once."""
        number = self.product_id
        return Product(id=strawberry.ID(str(number)), name=f"product {number}", price=9.5)


@strawberry.type
class Order:
    """Some items."""

    id: strawberry.ID
    status: str
    total: float
    items: list[Item]


@strawberry.type
class User:
    """Who asks."""

    id: strawberry.ID
    name: str
    email: str


@strawberry.type
class Notification:
    """Something to tell."""

    id: strawberry.ID
    message: str
    read: bool


@strawberry.type
class Dashboard:
    """Four sections, each from a service of its own."""

    @strawberry.field
    async def user(self) -> User | None:
        """Answers at once."""
        return User(id=strawberry.ID("1"), name="Ada", email="ada@example.org")

    @strawberry.field
    async def orders(self, limit: int = _ORDERS) -> list[Order] | None:
        """Answers at once."""
        return [
            Order(
                id=strawberry.ID(str(number)),
                status="PAID",
                total=number * 1.5,
                items=[Item(quantity=1, product_id=number + item) for item in range(_ITEMS)],
            )
            for number in range(limit)
        ]

    @strawberry.field
    async def notifications(self, limit: int = 10) -> list[Notification] | None:
        """Answers at once."""
        return [
            Notification(id=strawberry.ID(str(number)), message="hello", read=False)
            for number in range(min(limit, 3))
        ]

    @strawberry.field
    async def recommended(self) -> list[Product] | None:
        """Answers at once."""
        return [Product(id=strawberry.ID("9"), name="nine", price=1.0)]


_ROWS = [
    Row(
        a=n,
        b=f"b{n}",
        c=n / 3,
        d=True,
        e=None,
        f=-n,
        g="g",
        h=0.5,
        i=False,
        j=strawberry.ID(str(n)),
    )
    for n in range(_OBJECTS)
]


@strawberry.type
class Query:
    """Where it begins."""

    @strawberry.field
    def rows(self) -> list[Row]:
        """All of them are there already."""
        return _ROWS

    @strawberry.field
    def dashboard(self) -> Dashboard:
        """Each section fails alone."""
        return Dashboard()


SCHEMA = cast("GraphQLSchema", strawberry.Schema(Query)._schema)  # noqa: SLF001 - no public name
ROWS = "{ rows { a b c d e f g h i j } }"
DASHBOARD = """
query Dashboard($limit: Int! = 5) {
  dashboard {
    user { id name email }
    orders(limit: $limit) { id status total items { quantity product { id name price } } }
    notifications { id message read }
    recommended { id name price }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Contest:
    """One operation, and the two that execute it.

    Attributes:
        rounds: How often each is timed.
        repeats: Executions in each round.
    """

    name: str
    text: str
    rounds: int
    repeats: int


CONTESTS = (
    Contest(f"{_OBJECTS} objects x 10 scalars", ROWS, 15, 3),
    Contest("dashboard, services answer at once", DASHBOARD, 40, 50),
)

Execute = Callable[[], ExecutionResult | Awaitable[ExecutionResult]]


def reference(document: DocumentNode) -> Execute:
    """Execute as Strawberry does, after it has parsed and validated."""

    def execute() -> ExecutionResult | Awaitable[ExecutionResult]:
        executor = StrawberryGraphQLCoreExecutionContext.build(
            SCHEMA, document, is_awaitable=optimized_is_awaitable
        )
        result = cast("Executor", executor).execute_operation()
        return cast("ExecutionResult | Awaitable[ExecutionResult]", result)

    return execute


def compiled(document: DocumentNode) -> tuple[Plan, Execute]:
    """Execute by a plan, coercing the variables each time, as for a request."""
    operation = cast("Any", document.definitions[0])
    definitions = operation.variable_definitions or ()

    def variables() -> VariableValues:
        return cast("VariableValues", get_variable_values(SCHEMA, definitions, {}))

    plan = _plan(document, variables())

    def execute() -> ExecutionResult | Awaitable[ExecutionResult]:
        return plan.execute(None, None, variables())

    return plan, execute


def _plan(document: DocumentNode, variables: VariableValues) -> Plan:
    return compile_operation(SCHEMA, document, None).plan(variables, ErrorBehavior.PROPAGATE)


async def _repeat(execute: Execute, times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        result = execute()
        if not isinstance(result, ExecutionResult):
            await result
    return (time.process_time() - begun) / times


async def _garbage(execute: Execute) -> int:
    """Objects that only the cyclic collector can free, for one execution."""
    await _repeat(execute, 3)
    gc.collect()
    gc.disable()
    await _repeat(execute, 10)
    found = gc.collect()
    gc.enable()
    return found // 10


async def _settled(execute: Execute) -> ExecutionResult:
    result = execute()
    return result if isinstance(result, ExecutionResult) else await result


async def _compete(contest: Contest) -> None:
    document = parse(contest.text)
    begun = time.process_time()
    plan, by_plan = compiled(document)
    first = time.process_time() - begun
    by_reference = reference(document)
    expected, got = await _settled(by_reference), await _settled(by_plan)
    assert expected.data == got.data  # noqa: S101 - else there is nothing to compare
    assert expected.errors == got.errors  # noqa: S101 - as above
    coerced = cast(
        "VariableValues",
        get_variable_values(
            SCHEMA, cast("Any", document.definitions[0]).variable_definitions or (), {}
        ),
    )
    compiling = []
    for _ in range(15):
        begun = time.process_time()
        _plan(document, coerced)
        compiling.append(time.process_time() - begun)
    mine, theirs = [], []
    for _ in range(contest.rounds):
        theirs.append(await _repeat(by_reference, contest.repeats))
        mine.append(await _repeat(by_plan, contest.repeats))
    ratio = statistics.median(theirs) / statistics.median(mine)
    print(
        f"{contest.name}\n  graphql-core {_figures(theirs)}, engine {_figures(mine)}: {ratio:.1f} x"
    )
    print(f"  compiling {_figures(compiling)} (the first time {first * 1e3:.2f} ms)")
    print(f"  {len(plan.source.splitlines())} lines of source")
    cyclic = [await _garbage(execute) for execute in (by_reference, by_plan)]
    print(
        f"  cyclic garbage for each execution: graphql-core {cyclic[0]}, engine {cyclic[1]} objects"
    )


def _figures(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.3f} ms (best {min(seconds) * 1e3:.3f})"


async def _resolvers() -> None:
    """What of the dashboard are the resolvers themselves: they are called, and nothing else."""

    async def call() -> None:
        dashboard = Dashboard()
        _, orders, _, _ = [
            await cast("Any", section)
            for section in (
                Dashboard.user(dashboard),
                Dashboard.orders(dashboard),
                Dashboard.notifications(dashboard),
                Dashboard.recommended(dashboard),
            )
        ]
        for order in orders:
            for item in order.items:
                await cast("Any", Item.product(item))

    times = []
    for _ in range(40):
        begun = time.process_time()
        for _ in range(50):
            await call()
        times.append((time.process_time() - begun) / 50)
    print(f"the dashboard's resolvers alone: {_figures(times)}")


def main() -> int:
    """Print a table; 0."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for contest in CONTESTS:
        asyncio.run(_compete(contest))
    asyncio.run(_resolvers())
    return 0


if __name__ == "__main__":
    sys.exit(main())
