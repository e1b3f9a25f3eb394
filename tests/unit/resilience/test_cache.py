"""ByteCache, Writes and LastGood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from datasources.resilience.cache import MAX_BYTES, MAX_ITEM_BYTES, ByteCache, Entry
from datasources.resilience.last_good import LastGood
from datasources.resilience.writes import Writes
from datasources.scope import Scope, entered
from datasources.sourced import Origin, Reason, Sourced
from tests.unit.resilience.stories import call
from tests.virtual_time import EPOCH, HandClock

NOW = EPOCH


def entry(size):
    return Entry(b"x" * size, NOW, 0.0, 0.0, 0.0, 0)


def key(name):
    return ("users", "by_id", "u1", name)


def test_the_bounds():
    """64 MiB in all, 256 KiB an item."""
    assert (MAX_BYTES, MAX_ITEM_BYTES) == (64 * 2**20, 256 * 2**10)


def test_least_recently_used_goes_first():
    """Room for two: what was looked at stays."""
    cache = ByteCache(max_bytes=3000)
    cache.put(key("a"), entry(500))
    cache.put(key("b"), entry(500))
    cache.get(key("a"))
    cache.put(key("c"), entry(500))
    assert [cache.get(key(name)) is not None for name in "abc"] == [True, False, True]


def test_what_is_too_large_is_not_kept_and_replaces_nothing_by_itself():
    """A value over the bound leaves no old one behind that would be taken for it."""
    cache = ByteCache(max_item_bytes=100)
    cache.put(key("a"), entry(100))
    cache.put(key("a"), entry(101))
    assert (cache.get(key("a")), cache.bytes, len(cache)) == (None, 0, 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 900), st.booleans())))
def test_bytes_are_counted_exactly_and_never_exceed_the_bound(steps):
    """Whatever is put and dropped."""
    cache = ByteCache(max_bytes=4000, max_item_bytes=800)
    for name, size, drop in steps:
        if drop:
            cache.drop(key(name))
        else:
            cache.put(key(name), entry(size))
        kept = [cache.get(key(letter)) for letter in "abcdef"]
        size_of_all = sum(
            600 + len("usersby_idu1") + 1 + len(e.packed) for e in kept if e is not None
        )
        assert cache.bytes == size_of_all <= 4000


def test_a_write_supersedes_what_was_asked_before_it():
    """In the order of events, whatever the clock says; for that caller alone."""
    writes = Writes()
    before = writes.now()
    writes.note("u1")
    assert before < writes.last("u1")
    assert writes.now() >= writes.last("u1")
    assert before >= writes.last("u2")


def test_a_forgotten_writer_is_taken_for_a_recent_one():
    """With too many writers to remember, more is asked again, never less."""
    writes = Writes()
    early = writes.now()
    for number in range(70_000):
        writes.note(f"u{number}")
    assert early < writes.last("u0")
    assert len(writes._last) == 65_536


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def writes():
    return Writes()


@pytest.fixture
def last_good(clock, writes):
    return LastGood(
        ByteCache(), writes, fresh=5.0, stale=60.0, clock=clock, uniform=lambda low, high: low
    )


def as_user(principal):
    return entered(Scope(deadline=0.0, request_id="r", principal=principal))


def keep(last_good, *keys, personal=True, asked=0):
    said = last_good._clock.now()
    parts = {key: Sourced(f"{key}!", "users", said) for key in keys}
    last_good.keep(call(*keys, personal=personal, asked=asked), parts)


def test_fresh_then_stale_then_gone(last_good, clock):
    """Four and a half seconds (five less a tenth), then a minute."""
    with as_user("u1"):
        keep(last_good, "k")
        clock.time += 4.4
        fresh = last_good.fresh(call())["k"]
        assert (fresh.value, fresh.origin, fresh.as_of, fresh.reason) == (
            "k!",
            Origin.CACHE,
            NOW,
            None,
        )
        assert fresh.age == pytest.approx(4.4)
        clock.time += 0.2
        assert last_good.fresh(call()) == {}
        stale = last_good.stale(call(), Reason.TIMEOUT)["k"]
        assert (stale.origin, stale.reason) == (Origin.STALE, Reason.TIMEOUT)
        assert stale.age == pytest.approx(4.6)
        clock.time += 55.5
        assert last_good.stale(call(), Reason.TIMEOUT) == {}
        assert not last_good.covers(call())


def test_nobody_sees_what_was_kept_for_another(last_good):
    """Personal answers are kept under their caller; public ones are everybody's."""
    with as_user("u1"):
        keep(last_good, "k")
        keep(last_good, "p", personal=False)
    with as_user("u2"):
        assert last_good.stale(call("k"), None) == {}
        assert last_good.stale(call("p", personal=True), None) == {}
        assert list(last_good.stale(call("p", personal=False), None)) == ["p"]


def test_keys_without_a_part_are_forgotten(last_good):
    """The service no longer knows them."""
    with as_user("u1"):
        keep(last_good, "a", "b")
        last_good.keep(call("a", "b"), {"a": Sourced("a!", "users", NOW)})
        assert list(last_good.stale(call("a", "b"), None)) == ["a"]
        assert last_good.covers(call("a"))
        assert not last_good.covers(call("a", "b"))


def test_a_callers_write_supersedes_only_his_own(last_good, writes):
    """Not fresh, not good enough to skip waiting; still better than nothing."""
    for user in ("u1", "u2"):
        with as_user(user):
            keep(last_good, "k", asked=writes.now())
            keep(last_good, "p", personal=False, asked=writes.now())
    writes.note("u1")
    with as_user("u1"):
        assert last_good.fresh(call()) == {}
        assert not last_good.covers(call())
        assert list(last_good.stale(call(), None)) == ["k"]
        assert last_good.fresh(call("p", personal=False))
        keep(last_good, "k", asked=writes.now())
        assert last_good.fresh(call())
    with as_user("u2"):
        assert last_good.fresh(call())


def test_what_was_stored_together_does_not_expire_together(clock, writes):
    """Each key of a batch has its own share of chance."""
    shares = iter([0.9, 1.0])
    last_good = LastGood(
        ByteCache(), writes, fresh=10.0, stale=60.0, clock=clock, uniform=lambda *_: next(shares)
    )
    with as_user("u1"):
        keep(last_good, "a", "b")
        clock.time += 9.5
        assert list(last_good.fresh(call("a", "b"))) == ["b"]


def test_operations_of_one_service_keep_their_own(last_good):
    """The same key under another operation is another thing."""
    other = replace(call().route, operation="by_name")
    with as_user("u1"):
        keep(last_good, "k")
        assert last_good.stale(replace(call(), route=other), None) == {}


def test_the_age_counts_from_when_it_was_said(last_good, clock):
    """A part that was said two seconds before it came to be kept is two seconds old."""
    with as_user("u1"):
        said = clock.now()
        clock.time += 2.0
        last_good.keep(call(), {"k": Sourced("k!", "users", said)})
        clock.time += 1.0
        found = last_good.fresh(call())["k"]
        assert (found.as_of, found.age) == (said, 3.0)
