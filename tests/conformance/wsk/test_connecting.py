"""WskConnect, WskConnectEx and WskSocketConnect: when they complete, and how they fail (wsk.md 4.2, 4.8, 4.9)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Watch, ok, start
from tests.support.wsk_tcp import send
from wsknet.wire import tcp
from wsknet.wsk import (
    IPPROTO_TCP,
    NTSTATUS,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    TCP_FASTOPEN,
    WSK_FLAG_CONNECTION_SOCKET,
    simple,
)


@pytest.mark.rule("R-188", "R-189")
def test_connect_completes_when_the_handshake_is_done(lab: Lab) -> None:
    lab.listener()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.run()

    assert (request.status, request.information, request.was_pending) == (STATUS_SUCCESS, 0, [True])


@pytest.mark.rule("R-187", "R-106")
def test_connect_before_bind_fails_at_once(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)

    assert request.returned == request.status == STATUS_INVALID_DEVICE_STATE
    assert (request.information, request.was_pending) == (0, [False])


@pytest.mark.rule("R-190", "R-192", "D-02")
def test_connect_flags_are_reserved(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    remote = simple.address(FAR, PORT)

    assert start(Socket.Dispatch.WskConnect, Socket, remote, 1).status == STATUS_INVALID_PARAMETER
    assert start(Socket.Dispatch.WskConnectEx, Socket, remote, None, 1).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-01")
def test_connect_only_once(lab: Lab) -> None:
    near, _ = lab.pair()

    assert simple.connect(near, simple.address(FAR, PORT))[0] == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("D-20", "D-29")
def test_the_statuses_of_connects_that_fail(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)

    def status(host: str, port: int = PORT) -> NTSTATUS:
        return simple.connect(Socket, simple.address(host, port))[0]

    assert status(FAR) == STATUS_CONNECTION_REFUSED
    assert status("198.51.100.1") == STATUS_NETWORK_UNREACHABLE
    assert status(FAR, 0) == STATUS_INVALID_ADDRESS_COMPONENT
    assert status("192.0.2.99") == STATUS_IO_TIMEOUT


def test_the_same_two_ends_cannot_be_connected_twice(lab: Lab) -> None:
    from wsknet.wsk import SO_REUSEADDR, SOL_SOCKET

    lab.listener()
    statuses = []
    for _ in range(2):
        Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
        ok(simple.set_option(Socket, SOL_SOCKET, SO_REUSEADDR, 1))
        ok(simple.bind(Socket, simple.address(NEAR, 6000)))
        statuses.append(simple.connect(Socket, simple.address(FAR, PORT))[0])

    assert statuses == [STATUS_SUCCESS, STATUS_ADDRESS_ALREADY_EXISTS]


@pytest.mark.rule("R-135")
def test_only_a_connected_socket_has_a_remote_address(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    assert simple.remote_address(Socket)[0] == STATUS_INVALID_DEVICE_STATE
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    assert simple.remote_address(Socket)[0] == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-194", "R-195", "R-196")
def test_connect_with_data(lab: Lab) -> None:
    listener = lab.listener()
    memory = bytearray(b"first bytes")
    for Buffer, expected in ((simple.buffer(memory), b"first bytes then"), (None, b"then")):
        Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
        request = start(Socket.Dispatch.WskConnectEx, Socket, simple.address(FAR, PORT), Buffer, 0)
        request.then = lambda: memory.__setitem__(slice(None), b"overwritten")
        lab.run()
        assert request.status == STATUS_SUCCESS
        ok(simple.send(Socket, b" then" if Buffer else b"then"))
        assert ok(simple.receive(ok(simple.accept(listener)))) == expected


@pytest.mark.rule("R-197")
def test_with_fast_open_data_travels_in_the_syn_of_the_second_connection(lab: Lab) -> None:
    listener = lab.listener()
    ok(simple.set_option(listener, IPPROTO_TCP, TCP_FASTOPEN, 1))
    for in_syn in (b"", b"first bytes"):
        Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
        ok(simple.set_option(Socket, IPPROTO_TCP, TCP_FASTOPEN, 1))
        lab.near_wire.frames.clear()
        Buffer = simple.buffer(b"first bytes")
        request = start(Socket.Dispatch.WskConnectEx, Socket, simple.address(FAR, PORT), Buffer, 0)
        lab.run()
        assert request.status == STATUS_SUCCESS
        syn = tcp.parse(next(frame for frame in lab.near_wire.frames if frame[23] == 6)[34:])
        assert isinstance(syn, tcp.Segment)
        assert syn.payload == in_syn
        assert ok(simple.receive(ok(simple.accept(listener)))) == b"first bytes"


@pytest.mark.rule("R-194")
def test_a_connection_that_is_reset_as_soon_as_it_stands_sends_nothing(lab: Lab) -> None:
    """A device hands over many frames at a time: the answer to the SYN and the reset are one event."""
    listener = lab.listener()
    ok(simple.close(lab.connected()))  # neighbours know each other
    lab.run()
    held: list[bytes] = []
    wire = lab.far_wire.inner
    lab.far_wire.inner = Watch(wire)
    lab.far_wire.inner.transmit = lambda frame, now, comment=None: held.append(b"".join(frame))  # type: ignore
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskConnectEx, Socket, simple.address(FAR, PORT), simple.buffer(b"first bytes"), 0)
    lab.run(0.1)
    ok(simple.close(listener))
    lab.run(0.1)
    assert len(held) == 2
    with lab.near.pump as now:
        for frame in held:
            lab.near.stack.receive(lab.near_interface.index, frame, now)

    assert request.status == STATUS_SUCCESS
    assert send(Socket, b"more").status == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-193")
def test_connect_with_too_much_data(lab: Lab) -> None:
    lab.listener()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    remote = simple.address(FAR, PORT)

    too_much = start(Socket.Dispatch.WskConnectEx, Socket, remote, simple.buffer(bytes(65536)), 0)
    assert (too_much.returned, too_much.status) == (STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_OVERFLOW)
    just_enough = start(Socket.Dispatch.WskConnectEx, Socket, remote, simple.buffer(bytes(65535)), 0)
    lab.run()
    assert just_enough.status == STATUS_SUCCESS


@pytest.mark.rule("R-095", "R-097")
def test_a_socket_opened_connected_has_both_names(lab: Lab) -> None:
    lab.listener()
    with lab.near.activate(), simple.Application() as application:
        Socket = ok(application.open_connected(simple.address("0.0.0.0", 0), simple.address(FAR, PORT)))
        assert simple.host_and_port(ok(simple.local_address(Socket)))[0] == NEAR
        assert simple.host_and_port(ok(simple.remote_address(Socket))) == (FAR, PORT)
        ok(simple.close(Socket))
