"""The page on settings says what the settings are."""

from __future__ import annotations

from tests.docs.settings_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    """A new setting, default or description reaches the page by `make docs`."""
    assert PAGE.read_text("utf-8") == page()


def test_the_page_names_what_differs() -> None:
    """Products are kept longer than the rest, payments shorter."""
    assert "| `300`; products `600`; payments `60` |" in page()
