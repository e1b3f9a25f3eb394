"""`Bff-Explain`: who may say it, and what an operation has asked, told beside its answer.

It tells how often which service was asked, never for what: no path, no id, no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from graphql import ExecutionResult

from bff.graphql.refusal import Refusal
from bff.graphql.request import Headers, Json
from datasources.journal import Attempt, Journal, Question
from datasources.sourced import Origin
from schema.context import Viewer
from schema.permissions import OPERATOR_SCOPE

UNDER_WAY = "UNDER_WAY"
"""The outcome of what had none when the answer left, such as the renewal of an old value."""


class Explain(StrEnum):
    """How an operation is explained."""

    PLAN = "plan"
    ANALYZE = "analyze"


def wanted(headers: Headers) -> Explain | None:
    """What the caller wants explained; None for nothing.

    Raises:
        Refusal: He says something else.
    """
    given = headers.get(b"bff-explain")
    if given is None:
        return None
    try:
        return Explain(given)
    except ValueError:
        raise Refusal(400, "Bff-Explain must be plan or analyze.") from None


def check_allowed(viewer: Viewer | None) -> None:
    """Raises `Refusal` for a caller who may not see how the services are asked."""
    if viewer is None or OPERATOR_SCOPE not in viewer.scopes:
        raise Refusal(403, f'Bff-Explain takes the scope "{OPERATOR_SCOPE}".', code="FORBIDDEN")


def journal_for(mode: Explain | None) -> Journal | None:
    """A new one; None where nothing is explained."""
    return None if mode is None else Journal(rehearsal=mode is Explain.PLAN)


def conclude(
    result: ExecutionResult, journal: Journal, began: float, ended: float
) -> Mapping[str, str]:
    """Put what was asked into the extensions of *result*, unless its plan is there already.

    Args:
        result: Of the operation.
        journal: Of the operation.
        began: When it began (monotonic seconds).
        ended: When it had its answer.

    Returns:
        Headers of the response.
    """
    if result.extensions is None:
        result.extensions = {"explain": analysis(journal.questions, began, ended)}
    return {"Server-Timing": server_timing(journal.questions, began, ended)}


def analysis(questions: Sequence[Question], began: float, ended: float) -> Json:
    """The value of `extensions.explain` of an operation that was executed.

    Args:
        questions: Of the operation.
        began: When it began (monotonic seconds); what is told is counted from here.
        ended: When it had its answer.
    """
    sent = [
        (number, question, attempt)
        for number, question in enumerate(questions)
        for attempt in question.attempts
    ]
    sent.sort(key=lambda row: row[2].began)
    return {
        "mode": Explain.ANALYZE,
        "durationMs": _ms(ended - began),
        "totals": {
            "questions": len(questions),
            "calls": len(sent),
            "retries": sum(question.retries for question in questions),
            "hedges": sum(question.hedges for question in questions),
            "shed": sum(question.shed for question in questions),
            "joined": sum(question.joined for question in questions),
            "bytes": sum(attempt.size or 0 for *_, attempt in sent),
        },
        "questions": [_told(question, began) for question in questions],
        "calls": [_call(number, question, attempt, began) for number, question, attempt in sent],
    }


def server_timing(questions: Iterable[Question], began: float, ended: float) -> str:
    """The value of `Server-Timing`: the whole, and how long each service was being asked."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for question in questions:
        for attempt in question.attempts:
            until = ended if attempt.ended is None else attempt.ended
            spans.setdefault(question.service, []).append((attempt.began, until))
    durations = {"total": ended - began} | {name: _covered(at) for name, at in spans.items()}
    return ", ".join(f"{name};dur={_ms(seconds)}" for name, seconds in durations.items())


def _told(question: Question, began: float) -> Json:
    return {
        "service": question.service,
        "operation": question.operation,
        "keys": question.keys,
        "startMs": _ms(question.began - began),
        "durationMs": _lasted(question.began, question.ended),
        "outcome": question.outcome or UNDER_WAY,
        "cache": _cache(question),
        "served": {str(origin): question.served.get(origin, 0) for origin in Origin},
        "ageSeconds": round(question.age, 3),
        "reason": question.reason,
        "retries": question.retries,
        "hedges": question.hedges,
        "shed": question.shed,
        "calls": len(question.attempts),
    }


def _call(number: int, question: Question, attempt: Attempt, began: float) -> Json:
    return {
        "question": number,
        "service": question.service,
        "operation": question.operation,
        "attempt": attempt.number,
        "hedge": attempt.hedge,
        "startMs": _ms(attempt.began - began),
        "durationMs": _lasted(attempt.began, attempt.ended),
        "waitMs": _ms(attempt.waited),
        "outcome": attempt.outcome or UNDER_WAY,
        "bytes": attempt.size,
    }


def _cache(question: Question) -> str:
    """In one word, where the answer came from."""
    sources = [origin for origin in Origin if question.served.get(origin)]
    if len(sources) != 1:
        return "MIXED" if sources else "NONE"
    if question.joined and not question.attempts and sources == [Origin.LIVE]:
        return "JOINED"
    return str(sources[0])


def _lasted(began: float, ended: float | None) -> float | None:
    return None if ended is None else _ms(ended - began)


def _covered(spans: list[tuple[float, float]]) -> float:
    """How long at least one of them lasts (seconds)."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
