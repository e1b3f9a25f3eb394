"""README and tutorial, done as they say."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PROJECT, Block, blocks

README = PROJECT / "README.md"
TUTORIAL = PROJECT / "docs/tutorial.md"
ADDRESS = "http://127.0.0.1:8000"
SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def demo() -> Iterator[dict[str, str]]:
    """`bff demo` on a free port, and what it prints until it is ready, by name."""
    command = [sys.executable, "-Im", "bff", "demo", "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().partition(": ")
            said[name] = value
            if name == "ready":
                break
        assert "ready" in said
        yield said
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(SECONDS) == 0


def typed(command: str, demo: dict[str, str]) -> str:
    """What *command* prints when it is typed by one who follows the page."""
    here = demo["graphql"].removesuffix("/graphql")
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace(ADDRESS, here)],
        cwd=PROJECT,
        env={**os.environ, "TOKEN": demo["token"], "USERS": demo["service users"]},
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return done.stdout


def followed(page: Path, demo: dict[str, str]) -> list[tuple[str, Block | None]]:
    """Type every command with curl or `bff explain` on *page*, in their order.

    Returns:
        What each printed, and the JSON that the page shows below it, if any.
    """
    found: list[tuple[str, Block | None]] = []
    shown = blocks(page, "console", "json")
    for block, below in zip(shown, [*shown[1:], None], strict=True):
        answer = below if below is not None and below.language == "json" else None
        found += [
            (typed(command, demo), answer)
            for command in block.commands
            if re.match(r"curl|\.venv/bin/bff explain", command)
        ]
    return found


def test_the_readme_shows_what_one_gets(demo: dict[str, str]) -> None:
    """The one query of the README has the answer that stands below it."""
    ((printed, shown),) = followed(README, demo)
    assert shown is not None
    assert json.loads(printed) == json.loads(shown.text)


def test_the_tutorial_tells_the_truth(demo: dict[str, str]) -> None:
    """Live, then old and marked as such, then refused without a token, then live again."""
    steps = followed(TUTORIAL, demo)
    live, plan, broken, old, refused, health, healed = [printed for printed, _ in steps]
    shown = [block for _, block in steps if block is not None]
    assert [json.loads(live)] == [json.loads(block.text) for block in shown]
    assert plan.startswith("3 calls in 2 waves")
    assert json.loads(broken)["status"] == 503
    answer = json.loads(old)
    user = answer["data"]["dashboard"]["user"]
    assert user["name"] == json.loads(live)["data"]["dashboard"]["user"]["name"]
    assert user["freshness"] == {"origin": "STALE", "reason": "SERVER_ERROR"}
    assert answer["data"]["dashboard"]["notifications"]
    (entry,) = answer["extensions"]["degraded"]
    assert (entry["path"], entry["served"]) == (["dashboard", "user"], "STALE")
    assert json.loads(refused)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert json.loads(health)["screens"]["dashboard.user"] == "stale"
    assert json.loads(healed)["errorRate"] == 0


@pytest.mark.parametrize(
    ("page", "commands"), [(README, 1), (TUTORIAL, 7)], ids=["README", "tutorial"]
)
def test_nothing_is_left_out(page: Path, commands: int) -> None:
    """Every command with curl stands where the tests above find it."""
    found = [
        command
        for block in blocks(page, "console")
        for command in block.commands
        if re.match(r"curl|\.venv/bin/bff explain", command)
    ]
    assert len(found) == commands
