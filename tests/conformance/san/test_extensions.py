"""RDMA by the extension functions of a SAN provider: SAN-8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.san_data import POLL, DataEnd, data_ends
from tests.support.san_lab import UNTOUCHED, Caller, SanLab, answer_of, san_lab
from wsknet.san import guids
from wsknet.san.numbers import (
    MEM_READ,
    MEM_WRITE,
    SOCKET_ERROR,
    WSA_IO_PENDING,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSABUF, WSAOVERLAPPED

FUNCTIONS = ("WSPRdmaWrite", "WSPRdmaRead")


@pytest.fixture
def lab() -> Iterator[SanLab]:
    with san_lab() as made:
        yield made


@pytest.mark.rule("SAN-8.WSPRdmaWrite", "SAN-8.WSPRegisterRdmaMemory")
def test_a_write_fills_memory_that_the_peer_has_exposed(lab: SanLab) -> None:
    one, other = data_ends(lab)
    target = bytearray(100_000)
    descriptor = other.exposed(target, MEM_WRITE)
    parts = [one.registered(bytes((number,)) * 30_000, MEM_READ) for number in (1, 2, 3)]
    written = one.rdma("WSPRdmaWrite", *parts, descriptor=descriptor, offset=10_000)
    lab.run(5)
    assert one.result(written) == (True, UNTOUCHED, 90_000)
    assert target == bytes(10_000) + b"\1" * 30_000 + b"\2" * 30_000 + b"\3" * 30_000
    assert other.extension("WSPDeregisterRdmaMemory", descriptor, 16) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-8.WSPRdmaRead", "SAN-8.WSPRegisterRdmaMemory")
def test_a_read_pulls_from_memory_that_the_peer_has_exposed(lab: SanLab) -> None:
    one, other = data_ends(lab)
    source = bytes(range(256)) * 400
    descriptor = other.exposed(source, MEM_READ)
    buffers = [bytearray(50_000), bytearray(7)]
    pulled = one.rdma("WSPRdmaRead", *map(one.registered, buffers), descriptor=descriptor, offset=4_321)
    lab.run(5)
    assert one.result(pulled) == (True, UNTOUCHED, 50_007)
    assert b"".join(buffers) == source[4_321 : 4_321 + 50_007]
    assert other.extension("WSPDeregisterRdmaMemory", descriptor, 16) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-8.WSPRdmaRead")
def test_without_rdma_read_the_function_is_not_there() -> None:
    with san_lab(policy=SanPolicy(supports_rdma_read=False)) as lab:
        one, _ = data_ends(lab)
        pointer = INT()
        arguments = guids.WSAID_RDMAREAD, 16, pointer, 8, INT(), None, None, None
        assert one.caller.error("WSPIoctl", one.s, 0xC8000006, *arguments) == WSAEOPNOTSUPP
        assert pointer.Value == 0


@pytest.mark.rule("SAN-8.WSPRegisterRdmaMemory")
@pytest.mark.parametrize(
    ("function", "access", "offset", "length"),
    [
        ("WSPRdmaWrite", MEM_READ, 0, 1),
        ("WSPRdmaRead", MEM_WRITE, 0, 1),
        ("WSPRdmaWrite", MEM_WRITE, 5, 6),
        ("WSPRdmaRead", MEM_READ, 5, 6),
        ("WSPRdmaWrite", MEM_WRITE, 0xFFFF_FFFF, 1),
        ("WSPRdmaRead", MEM_READ, 11, 0),
    ],
)
def test_an_access_beyond_what_was_registered_ends_the_connection_for_both(
    lab: SanLab, function: str, access: int, offset: int, length: int
) -> None:
    one, other = data_ends(lab)
    exposed = bytearray(b"0123456789")
    descriptor = other.exposed(exposed, access)
    waiting = [end.receive(end.registered(bytearray(4))) for end in (one, other)]
    local = bytearray(length)
    one.rdma(function, one.registered(local), descriptor=descriptor, offset=offset)
    lab.run(3)
    assert one.result(waiting[0]) == (False, WSAECONNRESET, 0)
    assert other.result(waiting[1]) == (False, WSAECONNABORTED, 0)
    assert exposed == b"0123456789"
    assert local == bytes(length)


@pytest.mark.rule("SAN-8.WSPRegisterRdmaMemory")
def test_memory_is_exposed_to_the_connected_peer_of_its_socket_only(lab: SanLab) -> None:
    one, other = data_ends(lab)
    secret = bytearray(b"for another")
    s, accepted, _ = lab.connected(4_001, 81)
    second = DataEnd(lab.callers[0], s)
    descriptor = other.exposed(secret)
    stolen = bytearray(11)
    second.rdma("WSPRdmaRead", second.registered(stolen), descriptor=descriptor)
    pulled = one.rdma("WSPRdmaRead", one.registered(bytearray(11)), descriptor=descriptor)
    lab.run()
    assert stolen == bytes(11)
    assert one.result(pulled) == (True, UNTOUCHED, 11)
    buffers = [DataEnd(lab.callers[1], accepted).registered(b"x", MEM_READ)]
    call = lab.callers[1].call("WSPSend", accepted, buffers, 1, None, 0, WSAOVERLAPPED(), None, None)
    assert call == (SOCKET_ERROR, WSAECONNABORTED)


@pytest.mark.rule("SAN-8.WSPRdmaWrite", "SAN-8.WSPRdmaRead")
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"s": 5}, WSAENOTSOCK),
        ({"s": None}, WSAENOTSOCK),
        ({"buffers": None}, WSAEFAULT),
        ({"buffers": [WSABUF(bytearray(4))]}, WSAEFAULT),
        ({"count": 0}, WSAEINVAL),
        ({"descriptor": None}, WSAEFAULT),
        ({"descriptor": bytes(15)}, WSAEFAULT),
        ({"size": 15}, WSAEFAULT),
        ({"size": None}, WSAEFAULT),
        ({"offset": -1}, WSAEINVAL),
        ({"offset": 1 << 32}, WSAEINVAL),
        ({"offset": None}, WSAEINVAL),
        ({"flags": 1}, WSAEINVAL),
        ({"overlapped": None}, WSAEINVAL),
        ({"routine": print}, WSAEOPNOTSUPP),
        ({}, WSA_IO_PENDING),
    ],
)
def test_bad_arguments_start_no_transfer(lab: SanLab, function: str, change: dict[str, Any], error: int) -> None:
    one, other = data_ends(lab)
    given = {
        "s": one.s,
        "buffers": [one.registered(bytearray(4))],
        "count": 1,
        "descriptor": other.exposed(bytearray(4)),
        "size": 16,
        "offset": 0,
        "flags": 0,
        "overlapped": WSAOVERLAPPED(),
        "routine": None,
    } | change
    extension = one.caller.extension(one.s, getattr(guids, f"WSAID_{function.removeprefix('WSP').upper()}"))
    call = answer_of(
        extension, given["s"], given["buffers"], given["count"], given["descriptor"], given["size"], given["offset"],
        INT(), given["flags"], given["overlapped"], given["routine"], None,
    )  # fmt: skip
    assert call == (SOCKET_ERROR, error)
    lab.run()
    assert len(one.caller.told) == (1 if error == WSA_IO_PENDING else 0)


@pytest.mark.rule("SAN-8.WSPRdmaWrite")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_local_memory_has_to_allow_the_transfer(lab: SanLab, function: str) -> None:
    one, other = data_ends(lab)
    descriptor = other.exposed(bytearray(4))
    extension = one.caller.extension(one.s, getattr(guids, f"WSAID_{function.removeprefix('WSP').upper()}"))
    buffer = one.registered(bytearray(4), MEM_WRITE if function == "WSPRdmaWrite" else MEM_READ)
    arguments = [buffer], 1, descriptor, 16, 0, None, 0, WSAOVERLAPPED(POLL), None, None
    assert answer_of(extension, one.s, *arguments) == (SOCKET_ERROR, WSAEFAULT)


@pytest.mark.rule("SAN-9.1")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_transfer_is_at_most_as_large_as_the_option_says(function: str) -> None:
    with san_lab(policy=SanPolicy(max_rdma_size=1_000)) as lab:
        one, other = data_ends(lab)
        descriptor = other.exposed(bytearray(2_000))
        exact, longer = one.registered(bytearray(1_000)), one.registered(bytearray(1_001))
        extension = one.caller.extension(one.s, getattr(guids, f"WSAID_{function.removeprefix('WSP').upper()}"))
        arguments = [longer], 1, descriptor, 16, 0, None, 0, WSAOVERLAPPED(POLL), None, None
        assert answer_of(extension, one.s, *arguments) == (SOCKET_ERROR, WSAEMSGSIZE)
        done = one.rdma(function, exact, descriptor=descriptor)
        lab.run()
        assert one.result(done) == (True, UNTOUCHED, 1_000)


@pytest.mark.rule("SAN-8.WSPRdmaWrite", "SAN-8.WSPRdmaRead")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_a_connection_there_is_no_peer_whose_memory_it_could_be(lab: SanLab, function: str) -> None:
    one, _ = data_ends(lab)
    extension = one.caller.extension(one.s, getattr(guids, f"WSAID_{function.removeprefix('WSP').upper()}"))
    unconnected = one.caller.bound("10.0.0.1", 4_050)
    arguments: tuple[Any, ...] = [], 1, bytes(16), 16, 0, None, 0, WSAOVERLAPPED(), None, None
    assert answer_of(extension, unconnected, *arguments) == (SOCKET_ERROR, WSAENOTCONN)


@pytest.mark.rule("SAN-8.WSPRdmaRead", "SAN-6.7.2")
def test_closing_takes_exposed_memory_away_from_the_peer(lab: SanLab) -> None:
    one, other = data_ends(lab)
    secret = bytearray(b"secret")
    descriptor = other.exposed(secret)
    other.caller.ok("WSPCloseSocket", other.s)
    local = bytearray(6)
    pulled = one.rdma("WSPRdmaRead", one.registered(local), descriptor=descriptor)
    lab.run()
    assert one.result(pulled) == (False, WSAECONNRESET, 0)
    assert local == bytes(6)
    secret.append(0)


@pytest.mark.rule("SAN-8.WSPRegisterMemory", "SAN-8.WSPDeregisterMemory")
def test_each_extension_is_a_function_of_its_process(lab: SanLab) -> None:
    one, _ = data_ends(lab)
    stranger = Caller(one.caller.provider)
    register = stranger.extension(stranger.socket(), guids.WSAID_REGISTERMEMORY)
    assert answer_of(register, one.s, bytearray(4), 4, MEM_READ) == (0, WSAENOTSOCK)
