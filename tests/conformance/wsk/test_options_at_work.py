"""Options do the same whether they are set before bind or after it, and for the connections of a listener too."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import BROADCAST, FAR, PORT, SYN, Lab, Watch, ok, start
from wsknet.wsk import (
    IPPROTO_TCP,
    SO_BROADCAST,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_SUCCESS,
    TCP_KEEPIDLE,
    TCP_NODELAY,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    simple,
)

TCP_AT = 34
"""Where the segment begins in a frame over IPv4."""
WHEN = pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
CONNECTING = [WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET]
LISTENING = [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_STREAM_SOCKET]


def made(lab: Lab, is_near: bool, Flags: int, port: int, is_before: bool, *options: tuple[int, int, int]) -> WSK_SOCKET:
    """A bound socket with `options`, which were set before bind or after it."""
    Socket = lab.socket(lab.near if is_near else lab.far, Flags)
    if not is_before:
        ok(simple.bind(Socket, simple.address("0.0.0.0", port)))
    for Level, code, value in options:
        ok(simple.set_option(Socket, Level, code, value))
    if is_before:
        ok(simple.bind(Socket, simple.address("0.0.0.0", port)))
    return Socket


def connected(lab: Lab, Flags: int, is_before: bool, *options: tuple[int, int, int]) -> WSK_SOCKET:
    """The near end of a connection, with `options`."""
    lab.listener()
    Socket = made(lab, True, Flags, 0, is_before, *options)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    return Socket


def accepted(lab: Lab, Flags: int, is_before: bool, *options: tuple[int, int, int]) -> WSK_SOCKET:
    """The far end of a connection; its listener has `options`."""
    Socket = made(lab, False, Flags, PORT, is_before, *options)
    if Flags == WSK_FLAG_STREAM_SOCKET:
        ok(simple.listen(Socket))
    lab.connected()
    taken: WSK_SOCKET = ok(simple.accept(Socket))
    return taken


def segments(watch: Watch) -> list[bytes]:
    return [frame[TCP_AT:] for frame in watch.frames if frame[12:14] == b"\x08\0" and frame[23] == 6]


def window_of_syn(watch: Watch) -> int:
    first = segments(watch)[0]
    assert first[13] & SYN
    return int.from_bytes(first[14:16], "big")


@WHEN
@pytest.mark.parametrize("Flags", CONNECTING)
def test_the_receive_buffer_is_the_window_of_who_connects(lab: Lab, Flags: int, is_before: bool) -> None:
    connected(lab, Flags, is_before, (SOL_SOCKET, SO_RCVBUF, 5000))
    assert window_of_syn(lab.near_wire) == 5000


@WHEN
@pytest.mark.parametrize("Flags", LISTENING)
def test_the_receive_buffer_of_a_listener_is_the_window_of_its_connections(
    lab: Lab, Flags: int, is_before: bool
) -> None:
    accepted(lab, Flags, is_before, (SOL_SOCKET, SO_RCVBUF, 5000))
    assert window_of_syn(lab.far_wire) == 5000


def small_sends(lab: Lab, Socket: WSK_SOCKET, watch: Watch) -> int:
    """How many segments go out for two of them before anything is acknowledged."""
    before = len(segments(watch))
    sends = [start(Socket.Dispatch.WskSend, Socket, simple.buffer(data), 0) for data in (b"small", b"too")]
    sent = len(segments(watch)) - before
    lab.run()
    assert [send.status for send in sends] == [STATUS_SUCCESS] * 2
    return sent


@WHEN
@pytest.mark.parametrize(("value", "expected"), [(0, 1), (1, 2)], ids=["off", "on"])
@pytest.mark.parametrize("Flags", CONNECTING)
def test_without_delay_small_sends_do_not_wait(
    lab: Lab, Flags: int, value: int, expected: int, is_before: bool
) -> None:
    Socket = connected(lab, Flags, is_before, (IPPROTO_TCP, TCP_NODELAY, value))
    assert small_sends(lab, Socket, lab.near_wire) == expected


@WHEN
@pytest.mark.parametrize(("value", "expected"), [(0, 1), (1, 2)], ids=["off", "on"])
@pytest.mark.parametrize("Flags", LISTENING)
def test_neither_do_those_of_an_accepted_socket(
    lab: Lab, Flags: int, value: int, expected: int, is_before: bool
) -> None:
    Socket = accepted(lab, Flags, is_before, (IPPROTO_TCP, TCP_NODELAY, value))
    assert small_sends(lab, Socket, lab.far_wire) == expected


def probes(lab: Lab, watch: Watch) -> int:
    """What is sent in 15 idle seconds."""
    lab.run(1)
    before = len(segments(watch))
    lab.run(14)
    return len(segments(watch)) - before


@WHEN
@pytest.mark.parametrize("value", [0, 1], ids=["off", "on"])
@pytest.mark.parametrize("Flags", CONNECTING)
def test_keep_alive_probes_an_idle_connection(lab: Lab, Flags: int, value: int, is_before: bool) -> None:
    connected(lab, Flags, is_before, (SOL_SOCKET, SO_KEEPALIVE, value), (IPPROTO_TCP, TCP_KEEPIDLE, 10))
    assert probes(lab, lab.near_wire) == value


@WHEN
@pytest.mark.parametrize("value", [0, 1], ids=["off", "on"])
@pytest.mark.parametrize("Flags", LISTENING)
@pytest.mark.rule("R-164")
def test_keep_alive_of_a_listener_probes_its_connections(lab: Lab, Flags: int, value: int, is_before: bool) -> None:
    accepted(lab, Flags, is_before, (SOL_SOCKET, SO_KEEPALIVE, value), (IPPROTO_TCP, TCP_KEEPIDLE, 10))
    assert probes(lab, lab.far_wire) == value


@WHEN
@pytest.mark.parametrize("value", [0, 1], ids=["off", "on"])
def test_a_datagram_socket_may_broadcast_once_it_is_allowed_to(lab: Lab, value: int, is_before: bool) -> None:
    Socket = made(lab, True, WSK_FLAG_DATAGRAM_SOCKET, 0, is_before, (SOL_SOCKET, SO_BROADCAST, value))
    status, _ = simple.send_to(Socket, b"everybody", simple.address(BROADCAST, PORT))
    assert (status == STATUS_SUCCESS) is bool(value)
    assert lab.near_wire.udp_payloads() == [b"everybody"] * value
