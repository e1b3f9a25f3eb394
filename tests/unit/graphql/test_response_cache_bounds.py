"""How much is kept, and what takes the place of what."""

from __future__ import annotations

import asyncio
import gc

import pytest

from bff.graphql.on_error import OnError
from bff.graphql.outcome import Outcome, Whole
from bff.graphql.request import Question
from bff.graphql.response_cache import ResponseCache
from bff.graphql.shared_execution import SharedExecution
from schema.cache_control import CachePolicy, CacheScope
from schema.context import Viewer
from tests.virtual_time import VirtualClock, run

ANN = Viewer(id="ann")
PUBLIC = CachePolicy(10.0, CacheScope.PUBLIC)


def question(number=1):
    return Question(f"{{ q{number} }}", None, None, OnError.PROPAGATE)


def post(body):
    return ("POST", body)


def cache(max_bytes=1_000_000):
    return ResponseCache(max_bytes=max_bytes, clock=VirtualClock())


def coming(body=b"{}", after=0.0, age=0.0):
    async def execute():
        await asyncio.sleep(after)
        return Outcome(body=body, whole=True, age=age)

    return execute


async def keep(responses, number=1, body=b"{}", **how):
    asked = responses.asked(post(b"%d" % number), question(number), PUBLIC)
    return await responses.answer(asked, ANN, 1e9, coming(body, **how))


def test_a_request_is_read_once():
    """Its bytes lead to the answer from then on, for whoever may see it."""

    async def told():
        responses = cache()
        assert responses.known(post(b"1"), ANN) is None
        await keep(responses, body=b"{1}")
        for viewer in (ANN, Viewer(id="bob")):
            assert responses.known(post(b"1"), viewer).body == b"{1}"
        assert responses.known(post(b"1"), None) is None
        assert responses.known(("GET", b"1"), ANN) is None

    run(told())


@pytest.mark.parametrize("size", [10, 1_000, 100_000])
def test_bytes_are_bounded(size):
    """Whatever the answers weigh; what was used last is still there."""

    async def told():
        responses = cache(500_000)
        for number in range(1_000):
            await keep(responses, number, b"x" * size)
            assert responses.bytes_kept <= 500_000
        assert responses.known(post(b"999"), ANN) is not None
        assert responses.known(post(b"0"), ANN) is None

    run(told())


def test_what_is_too_old_at_once_takes_no_room():
    """It would never be given to anybody."""

    async def told():
        responses = cache()
        await keep(responses, after=11.0)
        await keep(responses, 2, age=10.0)
        assert len(responses) == 0

    run(told())


def test_what_is_newer_stays():
    """An answer that was long in coming does not take the place of one that was asked later."""

    async def told():
        responses = cache()
        asked = responses.asked(post(b"1"), question(), PUBLIC)
        slow = asyncio.ensure_future(responses.answer(asked, ANN, 5.0, coming(b"old", after=4.0)))
        await asyncio.sleep(1.0)
        await responses.answer(asked, ANN, 2.0, coming(b"new"))
        assert (await slow).body == b"old"
        assert responses.known(post(b"1"), ANN).body == b"new"

    run(told())


def test_many_who_write_are_too_many_to_remember():
    """Those who are forgotten count as having written; that does not touch what is for all."""

    async def told():
        responses = cache()
        await keep(responses)
        private = CachePolicy(10.0, CacheScope.PRIVATE)
        asked = responses.asked(post(b"2"), question(2), private)
        await responses.answer(asked, ANN, 1e9, coming())
        for number in range(65_540):
            responses.wrote(Viewer(id=f"u{number}"))
        assert isinstance(responses.known(post(b"1"), ANN), Whole)
        assert responses.known(post(b"2"), ANN) is None

    run(told())


def test_who_has_ended_is_not_taken_for_his_successor():
    """An execution that was due too late for one who came is over: others join that one's."""

    async def told():
        executions = SharedExecution()

        def ending(after):
            async def make():
                await asyncio.sleep(after)
                return after

            return make

        first = asyncio.ensure_future(executions.begin("q", ending(1.0), due=5.0, asked=0))
        await asyncio.sleep(0.5)
        assert executions.joinable("q", due=4.0, written=0) is None
        second = asyncio.ensure_future(executions.begin("q", ending(2.0), due=4.0, asked=0))
        assert await first == 1.0
        flight = executions.joinable("q", due=4.0, written=0)
        assert await executions.join(flight) == await second == 2.0
        assert len(executions) == 0

    run(told())


def test_what_breaks_when_all_have_left_is_nobody_s_business():
    """It is stopped, and asyncio has nothing to complain of."""

    async def told():
        complaints = []
        asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))

        async def breaks():
            try:
                await asyncio.sleep(1.0)
            except asyncio.CancelledError:
                raise RuntimeError from None

        leaving = asyncio.ensure_future(SharedExecution().begin("q", breaks, due=5.0, asked=0))
        await asyncio.sleep(0.5)
        leaving.cancel()
        await asyncio.wait([leaving])
        await asyncio.sleep(0)
        del leaving
        gc.collect()
        assert complaints == []

    run(told())
