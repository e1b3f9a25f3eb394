"""`Bff-Explain: plan`: what an operation would ask, and how long it would take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from math import inf

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType

from bff.graphql.documents import Document
from bff.graphql.execution import never_began
from bff.graphql.explaining import Explain
from bff.graphql.on_error import OnError
from bff.graphql.request import Json, Question
from bff.graphql.seams import Prospect, Prospects
from bff.telemetry.latencies import Latency
from datasources.errors import DatasourceError
from datasources.journal import Journal, Kept
from datasources.journal import Question as Asked
from schema.plan import Plan, PlannedCall, plan_of


@dataclass(frozen=True, slots=True)
class Prediction:
    """How long something takes (seconds): in half of all cases, and in 95 of 100."""

    median: float
    p95: float


_AT_ONCE = Prediction(0.0, 0.0)


class Outlook(StrEnum):
    """What becomes of a planned call, as far as it can be told.

    NONE: there is nothing to ask for. CACHE: all of it is fresh. REFUSED: the breaker is open.
    """

    NONE = "NONE"
    CACHE = "CACHE"
    REFUSED = "REFUSED"
    CALL = "CALL"


@dataclass(frozen=True, slots=True)
class Stock:
    """What is kept of the things that a planned call asks for.

    Attributes:
        fresh: Nobody need ask for these.
        stale: These are good enough if nothing newer comes.
        absent: Nothing is kept of these.
        unknown: How many more there may be, at most, as their ids are not known yet; None when
            nothing bounds them.
    """

    fresh: int
    stale: int
    absent: int
    unknown: int | None

    @property
    def met(self) -> int:
        """Of how many the ids are known."""
        return self.fresh + self.stale + self.absent

    @property
    def has_all(self) -> bool:
        """Whether something is kept of everything."""
        return self.absent == 0 and self.unknown == 0


class Planner:
    """Tells what operations would do.

    Args:
        schema: What they are written for.
        prospects: What calls would meet.
    """

    def __init__(self, schema: GraphQLSchema, prospects: Prospects) -> None:
        self._schema = schema
        self._prospects = prospects

    async def plan(
        self,
        document: Document,
        question: Question,
        journal: Journal,
        execute: Callable[[Question], Awaitable[ExecutionResult]],
    ) -> ExecutionResult:
        """The plan, in the extensions of a result without data; or why there is none.

        A query is rehearsed, to see what is kept of the things that it asks for: errors that
        it would have whatever the services say are those of the result. A mutation is not.

        Args:
            document: A valid one.
            question: What the client asks of it.
            journal: Of the rehearsal.
            execute: Rehearses.
        """
        errors: list[GraphQLError] = []
        is_query = document.operation(question.operation_name).kind is OperationType.QUERY
        if is_query:
            result = await execute(replace(question, on_error=OnError.NULL))
            if never_began(result):
                return result
            errors += (error for error in result.errors or () if not _of_a_service(error))
        try:
            plan = plan_of(self._schema, document.node, question.operation_name, question.variables)
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        report = plan_report(plan, journal.questions if is_query else None, self._prospects)
        return ExecutionResult(None, errors, {"explain": report})


def _of_a_service(error: GraphQLError) -> bool:
    return isinstance(error.original_error, DatasourceError)


def plan_report(plan: Plan, rehearsed: Sequence[Asked] | None, prospects: Prospects) -> Json:
    """The value of `extensions.explain` of an operation that was not executed.

    Args:
        plan: Of the operation: upper bounds, found in its document.
        rehearsed: What it asked when it was answered from what is kept; None for one that was
            not rehearsed, as a mutation never is.
        prospects: What calls would meet.
    """
    waves: list[Json] = []
    predictions: list[Prediction | None] = []
    for wave, stocks in zip(plan.waves, _stocks(plan, rehearsed), strict=True):
        calls: list[Json] = []
        expected: list[Prediction | None] = []
        for call, stock in zip(wave, stocks, strict=True):
            prospect = prospects(call.service, call.operation)
            outlook = _outlook(stock, prospect)
            expected.append(_prediction(stock, prospect, outlook))
            calls.append(_told(call, stock, prospect, outlook, expected[-1]))
        predictions.append(_slowest(expected))
        waves.append({"predicted": _shown(predictions[-1]), "calls": calls})
    return {
        "mode": Explain.PLAN,
        "calls": plan.count,
        "predicted": _shown(_one_after_another(predictions)),
        "waves": waves,
    }


def _stocks(plan: Plan, rehearsed: Sequence[Asked] | None) -> Iterator[Sequence[Stock | None]]:
    """What is kept for the calls of each wave; None for those of which nothing was looked at.

    What was found is dealt out to the calls in the order of their waves. What a wave asks for
    depends on what those before it bring: once something there is not kept, there may be more
    things than the rehearsal met.
    """
    if rehearsed is None:
        yield from ([None] * len(wave) for wave in plan.waves)
        return
    met: defaultdict[tuple[str, str], list[Kept]] = defaultdict(list)
    for question in rehearsed:
        met[question.service, question.operation] += question.rehearsed
    to_come = Counter((call.service, call.operation) for wave in plan.waves for call in wave)
    all_met = True
    for wave in plan.waves:
        stocks: list[Stock] = []
        for call in wave:
            to_come[call.service, call.operation] -= 1
            kept = met[call.service, call.operation]
            mine = kept[: call.things] if to_come[call.service, call.operation] else kept
            met[call.service, call.operation] = kept[len(mine) :]
            stocks.append(_stock(call, mine, all_met=all_met))
        yield stocks
        all_met = not any(stock.absent or stock.unknown != 0 for stock in stocks)


def _stock(call: PlannedCall, met: Sequence[Kept], *, all_met: bool) -> Stock:
    counts = Counter(met)
    more = None if call.open_ended else max(0, call.things - len(met))
    return Stock(
        fresh=counts[Kept.FRESH],
        stale=counts[Kept.STALE],
        absent=counts[Kept.ABSENT],
        unknown=0 if all_met else more,
    )


def _outlook(stock: Stock | None, prospect: Prospect) -> Outlook:
    if stock is not None and stock.has_all and stock.stale == 0:
        return Outlook.CACHE if stock.fresh else Outlook.NONE
    return Outlook.CALL if prospect.admits else Outlook.REFUSED


def _prediction(stock: Stock | None, prospect: Prospect, outlook: Outlook) -> Prediction | None:
    """How long the answer takes; None where nothing is known.

    What is fresh, and what an open breaker refuses, takes no time. Whoever has an old value for
    everything waits for a newer one only so long.
    """
    if outlook is not Outlook.CALL:
        return _AT_ONCE
    latency = prospect.latency
    if latency is None:
        return None
    most = prospect.patience if stock is not None and stock.has_all else inf
    return Prediction(min(latency.median, most), min(latency.p95, most))


def _slowest(side_by_side: Sequence[Prediction | None]) -> Prediction | None:
    known = [prediction for prediction in side_by_side if prediction is not None]
    if len(known) < len(side_by_side):
        return None
    return Prediction(max(one.median for one in known), max(one.p95 for one in known))


def _one_after_another(waves: Sequence[Prediction | None]) -> Prediction | None:
    known = [prediction for prediction in waves if prediction is not None]
    if len(known) < len(waves):
        return None
    return Prediction(sum(one.median for one in known), sum(one.p95 for one in known))


def _told(
    call: PlannedCall,
    stock: Stock | None,
    prospect: Prospect,
    outlook: Outlook,
    predicted: Prediction | None,
) -> Json:
    met = 0 if stock is None else stock.met
    return {
        "service": call.service,
        "operation": call.operation,
        "importance": call.importance.name,
        "calls": call.count,
        "keys": max(call.things, met),
        "batched": call.batched,
        "openEnded": call.open_ended,
        "outlook": outlook,
        "kept": None if stock is None else asdict(stock),
        "breaker": prospect.breaker,
        "bulkhead": {"inFlight": prospect.in_flight, "waiting": prospect.waiting},
        "measured": _measured(prospect.latency),
        "predicted": _shown(predicted),
    }


def _measured(latency: Latency | None) -> Json | None:
    if latency is None:
        return None
    return {
        "medianMs": _ms(latency.median),
        "p95Ms": _ms(latency.p95),
        "samples": latency.samples,
    }


def _shown(prediction: Prediction | None) -> Json | None:
    if prediction is None:
        return None
    return {"medianMs": _ms(prediction.median), "p95Ms": _ms(prediction.p95)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
