"""`bff` as a process of its own."""

import contextlib
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

BFF = str(Path(sys.executable).with_name("bff"))


class Process:
    """A running `bff`, and the lines that it has printed."""

    def __init__(self, words, environ):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
        self.process = subprocess.Popen(
            [BFF, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean | environ,
            bufsize=0,  # a line that is read ahead would be missed by `select`
        )
        self.lines = []

    def until(self, start, seconds=30.0):
        """The first line that begins with *start*, without it."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if not selector.select(deadline - time.monotonic()):
                    break
                line = self.process.stdout.readline().decode().rstrip("\n")
                if not line and self.process.poll() is not None:
                    break
                self.lines.append(line)
                if line.startswith(start):
                    return line.removeprefix(start).strip()
        raise AssertionError(f"no line {start!r} in {self.lines}")

    def stop(self, signal):
        """Send *signal*; the status and what was printed on standard error."""
        self.process.send_signal(signal)
        return self.end()

    def end(self, seconds=30.0):
        """Wait for the end; the status and what was printed on standard error."""
        out, err = self.process.communicate(timeout=seconds)
        self.lines += out.decode().splitlines()
        return self.process.returncode, err.decode()


@contextlib.contextmanager
def bff(*words, **environ):
    """A `bff` with those words and settings; killed if it still runs afterwards."""
    running = Process(words, environ)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()
