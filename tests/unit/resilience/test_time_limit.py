"""TimeLimit: as asyncio.timeout, only cheaper."""

import asyncio
import gc

import pytest

from datasources.resilience.time_limit import TimeLimit
from tests.virtual_time import VirtualClock, run

CLOCK = VirtualClock()


@pytest.mark.parametrize("seconds", [2.0, 0.0, -1.0])
def test_what_takes_too_long_is_ended(seconds):
    """After so many seconds, at once where there are none."""

    async def story():
        limit = TimeLimit(seconds)
        with pytest.raises(TimeoutError), limit:
            await asyncio.sleep(60)
        return limit.reached, CLOCK.monotonic() - 1000.0, asyncio.current_task().cancelling()

    assert run(story()) == (True, max(0.0, seconds), 0)


def test_what_is_done_in_time_is_left_alone():
    """And so is whatever the task does afterwards."""

    async def story():
        with TimeLimit(2.0) as limit:
            await asyncio.sleep(1.5)
        await asyncio.sleep(60)
        return limit.reached

    assert run(story()) is False


def test_an_error_passes_as_it_is():
    """One of time, too: it was not ours."""

    async def story(error):
        with TimeLimit(2.0) as limit:
            try:
                raise error
            finally:
                assert not limit.reached

    for error in (TimeoutError("theirs"), ValueError("x")):
        with pytest.raises(type(error), match=str(error)):
            run(story(error))


def test_what_goes_wrong_at_the_end_of_the_time_goes_wrong_all_the_same():
    """Whoever is stopped and fails while he tidies up, has failed."""

    async def story():
        with TimeLimit(1.0):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise ValueError("tidying") from None

    with pytest.raises(ValueError, match="tidying"):
        run(story())


def test_somebody_elses_cancellation_is_no_timeout():
    """Before the time is over, and at the same instant."""

    async def limited():
        with TimeLimit(1.0):
            await asyncio.sleep(60)

    async def story(moment):
        task = asyncio.create_task(limited())
        asyncio.get_running_loop().call_later(moment, task.cancel)
        await asyncio.wait([task])
        return task.cancelled()

    assert run(story(0.5))
    assert run(story(1.0))


def test_one_within_the_other():
    """The nearer one is reached; the farther one has time left."""

    async def story():
        with TimeLimit(2.0) as farther:
            with pytest.raises(TimeoutError), TimeLimit(1.0):
                await asyncio.sleep(60)
            await asyncio.sleep(0.5)
        return farther.reached

    assert run(story()) is False


def test_only_a_task_can_be_limited():
    """There is nobody else to stop."""
    loop = asyncio.new_event_loop()
    met = []

    def outside():
        try:
            TimeLimit(1.0).__enter__()
        except RuntimeError as error:
            met.append(error)

    loop.call_soon(outside)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert len(met) == 1


def test_it_leaves_no_garbage():
    """Reached or not: no work for the collector."""

    async def story():
        gc.collect()
        gc.disable()
        try:
            for seconds in (1.0, 3.0):
                try:
                    with TimeLimit(seconds):
                        await asyncio.sleep(2.0)
                except TimeoutError:
                    pass
            return gc.collect()
        finally:
            gc.enable()

    assert run(story()) == 0
