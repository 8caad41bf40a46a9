"""WSPAccept and its condition function: SAN-6.5, SAN-7.WSPAccept."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, SanLab, name, san_lab
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    NO_ERROR,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMFILE,
    WSAENETDOWN,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT


class Asked:
    """A connect of a that b has not answered yet."""

    def __init__(self, lab: SanLab, port: int = 4000) -> None:
        self.lab = lab
        self.a, self.b = lab.callers
        self.listener, self.event = self.b.listening("10.0.0.2", 80)
        self.client, self.connect_event = self.ask(port)

    def ask(self, port: int) -> tuple[int, WSAEVENT]:
        s = self.a.bound("10.0.0.1", port)
        event = self.a.connecting(s, "10.0.0.2", 80)
        self.lab.run()
        return s, event

    def outcome(self) -> int | None:
        self.lab.run()
        return self.a.connect_error(self.client, self.connect_event) if self.connect_event.is_set else None

    def accept(self, condition: Any, addr: Any = None, addrlen: Any = None, data: Any = 0) -> tuple[int, int]:
        return self.b.call("WSPAccept", self.listener, addr, addrlen, condition, data)


@pytest.mark.rule("SAN-6.5.1", "SAN-11.5", "SAN-7.WSPAccept")
def test_event_then_enumeration_then_accept_with_the_condition_function() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        b = asked.b
        assert asked.event.is_set
        events = b.fetch(asked.listener, asked.event)
        assert events.lNetworkEvents == FD_ACCEPT
        seen: list[Any] = []

        def condition(*arguments: Any) -> int:
            seen.extend(arguments)
            assert asked.outcome() is None, "the peer was answered before the condition function returned"
            seen.append(get_ident())
            return CF_ACCEPT

        s, error = asked.accept(condition, data=4711)
        assert error == UNTOUCHED
        caller, caller_data, sqos, gqos, callee, callee_data, g, callback_data, thread = seen
        assert bytes(caller.view) == bytes(name("10.0.0.1", 4000))
        assert bytes(callee.view) == bytes(name("10.0.0.2", 80))
        assert (caller_data, sqos, gqos, callee_data.len, g.Value) == (None, None, None, 0, 0)
        assert (callback_data, thread) == (4711, get_ident())
        assert s in b.handles.values()
        assert asked.outcome() == NO_ERROR


@pytest.mark.rule("SAN-7.WSPAccept")
def test_the_address_of_the_peer_is_its_companion_name() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        addr, addrlen = SOCKADDR_IN(), INT(64)
        asked.accept(lambda *_: CF_ACCEPT, addr, addrlen)
        assert (addr, addrlen.Value) == (name("10.0.0.1", 4000), SIZE)


@pytest.mark.rule("SAN-7.WSPAccept")
@pytest.mark.parametrize(("addr", "addrlen"), [(SOCKADDR_IN(), None), (None, INT(SIZE))])
def test_without_the_address_or_its_length_nothing_is_told_of_the_peer(
    addr: SOCKADDR_IN | None, addrlen: INT | None
) -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        assert asked.accept(lambda *_: CF_ACCEPT, addr, addrlen)[1] == UNTOUCHED
        assert asked.outcome() == NO_ERROR
        assert addr is None or addr == SOCKADDR_IN()


@pytest.mark.rule("SAN-6.5.2", "SAN-7.WSPAccept")
def test_a_rejected_request_is_refused_on_both_sides() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        addr, addrlen = SOCKADDR_IN(), INT(SIZE)
        assert asked.accept(lambda *_: CF_REJECT, addr, addrlen) == (INVALID_SOCKET, WSAECONNREFUSED)
        assert (addr, addrlen.Value) == (name("10.0.0.1", 4000), SIZE)  # filled whatever the function says
        assert asked.outcome() == WSAECONNREFUSED
        assert len(asked.b.handles) == 1


@pytest.mark.rule("SAN-6.5.2")
@pytest.mark.parametrize("verdict", [CF_ACCEPT, CF_REJECT])
def test_the_event_is_reset_so_that_the_next_request_can_set_it(verdict: int) -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.b.fetch(asked.listener)
        assert asked.event.is_set
        asked.accept(lambda *_: verdict)
        assert not asked.event.is_set
        asked.ask(4001)
        assert asked.event.is_set


@pytest.mark.rule("SAN-6.5.2")
def test_a_request_that_waits_already_sets_the_event_again_after_each_accept() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.ask(4001)
        b = asked.b
        assert b.fetch(asked.listener, asked.event).lNetworkEvents == FD_ACCEPT
        assert not asked.event.is_set
        asked.accept(lambda *_: CF_ACCEPT)
        assert asked.event.is_set
        assert b.fetch(asked.listener, asked.event).lNetworkEvents == FD_ACCEPT
        asked.accept(lambda *_: CF_ACCEPT)
        assert not asked.event.is_set
        assert asked.accept(lambda *_: CF_ACCEPT) == (INVALID_SOCKET, WSAEWOULDBLOCK)


@pytest.mark.rule("SAN-6.5.2")
def test_the_oldest_request_comes_first() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.ask(4001)
        addr = SOCKADDR_IN()
        ports = []
        for _ in range(2):
            asked.accept(lambda *_: CF_ACCEPT, addr, INT(SIZE))
            ports.append(addr.port)
        assert ports == [4000, 4001]


@pytest.mark.rule("SAN-7.WSPAccept")
@pytest.mark.parametrize("verdict", [CF_DEFER, 7, -1, None, "0"])
def test_another_result_of_the_condition_function_is_invalid_and_decides_nothing(verdict: object) -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        assert asked.accept(lambda *_: verdict) == (INVALID_SOCKET, WSAEINVAL)
        assert asked.outcome() is None
        assert asked.accept(lambda *_: CF_ACCEPT)[1] == UNTOUCHED
        assert asked.outcome() == NO_ERROR


@pytest.mark.rule("SAN-7.WSPAccept")
def test_what_the_condition_function_raises_comes_out_and_decides_nothing() -> None:
    with san_lab() as lab:
        asked = Asked(lab)

        def condition(*_: object) -> int:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            asked.accept(condition)
        assert asked.accept(None)[1] == UNTOUCHED
        assert asked.outcome() == NO_ERROR


@pytest.mark.rule("SAN-7.WSPAccept")
@pytest.mark.parametrize(
    ("addr", "addrlen", "condition"),
    [
        (SOCKADDR_IN(), INT(SIZE - 1), None),
        (SOCKADDR_IN(), INT(-1), None),
        (bytes(16), INT(SIZE), None),
        (None, None, 0x401000),
        (None, None, "function"),
    ],
)
def test_no_room_for_the_address_or_no_function_is_a_fault_and_the_request_waits(
    addr: object, addrlen: object, condition: object
) -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        assert asked.accept(condition, addr, addrlen) == (INVALID_SOCKET, WSAEFAULT)
        assert asked.accept(lambda *_: CF_ACCEPT)[1] == UNTOUCHED


@pytest.mark.rule("SAN-7.WSPAccept")
def test_who_cannot_accept() -> None:
    with san_lab() as lab:
        client, accepted, listener = lab.connected()
        a, b = lab.callers
        assert b.accept(listener) == (INVALID_SOCKET, WSAEWOULDBLOCK)
        assert b.accept(1) == (INVALID_SOCKET, WSAENOTSOCK)
        for caller, s in ((b, b.socket()), (b, b.bound("10.0.0.2", 81)), (b, accepted), (a, client)):
            assert caller.accept(s) == (INVALID_SOCKET, WSAEINVAL)
        lab.hosts[1].interfaces["san0"].set_up(False)
        assert b.accept(listener) == (INVALID_SOCKET, WSAENETDOWN)


@pytest.mark.rule("SAN-6.2.3", "SAN-7.WSPAccept")
def test_without_a_handle_of_the_switch_there_is_no_socket_and_the_peer_may_try_tcpip() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.b.handle_error = WSAEMFILE
        assert asked.accept(lambda *_: CF_ACCEPT) == (INVALID_SOCKET, WSAEMFILE)
        assert asked.outcome() == WSAETIMEDOUT


@pytest.mark.rule("SAN-7.WSPAccept")
def test_beyond_the_sockets_of_the_provider_there_are_no_buffers() -> None:
    with san_lab(policy=SanPolicy(sockets_limit=1)) as lab:
        asked = Asked(lab)
        assert asked.accept(lambda *_: CF_ACCEPT) == (INVALID_SOCKET, WSAENOBUFS)
        assert asked.outcome() == WSAETIMEDOUT


@pytest.mark.rule("SAN-7.WSPAccept")
def test_a_peer_that_gives_up_takes_its_request_from_the_queue() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.a.ok("WSPCloseSocket", asked.client)
        lab.run()
        assert asked.accept(lambda *_: CF_ACCEPT) == (INVALID_SOCKET, WSAEWOULDBLOCK)


@pytest.mark.rule("SAN-7.WSPAccept")
def test_a_peer_that_gives_up_while_the_condition_function_runs_is_a_reset() -> None:
    with san_lab() as lab:
        asked = Asked(lab)

        def condition(*_: object) -> int:
            asked.a.ok("WSPCloseSocket", asked.client)
            lab.run()
            return CF_ACCEPT

        assert asked.accept(condition) == (INVALID_SOCKET, WSAECONNRESET)
        assert len(asked.b.handles) == 1


@pytest.mark.rule("SAN-7.WSPAccept", "SAN-6.2.3")
def test_a_peer_that_gives_up_while_the_switch_makes_a_handle_is_a_reset_and_the_handle_goes_back() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        plain = asked.b.upcalls.lpWPUCreateSocketHandle

        def create(*arguments: Any) -> int:
            asked.a.ok("WSPCloseSocket", asked.client)
            lab.run()
            return plain(*arguments)

        asked.b.upcalls.lpWPUCreateSocketHandle = create
        assert asked.accept(lambda *_: CF_ACCEPT) == (INVALID_SOCKET, WSAECONNRESET)
        assert list(asked.b.handles.values()) == [asked.listener]
        assert asked.b.told[-1][0] == "closed"


@pytest.mark.rule("SAN-7.WSPAccept")
@pytest.mark.parametrize("verdict", [CF_ACCEPT, CF_REJECT])
def test_the_listener_may_be_closed_in_the_condition_function(verdict: int) -> None:
    with san_lab() as lab:
        asked = Asked(lab)

        def condition(*_: object) -> int:
            asked.b.ok("WSPCloseSocket", asked.listener)
            return verdict

        expected, told = (WSAENOTSOCK, WSAECONNRESET) if verdict == CF_ACCEPT else (WSAECONNREFUSED, WSAECONNREFUSED)
        assert asked.accept(condition) == (INVALID_SOCKET, expected)
        assert asked.outcome() == told


@pytest.mark.rule("SAN-6.5.2")
def test_a_condition_function_may_accept_the_next_request_by_itself() -> None:
    with san_lab() as lab:
        asked = Asked(lab)
        asked.ask(4001)
        inner: list[int] = []

        def condition(*_: object) -> int:
            inner.append(asked.accept(None)[0])
            return CF_ACCEPT

        outer, error = asked.accept(condition)
        assert error == UNTOUCHED
        assert sorted([outer, *inner]) == sorted(s for s in asked.b.handles.values() if s != asked.listener)


def test_a_peer_that_says_nothing_is_reset_after_the_seconds_of_the_policy() -> None:
    from wsknet.types import Cover, Endpoint, LocalName

    with san_lab(policy=SanPolicy(connect_seconds=3)) as lab:
        Caller(lab.callers[1].provider)
        endpoint = lab.hosts[0].stack.tcp.open(Cover.IPV4)
        with lab.hosts[0].pump as now:
            endpoint.bind(LocalName(Cover.IPV4, None, 0), now)
            endpoint.connect(Endpoint(bytes((10, 0, 0, 2)), SanPolicy().native_port), now)
        lab.run(2.9)
        assert endpoint.error is None
        lab.run(1)
        assert endpoint.error is not None
