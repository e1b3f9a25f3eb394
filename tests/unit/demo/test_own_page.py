"""Who may use the demo's switches."""

import httpx
import pytest
from starlette.responses import Response

from bff.demo.own_page import OwnPageOnly

HERE = {"host": "127.0.0.1:8000"}


async def answer(scope, receive, send):
    await Response("yes")(scope, receive, send)


async def status(headers, *, links=False):
    transport = httpx.ASGITransport(OwnPageOnly(answer, links=links))
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.post("http://127.0.0.1:8000/", headers=headers)).status_code


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}, 200),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "https://127.0.0.1:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:8000"}, 403),
        ({"host": "192.0.2.1:8000"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
    ],
)
async def test_a_foreign_page_is_refused(headers, expected):
    """By where the browser says that it comes from, and by the name that it thinks we have."""
    assert await status(HERE | headers) == expected


async def test_a_link_may_lead_to_the_page():
    """From anywhere; but not under a name that somebody else pointed here."""
    foreign = HERE | {"sec-fetch-site": "cross-site"}
    assert await status(foreign, links=True) == 200
    assert await status(foreign | {"host": "evil.example"}, links=True) == 403
