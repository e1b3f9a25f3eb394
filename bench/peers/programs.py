"""Programs of ours, started on cores of their own and stopped with all that they started."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from machine import family

HERE = Path(__file__).resolve().parent
BASE = int(os.environ.get("UPSTREAM_BASE", "29300"))
SERVICES = ("users", "orders", "products", "payments", "notifications", "posts")
PORTS = {name: BASE + 1 + index for index, name in enumerate(SERVICES)}
_LOOPBACK = "127.0.0.1"


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without proxies, and without what is meant for Python or our own server; and *more*."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith(("BFF_", "PYTHON"))
    }
    nobody = f"{_LOOPBACK},localhost"
    return (
        kept
        | {"no_proxy": nobody, "NO_PROXY": nobody, "UPSTREAM_BASE": str(BASE)}
        | (dict(more or {}))
    )


def get_json(port: int, path: str) -> object:
    """What a service on that port of this machine answers."""
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        answer: object = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


class Program:
    """A process, and its children.

    Args:
        command: What to start.
        folder: Where.
        variables: Its whole environment.
        cores: Where it runs; "" for anywhere.
        log: Where what it says is kept.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        cores: str,
        log: Path,
    ) -> None:
        pinned = ["taskset", "-c", cores] if cores else []
        self._log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [*pinned, *command],
                cwd=folder,
                env=variables,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the first process."""
        return self.process.pid

    @property
    def last_words(self) -> str:
        """The end of what it has said."""
        return self._log.read_text("utf-8", "replace")[-500:]

    def stop(self) -> None:
        """Ask it to end; then end it, and what it left behind."""
        if self.process.poll() is not None:
            return
        processes = family([self.pid])
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(4)
        for number in processes:
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        self.process.wait(5)


class Upstreams(Program):
    """`mock/mock.c`: the services behind all servers.

    There is one at a time: two runs would share its ports, its counters and its faults.
    """

    def __init__(self, cores: str, log: Path) -> None:
        lock = Path(tempfile.gettempdir()) / f"bff-bench-{BASE}.lock"
        self._lock = lock.open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another run uses port {BASE}: wait, or set UPSTREAM_BASE and PEER_PORT.")
        if is_open(BASE):
            sys.exit(f"Port {BASE} is taken: set UPSTREAM_BASE and PEER_PORT.")
        super().__init__([str(HERE / "mock/mock"), str(BASE)], HERE, environment(), cores, log)
        wait_for(BASE, self.process)

    def stop(self) -> None:
        """End it, and let the next run begin."""
        super().stop()
        self._lock.close()

    def set(self, service: str = "all", **what: int) -> None:
        """Make it answer after `delay` ms, fail `fail` in a hundred, or hang (`hang=1`)."""
        get_json(BASE, f"/set?service={service}&{urllib.parse.urlencode(what)}")

    def reset(self) -> None:
        """Count from now on."""
        get_json(BASE, "/reset")

    def requests(self) -> dict[str, int]:
        """How often each service has been asked."""
        told = get_json(BASE, "/stats")
        assert isinstance(told, dict)  # noqa: S101 - for the reader
        return {name: counts["requests"] for name, counts in told.items()}


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((_LOOPBACK, port), 0.5).close()
    except OSError:
        return False
    return True


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return once somebody listens there.

    Raises:
        RuntimeError: Nobody does for half a minute, or *process* has ended.
    """
    until = time.monotonic() + 30
    while not is_open(port):
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"It ended with {process.returncode}.")
        if time.monotonic() > until:
            raise RuntimeError(f"Nothing listens on {port}.")
        time.sleep(0.05)
