"""How hard a model is compared with the product.

A comparison that fails prints the shortest history that Hypothesis could find, as the Python that
replays it.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

QUICK = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same histories every time, in about a second."""

THOROUGH = settings(
    max_examples=1000,
    stateful_step_count=30,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
"""Other histories every time."""
