"""Options of IPPROTO_TCP through WskControlSocket (wsk.md 5.5), and the IOCTLs of the same stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import C, D, L, S
from tests.support.wsk_lab import FAR, PORT, RST, SYN, Lab, ok, start
from tests.support.wsk_lab import lab as make_lab
from tests.support.wsk_tcp import (
    bound,
    control,
    families,
    far_address,
    get_tcp,
    ioctl,
    listener,
    pair,
    receive,
    send,
    set_tcp,
)
from wsknet.behaviour import LINUX
from wsknet.types import SECOND
from wsknet.wsk import (
    AF_INET,
    ICMP_ERROR_INFO,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    SIO_CPU_AFFINITY,
    SIO_KEEPALIVE_VALS,
    SIO_TCP_INFO,
    SIO_TCP_INITIAL_RTO,
    SIO_TCP_SET_ACK_FREQUENCY,
    SO_KEEPALIVE,
    SO_REUSEADDR,
    SOCKADDR_IN,
    SOL_SOCKET,
    STATUS_HOST_UNREACHABLE,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    TCP_ATMARK,
    TCP_BSDURGENT,
    TCP_CONGESTION_ALGORITHM,
    TCP_DELAY_FIN_ACK,
    TCP_EXPEDITED_1122,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_FASTOPEN,
    TCP_ICMP_ERROR_INFO,
    TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS,
    TCP_INITIAL_RTO_PARAMETERS,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_NOSYNRETRIES,
    TCP_NOURG,
    TCP_OFFLOAD_PREFERENCE,
    TCP_OFFLOAD_PREFERRED,
    TCP_STDURG,
    TCP_TIMESTAMPS,
    TCP_INFO_v0,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
    tcp_keepalive,
)

DEFAULTS = [
    (TCP_NODELAY, 0, 1),
    (TCP_FASTOPEN, 0, 1),
    (TCP_KEEPIDLE, 7200, 30),
    (TCP_KEEPINTVL, 1, 5),
    (TCP_KEEPCNT, 10, 255),
    (TCP_MAXRT, 0, 7),
    (TCP_MAXRT, 0, 0xFFFFFFFF),
    (TCP_MAXRTMS, 0, 1500),
    (TCP_MAXRTMS, 0, 0xFFFFFFFF),
    (TCP_TIMESTAMPS, 0, 1),
    (TCP_OFFLOAD_PREFERENCE, 0, TCP_OFFLOAD_PREFERRED),
    (TCP_EXPEDITED_1122, 0, 1),
    (TCP_BSDURGENT, 1, 0),
]


def tcp_frames(frames: list[bytes]) -> list[bytes]:
    places = {b"\x08\0": 23, b"\x86\xdd": 20}
    return [frame for frame in frames if frame[places.get(frame[12:14], 0)] == IPPROTO_TCP]


def tcp_options(frame: bytes) -> bytes:
    """Of a TCP segment over IPv4 or IPv6."""
    header = frame[34:] if frame[12:14] == b"\x08\0" else frame[54:]
    return header[20 : header[12] >> 2]


def probes(lab: Lab, seconds: float) -> int:
    """Segments that the near host sends meanwhile."""
    before = len(lab.near_wire.tcp_flags())
    lab.run(seconds)
    return len(lab.near_wire.tcp_flags()) - before


@pytest.mark.rule("R-301", "R-303", "D-16")
@pytest.mark.parametrize("Flags", [L, C, S])
@pytest.mark.parametrize(("code", "default", "value"), DEFAULTS)
def test_an_option_has_its_default_until_it_is_set(lab: Lab, code: int, default: int, value: int, Flags: int) -> None:
    Socket = bound(lab, lab.near, Flags)
    assert get_tcp(Socket, code) == default
    assert control(Socket, WskSetOption, code, IPPROTO_TCP, 4, value.to_bytes(4, "little"), 0, None, None).status == (
        STATUS_SUCCESS
    )

    found: list[int] = []
    request = control(Socket, WskGetOption, code, IPPROTO_TCP, 0, None, 4, found, None)
    assert (request.status, request.information, found) == (STATUS_SUCCESS, 4, [value])


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("code", "value"),
    [(TCP_KEEPCNT, 256), (TCP_KEEPCNT, 0), (TCP_KEEPIDLE, 0), (TCP_KEEPINTVL, 0), (TCP_OFFLOAD_PREFERENCE, 3)],
)
def test_a_value_out_of_range_changes_nothing(lab: Lab, code: int, value: int) -> None:
    Socket = lab.socket(lab.near, C)
    before = get_tcp(Socket, code)

    assert set_tcp(Socket, code, value) == STATUS_INVALID_PARAMETER
    assert get_tcp(Socket, code) == before


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("size", "buffer"), [(0, None), (2, bytearray(2)), (8, bytearray(8)), (4, None), (8, [1])], ids=repr
)
def test_an_option_has_four_bytes(lab: Lab, size: int, buffer: Any) -> None:
    Socket = lab.socket(lab.near, C)
    for code in (TCP_KEEPIDLE, TCP_MAXRT, TCP_TIMESTAMPS, TCP_EXPEDITED_1122):
        request = control(Socket, WskSetOption, code, IPPROTO_TCP, size, buffer, 0, None, None)
        assert request.completions == [(STATUS_INVALID_PARAMETER, 0)]
        reading = control(Socket, WskGetOption, code, IPPROTO_TCP, 0, None, 2, bytearray(2), None)
        assert reading.completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("code", sorted({code for code, _, _ in DEFAULTS} | {TCP_MAXSEG, TCP_ICMP_ERROR_INFO}))
def test_datagram_sockets_have_no_options_of_tcp(lab: Lab, code: int) -> None:
    request = control(lab.socket(lab.near, D), WskGetOption, code, IPPROTO_TCP, 0, None, 4, [0], None)

    assert request.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    "code", [TCP_STDURG, TCP_NOURG, TCP_ATMARK, TCP_NOSYNRETRIES, TCP_CONGESTION_ALGORITHM, TCP_DELAY_FIN_ACK]
)
def test_options_without_documentation_are_not_supported(lab: Lab, code: int) -> None:
    assert set_tcp(lab.socket(lab.near, C), code, 1) == STATUS_NOT_SUPPORTED


@families
@pytest.mark.rule("R-305")
def test_accepted_sockets_begin_with_what_their_listener_was_told(lab: Lab, family: int) -> None:
    listening = listener(lab, family)
    values = {TCP_KEEPIDLE: 60, TCP_KEEPINTVL: 2, TCP_KEEPCNT: 3, TCP_MAXRT: 5, TCP_NODELAY: 1, TCP_EXPEDITED_1122: 1}
    for code, value in values.items():
        assert set_tcp(listening, code, value) == STATUS_SUCCESS
    ok(simple.set_option(listening, SOL_SOCKET, SO_KEEPALIVE, 1))
    near = bound(lab, lab.near, C, family)
    ok(simple.connect(near, far_address(family)))
    lab.run(0.001)
    far = ok(simple.accept(listening))

    assert {code: get_tcp(far, code) for code in values} == values
    seen = len(lab.far_wire.tcp_flags())
    lab.run(59)
    assert len(lab.far_wire.tcp_flags()) == seen
    lab.run(2)
    assert len(lab.far_wire.tcp_flags()) == seen + 1
    lab.cut()
    waiting = receive(far)
    lab.run(60 + 2 * 3 + 1)
    assert waiting.status == STATUS_IO_TIMEOUT


# Keep-alive


@families
@pytest.mark.rule("R-305")
def test_an_idle_connection_is_probed_as_it_was_told(lab: Lab, family: int) -> None:
    near, _ = pair(lab, family)
    ok(simple.set_option(near, SOL_SOCKET, SO_KEEPALIVE, 1))
    for code, value in ((TCP_KEEPIDLE, 10), (TCP_KEEPINTVL, 4), (TCP_KEEPCNT, 2)):
        assert set_tcp(near, code, value) == STATUS_SUCCESS
    lab.run(1)
    assert probes(lab, 10) == 1
    lab.cut()
    waiting = receive(near)
    assert probes(lab, 9) == 1
    assert probes(lab, 4) == 1
    assert not waiting.is_done
    lab.run(4)

    assert waiting.status == STATUS_IO_TIMEOUT


@pytest.mark.parametrize("is_memory", [False, True])
def test_keep_alive_values_are_milliseconds_and_switch_it_on_and_off(lab: Lab, is_memory: bool) -> None:
    near, _ = pair(lab)
    wanted = tcp_keepalive(1, 3500, 700)
    assert ioctl(near, SIO_KEEPALIVE_VALS, 12, bytes(wanted) if is_memory else wanted) == STATUS_SUCCESS

    assert ok(simple.get_option(near, SOL_SOCKET, SO_KEEPALIVE)) == 1
    assert (get_tcp(near, TCP_KEEPIDLE), get_tcp(near, TCP_KEEPINTVL), get_tcp(near, TCP_KEEPCNT)) == (3, 0, 10)
    assert probes(lab, 3.4) == 0
    assert probes(lab, 0.2) == 1
    assert ioctl(near, SIO_KEEPALIVE_VALS, 12, tcp_keepalive(0, 1, 1)) == STATUS_SUCCESS
    assert probes(lab, 8000) == 0


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    ("size", "data"),
    [(12, tcp_keepalive(1, 0, 5)), (12, tcp_keepalive(1, 5, 0)), (8, bytes(8)), (12, bytes(8)), (12, [1, 2, 3])],
    ids=repr,
)
def test_keep_alive_values_that_make_no_sense(lab: Lab, size: int, data: Any) -> None:
    near, _ = pair(lab)

    assert ioctl(near, SIO_KEEPALIVE_VALS, size, data) == STATUS_INVALID_PARAMETER
    assert ok(simple.get_option(near, SOL_SOCKET, SO_KEEPALIVE)) == 0


# Giving up


@families
@pytest.mark.parametrize(("code", "value", "seconds"), [(TCP_MAXRT, 3, 3), (TCP_MAXRTMS, 2500, 2.5)])
def test_unacknowledged_data_is_given_up_in_time(lab: Lab, family: int, code: int, value: int, seconds: float) -> None:
    near, _ = pair(lab, family)
    assert set_tcp(near, code, value) == STATUS_SUCCESS
    lab.cut()
    sending = send(near, b"lost")
    lab.run(seconds - 0.1)
    assert not sending.is_done
    lab.run(0.2)

    assert sending.status == STATUS_IO_TIMEOUT


def test_minus_one_repeats_for_ever(lab: Lab) -> None:
    near, far = pair(lab)
    assert set_tcp(near, TCP_MAXRT, 0xFFFFFFFF) == STATUS_SUCCESS
    lab.cut()
    sending = send(near, b"patient")
    lab.run(24 * 3600)
    assert not sending.is_done
    lab.cut(False)
    lab.run(61)

    assert sending.status == STATUS_SUCCESS
    assert ok(simple.receive(far, 100)) == b"patient"


@families
def test_syns_are_repeated_as_the_initial_rto_says(lab: Lab, family: int) -> None:
    Socket = bound(lab, lab.near, C, family)
    wanted = TCP_INITIAL_RTO_PARAMETERS(250, 2)
    assert ioctl(Socket, SIO_TCP_INITIAL_RTO, 4, wanted) == STATUS_SUCCESS
    pair(lab, family)  # so that the neighbour is known
    lab.cut()
    before = lab.near_wire.tcp_flags().count(SYN)
    connecting = start(Socket.Dispatch.WskConnect, Socket, far_address(family), 0)
    counts = []
    for step in (0.24, 0.02, 0.48, 0.04, 0.9):
        lab.run(step)
        counts.append(lab.near_wire.tcp_flags().count(SYN) - before)

    assert counts == [1, 2, 2, 3, 3]
    lab.run(0.2)
    assert connecting.status == STATUS_IO_TIMEOUT


def test_a_syn_need_not_be_repeated_at_all(lab: Lab) -> None:
    pair(lab)
    Socket = bound(lab, lab.near, S)
    octets = bytes(TCP_INITIAL_RTO_PARAMETERS(0xFFFF, TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS))
    assert octets == b"\xff\xff\xfe\0"
    assert ioctl(Socket, SIO_TCP_INITIAL_RTO, 4, octets) == STATUS_SUCCESS
    lab.cut()
    before = lab.near_wire.tcp_flags().count(SYN)
    connecting = start(Socket.Dispatch.WskConnect, Socket, far_address(AF_INET), 0)
    lab.run(1.1)

    assert connecting.status == STATUS_IO_TIMEOUT
    assert lab.near_wire.tcp_flags().count(SYN) - before == 1


@pytest.mark.rule("D-17")
def test_what_the_handshake_settles_is_set_before_it(lab: Lab) -> None:
    near, _ = pair(lab)

    assert ioctl(near, SIO_TCP_INITIAL_RTO, 4, TCP_INITIAL_RTO_PARAMETERS(500, 1)) == STATUS_INVALID_DEVICE_STATE
    assert set_tcp(near, TCP_TIMESTAMPS, 1) == STATUS_INVALID_DEVICE_STATE
    assert ioctl(near, SIO_TCP_INITIAL_RTO, 3, bytes(3)) == STATUS_INVALID_PARAMETER


# Segments


@families
def test_timestamps_are_asked_for_where_the_socket_wants_them(lab: Lab, family: int) -> None:
    for is_on in (0, 1):
        listening = listener(lab, family)
        near = bound(lab, lab.near, C, family)
        assert set_tcp(near, TCP_TIMESTAMPS, is_on) == STATUS_SUCCESS
        lab.near_wire.frames.clear()
        ok(simple.connect(near, far_address(family)))
        syns = [frame for frame in tcp_frames(lab.near_wire.frames) if tcp_options(frame)[:1] == b"\x02"]
        ok(simple.close(listening))

        assert len(syns) == 1
        assert (b"\x08\x0a" in tcp_options(syns[0])) == bool(is_on)


def test_a_listener_without_timestamps_does_not_grant_them(lab: Lab) -> None:
    listening = listener(lab)
    assert set_tcp(listening, TCP_TIMESTAMPS, 0) == STATUS_SUCCESS
    near = bound(lab, lab.near, C)
    assert set_tcp(near, TCP_TIMESTAMPS, 1) == STATUS_SUCCESS
    ok(simple.connect(near, far_address(AF_INET)))

    info = TCP_INFO_v0()
    assert control(near, WskIoctl, SIO_TCP_INFO, 0, 4, [0], 88, info, None).status == STATUS_SUCCESS
    assert info.TimestampsEnabled == 0


@families
def test_the_segment_size_is_that_of_the_connection(lab: Lab, family: int) -> None:
    Socket = lab.socket(lab.near, C, AddressFamily=family)
    unconnected = control(Socket, WskGetOption, TCP_MAXSEG, IPPROTO_TCP, 0, None, 4, [0], None)
    assert unconnected.status == STATUS_INVALID_DEVICE_STATE
    near, _ = pair(lab, family)

    assert get_tcp(near, TCP_MAXSEG) == (1460 if family == AF_INET else 1440)
    assert set_tcp(near, TCP_MAXSEG, 500) == STATUS_NOT_SUPPORTED


@pytest.mark.parametrize(("code", "value"), [(TCP_BSDURGENT, 0), (TCP_EXPEDITED_1122, 1)])
def test_the_kind_of_urgent_data_is_chosen_once(lab: Lab, code: int, value: int) -> None:
    near, _ = pair(lab)
    assert set_tcp(near, code, value) == STATUS_SUCCESS
    assert (get_tcp(near, TCP_BSDURGENT), get_tcp(near, TCP_EXPEDITED_1122)) == (0, 1)

    assert set_tcp(near, TCP_EXPEDITED_1122, 1) == STATUS_SUCCESS
    assert set_tcp(near, TCP_EXPEDITED_1122, 0) == STATUS_INVALID_DEVICE_STATE
    assert set_tcp(near, TCP_BSDURGENT, 1) == STATUS_INVALID_DEVICE_STATE
    assert (get_tcp(near, TCP_BSDURGENT), get_tcp(near, TCP_EXPEDITED_1122)) == (0, 1)


@families
@pytest.mark.parametrize(
    ("frequency", "acknowledged"), [(1, [1, 2, 3, 4, 5]), (0, [0, 1, 1, 2, 2]), (4, [0, 0, 0, 1, 1])]
)
def test_acknowledgements_come_as_often_as_was_asked(
    lab: Lab, family: int, frequency: int, acknowledged: list[int]
) -> None:
    near, far = pair(lab, family)
    assert ioctl(far, SIO_TCP_SET_ACK_FREQUENCY, 1, bytes([frequency])) == STATUS_SUCCESS
    lab.run(1)
    before, counts = len(lab.far_wire.tcp_flags()), []
    for _ in range(5):
        send(near, b"x", 2)
        lab.run(0.001)
        counts.append(len(lab.far_wire.tcp_flags()) - before)

    assert counts == acknowledged


def test_what_is_missing_is_told_at_once_however_seldom_acknowledgements_are(lab: Lab) -> None:
    near, far = pair(lab)
    assert ioctl(far, SIO_TCP_SET_ACK_FREQUENCY, 4, [255]) == STATUS_SUCCESS
    lab.cut()
    send(near, b"lost", 2)
    lab.cut(False)
    before = len(lab.far_wire.tcp_flags())
    send(near, b"early", 2)
    lab.run(0.001)

    assert len(lab.far_wire.tcp_flags()) > before


# ICMP errors


def unreachable(lab: Lab) -> Any:
    """A connect of which the far host, as a router, says that the network is not there."""
    lab.near.route("198.51.100.0/24", via=FAR)
    for interface in lab.far.stack.ip.interfaces.values():
        interface.forwarding = True
    return bound(lab, lab.near, C)


@pytest.mark.parametrize("is_on", [False, True])
def test_an_icmp_error_ends_a_connect_where_that_is_wanted(lab: Lab, is_on: bool) -> None:
    Socket = unreachable(lab)
    assert set_tcp(Socket, TCP_FAIL_CONNECT_ON_ICMP_ERROR, int(is_on)) == STATUS_SUCCESS
    connecting = start(Socket.Dispatch.WskConnect, Socket, simple.address("198.51.100.1", PORT), 0)
    lab.run(0.5)
    assert connecting.is_done == is_on
    if not is_on:
        request = control(Socket, WskGetOption, TCP_ICMP_ERROR_INFO, IPPROTO_TCP, 0, None, 36, bytearray(36), None)
        assert request.status == STATUS_INVALID_DEVICE_STATE
        return

    assert connecting.status == STATUS_HOST_UNREACHABLE
    info = ICMP_ERROR_INFO()
    request = control(Socket, WskGetOption, TCP_ICMP_ERROR_INFO, IPPROTO_TCP, 0, None, 36, info, None)
    assert (request.status, request.information) == (STATUS_SUCCESS, 36)
    assert simple.host_and_port(SOCKADDR_IN.cast(info.srcaddress)) == (FAR, 0)
    assert (info.protocol, info.type, info.code) == (IPPROTO_ICMP, 3, 0)

    listener(lab)
    ok(simple.connect(Socket, far_address(AF_INET)))
    memory = bytearray(36)
    request = control(Socket, WskGetOption, TCP_ICMP_ERROR_INFO, IPPROTO_TCP, 0, None, 36, memory, None)
    assert (request.status, request.information, memory) == (STATUS_SUCCESS, 0, bytearray(36))


# Others


def test_a_processor_is_chosen_before_bind_and_not_beside_shared_addresses(lab: Lab) -> None:
    for data in ([0], b"\1\0"):
        assert ioctl(lab.socket(lab.near, D), SIO_CPU_AFFINITY, 2, data) == STATUS_SUCCESS

    assert ioctl(lab.datagram(lab.near), SIO_CPU_AFFINITY, 2, [0]) == STATUS_INVALID_PARAMETER
    shared = lab.socket(lab.near, D)
    ok(simple.set_option(shared, SOL_SOCKET, SO_REUSEADDR, 1))
    assert ioctl(shared, SIO_CPU_AFFINITY, 2, [0]) == STATUS_INVALID_PARAMETER
    assert ioctl(lab.socket(lab.near, C), SIO_CPU_AFFINITY, 2, [0]) == STATUS_INVALID_PARAMETER


def test_other_systems_have_other_defaults() -> None:
    with make_lab(LINUX) as other:
        Socket = other.socket(other.near, C)
        policy = LINUX.tcp.keep_alive

        assert get_tcp(Socket, TCP_TIMESTAMPS) == 1
        assert get_tcp(Socket, TCP_KEEPIDLE) == policy.idle // SECOND
        assert get_tcp(Socket, TCP_KEEPCNT) == policy.probes


def test_no_reset_is_sent_for_an_option(lab: Lab) -> None:
    near, _ = pair(lab)
    for code, _, value in DEFAULTS:
        if code != TCP_TIMESTAMPS:
            set_tcp(near, code, value)
    lab.run(1)

    assert RST not in {flags & RST for flags in lab.near_wire.tcp_flags()}
