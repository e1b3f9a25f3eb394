"""The server under test and its upstreams, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt

SECRET = "a benchmark's own secret, of no use elsewhere"  # noqa: S105 - made up for this
_HERE = Path(__file__).resolve().parent
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Upstreams:
    """See `bench/upstreams.py`.

    Attributes:
        ports: By name of the service, and "control".
    """

    ports: Mapping[str, int]

    def become(self, service: str, fault: str) -> None:
        """Make *service* behave so from now on."""
        self._control(f"/{service}/{fault}")

    def asked(self, service: str) -> list[float]:
        """When it was asked (monotonic seconds)."""
        log: dict[str, list[float]] = json.loads(self._control("/log"))
        return log[service]

    def _control(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self.ports['control']}{path}"
        with urllib.request.urlopen(url, timeout=10) as response:
            body: bytes = response.read()
            return body


@dataclass(frozen=True, slots=True)
class Server:
    """`bff serve`.

    Attributes:
        url: Of the web graph.
        pid: Of the process.
    """

    url: str
    pid: int

    def resident_mib(self) -> float:
        """Memory in use now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu_seconds(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def upstreams() -> Generator[Upstreams]:
    """Five services on free ports."""
    command = [sys.executable, str(_HERE / "upstreams.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checkers
            yield Upstreams(json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@contextlib.contextmanager
def server(services: Upstreams, settings: Mapping[str, str] | None = None) -> Generator[Server]:
    """The BFF before those services, with *settings* over the defaults."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name[:4] != "BFF_"}
    environment |= {
        f"BFF_UPSTREAMS__{name.upper()}__URL": f"http://127.0.0.1:{number}"
        for name, number in services.ports.items()
        if name != "control"
    }
    environment |= {"BFF_AUTH__JWT_SECRET": SECRET, "BFF_LOG__LEVEL": "error", **(settings or {})}
    command = [sys.executable, "-Im", "bff", "serve", "--port", str(port)]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=silent) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz")
            yield Server(f"http://127.0.0.1:{port}/graphql", process.pid)
        finally:
            process.terminate()


def token(user: int) -> str:
    """What proves to that server that *user* asks."""
    return jwt.encode({"sub": str(user), "exp": int(time.time()) + 3_600}, SECRET, "HS256")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - loopback
        except OSError:
            if time.monotonic() > until:
                raise SystemExit("bff serve did not start.") from None
            time.sleep(0.05)
        else:
            return
