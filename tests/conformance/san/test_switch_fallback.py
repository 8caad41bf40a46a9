"""What becomes of a connect that a SAN does not take: TCP/IP is tried unless that would fail, too, and whatever happens
the program sees what it would have seen without a SAN."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.san_lab import UNTOUCHED, name, tcpip_listener
from tests.support.san_switch import PORT, Program, World, san_world
from wsknet.config import AutoConfig
from wsknet.net.changes import AutoconfigurationChanged
from wsknet.san.numbers import (
    CF_REJECT,
    FD_CONNECT,
    FD_CONNECT_BIT,
    NO_ERROR,
    SO_ERROR,
    SOL_SOCKET,
    WSAEADDRNOTAVAIL,
    WSAECONNREFUSED,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENOBUFS,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import INT

SERVER = "10.9.0.2"
SHORT = SanPolicy(connect_seconds=5)


def nobody_listens(world: World) -> str:
    world.program("b")  # Winsock Direct is there
    return SERVER


def backlog_is_full(world: World) -> str:
    server, client = world.program("b"), world.program("c")
    server.listening(backlog=2)
    for _ in range(2):
        assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
    return SERVER


def host_is_absent(world: World) -> str:
    return "10.9.0.99"


def host_has_no_winsock_direct(world: World) -> str:
    world.program("b", has_switch=False).listening()
    return SERVER


def host_has_no_winsock_direct_and_nobody_listens(world: World) -> str:
    world.program("b", has_switch=False)
    return SERVER


def listener_is_tcpip_only(world: World) -> str:
    world.program("b")
    tcpip_listener(world.hosts[1], PORT)
    return SERVER


def listener_is_on_another_address(world: World) -> str:
    world.program("b").listening("192.0.2.2")
    return SERVER


def port_is_none(world: World) -> str:
    world.program("b").listening()
    return f"{SERVER} 0"


CASES: list[tuple[Callable[[World], str], int, bool]] = [
    (nobody_listens, WSAECONNREFUSED, False),
    (backlog_is_full, WSAECONNREFUSED, False),
    (host_is_absent, WSAETIMEDOUT, False),
    (host_has_no_winsock_direct, NO_ERROR, True),
    (host_has_no_winsock_direct_and_nobody_listens, WSAECONNREFUSED, True),
    (listener_is_tcpip_only, NO_ERROR, True),
    (listener_is_on_another_address, WSAECONNREFUSED, False),
    (port_is_none, WSAEADDRNOTAVAIL, False),  # not even TCP/IP can send that
]


def outcome(world: World, client: Program, prepare: Callable[[World], str]) -> tuple[object, ...]:
    """All that the program sees of a connect, blocking and not."""
    address, _, given = prepare(world).partition(" ")
    port = int(given or PORT)
    world.forget()
    s = client.bound("0.0.0.0", 4_000)
    blocking = world.do(client.connect, s, address, port)
    names = client.name(s), client.call("WSPGetPeerName", s, name("0.0.0.0", 0), INT(SIZE))
    other = client.socket()
    event = client.select(other, FD_CONNECT)
    answer = client.connect(other, address, port)
    world.run(60)
    if answer != WSAEWOULDBLOCK:
        return blocking, answer, names
    events = client.happened(other, event)
    error = bytearray(4)
    client.ok("WSPGetSockOpt", other, SOL_SOCKET, SO_ERROR, error, INT(4))
    return blocking, answer, names, events.lNetworkEvents, events.iErrorCode[FD_CONNECT_BIT], bytes(error)


@pytest.mark.rule("SAN-6.3.3", "SAN-11.a7", "SAN-6.4.2")
@pytest.mark.parametrize(("prepare", "code", "is_retried"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_program_sees_what_tcpip_alone_would_show_and_tcpip_is_tried_where_it_may_help(
    prepare: Callable[[World], str], code: int, is_retried: bool
) -> None:
    seen = []
    for has_switch in (True, False):
        has_server = "without" not in prepare.__name__ and "no_winsock" not in prepare.__name__
        sans = "" if not has_switch else "abc" if has_server else "ac"
        with san_world(3, sans=sans, policy=SHORT) as world:
            client = world.program("a")
            seen.append(outcome(world, client, prepare))
            if has_switch:
                assert world.spies["a"].named("WSPConnect")
                assert ("san0" in world.link) == is_retried
            assert client.handles == 0
    assert seen[0] == seen[1]
    assert seen[0][0] == code


@pytest.mark.rule("SAN-6.2.6")
@pytest.mark.parametrize("function", ["WSPSocket", "WSPBind", "WSPEventSelect", "WSPConnect"])
@pytest.mark.parametrize("failure", [WSAENOBUFS, WSAEWOULDBLOCK, WSAECONNREFUSED])
def test_a_companion_that_cannot_be_made_leaves_the_connect_to_tcpip(function: str, failure: int) -> None:
    if function == "WSPConnect" and failure != WSAENOBUFS:
        return  # there the code is the result of the connect
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        listener = server.listening()
        world.forget()
        world.spies["a"].failures[function] = failure
        s = client.socket()
        assert world.do(client.connect, s, SERVER) == NO_ERROR
        assert client.name(s) == server.peer(world.do(server.accept, listener))
        assert (world.link, client.handles) == ("san0", 0)
        assert len(world.spies["a"].named("WSPCloseSocket")) == (function != "WSPSocket")


@pytest.mark.rule("SAN-6.2.6", "SAN-6.4.1", "SAN-7.WSPListen")
@pytest.mark.parametrize("function", ["WSPSocket", "WSPBind", "WSPListen", "WSPEventSelect"])
def test_a_listener_without_companion_is_reached_through_tcpip(function: str) -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        world.spies["b"].failures[function] = WSAENOBUFS
        listener = server.listening()
        s = client.socket()
        assert world.do(client.connect, s, SERVER) == NO_ERROR
        assert client.name(s) == server.peer(world.do(server.accept, listener))
        assert (client.handles, server.handles) == (0, 0)


@pytest.mark.rule("SAN-6.4.1")
def test_a_listen_that_tcpip_refuses_reaches_no_provider() -> None:
    with san_world() as world:
        server = world.program("b")
        server.listening()
        rival = server.socket()
        world.forget()
        assert server.error("WSPListen", rival, 5) == WSAEINVAL
        assert world.spies["b"].calls == []


@pytest.mark.rule("SAN-7.WSPStartupEx", "SAN-6.1.2", "SAN-8.WSPRdmaWrite")
@pytest.mark.parametrize("function", ["WSPStartupEx", "WSPSocket", "WSPIoctl"])
def test_a_provider_that_is_of_no_use_is_as_if_it_were_not_there(function: str) -> None:
    with san_world() as world:
        world.spies["a"].failures[function] = WSAENETDOWN
        client, server = world.program("a"), world.program("b")
        server.listening()
        assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
        assert world.spies["a"].named("WSPBind") == []
        assert len(world.spies["a"].named("WSPCleanup")) == (function != "WSPStartupEx")

        del world.spies["a"].failures[function]
        other = world.program("a")
        assert world.do(other.connect, other.socket(), SERVER) == NO_ERROR
        assert world.link == "native+san0"


@pytest.mark.rule("SAN-6.1.3")
def test_a_provider_that_cannot_tell_its_addresses_any_more_gets_no_connections() -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        server.listening()
        world.spies["a"].failures["WSPIoctl"] = WSAENOBUFS
        world.hosts[0].interfaces["san0"].add_address("10.77.0.1/24")
        world.forget()
        assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
        assert world.link == "san0"
        del world.spies["a"].failures["WSPIoctl"]
        world.hosts[0].interfaces["san0"].remove_address("10.77.0.1")
        world.forget()
        assert world.do(client.connect, client.socket(), SERVER) == NO_ERROR
        assert world.link == "native"


@pytest.mark.rule("SAN-6.3.4")
def test_a_connection_that_was_made_never_comes_back_to_tcpip() -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        s, accepted, _ = world.connected(client, server)
        world.hosts[0].interfaces["san0"].set_up(False)
        world.forget()
        assert client.send(s, b"lost") == NO_ERROR
        received = world.start(server.receive, accepted)
        world.run(3)
        assert received == []
        assert world.link == ""
        world.hosts[0].interfaces["san0"].set_up(True)
        assert world.wait(received) == b"lost"
        assert world.link == "native"


@pytest.mark.rule("SAN-6.5.2", "SAN-7.WSPAccept")
def test_a_condition_function_that_rejects_resets_the_peer_as_over_tcpip() -> None:
    seen = []
    for sans in ("ab", ""):
        with san_world(sans=sans) as world:
            client, server = world.program("a"), world.program("b")
            listener, s = server.listening(), client.socket()
            connected = world.do(client.connect, s, SERVER)
            code = world.do(server.code, "WSPAccept", listener, None, None, lambda *arguments: CF_REJECT, None)
            seen.append((connected, code, world.do(client.receive_error, s)))
            assert world.link == ("native" if sans else "san0")
    assert seen[0] == seen[1]
    assert seen[0][:2] == (NO_ERROR, WSAECONNREFUSED)


@pytest.mark.rule("SAN-4.3.0", "SAN-4.3.nonzero", "SAN-11.a8")
@pytest.mark.parametrize("machine", [True, False])
@pytest.mark.parametrize("interface", [True, False, None])
def test_without_dhcp_server_a_nic_has_an_address_of_its_own_or_none_and_then_there_is_no_companion(
    machine: bool, interface: bool | None
) -> None:
    auto = AutoConfig(dhcp=True, link_local_ipv4=interface)
    with san_world(auto=auto) as world:
        for host in world.hosts:
            host.apply(AutoconfigurationChanged(machine))
        client, server = world.program("a"), world.program("b")
        listener = server.listening()
        world.run(120)
        own = [spy.proxy.addresses() for spy in world.spies.values()]
        is_enabled = machine if interface is None else interface
        assert [len(addresses) for addresses in own] == [is_enabled] * 2
        if not is_enabled:
            assert list(client.provider.subnets) == []  # type: ignore[attr-defined]
            assert client.error("WSPBind", client.socket(), name("169.254.7.7", PORT), SIZE) == WSAEADDRNOTAVAIL
            assert world.do(client.connect, client.socket(), "192.0.2.2") == NO_ERROR
            assert world.link == "lan0"
            return
        address = ".".join(map(str, own[1][0].address))
        assert address.startswith("169.254.")
        s = client.socket()
        assert world.do(client.connect, s, address) == NO_ERROR
        assert server.peer(world.do(server.accept, listener)) == client.name(s)
        assert client.name(s).startswith(".".join(map(str, own[0][0].address)))
        assert world.link == "native"


@pytest.mark.rule("SAN-4.3.4", "SAN-3.4.2")
def test_a_link_local_address_can_be_bound_and_dialled_over_the_san() -> None:
    with san_world(auto=AutoConfig(dhcp=True)) as world:
        client, server = world.program("a"), world.program("b")
        world.run(120)
        ours, theirs = [
            ".".join(map(str, spy.proxy.addresses()[0].address)) for spy in (world.spies["a"], world.spies["b"])
        ]
        server.listening(theirs)
        s = client.bound(ours, 4_000)
        assert world.do(client.connect, s, theirs) == NO_ERROR
        assert world.spies["a"].bound == [f"{ours}:4000"]
        assert world.spies["b"].bound == [f"{theirs}:80"]
        assert client.call("WSPBind", s, name(ours, 4_001), SIZE) != (0, UNTOUCHED)
