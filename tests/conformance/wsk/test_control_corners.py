"""Control requests at their corners: numbers at the end of their range, memory of another kind, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.raw_lab import raw
from tests.support.wsk_lab import FAR, PORT, Lab, ok, start
from tests.support.wsk_tcp import bound, control, ioctl, pair
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_OPTIONS,
    IP_TOS,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_CHECKSUM,
    IPV6_TCLASS,
    SIO_CPU_AFFINITY,
    SIO_TCP_INFO,
    SIO_TCP_INITIAL_RTO,
    SIO_TCP_SET_ACK_FREQUENCY,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_SUCCESS,
    TCP_ACK_FREQUENCY_PARAMETERS,
    TCP_INITIAL_RTO_PARAMETERS,
    UDP_NOCHECKSUM,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_TDI_BEHAVIOR,
    WSK_TRANSPORT_LIST_CHANGE,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
)

D, C = WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_CONNECTION_SOCKET


@pytest.mark.parametrize("data", [[0x1_0000], [0x2_0000], [-1], [0, 1], [], [0, 0, 0]])
def test_a_number_of_two_bytes_is_one_of_two_bytes(lab: Lab, data: list[int]) -> None:
    Socket = lab.socket(lab.near, D)
    assert ioctl(Socket, SIO_CPU_AFFINITY, 2, data) == STATUS_INVALID_PARAMETER
    assert ioctl(Socket, SIO_CPU_AFFINITY, 2, [0xFFFF]) == STATUS_SUCCESS


@pytest.mark.parametrize("output", [None, list(range(88)), 88])
def test_a_structure_goes_into_memory_or_its_like(lab: Lab, output: Any) -> None:
    near, _ = pair(lab)
    before = list(output) if isinstance(output, list) else output
    request = control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, output, None)

    assert (request.completions, output) == ([(STATUS_INVALID_PARAMETER, 0)], before)


@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
def test_to_fix_an_address_tells_no_bytes(lab: Lab, code: int) -> None:
    Socket = lab.datagram(lab.near)
    for size, address in ((16, simple.address(FAR, PORT)), (0, None)):
        request = control(Socket, WskIoctl, code, 0, size, address, 0, None, None)
        assert request.completions == [(STATUS_SUCCESS, 0)]


# Options


@pytest.mark.parametrize(("family", "level", "option"), [(AF_INET, IPPROTO_IP, IP_TOS), (AF_INET6, 41, IPV6_TCLASS)])
def test_a_traffic_class_has_eight_bits(lab: Lab, family: int, level: int, option: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    ok(simple.set_option(Socket, level, option, 255))
    assert ok(simple.get_option(Socket, level, option)) == 255
    assert simple.set_option(Socket, level, option, 256)[0] == STATUS_INVALID_PARAMETER


@pytest.mark.parametrize(("size", "Status"), [(40, STATUS_SUCCESS), (41, STATUS_INVALID_PARAMETER)])
def test_a_header_has_forty_bytes_of_options(lab: Lab, size: int, Status: int) -> None:
    Socket = lab.datagram(lab.near)
    octets = b"\1" * size
    request = control(Socket, WskSetOption, IP_OPTIONS, IPPROTO_IP, size, octets, 0, None, None)
    assert request.status == Status
    memory = bytearray(64)
    request = control(Socket, WskGetOption, IP_OPTIONS, IPPROTO_IP, 0, None, 64, memory, None)
    expected = octets if Status == STATUS_SUCCESS else b""
    assert memory[: request.information] == expected


@pytest.mark.parametrize("option", [UDP_NOCHECKSUM, UDP_SEND_MSG_SIZE, UDP_RECV_MAX_COALESCED_SIZE])
def test_a_raw_socket_has_no_options_of_udp(lab: Lab, option: int) -> None:
    Socket = raw(lab, lab.near, AF_INET)
    assert simple.set_option(Socket, IPPROTO_UDP, option, 0)[0] == STATUS_INVALID_PARAMETER
    assert simple.get_option(Socket, IPPROTO_UDP, option)[0] == STATUS_INVALID_PARAMETER


def test_the_place_of_a_checksum_is_read_back(lab: Lab) -> None:
    Socket = raw(lab, lab.near, AF_INET6)
    for value, told in ((0xFFFFFFFF, 0xFFFFFFFF), (2, 2), (0, 0), (0xFFFE, 0xFFFE)):
        ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM, value))
        assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM)) == told
    for value in (1, 0xFFFF, 0x10000):
        assert simple.set_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM, value)[0] == STATUS_INVALID_PARAMETER


# TCP


@pytest.mark.parametrize(("frequency", "acknowledged"), [(1, [1, 2, 3]), (0, [0, 1, 1]), (3, [0, 0, 1])])
def test_the_frequency_of_acknowledgements_may_stand_in_its_structure(
    lab: Lab, frequency: int, acknowledged: list[int]
) -> None:
    near, far = pair(lab)
    told = TCP_ACK_FREQUENCY_PARAMETERS(frequency)
    assert ioctl(far, SIO_TCP_SET_ACK_FREQUENCY, 1, told) == STATUS_SUCCESS
    lab.run(1)
    before, counts = len(lab.far_wire.tcp_flags()), []
    for _ in range(3):
        start(near.Dispatch.WskSend, near, simple.buffer(b"x"), 2)
        lab.run(0.001)
        counts.append(len(lab.far_wire.tcp_flags()) - before)

    assert counts == acknowledged


@pytest.mark.parametrize("times", [0, 0xFF])
def test_the_usual_number_of_repeats_stays_where_only_the_time_is_told(lab: Lab, times: int) -> None:
    Socket = bound(lab, lab.near, C)
    assert ioctl(Socket, SIO_TCP_INITIAL_RTO, 4, TCP_INITIAL_RTO_PARAMETERS(500, times)) == STATUS_SUCCESS
    ok(simple.send_to(lab.datagram(lab.near), b"so that the neighbour is known", simple.address(FAR, PORT)))
    lab.run(0.1)
    lab.cut()
    connecting = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    repeats = lab.near.stack.config.behaviour.tcp.syn_retries
    lab.run(0.5 * (2 ** (repeats + 1) - 1) - 0.1)
    assert not connecting.is_done
    lab.run(0.2)

    assert connecting.status == STATUS_IO_TIMEOUT


# Clients


@pytest.mark.parametrize(("size", "buffer"), [(4, None), (0, bytearray(4)), (4, bytearray(4))])
def test_a_transport_list_change_takes_no_input_of_any_kind(lab: Lab, size: int, buffer: Any) -> None:
    provider = lab.near_application.provider
    arguments = (provider.Client, WSK_TRANSPORT_LIST_CHANGE, size, buffer, 0, None, None)
    assert start(provider.Dispatch.WskControlClient, *arguments).completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.parametrize(("size", "buffer"), [(4, None), (0, bytearray(4)), (4, bytearray(4))])
def test_what_tells_nothing_takes_no_output_of_any_kind(lab: Lab, size: int, buffer: Any) -> None:
    assert lab.near_application.control(WSK_TDI_BEHAVIOR, 4, [0], size, buffer, None) == STATUS_INVALID_PARAMETER
    assert lab.near_application.control(WSK_TDI_BEHAVIOR, 4, [0], 0, None, None) == STATUS_SUCCESS
