"""The command line.

Commands import what they need when they run, so that `bff --help` is quick. What is wrong with a
call is told in a line or two on standard error, and ends with status 2.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

if TYPE_CHECKING:
    from bff.settings import Settings

_USAGE = 2

cli = typer.Typer(
    name="bff",
    help="A GraphQL Backend-for-Frontend that stays useful, and truthful, while services fail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
schema_cli = typer.Typer(help="The graph: export it, compare it.", no_args_is_help=True)
cli.add_typer(schema_cli, name="schema")

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)]


class Client(StrEnum):
    """The kinds of client that have a graph."""

    WEB = "web"


class Format(StrEnum):
    """How a graph is written down."""

    SDL = "sdl"
    JSON = "json"


def _settings() -> Settings:
    from bff.settings import load_settings

    return load_settings(os.environ)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bff {version('graphql-bff')}")
        raise typer.Exit


@cli.callback()
def bff(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A GraphQL Backend-for-Frontend that stays useful, and truthful, while services fail."""


@cli.command()
def demo(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    once: Annotated[bool, typer.Option("--once", help="Answer one query, then stop.")] = False,
) -> None:
    """Start five services and the BFF on this machine, and answer the dashboard query."""
    from bff.demo.running import demo as run

    raise typer.Exit(run(host=host, port=port, once=once))


@cli.command()
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
) -> None:
    """Serve the graph, as the settings say, until SIGINT or SIGTERM."""
    from bff.serve import serve as run

    run(_settings(), host=host, port=port, workers=workers)


@cli.command()
def check() -> None:
    """Validate the settings, and say which services answer."""
    import asyncio

    from bff.check import check as run

    found = asyncio.run(run(_settings()))
    for name, words, _ in found:
        typer.echo(f"{name}: {words}")
    raise typer.Exit(0 if all(reachable for *_, reachable in found) else 1)


@cli.command()
def token(
    *,
    sub: Annotated[str, typer.Option(help="The user.")] = "1",
    client: Annotated[Client, typer.Option(help="The kind of client.")] = Client.WEB,
    ttl: Annotated[int, typer.Option(help="Life in seconds.", min=1, max=86_400)] = 3600,
    scope: Annotated[str, typer.Option(help="Scopes, separated by spaces.")] = "",
) -> None:
    """Mint a token for development; refused where real keys are configured."""
    from bff.identity.development import development_token
    from datasources.clock import SystemClock

    auth = _settings().auth
    minted = development_token(
        auth, subject=sub, client=client.value, ttl=ttl, scope=scope, clock=SystemClock()
    )
    typer.echo(minted)


@cli.command()
def explain(
    query: Annotated[
        str | None, typer.Argument(help="GraphQL text, a file that holds it, or - for stdin.")
    ] = None,
    *,
    variables: Annotated[str, typer.Option(help="JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="Which operation of several.")] = None,
    pipeline: Annotated[
        bool, typer.Option("--pipeline", help="Print the policies around each call instead.")
    ] = False,
    source: Annotated[
        bool, typer.Option("--plan-source", help="Print the Python that executes it instead.")
    ] = False,
) -> None:
    """Print which calls a query makes, in which waves, without making any."""
    from bff.explain import explain_pipeline, explain_query, plan_source
    from bff.usage import UsageError

    if pipeline:
        typer.echo(explain_pipeline(_settings()))
    elif query is None:
        raise UsageError("give a query, a file, or - for standard input; or --pipeline")
    elif source:
        typer.echo(plan_source(_text(query), variables=variables, operation=operation))
    else:
        typer.echo(explain_query(_text(query), variables=variables, operation=operation))


@schema_cli.command("export")
def schema_export(
    *,
    client: Annotated[Client, typer.Option(help="Whose graph.")] = Client.WEB,
    format_: Annotated[Format, typer.Option("--format", help="How.")] = Format.SDL,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File; standard output without it.")
    ] = None,
) -> None:
    """Print the graph as SDL, or as the JSON of the introspection query."""
    from bff.schema_export import exported

    text = exported(client.value, as_json=format_ is Format.JSON)
    if output is None:
        typer.echo(text, nl=False)
    else:
        _write(output, text)


@schema_cli.command("diff")
def schema_diff(
    old: Annotated[Path, typer.Argument(help="SDL file.")],
    new: Annotated[Path | None, typer.Argument(help="SDL file; today's graph without it.")] = None,
) -> None:
    """Say what changed between two graphs; status 1 when something would break."""
    from bff.schema_diff import Severity, changes
    from bff.schema_export import exported, parsed

    found = changes(
        parsed(_read(old), str(old)),
        parsed(exported("web", as_json=False) if new is None else _read(new), str(new)),
    )
    for change in found:
        typer.echo(f"{change.severity.value}: {change.description}")
    broken = any(change.severity is Severity.BREAKING for change in found)
    raise typer.Exit(1 if broken else 0)


def _text(query: str) -> str:
    """The GraphQL text itself, of a file, or of standard input."""
    if query == "-":
        return sys.stdin.read()
    if "{" in query or not query.strip():
        return query
    return _read(Path(query))


def _read(path: Path) -> str:
    from bff.usage import UsageError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as exc:
        raise UsageError(f"{path}: cannot be read") from exc


def _write(path: Path, text: str) -> None:
    """All or nothing: whoever reads the file meanwhile sees the old text or the new."""
    from bff.usage import UsageError

    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is not to be replaced
            path.write_text(text, encoding="utf-8")
            return
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written") from exc


def main() -> None:
    """Run the command line; what `bff` and `python -m bff` call."""
    from bff.settings import SettingsError
    from bff.usage import UsageError

    try:
        status = cli(standalone_mode=False)
    except (UsageError, SettingsError) as exc:
        sys.stderr.write(f"{exc}\n")
        status = _USAGE
    except TyperException as exc:
        sys.stderr.write(exc.format_message().replace("Value error, ", "") + "\n")
        status = _USAGE
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    raise SystemExit(status or 0)
