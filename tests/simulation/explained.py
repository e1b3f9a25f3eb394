"""What `Bff-Explain` tells, beside what the services have seen."""

from __future__ import annotations

from typing import Any

from tests.simulation.answers import Answer
from tests.simulation.exchanges import REASONS, REFUSALS, Exchange, Exchanges
from tests.simulation.traffic import Traffic
from tests.simulation.verdict import demand

_INSTANT = 1e-6
_CODES = {
    "UNREACHABLE": "UPSTREAM_UNAVAILABLE",
    "SERVER_ERROR": "UPSTREAM_UNAVAILABLE",
    "BAD_REPLY": "UPSTREAM_BAD_REPLY",
    "OVERLOADED": "OVERLOADED",
}
_LEFT = {"CANCELLED", "UPSTREAM_TIMEOUT", "DEADLINE_EXCEEDED", "UNDER_WAY"}


def analyzed(answer: Answer, told: Any, exchanges: Exchanges) -> None:
    """Every request that was sent is told of, with what came of it, and no other."""
    name, calls = answer.operation.name, list(told["calls"])
    sent = [one for one in exchanges.since(answer.started) if one.request == name]
    totals = told["totals"]
    demand(told["mode"] == "analyze", "explain", f"{name}: {told['mode']}")
    demand(totals["calls"] == len(calls), "explain", f"{name}: {totals} and {len(calls)} calls")
    counted = sum(question["calls"] for question in told["questions"])
    demand(counted == len(calls), "explain", f"{name}: {counted} and {len(calls)} calls")
    extra = sum(one.attempt > 1 for one in sent)
    demand(totals["retries"] + totals["hedges"] >= extra, "explain", f"{name}: {totals}, {extra}")
    for exchange in sent:
        match = next((call for call in calls if _agrees(answer, call, exchange)), None)
        demand(match, "explain", f"{exchange} of {exchange.started:.6f} is not among {calls}")
        calls.remove(match)
    sent_too = [call for call in calls if not _came_too_late(call)]
    demand(not sent_too, "explain", f"{name}: nobody was asked {sent_too}")


def _came_too_late(call: Any) -> bool:
    """An attempt that got its turn when no time was left is told of, and was not sent."""
    return call["outcome"] == "DEADLINE_EXCEEDED" and call["durationMs"] == 0.0


def _agrees(answer: Answer, call: Any, exchange: Exchange) -> bool:
    began = answer.started + call["startMs"] / 1000
    lasts = answer.ended if call["durationMs"] is None else began + call["durationMs"] / 1000
    return (
        (call["service"], call["attempt"]) == (exchange.service, exchange.attempt)
        and abs(began - exchange.started) < 2 * _INSTANT
        and abs(lasts - min(exchange.ended, answer.ended)) < 3 * _INSTANT
        and call["outcome"] in _outcomes(exchange)
    )


def _outcomes(exchange: Exchange) -> set[str]:
    outcome = exchange.outcome
    if outcome == "said":
        unknown = any(exchange.said[key] is None for key in exchange.keys)
        return {"ok", "NOT_FOUND", "FORBIDDEN"} if unknown else {"ok"}
    if outcome in REFUSALS:
        return {"NOT_FOUND"} if outcome in {"404", "410"} else {"FORBIDDEN"}
    if outcome in {"", "left"}:
        return _LEFT
    return {_CODES[reason] for reason, those in REASONS.items() if outcome in those}


def planned(answer: Answer, body: Any, exchanges: Exchanges, traffic: Traffic) -> None:
    """Nothing was sent, nothing is shown, and every breaker is as it is."""
    name, told = answer.operation.name, body.get("extensions", {}).get("explain")
    demand(set(body) == {"data", "extensions"} and body["data"] is None, "explain", body)
    demand(set(body["extensions"]) == {"explain"}, "explain", body)
    demand(told["mode"] == "plan", "explain", f"{name}: {told['mode']}")
    took = answer.ended - answer.started
    demand(took <= _INSTANT, "explain", f"{name}: a plan took {took:g} s")
    for wave in told["waves"]:
        for call in wave["calls"]:
            service = call["service"]
            states = traffic.states(service, answer.started)
            demand(call["breaker"] in states, "explain", f"{name}: {call}, and it is {states}")
            calm = call["outlook"] != "REFUSED" or states != ["closed"]
            demand(calm, "explain", f"{name}: {call}, and it is {states}")
