"""What the HTTP server has to get, in whole and in parts, and what it keeps (RFC 9110)."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.apps.http_lab import Client, Received, ask, make_site, pattern
from wsknet.apps.http.store import Bounds

PATHS = ["/", "/bytes/0", "/bytes/1", "/bytes/70000", "/bytes/3K", "/time", "/kept"]
READING = "GET, HEAD, OPTIONS"


def get(path: str, *lines: str) -> Received:
    return ask(make_site(), "GET", path, *lines)


@pytest.mark.parametrize(
    ("path", "length"),
    [("/bytes/0", 0), ("/bytes/1", 1), ("/bytes/3K", 3072), ("/bytes/2M", 2 << 20), ("/bytes/007", 7)],
)
def test_generated_bytes_are_those_of_the_pattern(path: str, length: int) -> None:
    answer = get(path)
    assert answer.status == 200
    assert answer.body == pattern(0, length)
    assert answer.fields["etag"] == f'"bytes-{length}"'


@pytest.mark.parametrize(
    "path", ["/bytes/", "/bytes/x", "/bytes/-1", "/bytes/1k", "/bytes/1KK", "/bytes/9223372036854775808", "/bytes"]
)
def test_what_is_no_number_of_bytes_is_not_found(path: str) -> None:
    assert get(path).status == 404


@pytest.mark.rule("RFC9110-9.3.2")
@pytest.mark.parametrize("path", PATHS)
def test_head_tells_what_get_does_without_the_body(path: str) -> None:
    site = make_site()
    ask(site, "PUT", "/kept", "Content-Type: text/plain", content=b"kept")
    with_body, without = ask(site, "GET", path), ask(site, "HEAD", path)
    assert (without.status, without.fields, without.body) == (200, with_body.fields, b"")
    assert int(without.fields["content-length"]) == len(with_body.body)


def test_the_time_is_that_of_the_clock() -> None:
    answer = get("/time")
    assert answer.body == b"2026-01-01T00:00:00.000000000Z\n"
    assert answer.fields["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert answer.fields["cache-control"] == "no-store"


@pytest.mark.rule("RFC9110-15.5.6", "RFC9110-15.6.2", "RFC9110-9.3.7")
@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "/", 405, READING),
        ("PUT", "/bytes/5", 405, READING),
        ("DELETE", "/time", 405, READING),
        ("POST", "/a", 405, "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("TRACE", "/", 405, READING),
        ("GET", "/discard", 405, "PUT, OPTIONS"),
        ("BREW", "/", 501, None),
        ("get", "/", 501, None),
        ("OPTIONS", "/", 204, READING),
        ("OPTIONS", "/a", 204, "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("OPTIONS", "*", 204, "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("GET", "/a", 404, None),
        ("HEAD", "/a", 404, None),
        ("DELETE", "/a", 404, None),
    ],
)
def test_methods_are_answered_as_the_resource_has_them(method: str, path: str, status: int, allow: str | None) -> None:
    answer = ask(make_site(), method, path, content=b"" if method == "PUT" else None)
    assert (answer.status, answer.fields.get("allow")) == (status, allow)


# Ranges


def parts_of(answer: Received) -> list[tuple[str, bytes]]:
    """Content-Range and octets of each part."""
    if not answer.fields["content-type"].startswith("multipart/byteranges"):
        return [(answer.fields["content-range"], answer.body)]
    found = re.fullmatch(r"multipart/byteranges; boundary=([0-9A-Za-z-]+)", answer.fields["content-type"])
    assert found is not None
    assert "content-range" not in answer.fields
    boundary = b"--" + found[1].encode()
    first, *parts = answer.body.split(boundary)
    assert first == b""
    assert parts.pop() == b"--\r\n"
    cut = []
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))
        assert fields["Content-Type"] == "application/octet-stream"
        assert body.endswith(b"\r\n")
        cut.append((fields["Content-Range"], body[:-2]))
    return cut


FROM = st.tuples(st.integers(0, 3500), st.none() | st.integers(0, 3500))
SUFFIX = st.tuples(st.none(), st.integers(0, 3500))


@pytest.mark.rule("RFC9110-14.1.2", "RFC9110-14.4", "RFC9110-15.3.7")
@given(st.integers(0, 1 << 61), st.integers(0, 70_000), st.integers(0, 1 << 61))
def test_any_range_is_the_slice(start: int, length: int, beyond: int) -> None:
    total = start + length + 1 + beyond
    answer = get(f"/bytes/{total}", f"Range: bytes={start}-{start + length}")
    assert answer.status == 206
    assert answer.fields["content-range"] == f"bytes {start}-{start + length}/{total}"
    assert answer.body == pattern(start, start + length + 1)


@pytest.mark.rule("RFC9110-14.1.2", "RFC9110-14.6")
@given(st.integers(1, 3000), st.lists(FROM | SUFFIX, min_size=1, max_size=5))
def test_any_list_of_ranges_is_answered_as_a_plain_reading_of_the_rules_has_it(
    total: int, asked: list[tuple[int | None, int | None]]
) -> None:
    value = ", ".join(f"{'' if first is None else first}-{'' if last is None else last}" for first, last in asked)
    answer = get(f"/bytes/{total}", f"Range: bytes={value}")
    octets = range(total)
    valid = all(first is None or last is None or first <= last for first, last in asked)
    wanted = []
    for first, last in asked:
        if first is None:
            assert last is not None
            wanted.append(octets[-last:] if last else octets[:0])
        else:
            wanted.append(octets[first:] if last is None else octets[first : last + 1])
    wanted = [one for one in wanted if one]
    overlaps = sum(map(len, wanted)) > len(set().union(*wanted))
    if not valid or overlaps:
        assert (answer.status, answer.body) == (200, pattern(0, total))
    elif not wanted:
        assert (answer.status, answer.fields["content-range"]) == (416, f"bytes */{total}")
    else:
        assert answer.status == 206
        assert parts_of(answer) == [
            (f"bytes {one[0]}-{one[-1]}/{total}", pattern(one[0], one[-1] + 1)) for one in wanted
        ]


@pytest.mark.rule("RFC9110-14.2")
@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("GET", "/bytes/100", "octets=0-1"),
        ("GET", "/bytes/100", "bytes 0-1"),
        ("GET", "/bytes/100", "bytes="),
        ("GET", "/bytes/100", "bytes=a-b"),
        ("GET", "/bytes/100", "bytes=2-1"),
        ("GET", "/bytes/100", "bytes=-"),
        ("GET", "/bytes/100", "bytes=0-1,1-2"),
        ("GET", "/bytes/100", "bytes=" + ",".join(f"{n}-{n}" for n in range(17))),
        ("GET", "/time", "bytes=0-1"),
        ("HEAD", "/bytes/100", "bytes=0-1"),
    ],
)
def test_a_range_that_is_not_understood_or_of_use_is_passed_over(method: str, path: str, value: str) -> None:
    answer = ask(make_site(), method, path, f"Range: {value}")
    assert answer.status == 200
    assert "content-range" not in answer.fields


@pytest.mark.rule("RFC9110-15.5.17")
@pytest.mark.parametrize(
    ("path", "value"), [("/bytes/9", "9-"), ("/bytes/9", "-0"), ("/bytes/0", "0-"), ("/bytes/9", "10-20, 30-")]
)
def test_ranges_beyond_the_end_get_416(path: str, value: str) -> None:
    answer = get(path, f"Range: bytes={value}")
    assert answer.status == 416
    assert answer.fields["content-range"] == f"bytes */{path[-1]}"


@pytest.mark.rule("RFC9110-13.1.5")
@pytest.mark.parametrize(
    ("condition", "status"),
    [('"bytes-9"', 206), ('W/"bytes-9"', 200), ('"bytes-8"', 200), ("Thu, 01 Jan 2026 00:00:00 GMT", 200)],
)
def test_if_range_needs_the_strong_entity_tag(condition: str, status: int) -> None:
    assert get("/bytes/9", "Range: bytes=3-", f"If-Range: {condition}").status == status


# Conditions


@pytest.mark.rule("RFC9110-13.1.2", "RFC9110-15.4.5")
@pytest.mark.parametrize(
    ("tags", "status"), [('"bytes-9"', 304), ('"x", W/"bytes-9"', 304), ("*", 304), ('"x"', 200), ("x", 400)]
)
def test_if_none_match_saves_the_body(tags: str, status: int) -> None:
    answer = get("/bytes/9", f"If-None-Match: {tags}")
    assert answer.status == status
    if status == 304:
        assert answer.fields["etag"] == '"bytes-9"'


@pytest.mark.rule("RFC9110-13.1.1")
@pytest.mark.parametrize(
    ("tags", "status"), [('"x", "bytes-9"', 200), ("*", 200), ('W/"bytes-9"', 412), ('"x"', 412), ("x", 400)]
)
def test_if_match_is_strong(tags: str, status: int) -> None:
    assert get("/bytes/9", f"If-Match: {tags}").status == status


def test_a_long_condition_is_read_in_no_time() -> None:
    assert get("/bytes/9", "If-Match: " + "," * 8000 + "x").status == 400


@pytest.mark.rule("RFC9110-13.1.1", "RFC9110-13.1.2")
def test_a_lost_update_is_prevented_even_when_it_happens_meanwhile() -> None:
    site = make_site()
    slow = Client(site).send(b"PUT /a HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nContent-Length: 4\r\n\r\nslo")
    assert ask(site, "PUT", "/a", "If-None-Match: *", content=b"fast").status == 201
    (late,) = slow.send(b"w").answers()
    assert late.status == 412
    assert late.fields.get("connection") is None
    etag = ask(site, "GET", "/a").fields["etag"]
    assert ask(site, "PUT", "/a", 'If-Match: "other"', content=b"x").status == 412
    assert ask(site, "PUT", "/a", f"If-Match: {etag}", content=b"x").status == 204
    assert ask(site, "PUT", "/b", "If-Match: *", content=b"x").status == 412


# What is put there


@pytest.mark.rule("RFC9110-9.3.4", "RFC9110-8.8.3")
def test_what_is_put_comes_back_with_its_type_and_a_tag_of_its_content() -> None:
    site = make_site()
    made = ask(site, "PUT", "/a?b=c", "Content-Type: text/x; charset=utf-8", content=b"one")
    assert (made.status, made.fields["location"]) == (201, "/a?b=c")
    first = ask(site, "GET", "/a?b=c")
    assert (first.status, first.body, first.fields["content-type"]) == (200, b"one", "text/x; charset=utf-8")
    assert first.fields["etag"] == made.fields["etag"] == f'"{sha256(b"one").hexdigest()[:32]}"'
    assert ask(site, "GET", "/a").status == 404
    replaced = ask(site, "PUT", "/a?b=c", content=b"two, longer")
    assert (replaced.status, replaced.fields["etag"] != made.fields["etag"]) == (204, True)
    assert ask(site, "GET", "/a?b=c", "Range: bytes=-6").body == b"longer"
    assert ask(site, "GET", "/a?b=c").fields["content-type"] == "application/octet-stream"
    assert ask(site, "DELETE", "/a?b=c").status == 204
    assert ask(site, "GET", "/a?b=c").status == 404
    assert site.store.used == 0


@pytest.mark.rule("RFC9110-9.3.4", "RFC9110-14.5", "RFC9110-15.5.16")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Range: bytes 0-4/10", 400),
        ("Content-Encoding: gzip", 415),
        ("Content-Type: words", 415),
        ("Content-Type: a/" + "b" * 300, 415),
    ],
)
def test_what_cannot_be_kept_as_it_is_is_refused(line: str, status: int) -> None:
    site = make_site()
    assert ask(site, "PUT", "/a", line, content=b"hello").status == status
    assert ask(site, "GET", "/a").status == 404


@pytest.mark.rule("RFC9110-15.5.14", "RFC4918-11.5")
def test_no_more_is_kept_than_the_bounds_allow() -> None:
    site = make_site()
    assert ask(site, "PUT", "/big", content=bytes(1001)).status == 413
    assert [ask(site, "PUT", path, content=bytes(1000)).status for path in ("/a", "/b", "/c")] == [201, 201, 507]
    assert site.store.used == 2000
    assert ask(site, "PUT", "/a", content=b"").status == 204
    assert ask(site, "PUT", "/c", content=bytes(1000)).status == 201
    assert [ask(site, "PUT", f"/{n}", content=b"").status for n in range(3)] == [201, 201, 507]
    assert ask(site, "PUT", "/0", content=b"again").status == 204


@pytest.mark.rule("RFC9110-15.5.14", "RFC4918-11.5")
def test_chunks_are_counted_as_they_come() -> None:
    site = make_site(Bounds(resource=1000, total=1500))
    head = b"PUT /%d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    first = Client(site).send(head % 1 + b"320\r\n" + bytes(800))
    second = Client(site).send(head % 2 + b"320\r\n" + bytes(800))
    assert [answer.status for answer in second.answers()] == [507]
    assert [answer.status for answer in first.send(b"\r\nC9\r\n" + bytes(201)).answers()] == [413]
    assert site.store.used == 0


def test_what_is_replaced_while_somebody_reads_it_counts_until_it_is_read() -> None:
    site = make_site(Bounds(resource=100_000, total=150_000))
    ask(site, "PUT", "/a", content=b"a" * 100_000)
    reader = Client(site)
    reader.server.take(memoryview(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"))
    lent = [reader.server.fetch()]
    assert ask(site, "DELETE", "/a").status == 204
    assert ask(site, "PUT", "/b", content=bytes(100_000)).status == 507
    while piece := reader.server.fetch():
        lent.append(piece)
    assert b"".join(lent).endswith(b"\r\n\r\n" + b"a" * 100_000)
    assert site.store.used == 100_000  # the stack may still have to send it again
    piece = b""
    lent.clear()
    assert site.store.used == 0
    assert ask(site, "PUT", "/b", content=bytes(100_000)).status == 201
