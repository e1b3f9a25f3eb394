"""How long calls take, remembered in little room."""

import random

import pytest

from bff.telemetry.latencies import Histogram, Latencies
from datasources.events import AttemptFinished, BreakerChanged
from tests.virtual_time import HandClock


def attempt(seconds, outcome="ok", operation="by_id"):
    return AttemptFinished(
        service="users", operation=operation, attempt=1, outcome=outcome, seconds=seconds
    )


def test_nothing_measured_is_nothing_known():
    """Neither at first, nor for another operation."""
    latencies = Latencies(HandClock())
    assert latencies.of("users", "by_id") is None
    latencies.record(attempt(0.1))
    assert latencies.of("users", "other") is None
    assert latencies.of("orders", "by_id") is None


@pytest.mark.parametrize("seconds", [0.0002, 0.003, 0.05, 1.0, 14.9])
def test_one_measurement_is_told_within_a_twentieth(seconds):
    """Of whatever size."""
    latencies = Latencies(HandClock())
    latencies.record(attempt(seconds))
    found = latencies.of("users", "by_id")
    assert found.samples == 1
    assert found.median == found.p95 == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 0.0001), (1e-9, 0.0001), (1e6, 83.0)])
def test_what_is_beyond_the_buckets_is_told_as_their_end(seconds, told):
    """Nothing is lost, and nothing falls over."""
    latencies = Latencies(HandClock())
    latencies.record(attempt(seconds))
    assert latencies.of("users", "by_id").median == pytest.approx(told, rel=0.01)


def test_quantiles_of_many():
    """As sorting them would tell, within a twentieth."""
    chance = random.Random(7)
    durations = [chance.lognormvariate(-4, 0.6) for _ in range(2_000)]
    latencies = Latencies(HandClock())
    for seconds in durations:
        latencies.record(attempt(seconds))
    durations.sort()
    found = latencies.of("users", "by_id")
    assert found.samples == 2_000
    assert found.median == pytest.approx(durations[1_000], rel=0.06)
    assert found.p95 == pytest.approx(durations[1_900], rel=0.06)


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [("ok", 1), ("NotFound", 1), ("ServerFault", 0), ("AttemptTimedOut", 0), ("cancelled", 0)],
)
def test_only_answers_tell_how_long_an_answer_takes(outcome, counts):
    """A failure at once does not make a service look quick."""
    latencies = Latencies(HandClock())
    latencies.record(attempt(0.1, outcome))
    latencies.record(BreakerChanged(service="users", old="closed", new="open"))
    found = latencies.of("users", "by_id")
    assert (0 if found is None else found.samples) == counts


def test_a_minute_ago_counts_half():
    """So a service that has become slow is soon known as slow."""
    clock = HandClock()
    latencies = Latencies(clock)
    for _ in range(100):
        latencies.record(attempt(0.01))
    clock.time += 60.0
    for _ in range(49):
        latencies.record(attempt(1.0))
    assert latencies.of("users", "by_id").median < 0.02
    latencies.record(attempt(1.0))
    latencies.record(attempt(1.0))
    assert latencies.of("users", "by_id").median > 0.9


def test_what_is_old_is_still_known_until_something_newer_is():
    """A day without a call does not make it unknown; the first call after it counts alone."""
    clock = HandClock()
    latencies = Latencies(clock)
    latencies.record(attempt(0.01))
    clock.time += 86_400.0
    assert latencies.of("users", "by_id").median == pytest.approx(0.01, rel=0.05)
    latencies.record(attempt(1.0))
    found = latencies.of("users", "by_id")
    assert (found.samples, found.median) == (2, pytest.approx(1.0, rel=0.05))


def test_weights_stay_numbers_for_ever():
    """A day of calls, one every ten seconds; the last is one of ten that count."""
    histogram = Histogram(0.0)
    for second in range(0, 86_400, 10):
        histogram.add(0.02, float(second))
    histogram.add(0.5, 86_400.0)
    median, p95 = histogram.quantiles(0.5, 0.95)
    assert median == pytest.approx(0.02, rel=0.05)
    assert p95 == pytest.approx(0.5, rel=0.05)
