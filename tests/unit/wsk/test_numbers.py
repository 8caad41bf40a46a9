"""NTSTATUS values, option and IOCTL numbers: against the numbers that the public headers give."""

from __future__ import annotations

import pytest

from wsknet import wsk
from wsknet.errors import ErrorKind
from wsknet.wsk.status import STATUS_OF_KIND


def test_every_kind_of_error_has_a_status() -> None:
    assert set(STATUS_OF_KIND) == set(ErrorKind)
    assert not any(wsk.NT_SUCCESS(status) for status in STATUS_OF_KIND.values())


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorKind.IN_USE, 0xC000020A),
        (ErrorKind.DENIED, 0xC0000022),
        (ErrorKind.NOT_LOCAL, 0xC0000207),
        (ErrorKind.NO_PORTS, 0xC0000209),
        (ErrorKind.INVALID_STATE, 0xC0000184),
        (ErrorKind.REFUSED, 0xC0000236),
        (ErrorKind.RESET, 0xC000020D),
        (ErrorKind.TIMED_OUT, 0xC00000B5),
        (ErrorKind.NO_ROUTE, 0xC000023C),
        (ErrorKind.HOST_UNREACHABLE, 0xC000023D),
        (ErrorKind.HOP_LIMIT_EXCEEDED, 0xC000A012),
        (ErrorKind.PROTOCOL_ERROR, 0xC0000001),
        (ErrorKind.ABORTED, 0xC0000241),
        (ErrorKind.CANCELLED, 0xC0000120),
    ],
)
@pytest.mark.rule("D-06", "D-07", "D-20")
def test_the_statuses_of_the_decisions(kind: ErrorKind, status: int) -> None:
    assert STATUS_OF_KIND[kind] == status


@pytest.mark.rule("R-296")
def test_success_is_a_matter_of_the_sign() -> None:
    assert wsk.NT_SUCCESS(wsk.STATUS_SUCCESS)
    assert wsk.NT_SUCCESS(wsk.STATUS_PENDING)
    assert wsk.NT_SUCCESS(wsk.STATUS_EVENT_PENDING)
    assert not wsk.NT_SUCCESS(wsk.STATUS_BUFFER_OVERFLOW)
    assert not wsk.NT_SUCCESS(wsk.STATUS_CANCELLED)


def test_every_status_is_also_a_name_of_the_package() -> None:
    assert all(getattr(wsk, status.name) is status for status in wsk.NTSTATUS)
    assert all(0 <= status <= 0xFFFFFFFF for status in wsk.NTSTATUS)


@pytest.mark.rule("R-026")
def test_versions() -> None:
    assert wsk.MAKE_WSK_VERSION(1, 0) == 0x0100
    assert (wsk.WSK_MAJOR_VERSION(0x0203), wsk.WSK_MINOR_VERSION(0x0203)) == (2, 3)


@pytest.mark.rule("R-304")
def test_exclusive_use_is_the_complement_of_reuse_in_32_bits() -> None:
    assert wsk.SO_EXCLUSIVEADDRUSE == 0xFFFFFFFB


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIO_WSK_SET_REMOTE_ADDRESS", 0x8F000001),
        ("SIO_WSK_REGISTER_EXTENSION", 0xCF000002),
        ("SIO_WSK_QUERY_IDEAL_SEND_BACKLOG", 0x4F000003),
        ("SIO_WSK_QUERY_RECEIVE_BACKLOG", 0x4F000004),
        ("SIO_WSK_QUERY_INSPECT_ID", 0x4F000005),
        ("SIO_WSK_SET_SENDTO_ADDRESS", 0x8F000006),
        ("SIO_WSK_SET_TCP_SILENT_MODE", 0x2F000007),
        ("SIO_ADDRESS_LIST_QUERY", 0x48000016),
        ("SIO_ADDRESS_LIST_CHANGE", 0x28000017),
        ("SIO_ADDRESS_LIST_SORT", 0xC8000019),
        ("SIO_LOOPBACK_FAST_PATH", 0x98000010),
        ("SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS", 0x980000DC),
        ("SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT", 0x980000DD),
        ("SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS", 0x980000DE),
        ("SIO_KEEPALIVE_VALS", 0x98000004),
        ("SIO_UDP_CONNRESET", 0x9800000C),
        ("SIO_TCP_INFO", 0xD8000027),
        ("SIO_ROUTING_INTERFACE_QUERY", 0xC8000014),
        ("SIO_ROUTING_INTERFACE_CHANGE", 0x88000015),
        ("SO_WSK_SECURITY", 0x4001),
        ("SO_WSK_EVENT_CALLBACK", 0x4002),
    ],
)
def test_codes_that_are_put_together(name: str, value: int) -> None:
    assert getattr(wsk, name) == value


@pytest.mark.rule("R-299")
def test_the_interface_id() -> None:
    same = wsk.GUID(0x2227E803, 0x8D8B, 0x11D4, bytes.fromhex("ABAD009027719E09"))

    assert same == wsk.NPI_WSK_INTERFACE_ID
    assert repr(wsk.NPI_WSK_INTERFACE_ID) == "{2227E803-8D8B-11D4-ABAD-009027719E09}"
    assert wsk.GUID(1) != wsk.NPI_WSK_INTERFACE_ID


def test_sizes_are_those_of_x64() -> None:
    sizes = {
        wsk.WSK_BUF: 24,
        wsk.WSK_BUF_LIST: 32,
        wsk.WSK_DATA_INDICATION: 32,
        wsk.WSK_DATAGRAM_INDICATION: 56,
        wsk.WSK_INSPECT_ID: 16,
        wsk.WSK_TRANSPORT: 28,
        wsk.WSK_EVENT_CALLBACK_CONTROL: 16,
        wsk.SOCKADDR_IN: 16,
        wsk.SOCKADDR_IN6: 28,
        wsk.SOCKADDR_STORAGE: 128,
    }

    assert {structure: wsk.sizeof(structure) for structure in sizes} == sizes
