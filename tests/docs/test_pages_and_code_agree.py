"""Lists that stand in the documentation and in the code are the same lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from datasources.clock import SystemClock
from datasources.errors import DatasourceError
from datasources.events import Events
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Call, Reply, V
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.sourced import Reason
from schema.errors import ClientError
from tests.docs.pages import PROJECT

ERRORS = (PROJECT / "docs/reference/errors.md").read_text("utf-8")


class _Nobody:
    async def __call__(self, call: Call[V], /) -> Reply[V]:
        raise AssertionError(call)

    def __str__(self) -> str:
        return "send"


NOBODY = _Nobody()
"""Is asked nothing."""


def steps() -> list[str]:
    """The names of the policies, outermost first, those that are off by default among them."""
    shared = Shared(ByteCache(), Events(), SystemClock())
    everything = Numbers(hedged=frozenset({"by_id"}))
    pipeline = standard_pipeline("users", NOBODY, everything, shared).ask
    return [step.partition("(")[0] for step in str(pipeline).split(" → ")]


def test_the_page_has_the_order_of_the_pipeline() -> None:
    """Its table lists every policy, in its place; decision 0006 tells of the first order."""
    text = (PROJECT / "docs/pipeline.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:`(\w+)`|(send)\b).*\|$", text, re.MULTILINE)
    assert [policy or send for policy, send in rows] == steps()


def kinds(root: type[Exception]) -> Iterator[type[Exception]]:
    """*root* and everything below it."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize(
    "code",
    sorted(
        {
            code
            for root in (DatasourceError, ClientError)
            for kind in kinds(root)
            if (code := getattr(kind, "code", None))
        }
    ),
)
def test_the_page_on_errors_has_every_code(code: str) -> None:
    """A client may branch on it, so it says what it means."""
    assert f"\n| `{code}` | " in ERRORS


@pytest.mark.parametrize("reason", list(Reason))
def test_the_page_on_errors_has_every_reason(reason: Reason) -> None:
    """As for codes."""
    assert f"`{reason}`" in ERRORS
