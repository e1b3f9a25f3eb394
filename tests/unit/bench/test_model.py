"""What many processes do follows from what one was seen to do."""

from __future__ import annotations

from bench import model


def share(p99: float, errors: int = 0):
    return [
        {
            "p50_ms": 45.0,
            "p99_ms": p99,
            "max_ms": 2 * p99,
            "cpu_share": 0.5,
            "answers": 1_000,
            "errors": errors,
            "old": 0,
            "sockets": 40,
        }
    ]


FIGURES = {
    "when": "2026-01-02 03:04",
    "machine": "a machine",
    "delay_ms": 20,
    "capacity": {"per_second": 2_000.0, "cpu_ms": 0.5, "connections": 64, "p99_ms": 300.0},
    "idle_mib": 70.0,
    "peak_mib": 128.0,
}


def test_the_highest_share_that_was_quick_enough_counts():
    """At 70 % p99 is above 200 ms, so processes are used to 50 %: ten for 10,000 a second."""
    shares = {"0.25": share(60.0), "0.5": share(120.0), "0.7": share(210.0)}
    needed = model.need({**FIGURES, "shares": shares})
    assert needed == model.Need(
        share=0.5, per_process=1_000.0, processes=10, gib=1.25, service_sockets=400
    )


def test_a_share_with_errors_does_not_count():
    """What is refused is quick."""
    shares = {"0.25": share(60.0), "0.5": share(10.0, errors=3)}
    needed = model.need({**FIGURES, "shares": shares})
    assert needed is not None
    assert needed.processes == 20


def test_when_nothing_was_quick_enough_it_is_said():
    """No number is made up."""
    figures = {**FIGURES, "shares": {"0.25": share(900.0)}}
    assert model.need(figures) is None
    assert list(model.markdown(figures))[-1] == "At none of these shares was p99 below 200 ms."
