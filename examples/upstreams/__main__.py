"""One reference service as a process: `python -m examples.upstreams orders --port 8002 …`.

The five of one folder know one another: each of those that ask others keeps its key there, and
publishes the public half beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from examples.upstreams.faults import Faults
from examples.upstreams.fleet import NAMES, SocketTransport, Surroundings, open_service
from examples.upstreams.sockets import QuietServer, base_url, configured, listen
from examples.upstreams.tokens import Jwks, Signer
from examples.upstreams.values import utc_now

_AUTONOMOUS = ("orders", "notifications")
_KEPT_SECONDS = 1.0


class FetchedJwks:
    """The keys of an issuer, from a file or URL; read again after a second."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._read_at = float("-inf")
        self._jwks: Mapping[str, Any] = {"keys": []}

    async def __call__(self) -> Mapping[str, Any]:
        """As they were at most a second ago; the last ones known when they cannot be read."""
        if time.monotonic() - self._read_at > _KEPT_SECONDS:
            try:
                self._jwks = json.loads(await self._text())
                self._read_at = time.monotonic()
            except (OSError, ValueError, httpx.HTTPError):
                pass
        return self._jwks

    async def _text(self) -> str:
        if not self._source.startswith(("http://", "https://")):
            return Path(self._source).read_text()  # noqa: ASYNC240
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            response = await client.get(self._source)
        return response.raise_for_status().text


def kept_signer(folder: Path, name: str) -> Signer:
    """The signer whose key is kept in *folder*; made there the first time."""
    path = folder / f"{name}.pem"
    if not path.exists():
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        made = path.with_suffix(f".{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(pem)
        made.replace(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not a P-256 key")
    signer = Signer(name, utc_now, key)
    (folder / f"{name}.jwks.json").write_text(json.dumps(signer.jwks))
    return signer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.upstreams", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--folder", type=Path, required=True, help="shared by all five")
    parser.add_argument(
        "--jwks",
        action="append",
        default=[],
        metavar="[ISSUER=]FILE|URL",
        help='keys of an issuer of tokens ("bff" unless named); may be repeated',
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="where another service is; orders needs the four others",
    )
    return parser.parse_args()


def _named(texts: list[str], default: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        known = separator and "/" not in name
        named[name if known else default] = value if known else text
    return named


async def _serve(arguments: argparse.Namespace) -> None:
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    signs = arguments.name == "orders"
    signers = {name: kept_signer(folder, name) for name in _AUTONOMOUS} if signs else {}
    own = {name: str(folder / f"{name}.jwks.json") for name in _AUTONOMOUS}
    sources = _named(arguments.jwks, "bff") | own
    issuers: dict[str, Jwks] = {name: FetchedJwks(source) for name, source in sources.items()}
    around = Surroundings(
        folder=folder,
        issuers=issuers,
        signers=signers,
        transport=lambda _name: SocketTransport(),
        # A service whose place is not told cannot be reached: nothing listens on port 9 (discard).
        urls=dict.fromkeys(NAMES, "http://127.0.0.1:9") | _named(arguments.peer, ""),
    )
    faults = Faults(random.Random(), asyncio.sleep, utc_now)  # noqa: S311
    with listen(arguments.host, arguments.port) as listening:
        async with open_service(arguments.name, faults, around) as app:
            print(f"{arguments.name}: {base_url(listening)}", flush=True)  # noqa: T201
            server = QuietServer(configured(app))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, setattr, server, "should_exit", True)  # noqa: FBT003
            await server.serve([listening])


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
