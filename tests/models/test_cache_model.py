"""The byte cache, and the last good values in it, beside models of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from datasources.errors import ServerFault
from datasources.resilience.cache import ByteCache, Entry
from datasources.resilience.last_good import LastGood
from datasources.resilience.writes import Writes
from datasources.scope import Scope, entered
from datasources.sourced import Origin, Reason, Sourced
from tests.models.effort import QUICK, THOROUGH
from tests.unit.resilience.stories import call
from tests.virtual_time import EPOCH, HandClock

ENTRY = 600
FRESH = 5.0
STALE = 60.0
NAMES = st.sampled_from("abcde")
PEOPLE = st.sampled_from(["u1", "u2"])


class CacheHistories(RuleBasedStateMachine):
    """A list of what is kept, the least recently used first."""

    @initialize(most=st.integers(0, 5000), item=st.integers(0, 1500))
    def begin(self, most, item):
        self.most = most
        self.item = item
        self.cache = ByteCache(max_bytes=most, max_item_bytes=item)
        self.kept = []

    def size(self, key, entry):
        return ENTRY + len(entry.packed) + sum(len(part) for part in key)

    @rule(name=NAMES, person=PEOPLE, size=st.integers(0, 1600), at_bound=st.booleans())
    def put(self, name, person, size, at_bound):
        key = ("users", "by_id", person, name)
        entry = Entry(b"x" * (self.item if at_bound else size), EPOCH, 0.0, 0.0, 0.0, 0)
        self.cache.put(key, entry)
        self.kept = [(k, e) for k, e in self.kept if k != key]
        if len(entry.packed) <= self.item:
            self.kept.append((key, entry))
        while sum(self.size(k, e) for k, e in self.kept) > self.most:
            del self.kept[0]

    @rule(spare=st.integers(-1, 1))
    def fill(self, spare):
        """Up to the bound to the byte, one below, one beyond."""
        key = ("users", "by_id", "u1", "f")
        rest = self.most - sum(self.size(k, e) for k, e in self.kept if k != key)
        room = rest - ENTRY - len("usersby_idu1f") - spare
        if 0 <= room <= self.item:
            entry = Entry(b"x" * room, EPOCH, 0.0, 0.0, 0.0, 0)
            self.cache.put(key, entry)
            self.kept = [(k, e) for k, e in self.kept if k != key] + [(key, entry)]
            if spare < 0:
                del self.kept[0]

    @rule(name=NAMES, person=PEOPLE)
    def get(self, name, person):
        key = ("users", "by_id", person, name)
        found = [(k, e) for k, e in self.kept if k == key]
        assert self.cache.get(key) == (found[0][1] if found else None)
        self.kept = [(k, e) for k, e in self.kept if k != key] + found

    @rule(name=NAMES, person=PEOPLE)
    def drop(self, name, person):
        key = ("users", "by_id", person, name)
        self.cache.drop(key)
        self.kept = [(k, e) for k, e in self.kept if k != key]

    @invariant()
    def they_agree(self):
        if not hasattr(self, "cache"):
            return
        assert self.cache.bytes == sum(self.size(k, e) for k, e in self.kept) <= self.most
        assert list(self.cache._entries.items()) == self.kept


@dataclass(frozen=True)
class Kept:
    """A value, and when it was asked for and said."""

    value: str
    at: float
    asked: int
    fresh_for: float


class LastGoodHistories(RuleBasedStateMachine):
    """Values by person and name, and who wrote when."""

    @initialize()
    def begin(self):
        self.clock = HandClock()
        self.writes = Writes()
        self.last_good = LastGood(
            ByteCache(),
            self.writes,
            fresh=FRESH,
            stale=STALE,
            clock=self.clock,
            uniform=self.uniform,
        )
        self.kept = {}
        self.count = 0
        self.wrote = {}
        self.version = 0

    def uniform(self, low, high):
        assert (low, high) == (0.9, 1.0)
        return self.share

    def as_user(self, person):
        return entered(Scope(deadline=0.0, request_id="r", principal=person))

    def owner(self, person, personal):
        return person if personal else ""

    def superseded(self, person, personal, asked):
        return personal and asked < self.wrote.get(person, 0)

    @rule(
        person=PEOPLE,
        personal=st.booleans(),
        names=st.lists(NAMES, min_size=1, max_size=3, unique=True),
        absent=st.sets(NAMES),
        late=st.integers(0, 2),
        share=st.floats(0.9, 1.0),
    )
    def keep(self, person, personal, names, absent, late, share):
        """What was asked *late* writes ago, without some of the things."""
        self.version += 1
        self.share = share
        asked = max(0, self.count - late)
        parts = {
            name: Sourced(f"{name}{self.version}", "users", self.clock.now())
            for name in names
            if name not in absent
        }
        with self.as_user(person):
            self.last_good.keep(call(*names, personal=personal, asked=asked), parts)
        if self.superseded(person, personal, asked):
            return
        for name in names:
            thing = (self.owner(person, personal), name)
            self.kept.pop(thing, None)
            if name in parts:
                value = f"{name}{self.version}"
                self.kept[thing] = Kept(value, self.clock.time, asked, FRESH * share)

    @rule(person=PEOPLE, personal=st.booleans(), name=NAMES, late=st.integers(0, 2))
    def purge(self, person, personal, name, late):
        asked = max(0, self.count - late)
        with self.as_user(person):
            self.last_good.purge(call(name, personal=personal, asked=asked))
        if not self.superseded(person, personal, asked):
            self.kept.pop((self.owner(person, personal), name), None)

    @rule(person=PEOPLE)
    def write(self, person):
        self.writes.note(person)
        self.count += 1
        self.wrote[person] = self.count

    @rule(seconds=st.sampled_from([0.25, 1.0, 4.5, 5.0, 30.0, 59.5, 60.0]))
    def wait(self, seconds):
        self.clock.time += seconds

    @rule(person=PEOPLE, personal=st.booleans(), names=st.lists(NAMES, max_size=4, unique=True))
    def look(self, person, personal, names):
        now = self.clock.time
        asked = call(*names, personal=personal) if names else call(method="POST")
        there = {
            name: kept
            for name in names
            if (kept := self.kept.get((self.owner(person, personal), name))) is not None
        }
        fresh = {
            name: self.part(kept, Origin.CACHE)
            for name, kept in there.items()
            if now < kept.at + kept.fresh_for and not self.superseded(person, personal, kept.asked)
        }
        stale = {
            name: self.part(kept, Origin.STALE, Reason.SERVER_ERROR)
            for name, kept in there.items()
            if now < kept.at + STALE
        }
        good = [name for name in stale if not self.superseded(person, personal, there[name].asked)]
        failure = ServerFault("users", 503)
        with self.as_user(person):
            assert self.last_good.fresh(asked) == fresh
            assert self.last_good.stale(asked, Reason.SERVER_ERROR) == stale
            assert self.last_good.covers(asked) == (good == names)
            instead = self.last_good.instead_of(asked, failure)
        if not stale:
            assert instead is None
        else:
            assert instead is not None
            assert instead.parts == stale
            assert instead.failure is (None if len(stale) == len(names) else failure)

    def part(self, kept, origin, reason=None):
        age = self.clock.time - kept.at
        as_of = _At(kept.at).now()
        return Sourced(kept.value, "users", as_of, origin, age, reason)


class _At(HandClock):
    """A clock that has stopped."""

    def __init__(self, time):
        self.time = time


def test_the_cache_does_as_its_model():
    """A few histories."""
    run_state_machine_as_test(CacheHistories, settings=QUICK)


def test_the_last_good_values_are_those_of_the_model():
    """A few histories."""
    run_state_machine_as_test(LastGoodHistories, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("histories", [CacheHistories, LastGoodHistories])
def test_the_same_in_a_thousand_histories(histories):
    """New ones every time."""
    run_state_machine_as_test(histories, settings=THOROUGH)
