"""WSPCloseSocket: SAN-6.7, SAN-7.WSPCloseSocket."""

from __future__ import annotations

import pytest

from tests.support.san_data import DataEnd, data_ends
from tests.support.san_lab import UNTOUCHED, Caller, SanLab, name, san_lab
from wsknet.san.numbers import (
    FD_CONNECT,
    INVALID_SOCKET,
    NO_ERROR,
    WSA_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy


def connections(lab: SanLab) -> list[int]:
    """TCP connections of each host that are neither closed nor in TIME-WAIT."""
    return [
        sum(each.state not in ("CLOSED", "TIME_WAIT") for each in host.stack.view().connections) for host in lab.hosts
    ]


def sockets_of_every_state(lab: SanLab) -> dict[str, tuple[Caller, int]]:
    client, accepted, listener = lab.connected()
    a, b = lab.callers
    connecting = a.bound("10.0.0.1", 4001)
    a.connecting(connecting, "10.0.0.2", 80)
    failed = a.bound("10.0.0.1", 4002)
    a.connecting(failed, "10.0.0.2", 81)
    lab.run()
    return {
        "unbound": (a, a.socket()),
        "bound": (a, a.bound("10.0.0.1", 4003)),
        "connecting": (a, connecting),
        "failed": (a, failed),
        "connected": (a, client),
        "accepted": (b, accepted),
        "listening": (b, listener),
    }


@pytest.mark.rule("SAN-6.7.2", "SAN-7.WSPCloseSocket")
def test_in_every_state_the_last_up_call_gives_the_handle_back_and_the_descriptor_is_none_any_more() -> None:
    with san_lab() as lab:
        for state, (caller, s) in sockets_of_every_state(lab).items():
            handle = next(handle for handle, descriptor in caller.handles.items() if descriptor == s)
            assert caller.call("WSPCloseSocket", s) == (NO_ERROR, UNTOUCHED), state
            assert caller.told[-1] == ("closed", handle), state
            assert caller.error("WSPCloseSocket", s) == WSAENOTSOCK, state
        lab.run(30)
        assert [caller.handles for caller in lab.callers] == [{}, {}]
        assert connections(lab) == [0, 0]


@pytest.mark.rule("SAN-7.WSPCloseSocket")
def test_a_closed_name_can_be_bound_again_at_once() -> None:
    with san_lab(1, SanPolicy(names_limit=1)) as lab:
        caller = lab.callers[0]
        for _ in range(3):
            caller.ok("WSPCloseSocket", caller.bound("10.0.0.1", 80))


@pytest.mark.rule("SAN-6.7.3")
def test_closing_takes_a_request_back_at_once() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, _ = b.listening("10.0.0.2", 80)
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run(0.1)
        a.ok("WSPCloseSocket", s)
        lab.run(0.1)
        assert connections(lab) == [0, 0]
        assert b.accept(listener) == (INVALID_SOCKET, WSAEWOULDBLOCK)
        lab.run(30)
        assert not event.is_set


@pytest.mark.rule("SAN-6.7.3")
def test_a_request_to_nobody_is_taken_back_without_a_trace() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.99", 80)
        a.ok("WSPCloseSocket", s)
        lab.run(60)
        assert (event.is_set, connections(lab)) == (False, [0, 0])


@pytest.mark.rule("SAN-6.7.2")
def test_the_peer_s_receives_are_reset_and_its_socket_stays_until_it_is_closed() -> None:
    with san_lab() as lab:
        one, other = data_ends(lab)
        received = other.receive(other.registered(bytearray(8)))
        one.caller.ok("WSPCloseSocket", one.s)
        lab.run()
        assert other.result(received)[:2] == (False, WSAECONNRESET)
        assert other.s in other.caller.handles.values()
        assert connections(lab)[1] == 0
        other.caller.ok("WSPCloseSocket", other.s)
        lab.run()
        assert other.s not in other.caller.handles.values()


@pytest.mark.rule("SAN-6.7.2", "SAN-7.WSPCloseSocket")
def test_everything_that_waits_is_told_before_the_handle_goes() -> None:
    with san_lab() as lab:
        one, _ = data_ends(lab)
        waiting = [one.receive(one.registered(bytearray(8)), hEvent=event) for event in (0, 1, 0)]
        (handle,) = one.caller.handles
        one.caller.ok("WSPCloseSocket", one.s)
        assert one.caller.told == [
            ("complete", handle, waiting[0], WSA_OPERATION_ABORTED, 0),
            ("complete", handle, waiting[2], WSA_OPERATION_ABORTED, 0),
            ("closed", handle),
        ]
        assert waiting[1].Internal == WSA_OPERATION_ABORTED


@pytest.mark.rule("SAN-6.7.2")
def test_the_switch_may_close_a_socket_from_a_completion() -> None:
    with san_lab() as lab:
        one, other = data_ends(lab)
        other.receive(other.registered(bytearray(8)), hEvent=0)
        plain = other.caller.upcalls.lpWPUCompleteOverlappedRequest

        def complete(*arguments: object) -> int:
            plain(*arguments)
            other.caller.ok("WSPCloseSocket", other.s)
            return 0

        other.caller.upcalls.lpWPUCompleteOverlappedRequest = complete
        one.caller.ok("WSPCloseSocket", one.s)
        lab.run()
        assert [told[0] for told in other.caller.told] == ["complete", "closed"]


@pytest.mark.rule("SAN-5.1", "SAN-7.WSPCloseSocket")
def test_one_socket_of_a_name_closes_without_touching_the_others() -> None:
    with san_lab(3) as lab:
        a = lab.callers[0]
        ends = []
        for number in (2, 3):
            peer = lab.callers[number - 1]
            listener, _ = peer.listening(f"10.0.0.{number}", 80)
            s = a.bound("10.0.0.1", 4000)
            a.connecting(s, f"10.0.0.{number}", 80)
            lab.run()
            ends.append((DataEnd(a, s), DataEnd(peer, peer.accept(listener)[0])))
        lab.run()
        a.ok("WSPCloseSocket", ends[0][0].s)
        lab.run()
        near, far = ends[1]
        received = far.receive(far.registered(bytearray(5)))
        near.send_bytes(b"alive")
        lab.run()
        assert far.result(received) == (True, UNTOUCHED, 5)


@pytest.mark.rule("SAN-6.7.2")
def test_a_peer_whose_host_vanishes_breaks_the_connection_and_nothing_else() -> None:
    with san_lab() as lab:
        one, _ = data_ends(lab)
        lab.hosts[1].interfaces["san0"].set_up(False)
        sent = one.send_bytes(b"into the void")
        lab.run(600)
        succeeded, error, _ = one.result(sent)
        assert (succeeded, error != UNTOUCHED) == (False, True)
        assert one.caller.call("WSPCloseSocket", one.s) == (NO_ERROR, UNTOUCHED)


@pytest.mark.rule("SAN-6.7.3", "SAN-6.3.3")
def test_cleanup_while_a_connect_is_under_way_ends_it() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        b.listening("10.0.0.2", 80)
        s = a.bound("10.0.0.1", 4000)
        a.connecting(s, "10.0.0.2", 80)
        t = a.bound("10.0.0.1", 4001)
        event = a.event(t, FD_CONNECT)
        lab.run()
        b.ok("WSPCleanup")
        lab.run()
        assert a.fetch(s).iErrorCode[4] in (WSAECONNRESET, WSAETIMEDOUT)
        assert a.error("WSPConnect", t, name("10.0.0.2", 80), 16, None, None, None, None) == WSAEWOULDBLOCK
        a.ok("WSPCleanup")
        lab.run(30)
        assert (event.is_set, connections(lab), a.handles) == (False, [0, 0], {})
