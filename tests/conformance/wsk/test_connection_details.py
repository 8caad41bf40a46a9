"""Fine points of connection sockets: what is lent, what is refused, and what a dead one gives back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR
from tests.support.wsk_inspecting import lose
from tests.support.wsk_lab import FAR, NEAR, PORT, RST, SYN, Lab, Watch, ok, start
from tests.support.wsk_lab import lab as laboratory
from tests.support.wsk_notifications import await_addresses
from tests.support.wsk_tcp import ioctl, send
from wsknet.behaviour import LINUX
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND, Duration
from wsknet.wsk import (
    IPPROTO_TCP,
    SIO_WSK_SET_TCP_SILENT_MODE,
    SOCK_STREAM,
    SOCKADDR_IN,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    BugCheck,
    faults_of,
    simple,
    verify,
)


def bound(lab: Lab) -> Any:
    return lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)


def delay(wire: Watch, by: int) -> None:
    """Every frame that is sent there."""
    wire.inner.impairment = Impairment(delay=Duration(by))  # type: ignore[attr-defined]


# Connecting


@pytest.mark.rule("R-351")
def test_what_is_to_be_sent_with_the_connection_is_lent(lab: Lab) -> None:
    lab.listener()
    Socket = bound(lab)
    memory = bytearray(b"greeting")
    request = start(Socket.Dispatch.WskConnectEx, Socket, TO_FAR, simple.buffer(memory), 0)
    assert not request.is_done
    memory[:] = b"changed!"
    with pytest.raises(BugCheck) as stop:
        lab.run()

    assert stop.value.rule == "R-351"


def test_the_remote_address_is_there_with_the_connection(lab: Lab) -> None:
    lab.listener()
    verify(lab.near)
    Socket = bound(lab)
    room = SOCKADDR_IN()
    assert start(Socket.Dispatch.WskGetRemoteAddress, Socket, room).status == STATUS_INVALID_DEVICE_STATE
    ok(simple.connect(Socket, TO_FAR))

    assert start(Socket.Dispatch.WskGetRemoteAddress, Socket, room).completions == [(STATUS_SUCCESS, 0)]
    assert simple.host_and_port(room) == (FAR, PORT)
    with pytest.raises(BugCheck) as stop:
        start(Socket.Dispatch.WskGetRemoteAddress, Socket, bytearray(15))
    assert stop.value.rule == "R-352"


# Sending


@pytest.mark.rule("R-204")
@pytest.mark.parametrize("size", [0, 4])
def test_a_send_that_comes_too_early_or_too_late_names_the_rule(lab: Lab, size: int) -> None:
    verify(lab.near)
    early, (late, _) = bound(lab), lab.pair()
    ok(simple.disconnect(late))
    for Socket, rule in ((early, "WSK-4.11"), (late, "R-204")):
        with pytest.raises(BugCheck) as stop:
            send(Socket, bytes(size))
        assert (stop.value.code, stop.value.rule) == (0xC4, rule)
    silent, _ = lab.pair()
    assert ioctl(silent, SIO_WSK_SET_TCP_SILENT_MODE) == STATUS_SUCCESS
    assert send(silent, bytes(size)).status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-316")
def test_silence_waits_for_what_was_sent_with_the_connection(lab: Lab) -> None:
    """Its request has completed, so a strict verifier has nothing to say."""
    lab.listener()
    verify(lab.near)
    for wire in (lab.near_wire, lab.far_wire):
        delay(wire, 10 * MILLISECOND)
    Socket = bound(lab)
    request = start(Socket.Dispatch.WskConnectEx, Socket, TO_FAR, simple.buffer(b"greeting"), 0)
    while not request.is_done:
        lab.run(0.001)
    assert ioctl(Socket, SIO_WSK_SET_TCP_SILENT_MODE) == STATUS_INVALID_DEVICE_STATE
    lab.run()

    assert ioctl(Socket, SIO_WSK_SET_TCP_SILENT_MODE) == STATUS_SUCCESS


# The end


@pytest.mark.rule("D-23")
@pytest.mark.parametrize("state", ["created", "bound", "connected"])
def test_a_dead_socket_gives_back_what_it_has(lab: Lab, state: str) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    if state != "created":
        ok(simple.bind(Socket, simple.address("0.0.0.0", 6000)))
    if state == "connected":
        lab.listener()
        ok(simple.connect(Socket, TO_FAR))
    request = await_addresses(Socket)
    lab.near_wire.frames.clear()
    faults_of(lab.near).kill(Socket)
    lab.run()

    assert request.completions == [(STATUS_FILE_FORCED_CLOSED, 0)]
    assert sum(flags & RST != 0 for flags in lab.near_wire.tcp_flags()) == (state == "connected")
    if state == "bound":
        lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)


@pytest.mark.rule("D-23")
@pytest.mark.parametrize("is_attempt", [False, True])
def test_a_dead_socket_resets_its_connection_with_the_options_of_every_segment(is_attempt: bool) -> None:
    """With timestamps, as Linux has them (RFC 7323 3.2).  An attempt has a peer once both have sent a SYN."""
    with laboratory(LINUX) as lab:
        npi = lab.near_application.provider
        Socket: Any
        if is_attempt:
            ok(simple.send_to(lab.datagram(lab.near), b"so that each knows the other's link address", TO_FAR))
            lab.run()
            lose(lab.near_wire)
            far = lab.bound(lab.far, WSK_FLAG_CONNECTION_SOCKET, port=PORT)
            names = (SOCK_STREAM, IPPROTO_TCP, simple.address("0.0.0.0", 6000), TO_FAR)
            request = start(npi.Dispatch.WskSocketConnect, npi.Client, *names, 0, None, None, None, None, None)
            start(far.Dispatch.WskConnect, far, simple.address(NEAR, 6000), 0)
            lab.run(0.01)
            assert lab.near_wire.tcp_flags()[-1] & SYN
            Socket = next(Socket for Socket in npi.Client.sockets if Socket.socket_type == SOCK_STREAM)
        else:
            Socket, _ = lab.pair()
        lab.near_wire.frames.clear()
        faults_of(lab.near).kill(Socket)
        lab.run(0.01)

        assert [flags & RST for flags in lab.near_wire.tcp_flags()] == [RST]
        if is_attempt:
            assert request.completions == [(STATUS_FILE_FORCED_CLOSED, 0)]
