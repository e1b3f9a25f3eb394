from __future__ import annotations

import html
import re

import orjson
import pytest

from bff.app import Serving
from bff.graphql.explorer import Explorer, ExplorerMissing
from tests.unit.graphql.little_graph import client_of, code_of, little_app

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
INDEX = '<!doctype html><head><meta name="bff-explorer" content="{}"></head>'


@pytest.fixture
def static(tmp_path):
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-B3xk9_Qz.js").write_text("export {}")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    return tmp_path


def serving(static, **explorer):
    return Serving(explorer=Explorer(**explorer), static=static)


async def test_a_browser_gets_the_page(static):
    """With a strict policy, not to be kept: it may hold a token."""
    async with client_of(little_app(serving=serving(static))) as client:
        response = await client.get("/graphql", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy[0]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "x-request-id" in response.headers


async def test_settings_arrive_as_they_were_and_cannot_leave_the_attribute(static):
    """Quotes, angle brackets and ampersands are escaped; the page reads back what was given."""
    queries = ({"name": 'It\'s "<b>&amp;"', "query": "{ a }\n"},)
    async with client_of(
        little_app(serving=serving(static, token="t.o.k", queries=queries))
    ) as client:
        page = (await client.get("/graphql", headers=BROWSER)).text
    [content] = re.findall(r'<meta name="bff-explorer" content="([^"<>]*)">', page)
    assert orjson.loads(html.unescape(content)) == {
        "endpoint": "/graphql",
        "token": "t.o.k",
        "queries": list(queries),
    }


async def test_a_program_gets_json_from_the_same_path(static):
    """The page is for who asks for HTML; a POST never gets it."""
    async with client_of(little_app(serving=serving(static))) as client:
        answer = await client.get("/graphql", params={"query": "{__typename}"})
        posted = await client.post("/graphql", json={"query": "{__typename}"}, headers=BROWSER)
    assert answer.json() == posted.json() == {"data": {"__typename": "Query"}}


async def test_files_named_by_their_content_are_kept_for_ever(static):
    """Others are asked for again; all carry the policy, as workers need one of their own."""
    async with client_of(little_app(serving=serving(static))) as client:
        script = await client.get("/static/assets/index-B3xk9_Qz.js")
        icon = await client.get("/static/favicon.svg")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert icon.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in script.headers["content-security-policy"]
    assert "x-request-id" in script.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fetc/passwd",
        "/static//etc/passwd",
        "/static/assets",
        "/static/nothing.js",
        "/static/%00",
    ],
)
async def test_nothing_but_the_files(static, path):
    """404 for everything else, told like every other error."""
    async with client_of(little_app(serving=serving(static))) as client:
        response = await client.get(path)
    assert (response.status_code, code_of(response)) == (404, "NOT_FOUND")
    assert "root:" not in response.text


async def test_off_means_off():
    """A browser is told what is missing from its request; there are no files."""
    async with client_of(little_app()) as client:
        response = await client.get("/graphql", headers=BROWSER)
        assert (response.status_code, code_of(response)) == (400, "BAD_USER_INPUT")
        assert (await client.get("/static/index.html")).status_code == 404


def test_a_missing_page_stops_the_start(tmp_path):
    """One sentence with the path and what to do, not a traceback at the first visit."""
    with pytest.raises(ExplorerMissing, match=r"index\.html is missing: build it, or turn"):
        little_app(serving=serving(tmp_path))


def test_a_page_without_the_place_for_settings_stops_the_start(tmp_path):
    """Otherwise the explorer would silently ask the wrong endpoint."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    with pytest.raises(ExplorerMissing, match="bff-explorer"):
        little_app(serving=serving(tmp_path))
