"""Where the processor's time goes while dashboards are answered, as a flame graph (SVG)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import flame_chart
import machine
from answers import text_of
from field import chosen
from growth import OURS
from loading import Load, measured, questions
from programs import Program, Upstreams, environment
from server import Conditions, Server

_RATE = 200
_WARMUP_SECONDS = 4.0


def draw(upstreams: Upstreams, seconds: float, conditions: Conditions, target: Path) -> None:
    """Sample `bff serve` for so long under load, with py-spy, and draw it to *target*.

    Raises:
        RuntimeError: py-spy saw nothing; it needs leave to look into another process.
    """
    entry = chosen("none", [str(OURS)], [])[0]
    server = Server(entry, conditions)
    path, stacks = conditions.folder / "flame.requests", conditions.folder / "flame.stacks"
    load = Load(seconds=seconds + 1, connections=64)
    try:
        upstreams.set(delay=0)
        server.start()
        questions(server, text_of(entry, "q1"), range(1, conditions.users + 1), path)
        warm = Load(seconds=_WARMUP_SECONDS, connections=64)
        measured(server, path, warm, conditions, upstreams)
        spy = Program(
            [
                *(str(Path(sys.executable).parent / "py-spy"), "record", "--format", "raw"),
                *("--function", "--rate", str(_RATE), "--duration", str(int(seconds))),
                *("--pid", str(max(server.processes)), "--output", str(stacks)),
            ],
            conditions.folder,
            environment(),
            conditions.load_cores,
            conditions.folder / "flame.log",
        )
        try:
            measured(server, path, load, conditions, upstreams)
            spy.process.wait(30)
        except subprocess.TimeoutExpired:
            pass
        finally:
            spy.stop()
    finally:
        server.stop()
    if not stacks.exists():
        raise RuntimeError(f"py-spy saw nothing: {spy.last_words}")
    note = f"Dashboards, 64 callers. {time.strftime('%Y-%m-%d')}; {machine.description()}."
    target.write_text(flame_chart.draw(stacks.read_text("utf-8").splitlines(), note), "utf-8")
