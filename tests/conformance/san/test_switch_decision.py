"""SAN or TCP/IP: when it is decided, by what, and what a companion is called."""

from __future__ import annotations

import pytest

from tests.support.san_lab import name
from tests.support.san_switch import PORT, World, san_world
from wsknet.san.numbers import (
    FD_CONNECT,
    NO_ERROR,
    SO_DEBUG,
    SO_KEEPALIVE,
    SO_REUSEADDR,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAENOBUFS,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy, Wildcard
from wsknet.san.sockaddr import SIZE
from wsknet.trace import Decision


@pytest.mark.rule("SAN-6.2.1", "SAN-6.2.2", "SAN-4.1.1")
@pytest.mark.parametrize("address", ["0.0.0.0", "10.9.0.1"])
def test_socket_and_bind_reach_no_provider_and_no_wire(address: str) -> None:
    with san_world() as world:
        client = world.program("a")
        world.run()
        world.forget()
        client.bound(address)
        world.run()

        assert world.spies["a"].calls == []
        assert sum(tap.frames for taps in world.taps.values() for tap in taps) == 0


@pytest.mark.rule("SAN-6.2.2", "SAN-6.2.4", "SAN-3.4.1")
def test_listen_decides_and_names_the_companion_at_once() -> None:
    with san_world() as world:
        server = world.program("b")
        s = server.bound("10.9.0.2")
        world.forget()
        server.ok("WSPListen", s, 5)

        functions = [function for function, _ in world.spies["b"].calls]
        assert functions == ["WSPSocket", "WSPBind", "WSPListen", "WSPEventSelect"]
        assert world.spies["b"].bound == ["10.9.0.2:80"]


@pytest.mark.rule("SAN-3.4.2", "SAN-6.2.7", "SAN-6.2.4")
@pytest.mark.parametrize("bound", ["", "0.0.0.0", "10.9.0.1"])
def test_the_companions_name_is_full_and_that_of_the_application(bound: str) -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        server.listening()
        s = client.bound(bound, 4_000) if bound else client.socket()
        assert world.do(client.connect, s, "10.9.0.2") == NO_ERROR

        assert world.spies["a"].bound == [client.name(s)]
        assert client.name(s).startswith("10.9.0.1:")
        assert not bound or client.name(s) == "10.9.0.1:4000"


@pytest.mark.rule("SAN-6.2.7")
@pytest.mark.parametrize("has_switch", [True, False])
def test_the_deferred_address_can_be_read_while_the_connect_is_under_way(has_switch: bool) -> None:
    with san_world() as world:
        client = world.program("a", has_switch=has_switch)
        s = client.bound("0.0.0.0", 4_000)
        assert client.name(s) == "0.0.0.0:4000"
        client.select(s, FD_CONNECT)
        assert client.connect(s, "10.9.0.2") == WSAEWOULDBLOCK

        assert client.name(s) == "10.9.0.1:4000"


@pytest.mark.rule("SAN-6.3.1", "SAN-11.4", "SAN-7.WSPEventSelect")
def test_a_connect_goes_socket_bind_select_connect() -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        server.listening()
        world.forget()
        assert world.do(client.connect, client.socket(), "10.9.0.2") == NO_ERROR

        functions = [function for function, _ in world.spies["a"].calls]
        assert functions[:4] == ["WSPSocket", "WSPBind", "WSPEventSelect", "WSPConnect"]
        assert world.link == "native"


def where(world: World, address: str, bound: str = "") -> str:
    client, server = world.program("a"), world.program("b")
    server.listening()
    world.forget()
    s = client.bound(bound, 0) if bound else client.socket()
    assert world.do(client.connect, s, address) == NO_ERROR
    return world.link


@pytest.mark.rule("SAN-6.3.1")
def test_a_destination_that_is_on_no_san_goes_through_tcpip() -> None:
    with san_world() as world:
        assert where(world, "192.0.2.2") == "lan0"
        assert world.spies["a"].calls == []


@pytest.mark.rule("SAN-6.3.1")
def test_a_program_on_the_same_host_is_reached_through_tcpip() -> None:
    with san_world() as world:
        server = world.program("a")
        server.listening()
        client = world.program("a")
        world.forget()
        assert world.do(client.connect, client.socket(), "10.9.0.1") == NO_ERROR
        assert world.spies["a"].named("WSPConnect") == []


@pytest.mark.rule("SAN-3.4.2")
def test_a_socket_bound_to_another_address_than_the_nics_stays_with_tcpip() -> None:
    with san_world() as world:
        world.hosts[0].interfaces["san0"].add_address("10.9.7.1/24")
        world.hosts[1].interfaces["san0"].add_address("10.9.7.2/24")
        client, server = world.program("a"), world.program("b")
        server.listening()
        world.forget()
        s = client.bound("10.9.7.1", 0)
        assert world.do(client.connect, s, "10.9.0.2") == NO_ERROR
        assert world.link == "san0"


@pytest.mark.rule("SAN-6.1.3")
def test_the_table_follows_addresses_that_come_and_go() -> None:
    with san_world() as world:
        nic = [host.interfaces["san0"] for host in world.hosts]
        for number, interface in enumerate(nic, 1):
            interface.add_address(f"10.77.0.{number}/24")
        assert where(world, "10.77.0.2") == "native"

    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        server.listening()
        world.hosts[0].interfaces["san0"].remove_address("10.9.0.1")
        assert client.provider.choose(None, bytes((10, 9, 0, 2))) is None  # type: ignore[attr-defined]
        world.hosts[0].interfaces["san0"].add_address("10.9.0.1/24")
        assert world.do(client.connect, client.socket(), "10.9.0.2") == NO_ERROR
        assert world.link == "native"


@pytest.mark.rule("SAN-6.1.3", "SAN-11.1")
def test_the_table_follows_the_link_of_the_nic_and_the_question_is_asked_on_a_socket_made_for_it() -> None:
    with san_world() as world:
        client = world.program("a")
        peer = bytes((10, 9, 0, 2))
        assert client.provider.choose(None, peer) is not None  # type: ignore[attr-defined]
        world.forget()
        world.hosts[0].interfaces["san0"].set_up(False)
        assert client.provider.choose(bytes((10, 9, 0, 1)), peer) is None  # type: ignore[attr-defined]
        assert [function for function, _ in world.spies["a"].calls] == ["WSPSocket", "WSPIoctl", "WSPCloseSocket"]
        world.hosts[0].interfaces["san0"].set_up(True)
        assert client.provider.choose(None, peer) is not None  # type: ignore[attr-defined]


@pytest.mark.rule("SAN-6.1.3", "SAN-4.2.2")
@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("10.9.0.2", "the address is that of a SAN NIC that is down: a companion follows once it is up"),
        ("0.0.0.0", "every SAN NIC that has an address is down: a companion follows once one is up"),
    ],
)
def test_a_listener_whose_nic_is_down_hears_so_and_gets_its_companion_once_it_is_up(address: str, rule: str) -> None:
    with san_world(policy=SanPolicy(Wildcard.VISTA)) as world:
        server, nic = world.program("b"), world.hosts[1].interfaces["san0"]
        told: list[Decision] = []
        server.provider.on_decision = lambda socket, why: told.append(why)  # type: ignore[attr-defined]
        s = server.bound(address)
        nic.set_up(False)
        world.forget()
        server.ok("WSPListen", s, 5)
        assert [(why.answer, why.rule) for why in told] == [("TCP/IP alone", rule)]
        assert world.spies["b"].bound == []
        nic.set_up(True)
        assert world.spies["b"].bound == ["10.9.0.2:80"]


@pytest.mark.rule("SAN-6.2.5", "SAN-9.1")
@pytest.mark.parametrize(("option", "is_passed"), [(SO_DEBUG, True), (SO_KEEPALIVE, False)])
def test_options_that_a_provider_may_know_are_passed_on_and_others_are_not(option: int, is_passed: bool) -> None:
    with san_world() as world:
        world.spies["a"].failures["WSPConnect"] = WSAENOBUFS
        client, server = world.program("a"), world.program("b")
        server.listening()
        table = client.provider.providers[0].table  # type: ignore[attr-defined]
        passed: list[int] = []
        original = table.lpWSPSetSockOpt

        def set_option(s: int, level: int, optname: int, *rest: object) -> int:
            passed.append(optname)
            result: int = original(s, level, optname, *rest)
            return result

        table.lpWSPSetSockOpt = set_option
        s = client.socket()
        client.option(s, option)
        assert world.do(client.connect, s, "10.9.0.2") == NO_ERROR
        assert passed == ([SO_DEBUG] if is_passed else [])


@pytest.mark.rule("SAN-4.1.1", "SAN-4.2.1", "SAN-11.a1")
@pytest.mark.parametrize(
    ("policy", "names"),
    [(Wildcard.PRE_VISTA, ["0.0.0.0:80"]), (Wildcard.VISTA, ["10.9.0.2:80", "10.77.0.2:80"])],
)
def test_a_wildcard_listener_has_one_companion_or_one_for_each_address(policy: Wildcard, names: list[str]) -> None:
    with san_world(policy=SanPolicy(policy)) as world:
        for number, host in enumerate(world.hosts, 1):
            host.interfaces["san0"].add_address(f"10.77.0.{number}/24")
        client, server = world.program("a"), world.program("b")
        listener = server.listening()
        assert world.spies["b"].bound == names
        for address in ("10.9.0.2", "10.77.0.2"):
            s = client.socket()
            assert world.do(client.connect, s, address) == NO_ERROR
            accepted = world.do(server.accept, listener)
            assert (server.name(accepted), client.peer(s)) == (f"{address}:80", f"{address}:80")
        assert world.link == "native"


@pytest.mark.rule("SAN-4.2.2", "SAN-6.1.3")
@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [(Wildcard.PRE_VISTA, ["0.0.0.0:80"], []), (Wildcard.VISTA, ["10.9.0.2:80"], ["10.77.0.2:80"])],
)
def test_a_wildcard_listener_follows_new_addresses(policy: Wildcard, before: list[str], after: list[str]) -> None:
    with san_world(policy=SanPolicy(policy)) as world:
        client, server = world.program("a"), world.program("b")
        listener = server.listening()
        assert world.spies["b"].bound == before
        world.forget()
        for number, host in enumerate(world.hosts, 1):
            host.interfaces["san0"].add_address(f"10.77.0.{number}/24")
        assert world.spies["b"].bound == after
        s = client.socket()
        assert world.do(client.connect, s, "10.77.0.2") == NO_ERROR
        assert client.name(s) == server.peer(world.do(server.accept, listener))
        assert world.link == "native"


@pytest.mark.rule("SAN-4.1.1")
def test_a_listener_on_an_address_of_the_lan_has_no_companion() -> None:
    with san_world() as world:
        world.program("b").listening("192.0.2.2")
        assert world.spies["b"].bound == []


@pytest.mark.rule("SAN-4.1.2", "SAN-6.1.1")
@pytest.mark.parametrize("policy", Wildcard)
def test_a_provider_that_is_installed_late_serves_those_who_listen_already(policy: Wildcard) -> None:
    with san_world(sans="", policy=SanPolicy(policy)) as world:
        client, server = world.program("a"), world.program("b")
        listener = server.listening()
        first = client.socket()
        assert world.do(client.connect, first, "10.9.0.2") == NO_ERROR
        assert world.link == "san0"
        world.do(server.accept, listener)
        for host in world.hosts:
            world.install(host)
        world.forget()
        s = client.socket()
        assert world.do(client.connect, s, "10.9.0.2") == NO_ERROR
        assert client.name(s) == server.peer(world.do(server.accept, listener))
        assert world.link == "native"


@pytest.mark.rule("SAN-3.2.3", "SAN-7.WSPBind")
def test_a_port_that_is_taken_is_told_by_tcpip_and_no_provider_is_asked() -> None:
    with san_world() as world:
        server = world.program("b")
        server.listening()
        world.forget()
        assert server.error("WSPBind", server.socket(), name("0.0.0.0", PORT), SIZE) == WSAEADDRINUSE
        assert world.spies["b"].calls == []


@pytest.mark.parametrize("reuses", [False, True])
@pytest.mark.parametrize("address", ["0.0.0.0", "10.9.0.1", "192.0.2.1"])
def test_the_native_port_is_the_providers_while_a_program_has_it_loaded(address: str, reuses: bool) -> None:
    with san_world() as world:
        client, other = world.program("a"), world.program("a", has_switch=False)
        s = other.socket()
        if reuses:
            other.option(s, SO_REUSEADDR)
        given = (s, name(address, SanPolicy().native_port), SIZE)
        is_plain = address == "0.0.0.0" and not reuses
        assert other.error("WSPBind", *given) == (WSAEADDRINUSE if is_plain else WSAEACCES)
        client.ok("WSPCleanup")
        other.ok("WSPBind", *given)


def test_a_program_that_has_the_native_port_first_keeps_later_ones_from_the_san() -> None:
    with san_world() as world:
        other = world.program("a", has_switch=False)
        other.bound("0.0.0.0", SanPolicy().native_port)
        assert where(world, "10.9.0.2") == "san0"
