"""Whatever the network brings, reading it ends in a response or in `MalformedError`."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import dns.flags
import dns.message
import dns.opcode
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsknet.names.lookup import Lookup
from wsknet.names.messages import (
    MalformedError,
    Question,
    RecordType,
    decode_response,
    encode_query,
    name_text,
)
from wsknet.text import parse_address
from wsknet.types import Endpoint, Instant

QUESTION = Question((b"www", b"lab"), RecordType.A)
SERVER = Endpoint(parse_address("192.0.2.53"), 53)


def sample() -> bytes:
    query = dns.message.from_wire(encode_query(QUESTION, 0x1234, with_edns=True))
    response = dns.message.make_response(query)
    for words in ("www.lab. CNAME a.lab.", "a.lab. A 192.0.2.1", "a.lab. AAAA 2001:db8::1", "a.lab. TXT text"):
        name, kind, value = words.split(" ")
        response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    soa = "ns.lab. hostmaster.lab. 1 7200 900 86400 60"
    response.authority.append(dns.rrset.from_text("lab.", 60, "IN", "SOA", soa))
    return response.to_wire()


SAMPLE = sample()
EDITS = st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=8)


def check(data: bytes) -> None:
    with suppress(MalformedError):
        decode_response(data)
    lookup = Lookup(QUESTION, [SERVER], Random(1))
    lookup.start(Instant(0))
    lookup.receive(SERVER, data, Instant(0))


@given(st.binary(max_size=120))
@example(b"\0" * 12)
@example(b"\0\0\x82\0" + b"\0" * 8)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data)


@given(EDITS, st.integers(0, len(SAMPLE)))
def test_a_damaged_response_is_read_or_refused(edits: list[tuple[int, int]], length: int) -> None:
    data = bytearray(SAMPLE)
    for place, value in edits:
        data[place] = value
    check(bytes(data))
    check(bytes(data[:length]))


@given(EDITS)
def test_a_damaged_answer_to_our_question_ends_the_lookup_or_leaves_it_be(edits: list[tuple[int, int]]) -> None:
    """Only what follows the question is damaged, so that it is believed to be the answer."""
    lookup = Lookup(QUESTION, [SERVER], Random(1))
    lookup.start(Instant(0))
    data = bytearray(SAMPLE)
    data[:2] = lookup.actions.popleft().query[:2]
    end = 12 + len(b"\3www\3lab\0") + 4
    for place, value in edits:
        data[max(place, end)] = value
    lookup.receive(SERVER, bytes(data), Instant(0))
    assert lookup.result is None or lookup.deadline is None


def test_a_whole_response_is_read() -> None:
    response = decode_response(SAMPLE)
    assert (response.id, response.question, response.code, response.is_truncated) == (0x1234, QUESTION, 0, False)
    owners = [(name_text(record.owner), record.kind, record.ttl, record.value) for record in response.records]
    assert owners == [
        ("www.lab", 5, 60, (b"a", b"lab")),
        ("a.lab", 1, 60, parse_address("192.0.2.1")),
        ("a.lab", 28, 60, parse_address("2001:db8::1")),
    ]
    assert response.negative_ttl == 60


def test_a_query_and_another_operation_are_no_responses() -> None:
    with pytest.raises(MalformedError):
        decode_response(encode_query(QUESTION, 1, with_edns=False))
    notify = dns.message.make_query("lab", "SOA", flags=dns.flags.QR)
    notify.set_opcode(dns.opcode.NOTIFY)
    with pytest.raises(MalformedError):
        decode_response(notify.to_wire())


def test_names_for_people_have_nothing_in_them_that_is_not_printable() -> None:
    assert name_text((b"a.b", b"\x07c", b"lab")) == r"a\.b.\007c.lab"
