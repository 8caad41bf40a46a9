"""WSPConnect: SAN-6.3, SAN-7.WSPConnect, connections that share a name (SAN-5.1)."""

from __future__ import annotations

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, SanLab, name, san_lab, tcpip_listener
from wsknet.san.numbers import (
    AF_INET6,
    FD_CONNECT,
    NO_ERROR,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEHOSTUNREACH,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAETIMEDOUT,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.dll import SanProvider
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import WSAPROTOCOL_INFOW

FINAL = (WSAECONNRESET, WSAECONNREFUSED, WSAEHOSTUNREACH)


def connect(caller: Caller, s: object, to: object, length: object = SIZE) -> int:
    return caller.error("WSPConnect", s, to, length, None, None, None, None)


def outcome(lab: SanLab, to: str, port: int = 80, seconds: float = 30) -> int:
    """What becomes of a connect from a, which is under way at first."""
    a = lab.callers[0]
    s = a.bound("10.0.0.1", 4000)
    event = a.connecting(s, to, port)
    assert not event.is_set
    lab.run(seconds)
    return a.connect_error(s, event)


@pytest.mark.rule("SAN-6.3.2", "SAN-7.WSPConnect", "SAN-11.4")
def test_a_connect_is_under_way_until_the_peer_has_accepted_and_the_event_tells() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, _ = b.listening("10.0.0.2", 80)
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert not event.is_set
        assert b.accept(listener)[1] == UNTOUCHED
        lab.run()
        assert a.connect_error(s, event) == NO_ERROR
        assert not event.is_set
        assert a.fetch(s).lNetworkEvents == 0


@pytest.mark.rule("SAN-6.3.2")
def test_an_event_selected_after_the_result_is_there_is_set_at_once() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        s = a.bound("10.0.0.1", 4000)
        connect(a, s, name("10.0.0.2", 80))
        lab.run()
        event = a.event(s, FD_CONNECT)
        assert a.connect_error(s, event) == WSAECONNRESET
        assert b.handles == {}


@pytest.mark.rule("SAN-6.3.3")
def test_nobody_listens_there_is_a_reset() -> None:
    with san_lab() as lab:
        assert outcome(lab, "10.0.0.2", seconds=0.1) == WSAECONNRESET


@pytest.mark.rule("SAN-6.3.3", "SAN-6.5.2")
def test_a_refusal_of_the_switch_there_is_refused() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, _ = b.listening("10.0.0.2", 80)
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        b.accept(listener, 1)
        lab.run()
        assert a.connect_error(s, event) == WSAECONNREFUSED


@pytest.mark.rule("SAN-6.3.3")
def test_an_address_that_nobody_on_the_subnet_has_is_unreachable() -> None:
    with san_lab() as lab:
        assert outcome(lab, "10.0.0.77") == WSAEHOSTUNREACH


@pytest.mark.rule("SAN-6.3.3")
def test_a_host_on_the_san_without_winsock_direct_is_a_timeout_at_once_and_not_one_of_the_final_codes() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        b.ok("WSPCleanup")
        assert outcome(lab, "10.0.0.2", seconds=0.1) == WSAETIMEDOUT


@pytest.mark.rule("SAN-6.3.3")
def test_a_port_where_a_program_listens_through_tcpip_alone_is_a_timeout_so_that_the_switch_retries() -> None:
    with san_lab() as lab:
        tcpip_listener(lab.hosts[1], 80)
        assert outcome(lab, "10.0.0.2", seconds=0.1) == WSAETIMEDOUT


@pytest.mark.rule("SAN-6.3.3")
def test_a_switch_that_never_accepts_is_a_timeout_after_the_seconds_of_the_policy() -> None:
    with san_lab(policy=SanPolicy(connect_seconds=5)) as lab:
        a, b = lab.callers
        listener, event_of_listener = b.listening("10.0.0.2", 80)
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run(4.9)
        assert not event.is_set
        lab.run(0.2)
        assert a.connect_error(s, event) == WSAETIMEDOUT
        assert event_of_listener.is_set
        assert b.accept(listener)[1] != UNTOUCHED


@pytest.mark.rule("SAN-6.3.3")
def test_a_neighbour_that_was_there_and_answers_no_more_is_unreachable() -> None:
    """The links are up, and nobody says that the address is his: TCP/IP would take the same way."""
    with san_lab() as lab:
        lab.connected()
        lab.hosts[1].interfaces["san0"].set_up(False)
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4001)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run(30)
        assert a.connect_error(s, event) == WSAEHOSTUNREACH


@pytest.mark.rule("SAN-6.3.3")
def test_our_own_nic_going_down_is_a_timeout_for_nobody_can_be_asked() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.77", 80)
        lab.hosts[0].interfaces["san0"].set_up(False)
        lab.run(30)
        assert a.connect_error(s, event) not in FINAL


@pytest.mark.rule("SAN-7.WSPConnect")
@pytest.mark.parametrize(
    ("to", "length", "code"),
    [
        (None, SIZE, WSAEFAULT),
        (name("10.0.0.2", 80), SIZE - 1, WSAEFAULT),
        (bytes(8), 8, WSAEFAULT),
        (AF_INET6.to_bytes(2, "little") + bytes(26), 28, WSAEAFNOSUPPORT),
        (name("10.0.0.2", 0), SIZE, WSAEADDRNOTAVAIL),
        (name("0.0.0.0", 80), SIZE, WSAEADDRNOTAVAIL),
        (name("224.0.0.1", 80), SIZE, WSAEADDRNOTAVAIL),
        (name("255.255.255.255", 80), SIZE, WSAEADDRNOTAVAIL),
        (name("10.0.0.255", 80), SIZE, WSAEADDRNOTAVAIL),
        (name("192.0.2.2", 80), SIZE, WSAENETUNREACH),
        (name("10.0.1.2", 80), SIZE, WSAENETUNREACH),
    ],
)
def test_what_cannot_be_connected_to_fails_at_once_and_leaves_the_socket_free(
    to: object, length: int, code: int
) -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        assert connect(a, s, to, length) == code
        a.connecting(s, "10.0.0.2", 80)


@pytest.mark.rule("SAN-7.WSPConnect", "SAN-6.3.2")
def test_each_state_has_its_answer() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        to = name("10.0.0.2", 80)
        client, accepted, listener = lab.connected()
        assert connect(a, 5, None) == WSAENOTSOCK
        assert connect(a, a.socket(), to) == WSAEINVAL
        assert connect(a, a.bound("0.0.0.0", 4009), to) == WSAEINVAL
        assert connect(a, client, to) == WSAEISCONN
        assert connect(b, accepted, name("10.0.0.1", 80)) == WSAEISCONN
        assert connect(b, listener, name("10.0.0.1", 80)) == WSAEINVAL
        s = a.bound("10.0.0.1", 4001)
        a.connecting(s, "10.0.0.2", 80)
        assert connect(a, s, to) == WSAEALREADY
        b.ok("WSPCloseSocket", accepted)
        lab.run()
        assert connect(a, client, to) == WSAEISCONN


@pytest.mark.rule("SAN-7.WSPConnect", "SAN-3.2.WSAENETDOWN")
def test_no_connect_while_the_nics_are_down_or_after_the_address_is_gone() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        lab.hosts[0].interfaces["san0"].set_up(False)
        assert connect(a, s, name("10.0.0.2", 80)) == WSAENETDOWN
        lab.hosts[0].interfaces["san0"].set_up(True)
        lab.hosts[0].interfaces["san0"].remove_address("10.0.0.1")
        assert connect(a, s, name("10.0.0.2", 80)) == WSAEADDRNOTAVAIL


@pytest.mark.rule("SAN-7.WSPConnect")
def test_quality_of_service_is_not_supported() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        for qos in ((object(), None), (None, object())):
            assert a.error("WSPConnect", s, name("10.0.0.2", 80), SIZE, None, None, *qos) == WSAEOPNOTSUPP


@pytest.mark.rule("SAN-5.1", "SAN-11.a5")
def test_two_sockets_of_one_name_connect_to_different_peers_and_live_independently() -> None:
    with san_lab(3) as lab:
        a, *peers = lab.callers
        listeners = [peer.listening(f"10.0.0.{number}", 80)[0] for number, peer in enumerate(peers, 2)]
        sockets = [a.bound("10.0.0.1", 4000) for _ in peers]
        events = [a.connecting(s, f"10.0.0.{number}", 80) for number, s in enumerate(sockets, 2)]
        lab.run()
        accepted = [peer.accept(s)[0] for peer, s in zip(peers, listeners, strict=True)]
        lab.run()
        assert [a.connect_error(s, event) for s, event in zip(sockets, events, strict=True)] == [NO_ERROR, NO_ERROR]
        peers[0].ok("WSPCloseSocket", accepted[0])
        lab.run()
        assert _is_alive(a, sockets) == [False, True]


def _is_alive(caller: Caller, sockets: list[int]) -> list[bool]:
    """A socket that is connected still can be given away, one that was not."""
    return [caller.call("WSPDuplicateSocket", s, 1, WSAPROTOCOL_INFOW())[0] == 0 for s in sockets]


@pytest.mark.rule("SAN-5.1")
def test_a_second_connection_between_the_same_two_names_is_in_use_until_the_first_is_over() -> None:
    with san_lab() as lab:
        client, _, _ = lab.connected(4000)
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        assert connect(a, s, name("10.0.0.2", 80)) == WSAEADDRINUSE
        a.connecting(a.bound("10.0.0.1", 4000), "10.0.0.2", 81)
        a.ok("WSPCloseSocket", client)
        a.connecting(s, "10.0.0.2", 80)


@pytest.mark.rule("SAN-6.3.3")
def test_after_a_failure_the_socket_is_as_bound_as_before_and_may_try_again() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert a.connect_error(s, event) == WSAECONNRESET
        listener, _ = b.listening("10.0.0.2", 80)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        b.accept(listener)
        lab.run()
        assert a.connect_error(s, event) == NO_ERROR


@pytest.mark.rule("SAN-6.3.1")
def test_sockets_on_both_ends_of_one_nic_may_connect_to_each_other() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        listener, _ = a.listening("10.0.0.1", 80)
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.1", 80)
        lab.run()
        assert a.accept(listener)[1] == UNTOUCHED
        lab.run()
        assert a.connect_error(s, event) == NO_ERROR


def test_everything_goes_over_the_san_link_and_the_native_port() -> None:
    with san_lab() as lab:
        lab.connected()
        ends = {
            (connection.local.address, connection.remote.address, connection.remote.port)
            for connection in lab.hosts[0].stack.view().connections
        }
        assert ends == {(bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), SanPolicy().native_port)}


def test_a_provider_needs_nics_that_exist() -> None:
    with san_lab(1) as lab, pytest.raises(ValueError, match="no interface san9"):
        SanProvider(lab.hosts[0], ("san9",))
