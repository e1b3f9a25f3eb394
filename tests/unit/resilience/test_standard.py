"""The order and the numbers, word for word."""

from datasources.clock import SystemClock
from datasources.events import Events
from datasources.resilience.cache import ByteCache
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from tests.unit.resilience.stories import Service


def test_the_standard_order():
    """Outermost first; whoever changes it changes this line and decision 0006."""
    shared = Shared(ByteCache(), Events(), SystemClock())
    protected = standard_pipeline("users", Service(), Numbers(), shared)
    assert str(protected.ask).split(" → ") == [
        "ReadYourWrites",
        "FreshCache(0 s)",
        "StaleWhileRevalidate(0.15 s)",
        "SingleFlight(5 s)",
        "StaleFallback(300 s)",
        "Retry(3 of idempotent calls, 10% + 1/s)",
        "BreakerPeek",
        "Bulkhead(64 + 128)",
        "Breaker(50% of ≥10, 10 in a row, 30 s)",
        "AttemptEvents",
        "AttemptTimeout(read 3 s, write 10 s)",
        "send",
    ]
