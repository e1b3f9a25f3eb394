"""What the code refers to in the documentation is there."""

from __future__ import annotations

import re

from tests.docs.pages import PROJECT

_PAGE = re.compile(r"docs/[\w./-]+\.md")


def test_a_docstring_refers_to_a_page_that_exists() -> None:
    """A decision that is renamed takes its references along."""
    missing = {
        f"{module.relative_to(PROJECT)}: {page}"
        for package in ("bff", "schema", "datasources", "examples", "tests")
        for module in (PROJECT / package).rglob("*.py")
        for page in _PAGE.findall(module.read_text("utf-8"))
        if not (PROJECT / page).exists()
    }
    assert missing == set()
