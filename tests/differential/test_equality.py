"""The engine answers what graphql-core answers: thousands of operations by chance."""

import contextlib
from collections import Counter

import pytest

from tests.differential.case import Trial

_QUICK = 15
_PART = 190
"""Documents; each is executed five times in each of three behaviors on errors."""


def check(first, documents):
    with contextlib.closing(Trial()) as trial:
        for seed in range(first, first + documents):
            for difference in trial.differences(seed):
                pytest.fail(str(difference), pytrace=False)
    return trial.counts


def test_the_same_answers():
    """A few operations of each kind."""
    counts = sum((check(first, _QUICK // 5) for first in (0, 25, 50, 75, 300)), Counter())
    assert counts["cases"] > 10 * _QUICK


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_the_same_answers_to_many(part):
    """All parts together are more than 20,000 cases; most are compared exactly."""
    counts = check(10_000 + part * 1_000, _PART)
    assert counts["cases"] > 13 * _PART
    assert counts["exact"] > 0.3 * counts["cases"]
    assert 0.2 < counts["with errors"] / counts["cases"] < 0.9
    assert counts["awaited"] > 0.3 * counts["cases"]
