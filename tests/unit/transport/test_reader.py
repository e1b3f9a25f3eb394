"""ResponseReader: what is a response, where it ends, and what is refused."""

import gc
import itertools

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.transport.errors import ResponseTooLarge
from datasources.transport.exchange import Reply
from datasources.transport.reader import ResponseLimits, ResponseReader

EMPTY = b"Content-Length: 0\r\n\r\n"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def reader(*, to_head=False, **limits):
    response = ResponseReader(ResponseLimits(**limits))
    response.begin(to_head=to_head)
    return response


def read(*packets, to_head=False, **limits):
    """The reply and whether the connection is good for more; None while it is incomplete."""
    response = reader(to_head=to_head, **limits)
    for packet in packets[:-1]:
        assert not response.feed(packet)
    return (response.reply, response.reusable) if response.feed(packets[-1]) else None


def with_fields(*lines, start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join((start, *lines, b"", b""))


LENGTH = b"Content-Length: 3"
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"1\r\na\r\n2;note=x\r\nbc\r\n0\r\n\r\n"
CLOSE, KEEP = b"Connection: close", b"Connection: keep-alive"
TEN = b"HTTP/1.0 200 OK"


@pytest.mark.parametrize(
    ("response", "reusable"),
    [
        (with_fields(LENGTH) + b"abc", True),
        (with_fields(LENGTH, start=b"HTTP/1.1 200") + b"abc", True),
        (with_fields(CHUNKED) + CHUNKS, True),
        (with_fields(b"transfer-encoding: CHUNKED ") + CHUNKS, True),
        (with_fields(CHUNKED) + CHUNKS[:-2] + b"X-Sum: 1\r\nY: 2\r\n\r\n", True),
        (with_fields(LENGTH, CLOSE) + b"abc", False),
        (with_fields(LENGTH, b"Connection: X, Close") + b"abc", False),
        (with_fields(CHUNKED, CLOSE) + CHUNKS, False),
        (with_fields(LENGTH, start=TEN) + b"abc", False),
        (with_fields(LENGTH, KEEP, start=TEN) + b"abc", True),
        (with_fields(LENGTH) + b"abc" + SECOND, False),
        (with_fields(LENGTH) + b"abcH", False),
        (with_fields(LENGTH) + b"abc\0", False),
        (with_fields(LENGTH, CLOSE) + b"abc" + SECOND, False),
        (with_fields(CHUNKED) + CHUNKS + SECOND, False),
        (with_fields(LENGTH) + b"abc" + with_fields(*[b"X: y"] * 999), False),
        (
            with_fields(LENGTH)
            + b"abc"
            + with_fields(b"Upgrade: x", b"Connection: upgrade", start=b"HTTP/1.1 101 S")
            + b"x",
            False,
        ),
    ],
)
def test_a_whole_response(response, reusable):
    """One body, however it is framed; what follows it is not read, and spoils the connection."""
    (status, _, body), good = read(response)
    assert (status, body, good) == (200, b"abc", reusable)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("framing", [[], [b"Content-Length: 9999999999"], [CHUNKED]])
def test_some_statuses_have_no_body(status, framing):
    """RFC 9112 §6.3: whatever the fields say."""
    start = b"HTTP/1.1 %d X" % status
    reply, reusable = read(with_fields(*framing, start=start))
    assert (reply.status, reply.body, reusable) == (status, b"", True)
    assert read(with_fields(*framing, start=start) + b"abc")[1] is False


@pytest.mark.parametrize("framing", [[], [b"Content-Length: 9999999999"], [CHUNKED], [EMPTY[:17]]])
@pytest.mark.parametrize("rest", [b"", b"abc", b"0\r\n\r\n", SECOND])
def test_a_response_to_head_has_no_body(framing, rest):
    """It ends with its head; the connection too, since nothing tells where it would go on."""
    (status, fields, body), reusable = read(with_fields(*framing) + rest, to_head=True)
    assert (status, body, reusable) == (200, b"", False)
    assert [name + b": " + value for name, value in fields] == framing


def test_fields_are_kept_as_they_came():
    """Order, case, repetition, bytes beyond ASCII, empty ones; white space around them is none."""
    fields = [(b"Set-Cookie", b"a"), (b"x", b""), (b"set-cookie", b"b c"), (b"Y", b"\xff")]
    sent = [b"Set-Cookie:a", b"x:", b"set-cookie: \tb c \t", b"Y: \xff", LENGTH]
    reply, _ = read(with_fields(*sent) + b"abc")
    assert reply.fields == [*fields, (b"Content-Length", b"3")]


def test_trailers_are_dropped():
    """They come too late to say anything of the response."""
    sent = with_fields(CHUNKED) + b"0\r\nSet-Cookie: a\r\n\r\n"
    assert read(sent)[0] == Reply(200, [(b"Transfer-Encoding", b"chunked")], b"")


def test_interim_responses_are_skipped():
    """Neither their fields nor their lengths are those of the response."""
    interim = with_fields(b"Link: x", b"Content-Length: 5", start=b"HTTP/1.1 103 Early Hints")
    go_on = with_fields(start=b"HTTP/1.1 100 Continue")
    assert read(interim, go_on + with_fields(LENGTH) + b"abc") == read(with_fields(LENGTH) + b"abc")


@pytest.mark.parametrize(("count", "refused"), [(10, False), (11, True)])
def test_there_is_an_end_to_interim_responses(count, refused):
    """Ten at most."""
    sent = with_fields(start=b"HTTP/1.1 102 Processing") * count
    if refused:
        with pytest.raises(httpx.RemoteProtocolError, match="interim"):
            read(sent)
    else:
        assert read(sent) is None


@pytest.mark.parametrize(
    "response",
    [
        b"\r\n",
        b"\0",
        b"220 smtp.example.org ESMTP\r\n",
        b"\x16\x03\x01\x02\x00",
        b"<html>",
        b"ICE/1.0 200 OK\r\n" + EMPTY,
        b"RTSP/1.0 200 OK\r\n" + EMPTY,
        b"HTTP/0.9 200 OK\r\n" + EMPTY,
        b"HTTP/2.0 200 OK\r\n" + EMPTY,
        b"HTTP/1.2 200 OK\r\n" + EMPTY,
        b"HTTP/1.1 20 OK\r\n" + EMPTY,
        b"HTTP/1.1 099 OK\r\n" + EMPTY,
        b"HTTP/1.1 2000 OK\r\n" + EMPTY,
        b"HTTP/1.1 2x0 OK\r\n" + EMPTY,
        b"HTTP/1.1 200 OK\n" + EMPTY,
        with_fields(start=b"HTTP/1.1 101 Switching Protocols"),
        with_fields(b"Upgrade: x", b"Connection: upgrade", start=b"HTTP/1.1 101 S"),
        with_fields(LENGTH, CHUNKED),
        with_fields(CHUNKED, LENGTH),
        with_fields(LENGTH, LENGTH),
        with_fields(LENGTH, b"Content-Length: 4"),
        *(
            with_fields(b"Content-Length: " + value)
            for value in (b"", b"-1", b"+3", b"3, 3", b"3 3", b"0x3", b"3a", b"9" * 30, b"\x0b3")
        ),
        *(
            with_fields(b"Transfer-Encoding: " + value)
            for value in (b"", b"gzip", b"gzip, chunked", b"chunked, chunked", b"xchunked")
        ),
        with_fields(CHUNKED, CHUNKED),
        with_fields(CHUNKED, start=TEN),
        with_fields(b"X: a\0b"),
        with_fields(b"X: a\x01b"),
        with_fields(b"X: a\rb"),
        with_fields(b"X: a", b" folded"),
        with_fields(b"X : a"),
        with_fields(b": a"),
        with_fields(b"no colon"),
        with_fields(b"X y: a"),
        with_fields(CHUNKED) + b"x\r\n",
        with_fields(CHUNKED) + b"-1\r\n",
        with_fields(CHUNKED) + b"1 \r\na\r\n",
        with_fields(CHUNKED) + b"1\na\r\n",
        with_fields(CHUNKED) + b"1\r\nab\r\n",
        with_fields(CHUNKED) + b"f" * 17 + b"\r\n",
        with_fields(CHUNKED) + b"0\r\nContent-Length: 3\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(response):
    """Strict framing: no guess is made where a response ends."""
    with pytest.raises(httpx.RemoteProtocolError) as failure:
        read(response)
    assert failure.type is httpx.RemoteProtocolError


@pytest.mark.parametrize(
    ("response", "ends"),
    [
        (b"", False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (with_fields(start=b"HTTP/1.1 100 Continue"), False),
        (with_fields(start=b"HTTP/1.1 100 Continue") + b"HTTP", False),
        (with_fields(LENGTH) + b"ab", False),
        (with_fields(CHUNKED) + CHUNKS[:-1], False),
        (with_fields() + b"abc", True),
        (with_fields(start=TEN) + b"abc", True),
        (with_fields(KEEP), True),
    ],
)
def test_the_end_of_the_connection_ends_a_response_without_framing(response, ends):
    """Neither length nor chunks: it goes on until the server closes. Otherwise it was cut short."""
    cut = reader()
    assert not (response and cut.feed(response))
    assert cut.ends_with_connection is ends
    assert cut.begun is bool(response)


def field_of(size):
    """A field that counts as *size* bytes."""
    return b"X: " + b"a" * (size - 5)


@pytest.mark.parametrize(
    ("allowed", "too_much", "limits"),
    [
        (with_fields(field_of(80), start=b"HTTP/1.1 204 X"), field_of(81), {"head_bytes": 80}),
        (with_fields(*[b"X: y"] * 5, start=b"HTTP/1.1 204 X"), b"X: y", {"fields": 5}),
        (with_fields(LENGTH) + b"abc", b"", {"body_bytes": 3}),
    ],
)
def test_what_fits_exactly_is_taken(allowed, too_much, limits):
    """Each limit is the most that passes."""
    assert read(allowed, **limits) is not None


@pytest.mark.parametrize(
    ("packets", "limits"),
    [
        ([with_fields(field_of(81))], {"head_bytes": 80}),
        ([with_fields(field_of(41), field_of(40))], {"head_bytes": 80}),
        ([b"HTTP/1.1 200 OK\r\nX: ", b"a" * 62], {"head_bytes": 80}),
        ([b"HTTP/1.1 200 ", b"a" * 68], {"head_bytes": 80}),
        ([with_fields(*[b"X: y"] * 6)], {"fields": 5}),
        ([with_fields(*[b"X: y"] * 3, start=b"HTTP/1.1 103 X") * 2], {"fields": 5}),
        ([with_fields(field_of(41), start=b"HTTP/1.1 103 X") * 2], {"head_bytes": 80}),
        ([with_fields(b"Content-Length: 4")], {"body_bytes": 3}),
        ([with_fields(CHUNKED) + b"4\r\nabcd"], {"body_bytes": 3}),
        ([with_fields(CHUNKED) + b"2\r\nab\r\n", b"2\r\ncd\r\n"], {"body_bytes": 3}),
        ([with_fields() + b"ab", b"cd"], {"body_bytes": 3}),
        ([with_fields(CHUNKED) + b"0\r\n" + b"X: y\r\n" * 6], {"fields": 5}),
        ([with_fields(CHUNKED) + b"0\r\n", b"X: ", b"a" * 50], {"head_bytes": 80}),
        ([with_fields(CHUNKED) + b"1;", b"a" * 40], {"head_bytes": 80}),
        ([with_fields(CHUNKED) + b"0\r\n" + b"X: y\r\n" * 5 + b"\r\n"], {"fields": 5}),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 7], {"fields": 5}),
    ],
)
def test_what_does_not_fit_is_refused(packets, limits):
    """Fields, one field, interim ones, trailers, a chunk's note; bodies, announced or not."""
    endless = reader(**limits)
    for packet in packets[:-1]:
        assert not endless.feed(packet)
    with pytest.raises(ResponseTooLarge):
        endless.feed(packets[-1])


def test_a_long_body_in_small_chunks_is_no_long_head():
    """Sizes of chunks are not held against a body that keeps coming."""
    response = reader(head_bytes=100)
    response.feed(with_fields(CHUNKED))
    for _ in range(200):
        assert not response.feed(b"1\r\n")
        assert not response.feed(b"a\r\n")
    assert response.feed(b"0\r\n\r\n")
    assert response.reply.body == b"a" * 200


VALID = [
    with_fields(b"Server: x", LENGTH) + b"abc",
    with_fields(b"X:", b"Y: \xe4 b ", CHUNKED) + CHUNKS[:-2] + b"Z: 1\r\n\r\n",
    with_fields(b"Link: x", start=b"HTTP/1.1 103 Early Hints") + with_fields(LENGTH) + b"abc",
    with_fields(LENGTH, KEEP, start=TEN) + b"abc",
    with_fields(start=b"HTTP/1.1 204 No Content"),
    with_fields(LENGTH, CLOSE) + b"abc",
]


@given(st.sampled_from(VALID), st.data())
def test_packets_do_not_matter(response, data):
    """A response says the same, wherever the network cuts it."""
    cuts = data.draw(st.lists(st.integers(1, len(response) - 1), unique=True).map(sorted))
    bounds = [0, *cuts, len(response)]
    packets = [response[start:end] for start, end in itertools.pairwise(bounds)]
    assert read(*packets) == read(response)


@given(st.lists(st.sampled_from(VALID[:-1]), min_size=2, max_size=4))
def test_one_reader_reads_one_response_after_the_other(responses):
    """Nothing of one is left when the next begins: neither fields, nor a body, nor a count."""
    several = reader(fields=4)
    for response in responses:
        several.begin(to_head=False)
        assert several.feed(response)
        assert (several.reply, several.reusable) == read(response)


def test_every_byte_a_packet():
    """The extreme of the above."""
    for response in VALID:
        packets = [response[index : index + 1] for index in range(len(response))]
        assert read(*packets) == read(response)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_garbage_never_does_more_than_fail(packets):
    """After a proper beginning, whatever comes is taken in, complete, or refused."""
    response = reader(head_bytes=64, body_bytes=64)
    try:
        for packet in (b"HTTP/1.1 200 OK\r\n", *packets):
            if response.feed(packet):
                break
    except httpx.RemoteProtocolError:
        pass


def test_a_dismissed_reader_leaves_no_garbage():
    """Reader and parser hold each other until it is dismissed: no work for the collector."""
    gc.collect()
    gc.disable()
    try:
        response = reader()
        response.feed(with_fields(LENGTH) + b"abc")
        response.dismiss()
        del response
        assert gc.collect() == 0
    finally:
        gc.enable()
