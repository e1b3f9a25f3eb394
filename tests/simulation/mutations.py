"""Ways to break the product, and the promise that each breaks: the simulation must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One wrong line.

    Attributes:
        name: What is wrong, in words.
        file: Where.
        old: The line as it is.
        new: As it must not be.
        promises: One of them is reported.
    """

    name: str
    file: str
    old: str
    new: str
    promises: tuple[str, ...]


_RESILIENCE = "datasources/resilience"

MUTATIONS = (
    Mutation(
        "an old value is not marked",
        "schema/degraded.py",
        "        if found.origin is Origin.STALE:\n",
        "        if found.origin is None:\n",
        ("unmarked", "truth"),
    ),
    Mutation(
        "every value is as old as nothing",
        f"{_RESILIENCE}/last_good.py",
        "max(0.0, now - entry.said)",
        "0.0",
        ("age",),
    ),
    Mutation(
        "an old value passes for live",
        f"{_RESILIENCE}/last_good.py",
        "_sourced(call, entry, now, Origin.STALE, reason)",
        "_sourced(call, entry, now, Origin.LIVE)",
        ("age", "live", "reason", "exactly"),
    ),
    Mutation(
        "the reason is made up",
        f"{_RESILIENCE}/last_good.py",
        "self.stale(call, failure.reason)",
        "self.stale(call, Reason.TIMEOUT)",
        ("reason",),
    ),
    Mutation(
        "old values never expire",
        f"{_RESILIENCE}/last_good.py",
        "if entry is not None and now < entry.stale_until:",
        "if entry is not None:",
        ("stale",),
    ),
    Mutation(
        "what is fresh stays fresh",
        f"{_RESILIENCE}/last_good.py",
        "                and now < entry.fresh_until\n",
        "                and self.fresh_seconds\n",
        ("fresh", "purge", "own writes"),
    ),
    Mutation(
        "what is kept is not kept apart",
        f"{_RESILIENCE}/last_good.py",
        '    principal = current_scope().principal if call.route.personal else ""\n',
        '    principal = ""\n',
        ("truth", "withheld", "silent null", "leak", "purge", "age"),
    ),
    Mutation(
        "strangers share a question",
        f"{_RESILIENCE}/single_flight.py",
        '    principal = current_scope().principal if call.route.personal else ""\n',
        '    principal = ""\n',
        ("truth", "silent null", "leak", "error"),
    ),
    Mutation(
        "a refusal forgets nothing",
        f"{_RESILIENCE}/stale_fallback.py",
        "            self._last_good.purge(call)\n",
        "",
        ("purge",),
    ),
    Mutation(
        "what a writer has asked before is shared with him after",
        f"{_RESILIENCE}/writes.py",
        "            self._writes.note(current_scope().principal)\n",
        "            pass\n",
        ("own writes",),
    ),
    Mutation(
        "one that is busy gets no stand-in",
        f"{_RESILIENCE}/stale_fallback.py",
        "(UpstreamFailure, LocalRejection, TryLater, Rejected)",
        "(UpstreamFailure, LocalRejection, Rejected)",
        ("withheld",),
    ),
    Mutation(
        "the cache has no bound",
        f"{_RESILIENCE}/cache.py",
        "while self.bytes > self._max_bytes:",
        "while self.bytes < 0:",
        ("cache",),
    ),
    Mutation(
        "repeats are free",
        f"{_RESILIENCE}/retry_budget.py",
        "if repeats + 1 > self._ratio * calls + self._reserve:",
        "if repeats < 0:",
        ("amplification",),
    ),
    Mutation(
        "an order without a key is sent again",
        f"{_RESILIENCE}/retry.py",
        "failure.retryable and call.repeatable and",
        "failure.retryable and",
        ("orders",),
    ),
    Mutation(
        "doubt passes for refusal",
        "schema/placing.py",
        "    except (UpstreamFailure, DeadlineExceeded):\n"
        "        return OutcomeUnknown(idempotency_key=key.value, message=_IN_DOUBT)\n",
        "    except (UpstreamFailure, DeadlineExceeded):\n"
        '        return OrderRejected(reason=OrderRejectionReason.UNKNOWN, message="no")\n',
        ("orders",),
    ),
    Mutation(
        "there may be two probes",
        f"{_RESILIENCE}/breaker.py",
        "            return now >= self._probe_until\n",
        "            return True\n",
        ("probe",),
    ),
    Mutation(
        "an open breaker does not wait",
        f"{_RESILIENCE}/breaker.py",
        "            return now >= self._reopens_at\n",
        "            return True\n",
        ("breaker",),
    ),
    Mutation(
        "a good probe changes nothing",
        f"{_RESILIENCE}/breaker.py",
        "            self._machine.close()\n",
        "            pass\n",
        ("healing", "quiet"),
    ),
    Mutation(
        "whoever is cancelled keeps his slot",
        f"{_RESILIENCE}/bulkhead.py",
        "        finally:\n            self._release()\n",
        "        finally:\n            task = asyncio.current_task()\n"
        "            if task is None or not task.cancelling():\n                self._release()\n",
        ("quiet",),
    ),
    Mutation(
        "finished questions are remembered",
        f"{_RESILIENCE}/single_flight.py",
        "            del self._flights[flight.key]\n",
        "            pass\n",
        ("quiet",),
    ),
    Mutation(
        "the deadline is not looked at",
        f"{_RESILIENCE}/deadline.py",
        "return current_scope().deadline - RESERVE - clock.monotonic()",
        "return 60.0",
        ("deadline",),
    ),
    Mutation(
        "a failure is a null without an error",
        "schema/loaders.py",
        "    except NotFound:\n",
        "    except Exception:\n",
        ("silent null",),
    ),
    Mutation(
        "who has left is still worked for",
        "bff/graphql/disconnect.py",
        "        self._task.cancel()\n",
        "",
        ("settles",),
    ),
    Mutation(
        "second attempts are free",
        f"{_RESILIENCE}/hedging.py",
        "self._admits() and self._budget.withdraw()",
        "self._admits()",
        ("amplification",),
    ),
    Mutation(
        "whoever loses goes on",
        f"{_RESILIENCE}/hedging.py",
        "    for attempt in attempts:\n        attempt.cancel()\n",
        "    for attempt in attempts:\n",
        ("hedge",),
    ),
    Mutation(
        "an ill service is asked twice",
        f"{_RESILIENCE}/standard.py",
        "admits=lambda: breaker.closed and bulkhead.has_room,",
        "admits=lambda: True,",
        ("hedge",),
    ),
    Mutation(
        "a limit that adapts has no upper bound",
        f"{_RESILIENCE}/adaptive_limit.py",
        "float(min(_START, most))",
        "float(_START)",
        ("crowd",),
    ),
    Mutation(
        "to halt does not stop what is under way",
        "bff/graphql/on_error.py",
        "            future.cancel()\n",
        "            pass\n",
        ("halt",),
    ),
    Mutation(
        "null for an error takes its parent along",
        "engine/plan.py",
        "        self.propagates = behavior is ErrorBehavior.PROPAGATE\n",
        "        self.propagates = True\n",
        ("exactly", "silent null", "halt"),
    ),
    Mutation(
        "a field's deadline does not hold below it",
        "bff/graphql/field_deadlines.py",
        "    with entered(scope):\n        return await result\n",
        "    return await result\n",
        ("limit",),
    ),
    Mutation(
        "one field's deadline holds for its batch",
        "schema/loaders.py",
        "        key = (importance, self._deadline())\n",
        "        key = (importance, 0.0)\n",
        ("reason", "limit"),
    ),
    Mutation(
        "to plan is to ask",
        f"{_RESILIENCE}/journaling.py",
        "                    proceed = self._rehearsal\n",
        "                    pass\n",
        ("explain",),
    ),
    Mutation(
        "repeats are not told of",
        "datasources/journal.py",
        "        self.attempts.append(attempt)\n",
        "        self.attempts[:] = [attempt]\n",
        ("explain",),
    ),
    Mutation(
        "there is always one place more",
        "bff/pressure.py",
        "if self.under_way >= self.operations - kept:",
        "if self.under_way > self.operations - kept:",
        ("door",),
    ),
    Mutation(
        "places are not given back",
        "bff/middleware/admission.py",
        "            self._pressure.leave(self._place)\n",
        "            pass\n",
        ("door", "quiet"),
    ),
)
