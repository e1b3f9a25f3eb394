"""A page on a policy says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bff.settings.described import described
from datasources import events
from datasources.clock import SystemClock
from datasources.events import Events
from datasources.resilience.cache import ByteCache
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from tests.docs.pages import PROJECT, named
from tests.docs.test_pages_and_code_agree import NOBODY

FOLDER = PROJECT / "docs/policies"
INDEX = (FOLDER / "README.md").read_text("utf-8")
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")

PARTS = ["What it does", "Usage", "Defaults", "Telemetry", "Anti-patterns"]
DEFAULTS = {setting.name: setting.default for setting in described()}
_DEFAULT = re.compile(r"^\| `(BFF_\w+)` \| (?:`([^`]+)`|none) \|", re.MULTILINE)
_SETTING = re.compile(r"`(BFF_[\w<>]+)`")
_EVENT = re.compile(r"`([A-Z][a-z]+[A-Z]\w+)`")


def modules() -> set[str]:
    """The modules of the policies in the standard order."""
    shared = Shared(ByteCache(), Events(), SystemClock())
    pipeline = standard_pipeline("users", NOBODY, Numbers(), shared).ask
    return {type(policy).__module__.rpartition(".")[2] for policy in pipeline.policies}


def test_every_policy_has_a_page() -> None:
    """Whoever adds one writes its page."""
    assert modules() <= {_module(page.stem) for page in PAGES}


def test_every_page_is_on_a_module_that_exists() -> None:
    """Also those on policies that are off by default."""
    for page in PAGES:
        assert (PROJECT / f"datasources/resilience/{_module(page.stem)}.py").exists(), page


def _module(page: str) -> str:
    return {"read-your-writes": "writes"}.get(page, page.replace("-", "_"))


def test_the_index_lists_every_page() -> None:
    """Once each."""
    linked = re.findall(r"\]\(([\w-]+)\.md\)", INDEX)
    assert sorted(linked) == sorted(page.stem for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_has_the_same_parts_as_the_others(page: Path) -> None:
    """In the same order; references may follow."""
    headings = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
    assert [heading for heading in headings if heading != "References"] == PARTS


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_settings_that_exist_with_their_defaults(page: Path) -> None:
    """A default that changes in the code changes here."""
    text = page.read_text("utf-8")
    for name in _SETTING.findall(text):
        assert name.replace("<NAME>", "USERS") in DEFAULTS, name
    for name, default in _DEFAULT.findall(text):
        assert DEFAULTS[name.replace("<NAME>", "USERS")] == default, name


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_events_that_exist(page: Path) -> None:
    """What stands under Telemetry can be subscribed to, or is an outcome of an attempt."""
    text = page.read_text("utf-8")
    telemetry = text[text.index("## Telemetry") : text.index("## Anti-patterns")]
    known = {name for name in vars(events) if name[0].isupper()} | _outcomes()
    assert set(_EVENT.findall(telemetry)) <= known


def _outcomes() -> set[str]:
    errors = (PROJECT / "datasources/errors.py").read_text("utf-8")
    return set(re.findall(r"^class (\w+)", errors, re.MULTILINE)) | {"LastGood"}
