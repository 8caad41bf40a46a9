"""Connections that the switch carries over a SAN: how they begin, who gets them, and how they and their sockets end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.san_lab import name
from tests.support.san_switch import PORT, Program, World, san_world
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_CONNECT,
    FD_CONNECT_BIT,
    INVALID_SOCKET,
    IPPROTO_TCP,
    NO_ERROR,
    SO_CONDITIONAL_ACCEPT,
    SO_LINGER,
    TCP_NODELAY,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSANOTINITIALISED,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSAPROTOCOL_INFOW

SERVER = "10.9.0.2"
WAYS = pytest.mark.parametrize("sans", ["ab", ""], ids=["san", "tcpip"])
"""Everything that a program sees must be the same either way."""


def pair(world: World) -> tuple[Program, Program]:
    return world.program("a"), world.program("b")


def settled(world: World, *programs: Program) -> None:
    """No process holds a socket of a provider any more."""
    world.run(60)
    assert [program.handles for program in programs] == [0] * len(programs)


@WAYS
@pytest.mark.rule("SAN-6.6.2", "SAN-7.WSPGetSockName", "SAN-7.WSPGetPeerName")
def test_data_and_its_end_go_both_ways_and_all_sockets_are_given_back(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        s, accepted, listener = world.connected(client, server)
        assert client.name(s) == server.peer(accepted)
        assert client.peer(s) == server.name(accepted) == f"{SERVER}:80"
        assert client.send(s, b"question") == NO_ERROR
        assert world.do(server.receive, accepted) == b"question"
        client.finish(s)
        assert world.do(server.receive, accepted) == b""
        assert server.send(accepted, b"answer") == NO_ERROR
        server.close(accepted)
        assert world.do(client.receive, s) == b"answer"
        assert world.do(client.receive, s) == b""
        assert world.link == ("native" if sans else "san0")
        client.close(s)
        server.close(listener)
        settled(world, client, server)


@WAYS
@pytest.mark.rule("SAN-6.5.3")
def test_an_accepted_socket_is_bound_and_has_the_options_of_its_listener(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        listener, s = server.bound("0.0.0.0"), client.socket()
        server.ok("WSPSetSockOpt", listener, IPPROTO_TCP, TCP_NODELAY, bytes((1, 0, 0, 0)), 4)
        server.ok("WSPListen", listener, 5)
        assert world.do(client.connect, s, SERVER) == NO_ERROR
        accepted = world.do(server.accept, listener)
        assert server.error("WSPBind", accepted, name("0.0.0.0", 0), SIZE) == WSAEINVAL
        value = bytearray(4)
        server.ok("WSPGetSockOpt", accepted, IPPROTO_TCP, TCP_NODELAY, value, INT(4))
        assert value[0] == 1


@pytest.mark.rule("SAN-6.6.3", "SAN-6.5.1")
def test_a_connect_is_complete_once_both_sessions_know_each_other() -> None:
    with san_world() as world:
        client, server = pair(world)
        server.listening()
        s = client.socket()
        results = world.start(client.connect, s, SERVER)
        assert world.wait(results) == NO_ERROR
        native = SanPolicy().native_port
        sent = [tap.ports.count(native) for tap in world.taps["san0"]]
        assert sent[0] >= 3  # SYN, REQUEST, HELLO
        assert world.spies["a"].named("WSPConnect")


@pytest.mark.rule("SAN-6.6.3")
@pytest.mark.parametrize("limit", [3, 9])
def test_a_peer_that_accepts_and_never_negotiates_is_given_up(limit: int) -> None:
    with san_world(policy=SanPolicy(connect_seconds=limit)) as world:
        client, server = pair(world)
        server.listening()
        silent = server.provider
        silent.carry = lambda companion, *rest, **options: _Silent()  # type: ignore[attr-defined]
        before = world.network.driver.now()
        assert world.do(client.connect, client.socket(), SERVER) == WSAETIMEDOUT
        assert limit <= (world.network.driver.now() - before) / 1e9 < limit + 1
        settled(world, client)


class _Silent:
    def close(self, now: object, *, is_abortive: bool) -> None:
        """There is nothing."""


@WAYS
@pytest.mark.rule("SAN-6.4.2")
def test_beyond_the_backlog_a_peer_is_refused_and_an_accept_makes_room(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        listener = server.listening(backlog=2)
        codes = [world.do(client.connect, client.socket(), SERVER) for _ in range(3)]
        assert codes == [NO_ERROR, NO_ERROR, WSAECONNREFUSED]
        world.do(server.accept, listener)
        assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
        assert world.do(client.connect, client.socket(), SERVER) == WSAECONNREFUSED


@WAYS
@pytest.mark.rule("SAN-5.1", "SAN-11.a5")
def test_sockets_on_one_name_have_independent_connections_to_different_peers(sans: str) -> None:
    with san_world(3, sans=sans and "abc") as world:
        client, servers = world.program("a"), [world.program(host) for host in "bc"]
        sockets, accepted = [], []
        for number, server in enumerate(servers, 2):
            listener = server.listening()
            s = client.bound("10.9.0.1", 4_000, reuses=True)
            assert world.do(client.connect, s, f"10.9.0.{number}") == NO_ERROR
            sockets.append(s)
            accepted.append(world.do(server.accept, listener))
        assert [client.name(s) for s in sockets] == ["10.9.0.1:4000"] * 2
        assert [server.peer(s) for server, s in zip(servers, accepted, strict=True)] == ["10.9.0.1:4000"] * 2
        client.close(sockets[0])
        assert world.do(servers[0].receive, accepted[0]) == b""
        assert client.send(sockets[1], b"alive") == NO_ERROR
        assert world.do(servers[1].receive, accepted[1]) == b"alive"


@pytest.mark.parametrize("address", ["0.0.0.0", SERVER])
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.rule("SAN-5.2", "SAN-11.a6")
def test_of_several_listeners_the_oldest_receives_and_the_next_after_it_has_closed(
    address: str, processes: int
) -> None:
    with san_world() as world:
        client = world.program("a")
        servers = [world.program("b") for _ in range(processes)]
        listeners = []
        for index in range(3):
            server = servers[index % processes]
            listeners.append((server, server.listening(address, reuses=True)))
        for server, listener in listeners:
            s = client.socket()
            assert world.do(client.connect, s, SERVER) == NO_ERROR
            accepted = world.do(server.accept, listener)
            assert server.peer(accepted) == client.name(s)
            server.close(listener)
        assert world.do(client.connect, client.socket(), SERVER) == WSAECONNREFUSED
        assert world.link == "native"


@WAYS
@pytest.mark.rule("SAN-6.7.3")
def test_closing_the_socket_cancels_its_connect(sans: str) -> None:
    with san_world(sans=sans) as world:
        client = world.program("a")
        s = client.socket()
        results = world.start(client.connect, s, "10.9.0.99")
        client.close(s)
        assert world.wait(results) == WSAEINTR
        assert client.error("WSPGetSockName", s, SOCKADDR_IN(), INT(SIZE)) == WSAENOTSOCK
        settled(world, client)
        world.forget()
        world.run(60)
        assert world.link == ""


@pytest.mark.rule("SAN-6.7.3", "SAN-6.7.2")
@pytest.mark.parametrize("steps", range(40))
def test_a_connect_may_be_closed_after_any_number_of_events_and_nothing_is_left(steps: int) -> None:
    with san_world() as world:
        client, server = pair(world)
        listener, s = server.listening(), client.socket()
        client.select(s, FD_CONNECT)
        client.connect(s, SERVER)
        for _ in range(steps):
            world.network.driver.step()
        client.close(s)
        if steps % 2:
            server.close(listener)
        world.run(60)
        if not steps % 2:
            server.close(listener)
        settled(world, client, server)
        assert client.code("WSPCleanup") == server.code("WSPCleanup") == NO_ERROR


@pytest.mark.rule("SAN-6.7.2", "SAN-6.7.3")
@pytest.mark.parametrize("steps", range(40))
def test_a_listener_may_be_closed_after_any_number_of_events_and_nothing_is_left(steps: int) -> None:
    with san_world() as world:
        client, server = pair(world)
        listener, s = server.listening(), client.socket()
        event = client.select(s, FD_CONNECT)
        client.connect(s, SERVER)
        for _ in range(steps):
            world.network.driver.step()
        server.close(listener)
        world.run(60)
        found = client.happened(s, event)
        assert found.lNetworkEvents & FD_CONNECT
        assert found.iErrorCode[FD_CONNECT_BIT] in (NO_ERROR, WSAECONNREFUSED)
        settled(world, server)
        client.close(s)
        settled(world, client)


@pytest.mark.rule("SAN-7.WSPCleanup", "SAN-6.7.2")
@pytest.mark.parametrize("steps", [0, 5, 10, 15, 20, 25, 30, 35, 40, 60])
@pytest.mark.parametrize("side", [0, 1])
def test_cleanup_may_come_in_the_middle_of_everything(steps: int, side: int) -> None:
    with san_world() as world:
        programs = client, server = pair(world)
        server.listening()
        s, other, third = client.socket(), client.socket(), client.socket()
        results = [world.start(client.connect, each, SERVER) for each in (s, other)]
        client.select(third, FD_CONNECT)
        client.connect(third, SERVER)
        for _ in range(steps):
            world.network.driver.step()
        assert programs[side].code("WSPCleanup") == NO_ERROR
        assert programs[side].code("WSPCleanup") == WSANOTINITIALISED
        world.run(60)
        assert all(results)
        assert programs[side].handles == 0
        assert len(world.spies["ab"[side]].named("WSPCleanup")) == 1
        programs[1 - side].ok("WSPCleanup")
        settled(world, client, server)


@WAYS
@pytest.mark.rule("SAN-7.WSPCleanup")
def test_cleanup_resets_what_is_open_and_lets_finish_what_was_closed_before(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        listener = server.listening()
        s, other = client.socket(), client.socket()
        for each in (s, other):
            assert world.do(client.connect, each, SERVER) == NO_ERROR
        first, second = world.do(server.accept, listener), world.do(server.accept, listener)
        data = bytes(range(256)) * 200
        assert world.do(client.send, s, data) == NO_ERROR
        client.close(s)
        client.ok("WSPCleanup")

        received = b""
        while part := world.do(server.receive, first):
            received += part
        assert received == data
        assert world.do(server.receive_error, second) == WSAECONNRESET
        settled(world, client)
        if sans:
            assert len(world.spies["a"].named("WSPCleanup")) == 1


@WAYS
@pytest.mark.rule("SAN-6.7.2")
def test_a_send_to_a_peer_that_has_closed_ends_in_a_reset(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        s, accepted, _ = world.connected(client, server)
        server.close(accepted)
        world.run()
        assert world.do(client.receive, s) == b""
        codes: list[int] = []
        while not codes or codes[-1] == NO_ERROR:
            codes.append(world.do(client.send, s, b"too late"))
            world.run()
        assert codes[-1] == WSAECONNRESET
        client.close(s)
        settled(world, client)


@WAYS
@pytest.mark.rule("SAN-6.7.2")
def test_a_hard_close_resets_the_peer(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        s, accepted, _ = world.connected(client, server)
        client.option(s, SO_LINGER, bytes((1, 0, 0, 0)))
        client.close(s)
        assert world.do(server.receive_error, accepted) == WSAECONNRESET
        server.close(accepted)
        settled(world, client)


@WAYS
@pytest.mark.rule("SAN-7.WSPDuplicateSocket")
def test_a_duplicate_goes_on_with_listener_and_connection_after_the_first_process_has_gone(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        heir = world.program("b")
        s, accepted, listener = world.connected(client, server)
        copies = [_duplicate(server, heir, each) for each in (accepted, listener)]
        server.ok("WSPCleanup")
        assert client.send(s, b"still there") == NO_ERROR
        assert world.do(heir.receive, copies[0]) == b"still there"
        other = client.socket()
        assert world.do(client.connect, other, SERVER) == NO_ERROR
        assert heir.peer(world.do(heir.accept, copies[1])) == client.name(other)
        assert world.link == ("native" if sans else "san0")
        heir.ok("WSPCleanup")
        assert world.do(client.receive_error, s) == WSAECONNRESET
        assert world.do(client.connect, client.socket(), SERVER) == WSAECONNREFUSED
        settled(world, server, heir)


def _duplicate(owner: Program, heir: Program, s: int) -> int:
    info = WSAPROTOCOL_INFOW()
    owner.ok("WSPDuplicateSocket", s, 7, info)
    result: int = heir.ok("WSPSocket", -1, -1, -1, info, 0, 0)
    assert result != INVALID_SOCKET
    return result


@pytest.mark.rule("SAN-6.5.1")
def test_a_request_that_comes_before_the_switch_watches_its_companion_is_not_lost() -> None:
    """WSPListen of the companion and the wait for its event are two calls."""
    with san_world() as world:
        client, server = pair(world)
        provider = server.provider.providers[0]  # type: ignore[attr-defined]
        select = provider.table.lpWSPEventSelect
        results: list[Any] = []

        def late(*arguments: Any) -> int:
            s = arguments[0]
            answer: int = select(*arguments)
            results.append(s)
            return answer

        listening = provider.table.lpWSPListen

        def listen(*arguments: Any) -> int:
            answer: int = listening(*arguments)
            s = client.socket()
            client.select(s, FD_CONNECT)
            client.connect(s, SERVER)
            world.run(0.01)
            return answer

        provider.table.lpWSPEventSelect, provider.table.lpWSPListen = late, listen
        listener = server.listening()
        assert results
        world.run()
        assert server.accept(listener) != INVALID_SOCKET
        assert world.link == "native"  # and not TCP/IP after a while


@pytest.mark.rule("SAN-6.1.3", "SAN-6.4.1")
def test_companions_are_made_once_however_many_changes_come_meanwhile() -> None:
    with san_world() as world:
        server = world.program("b")
        nic = world.hosts[1].interfaces["san0"]
        provider = server.provider.providers[0]  # type: ignore[attr-defined]
        make = provider.table.lpWSPSocket

        def meanwhile(*arguments: Any) -> int:
            provider.table.lpWSPSocket = make
            nic.add_address("10.77.0.2/24")
            nic.remove_address("10.77.0.2")
            answer: int = make(*arguments)
            return answer

        provider.table.lpWSPSocket = meanwhile
        listener = server.listening()
        world.run()
        assert world.spies["b"].bound == ["0.0.0.0:80"]
        assert server.handles == 1
        server.close(listener)
        settled(world, server)


@WAYS
@pytest.mark.rule("SAN-6.5.1")
def test_accept_is_announced_by_its_network_event(sans: str) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        listener = server.listening()
        event = server.select(listener, FD_ACCEPT)
        for _ in range(2):
            assert not event.is_set
            assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
            world.run()
            assert event.is_set
            assert server.happened(listener, event).lNetworkEvents == FD_ACCEPT
            assert server.accept(listener) != INVALID_SOCKET


@WAYS
@pytest.mark.rule("SAN-6.5.1", "SAN-6.5.2")
@pytest.mark.parametrize("is_conditional", [True, False])
def test_an_application_may_ask_who_it_is_before_it_accepts(sans: str, is_conditional: bool) -> None:
    with san_world(sans=sans) as world:
        client, server = pair(world)
        listener, s = server.bound("0.0.0.0"), client.bound("0.0.0.0", 4_000)
        if is_conditional:
            server.option(listener, SO_CONDITIONAL_ACCEPT)
        server.ok("WSPListen", listener, 5)
        asked: list[tuple[str, str, object]] = []

        def condition(*arguments: Any) -> int:
            names = [SOCKADDR_IN.parse(arguments[at].buf) for at in (0, 4)]
            asked.append((repr(names[0]), repr(names[1]), arguments[7]))
            return 0

        assert (
            world.do(client.connect, s, SERVER) == NO_ERROR
            if not is_conditional
            else world.start(client.connect, s, SERVER) == []
        )
        peer = SOCKADDR_IN()
        accepted = world.do(server.ok, "WSPAccept", listener, peer, INT(SIZE), condition, "data")
        assert asked == [("SOCKADDR_IN(10.9.0.1:4000)", f"SOCKADDR_IN({SERVER}:{PORT})", "data")]
        assert repr(peer) == "SOCKADDR_IN(10.9.0.1:4000)"
        assert server.peer(accepted) == client.name(s)
        assert client.send(s, b"hello") == NO_ERROR
        assert world.do(server.receive, accepted) == b"hello"
