"""Hosts: network cards and what becomes of one that cannot be configured."""

from __future__ import annotations

import pytest

from wsknet.apps.ping import ping
from wsknet.config import AdvertisingConfig, AutoConfig
from wsknet.host import Network
from wsknet.net.changes import InterfaceChanged
from wsknet.text import parse_address
from wsknet.types import Family


def test_a_card_that_cannot_be_configured_leaves_nothing_behind() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        before = host.stack.view()
        with pytest.raises(ValueError, match="has no prefix length"):
            host.interface("eth0", "192.0.2.1/24", "192.0.2.2")
        assert host.stack.view() == before
        assert host.interface("eth0", "192.0.2.1/24").index == 2


def test_every_card_of_a_large_host_has_a_mac_address_of_its_own() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        macs = [host.interface(f"eth{number}").mac for number in range(300)]
        assert len(set(macs)) == 300
        assert macs[0] == bytes((2, 0, 0, 0, 1, 2))


def test_a_router_has_a_link_local_address_though_it_follows_no_router() -> None:
    with Network(seed=1) as network:
        router, host = network.router("router"), network.host("host")
        card = router.interface("eth0", auto=AutoConfig(router_discovery=True))
        network.link(card, host.interface("eth0"))
        network.run_for(10)
        assert [address[:2].hex() for address in router.addresses(Family.IPV6)[:-1]] == ["fe80"]


def test_a_card_hears_nothing_on_the_cable_that_it_was_plugged_out_of() -> None:
    with Network(seed=1) as network:
        moved, left, found = (
            network.host(name).interface("eth0", cidr)
            for name, cidr in (("moved", "192.0.2.1/24"), ("left", "192.0.2.2/24"), ("found", "192.0.2.3/24"))
        )
        network.link(moved, left)
        network.link(moved, found)
        ping(left.host, "192.0.2.1", count=1)
        assert moved.host.stack.view().interfaces[1].neighbours == ()
        assert ping(found.host, "192.0.2.1", count=1).received == 1


def test_a_card_is_on_a_link_once() -> None:
    with Network(seed=1) as network:
        card = network.host("host").interface("eth0")
        with pytest.raises(ValueError, match="each once"):
            network.link(card, card)
        assert card.device is None


def test_a_link_local_gateway_is_named_with_its_interface() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        for number in range(2):
            host.interface(f"eth{number}", f"2001:db8:{number}::1/64")
        host.route("::/0", via="fe80::1%eth1")
        path = host.stack.ip.path(parse_address("2001:db8:9::9"))
        assert (path.interface.name, path.next_hop) == ("eth1", parse_address("fe80::1"))
        with pytest.raises(ValueError, match="may be on several links: name the interface, as in fe80::1%eth0"):
            host.route("2001:db8:7::/48", via="fe80::1")
        with pytest.raises(ValueError, match="on another interface than eth0: give one of the two"):
            host.route("2001:db8:7::/48", via="fe80::1%eth1", interface="eth0")
        with pytest.raises(ValueError, match="host has no interface eth7: it has loopback, eth0, eth1"):
            host.route("2001:db8:7::/48", via="fe80::1%eth7")


@pytest.mark.rule("RFC8200-5")
def test_a_card_that_is_too_small_for_ipv6_has_none() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        small = host.interface("eth0", "192.0.2.1/24", mtu=1279)
        assert [len(address) for address, _ in host.stack.view().interfaces[1].addresses] == [4]
        with pytest.raises(ValueError, match="eth0 is too small for IPv6: give it an MTU of 1280 or more"):
            small.add_address("2001:db8::1/64")
        large = host.interface("eth1", "2001:db8::1/64", mtu=1280)
        with pytest.raises(ValueError, match="IPv6 needs an MTU of 1280"):
            host.apply(InterfaceChanged(large.index, mtu=1279))
        host.apply(InterfaceChanged(large.index, mtu=1281))


def test_a_gateway_that_cannot_be_one_is_told_with_what_to_do() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        host.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        before = host.stack.view().routes
        with pytest.raises(ValueError, match="the gateway 2001:db8::9 is of another family than the prefix"):
            host.route("0.0.0.0/0", via="2001:db8::9")
        with pytest.raises(ValueError, match=r"the gateway 203\.0\.113\.1: give one an address there, or another"):
            host.route("0.0.0.0/0", via="203.0.113.1")
        with pytest.raises(ValueError, match=r"'10\.0\.0\.0' has no prefix length: expected a prefix like"):
            host.route("10.0.0.0", via="192.0.2.9")
        assert host.stack.view().routes == before


def test_what_could_never_work_is_refused_and_leaves_nothing_behind() -> None:
    with Network(seed=1) as network:
        host, router = network.host("host"), network.router("router")
        before = host.stack.view(), router.stack.view()
        with pytest.raises(ValueError, match=r"host is no router, and only a router advertises: .* network\.router"):
            host.interface("eth0", "2001:db8::1/64", advertising=AdvertisingConfig())
        with pytest.raises(ValueError, match=r"eth0 is too small for IPv6.* give it an MTU of 1280 or more"):
            host.interface("eth0", mtu=1279, auto=AutoConfig(router_discovery=True))
        with pytest.raises(ValueError, match=r"eth0 is too small for IPv6.* give it an MTU of 1280 or more"):
            router.interface("eth0", mtu=1279, advertising=AdvertisingConfig())
        assert (host.stack.view(), router.stack.view()) == before


def test_time_does_not_run_backwards() -> None:
    with Network(seed=1) as network, pytest.raises(ValueError, match="-1 seconds cannot pass"):
        network.run_for(-1)
