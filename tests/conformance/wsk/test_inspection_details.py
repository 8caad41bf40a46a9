"""Conditional accept in detail: which InspectIDs are known, which rules a refusal names, events at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.repair import repaired
from tests.support.wsk_inspecting import Judge, Peer
from tests.support.wsk_lab import FAR, SYN, Lab
from wsknet.net.changes import InterfaceRemoved
from wsknet.wsk import (
    NTSTATUS,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISABLE,
    WSK_INSPECT_ID,
    BugCheck,
    WskInspectAccept,
    WskInspectPend,
    WskInspectReject,
    simple,
    verify,
)
from wsknet.wsk.sockets.inspecting import DECISIONS_KEPT

# InspectIDs


@pytest.mark.rule("R-178", "D-08")
def test_no_number_below_the_first_request_is_one(lab: Lab) -> None:
    judge = Judge(lab, last=WskInspectPend)
    judge.listening()
    below = [WSK_INSPECT_ID(0, 1), WSK_INSPECT_ID(0, 5), WSK_INSPECT_ID(1, 0)]
    assert [judge.complete(each, WskInspectReject).status for each in below] == [STATUS_INVALID_PARAMETER] * 3
    Peer(lab)
    assert judge.ids
    for wrong in (*below, None, "no InspectID"):
        assert judge.complete(wrong, WskInspectReject).status == STATUS_INVALID_PARAMETER

    assert judge.names == ["inspect"]
    assert judge.complete(judge.ids[0], WskInspectReject).status == STATUS_SUCCESS


@pytest.mark.rule("R-179", "R-181")
def test_the_first_request_stays_known_when_others_have_followed(lab: Lab) -> None:
    judge = Judge(lab, last=WskInspectPend)
    judge.listening()
    first = Peer(lab, port=6000)
    Peer(lab, port=6001)
    Peer(lab, port=6002)
    first.withdraw()
    assert judge.aborted == judge.ids[:1]

    for InspectID in judge.ids:
        assert judge.complete(InspectID, WskInspectReject).status == STATUS_SUCCESS


@pytest.mark.rule("R-178")
def test_so_many_decisions_are_remembered_and_the_oldest_forgotten_first(lab: Lab) -> None:
    """A second WskInspectComplete for what is forgotten succeeds without effect."""
    judge = Judge(lab, last=WskInspectReject)
    judge.listening()
    syn = Peer(lab).syn

    def ask(port: int) -> None:
        frame = bytearray(syn)
        frame[34:36] = port.to_bytes(2, "big")
        with lab.far.pump as now:
            lab.far.stack.receive(lab.far_interface.index, repaired(bytes(frame)), now)

    while len(judge.ids) < DECISIONS_KEPT:
        ask(10_000 + len(judge.ids))
    assert judge.complete(judge.ids[0], WskInspectAccept).status == STATUS_INVALID_PARAMETER
    ask(9_999)
    statuses = [judge.complete(InspectID, WskInspectAccept).status for InspectID in judge.ids[:3]]

    assert statuses == [STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER]
    assert len(judge.ids) == DECISIONS_KEPT + 1


@pytest.mark.rule("R-177", "R-178")
@pytest.mark.parametrize(("Action", "rule"), [(WskInspectPend, "R-177"), (17, "R-177"), (WskInspectAccept, "R-178")])
def test_what_cannot_be_completed_names_its_rule(lab: Lab, Action: int, rule: str) -> None:
    judge = Judge(lab)
    judge.listening()
    verify(lab.far, is_strict=True)
    with pytest.raises(BugCheck) as stop:
        judge.complete(WSK_INSPECT_ID(7, 7), Action)

    assert stop.value.rule == rule


# Callbacks


def test_the_last_call_has_the_context_of_the_socket_and_nothing_else(lab: Lab) -> None:
    got: list[tuple[Any, ...]] = []

    def WskInspectEvent(*arguments: Any) -> Any:
        got.append(arguments)
        return WskInspectReject

    judge = Judge(lab)
    judge.listen = WSK_CLIENT_LISTEN_DISPATCH(judge.accept_event, WskInspectEvent, judge.abort_event)
    judge.listening(address=FAR)
    lab.far.apply(InterfaceRemoved(lab.far_interface.index))
    lab.run()

    assert got == [("judge", None, None, None)]


@pytest.mark.rule("R-169")
def test_a_request_that_comes_within_an_accept_event_leaves_that_running(lab: Lab) -> None:
    """Who disables the event then hears that it has not returned."""
    answers: list[NTSTATUS] = []
    judge = Judge(lab)

    def WskAcceptEvent(*arguments: Any) -> NTSTATUS:
        other.deliver(SYN)
        answers.append(simple.control_events(judge.Socket, WSK_EVENT_DISABLE | WSK_EVENT_ACCEPT))
        return judge.accept_event(*arguments)

    judge.listen = WSK_CLIENT_LISTEN_DISPATCH(WskAcceptEvent, judge.inspect_event, judge.abort_event)
    assert simple.control_events(judge.listening(), WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    other = Peer(lab, port=6001, is_held=True)
    Peer(lab)
    lab.run(0.1)

    assert answers == [STATUS_EVENT_PENDING]
    assert judge.names == ["inspect", "accept", "inspect"]
