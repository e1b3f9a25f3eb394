"""encode_request: what goes over the wire, and what never does."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.transport.head import NO_LINES, encode_request, field_lines, fields_of

TARGET = b"/users/u1?x=1"


def wire(method="GET", target=TARGET, headers=(), body=None):
    return encode_request(method, target, b"users:8001", field_lines(headers), body)


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
            wire(headers=[(name, "v")])


@pytest.mark.parametrize(
    "method", ["GE T", "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "", "GÉT", "CONNECT"]
)
def test_a_method_that_is_no_token_is_refused(method):
    """Nor is CONNECT one that this transport can speak."""
    with pytest.raises(httpx.LocalProtocolError):
        wire(method)


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a HTTP/1.1\r\nX: y", b"/\0", b"/\xc3\xbc"])
def test_a_target_with_other_than_visible_characters_is_refused(target):
    """Whoever makes one escapes them; should he ever not, they are not sent."""
    with pytest.raises(httpx.LocalProtocolError):
        wire(target=target)


def test_text_beyond_ascii_passes():
    """RFC 9110 §5.5: obs-text is opaque, not dangerous; so is a tab."""
    assert b"\r\nX: \xfc\tb\r\n" in wire(headers=[("X", "\xfc\tb")])


def test_text_beyond_a_byte_is_refused():
    """There is no agreement how it is to be sent."""
    with pytest.raises(httpx.LocalProtocolError):
        wire(headers=[("X", "\u2192")])


def test_lines_go_on_after_lines():
    """What is always said is encoded once; the rest comes after it."""
    always = field_lines([("A", "1")])
    assert field_lines([("B", "2")], after=always) == b"\r\nA: 1\r\nB: 2"
    assert field_lines([], after=always) == always


FIELDS = st.lists(
    st.tuples(
        st.text("!#$%&'*+.^_`|~-09AZaz", min_size=1, max_size=12),
        st.text("\t aZ:,\x21\x7e\x80\xff", max_size=12),
    ),
    max_size=4,
)


@given(FIELDS)
def test_lines_are_fields_again(fields):
    """Names and values are read back as they were; but for those of the connection."""
    expected = [
        (name.encode(), value.encode("latin-1"))
        for name, value in fields
        if field_lines([(name, value)]) != NO_LINES
    ]
    assert fields_of(field_lines(fields)) == expected


ANY_TEXT = st.text(st.characters(max_codepoint=0x17F), max_size=12)


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=4), st.binary())
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
