"""The servers that are compared, and how each is started."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from programs import HERE

QUERIES = ("q1", "q2", "q3", "q4")
PYTHON = str(HERE / ".venv/bin/python")
_NODE = {"NODE_ENV": "production"}
_UVICORN = (
    *(PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}"),
    *("--no-access-log", "--log-level", "warning", "--workers", "1"),
)
_HIVE = ("node_modules/.bin/hive-gateway", "supergraph", "-c", "gateway.config.mjs")
_GRAFBASE = "servers/grafbase/node_modules/@grafbase/cli-x86_64-unknown-linux-musl/grafbase"
_TAILCALL = {"TAILCALL_LOG_LEVEL": "error", "TC_TRACKER": "false", "TAILCALL_TRACKER": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One server.

    Attributes:
        name: In options and results.
        what: It is, in a line.
        command: Starts it. `{port}`, `{secret}`, `{config}` and the names of the services stand
            for the port to listen on, the secret of the tokens, the rendered template, and ports.
            Empty for a server that runs already, at `url`.
        folder: Where.
        variables: Of its environment; as in `command`.
        template: Rendered before it starts; "" for none.
        values: Put in it, besides the ports.
        queries: Those that it is asked.
        own_queries: Folder of those that it wants in other words.
        most_connections: By query, where more would take forever.
        shown: Name in the tables; one server may be several programs.
        url: Where it runs already.
    """

    name: str
    what: str
    command: tuple[str, ...] = ()
    folder: Path = HERE / "servers"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    queries: tuple[str, ...] = QUERIES
    own_queries: str = ""
    most_connections: Mapping[str, int] = field(default_factory=dict[str, int])
    shown: str = ""
    url: str = ""


def _tailcall(name: str, what: str, dedupe: str) -> Entry:
    loader = HERE / "vendor/glibc/usr/lib64/ld-linux-x86-64.so.2"
    library = str(HERE / "vendor/glibc/usr/lib/x86_64-linux-gnu")
    binary = HERE / "servers/tailcall/node_modules/@tailcallhq/core-linux-x64-gnu/bin/tailcall"
    before = (str(loader), "--library-path", library) if loader.exists() else ()
    return Entry(
        name=name,
        what=what,
        command=(*before, str(binary), "start", "{config}"),
        variables=_TAILCALL,
        template="servers/tailcall/config.graphql.tmpl",
        values={"DEDUPE": dedupe},
    )


FIELD: tuple[Entry, ...] = (
    Entry(
        name="apollo",
        what="Apollo Server 5 + Express 5 + RESTDataSource + DataLoader + opossum",
        command=("node", "apollo.mjs"),
        variables=_NODE,
    ),
    Entry(
        name="mercurius-jit",
        what="Fastify 5 + Mercurius 16, loaders, jit 1, undici Pool + opossum",
        command=("node", "mercurius.mjs"),
        variables=_NODE,
    ),
    Entry(
        name="mercurius",
        what="the same, jit off",
        command=("node", "mercurius.mjs"),
        variables={**_NODE, "MERCURIUS_JIT": "0"},
    ),
    Entry(
        name="yoga",
        what="GraphQL Yoga 5, DataLoader, undici Pool + opossum",
        command=("node", "yoga.mjs"),
        variables=_NODE,
    ),
    Entry(
        name="yoga-jit",
        what="the same with @envelop/graphql-jit",
        command=("node", "yoga.mjs"),
        variables={**_NODE, "YOGA_JIT": "1"},
    ),
    Entry(
        name="hive",
        what="Hive Gateway 2 over a Mesh Compose supergraph of six OpenAPI documents",
        command=_HIVE,
        folder=HERE / "servers/hive",
        variables=_NODE,
    ),
    Entry(
        name="hive-jit",
        what="the same with --jit",
        command=(*_HIVE, "--jit"),
        folder=HERE / "servers/hive",
        variables=_NODE,
    ),
    _tailcall(
        "tailcall",
        "Tailcall 1.6 (Rust), 1 worker, dedupe: true as in its own benchmark",
        "dedupe: true",
    ),
    _tailcall("tailcall-nd", "Tailcall 1.6 (Rust), 1 worker, dedupe off (its default)", ""),
    Entry(
        name="grafbase",
        what="Grafbase 0.69 (Rust, 2024), OpenAPI connectors and @join; callers' ids in queries",
        command=(
            *(str(HERE / _GRAFBASE), "start", "--log-level", "error"),
            *("--listen-address", "127.0.0.1:{port}"),
        ),
        template="servers/grafbase/schema.graphql.tmpl",
        own_queries="servers/grafbase/queries",
    ),
    Entry(
        name="strawberry-new",
        what="Strawberry + uvicorn + a new httpx client for every call, no batching",
        command=(*_UVICORN, "py_strawberry_newcomer:app"),
        most_connections={"q1": 4, "q2": 2, "q4": 4},
    ),
    Entry(
        name="strawberry",
        what="Strawberry + uvicorn, shared httpx client, DataLoader, no resilience",
        command=(*_UVICORN, "py_strawberry_plain:app"),
    ),
    Entry(
        name="ariadne",
        what="Ariadne + uvicorn, shared httpx client, aiodataloader, no resilience",
        command=(*_UVICORN, "py_ariadne:app"),
    ),
)


def chosen(names: str, files: list[str], urls: list[str]) -> list[Entry]:
    """The peers of that list, or all; then the servers of those files and at those addresses.

    Args:
        names: With commas between; "" for all, "none" for none.
        files: TOML, a table for each server, with the keys of `Entry`.
        urls: As NAME=URL.
    """
    known = {entry.name: entry for entry in FIELD}
    wanted = list(known) if not names else [name for name in names.split(",") if name != "none"]
    strangers = [name for name in wanted if name not in known]
    if strangers:
        sys.exit(f"No such peer: {', '.join(strangers)}; see `bench.py list`.")
    found = [known[name] for name in wanted]
    for name in files:
        found += _read(Path(name))
    for told in urls:
        name, _, url = told.partition("=")
        found.append(Entry(name=name, what=f"running at {url}", url=url))
    return found


def _read(path: Path) -> list[Entry]:
    folder = path.resolve().parent
    tables = tomllib.loads(path.read_text("utf-8"))
    return [
        Entry(
            name=name,
            what=table["what"],
            command=tuple(table["command"]),
            folder=folder / table.get("folder", "."),
            variables=table.get("variables", {}),
            queries=tuple(table.get("queries", QUERIES)),
            most_connections=table.get("most_connections", {}),
            shown=table.get("shown", ""),
        )
        for name, table in tables.items()
    ]
