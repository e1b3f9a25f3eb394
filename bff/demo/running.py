"""Start everything on this machine, to look at."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import httpx
import orjson
import uvloop

from bff.build import build_app
from bff.demo.observer import Observer
from bff.demo.own_page import OwnPageOnly
from bff.demo.page import page_routes
from bff.demo.switches import Switches
from bff.graphql.explorer import ExplorerMissing
from bff.identity.development import development_token
from bff.identity.service_tokens import ServiceTokens
from bff.server import base_url, grace_seconds, interruptible, listen, serving
from bff.settings import ServiceTokenSettings, Settings
from bff.telemetry.logs import configure_logs
from bff.usage import UsageError
from datasources.clock import SystemClock
from examples.upstreams.fleet import ServedFleet, open_sites

USER = "1"
_TOKEN_SECONDS = 12 * 3600
_RESET_SECONDS = 10
"""Shorter than the default: whoever has mended a service on the page wants to see it come back."""
_READ_SECONDS = 1
"""Shorter than the default: whoever has a service hang wants to see its breaker open."""


def demo(*, host: str, port: int, once: bool) -> int:
    """Run the demo; the exit status is 1 when its one question was not answered in full.

    Raises:
        UsageError: The address is not of this machine, or the port is taken.
    """
    if not _is_loopback(host):
        raise UsageError(f"--host {host}: the demo is for this machine only, such as 127.0.0.1")
    return uvloop.run(_until_stopped(host, port, once=once))


async def _until_stopped(host: str, port: int, *, once: bool) -> int:
    async with interruptible():
        return await _demo(host, port, once=once)
    return 0


async def _demo(host: str, port: int, *, once: bool) -> int:
    clock = SystemClock()
    tokens = ServiceTokens.from_settings(ServiceTokenSettings(), clock)
    async with contextlib.AsyncExitStack() as stack:
        listening = stack.enter_context(listen(host, port))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bff-demo-")))
        served = await stack.enter_async_context(open_sites(folder, issuers={"bff": tokens.jwks()}))
        settings = _settings(served)
        configure_logs(settings.log)
        token = development_token(
            settings.auth,
            subject=USER,
            client="web",
            scope="bff.operator",
            ttl=_TOKEN_SECONDS,
            clock=clock,
        )
        observer = Observer(
            {name: settings.upstream(name).breaker.reset_seconds for name in served.sites}, clock
        )
        try:
            app = build_app(
                settings,
                service_tokens=tokens,
                demo_token=token,
                subscribers=[observer.record],
                more_routes=[*page_routes(token=token), Switches(served, observer).mount()],
            )
        except ExplorerMissing as exc:
            raise UsageError(str(exc)) from exc
        # The explorer's page has the token in it, as the demo's own has.
        guarded = OwnPageOnly(app, links=True)
        await stack.enter_async_context(serving(guarded, listening, grace=grace_seconds(settings)))
        url = f"{base_url(listening)}/graphql"
        _say(f"page: {base_url(listening)}/")
        _say(f"explorer: {url}")
        _say(f"graphql: {url}")
        _say(f"token: {token}")
        for name, site in served.sites.items():
            _say(f"service {name}: {site.url}")
        answer = await asyncio.to_thread(_ask, url, token)
        _say(f"answer: {orjson.dumps(answer).decode()}")
        _say("ready")
        if once:
            return 1 if "errors" in answer else 0
        await asyncio.Event().wait()
    return 0


def _settings(served: ServedFleet) -> Settings:
    upstreams = {
        name: {
            "url": site.url,
            "timeout_read_seconds": _READ_SECONDS,
            "breaker": {"reset_seconds": _RESET_SECONDS},
        }
        for name, site in served.sites.items()
    }
    return Settings.model_validate(
        {
            "upstreams": upstreams,
            "auth": {"jwt_secret": secrets.token_urlsafe(32), "audience": "bff", "issuer": "demo"},
            "log": {"level": "warning", "format": "console"},
        }
    )


def _ask(url: str, token: str) -> dict[str, object]:
    """The dashboard of the demo's user, asked for over the network as anybody would."""
    headers = {"Authorization": f"Bearer {token}"}
    query = (files("examples") / "queries" / "dashboard.graphql").read_text(encoding="utf-8")
    response = httpx.post(url, json={"query": query}, headers=headers, trust_env=False)
    answer: dict[str, object] = response.json()
    return answer


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
