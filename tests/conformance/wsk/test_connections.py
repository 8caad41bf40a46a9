"""Connect, send, disconnect and close (wsk.md 4.3, 4.8 to 4.11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import ACK, FAR, FIN, NEAR, PORT, PSH, RST, Lab, Request, Watch, ok, start
from wsknet.wire import tcp
from wsknet.wsk import (
    IPPROTO_TCP,
    NTSTATUS,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    TCP_FASTOPEN,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_DRAIN,
    WSK_FLAG_NODELAY,
    WSK_FLAG_OOB,
    WSK_SOCKET,
    BugCheck,
    IoAllocateMdl,
    IoCancelIrp,
    MmBuildMdlForNonPagedPool,
    simple,
)


def send(Socket: WSK_SOCKET, data: bytes | WSK_BUF, Flags: int = 0) -> Request:
    Buffer = data if isinstance(data, WSK_BUF) else simple.buffer(data)
    return start(Socket.Dispatch.WskSend, Socket, Buffer, Flags)


def receive(Socket: WSK_SOCKET, length: int = 100, Flags: int = 0) -> Request:
    return start(Socket.Dispatch.WskReceive, Socket, simple.buffer(bytearray(length)), Flags)


def disconnect(Socket: WSK_SOCKET, Flags: int = 0, data: bytes | None = None) -> Request:
    Buffer = None if data is None else simple.buffer(data)
    return start(Socket.Dispatch.WskDisconnect, Socket, Buffer, Flags)


class Ends:
    """A WskDisconnectEvent that keeps its flags."""

    def __init__(self) -> None:
        self.flags: list[int] = []
        self.dispatch = WSK_CLIENT_CONNECTION_DISPATCH(None, self.disconnect_event, None)

    def disconnect_event(self, SocketContext: Any, Flags: int) -> NTSTATUS:
        self.flags.append(Flags & ~WSK_FLAG_AT_DISPATCH_LEVEL)
        return STATUS_SUCCESS


# Connecting


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


# Sending


@pytest.mark.rule("R-198", "R-199", "D-10")
def test_send_completes_when_everything_is_acknowledged(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    request = send(near, b"five!")
    lab.run(0.5)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.cut(False)
    lab.run(2)

    assert (request.status, request.information) == (STATUS_SUCCESS, 5)
    assert ok(simple.receive(far)) == b"five!"


@pytest.mark.rule("R-199")
def test_sends_complete_in_order_and_not_before_the_peer_takes_them(lab: Lab) -> None:
    near, far = lab.pair()
    first, empty, second = send(near, bytes(1 << 19)), send(near, b""), send(near, bytes(1 << 20))
    lab.run(5)
    assert (first.is_done, empty.is_done, second.is_done) == (True, True, False)
    while not second.is_done:
        simple.receive(far, 1 << 20, seconds=1)

    assert [request.information for request in (first, empty, second)] == [1 << 19, 0, 1 << 20]
    assert send(near, b"").completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-200", "R-349")
def test_send_takes_length_bytes_from_offset_along_the_chain(lab: Lab) -> None:
    near, far = lab.pair()
    first, second = (IoAllocateMdl(memory, len(memory), False, False, None) for memory in (b"abcd", b"efgh"))
    assert first is not None
    assert second is not None
    for Mdl in (first, second):
        MmBuildMdlForNonPagedPool(Mdl)
    first.Next = second
    ok(simple.call(near.Dispatch.WskSend, near, WSK_BUF(first, 2, 4), 0))

    assert ok(simple.receive(far)) == b"cdef"


@pytest.mark.rule("R-201")
def test_nodelay_sends_what_nagle_holds_back(lab: Lab) -> None:
    near, far = lab.pair()
    send(near, b"in flight")
    held = send(near, b"held")
    urged = send(near, b"urged", WSK_FLAG_NODELAY)
    lab.run(0.0001)

    data_segments = [flags for flags in lab.near_wire.tcp_flags() if flags & PSH]
    assert len(data_segments) == 2
    lab.run()
    assert held.is_done
    assert urged.is_done
    assert ok(simple.receive(far)) == b"in flightheldurged"


@pytest.mark.rule("R-202", "R-211")
def test_unknown_flags_are_not_supported(lab: Lab) -> None:
    near, _ = lab.pair()

    assert send(near, b"x", WSK_FLAG_OOB).status == STATUS_NOT_SUPPORTED
    assert send(near, b"", 0x100).status == STATUS_NOT_SUPPORTED
    assert receive(near, 1, 0x100).status == STATUS_NOT_SUPPORTED


@pytest.mark.rule("D-01")
def test_nothing_is_sent_or_received_without_a_connection(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    requests = [send(Socket, b"x"), send(Socket, b""), receive(Socket), disconnect(Socket), disconnect(Socket, 1)]

    assert {request.status for request in requests} == {STATUS_INVALID_DEVICE_STATE}
    assert all(request.returned == request.status and request.was_pending == [False] for request in requests)


@pytest.mark.rule("R-351")
def test_memory_of_a_pending_send_is_lent(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    memory = bytearray(b"lent")
    request = send(near, simple.buffer(memory))
    with pytest.raises(BufferError):
        memory.clear()
    ok(simple.close(near))

    assert request.status == STATUS_CANCELLED


# Disconnecting


@pytest.mark.rule("R-236", "R-237")
def test_a_graceful_disconnect_sends_everything_and_waits_for_the_peer(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    queued, request = send(near, b"queued, "), disconnect(near, 0, b"last words")
    lab.run(0.1)
    assert (request.returned, request.is_done) == (STATUS_PENDING, False)
    lab.cut(False)
    lab.run(3)

    assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    assert queued.status == STATUS_SUCCESS
    assert [ok(simple.receive(far)), ok(simple.receive(far))] == [b"queued, last words", b""]


@pytest.mark.rule("R-204", "D-20")
def test_nothing_is_sent_after_a_graceful_disconnect(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.disconnect(near))

    assert send(near, b"x").status == STATUS_INVALID_DEVICE_STATE
    assert disconnect(near).status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-203", "R-215")
def test_each_direction_ends_by_itself(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    assert ok(simple.receive(far)) == b""
    ok(simple.send(far, b"still going"))
    assert ok(simple.receive(near)) == b"still going"
    ok(simple.disconnect(far))

    assert ok(simple.receive(near)) == b""


@pytest.mark.rule("R-238", "R-240", "R-242")
def test_an_abortive_disconnect_resets_and_cancels(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.far_interface.set_up(False)
    pending = send(near, b"never acknowledged")
    waiting = receive(near)
    request = disconnect(near, WSK_FLAG_ABORTIVE)

    assert request.status == STATUS_SUCCESS
    assert (pending.status, waiting.status) == (STATUS_CANCELLED, STATUS_CONNECTION_ABORTED)
    assert lab.near_wire.tcp_flags()[-1] & RST
    later = [send(near, b"x"), receive(near), disconnect(near)]
    assert {request.status for request in later} == {STATUS_CONNECTION_ABORTED}


@pytest.mark.rule("R-241")
def test_an_abortive_disconnect_ends_a_graceful_one_that_hangs(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    graceful = disconnect(near, 0, b"cannot be delivered")
    lab.run(0.5)
    assert not graceful.is_done
    ok(simple.disconnect(near, is_abortive=True))

    assert graceful.status == STATUS_CONNECTION_ABORTED


def test_a_graceful_disconnect_can_be_cancelled_and_goes_on_all_the_same(lab: Lab) -> None:
    near, far = lab.pair()
    request = disconnect(near)
    IoCancelIrp(request.Irp)

    assert (request.status, request.information) == (STATUS_CANCELLED, 0)
    assert ok(simple.receive(far)) == b""


@pytest.mark.rule("R-239", "D-09")
def test_an_abortive_disconnect_takes_no_data(lab: Lab) -> None:
    near, far = lab.pair()

    assert disconnect(near, WSK_FLAG_ABORTIVE, b"x").status == STATUS_INVALID_PARAMETER
    assert disconnect(near, 0x10).status == STATUS_INVALID_PARAMETER
    ok(simple.send(near, b"unharmed"))
    assert ok(simple.receive(far)) == b"unharmed"


@pytest.mark.rule("R-243")
def test_disconnecting_does_not_close_the_socket(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.disconnect(far))
    ok(simple.local_address(near))

    assert len(lab.near_application.provider.Client.sockets) == 1


@pytest.mark.rule("R-244", "R-246", "R-247")
def test_the_disconnect_event_reports_the_peers_fin_once(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.disconnect(near))
    lab.run()
    assert ends.flags == []
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    assert ends.flags == []
    ok(simple.disconnect(far))
    lab.run()

    assert ends.flags == [0]


@pytest.mark.rule("R-245")
def test_the_disconnect_event_reports_a_reset(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(far, is_abortive=True))
    lab.run()

    assert ends.flags == [WSK_FLAG_ABORTIVE]


def test_a_reset_after_a_fin_is_reported_too(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(far))
    ok(simple.close(far))
    lab.run()

    assert ends.flags == [0, WSK_FLAG_ABORTIVE]


@pytest.mark.rule("R-247")
def test_the_disconnect_event_comes_when_it_is_enabled_late(lab: Lab) -> None:
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.disconnect(far))
    lab.run()
    simple.control_events(near, WSK_EVENT_DISCONNECT)

    assert ends.flags == [0]


def test_the_disconnect_event_reports_a_reset_when_it_is_enabled_before_that_is_known(lab: Lab) -> None:
    """A connection that the peer has already reset cannot have its events enabled any more."""
    ends = Ends()
    near, far = lab.pair(Dispatch=ends.dispatch)
    ok(simple.close(far))
    lab.run()

    assert simple.control_events(near, WSK_EVENT_DISCONNECT) == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-246")
def test_an_abort_of_our_own_is_no_event(lab: Lab) -> None:
    ends = Ends()
    near, _ = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    ok(simple.disconnect(near, is_abortive=True))
    lab.run()

    assert ends.flags == []


@pytest.mark.rule("D-20", "D-24")
def test_what_waits_when_the_peer_resets_hears_of_it(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(near, b"unread"))
    requests = [receive(near), receive(near, 0, WSK_FLAG_DRAIN)]
    ok(simple.close(far))
    lab.run()

    assert [request.completions for request in requests] == [[(STATUS_CONNECTION_RESET, 0)]] * 2
    assert send(near, b"x").status == STATUS_CONNECTION_RESET
    assert disconnect(near).status == STATUS_CONNECTION_RESET


@pytest.mark.rule("D-20")
def test_a_peer_that_is_gone_ends_in_a_timeout(lab: Lab) -> None:
    ends = Ends()
    near, _ = lab.pair(Dispatch=ends.dispatch)
    simple.control_events(near, WSK_EVENT_DISCONNECT)
    lab.cut()
    request = send(near, b"x")
    lab.run(600)

    assert (request.status, request.information) == (STATUS_IO_TIMEOUT, 0)
    assert ends.flags == [WSK_FLAG_ABORTIVE]


# Closing


@pytest.mark.rule("R-248")
def test_close_resets_an_open_connection(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.close(near))
    lab.run()

    assert lab.near_wire.tcp_flags()[-1] & RST
    assert simple.receive(far)[0] == STATUS_CONNECTION_RESET


@pytest.mark.rule("R-248")
def test_close_resets_a_connection_that_only_we_have_finished(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.close(near))

    assert lab.near_wire.tcp_flags()[-1] & RST


@pytest.mark.rule("R-249")
def test_close_is_silent_when_both_sides_have_finished(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.disconnect(near))
    ok(simple.disconnect(far))
    lab.run()
    for Socket in (near, far):
        ok(simple.close(Socket))
    lab.run()

    flags = lab.near_wire.tcp_flags() + lab.far_wire.tcp_flags()
    assert not any(segment & RST for segment in flags)
    assert sum(bool(segment & FIN) for segment in flags) == 2
    assert lab.near_wire.tcp_flags()[-1] == ACK


@pytest.mark.rule("R-250", "R-166", "R-253")
def test_close_cancels_everything_and_succeeds(lab: Lab) -> None:
    near, _ = lab.pair()
    lab.cut()
    requests = [receive(near), send(near, b"x"), disconnect(near)]
    order: list[int] = []
    for number, request in enumerate(requests):
        request.then = lambda number=number: order.append(number)
    closing = start(near.Dispatch.WskCloseSocket, near)

    assert [request.completions for request in requests] == [[(STATUS_CANCELLED, 0)]] * 3
    assert closing.completions == [(STATUS_SUCCESS, 0)]
    assert sorted(order) == [0, 1, 2]


def test_close_cancels_a_connect_in_progress(lab: Lab) -> None:
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    request = start(Socket.Dispatch.WskConnect, Socket, simple.address(FAR, PORT), 0)
    ok(simple.close(Socket))

    assert request.completions == [(STATUS_CANCELLED, 0)]


@pytest.mark.rule("R-253", "R-254")
@pytest.mark.parametrize("Flags", [0, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET])
def test_an_unused_socket_can_be_closed(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = start(Socket.Dispatch.Basic.WskCloseSocket, Socket)

    assert request.completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("R-257", "D-19")
def test_no_use_after_close(lab: Lab) -> None:
    near, _ = lab.pair()
    ok(simple.close(near))

    for use in (
        lambda: simple.send(near, b"x"),
        lambda: simple.receive(near),
        lambda: simple.local_address(near),
        lambda: simple.close(near),
        lambda: simple.control_events(near, WSK_EVENT_RECEIVE),
        lambda: near.Dispatch.WskRelease(near, None),
    ):
        with pytest.raises(BugCheck, match="R-257"):
            use()


@pytest.mark.rule("R-095", "R-097")
def test_a_socket_opened_connected_has_both_names(lab: Lab) -> None:
    lab.listener()
    with lab.near.activate(), simple.Application() as application:
        Socket = ok(application.open_connected(simple.address("0.0.0.0", 0), simple.address(FAR, PORT)))
        assert simple.host_and_port(ok(simple.local_address(Socket)))[0] == NEAR
        assert simple.host_and_port(ok(simple.remote_address(Socket))) == (FAR, PORT)
        ok(simple.close(Socket))
