"""SO_CONDITIONAL_ACCEPT: over the SAN, too, nobody is answered before the condition function has decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.san_switch import Program, World, san_world
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FD_ACCEPT,
    NO_ERROR,
    SO_CONDITIONAL_ACCEPT,
    WSAECONNREFUSED,
    WSAEINVAL,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import WSABUF

SERVER = "10.9.0.2"
WAYS = pytest.mark.parametrize("sans", ["ab", ""], ids=["san", "tcpip"])


class Lab:
    def __init__(self, world: World, backlog: int) -> None:
        self.world = world
        self.client, self.server = world.program("a"), world.program("b")
        self.listener = self.server.bound("0.0.0.0")
        self.server.option(self.listener, SO_CONDITIONAL_ACCEPT)
        self.server.ok("WSPListen", self.listener, backlog)

    def connecting(self, port: int = 4_000) -> tuple[int, list[Any]]:
        s = self.client.bound("0.0.0.0", port)
        results = self.world.start(self.client.connect, s, SERVER)
        self.world.run()
        return s, results

    def accept(self, *verdicts: int) -> int:
        """0, or the error; the condition function says `verdicts` in turn."""
        left = list(verdicts)
        function: Any = self.world.do(self.server.code, "WSPAccept", self.listener, None, None,
                                      lambda *arguments: left.pop(0), None)  # fmt: skip
        assert not left
        code: int = function
        return code


@contextmanager
def lab(sans: str, backlog: int = 5) -> Iterator[Lab]:
    with san_world(sans=sans) as world:
        yield Lab(world, backlog)


@WAYS
@pytest.mark.rule("SAN-6.5.1")
def test_nobody_is_answered_before_the_application_accepts(sans: str) -> None:
    with lab(sans) as here:
        _, results = here.connecting()
        assert results == []
        if sans:
            assert here.world.spies["b"].named("WSPAccept") == []
        assert here.accept(CF_ACCEPT) == NO_ERROR
        assert here.world.wait(results) == NO_ERROR


@WAYS
@pytest.mark.rule("SAN-6.5.2", "SAN-6.3.3")
def test_a_rejected_peer_is_refused_and_does_not_ask_again_through_tcpip(sans: str) -> None:
    with lab(sans) as here:
        _, results = here.connecting()
        here.world.forget()
        assert here.accept(CF_REJECT) == WSAECONNREFUSED
        assert here.world.wait(results) == WSAECONNREFUSED
        assert not sans or here.world.link == "native"


@WAYS
@pytest.mark.rule("SAN-6.5.1")
def test_a_deferred_peer_waits_and_is_shown_again(sans: str) -> None:
    with lab(sans) as here:
        _, results = here.connecting()
        for _ in range(3):
            assert here.accept(CF_DEFER) == WSATRY_AGAIN
            here.world.run()
            assert results == []
        assert here.accept(77) == WSAEINVAL
        assert here.accept(CF_ACCEPT) == NO_ERROR
        assert here.world.wait(results) == NO_ERROR
        assert not sans or here.world.link == "native"


@WAYS
@pytest.mark.rule("SAN-6.5.2")
def test_each_peer_is_shown_once_in_order(sans: str) -> None:
    with lab(sans) as here:
        verdicts = {4_000: CF_ACCEPT, 4_001: CF_REJECT, 4_002: CF_ACCEPT}
        sockets = [here.connecting(port) for port in verdicts]
        asked: list[int] = []

        def condition(lpCallerId: WSABUF, *rest: Any) -> int:
            asked.append(SOCKADDR_IN.parse(lpCallerId.buf).port)
            return verdicts[asked[-1]]

        codes = [
            here.world.do(here.server.code, "WSPAccept", here.listener, None, None, condition, None) for _ in range(3)
        ]
        assert sorted(codes) == [NO_ERROR, NO_ERROR, WSAECONNREFUSED]
        assert asked == [*verdicts]
        here.world.run()
        assert [results for _, results in sockets] == [[NO_ERROR], [WSAECONNREFUSED], [NO_ERROR]]


@WAYS
@pytest.mark.rule("SAN-6.5.1")
def test_a_program_that_waits_in_accept_hears_of_the_peer(sans: str) -> None:
    with lab(sans) as here:
        accepted = here.world.start(here.server.accept, here.listener, lambda *arguments: CF_ACCEPT)
        s, results = here.connecting()
        assert here.world.wait(results) == NO_ERROR
        assert here.server.peer(here.world.wait(accepted)) == here.client.name(s)


@WAYS
@pytest.mark.rule("SAN-6.5.1", "SAN-7.WSPEnumNetworkEvents")
def test_the_network_event_tells_of_one_who_waits_and_of_the_connection(sans: str) -> None:
    with lab(sans) as here:
        server, listener = here.server, here.listener
        event = server.select(listener, FD_ACCEPT)
        assert server.error("WSPAccept", listener, None, None, None, None) == WSAEWOULDBLOCK
        _, results = here.connecting()
        assert server.happened(listener, event).lNetworkEvents == FD_ACCEPT
        assert server.error("WSPAccept", listener, None, None, lambda *arguments: CF_ACCEPT, None) == WSAEWOULDBLOCK
        assert here.world.wait(results) == NO_ERROR
        here.world.run()
        assert server.happened(listener, event).lNetworkEvents == FD_ACCEPT
        server.accept(listener, lambda *arguments: CF_REJECT)  # it is not asked again


@WAYS
@pytest.mark.rule("SAN-6.5.1", "SAN-6.7.3")
def test_one_who_gives_up_is_not_accepted(sans: str) -> None:
    with lab(sans) as here:
        s, _ = here.connecting()
        here.client.close(s)
        here.world.run()
        accepted = here.world.start(here.server.accept, here.listener, lambda *arguments: CF_ACCEPT)
        here.world.run()
        assert accepted == []
        other, results = here.connecting(4_001)
        assert here.world.wait(results) == NO_ERROR
        assert here.server.peer(here.world.wait(accepted)) == here.client.name(other)


@WAYS
@pytest.mark.rule("SAN-6.7.3")
def test_closing_the_listener_refuses_those_who_wait(sans: str) -> None:
    with lab(sans) as here:
        _, results = here.connecting()
        here.server.close(here.listener)
        assert here.world.wait(results) == WSAECONNREFUSED
        here.world.run(60)
        assert (here.client.handles, here.server.handles) == (0, 0)


@pytest.mark.rule("SAN-6.4.2")
def test_the_backlog_of_requests_is_the_providers_and_a_full_one_refuses() -> None:
    with lab("ab", backlog=2) as here:
        waiting = [here.connecting(port)[1] for port in (4_000, 4_001, 4_002)]
        assert waiting == [[], [], [WSAECONNREFUSED]]


@pytest.mark.rule("SAN-6.5.1")
def test_the_listener_may_be_closed_by_the_condition_function() -> None:
    with lab("ab") as here:
        _, results = here.connecting()

        def condition(*arguments: Any) -> int:
            here.server.close(here.listener)
            return CF_ACCEPT

        answer = here.world.start(here.server.code, "WSPAccept", here.listener, None, None, condition, None)
        assert here.world.wait(results) == WSAECONNREFUSED
        here.world.run(60)
        assert answer[0] != NO_ERROR
        assert here.server.handles == 0


@pytest.mark.rule("SAN-6.1.3")
def test_requests_of_a_companion_whose_address_goes_are_not_shown_any_more() -> None:
    with san_world() as world:
        client: Program = world.program("a")
        server = world.program("b")
        listener = server.bound(SERVER)
        server.option(listener, SO_CONDITIONAL_ACCEPT)
        server.ok("WSPListen", listener, 5)
        event = server.select(listener, FD_ACCEPT)
        world.start(client.connect, client.socket(), SERVER)
        world.run()
        assert event.is_set
        world.hosts[1].interfaces["san0"].remove_address(SERVER)
        world.run()
        assert server.happened(listener, event).lNetworkEvents == FD_ACCEPT
        assert server.error("WSPAccept", listener, None, None, None, None) == WSAEWOULDBLOCK
        assert server.handles == 0
