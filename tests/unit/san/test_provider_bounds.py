"""What a provider keeps for others is bounded in number and time, and given back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.san_lab import SanLab, nic_connection, san_lab
from wsknet.errors import ErrorKind
from wsknet.san.numbers import AF_INET, IPPROTO_TCP, SOCK_STREAM, WSAECONNRESET, WSAENETDOWN
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.farewell import LINGER, MOST_REJECTED
from wsknet.san.provider.native import Request, encode
from wsknet.san.provider.proxy import MOST_KNOCKING
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import SECOND, Endpoint

POLICY = SanPolicy()
B = parse_address("10.0.0.2")


def knock(lab: SanLab, count: int) -> list[TcpEndpoint]:
    """Connections to the NIC of b, over which nothing is said."""
    found = [nic_connection(lab) for _ in range(count)]
    lab.run()
    return found


def ask(lab: SanLab, endpoints: list[TcpEndpoint]) -> None:
    """Each asks for a connection where nobody listens, and does not close its side when it is rejected."""
    for number, endpoint in enumerate(endpoints):
        source = Endpoint(parse_address("10.0.0.1"), 1_000 + number)
        with lab.hosts[0].pump as now:
            for part in encode(Request(source, Endpoint(B, 80))):
                endpoint.send(bytes(part), now)
        lab.run(0.001)
    lab.run()


def reset(endpoints: list[TcpEndpoint]) -> list[bool]:
    return [endpoint.error is ErrorKind.RESET for endpoint in endpoints]


def test_of_nics_that_do_not_say_what_they_want_only_so_many_are_listened_to() -> None:
    with san_lab() as lab:
        endpoints = knock(lab, MOST_KNOCKING + 3)
        assert reset(endpoints) == [True] * 3 + [False] * MOST_KNOCKING
        lab.connected()
        lab.run(POLICY.connect_seconds)
        assert all(reset(endpoints))


def test_of_rejected_nics_that_do_not_close_their_side_only_so_many_are_waited_for() -> None:
    with san_lab() as lab:
        endpoints: list[TcpEndpoint] = []
        for count in (200, MOST_REJECTED + 3 - 200):
            some = knock(lab, count)
            ask(lab, some)
            endpoints += some
        assert reset(endpoints) == [True] * 3 + [False] * MOST_REJECTED
        assert all(endpoint.peer_finished for endpoint in endpoints[3:])
        lab.run(LINGER // SECOND)
        assert all(reset(endpoints))
        again = knock(lab, 1)
        ask(lab, again)
        assert reset(again) == [False]


def test_a_rejected_nic_that_closes_its_side_makes_room_for_another() -> None:
    with san_lab() as lab:
        first = knock(lab, 1)
        ask(lab, first)
        for number in range(MOST_REJECTED):
            a = lab.callers[0]
            s = a.bound("10.0.0.1", 5_000)
            event = a.connecting(s, "10.0.0.2", 80)
            lab.run(0.01)
            assert a.connect_error(s, event) == WSAECONNRESET, number
            a.ok("WSPCloseSocket", s)
        assert reset(first) == [False]


def test_the_last_cleanup_resets_those_who_have_not_said_what_they_want() -> None:
    with san_lab() as lab:
        endpoints = knock(lab, 2)
        assert [endpoint.state for endpoint in endpoints] == [State.ESTABLISHED] * 2
        lab.callers[1].ok("WSPCleanup")
        lab.run()
        assert all(reset(endpoints))


@pytest.mark.rule("SAN-7.WSPCleanup", "SAN-6.7.2")
def test_a_handle_that_the_switch_gives_during_the_last_cleanup_is_given_back() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        create = caller.upcalls.lpWPUCreateSocketHandle

        def create_late(*arguments: Any) -> int:
            handle: int = create(*arguments)
            caller.ok("WSPCleanup")
            return handle

        caller.upcalls.lpWPUCreateSocketHandle = create_late
        assert caller.error("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, 0) == WSAENETDOWN
        assert [what for what, _ in caller.told] == ["closed"]
        assert not caller.handles
