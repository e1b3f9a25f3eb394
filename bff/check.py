"""`bff check`: are the settings good, and who answers."""

from __future__ import annotations

import asyncio
import os
import time

import httpx

from bff.serve import demand_essentials
from bff.settings import Settings
from bff.wiring import SERVICES, check_hedges, network

_SECONDS = 3.0


async def check(settings: Settings) -> list[tuple[str, str, bool]]:
    """Ask every service whether it lives.

    Returns:
        Service, what was found in words, and whether it answers; in the usual order.

    Raises:
        UsageError: `bff serve` would refuse these settings.
        SettingsError: As above.
    """
    demand_essentials(settings, workers=1)
    check_hedges(settings)
    return list(await asyncio.gather(*(_probe(settings, name) for name in SERVICES)))


async def _probe(settings: Settings, name: str) -> tuple[str, str, bool]:
    upstream = settings.upstream(name)
    url = str(upstream.url).rstrip("/")
    transport = network(name, upstream)
    started = time.monotonic()
    try:
        async with asyncio.timeout(_SECONDS):
            request = httpx.Request("GET", f"{url}/livez")
            response = await transport.handle_async_request(request)
    except TimeoutError:
        return name, f"{url} does not answer within {_SECONDS:g} s", False
    except httpx.HTTPError as exc:
        return name, f"{url} cannot be reached: {_why(exc)}", False
    finally:
        await transport.aclose()
    took = (time.monotonic() - started) * 1000
    well = not response.is_server_error
    return name, f"{url} answers {response.status_code} in {took:.0f} ms", well


def _why(error: httpx.HTTPError) -> str:
    """In the words of the system, where it has some."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(error)
