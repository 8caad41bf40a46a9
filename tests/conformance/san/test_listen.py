"""WSPListen: SAN-6.4, SAN-7.WSPListen, one listener of several (SAN-5.2)."""

from __future__ import annotations

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, SanLab, san_lab
from wsknet.san.numbers import (
    FD_ACCEPT,
    NO_ERROR,
    SOMAXCONN,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy


def request(lab: SanLab, to: str = "10.0.0.2", port: int = 80, count: int = 1) -> None:
    """`count` requests from a to b."""
    a = lab.callers[0]
    for _ in range(count):
        a.connecting(a.bound("10.0.0.1", 4000 + len(a.handles)), to, port)
    lab.run()


def requests_at(caller: Caller, s: int) -> int:
    """How many wait: they are rejected."""
    count = 0
    while caller.accept(s, 1)[1] == WSAECONNREFUSED:
        count += 1
    return count


@pytest.mark.rule("SAN-7.WSPListen")
@pytest.mark.parametrize("backlog", [1, 5, 0, -3, SOMAXCONN])
def test_a_bound_socket_listens(backlog: int) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert caller.call("WSPListen", caller.bound("10.0.0.1", 80), backlog) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-7.WSPListen")
def test_who_cannot_listen() -> None:
    with san_lab() as lab:
        client, accepted, listener = lab.connected()
        a, b = lab.callers
        assert b.error("WSPListen", b.socket(), 5) == WSAEINVAL
        assert b.error("WSPListen", 3, 5) == WSAENOTSOCK
        assert b.error("WSPListen", b.bound("10.0.0.2", 81), "5") == WSAEINVAL
        assert b.error("WSPListen", accepted, 5) == WSAEISCONN
        assert a.error("WSPListen", client, 5) == WSAEISCONN
        s = a.bound("10.0.0.1", 4001)
        a.connecting(s, "10.0.0.2", 80)
        assert a.error("WSPListen", s, 5) == WSAEISCONN
        assert b.call("WSPListen", listener, 5) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-7.WSPListen", "SAN-3.2.WSAENETDOWN")
def test_nobody_listens_while_the_nics_are_down() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.bound("10.0.0.1", 80)
        lab.hosts[0].interfaces["san0"].set_up(False)
        assert caller.error("WSPListen", s, 5) == WSAENETDOWN


@pytest.mark.rule("SAN-6.4.2")
@pytest.mark.parametrize(("backlog", "room"), [(1, 1), (3, 3), (0, 1), (-7, 1), (SOMAXCONN, 4), (9, 4)])
def test_beyond_the_backlog_the_peer_is_refused_at_once_and_nothing_is_signalled(backlog: int, room: int) -> None:
    with san_lab(policy=SanPolicy(backlog_limit=4)) as lab:
        a, b = lab.callers
        listener, event = b.listening("10.0.0.2", 80, backlog)
        request(lab, count=room)
        assert event.is_set
        b.fetch(listener, event)
        s = a.bound("10.0.0.1", 5000)
        refused = a.connecting(s, "10.0.0.2", 80)
        lab.run(0.1)
        assert a.connect_error(s, refused) == WSAECONNREFUSED
        assert not event.is_set
        assert requests_at(b, listener) == room


@pytest.mark.rule("SAN-6.4.2")
def test_an_accepted_request_makes_room_in_the_backlog() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        listener, _ = b.listening("10.0.0.2", 80, 1)
        for _ in range(3):
            request(lab)
            assert b.accept(listener)[1] == UNTOUCHED


@pytest.mark.rule("SAN-5.2", "SAN-11.a6")
def test_of_several_listeners_the_first_receives_and_after_it_closes_the_next_oldest() -> None:
    """The age is that of WSPListen, not of WSPBind."""
    with san_lab() as lab:
        b = lab.callers[1]
        second = b.bound("10.0.0.2", 80)
        first, _ = b.listening("10.0.0.2", 80)
        b.ok("WSPListen", second, 5)
        third, _ = b.listening("10.0.0.2", 80)
        listeners = [first, second, third]
        while listeners:
            request(lab, count=2)
            assert [requests_at(b, each) for each in listeners] == [2, *[0] * (len(listeners) - 1)]
            b.ok("WSPCloseSocket", listeners.pop(0))


@pytest.mark.rule("SAN-5.2")
def test_requests_that_wait_at_a_listener_that_closes_go_to_the_next() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        first, _ = b.listening("10.0.0.2", 80)
        second, event = b.listening("10.0.0.2", 80)
        request(lab, count=2)
        assert not event.is_set
        b.ok("WSPCloseSocket", first)
        assert event.is_set
        assert requests_at(b, second) == 2


@pytest.mark.rule("SAN-5.2")
def test_listeners_of_different_processes_share_the_order_of_age() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        other = Caller(b.provider)
        first, _ = b.listening("10.0.0.2", 80)
        second, _ = other.listening("10.0.0.2", 80)
        request(lab)
        assert (requests_at(other, second), requests_at(b, first)) == (0, 1)
        b.ok("WSPCleanup")
        request(lab)
        assert requests_at(other, second) == 1


@pytest.mark.rule("SAN-5.3")
def test_accepted_sockets_have_the_port_of_the_listener_and_are_no_listeners() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        _, accepted, listener = lab.connected()
        b.ok("WSPCloseSocket", listener)
        s = a.bound("10.0.0.1", 4001)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert a.connect_error(s, event) == WSAECONNRESET
        assert b.error("WSPAccept", accepted, None, None, None, 0) == WSAEINVAL


@pytest.mark.rule("SAN-4.1.1", "SAN-3.4.3", "SAN-11.a1")
def test_a_wildcard_listener_of_pre_vista_hears_every_nic_of_the_provider_and_no_other() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        for host, address in zip(lab.hosts, ("10.0.1.1/24", "10.0.1.2/24"), strict=True):
            host.interfaces["san0"].add_address(address)
        listener, _ = b.listening("0.0.0.0", 80)
        for ours, theirs in (("10.0.0.1", "10.0.0.2"), ("10.0.1.1", "10.0.1.2")):
            s = a.bound(ours, 4000)
            event = a.connecting(s, theirs, 80)
            lab.run()
            assert b.accept(listener)[1] == UNTOUCHED
            lab.run()
            assert a.connect_error(s, event) == NO_ERROR


@pytest.mark.rule("SAN-5.2")
def test_a_listener_on_the_address_comes_before_an_older_one_on_the_wildcard() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        wildcard, _ = b.listening("0.0.0.0", 80)
        specific, _ = b.listening("10.0.0.2", 80)
        request(lab)
        assert (requests_at(b, wildcard), requests_at(b, specific)) == (0, 1)
        b.ok("WSPCloseSocket", specific)
        request(lab)
        assert requests_at(b, wildcard) == 1


@pytest.mark.rule("SAN-7.WSPListen")
def test_listening_again_keeps_backlog_and_role() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        listener, _ = b.listening("10.0.0.2", 80, 2)
        second, _ = b.listening("10.0.0.2", 80, 2)
        assert b.call("WSPListen", listener, 5) == (0, UNTOUCHED)
        request(lab, count=4)
        assert (requests_at(b, listener), requests_at(b, second)) == (2, 0)


@pytest.mark.rule("SAN-7.WSPListen", "SAN-5.2")
def test_a_port_where_nobody_listens_any_more_can_be_listened_on_again() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        for _ in range(3):
            listener, event = b.listening("10.0.0.2", 80)
            request(lab)
            assert b.fetch(listener, event).lNetworkEvents == FD_ACCEPT
            assert requests_at(b, listener) == 1
            assert b.accept(listener)[1] == WSAEWOULDBLOCK
            b.ok("WSPCloseSocket", listener)
