"""One operation's loaders: shared, and yet nobody's cancellation is anybody else's."""

from __future__ import annotations

import asyncio
import gc

import pytest

from schema.isolating_loader import BatchCancelled, IsolatingLoader


class Fetch:
    """Answers each key with its tenfold, once `open` is set."""

    def __init__(self):
        self.batches = []
        self.finished = []
        self.open = asyncio.Event()
        self.outcomes = {}

    async def __call__(self, keys):
        self.batches.append(list(keys))
        await self.open.wait()
        self.finished.append(list(keys))
        return [self.outcomes.pop(key, key * 10) for key in keys]


@pytest.fixture
def fetch():
    return Fetch()


async def until(condition):
    for _ in range(50):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


def test_needs_no_loop_to_be_made():
    """Loaders are made before the operation runs, wherever that is."""
    loader = IsolatingLoader(Fetch(), batch_size=10)

    async def load():
        loader._fetch.open.set()
        return await loader.load(1)

    assert asyncio.run(load()) == 10


async def test_batches_in_order_without_repeats(fetch):
    """Distinct keys in the order of asking, no more than fit at once; answers fit the keys."""
    loader = IsolatingLoader(fetch, batch_size=3)
    fetch.open.set()
    loaded = await asyncio.gather(*(loader.load(key) for key in (1, 2, 1, 3, 4, 2)))
    assert loaded == [10, 20, 10, 30, 40, 20]
    assert fetch.batches == [[1, 2, 3], [4]]


async def test_remembers_what_it_has(fetch):
    """Asking again asks nobody."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.open.set()
    assert (await loader.load(1), await loader.load(1)) == (10, 10)
    assert fetch.batches == [[1]]


async def test_remembers_that_there_is_nothing(fetch):
    """None is an answer like any other."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.open.set()
    fetch.outcomes = {1: None}
    assert (await loader.load(1), await loader.load(1)) == (None, None)
    assert fetch.batches == [[1]]


@pytest.mark.parametrize("pause", range(5))
async def test_waits_for_keys_that_come_a_little_later(fetch, pause):
    """Up to four passes of the loop apart, as often as it takes."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.open.set()
    loading = []
    for key in range(3):
        loading.append(loader.load(key))
        for _ in range(pause):
            await asyncio.sleep(0)
    await asyncio.gather(*loading)
    assert fetch.batches == [[0, 1, 2]]


async def test_single_keys_do_not_wait(fetch):
    """With a batch size of 1 the question is on its way before anything else runs."""
    loader = IsolatingLoader(fetch, batch_size=1)
    fetch.open.set()
    first, second = loader.load(1), loader.load(2)
    await asyncio.sleep(0)
    assert fetch.batches == [[1], [2]]
    assert await asyncio.gather(first, second) == [10, 20]


async def test_one_key_fails_alone(fetch):
    """An exception in place of a value is that key's."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.outcomes = {1: ValueError("one")}
    fetch.open.set()
    loaded = await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert repr(loaded) == "[ValueError('one'), 20]"


async def test_failures_are_not_remembered(fetch):
    """What failed is asked again; what did not is not."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.outcomes = {1: ValueError("passing")}
    fetch.open.set()
    await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert await asyncio.gather(loader.load(1), loader.load(2)) == [10, 20]
    assert fetch.batches == [[1, 2], [1]]


async def test_a_failing_batch_fails_all_its_keys():
    """And none of them is remembered."""

    async def broken(keys):
        raise RuntimeError("broken")

    loader = IsolatingLoader(broken, batch_size=10)
    loaded = await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert [type(outcome) for outcome in loaded] == [RuntimeError, RuntimeError]
    assert not loader._memo


async def test_too_few_values_are_nobodys():
    """Without as many values as keys nobody knows whose they are."""

    async def short(keys):
        return [1]

    loader = IsolatingLoader(short, batch_size=10)
    loaded = await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True)
    assert [str(outcome) for outcome in loaded] == ["2 keys gave 1 values"] * 2


@pytest.mark.parametrize("batch_size", [1, 10])
async def test_a_cancelled_waiter_harms_no_other(fetch, batch_size):
    """Neither one for the same key nor one for another, nor what is remembered."""
    loader = IsolatingLoader(fetch, batch_size=batch_size)
    impatient, patient, other = loader.load(1), loader.load(1), loader.load(2)
    await until(lambda: fetch.batches)
    impatient.cancel()
    await asyncio.sleep(0)
    fetch.open.set()
    assert await asyncio.gather(patient, other) == [10, 20]
    assert await loader.load(1) == 10
    assert impatient.cancelled()
    assert [key for batch in fetch.batches for key in batch] == [1, 2]


async def test_a_batch_dies_with_its_last_waiter(fetch):
    """It goes on while one waits, and not a moment longer; a later question is a new one."""
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: reported.append(what))
    loader = IsolatingLoader(fetch, batch_size=10)
    first, second = loader.load(1), loader.load(2)
    await until(lambda: fetch.batches)
    first.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(loader._batches) == 1
    second.cancel()
    await until(lambda: not loader._batches)
    fetch.open.set()
    assert fetch.finished == []
    assert await loader.load(1) == 10
    assert not loader._waiters
    del first, second
    gc.collect()
    assert reported == []  # the end of the old batch was nobody's to hear, and is no lost error


async def test_a_failure_that_nobody_came_to_wait_for_is_not_reported(fetch):
    """An operation that is cancelled leaves loads behind that it has not begun to wait for."""
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: reported.append(about))
    loader = IsolatingLoader(fetch, batch_size=1)
    fetch.outcomes[1] = ValueError("one")
    loader.load(1)
    fetch.open.set()
    await until(lambda: not loader._waiters)
    await asyncio.sleep(0)
    gc.collect()
    assert reported == []


async def test_a_new_waiter_of_a_key_that_was_left(fetch):
    """His question is his own: the old batch dies although the same key is wanted again."""
    loader = IsolatingLoader(fetch, batch_size=10)
    left = loader.load(1)
    await until(lambda: fetch.batches)
    left.cancel()
    await until(lambda: not loader._batches)
    again = loader.load(1)
    fetch.open.set()
    assert await again == 10
    assert fetch.batches == [[1], [1]]


async def test_one_more_waiter_in_the_moment_of_leaving(fetch):
    """Whoever joins before the leaving is noticed keeps the batch alive."""
    loader = IsolatingLoader(fetch, batch_size=10)
    left = loader.load(1)
    await until(lambda: fetch.batches)
    left.cancel()
    joined = loader.load(1)
    fetch.open.set()
    assert await joined == 10
    assert fetch.batches == [[1]]


async def test_a_key_that_everybody_left_before_the_dispatch_is_not_asked_for(fetch):
    """Nor does a batch of nothing leave."""
    loader = IsolatingLoader(fetch, batch_size=10)
    loader.load(1).cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert fetch.batches == []
    left, kept = loader.load(1), loader.load(2)
    left.cancel()
    fetch.open.set()
    assert await kept == 20
    assert fetch.batches == [[2]]


async def test_a_cancelled_batch_fails_its_waiters(fetch):
    """Instead of leaving them to wait for ever."""
    loader = IsolatingLoader(fetch, batch_size=10)
    waiting = loader.load(1)
    await until(lambda: loader._batches)
    next(iter(loader._batches)).cancel()
    with pytest.raises(BatchCancelled):
        await asyncio.wait_for(waiting, 1)
    fetch.open.set()
    assert await loader.load(1) == 10


async def test_aiodataloaders_own_dispatch_is_not_used(fetch):
    """It would lose all of the above."""
    with pytest.raises(NotImplementedError):
        await IsolatingLoader(fetch, batch_size=1).batch_load_fn([1])


async def test_an_operation_queues_with_itself(fetch):
    """Three of ten questions run at once; the others follow as they end, in their order."""
    loader = IsolatingLoader(fetch, batch_size=1, at_once=3)
    loads = [asyncio.ensure_future(loader.load(key)) for key in range(10)]
    await until(lambda: len(fetch.batches) == 3)
    await asyncio.sleep(0)
    assert fetch.batches == [[0], [1], [2]]
    fetch.open.set()
    assert await asyncio.gather(*loads) == [key * 10 for key in range(10)]
    assert fetch.batches == [[key] for key in range(10)]


async def test_what_nobody_waits_for_any_more_is_not_begun(fetch):
    """It was abandoned while it waited for its turn."""
    loader = IsolatingLoader(fetch, batch_size=1, at_once=1)
    first, abandoned, last = (asyncio.ensure_future(loader.load(key)) for key in (1, 2, 3))
    await until(lambda: fetch.batches)
    abandoned.cancel()
    await asyncio.sleep(0)
    fetch.open.set()
    assert await asyncio.gather(first, last) == [10, 30]
    assert fetch.batches == [[1], [3]]


def test_an_operation_takes_half_a_bulkhead_at_most():
    """Of the 64 calls to a service that may be in flight."""
    assert IsolatingLoader(Fetch(), batch_size=1)._at_once == 32


async def test_a_batch_leaves_at_once(fetch):
    """Whoever has all keys that he wants waits for no others; what is known is not asked again."""
    loader = IsolatingLoader(fetch, batch_size=2)
    fetch.open.set()
    await loader.load(1)
    fetch.batches.clear()
    assert await loader.load_batch([3, 1, 2, 4]) == [30, 10, 20, 40]
    assert fetch.batches == [[3, 2], [4]]


async def test_one_key_of_a_batch_fails_alone(fetch):
    """Its error stands in its place, and is not remembered."""
    loader = IsolatingLoader(fetch, batch_size=10)
    fetch.open.set()
    failure = LookupError("two")
    fetch.outcomes = {2: failure}
    assert await loader.load_batch([1, 2]) == [10, failure]
    assert await loader.load_batch([1, 2]) == [10, 20]


async def test_a_batch_and_single_keys_share_what_is_asked(fetch):
    """Whoever came first; nobody asks twice."""
    loader = IsolatingLoader(fetch, batch_size=1)
    single = loader.load(1)
    batch = asyncio.create_task(loader.load_batch([1, 2]))
    await until(lambda: len(fetch.batches) == 2)
    other = loader.load(2)
    fetch.open.set()
    assert (await batch, await single, await other) == ([10, 20], 10, 20)
    assert fetch.batches == [[1], [2]]


async def test_a_batch_that_is_cancelled_takes_along_what_nobody_else_wants(fetch):
    """The other key is awaited still, and comes."""
    loader = IsolatingLoader(fetch, batch_size=1)
    batch = asyncio.create_task(loader.load_batch([1, 2]))
    await until(lambda: len(fetch.batches) == 2)
    other = loader.load(2)
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    fetch.open.set()
    assert await other == 20
    assert fetch.finished == [[2]]
