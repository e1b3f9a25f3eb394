"""`bff serve`: the BFF as operators run it."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import TYPE_CHECKING

import uvloop
from uvicorn.supervisors import Multiprocess

from bff.build import build_app
from bff.graphql.explorer import ExplorerMissing
from bff.identity.service_tokens import ServiceTokens
from bff.server import base_url, configured, grace_seconds, interruptible, listen, serving
from bff.settings import Settings, load_settings
from bff.telemetry.logs import configure_logs
from bff.usage import UsageError
from bff.wiring import SERVICES
from datasources.clock import SystemClock

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        UsageError: Something essential is not set, or the port cannot be had.
        SettingsError: A key file cannot be used.
    """
    demand_essentials(settings, workers)
    configure_logs(settings.log)
    app = _built(settings)
    listening = listen(host, port)
    with listening:
        sys.stdout.write(f"graphql: {base_url(listening)}/graphql\n")
        sys.stdout.flush()
        grace = grace_seconds(settings)
        if workers == 1:
            uvloop.run(_serve(app, listening, grace))
        else:
            config = configured("bff.serve:create", grace, workers)
            Multiprocess(config, sockets=[listening]).run()


def demand_essentials(settings: Settings, workers: int) -> None:
    """Refuse to start half-configured.

    Raises:
        UsageError: One line for each thing that is missing.
    """
    missing: list[str] = []
    if not settings.auth.configured:
        missing.append("BFF_AUTH__JWKS_URL or BFF_AUTH__JWT_SECRET: one is needed to know callers")
    missing += [
        f"BFF_UPSTREAMS__{name.upper()}__URL: needed to reach the service"
        for name in SERVICES
        if settings.upstream(name).url is None
    ]
    if workers > 1 and settings.service_token.key_file is None:
        missing.append("BFF_SERVICE_TOKEN__KEY_FILE: several workers need one key in common")
    if missing:
        raise UsageError("\n".join(missing))


async def _serve(app: Starlette, listening: socket.socket, grace: int) -> None:
    async with interruptible(), serving(app, listening, grace=grace):
        _spare_what_stays()
        await asyncio.Event().wait()


_COLLECTIONS = (1_000, 10, 100)
"""How often garbage is looked for, in `gc.set_threshold`'s terms.

A full collection looks at everything that is under way and takes 80 ms when that is much, with
everybody waiting. With Python's own numbers it comes every second under load; with these, every
eight. What it would have found until then takes some 35 MiB more.
"""


def _spare_what_stays() -> None:
    """Do not look through modules and schema at every full collection: that takes 50 ms or more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)


def _built(settings: Settings) -> Starlette:
    tokens = ServiceTokens.from_settings(settings.service_token, SystemClock())
    try:
        return build_app(settings, service_tokens=tokens)
    except ExplorerMissing as exc:
        raise UsageError(str(exc)) from exc


def create() -> Starlette:
    """The application, from the environment: what each of several workers runs.

    Raises:
        SettingsError: As at the start.
    """
    settings = load_settings(os.environ)
    configure_logs(settings.log)
    app = _built(settings)
    _spare_what_stays()
    return app
