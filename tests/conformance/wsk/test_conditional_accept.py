"""Conditional accept: WskInspectEvent, WskInspectComplete and WskAbortEvent (wsk.md 4.7, 4.22, 9.7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_inspecting import CATEGORIES, FAMILIES, SIDES, Judge, Peer, Side, answers, copy_of, lose
from tests.support.wsk_lab import ACK, FAR, PORT, RST, SYN, Lab, ok, start
from wsknet.net.changes import InterfaceRemoved
from wsknet.wsk import (
    SO_CONDITIONAL_ACCEPT,
    SOL_SOCKET,
    STATUS_CONNECTION_REFUSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_INSPECT_ID,
    WskInspectAccept,
    WskInspectMax,
    WskInspectPend,
    WskInspectReject,
    simple,
)

SYN_ACK = SYN | ACK


# SO_CONDITIONAL_ACCEPT


@CATEGORIES
@pytest.mark.rule("R-167", "R-302", "R-303")
def test_it_is_set_and_read_back_before_bind_and_too_late_afterwards(lab: Lab, Flags: int) -> None:
    Socket = Judge(lab).created(Flags)
    for value in (1, 0, 1):
        ok(simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, value))
        assert ok(simple.get_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT)) == value
    ok(simple.bind(Socket, simple.address("0.0.0.0", PORT)))

    late = simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0)
    assert late == (STATUS_INVALID_DEVICE_STATE, 0)
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT)) == 1


@pytest.mark.rule("D-17")
@pytest.mark.parametrize(
    "Flags", [WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET], ids=["connection", "datagram"]
)
def test_sockets_that_cannot_listen_do_not_have_it(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.far, Flags)
    assert simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)[0] == STATUS_INVALID_PARAMETER


@CATEGORIES
@pytest.mark.rule("D-15", "R-169")
@pytest.mark.parametrize("missing", ["WskInspectEvent", "WskAbortEvent", "table", "table of the role"])
def test_both_callbacks_have_to_be_there(lab: Lab, Flags: int, missing: str) -> None:
    judge = Judge(lab)
    table: Any = judge.listen
    if missing.startswith("table"):
        table = None
    else:
        setattr(table, missing, None)
    if Flags == WSK_FLAG_STREAM_SOCKET and missing != "table":
        table = WSK_CLIENT_STREAM_DISPATCH(table, None)
    Socket = lab.socket(lab.far, Flags, Dispatch=table)

    assert simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)[0] == STATUS_INVALID_PARAMETER
    ok(simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0))
    assert ok(simple.get_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT)) == 0


@CATEGORIES
@pytest.mark.rule("R-184", "R-168")
def test_without_it_neither_callback_is_called(lab: Lab, Flags: int) -> None:
    judge = Judge(lab, last=WskInspectReject)
    Socket = judge.created(Flags)
    ok(simple.bind(Socket, simple.address(FAR, PORT)))
    if Flags == WSK_FLAG_STREAM_SOCKET:
        ok(simple.listen(Socket))
    lab.connected()
    peer = Peer(lab)
    peer.withdraw()
    lab.far.apply(InterfaceRemoved(lab.far_interface.index))
    lab.run(60)

    assert judge.names == []


# WskInspectEvent


@CATEGORIES
@SIDES
@pytest.mark.rule("R-168", "R-170", "R-171")
def test_a_request_is_shown_before_anything_is_answered(lab: Lab, side: Side, Flags: int) -> None:
    judge = Judge(lab)
    listener = judge.listening(side, Flags)
    seen: list[list[int]] = []
    judge.inside = lambda: seen.append(answers(lab))
    waiting = start(listener.Dispatch.WskAccept, listener, 0, None, None, None, None)
    peer = Peer(lab, side)
    lab.run()

    assert judge.inspected == [("judge", side.dialled, peer.name)]
    assert judge.irqls_are_right
    assert seen == [[]]
    assert (peer.request.status, waiting.status) == (STATUS_SUCCESS, STATUS_SUCCESS)
    assert answers(lab)[0] == SYN_ACK
    assert simple.host_and_port(ok(simple.remote_address(waiting.information))) == peer.name
    ok(simple.send(peer.Socket, b"hello"))
    assert ok(simple.receive(waiting.information)) == b"hello"
    assert judge.names == ["inspect"]


@CATEGORIES
@pytest.mark.rule("R-169", "R-171")
def test_it_needs_no_enabling_and_cannot_be_disabled(lab: Lab, Flags: int) -> None:
    judge = Judge(lab)
    listener = judge.listening(Flags=Flags)
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    lab.connected()
    assert simple.control_events(listener, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    lab.connected()

    assert judge.names == ["inspect", "accept", "inspect"]


@CATEGORIES
@FAMILIES
@pytest.mark.rule("R-172", "R-173")
@pytest.mark.parametrize("answer", [WskInspectReject, WskInspectMax, None, "yes"])
def test_a_request_that_is_not_accepted_is_reset_and_no_more_is_heard_of_it(
    lab: Lab, side: Side, Flags: int, answer: Any
) -> None:
    """What is no action refuses, too."""
    judge = Judge(lab, last=answer)
    listener = judge.listening(side, Flags)
    simple.control_events(listener, WSK_EVENT_ACCEPT)
    peer = Peer(lab, side)
    lab.run(300)

    assert peer.request.status == STATUS_CONNECTION_REFUSED
    assert set(answers(lab)) == {RST | ACK}
    assert set(judge.names) == {"inspect"}


@pytest.mark.rule("R-172")
def test_a_callback_that_raises_refuses(lab: Lab) -> None:
    judge = Judge(lab)
    judge.listening()

    def fault() -> None:
        raise ZeroDivisionError

    judge.inside = fault
    with pytest.raises(ZeroDivisionError):
        Peer(lab)
    assert answers(lab) == [RST | ACK]
    assert Peer(lab, port=6001).request.status == STATUS_SUCCESS


@pytest.mark.rule("R-168")
def test_every_request_is_shown_one_after_the_other_in_order(lab: Lab) -> None:
    judge = Judge(lab)
    listener = judge.listening()
    simple.control_events(listener, WSK_EVENT_ACCEPT)
    later: list[Peer] = []

    def more() -> None:
        """Requests that arrive while WskInspectEvent runs."""
        for peer in later:
            peer.deliver(SYN)

    later += [Peer(lab, port=port, is_held=True) for port in (6002, 6001, 6003)]
    judge.inside = more
    Peer(lab, port=6000)

    assert [remote[1] for _, _, remote in judge.inspected] == [6000, 6002, 6001, 6003]
    assert judge.depths == [1, 1, 1, 1]
    assert len(set(judge.ids)) == 4


@SIDES
@pytest.mark.rule("R-183", "R-178")
def test_addresses_and_ids_are_valid_during_the_call_only(lab: Lab, side: Side) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening(side)
    Peer(lab, side).withdraw()
    local, remote, inspected, aborted = judge.kept

    assert not any(bytes(local) + bytes(remote))
    assert inspected == aborted == WSK_INSPECT_ID()
    assert judge.ids == judge.aborted != [WSK_INSPECT_ID()]


def test_two_listening_sockets_never_give_the_same_id(lab: Lab) -> None:
    judges = [Judge(lab), Judge(lab)]
    for judge in judges:
        ok(simple.close(judge.listening()))
        judge.listening()
        lab.connected()
        ok(simple.close(judge.Socket))

    assert judges[0].ids != judges[1].ids


# WskInspectPend and WskInspectComplete


@SIDES
@pytest.mark.rule("R-174", "R-175", "R-178")
def test_a_pended_request_waits_for_its_completion_and_goes_on_then(lab: Lab, side: Side) -> None:
    judge = Judge(lab, WskInspectPend)
    listener = judge.listening(side)
    simple.control_events(listener, WSK_EVENT_ACCEPT)
    peer = Peer(lab, side)
    lab.run(2)
    assert (answers(lab), judge.names, peer.request.is_done) == ([], ["inspect"], False)

    request = judge.complete(copy_of(judge.ids[0]), WskInspectAccept)
    assert (request.returned, request.completions) == (STATUS_SUCCESS, [(STATUS_SUCCESS, 0)])
    lab.run()
    assert peer.request.status == STATUS_SUCCESS
    assert judge.names == ["inspect", "accept"]


@FAMILIES
@pytest.mark.rule("R-176", "R-173")
def test_a_pended_request_may_be_refused(lab: Lab, side: Side) -> None:
    judge = Judge(lab, last=WskInspectPend)
    judge.listening(side)
    peer = Peer(lab, side)
    peer.vanish()
    assert judge.complete(judge.ids[0], WskInspectReject).completions == [(STATUS_SUCCESS, 0)]
    lab.run(300)

    assert answers(lab) == [RST | ACK]
    assert judge.names == ["inspect"]


@pytest.mark.rule("R-177", "D-08")
@pytest.mark.parametrize("Action", [WskInspectPend, WskInspectMax, -1])
def test_only_accept_and_reject_are_decisions(lab: Lab, Action: int) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening()
    peer = Peer(lab)
    request = judge.complete(judge.ids[0], Action)
    assert (request.returned, request.completions) == (STATUS_INVALID_PARAMETER, [(STATUS_INVALID_PARAMETER, 0)])

    assert judge.complete(judge.ids[0], WskInspectAccept).status == STATUS_SUCCESS
    lab.run()
    assert peer.request.status == STATUS_SUCCESS


@pytest.mark.rule("R-178", "D-08")
def test_contents_that_name_no_pended_request_are_refused(lab: Lab) -> None:
    judge, other = Judge(lab, WskInspectPend, WskInspectAccept), Judge(lab)
    judge.listening()
    Peer(lab, port=6000)
    Peer(lab, port=6001)
    pended, decided = judge.ids
    other.created()
    ok(simple.set_option(other.Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1))
    ok(simple.bind(other.Socket, simple.address("0.0.0.0", PORT + 1)))
    wrong = [WSK_INSPECT_ID(pended.Key + 1, pended.SerialNumber), WSK_INSPECT_ID(pended.Key, 9), WSK_INSPECT_ID()]
    for InspectID in (*wrong, decided, None):
        assert judge.complete(InspectID, WskInspectAccept).status == STATUS_INVALID_PARAMETER
    for InspectID in (pended, WSK_INSPECT_ID(), None):
        assert other.complete(InspectID, WskInspectAccept).status == STATUS_INVALID_PARAMETER

    assert judge.complete(pended, WskInspectReject).status == STATUS_SUCCESS
    assert judge.complete(pended, WskInspectAccept).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-01")
def test_without_conditional_accept_there_is_nothing_to_complete(lab: Lab) -> None:
    judge = Judge(lab)
    judge.created()
    ok(simple.set_option(judge.Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1))
    assert judge.complete(WSK_INSPECT_ID(), WskInspectAccept).status == STATUS_INVALID_DEVICE_STATE

    judge.Socket = lab.listener()
    assert judge.complete(WSK_INSPECT_ID(), WskInspectAccept).status == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("R-175", "R-176", "R-171")
@pytest.mark.parametrize("decision", [WskInspectAccept, WskInspectReject])
@pytest.mark.parametrize("answer", [WskInspectPend, WskInspectAccept, WskInspectReject])
def test_a_completion_from_inside_the_event_is_the_decision(lab: Lab, decision: int, answer: int) -> None:
    """Another processor may be as quick, before the event has returned WskInspectPend."""
    judge = Judge(lab, answer, last=decision)
    judge.listening()
    requests = []
    judge.inside = lambda: requests.append(judge.complete(judge.ids[0], decision))
    peer = Peer(lab)
    lab.run(5)

    assert (requests[0].returned, requests[0].status) == (STATUS_PENDING, STATUS_SUCCESS)
    assert peer.request.status == (STATUS_SUCCESS if decision == WskInspectAccept else STATUS_CONNECTION_REFUSED)
    assert "abort" not in judge.names


# WskAbortEvent


@FAMILIES
@pytest.mark.rule("R-179", "R-181")
@pytest.mark.parametrize("Action", [WskInspectAccept, WskInspectReject])
def test_a_request_that_its_peer_resets_is_aborted_and_completing_it_has_no_effect(
    lab: Lab, side: Side, Action: int
) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening(side)
    Peer(lab, side).withdraw()
    assert judge.names == ["inspect", "abort"]
    assert judge.aborted == judge.ids
    assert judge.irqls_are_right

    for _ in range(2):
        assert judge.complete(judge.ids[0], Action).completions == [(STATUS_SUCCESS, 0)]
    lab.run(300)
    assert answers(lab) == []
    assert judge.names == ["inspect", "abort"]


@pytest.mark.rule("R-181")
def test_a_request_may_be_completed_from_inside_its_abort(lab: Lab) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening()
    requests = []
    judge.inside_abort = lambda: requests.append(judge.complete(judge.ids[0], WskInspectAccept))
    Peer(lab).withdraw()

    assert requests[0].completions == [(STATUS_SUCCESS, 0)]
    assert answers(lab) == []


@pytest.mark.rule("R-173", "R-179", "R-180")
@pytest.mark.parametrize("answer", [WskInspectAccept, WskInspectPend, WskInspectReject])
def test_what_the_peer_resets_while_the_event_runs_is_aborted_unless_it_is_rejected(lab: Lab, answer: int) -> None:
    judge = Judge(lab, answer)
    judge.listening()
    peer = Peer(lab, is_held=True)
    peer.vanish()
    judge.inside = lambda: peer.deliver(RST, ahead=1)
    peer.send(SYN)

    assert judge.names == (["inspect"] if answer == WskInspectReject else ["inspect", "abort"])
    assert answers(lab) == []


@pytest.mark.rule("R-168", "R-179")
def test_what_the_peer_resets_before_its_turn_is_never_shown(lab: Lab) -> None:
    judge = Judge(lab)
    judge.listening()
    first, second = (Peer(lab, port=port, is_held=True) for port in (6000, 6001))
    second.vanish()

    def come_and_go() -> None:
        second.deliver(SYN)
        second.deliver(RST, ahead=1)

    judge.inside = come_and_go
    first.send(SYN)
    assert judge.names == ["inspect"]


@pytest.mark.rule("R-180")
@pytest.mark.parametrize("how", ["reset", "silence"])
@pytest.mark.parametrize("is_pended", [False, True])
def test_an_accepted_request_that_comes_to_nothing_is_aborted(lab: Lab, how: str, is_pended: bool) -> None:
    judge = Judge(lab, WskInspectPend if is_pended else WskInspectAccept)
    judge.listening()
    peer = Peer(lab, is_held=True)
    peer.vanish()
    lose(lab.far_wire, how == "silence")
    peer.send(SYN)
    if is_pended:
        assert judge.complete(judge.ids[0], WskInspectAccept).status == STATUS_SUCCESS
    lab.run(60)

    assert judge.names == ["inspect", "abort"]
    assert judge.aborted == judge.ids
    assert answers(lab)[0] == SYN_ACK


@pytest.mark.rule("R-179")
def test_a_peer_that_gives_up_is_aborted_at_last(lab: Lab) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening()
    peer = Peer(lab)
    lab.run(120)
    assert (judge.names, peer.request.is_done) == (["inspect"], True)
    lab.run(120)

    assert judge.names == ["inspect", "abort"]


@pytest.mark.rule("R-180", "D-25")
def test_a_full_accept_queue_drops_what_was_accepted(lab: Lab) -> None:
    judge = Judge(lab, WskInspectPend)
    judge.listening()
    Peer(lab)
    for _ in range(lab.far.stack.config.tcp.accept_backlog):
        lab.connected()
    assert judge.complete(judge.ids[0], WskInspectAccept).status == STATUS_SUCCESS
    lab.run(60)

    assert judge.aborted == [judge.ids[0]]


@pytest.mark.rule("R-180")
def test_the_end_of_a_connection_that_was_established_is_no_abort(lab: Lab) -> None:
    judge = Judge(lab)
    judge.listening()
    ok(simple.close(lab.connected()))
    lab.run()

    assert RST in [flags & RST for flags in lab.near_wire.tcp_flags()]
    assert judge.names == ["inspect"]
