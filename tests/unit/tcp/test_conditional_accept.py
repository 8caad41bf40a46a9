"""Conditional accept: what R-168 to R-185 ask of the core."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import IF_INDEX, OUR_ADDRESS, OUR_PORT, PEER_ADDRESS, PEER_PORT, sec
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.inspections import Inspections, Verdict
from wsknet.transport.tcp.listener import Listener
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, LocalName

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


def inspecting(lab: TcpLab, backlog: int | None = None) -> TcpEndpoint:
    endpoint = lab.bound()
    endpoint.is_conditional = True
    endpoint.listen(lab.now, backlog)
    return endpoint


def listener_of(endpoint: TcpEndpoint) -> Listener:
    assert endpoint.listener is not None
    return endpoint.listener


def inspections_of(endpoint: TcpEndpoint) -> Inspections:
    inspections = listener_of(endpoint).inspections
    assert inspections is not None
    return inspections


def shown(endpoint: TcpEndpoint) -> list[int]:
    """The requests that the owner has not seen yet."""
    found = []
    while (inspection := inspections_of(endpoint).next()) is not None:
        found.append(inspection.id)
    return found


def aborted(endpoint: TcpEndpoint) -> list[int]:
    found = []
    while (inspection := inspections_of(endpoint).next_aborted()) is not None:
        found.append(inspection)
    return found


def decide(lab: TcpLab, endpoint: TcpEndpoint, inspection: int, verdict: Verdict) -> bool:
    is_done = listener_of(endpoint).decide(inspection, verdict, lab.now)
    lab.settle()
    return is_done


def requested(lab: TcpLab, endpoint: TcpEndpoint, port: int = PEER_PORT) -> int:
    """A peer's SYN has come and was shown."""
    lab.peer.send(flags="S", seq=0, port=port)
    assert lab.told(endpoint) & Ready.REQUESTED
    (inspection,) = shown(endpoint)
    return inspection


@FAMILIES
@pytest.mark.rule("R-168", "R-170", "R-171")
def test_a_syn_is_shown_first_and_answered_when_it_is_accepted(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    lab.peer.send(flags="S", seq=0, mss=1300, scale=3)
    assert lab.told(endpoint) == Ready.REQUESTED
    lab.peer.expect_nothing(until=sec(5))
    assert not lab.stack.view().connections
    inspection = inspections_of(endpoint).next()
    assert inspection is not None
    assert (inspection.local, inspection.remote) == (Endpoint(OUR_ADDRESS[family], OUR_PORT), lab.peer.endpoint)
    assert inspections_of(endpoint).next() is None

    assert decide(lab, endpoint, inspection.id, Verdict.ACCEPT)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(seq=1, ack=1)
    assert lab.told(endpoint) == Ready.ACCEPTABLE
    accepted = lab.accept(endpoint)
    assert accepted.inspection == inspection.id
    assert accepted.state is State.ESTABLISHED
    lab.send(accepted, bytes(2000))
    assert len(lab.peer.next().data) == 1300
    assert aborted(endpoint) == []


@FAMILIES
@pytest.mark.rule("R-172", "R-173", "R-176")
@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.DROP])
def test_a_request_refused_is_gone(verdict: Verdict, family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    first = requested(lab, endpoint)
    assert decide(lab, endpoint, first, verdict)
    if verdict is Verdict.REJECT:
        lab.peer.expect(flags="RA", ack=1)
    lab.peer.expect_nothing()
    assert (lab.told(endpoint), aborted(endpoint)) == (0, [])
    assert not decide(lab, endpoint, first, Verdict.ACCEPT)
    lab.peer.expect_nothing()
    if verdict is Verdict.DROP:
        assert lab.stack.next_deadline() is None
    assert requested(lab, endpoint) != first


@FAMILIES
@pytest.mark.rule("R-170", "R-174")
def test_a_syn_repeated_while_it_is_judged_changes_nothing_and_the_latest_is_answered(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    inspection = requested(lab, endpoint)
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(flags="S", seq=5000, mss=700)
    lab.peer.expect_nothing()
    assert (lab.told(endpoint), shown(endpoint)) == (0, [])
    decide(lab, endpoint, inspection, Verdict.ACCEPT)
    lab.peer.expect(flags="SA", seq=0, ack=5001)
    lab.peer.send(flags="S", seq=5000, mss=700)  # half open now
    lab.peer.expect(flags="SA", seq=0, ack=5001)
    lab.peer.send(seq=5001, ack=1)
    lab.send(lab.accept(endpoint), bytes(2000))
    assert len(lab.peer.next().data) == 700


@FAMILIES
@pytest.mark.rule("R-179", "R-181")
def test_a_reset_withdraws_a_request_and_accepting_it_has_no_effect(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    inspection = requested(lab, endpoint)
    for seq in (0, 2):
        lab.peer.send(flags="R", seq=seq)
    assert lab.told(endpoint) == 0
    assert lab.stack.trace.drops[DropReason.TCP_BAD_RESET] == 2
    lab.peer.send(flags="R", seq=1)
    assert lab.told(endpoint) == Ready.REQUEST_ABORTED
    assert not decide(lab, endpoint, inspection, Verdict.ACCEPT)
    assert aborted(endpoint) == [inspection]
    assert aborted(endpoint) == []
    lab.peer.expect_nothing()


@pytest.mark.rule("R-184")
def test_a_request_withdrawn_before_anybody_saw_it_is_never_shown() -> None:
    lab = TcpLab()
    endpoint = inspecting(lab)
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(flags="R", seq=1)
    assert (shown(endpoint), aborted(endpoint)) == ([], [])


@FAMILIES
@pytest.mark.rule("R-179", "RFC1122-4.2.3.5")
def test_a_peer_that_falls_silent_is_given_up_three_minutes_after_its_latest_syn(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    early = requested(lab, endpoint, 1001)
    late = requested(lab, endpoint, 1002)
    lab.clock.advance(sec(100))
    lab.peer.send(flags="S", seq=0, port=1001)
    lab.clock.advance(sec(79))
    assert aborted(endpoint) == []
    lab.clock.advance(sec(1))
    assert aborted(endpoint) == [late]
    lab.clock.advance(sec(99))
    assert aborted(endpoint) == []
    lab.clock.advance(sec(1))
    assert lab.told(endpoint) == Ready.REQUEST_ABORTED
    assert aborted(endpoint) == [early]
    assert lab.stack.next_deadline() is None or lab.stack.next_deadline() > lab.now  # type: ignore[operator]
    lab.peer.expect_nothing()


@FAMILIES
@pytest.mark.rule("R-180")
@pytest.mark.parametrize("how", ["reset", "silence", "no way back"])
def test_an_accepted_request_that_comes_to_nothing_is_told(how: str, family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    if how == "no way back":
        lab.peer.address = lab.peer.address[:1] + b"\x77" + lab.peer.address[2:]
    inspection = requested(lab, endpoint)
    if how == "no way back":
        gateway = PEER_ADDRESS[family]
        lab.stack.apply(changes.RouteRemoved(bytes(len(gateway)), 0, IF_INDEX, gateway), lab.now)
    assert decide(lab, endpoint, inspection, Verdict.ACCEPT)
    if how == "reset":
        lab.peer.send(flags="R", seq=1)
    elif how == "silence":
        lab.clock.advance(sec(60))
    assert lab.told(endpoint) == Ready.REQUEST_ABORTED
    assert aborted(endpoint) == [inspection]
    assert not lab.stack.view().connections


@pytest.mark.rule("R-180")
def test_once_established_an_end_is_no_abort_of_the_request() -> None:
    lab = TcpLab()
    endpoint = inspecting(lab)
    decide(lab, endpoint, requested(lab, endpoint), Verdict.ACCEPT)
    lab.peer.send(seq=1, ack=1)
    lab.peer.send(flags="R", seq=1)
    assert endpoint.accept(lab.now) is None
    assert aborted(endpoint) == []


@FAMILIES
@pytest.mark.rule("RFC4987-3.2", "D-25")
def test_requests_have_their_places_in_the_syn_queue_and_are_answered_by_no_cookie(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab, backlog=2)
    first = requested(lab, endpoint, 1001)
    decide(lab, endpoint, requested(lab, endpoint, 1002), Verdict.ACCEPT)
    lab.peer.expect(flags="SA")
    lab.peer.send(flags="S", seq=0, port=1003)
    assert lab.stack.trace.drops[DropReason.TCP_SYN_QUEUE_FULL] == 1
    lab.peer.send(flags="R", seq=1, port=1001)
    lab.peer.send(flags="S", seq=0, port=1003)  # the place is free when the owner has heard
    assert lab.stack.trace.drops[DropReason.TCP_SYN_QUEUE_FULL] == 2
    assert aborted(endpoint) == [first]
    requested(lab, endpoint, 1003)
    lab.peer.expect_nothing()


@pytest.mark.rule("RFC4987-3.2")
def test_of_a_request_little_is_kept_however_much_data_its_syn_has() -> None:
    lab = TcpLab()
    endpoint = inspecting(lab)
    tracemalloc.start()
    try:
        for port in range(1000, 1150):
            lab.peer.send(flags="S", seq=0, port=port, data=bytes(1400))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 150 * 1400
    finally:
        tracemalloc.stop()
    assert len(inspections_of(endpoint)) == 150


def test_requests_are_shown_in_the_order_of_their_first_syns() -> None:
    lab = TcpLab()
    endpoint = inspecting(lab)
    for port in (1001, 1002, 1003, 1001):
        lab.peer.send(flags="S", seq=0, port=port)
    ports = []
    while (inspection := inspections_of(endpoint).next()) is not None:
        ports.append(inspection.remote.port)
        decide(lab, endpoint, inspection.id, Verdict.ACCEPT)
    assert ports == [1001, 1002, 1003]
    for port in (1002, 1001):
        lab.peer.send(seq=1, ack=1, port=port)
    assert [lab.accept(endpoint).remote, lab.accept(endpoint).remote] == [
        lab.peer.endpoint._replace(port=1002),
        lab.peer.endpoint._replace(port=1001),
    ]


@FAMILIES
def test_closing_the_listener_refuses_what_is_judged_and_leaves_nothing(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = inspecting(lab)
    requested(lab, endpoint, 1001)
    decide(lab, endpoint, requested(lab, endpoint, 1002), Verdict.ACCEPT)
    lab.peer.expect(flags="SA")
    lab.peer.send(flags="S", seq=0, port=1003)
    lab.close(endpoint)
    assert {(found.flags, found.destination_port) for found in lab.peer.drain()} == {
        ("RA", 1001),
        ("R", 1002),
        ("RA", 1003),
    }
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports
    assert lab.stack.next_deadline() is None or lab.stack.next_deadline() > lab.now  # type: ignore[operator]
    lab.peer.expect_nothing(until=sec(300))


def test_a_connection_that_the_port_made_meanwhile_is_not_disturbed() -> None:
    lab = TcpLab()
    listener, client = lab.open(), lab.open()
    listener.is_conditional = True
    for endpoint in (listener, client):
        endpoint.bind(LocalName(Cover.IPV4, None, OUR_PORT), lab.now, Sharing.REUSE)
    listener.listen(lab.now)
    inspection = requested(lab, listener)
    client.connect(lab.peer.endpoint, lab.now)
    lab.peer.expect(flags="S", seq=0)
    assert decide(lab, listener, inspection, Verdict.ACCEPT)
    assert aborted(listener) == [inspection]
    lab.peer.send(flags="SA", seq=0, ack=1)
    lab.peer.expect(flags="A", seq=1, ack=1)
    assert lab.state(client) is State.ESTABLISHED


@pytest.mark.rule("R-170")
def test_nothing_but_the_syn_opens_a_judged_connection() -> None:
    lab = TcpLab()
    endpoint = inspecting(lab)
    requested(lab, endpoint)
    lab.peer.send(seq=1, ack=1, data=b"guess")
    lab.peer.expect(flags="R", seq=1)
    assert len(inspections_of(endpoint)) == 1


def test_a_listener_without_conditional_accept_has_no_requests() -> None:
    lab = TcpLab()
    listener = lab.listening()
    assert listener_of(listener).inspections is None
    lab.peer.send(flags="S", seq=0)
    lab.peer.send(seq=1, ack=lab.peer.expect(flags="SA").seq + 1)
    assert lab.accept(listener).inspection is None
