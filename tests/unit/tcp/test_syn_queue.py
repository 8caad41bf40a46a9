"""SYN queue and accept queue: RFC 4987, RFC 9293 3.10.7.2, D-25."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import PEER_PORT, sec
from wsknet.behaviour import BSD, LINUX, SETS, WINDOWS, Behaviour
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
BEHAVIOURS = pytest.mark.parametrize("behaviour", list(SETS.values()), ids=list(SETS))

NO_COOKIES = with_tcp(WINDOWS, syn_cookies=False)


def open_half(lab: TcpLab, *ports: int) -> None:
    for port in ports:
        lab.peer.send(flags="S", seq=0, port=port)
        lab.peer.expect(flags="SA", seq=0, ack=1)


def establish(lab: TcpLab, *ports: int) -> None:
    open_half(lab, *ports)
    for port in ports:
        lab.peer.send(seq=1, ack=1, port=port)


@FAMILIES
@pytest.mark.rule("RFC4987-3.2", "D-25")
def test_without_cookies_a_syn_beyond_the_syn_queue_is_dropped(family: Family) -> None:
    lab = TcpLab(family, NO_COOKIES)
    listener = lab.listening(backlog=2)
    open_half(lab, 1001, 1002)
    lab.peer.send(flags="S", seq=0, port=1003)
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_SYN_QUEUE_FULL] == 1

    lab.peer.send(flags="S", seq=0, port=1001)  # not new: it has its place
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(seq=1, ack=1, port=1001)
    lab.peer.send(flags="S", seq=0, port=1003)
    assert lab.peer.expect(flags="SA").destination_port == 1003
    assert lab.told(listener) == Ready.ACCEPTABLE


@FAMILIES
@BEHAVIOURS
@pytest.mark.rule("D-25")
def test_a_syn_that_finds_the_accept_queue_full_is_refused_by_windows_and_dropped_by_others(
    behaviour: Behaviour, family: Family
) -> None:
    lab = TcpLab(family, behaviour)
    listener = lab.listening(backlog=2)
    establish(lab, 1001, 1002)
    lab.peer.send(flags="S", seq=0, port=1003, data=b"early")
    if behaviour is WINDOWS:
        assert lab.peer.expect(flags="RA", ack=1).destination_port == 1003
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_BACKLOG_FULL] == 1

    lab.accept(listener)
    lab.peer.send(flags="S", seq=0, port=1003)
    lab.peer.expect(flags="SA")


def with_one_too_many(lab: TcpLab) -> tuple[TcpEndpoint, int]:
    """A listener whose accept queue filled up while a third handshake was under way, from the port returned."""
    listener = lab.listening(backlog=2)
    establish(lab, 1001)
    open_half(lab, 1002, 1003)
    lab.peer.send(seq=1, ack=1, port=1002)
    return listener, 1003


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4", "D-25")
def test_the_last_acknowledgement_finds_the_accept_queue_full_and_the_syn_ack_repeats(family: Family) -> None:
    lab = TcpLab(family)
    listener, port = with_one_too_many(lab)
    lab.peer.send(seq=1, ack=1, port=port)
    assert lab.stack.trace.drops[DropReason.TCP_BACKLOG_FULL] == 1
    assert lab.peer.expect(flags="SA", seq=0, ack=1, after=sec(1)).destination_port == port

    lab.accept(listener)
    lab.peer.send(seq=1, ack=1, port=port)
    assert [lab.accept(listener).remote, lab.accept(listener).remote] == [
        lab.peer.endpoint._replace(port=1002),
        lab.peer.endpoint._replace(port=port),
    ]
    lab.peer.expect_nothing(until=sec(60))


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_data_that_came_too_early_is_taken_when_the_peer_repeats_it(family: Family) -> None:
    lab = TcpLab(family)
    listener, port = with_one_too_many(lab)
    lab.peer.send(flags="PA", seq=1, ack=1, data=b"hello", port=port)
    lab.peer.expect_nothing()
    lab.accept(listener)
    lab.peer.send(flags="PA", seq=1, ack=1, data=b"hello", port=port)
    lab.accept(listener)
    assert lab.receive_all(lab.accept(listener)) == b"hello"


def test_nobody_accepts_and_the_handshake_is_given_up() -> None:
    lab = TcpLab()
    _, port = with_one_too_many(lab)
    lab.peer.send(seq=1, ack=1, port=port)
    lab.peer.drain()
    lab.clock.advance(sec(60))
    lab.peer.drain()
    assert sorted(found.remote.port for found in lab.stack.view().connections if found.remote) == [1001, 1002]


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4", "RFC5961-3.2")
def test_resets_in_both_queues_make_room(family: Family) -> None:
    lab = TcpLab(family, NO_COOKIES)
    listener = lab.listening(backlog=1)
    open_half(lab, 1001)
    lab.peer.send(flags="R", seq=2, port=1001)  # not exact
    lab.peer.drain()
    lab.peer.send(flags="S", seq=0, port=1002)
    lab.peer.expect_nothing()
    lab.peer.send(flags="R", seq=1, port=1001)
    establish(lab, 1002)
    lab.peer.send(flags="R", seq=1, port=1002)
    establish(lab, 1003)
    assert lab.accept(listener).remote == lab.peer.endpoint._replace(port=1003)
    assert listener.accept(lab.now) is None


@BEHAVIOURS
@pytest.mark.rule("RFC9293-3.8.3")
def test_each_system_repeats_its_syn_ack_as_often_as_it_does(behaviour: Behaviour) -> None:
    lab = TcpLab(behaviour=behaviour)
    lab.listening()
    open_half(lab, PEER_PORT)
    for repeated in range({WINDOWS: 2, LINUX: 5, BSD: 3}[behaviour]):
        lab.peer.expect(flags="SA", seq=0, ack=1, after=sec(1 << repeated))
    lab.peer.expect_nothing(until=sec(300))
    assert not lab.stack.view().connections


@pytest.mark.rule("RFC9293-3.10.7.3")
def test_a_connection_of_ours_that_both_sides_opened_repeats_its_syn_ack_as_a_syn() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, syn_retries=4, syn_ack_retries=1))
    lab.connecting()
    lab.peer.expect(flags="S", seq=0)
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    for pause in (1, 2, 4, 8):
        lab.peer.expect(flags="SA", seq=0, ack=1, after=sec(pause))


@FAMILIES
@pytest.mark.rule("RFC5927-5.2")
def test_an_icmp_error_leaves_a_half_open_connection_alone(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0)
    answer = lab.peer.expect(flags="SA")
    lab.peer.send_icmp_error(IcmpErrorKind.PORT_UNREACHABLE, answer)
    lab.peer.send(seq=1, ack=1)
    assert lab.accept(listener).state is State.ESTABLISHED


@FAMILIES
def test_closing_a_listener_resets_both_queues_and_leaves_nothing(family: Family) -> None:
    lab = TcpLab(family)
    listener, port = with_one_too_many(lab)
    lab.peer.drain()
    lab.close(listener)
    assert {(found.flags, found.destination_port) for found in lab.peer.drain()} == {
        ("R", 1001),
        ("R", 1002),
        ("R", port),
    }
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports
    lab.peer.send(seq=1, ack=1, port=port)
    lab.peer.expect(flags="R", seq=1)
    lab.peer.expect_nothing(until=sec(300))


@pytest.mark.rule("D-25")
@pytest.mark.parametrize("backlog", [-1, 0, 1])
def test_a_backlog_of_nothing_is_one(backlog: int) -> None:
    lab = TcpLab()
    listener = lab.listening(backlog=backlog)
    establish(lab, 1001)
    lab.peer.send(flags="S", seq=0, port=1002)
    lab.peer.expect(flags="RA")
    assert lab.accept(listener)


@FAMILIES
@pytest.mark.rule("RFC4987-3.6", "D-25")
@pytest.mark.parametrize("has_cookies", [True, False], ids=["cookies", "none"])
def test_the_memory_of_a_flood_of_syns_has_a_bound(has_cookies: bool, family: Family) -> None:
    lab = TcpLab(family, with_tcp(WINDOWS, syn_cookies=has_cookies))
    lab.listening()

    def flood(first: int, count: int) -> int:
        """From one host, so that no table of paths grows; the memory in use afterwards."""
        for port in range(first, first + count):
            lab.peer.send(flags="S", seq=port, mss=1460, scale=8, port=port)
            lab.peer.segments.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        flood(1, 1)
        before = tracemalloc.get_traced_memory()[0]
        full = flood(1000, 200) - before
        beyond = flood(2000, 2000) - before
    finally:
        tracemalloc.stop()
    assert len(lab.stack.view().connections) == 200
    assert full < 200 * 10_000
    assert beyond - full < 2000 * 400  # a label for each flow of IPv6, and what the heap of timers keeps
