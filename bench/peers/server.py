"""A server of the field, started here or running already, and single questions to it."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import http.client
import http.server
import json
import os
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from answers import text_of
from field import Entry
from programs import HERE, PORTS, Program, environment, wait_for

SECRET = "bench-secret-bench-secret-bench-secret"  # noqa: S105 - of no use elsewhere
_START_SECONDS = 40.0
_TOKEN_SECONDS = 7_200
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What is the same for all servers.

    Attributes:
        folder: For logs and rendered files.
        server_cores: Where the server runs; "" for anywhere.
        load_cores: Where the services and the callers run.
        users: How many callers there are; they ask in turns.
        verified: Whether the Node peers verify the callers' tokens.
        first_port: The servers listen on ports from there on.
    """

    folder: Path
    server_cores: str = "0"
    load_cores: str = "1"
    users: int = 200
    verified: bool = False
    first_port: int = int(os.environ.get("PEER_PORT", "29420"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question.

    Attributes:
        status: Of the response; 0 for none in time.
        body: Parsed; None when it is no JSON.
        raw: The body.
    """

    status: int
    body: Any
    raw: bytes = b""


def token(user: int) -> str:
    """A JWT for that user, signed with `SECRET` (HS256)."""
    now = int(time.time())
    claims = {"sub": str(user), "iat": now, "exp": now + _TOKEN_SECONDS}
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
    signature = hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64(signature)}"


def headers(user: int) -> dict[str, str]:
    """Those of a question by that user."""
    return {
        "content-type": "application/json",
        "accept": "application/json",
        "x-user-id": str(user),
        "authorization": f"Bearer {token(user)}",
    }


class Server:
    """One server of the field.

    Args:
        entry: What it is.
        conditions: Of all.
        number: Of the server; each has a port of its own.

    Attributes:
        start_seconds: From its start to its first answer; None if it was not started here.
    """

    def __init__(self, entry: Entry, conditions: Conditions, number: int = 0) -> None:
        self.entry = entry
        self.start_seconds: float | None = None
        self._conditions = conditions
        self._program: Program | None = None
        self._roots: set[int] = set()
        url = entry.url or f"http://127.0.0.1:{conditions.first_port + number}/graphql"
        where = urllib.parse.urlsplit(url)
        self.host, self.port = where.hostname or "127.0.0.1", where.port or 80
        self.path = where.path or "/"

    @property
    def name(self) -> str:
        """In results."""
        return self.entry.name

    @property
    def processes(self) -> set[int]:
        """All of its processes that are alive."""
        return machine.family(self._roots)

    def start(self) -> None:
        """Start it, and wait for its first answer.

        Raises:
            RuntimeError: There is none.
        """
        if self.entry.url:
            wait_for(self.port)
            self._roots = machine.listening(self.port)
            if self._conditions.server_cores:
                machine.pin(self.processes, self._conditions.server_cores)
            return
        begun = time.monotonic()
        values = self._values()
        variables = {name: _fill(value, values) for name, value in self.entry.variables.items()}
        verifying = {"JWT_SECRET": SECRET} if self._conditions.verified else {}
        self._program = Program(
            [_fill(word, values) for word in self.entry.command],
            self._folder(),
            environment({"PORT": str(self.port), **verifying, **variables}),
            self._conditions.server_cores,
            self._conditions.folder / f"{self.name}.log",
        )
        self._roots = {self._program.pid}
        while not self._answers():
            if (
                self._program.process.poll() is not None
                or time.monotonic() - begun > _START_SECONDS
            ):
                said = self._program.last_words
                self.stop()
                raise RuntimeError(f"It did not start: {said}")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - begun

    def stop(self) -> None:
        """End it, if it was started here."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    def ask(self, query: str, user: int, patience: float = 15.0) -> Answer:
        """Ask one of the queries on a connection of its own."""
        text = text_of(self.entry, query).replace("@USER@", str(user))
        return self._asked(text, user, patience)

    def _asked(self, text: str, user: int, patience: float) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=patience)
        raw, status = b"", 0
        try:
            connection.request("POST", self.path, json.dumps({"query": text}), headers(user))
            response = connection.getresponse()
            raw, status = response.read(), response.status
        except TimeoutError:
            pass
        finally:
            connection.close()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        return Answer(status, body, raw)

    def _answers(self) -> bool:
        queries = self.entry.queries
        query = "q3" if "q3" in queries else next(iter(queries), "")
        text = text_of(self.entry, query).replace("@USER@", "1") if query else "{ __typename }"
        try:
            return self._asked(text, 1, patience=5.0).status == _OK
        except (OSError, http.client.HTTPException):
            return False

    def _values(self) -> dict[str, str]:
        values = {name: str(port) for name, port in PORTS.items()}
        values |= {"port": str(self.port), "secret": SECRET, "config": ""}
        if self.entry.template:
            values["config"] = str(self._rendered(values))
        return values

    def _rendered(self, values: Mapping[str, str]) -> Path:
        text = (HERE / self.entry.template).read_text("utf-8")
        if "@DOCS@" in text:  # it reads the services' OpenAPI documents over HTTP
            values = {**values, "docs": str(_documents())}
        named = {name.upper(): value for name, value in values.items()} | dict(self.entry.values)
        for name, value in named.items():
            text = text.replace(f"@{name}@", value)
        path = self._folder() / "grafbase/schema.graphql"
        if not self._is_grafbase:
            path = self._conditions.folder / f"{self.name}.graphql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    @property
    def _is_grafbase(self) -> bool:
        return self.entry.own_queries.startswith("servers/grafbase")

    def _folder(self) -> Path:
        """Grafbase looks for its schema in the folder that it is started in."""
        if not self._is_grafbase:
            return self.entry.folder
        folder = self._conditions.folder / self.name
        folder.mkdir(exist_ok=True)
        return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@functools.cache
def _documents() -> int:
    """Port of a server of the services' OpenAPI documents."""
    handler = functools.partial(_Quiet, directory=str(HERE / "servers/hive/openapi"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _segment(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
