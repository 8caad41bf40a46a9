"""Hosts: network cards and what becomes of one that cannot be configured."""

from __future__ import annotations

import pytest

from wsknet.host import Network


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
