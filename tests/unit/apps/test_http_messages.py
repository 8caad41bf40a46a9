"""What the HTTP server takes for a request, and what it refuses (RFC 9112)."""

from __future__ import annotations

import pytest

from tests.unit.apps.http_lab import Client, Received, ask, make_site

HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n"


def answer_to(data: bytes, method: str = "GET") -> Received:
    """The only one."""
    (answer,) = Client().send(data).answers(method)
    return answer


REFUSED = {
    "bare LF in the request line": (b"GET / HTTP/1.1\nHost: h\r\n\r\n", 400),
    "bare LF in a field line": (b"GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
    "bare CR in a field value": (HEAD + b"A: b\rc\r\n\r\n", 400),
    "NUL in a field value": (HEAD + b"A: b\0c\r\n\r\n", 400),
    "obs-fold": (HEAD + b"A: b\r\n c\r\n\r\n", 400),
    "whitespace before the first field": (b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    "space before the colon": (HEAD + b"Content-Length : 0\r\n\r\n", 400),
    "no field name": (HEAD + b": b\r\n\r\n", 400),
    "no colon": (HEAD + b"A\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "version in small letters": (b"GET / http/1.1\r\nHost: h\r\n\r\n", 400),
    "space behind the version": (b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
    "a method that is no token": (b"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (HEAD + b"Host: h\r\n\r\n", 400),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400),
    "an invalid Host": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "user information in the target": (b"GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a fragment": (b"GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a target without a slash": (b"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "half an escape": (b"GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "an asterisk for GET": (b"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "an https URI": (b"GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 421),
    "CONNECT": (b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a long target": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    "a target without end": (b"GET /" + b"a" * 100_000, 414),
    "a long field line": (HEAD + b"A: " + b"a" * 8192 + b"\r\n\r\n", 431),
    "a field line without end": (HEAD + b"A: " + b"a" * 100_000, 431),
    "many fields": (HEAD + b"A: b\r\n" * 100 + b"\r\n", 431),
    "large fields": (HEAD + (b"A: " + b"a" * 8000 + b"\r\n") * 5 + b"\r\n", 431),
    "both framings": (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two different lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    "a list of lengths": (HEAD + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    "a signed length": (HEAD + b"Content-Length: +5\r\n\r\nhello", 400),
    "a negative length": (HEAD + b"Content-Length: -5\r\n\r\nhello", 400),
    "an empty length": (HEAD + b"Content-Length:\r\n\r\n", 400),
    "a hexadecimal length": (HEAD + b"Content-Length: 0x5\r\n\r\nhello", 400),
    "a length beyond 2^63": (HEAD + b"Content-Length: 9223372036854775808\r\n\r\n", 413),
    "a PUT of no length": (b"PUT /a HTTP/1.1\r\nHost: h\r\n\r\n", 411),
    "a PUT of HTTP/1.0 that ends with the connection": (b"PUT /a HTTP/1.0\r\n\r\nhello", 411),
    "chunked in HTTP/1.0": (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked not last": (HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "no coding": (HEAD + b"Transfer-Encoding:\r\n\r\n", 400),
    "an unknown coding": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "an expectation that nobody knows": (HEAD + b"Expect: wonders\r\n\r\n", 417),
}  # fmt: skip


@pytest.mark.rule("RFC9112-2.2", "RFC9112-5.1", "RFC9112-6.3")
@pytest.mark.parametrize("name", REFUSED)
def test_what_can_be_understood_in_two_ways_is_refused_and_ends_the_connection(name: str) -> None:
    data, status = REFUSED[name]
    client = Client().send(data)
    assert client.server.is_over
    (answer,) = client.answers()
    assert answer.status == status
    assert answer.fields["connection"] == "close"
    assert answer.body.startswith(b"%d " % status)
    assert client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").answers() == []


CHUNKS_REFUSED = {
    "no size": b"\r\nhello\r\n",
    "a size that is no number": b"x\r\nhello\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n",
    "a size with a sign": b"+5\r\nhello\r\n",
    "a size with a space before it": b" 5\r\nhello\r\n",
    "a size of 17 digits": b"00000000000000005\r\nhello\r\n",
    "a bare LF behind the size": b"5\nhello\r\n",
    "a bare LF behind the data": b"5\r\nhello\n",
    "data that go on": b"5\r\nhello!\r\n",
    "an extension without a name": b"5;\r\nhello\r\n",
    "an extension without end": b"5;" + b"a" * 10_000,
    "an invalid trailer": b"0\r\nA : b\r\n\r\n",
}


@pytest.mark.rule("RFC9112-7.1")
@pytest.mark.parametrize("name", CHUNKS_REFUSED)
def test_chunks_that_are_not_what_they_should_be_end_the_connection(name: str) -> None:
    client = Client().send(
        b"PUT /discard HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS_REFUSED[name]
    )
    (answer,) = client.answers()
    assert (answer.status, answer.fields["connection"]) == (400, "close")
    assert client.server.is_over


@pytest.mark.rule("RFC9112-7.1.2")
def test_a_trailer_section_is_bounded() -> None:
    head = b"PUT /discard HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    assert answer_to(head + b"A: b\r\n" * 101).status == 431
    assert answer_to(head + (b"A: " + b"a" * 8000 + b"\r\n") * 5).status == 431
    assert answer_to(head + b"A: b\r\n" * 100 + b"\r\n").status == 200


ACCEPTED = {
    "HTTP/1.0 without Host": b"GET / HTTP/1.0\r\n\r\n",
    "an empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "an address and port as Host": b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
    "no space behind the colon, and tabs behind the value": b"GET / HTTP/1.1\r\nHost:h\t \r\n\r\n",
    "octets beyond ASCII in a value": b"GET / HTTP/1.1\r\nHost: h\r\nA: \xff\r\n\r\n",
    "empty lines before it": b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "a whole URI": b"GET http://other:80/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "a whole URI without a path": b"GET HTTP://other HTTP/1.1\r\nHost: h\r\n\r\n",
    "a newer minor version": b"GET / HTTP/1.9\r\nHost: h\r\n\r\n",
    "100 fields": HEAD + b"A: b\r\n" * 99 + b"\r\n",
    "a query": b"GET /?a=/b HTTP/1.1\r\nHost: h\r\n\r\n",
}  # fmt: skip


@pytest.mark.rule("RFC9112-3.2", "RFC9112-2.2")
@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_allowed_is_understood(name: str) -> None:
    answer = answer_to(ACCEPTED[name])
    assert answer.status == 200
    assert b"wsknet serves" in answer.body


@pytest.mark.rule("RFC9112-7.1", "RFC9112-7.1.1")
def test_chunks_may_have_extensions_capitals_and_zeros() -> None:
    data = b'A;x\r\n0123456789\r\n00b ; y = "q;\\"" ; z=1\r\nabcdefghijk\r\n000\r\nT: u\r\n\r\n'
    answer = answer_to(b"PUT /discard HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n" + data)
    assert answer.status == 200
    assert answer.body.startswith(b"21 ")


@pytest.mark.rule("RFC9112-3")
def test_a_head_answered_with_a_refusal_has_no_body_either() -> None:
    client = Client().send(b"HEAD / HTTP/1.1\r\n\r\n")
    assert client.received.endswith(b"\r\n\r\n")
    assert answer_to(b"HEAD / HTTP/1.1\r\n\r\n", "HEAD").status == 400


@pytest.mark.rule("RFC3986-6.2.2")
def test_escapes_that_are_equal_name_the_same_resource() -> None:
    site = make_site()
    assert ask(site, "PUT", "/%61%2fb", content=b"x").status == 201
    assert ask(site, "GET", "/a%2Fb").body == b"x"
    assert ask(site, "GET", "/a/b").status == 404
    assert ask(site, "GET", "/%62ytes/3").status == 200
