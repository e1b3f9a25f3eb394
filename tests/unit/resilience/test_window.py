"""RollingWindow."""

from hypothesis import given
from hypothesis import strategies as st

from datasources.resilience.window import RollingWindow
from tests.virtual_time import HandClock


def test_what_is_older_than_the_window_does_not_count():
    """After the length of the window, to a tenth of it, everything is forgotten."""
    clock = HandClock()
    window = RollingWindow(10.0, 2, clock.monotonic)
    window.add(1, 1)
    clock.time += 5.0
    window.add(1, 0)
    assert window.totals() == (2, 1)
    clock.time += 5.0
    assert window.totals() == (1, 0)
    clock.time += 5.0
    assert window.totals() == (0, 0)


def test_clear_forgets_everything():
    """Also what was counted just now."""
    window = RollingWindow(10.0, 1, HandClock().monotonic)
    window.add(3)
    window.clear()
    assert window.totals() == (0,)


@given(st.lists(st.tuples(st.floats(0, 15), st.integers(0, 5)), max_size=60))
def test_it_counts_as_a_list_of_events_does(steps):
    """Same totals as the obvious model: all events in the last ten whole slices."""
    clock = HandClock()
    window = RollingWindow(10.0, 1, clock.monotonic)
    happened = []
    for wait, amount in steps:
        clock.time += wait
        window.add(amount)
        happened.append((int(clock.time), amount))
        recent = sum(n for slice_, n in happened if slice_ > int(clock.time) - 10)
        assert window.totals() == (recent,)
