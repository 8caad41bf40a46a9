"""WSPDuplicateSocket: control goes to another process, the connection stays (SAN-7.WSPDuplicateSocket)."""

from __future__ import annotations

import pytest

from tests.support.san_data import DataEnd, data_ends
from tests.support.san_lab import UNTOUCHED, Caller, SanLab, san_lab
from wsknet.san.numbers import (
    FD_ACCEPT,
    FROM_PROTOCOL_INFO,
    NO_ERROR,
    WSA_FLAG_OVERLAPPED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
)
from wsknet.san.structures import WSAPROTOCOL_INFOW

FROM_INFO = (FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO)


def give(caller: Caller, s: int) -> WSAPROTOCOL_INFOW:
    info = WSAPROTOCOL_INFOW()
    caller.ok("WSPDuplicateSocket", s, 4711, info)
    return info


def take(caller: Caller, info: WSAPROTOCOL_INFOW) -> tuple[int, int]:
    return caller.call("WSPSocket", *FROM_INFO, info, 0, WSA_FLAG_OVERLAPPED)


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_a_connection_goes_on_in_the_other_process_and_no_message_is_lost() -> None:
    with san_lab() as lab:
        one, peer = data_ends(lab)
        other = Caller(one.caller.provider)
        waiting = one.receive(one.registered(bytearray(8)), hEvent=0)
        info = give(one.caller, one.s)
        assert one.caller.told[-1][0::2] == ("complete", waiting, 0)
        peer.send_bytes(b"between")
        lab.run()
        s, error = take(other, info)
        assert error == UNTOUCHED
        new, buffer = DataEnd(other, s), bytearray(8)
        received = new.receive(new.registered(buffer))
        lab.run()
        assert (new.result(received)[2], bytes(buffer[:7])) == (7, b"between")
        answered = peer.receive(peer.registered(bytearray(5)))
        new.send_bytes(b"reply")
        lab.run()
        assert peer.result(answered) == (True, UNTOUCHED, 5)


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_the_old_descriptor_stays_but_is_of_no_use_and_closing_it_harms_nobody() -> None:
    with san_lab() as lab:
        one, peer = data_ends(lab)
        other = Caller(one.caller.provider)
        new = DataEnd(other, take(other, give(one.caller, one.s))[0])
        call = one.caller.call("WSPSend", one.s, [], 0, None, 0, None, None, None)
        assert call == (-1, WSAENOTCONN)
        assert one.caller.error("WSPDuplicateSocket", one.s, 1, WSAPROTOCOL_INFOW()) == WSAEINVAL
        one.caller.ok("WSPCloseSocket", one.s)
        assert one.caller.handles == {}
        received = peer.receive(peer.registered(bytearray(4)))
        new.send_bytes(b"good")
        lab.run()
        assert peer.result(received) == (True, UNTOUCHED, 4)


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_a_listener_takes_its_place_among_the_others_and_its_requests_along() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, _ = b.listening("10.0.0.2", 80)
        _, younger_event = b.listening("10.0.0.2", 80)
        a.connecting(a.bound("10.0.0.1", 4000), "10.0.0.2", 80)
        lab.run()
        other = Caller(b.provider)
        s, _ = take(other, give(b, listener))
        assert other.event(s, FD_ACCEPT).is_set
        assert other.accept(s)[1] == UNTOUCHED
        a.connecting(a.bound("10.0.0.1", 4001), "10.0.0.2", 80)
        lab.run()
        assert b.error("WSPAccept", listener, None, None, None, 0) == WSAEINVAL
        assert (other.accept(s, 1)[1], younger_event.is_set) == (WSAECONNREFUSED, False)


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_what_is_given_away_can_be_taken_once_and_not_after_it_was_closed_or_broken() -> None:
    with san_lab() as lab:
        one, peer = data_ends(lab)
        other = Caller(one.caller.provider)
        info = give(one.caller, one.s)
        s, _ = take(other, info)
        assert take(other, info)[1] == WSAEINVAL
        again = give(other, s)
        peer.caller.ok("WSPCloseSocket", peer.s)
        lab.run()
        assert take(one.caller, again)[1] == WSAEINVAL
        listener, _ = other.listening("10.0.0.1", 90)
        closed = give(other, listener)
        other.ok("WSPCloseSocket", listener)
        assert take(one.caller, closed)[1] == WSAEINVAL
        assert len(one.caller.handles) == 1
        other.ok("WSPCloseSocket", s)
        assert other.provider.proxy.handed_over == {}


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_who_cannot_be_given_away() -> None:
    with san_lab() as lab:
        client, accepted, listener = lab.connected()
        a, b = lab.callers
        info = WSAPROTOCOL_INFOW()
        assert a.error("WSPDuplicateSocket", 3, 1, info) == WSAENOTSOCK
        assert a.error("WSPDuplicateSocket", client, 1, None) == WSAEFAULT
        for process in (0, -1, None, "1"):
            assert a.error("WSPDuplicateSocket", client, process, info) == WSAEINVAL
        connecting = a.bound("10.0.0.1", 4001)
        a.connecting(connecting, "10.0.0.2", 80)
        for s in (a.socket(), a.bound("10.0.0.1", 4002), connecting):
            assert a.error("WSPDuplicateSocket", s, 1, info) == WSAEINVAL
        b.ok("WSPCloseSocket", accepted)
        lab.run()
        assert a.error("WSPDuplicateSocket", client, 1, info) == WSAEINVAL
        assert b.call("WSPDuplicateSocket", listener, 1, info) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_between_two_processes_the_end_of_the_connection_is_noticed() -> None:
    with san_lab() as lab:
        one, peer = data_ends(lab)
        give(one.caller, one.s)
        received = peer.receive(peer.registered(bytearray(4)))
        one.caller.ok("WSPCloseSocket", one.s)
        lab.run()
        assert peer.result(received)[:2] == (False, WSAECONNRESET)
        assert _is_free(lab)


def _is_free(lab: SanLab) -> bool:
    """The name that was given away has gone with its connection: it may be used for the same one again."""
    a, b = lab.callers
    listener, _ = b.listening("10.0.0.2", 80)
    s = a.bound("10.0.0.1", 4000)
    event = a.connecting(s, "10.0.0.2", 80)
    lab.run()
    b.accept(next(iter(b.handles.values())))
    b.accept(listener)
    lab.run()
    return a.connect_error(s, event) == NO_ERROR
