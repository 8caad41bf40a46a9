"""Conditional accept: on stream sockets, on sockets that die or are closed, and the ID of what was accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_inspecting import CATEGORIES, FAMILIES, IPV4, SIDES, Judge, Peer, Side, answers, lose
from tests.support.wsk_lab import ACK, PORT, RST, SYN, Lab, Request, ok, start
from wsknet.net.changes import InterfaceRemoved
from wsknet.transport.endpoint import Ready
from wsknet.wsk import (
    NTSTATUS,
    SIO_WSK_QUERY_INSPECT_ID,
    SO_CONDITIONAL_ACCEPT,
    SOL_SOCKET,
    STATUS_CONNECTION_REFUSED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_EVENT_ACCEPT,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_INSPECT_ID,
    WskInspectAccept,
    WskInspectPend,
    WskInspectReject,
    WskIoctl,
    simple,
)
from wsknet.wsk.faults import faults_of

# Stream sockets


@FAMILIES
@pytest.mark.rule("R-174", "R-179")
def test_a_stream_socket_cannot_pend_so_the_request_is_refused_and_aborted(lab: Lab, side: Side) -> None:
    """Its table has no WskInspectComplete."""
    judge = Judge(lab, WskInspectPend)
    Socket = judge.listening(side, WSK_FLAG_STREAM_SOCKET)
    Peer(lab, side).vanish()
    lab.run(300)

    assert not hasattr(Socket.Dispatch, "WskInspectComplete")
    assert answers(lab) == [RST | ACK]
    assert judge.names == ["inspect", "abort"]
    assert judge.aborted == judge.ids


@pytest.mark.rule("R-179")
def test_what_a_stream_socket_pends_is_aborted_once_if_the_peer_was_faster(lab: Lab) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening(Flags=WSK_FLAG_STREAM_SOCKET)
    peer = Peer(lab, is_held=True)
    peer.vanish()
    judge.inside = lambda: peer.deliver(RST, ahead=1)
    peer.send(SYN)

    assert judge.names == ["inspect", "abort"]
    assert answers(lab) == []


@pytest.mark.rule("R-184")
def test_a_stream_socket_that_connects_instead_asks_nobody(lab: Lab) -> None:
    judge = Judge(lab)
    Socket = judge.created(WSK_FLAG_STREAM_SOCKET)
    ok(simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1))
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    listener = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, port=PORT)
    ok(simple.connect(Socket, simple.address("192.0.2.1", PORT)))
    ok(simple.send(ok(simple.accept(listener)), b"hello"))

    assert ok(simple.receive(Socket)) == b"hello"
    assert judge.names == []


# The listening socket dies


def remove_interface(lab: Lab, judge: Judge | None = None) -> None:
    lab.far.apply(InterfaceRemoved(lab.far_interface.index))


def fail(lab: Lab, judge: Judge) -> None:
    """The socket alone."""
    with lab.far.pump:
        lab.far.stack.notify(judge.Socket.endpoint, Ready.FAILED | Ready.REQUESTED)


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-182", "R-160", "D-23")
@pytest.mark.parametrize("is_enabled", [False, True])
def test_a_dead_socket_says_so_once_to_each_callback(lab: Lab, side: Side, Flags: int, is_enabled: bool) -> None:
    judge = Judge(lab, last=WskInspectReject)
    Socket = judge.listening(side, Flags, side.far)
    if is_enabled:
        simple.control_events(Socket, WSK_EVENT_ACCEPT)
    remove_interface(lab)
    lab.run()
    fail(lab, judge)
    faults_of(lab.far).kill(Socket)
    lab.run()

    assert sorted(judge.names) == (["NULL", "accept NULL"] if is_enabled else ["NULL"])
    assert judge.irqls_are_right
    ok(simple.close(Socket))


@FAMILIES
@pytest.mark.rule("R-179", "R-180", "R-182")
@pytest.mark.parametrize("die", [remove_interface, fail], ids=["interface removed", "killed"])
def test_a_dead_socket_aborts_what_was_underway(lab: Lab, side: Side, die: Callable[..., None]) -> None:
    judge = Judge(lab, WskInspectAccept, WskInspectAccept, last=WskInspectPend)
    judge.listening(side, address=side.far)
    Peer(lab, side, 6001)
    half_open = Peer(lab, side, 6002, is_held=True)
    half_open.vanish()
    lose(lab.far_wire)
    half_open.send(SYN)
    pended, withdrawn = (Peer(lab, side, port) for port in (6003, 6004))
    pended.vanish()
    withdrawn.withdraw()
    assert judge.names == ["inspect"] * 4 + ["abort"]
    die(lab, judge)

    assert judge.names[5:] == ["abort", "abort", "NULL"]
    assert judge.aborted[0] == judge.ids[3]
    assert set(judge.aborted[1:]) == {judge.ids[1], judge.ids[2]}
    for number in (2, 3):
        assert judge.complete(judge.ids[number], WskInspectAccept).status == STATUS_FILE_FORCED_CLOSED
    ok(simple.close(judge.Socket))


@CATEGORIES
@pytest.mark.rule("R-182", "R-173")
@pytest.mark.parametrize("answer", [WskInspectAccept, WskInspectPend, WskInspectReject])
def test_a_socket_may_die_while_the_event_runs(lab: Lab, Flags: int, answer: int) -> None:
    """A request that waits for its turn then is never shown, and so is not aborted either."""
    judge = Judge(lab, answer)
    judge.listening(Flags=Flags, address="192.0.2.2")
    late = Peer(lab, port=6001, is_held=True)

    def die() -> None:
        late.deliver(SYN)
        remove_interface(lab)

    judge.inside = die
    peer = Peer(lab)
    lab.run()

    assert judge.names == (["inspect", "NULL"] if answer == WskInspectReject else ["inspect", "abort", "NULL"])
    assert not peer.request.is_done
    assert answers(lab) == []


@pytest.mark.rule("R-182", "R-252")
@pytest.mark.parametrize("is_closed_first", [False, True])
def test_no_null_after_close(lab: Lab, is_closed_first: bool) -> None:
    judge = Judge(lab)
    Socket = judge.listening(address="192.0.2.2")
    if is_closed_first:
        ok(simple.close(Socket))
        remove_interface(lab)
    else:
        remove_interface(lab)
        ok(simple.close(Socket))

    assert judge.names == ([] if is_closed_first else ["NULL"])


# The listening socket is closed


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-252", "R-254", "R-172")
def test_closing_drops_what_is_pended_or_half_open_and_tells_nothing(lab: Lab, side: Side, Flags: int) -> None:
    judge = Judge(lab)
    judge.listening(side, Flags)
    half_open = Peer(lab, side, 6000, is_held=True)
    lose(lab.far_wire)
    half_open.deliver(SYN)
    if Flags == WSK_FLAG_LISTEN_SOCKET:
        judge.last = WskInspectPend
        Peer(lab, side, 6001)
    names = list(judge.names)
    lose(lab.far_wire, False)
    ok(simple.close(judge.Socket))
    lab.run(300)

    assert judge.names == names
    assert answers(lab)[-1] & RST
    assert half_open.request.status == STATUS_CONNECTION_REFUSED
    assert lab.far_application.provider.Client.sockets == {}


@CATEGORIES
@pytest.mark.rule("R-251", "R-253")
@pytest.mark.parametrize("answer", [WskInspectAccept, WskInspectPend, WskInspectReject])
def test_closing_from_inside_the_event_waits_for_its_return(lab: Lab, Flags: int, answer: int) -> None:
    judge = Judge(lab, answer)
    listener = judge.listening(Flags=Flags)
    requests: list[Request] = []
    seen: list[bool] = []

    def close() -> None:
        requests.append(start(listener.Dispatch.WskCloseSocket, listener))
        seen.append(requests[0].is_done)

    judge.inside = close
    peer = Peer(lab)
    lab.run(5)

    assert (requests[0].returned, requests[0].completions) == (STATUS_PENDING, [(STATUS_SUCCESS, 0)])
    assert seen == [False]
    assert judge.names == ["inspect"]
    assert peer.request.status == STATUS_CONNECTION_REFUSED
    assert SYN | ACK not in answers(lab)


@pytest.mark.rule("R-251", "R-253")
def test_closing_from_inside_the_abort_waits_for_its_return(lab: Lab) -> None:
    judge = Judge(lab, WskInspectPend)
    listener = judge.listening()
    requests: list[Request] = []
    seen: list[bool] = []

    def close() -> None:
        requests.append(start(listener.Dispatch.WskCloseSocket, listener))
        seen.append(requests[0].is_done)

    judge.inside_abort = close
    Peer(lab).withdraw()

    assert (seen, requests[0].completions) == ([False], [(STATUS_SUCCESS, 0)])
    assert judge.names == ["inspect", "abort"]


@pytest.mark.rule("R-252")
def test_requests_that_wait_for_their_turn_are_not_shown_once_the_socket_is_closed(lab: Lab) -> None:
    judge = Judge(lab)
    listener = judge.listening()
    first, second = (Peer(lab, port=port, is_held=True) for port in (6000, 6001))

    def close() -> None:
        second.deliver(SYN)
        start(listener.Dispatch.WskCloseSocket, listener)

    judge.inside = close
    first.send(SYN)

    assert judge.names == ["inspect"]
    assert lab.far_application.provider.Client.sockets == {}


# SIO_WSK_QUERY_INSPECT_ID


def query(Socket: Any, *buffers: Any, Irp: Any = None) -> NTSTATUS:
    status: NTSTATUS = Socket.Dispatch.WskControlSocket(
        Socket, WskIoctl, SIO_WSK_QUERY_INSPECT_ID, 0, 0, None, *buffers, Irp
    )
    return status


@CATEGORIES
@SIDES
@pytest.mark.rule("R-185")
@pytest.mark.parametrize("is_by_event", [False, True])
def test_an_accepted_socket_tells_its_inspect_id(lab: Lab, side: Side, Flags: int, is_by_event: bool) -> None:
    judge = Judge(lab, WskInspectReject)
    listener = judge.listening(side, Flags)
    if is_by_event:
        simple.control_events(listener, WSK_EVENT_ACCEPT)
    Peer(lab, side, 5999)  # refused
    peers = [Peer(lab, side, port) for port in (6000, 6001)]
    lab.run()
    for number, peer in enumerate(peers):
        accepted: Any = judge.accepted[number] if is_by_event else ok(simple.accept(listener))
        InspectID, size = WSK_INSPECT_ID(), [0]
        assert query(accepted, 16, InspectID, size) == STATUS_SUCCESS
        assert size == [16]
        assert simple.host_and_port(ok(simple.remote_address(accepted))) == peer.name == judge.inspected[number + 1][2]
        assert InspectID == judge.ids[number + 1]
        assert peer.request.status == STATUS_SUCCESS
    ok(simple.close(listener))
    ok(simple.close(peers[1].Socket))
    lab.run()
    assert query(accepted, 16, again := WSK_INSPECT_ID(), [0]) == STATUS_SUCCESS
    assert again == InspectID


@pytest.mark.rule("R-185", "D-17")
def test_it_wants_the_structure_and_the_size_and_no_irp(lab: Lab) -> None:
    judge = Judge(lab)
    listener = judge.listening()
    near = lab.connected()
    accepted = ok(simple.accept(listener))
    for buffers in [(15, WSK_INSPECT_ID(), [0]), (16, None, [0]), (16, [0], [0]), (16, WSK_INSPECT_ID(), None)]:
        assert query(accepted, *buffers) == STATUS_INVALID_PARAMETER
    control = accepted.Dispatch.WskControlSocket
    status = control(accepted, WskIoctl, SIO_WSK_QUERY_INSPECT_ID, 0, 4, [0], 16, WSK_INSPECT_ID(), [0], None)
    assert status == STATUS_INVALID_PARAMETER

    request, found = Request(), WSK_INSPECT_ID()
    arguments = (accepted, WskIoctl, SIO_WSK_QUERY_INSPECT_ID, 0, 0, None, 16, found, None)
    request.start(control, *arguments)
    assert (request.completions, found) == ([(STATUS_SUCCESS, 16)], judge.ids[0])
    ok(simple.close(near))


@pytest.mark.rule("R-186")
def test_no_other_socket_has_one(lab: Lab) -> None:
    judge = Judge(lab)
    listener = judge.listening()
    near = lab.connected()
    plain = lab.listener(port=PORT + 1)
    lab.connected(PORT + 1)
    stream = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT + 2)
    ok(simple.listen(stream))
    others = [
        listener, near, plain, ok(simple.accept(plain)), stream, lab.datagram(lab.far),
        lab.socket(lab.far, WSK_FLAG_CONNECTION_SOCKET), lab.socket(lab.far, WSK_FLAG_STREAM_SOCKET),
        lab.socket(lab.far, WSK_FLAG_BASIC_SOCKET),
    ]  # fmt: skip
    for Socket in others:
        assert query(Socket, 16, WSK_INSPECT_ID(), [0]) == STATUS_INVALID_DEVICE_REQUEST


@pytest.mark.rule("R-185", "D-23")
def test_a_socket_forced_closed_tells_nothing_more(lab: Lab) -> None:
    judge = Judge(lab)
    listener = judge.listening(IPV4)
    lab.connected()
    accepted = ok(simple.accept(listener))
    remove_interface(lab)
    lab.run()

    assert query(accepted, 16, WSK_INSPECT_ID(), [0]) == STATUS_FILE_FORCED_CLOSED
