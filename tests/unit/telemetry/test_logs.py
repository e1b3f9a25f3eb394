"""Lines for machines and for people, without secrets."""

import asyncio
import io
import json
import logging
from datetime import UTC, datetime

import jwt
import pytest
import structlog

from bff.settings import LogSettings
from bff.telemetry.logs import configure_logs
from datasources.scope import Scope, entered

TOKEN = jwt.encode({"sub": "u1"}, "a secret of thirty-two characters, or more")


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def log(stream):
    configure_logs(LogSettings(), stream)
    return structlog.get_logger()


def only(stream):
    (line,) = stream.getvalue().splitlines()
    return json.loads(line)


def test_a_line_is_json_with_time_and_level(log, stream):
    """In UTC, as a machine reads it."""
    log.warning("something happened", service="orders", count=3)
    line = only(stream)
    stamp = datetime.fromisoformat(line.pop("timestamp"))
    assert abs((datetime.now(UTC) - stamp).total_seconds()) < 60
    assert line == {
        "event": "something happened",
        "level": "warning",
        "service": "orders",
        "count": 3,
    }


def test_a_line_says_which_request_it_belongs_to(log, stream):
    """Inside an operation; the one who logs may also say it himself."""
    with entered(Scope(deadline=1.0, request_id="r1")):
        log.info("inside")
        log.info("told", request_id="r2")
        logging.getLogger("uvicorn.error").info("theirs")
    log.info("outside")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("request_id") for line in lines] == ["r1", "r2", "r1", None]


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "any"])
def test_the_standard_librarys_lines_come_out_alike(stream, name):
    """Also when their owner had set up handlers of his own."""
    theirs, elsewhere = logging.getLogger(name), io.StringIO()
    if name != "any":
        theirs.addHandler(logging.StreamHandler(elsewhere))
        theirs.propagate = False
    configure_logs(LogSettings(), stream)
    theirs.warning("%d connections", 3, extra={"color_message": "x"})
    line = only(stream)
    assert line.keys() == {"event", "level", "timestamp"}
    assert (line["event"], line["level"]) == ("3 connections", "warning")
    assert elsewhere.getvalue() == ""


def test_a_second_setup_replaces_the_first(stream):
    """A line comes once, in the new place."""
    first = io.StringIO()
    configure_logs(LogSettings(), first)
    configure_logs(LogSettings(level="error"), stream)
    structlog.get_logger().warning("not this")
    logging.getLogger("uvicorn").warning("nor this")
    structlog.get_logger().error("this")
    assert only(stream)["event"] == "this"
    assert first.getvalue() == ""


@pytest.mark.parametrize(
    ("name", "level"), [("httpx", logging.INFO), ("strawberry.execution", logging.ERROR)]
)
def test_loggers_that_show_too_much_are_silent(log, stream, name, level):
    """Httpx logs URLs, Strawberry whole documents."""
    logging.getLogger(name).log(level, "GET /orders?userId=u1")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Authorization",
        "token",
        "demo_token",
        "jwt_secret",
        "password",
        "Set-Cookie",
        "api_key",
        "X-API-Key",
    ],
)
@pytest.mark.parametrize("format_", ["json", "console"])
def test_what_is_named_like_a_secret_is_hidden(stream, name, format_):
    """At the top, and in what is inside."""
    configure_logs(LogSettings(format=format_), stream)
    log = structlog.get_logger()
    log.info("asked", **{name: "hunter2"})
    log.info("asked", headers={"inner": [{name: b"hunter2"}]}, other=({name: ["hunter2"]},))
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") == 3


@pytest.mark.parametrize("format_", ["json", "console"])
def test_what_looks_like_a_token_is_hidden(stream, format_):
    """In the text of a line, in a value, in an exception, and in what others log."""
    configure_logs(LogSettings(format=format_), stream)
    log = structlog.get_logger()
    text = f"got {TOKEN}"
    log.info(text, detail=["Bearer " + "s3cr3t/+" * 4])
    logging.getLogger("uvicorn.error").warning("header %s", TOKEN)
    try:
        int(TOKEN)
    except ValueError:
        log.exception("failed")
        logging.getLogger("asyncio").exception("failed")
    assert TOKEN not in stream.getvalue()
    assert "s3cr3t" not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") == 5


@pytest.mark.parametrize("format_", ["json", "console"])
def test_tracebacks_show_no_variables(stream, format_):
    """Arguments are in the frames, and people's data are in the arguments."""

    def fails(email):
        raise ValueError("no")

    configure_logs(LogSettings(format=format_), stream)
    try:
        fails("ada" + "@example.com")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("uvicorn.error").exception("failed")
    assert stream.getvalue().count("ValueError: no") == 2
    assert "ada@example" not in stream.getvalue()


def test_nothing_that_is_logged_can_break_a_line(log, stream):
    """Values without a word in JSON, half characters, new lines, circles."""
    circle = []
    circle.append(circle)
    log.info("odd\nline", thing=object(), text="\ud800", data=b"x", when=datetime.now(UTC))
    log.info("circle", circle=circle)
    odd, circular = map(json.loads, stream.getvalue().splitlines())
    assert odd["event"] == "odd\nline"
    assert (odd["thing"], odd["data"], odd["when"]) == ("object", "bytes", "datetime")
    assert circular["event"] == "circle"


def test_a_console_line_is_for_people(stream):
    """No JSON, and no colours where nobody sees them."""
    configure_logs(LogSettings(format="console"), stream)
    structlog.get_logger().info("something happened", service="orders")
    (line,) = stream.getvalue().splitlines()
    assert "something happened" in line
    assert "service=orders" in line
    assert "\x1b" not in line


async def test_a_task_that_nobody_awaited_is_one_line(log, stream):
    """Asyncio tells its logger; we pass it on as JSON."""
    asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": OSError(5)})
    line = only(stream)
    assert line["level"] == "error"
    assert "OSError: 5" in line["exception"]
