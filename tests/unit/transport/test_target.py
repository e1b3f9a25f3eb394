"""target_of: where a request goes, as httpx would say it."""

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from datasources.transport.target import target_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.text("ab1-_./%?;:@ \u00fc", max_size=8), min_size=1, max_size=4).map("/".join),
    st.dictionaries(TEXT, TEXT, max_size=3),
)
@example("users/u1", {"ids": "a,b c", "after": ""})
@example("users/..", {})
@example("users/%2e%2e/x", {"a": "100%"})
@example("/users", {"a": "\r\nX: y"})
def test_it_is_httpxs(path, params):
    """Whatever is in the path or the query is encoded as by `httpx.URL`."""
    try:
        expected = httpx.URL(f"http://service/{path}", params=params or None).raw_path
    except httpx.InvalidURL:
        return
    assert target_of(f"/{path}", params) == expected
