"""WSPEventSelect and WSPEnumNetworkEvents: SAN-7.WSPEventSelect, SAN-7.WSPEnumNetworkEvents."""

from __future__ import annotations

import pytest

from tests.support.san_lab import UNTOUCHED, name, san_lab
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_ACCEPT_BIT,
    FD_CLOSE,
    FD_CONNECT,
    FD_CONNECT_BIT,
    FD_READ,
    NO_ERROR,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
)
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import WSANETWORKEVENTS


@pytest.mark.rule("SAN-7.WSPEventSelect")
@pytest.mark.parametrize("events", [FD_READ, FD_CLOSE | FD_ACCEPT, -1, None, "8", 1 << 40])
def test_only_the_two_events_of_connections_can_be_selected(events: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        event = WSAEVENT(lab.hosts[0])
        assert caller.error("WSPEventSelect", caller.socket(), event, events) == WSAEINVAL


@pytest.mark.rule("SAN-7.WSPEventSelect")
def test_events_need_a_socket_and_an_object() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        assert caller.error("WSPEventSelect", 2, WSAEVENT(lab.hosts[0]), FD_ACCEPT) == WSAENOTSOCK
        for no_event in (None, 0, 12, "event"):
            assert caller.error("WSPEventSelect", s, no_event, FD_ACCEPT) == WSAEINVAL
        for either in (FD_ACCEPT, FD_CONNECT, FD_ACCEPT | FD_CONNECT, 0):
            assert caller.call("WSPEventSelect", s, WSAEVENT(lab.hosts[0]), either) == (0, UNTOUCHED)
        assert caller.call("WSPEventSelect", s, None, 0) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-7.WSPEnumNetworkEvents")
def test_an_event_is_told_once_with_its_error_and_the_object_is_reset() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        for expected, error in ((FD_CONNECT, WSAECONNRESET), (0, NO_ERROR)):
            events = a.fetch(s, event)
            assert (events.lNetworkEvents, events.iErrorCode[FD_CONNECT_BIT]) == (expected, error)
            assert not event.is_set


@pytest.mark.rule("SAN-7.WSPEnumNetworkEvents")
def test_without_an_object_only_the_record_is_cleared() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert a.fetch(s).lNetworkEvents == FD_CONNECT
        assert event.is_set


@pytest.mark.rule("SAN-7.WSPEnumNetworkEvents")
def test_what_cannot_be_enumerated_stays_on_record() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert a.error("WSPEnumNetworkEvents", 3, event, WSANETWORKEVENTS()) == WSAENOTSOCK
        assert a.error("WSPEnumNetworkEvents", s, event, None) == WSAEFAULT
        assert a.error("WSPEnumNetworkEvents", s, 5, WSANETWORKEVENTS()) == WSAEINVAL
        assert event.is_set
        assert a.connect_error(s, event) == WSAECONNRESET


@pytest.mark.rule("SAN-7.WSPEventSelect", "SAN-6.5.1")
def test_a_request_that_waits_signals_when_it_is_selected_and_again_at_each_selection() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener = b.bound("10.0.0.2", 80)
        b.ok("WSPListen", listener, 5)
        a.connecting(a.bound("10.0.0.1", 4000), "10.0.0.2", 80)
        lab.run()
        for _ in range(2):
            event = b.event(listener, FD_ACCEPT)
            assert event.is_set
            events = b.fetch(listener, event)
            assert (events.lNetworkEvents, events.iErrorCode[FD_ACCEPT_BIT]) == (FD_ACCEPT, NO_ERROR)


@pytest.mark.rule("SAN-6.5.2", "SAN-7.WSPEventSelect")
def test_a_second_request_does_not_signal_before_the_first_was_looked_at() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, event = b.listening("10.0.0.2", 80)
        a.connecting(a.bound("10.0.0.1", 4000), "10.0.0.2", 80)
        lab.run()
        b.fetch(listener, event)
        a.connecting(a.bound("10.0.0.1", 4001), "10.0.0.2", 80)
        lab.run()
        assert not event.is_set
        b.accept(listener)
        assert event.is_set


@pytest.mark.rule("SAN-7.WSPEventSelect")
def test_a_new_selection_replaces_the_old_one_and_none_ends_it() -> None:
    with san_lab() as lab:
        a = lab.callers[0]
        s = a.bound("10.0.0.1", 4000)
        first, second = a.event(s, FD_CONNECT), a.event(s, FD_ACCEPT)
        a.error("WSPConnect", s, name("10.0.0.2", 80), SIZE, None, None, None, None)
        lab.run()
        assert (first.is_set, second.is_set) == (False, False)
        assert a.fetch(s).lNetworkEvents == 0
        third = a.event(s, FD_CONNECT)
        assert third.is_set
        a.ok("WSPEventSelect", s, None, 0)
        assert a.fetch(s).lNetworkEvents == 0
