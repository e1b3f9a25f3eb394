"""graphql-core beside itself is equal, also in another rhythm: the comparison asks no more."""

import asyncio
import contextlib

import pytest

from bff.graphql.executor import discarded
from tests.differential.case import Trial
from tests.differential.subjects import EXECUTORS, Reference

_DOCUMENTS = 200


def slower(executor, passes):
    """Waits some passes of the loop longer for everything."""

    async def late(awaitable):
        try:
            for _ in range(passes):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await discarded(awaitable)
            raise
        return await awaitable

    class Slower(executor):
        def with_abort_signal(self, awaitable):
            return super().with_abort_signal(late(awaitable))

    return Slower


@pytest.mark.slow
@pytest.mark.parametrize("passes", [0, 3])
def test_the_reference_is_equal_to_itself(passes):
    """Only what it leaves behind is its own affair."""
    executors = {
        behavior: slower(executor, passes) if passes else executor
        for behavior, executor in EXECUTORS.items()
    }
    with contextlib.closing(Trial(Reference(executors))) as trial:
        for seed in range(_DOCUMENTS):
            for difference in trial.differences(seed):
                told = [what for what in difference.what if not what.startswith("left over")]
                assert not told, difference
    assert trial.counts["cases"] > 10 * _DOCUMENTS
