"""CMSGHDR and its macros: rows of control messages as they lie in memory (wsk.md 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_control_info import control, messages_in, number
from tests.support.wsk_lab import NEAR, NEAR6
from wsknet.text import parse_address as A
from wsknet.wsk import (
    CMSGHDR,
    IN6_PKTINFO,
    IN_ADDR,
    IN_PKTINFO,
    IP_ECN,
    IP_TOS,
    IPPROTO_IP,
    WSA_CMSG_DATA,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    WSABUF,
    WSAMSG,
    sizeof,
)


@pytest.mark.parametrize(
    ("length", "whole", "space"), [(0, 16, 16), (1, 17, 24), (4, 20, 24), (8, 24, 24), (20, 36, 40)]
)
def test_messages_are_laid_out_as_on_x64(length: int, whole: int, space: int) -> None:
    assert (WSA_CMSG_LEN(length), WSA_CMSG_SPACE(length)) == (whole, space)


@pytest.mark.parametrize(
    ("structure", "size", "raw"),
    [
        (CMSGHDR(), 16, "00" * 16),
        (CMSGHDR(36, 41, 19), 16, "2400000000000000 29000000 13000000"),
        (IN_PKTINFO(A(NEAR), 258), 8, "c0000201 02010000"),
        (IN_PKTINFO(IN_ADDR(A(NEAR)), 1), 8, "c0000201 01000000"),
        (IN6_PKTINFO(A(NEAR6), 2), 20, "20010db8000000000000000000000001 02000000"),
    ],
)
def test_structures_have_the_layout_of_c(structure: Any, size: int, raw: str) -> None:
    assert bytes(structure) == bytes.fromhex(raw)
    assert sizeof(structure) == size
    assert bytes(type(structure).cast(bytes(structure))) == bytes(structure)


def test_a_header_is_seen_in_the_memory_that_it_stands_in() -> None:
    memory = bytearray(48)
    header = CMSGHDR.cast(memory, 8)
    header.cmsg_len, header.cmsg_level, header.cmsg_type = WSA_CMSG_LEN(4), IPPROTO_IP, IP_TOS
    WSA_CMSG_DATA(header)[:] = number(7)

    assert memory == bytes(8) + control((IPPROTO_IP, IP_TOS, number(7))) + bytes(16)
    assert messages_in(header, 24) == [(IPPROTO_IP, IP_TOS, number(7))]
    with pytest.raises(ValueError, match="no CMSGHDR at byte 40 of 48"):
        CMSGHDR.cast(memory, 40)


def test_a_message_without_data_may_be_the_last() -> None:
    rows = [(IPPROTO_IP, IP_TOS, number(7)), (IPPROTO_IP, IP_ECN, b"")]
    memory = control(*rows)
    assert messages_in(memory, len(memory)) == rows


def test_the_header_after_null_is_the_first() -> None:
    memory = control((IPPROTO_IP, IP_TOS, number(7)))
    header = WSA_CMSG_NXTHDR(WSAMSG(Control=WSABUF(len(memory), memory)), None)
    assert header is not None
    assert (header.cmsg_level, header.cmsg_type) == (IPPROTO_IP, IP_TOS)


def test_walking_ends_where_a_length_leads_nowhere() -> None:
    for length in (0, 15, 1 << 63, (1 << 64) - 1):
        memory = bytes(CMSGHDR(length, 0, 0)) + control((IPPROTO_IP, IP_TOS, number(7)))
        assert len(messages_in(memory, len(memory))) == 1
    assert messages_in(None, 0) == messages_in(bytes(15), 15) == []
