"""encode_request: what goes over the wire, and what never does."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.transport.head import encode_request

URL = "http://users:8001/users/u1?x=1"


def wire(method="GET", url=URL, headers=(), body=b""):
    request = httpx.Request(method, url, headers=list(headers))
    return encode_request(request, body, b"users:8001")


def test_a_read():
    """Target in origin form, the host first, fields in their order and case; no length."""
    assert wire(headers=[("X-Request-ID", "r-1"), ("accept", "a, b")]) == (
        b"GET /users/u1?x=1 HTTP/1.1\r\n"
        b"Host: users:8001\r\n"
        b"X-Request-ID: r-1\r\n"
        b"accept: a, b\r\n"
        b"\r\n"
    )


def test_a_write():
    """The body follows its length."""
    assert wire("POST", body=b"{}").endswith(b"\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_write_without_a_body_says_so(method):
    """RFC 9110 §8.6: a length of 0, where a body is expected."""
    assert wire(method).endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "elsewhere"),
        ("Content-Length", "5"),
        ("content-length", "99"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close, X-Request-ID"),
        ("Keep-Alive", "timeout=99"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"),
        ("Trailer", "X"),
        ("Upgrade", "h2c"),
        ("Expect", "100-continue"),
    ],
)
def test_the_framing_is_not_the_requests_to_choose(name, value):
    """Host, lengths, codings and the connection are the transport's, whatever is asked for."""
    assert wire("POST", headers=[(name, value)], body=b"{}") == wire("POST", body=b"{}")


@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nX: b", "a\rb", "a\0b", "a\x7fb", "\x1b[0m"])
def test_control_characters_in_a_value_are_refused(value):
    """Whatever could end the line, or be taken for its end."""
    with pytest.raises(httpx.LocalProtocolError):
        wire(headers=[("X", value)])


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "X\0", "Content-Length:5\r\nX", "Ü"])
def test_a_name_that_is_no_token_is_refused(name):
    """It would be read as another name, or as another line; also when it is tried again."""
    for _ in range(2):
        with pytest.raises(httpx.LocalProtocolError):
            wire(headers=[(name.encode("latin-1"), b"v")])


@pytest.mark.parametrize(
    "method", ["GE T", "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "", "GÉT", "CONNECT"]
)
def test_a_method_that_is_no_token_is_refused(method):
    """Nor is CONNECT one that this transport can speak."""
    with pytest.raises(httpx.LocalProtocolError):
        wire(method)


def test_a_target_with_control_characters_is_refused():
    """Httpx escapes them; should it ever not, they are not sent."""

    class Careless(httpx.URL):
        @property
        def raw_path(self):
            return b"/a HTTP/1.1\r\nX: y"

    request = httpx.Request("GET", URL)
    request.url = Careless(URL)
    with pytest.raises(httpx.LocalProtocolError):
        encode_request(request, b"", b"users:8001")


def test_text_beyond_ascii_passes():
    """RFC 9110 §5.5: obs-text is opaque, not dangerous; so is a tab."""
    assert b"\r\nX: \xc3\xbc\tb\r\n" in wire(headers=[(b"X", "ü\tb".encode())])


@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), max_size=4), st.binary())
def test_never_more_than_one_request(headers, body):
    """Whatever the fields: one head, whose only length is the body's, or nothing at all."""
    try:
        sent = wire("POST", headers=headers, body=body)
    except httpx.LocalProtocolError:
        return
    head, _, rest = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = [line.partition(b":")[0].lower() for line in lines[1:]]
    assert rest == body
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert len(lines) <= len(headers) + 3
    assert names.count(b"content-length") == names.count(b"host") == 1
    assert b"transfer-encoding" not in names
