"""One connection of the HTTP server: persistence, pipelining, content, time-outs, and any octets at all (RFC 9112)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.apps.http_lab import Client, make_site, pattern, read_answer

GET = b"GET /bytes/5 HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT /a HTTP/1.1\r\nHost: h\r\n"
EXPECT = b"Expect: 100-continue\r\n"

DIALOGUES = {
    "pipelined": GET + b"HEAD /bytes/9 HTTP/1.1\r\nHost: h\r\n\r\n" + GET,
    "put and get": PUT + b"Content-Length: 5\r\n\r\nhelloGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
    "chunked": PUT + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n" + GET,
    "continue": PUT + EXPECT + b"Content-Length: 5\r\n\r\nhello" + GET,
    "ignored content": b"GET /bytes/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + GET,
    "refused": GET + b"GET / HTTP/1.1\r\n\r\n" + GET,
    "bad chunk": PUT + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n" + GET,
    "too much": PUT + b"Transfer-Encoding: chunked\r\n\r\n3E9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n" + GET,
    "ends in the middle": GET + b"GET /bytes",
    "empty lines": b"\r\n\r\n" + GET + b"\r\n",
    "1.0": b"GET /bytes/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /bytes/3 HTTP/1.0\r\n\r\n" + GET,
}  # fmt: skip


@pytest.mark.rule("RFC9112-9.3.2", "RFC9112-2.2")
@given(st.sampled_from(sorted(DIALOGUES)), st.lists(st.integers(0, 1200), max_size=12))
def test_where_the_octets_are_cut_makes_no_difference(name: str, cuts: list[int]) -> None:
    whole = Client().send(DIALOGUES[name]).close()
    cut = Client().send(DIALOGUES[name], cuts).close()
    assert cut.received == whole.received
    assert cut.server.is_over


@pytest.mark.parametrize("name", DIALOGUES)
def test_one_octet_at_a_time_gives_the_same_answers(name: str) -> None:
    data = DIALOGUES[name]
    assert Client().send(data, range(len(data))).close().received == Client().send(data).close().received


WORDS = st.sampled_from(
    [
        b"GET", b"PUT", b"HEAD", b" ", b" ", b"/", b"/a", b"/discard", b"/bytes/7", b"*", b"HTTP/1.1", b"HTTP/1.0",
        b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b":", b",", b"-", b"1-2", b'"', b";", b"%", b"%41", b"5",
        b"0", b"hello", b"Host: h\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Range: bytes=",
        b"If-Match: ", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Content-Type: ", b"If-Range: ",
        b"GET / HTTP/1.1\r\nHost: h\r\n", b"PUT /a HTTP/1.1\r\nHost: h\r\n",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(WORDS, WORDS, WORDS, st.binary(max_size=20)), max_size=60).map(b"".join))
def test_any_octets_end_in_whole_answers_or_in_silence(data: bytes) -> None:
    client = Client().send(data).close()
    assert client.server.is_over
    rest = client.received
    while rest:
        # Which of them answer HEAD is not known here: such an answer is followed by another one or by nothing.
        answer, behind = read_answer(rest, "HEAD")
        if not rest.startswith(b"HTTP/1.1 100") and not (behind == b"" or behind.startswith(b"HTTP/1.1 ")):
            answer, behind = read_answer(rest)
        assert 100 <= answer.status <= 599
        rest = behind


@pytest.mark.rule("RFC9112-9.3")
@pytest.mark.parametrize(
    ("version", "option", "said"),
    [
        (b"1.1", b"", None),
        (b"1.1", b"Connection: keep-alive\r\n", None),
        (b"1.1", b"Connection: x, Close\r\n", "close"),
        (b"1.0", b"", "close"),
        (b"1.0", b"Connection: Keep-Alive\r\n", "keep-alive"),
        (b"1.0", b"Connection: keep-alive, close\r\n", "close"),
    ],
)
def test_the_connection_goes_on_as_the_version_and_the_client_have_it(
    version: bytes, option: bytes, said: str | None
) -> None:
    request = b"GET /bytes/5 HTTP/" + version + b"\r\nHost: h\r\n" + option + b"\r\n"
    client = Client().send(request)
    (answer,) = client.answers()
    assert answer.fields.get("connection") == said
    assert client.server.is_over == (said == "close")
    assert len(client.send(request).answers()) == (0 if said == "close" else 1)


@pytest.mark.rule("RFC9112-9.3.2")
def test_nothing_is_taken_while_an_answer_waits() -> None:
    server = Client().server
    data = memoryview(GET * 3)
    assert server.take(data) == len(GET)
    assert server.take(data[len(GET) :]) == 0
    assert bytes(server.fetch()).endswith(pattern(0, 5))
    assert server.take(data[len(GET) :]) == len(GET)


def test_a_large_body_is_made_as_it_is_fetched() -> None:
    server = Client().server
    server.take(memoryview(b"GET /bytes/9223372036854775807 HTTP/1.1\r\nHost: h\r\n\r\n"))
    head, _, body = bytes(server.fetch()).partition(b"\r\n\r\n")
    assert b"Content-Length: 9223372036854775807" in head
    for _ in range(100):
        piece = server.fetch()
        assert 1 <= len(piece) <= 65536
        assert piece == pattern(len(body), len(body) + len(piece))
        body += bytes(piece)
    assert server.take(memoryview(GET)) == 0


# Content


@pytest.mark.rule("RFC9110-10.1.1")
def test_100_continue_comes_before_the_content_and_the_answer_after_it() -> None:
    client = Client().send(PUT + EXPECT + b"Content-Length: 5\r\n\r\n")
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    (answer,) = client.send(b"hello").answers()
    assert answer.status == 201


@pytest.mark.rule("RFC9110-10.1.1")
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n", 413),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n", 405),
        (b"GET /none HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n", 404),
    ],
)
def test_a_refusal_takes_the_place_of_100_and_the_connection_ends(request_: bytes, status: int) -> None:
    client = Client().send(request_ + EXPECT + b"\r\n")
    assert client.server.is_over
    (answer,) = client.answers()
    assert (answer.status, answer.fields["connection"]) == (status, "close")


@pytest.mark.rule("RFC9110-10.1.1")
@pytest.mark.parametrize(
    "request_", [b"GET /bytes/1 HTTP/1.1\r\nHost: h\r\n", b"PUT /a HTTP/1.0\r\nContent-Length: 5\r\n"]
)
def test_there_is_no_100_without_content_nor_for_1_0(request_: bytes) -> None:
    assert b"100 Continue" not in Client().send(request_ + EXPECT + b"\r\n").received


def test_content_that_nobody_wants_is_passed_over_within_bounds() -> None:
    head = b"GET /bytes/1 HTTP/1.1\r\nHost: h\r\n"
    assert [
        a.status for a in Client().send(head + b"Content-Length: 65536\r\n\r\n" + bytes(65536) + GET).answers()
    ] == [200] * 2
    client = Client().send(head + b"Content-Length: 65537\r\n\r\n" + bytes(65537) + GET)
    assert [answer.fields.get("connection") for answer in client.answers()] == ["close"]


@pytest.mark.rule("RFC9110-9.3.4")
@given(
    st.binary(max_size=3000),
    st.lists(st.integers(1, 700), min_size=1, max_size=20),
    st.lists(st.integers(0, 4000), max_size=6),
)
def test_discard_counts_what_chunks_and_lengths_carry(data: bytes, sizes: list[int], cuts: list[int]) -> None:
    chunks: list[bytes] = []
    at = 0
    while at < len(data):
        part = data[at : at + sizes[len(chunks) % len(sizes)]]
        chunks.append(b"%x\r\n%b\r\n" % (len(part), part))
        at += len(part)
    head = b"PUT /discard HTTP/1.1\r\nHost: h\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + b"0\r\n\r\n"
    counted = head + b"Content-Length: %d\r\n\r\n%b" % (len(data), data)
    expected = b"%d %b\n" % (len(data), sha256(data).hexdigest().encode())
    assert [answer.body for answer in Client().send(chunked + counted, cuts).answers()] == [expected] * 2


# The end


@pytest.mark.rule("RFC9110-15.5.9")
@pytest.mark.parametrize("begun", [b"G", GET[:-2], PUT + b"Content-Length: 5\r\n\r\nhell"])
def test_a_request_that_is_not_completed_in_time_gets_408(begun: bytes) -> None:
    client = Client().send(begun)
    client.server.time_out()
    client.read()
    (answer,) = client.answers()
    assert (answer.status, answer.fields["connection"]) == (408, "close")
    assert client.server.is_over


def test_between_requests_a_time_out_ends_the_connection_without_a_word() -> None:
    client = Client().send(GET)
    client.answers()
    client.server.time_out()
    assert client.server.fetch() == b""
    assert client.server.is_over


@pytest.mark.rule("RFC9112-8")
def test_what_was_cut_off_is_not_stored() -> None:
    site = make_site()
    client = Client(site).send(PUT + b"Content-Length: 5\r\n\r\nhell")
    assert site.store.used == 4
    (answer,) = client.close().answers()
    assert answer.status == 400
    assert (len(site.store), site.store.used) == (0, 0)


@pytest.mark.rule("RFC9112-9.6")
def test_what_comes_after_the_last_request_is_taken_and_forgotten() -> None:
    client = Client().send(b"GET /bytes/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + GET + bytes(100_000))
    assert len(client.answers()) == 1
