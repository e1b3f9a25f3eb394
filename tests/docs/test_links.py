"""What the documentation points at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, PROJECT, named, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE = re.compile(
    r"`((?:bench|bff|datasources|deploy|docs|examples|explorer|schema|tests)/[\w./-]*)`"
)

MADE_UP = {
    "datasources/ports/reviews.py",
    "datasources/services/reviews.py",
    "datasources/resilience/rate.py",
}
"""What the reader is told to make."""


def anchors(page: Path) -> set[str]:
    """The names under which the headings of *page* can be linked to."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(page.read_text("utf-8"))
    }


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file of this repository, and a heading in it if it says one."""
    for link in _LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(PROJECT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_path_is_one(page: Path) -> None:
    """A file or folder of ours that a page names exists."""
    for path in _CODE.findall(prose(page)):
        assert (PROJECT / path).exists() or path in MADE_UP, path


def test_a_page_can_be_found() -> None:
    """Every page under docs/ is linked from another one."""
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in _LINK.findall(prose(page))
    }
    lost = [named(page) for page in PAGES if page not in linked and page.parent != PROJECT]
    assert lost == []
