"""`bff check`: are the settings good, and who answers."""

from __future__ import annotations

import asyncio
import time

import httpx

from bff.settings import Settings
from bff.wiring import SERVICES, network

_SECONDS = 3.0


async def check(settings: Settings) -> list[tuple[str, str, bool]]:
    """Ask every service whether it lives.

    Returns:
        Service, what was found in words, and whether it can be reached; in the usual order.
    """
    return list(await asyncio.gather(*(_probe(settings, name) for name in SERVICES)))


async def _probe(settings: Settings, name: str) -> tuple[str, str, bool]:
    upstream = settings.upstream(name)
    if upstream.url is None:
        return name, f"BFF_UPSTREAMS__{name.upper()}__URL is not set", False
    transport = network(name, upstream)
    started = time.monotonic()
    try:
        async with asyncio.timeout(_SECONDS):
            request = httpx.Request("GET", f"{upstream.url}/livez")
            response = await transport.handle_async_request(request)
    except TimeoutError:
        return name, f"{upstream.url} does not answer within {_SECONDS:g} s", False
    except httpx.HTTPError as exc:
        return name, f"{upstream.url} cannot be reached ({type(exc).__name__})", False
    finally:
        await transport.aclose()
    took = (time.monotonic() - started) * 1000
    return name, f"{upstream.url} answers {response.status_code} in {took:.0f} ms", True
