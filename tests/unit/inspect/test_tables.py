"""The tables of a host as people read them."""

from __future__ import annotations

from wsknet.apps.ping import ping
from wsknet.config import AutoConfig
from wsknet.host import Host, Network
from wsknet.inspect.tables import tables
from wsknet.net.changes import InterfaceChanged
from wsknet.wsk import AF_INET6, WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_LISTEN_SOCKET
from wsknet.wsk.simple import Application, accept, address, bind, close


def shown(host: Host) -> list[str]:
    return tables(host.stack.view())


def test_a_duplicate_is_shown_with_who_has_it() -> None:
    with Network(seed=1) as network:
        one, two = network.host("one"), network.host("two")
        checked = two.interface("eth0", "192.0.2.1/24", auto=AutoConfig(duplicate_detection=True))
        network.link(one.interface("eth0", "192.0.2.1/24", mac="02:00:00:00:00:aa"), checked)
        network.run_for(10)
        assert "  address 192.0.2.1/24 in use by another host (02:00:00:00:00:aa), given by hand" in shown(two)
        assert "  address 192.0.2.1/24 preferred, given by hand" in shown(one)


def test_an_address_that_is_made_without_a_server_is_shown_with_its_origin() -> None:
    with Network(seed=1) as network:
        host, other = network.host("host"), network.host("other")
        network.link(host.interface("eth0", auto=AutoConfig(dhcp=True)), other.interface("eth0"))
        network.run_for(20)
        [line] = [line for line in shown(host) if line.startswith("  address 169.254.")]
        assert line.endswith("/16 preferred, made by ourselves for this link alone")


def test_links_routes_neighbours_and_path_mtus_are_shown() -> None:
    with Network(seed=1) as network:
        host, router, far = network.host("host"), network.router("router"), network.host("far")
        network.link(host.interface("eth0", "192.0.2.1/24"), router.interface("eth0", "192.0.2.2/24"))
        behind = router.interface("eth1", "198.51.100.1/24", mtu=1000)
        network.link(behind, far.interface("eth0", "198.51.100.2/24", mtu=1000))
        host.route("0.0.0.0/0", via="192.0.2.2", mtu=1400)
        far.route("0.0.0.0/0", via="198.51.100.1")
        ping(host, "198.51.100.2", count=2, size=1200, may_fragment=False)
        lines = shown(host)
        assert "eth0 up, 02:00:00:00:01:02, MTU 1500" in lines
        assert "  neighbour 192.0.2.2 02:00:00:00:02:02 REACHABLE" in lines
        assert "  192.0.2.0/24 on-link on eth0, metric 256, with an address" in lines
        assert "  0.0.0.0/0 via 192.0.2.2 on eth0, metric 256, by hand, MTU 1400" in lines
        assert lines[lines.index("path MTUs") + 1] == "  198.51.100.2 1000"
        assert not [line for line in lines if "255.255.255.255" in line or "192.0.2.1/32" in line]
        lines = shown(router)
        assert "eth1 up, 02:00:00:00:02:03, MTU 1000, forwarding" in lines
        assert "  1 x larger than the next link carries, and must not be cut" in lines
        host.interfaces["eth0"].set_up(False)
        assert "eth0 down, 02:00:00:00:01:02, MTU 1500" in shown(host)


def test_ports_and_connections_are_shown() -> None:
    with Network(seed=1) as network:
        here, there = network.host("here"), network.host("there")
        network.link(here.interface("eth0", "192.0.2.1/24"), there.interface("eth0", "192.0.2.2/24"))
        with there.activate(), Application() as server, here.activate(), Application() as client:
            _, listener = server.open(WSK_FLAG_LISTEN_SOCKET)
            _, datagrams = server.open(WSK_FLAG_DATAGRAM_SOCKET, AF_INET6)
            bind(listener, address("0.0.0.0", 80))
            bind(datagrams, address("::", 5000))
            _, caller = client.open_connected(address("192.0.2.1", 4000), address("192.0.2.2", 80))
            _, called = accept(listener)
            lines = shown(there)
            assert lines[lines.index("ports") + 1] == "  TCP 0.0.0.0:80"
            assert "  UDP [::]:5000" in lines
            assert lines[lines.index("connections") + 1] == "  192.0.2.2:80 to 192.0.2.1:4000 ESTABLISHED"
            for socket in (caller, called, listener, datagrams):
                close(socket)


def test_what_dhcp_is_at_is_shown_until_it_is_switched_off() -> None:
    with Network(seed=1) as network:
        host, other = network.host("host"), network.host("other")
        card = host.interface("eth0", auto=AutoConfig(dhcp=True))
        network.link(card, other.interface("eth0"))
        network.run_for(1)
        assert "  DHCP looking for a server" in tables(host.stack.view())
        card.release_lease()
        assert "  DHCP not asking" in tables(host.stack.view())
        card.renew_lease()
        network.run_for(1)
        assert "  DHCP looking for a server" in tables(host.stack.view())
        assert card.lease is None
        host.apply(InterfaceChanged(card.index, auto=AutoConfig()))
        assert not [line for line in tables(host.stack.view()) if "DHCP" in line]
