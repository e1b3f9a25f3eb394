from __future__ import annotations

import pytest

from bff.graphql.negotiation import response_type, wants_page

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("APPLICATION/JSON", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};q=0.9, {JSON};q=0.5", GRAPHQL),
        (f"{GRAPHQL}, */*;q=0.1", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON}, */*", JSON),
        (f"{GRAPHQL};q=nonsense, {JSON};q=0.1", JSON),
        (f"{GRAPHQL};q=0", None),
        ("text/html", None),
        ("*/*;q=0", None),
        (",;,", None),
    ],
)
def test_what_is_liked_best_is_sent(accept, answer):
    """Quality first, then what is named over what a wildcard lets in; None when nothing fits."""
    assert response_type(accept) == answer


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("*/*", False),
        ("", False),
        ("text/*", False),
        (f"text/html;q=0.5, {JSON}", False),
        ("text/html;q=0", False),
    ],
)
def test_only_who_asks_for_html_by_name_gets_the_page(accept, page):
    """A browser names text/html; a script says */*, or likes JSON better."""
    assert wants_page(accept) is page
