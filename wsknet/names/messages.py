"""DNS messages, read and written with dnspython: RFC 1035 4, RFC 6891 (EDNS), RFC 2308 5 (how long a "no" is kept).

No object of dnspython leaves this file, and nothing of it but encoding and decoding is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from wsknet import text
from wsknet.types import Address

EDNS_PAYLOAD = 1232
"""Bytes of a UDP answer that we ask for: what fits into the smallest MTU of IPv6 (DNS flag day 2020)."""

HEADER_LENGTH = 12
_TRUNCATED = 0x02
"""Of the third byte of the header."""


class RecordType(IntEnum):
    A = 1
    CNAME = 5
    PTR = 12
    AAAA = 28


class ResponseCode(IntEnum):
    """RFC 6895 2.3; those that we make a difference between."""

    NO_ERROR = 0
    FORMAT_ERROR = 1
    SERVER_FAILURE = 2
    NAME_ERROR = 3
    NOT_IMPLEMENTED = 4
    REFUSED = 5
    BAD_VERSION = 16


class MalformedError(Exception):
    """What came is no DNS message."""


@dataclass(frozen=True, slots=True)
class Question:
    name: tuple[bytes, ...]
    """Its labels as `spelling.labels` gives them."""
    kind: RecordType

    @property
    def key(self) -> tuple[tuple[bytes, ...], RecordType]:
        """Equal for equal questions."""
        return tuple(label.lower() for label in self.name), self.kind


@dataclass(frozen=True, slots=True)
class Record:
    owner: tuple[bytes, ...]
    """In small letters."""
    kind: int
    ttl: int
    value: Address | tuple[bytes, ...]
    """An address, or the labels of a name."""


@dataclass(frozen=True, slots=True)
class Response:
    id: int
    question: Question | None
    """`None`: not exactly one, or of a kind that we never ask for."""
    code: int
    is_truncated: bool
    records: tuple[Record, ...] = ()
    """Of the answer section, those of a `RecordType` alone."""
    negative_ttl: int | None = None
    """Seconds for which what is not there stays away; `None`: no SOA tells it."""


def encode_query(question: Question, number: int, *, with_edns: bool) -> bytes:
    name = dns.name.Name((*question.name, b""))
    query = dns.message.make_query(
        name,
        dns.rdatatype.RdataType.make(question.kind),
        use_edns=0 if with_edns else -1,
        payload=EDNS_PAYLOAD if with_edns else None,
        id=number,
    )
    return query.to_wire()


def decode_response(data: bytes) -> Response:
    """Raises `MalformedError`, also for a query."""
    is_truncated = len(data) > 2 and bool(data[2] & _TRUNCATED)
    try:
        # Some servers cut in the middle of a record: of what is truncated nothing but the question is read.
        message = dns.message.from_wire(data, question_only=is_truncated, one_rr_per_rrset=True)
        if not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            raise MalformedError("no response to a query")
        records = tuple(
            Record(_labels(rrset.name), rrset.rdtype, rrset.ttl, _value(rrset[0]))
            for rrset in message.answer
            if int(rrset.rdtype) in _KINDS and rrset.rdclass == dns.rdataclass.IN
        )
        return Response(
            message.id, _question(message), int(message.rcode()), is_truncated, records, _negative_ttl(message)
        )
    except MalformedError:
        raise
    except Exception as error:  # whatever a library finds wrong with bytes from the network, they are only bytes
        raise MalformedError(str(error)) from None


_KINDS = frozenset(map(int, RecordType))


def _labels(name: dns.name.Name) -> tuple[bytes, ...]:
    return tuple(label.lower() for label in name.labels[:-1])


def _value(rdata: object) -> Address | tuple[bytes, ...]:
    target = getattr(rdata, "target", None)
    return tuple(target.labels[:-1]) if target is not None else text.parse_address(rdata.address)  # type: ignore[attr-defined]


def _question(message: dns.message.Message) -> Question | None:
    if len(message.question) != 1:
        return None
    asked = message.question[0]
    if asked.rdclass != dns.rdataclass.IN or int(asked.rdtype) not in _KINDS:
        return None
    return Question(_labels(asked.name), RecordType(asked.rdtype))


def _negative_ttl(message: dns.message.Message) -> int | None:
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset):
            return min(int(rrset.ttl), int(rrset[0].minimum))
    return None


def name_text(name: tuple[bytes, ...]) -> str:
    """For people and programs: without the dot at the end, what is not printable escaped (RFC 1035 5.1)."""
    return dns.name.Name((*name, b"")).to_text(omit_final_dot=True)
