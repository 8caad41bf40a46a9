"""`IPAutoconfigurationEnabled` in all forms: of the machine, of the interface, with DHCP and without."""

from __future__ import annotations

from itertools import product

import pytest

from tests.unit.net.lab import IF1, A, Lab, datagram
from tests.unit.net.link_local_lab import CHECKED, link_local, silent_lab
from wsknet.behaviour import LINUX
from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import AutoconfigurationChanged

SETTINGS = list(product((False, True), (None, False, True), (False, True)))
"""Of the machine, of the interface, and whether DHCP is on."""


def is_enabled(machine: bool, interface: bool | None, dhcp: bool) -> bool:
    """The value of the interface wins; without DHCP only that counts."""
    if interface is not None:
        return interface
    return machine and dhcp


@pytest.mark.rule("SAN-4.3.1", "SAN-4.3.6", "BIND-64")
@pytest.mark.parametrize(("machine", "interface", "dhcp"), SETTINGS)
def test_both_values_decide(machine: bool, interface: bool | None, dhcp: bool) -> None:
    lab = silent_lab(machine=machine, dhcp=dhcp, link_local_ipv4=interface)
    lab.pass_time(1000)

    assert (link_local(lab) is not None) == is_enabled(machine, interface, dhcp)


@pytest.mark.rule("SAN-4.3.6", "BIND-64")
@pytest.mark.parametrize(("machine", "interface", "dhcp"), SETTINGS)
def test_both_values_may_change(machine: bool, interface: bool | None, dhcp: bool) -> None:
    for was_machine, was_interface, was_dhcp in SETTINGS:
        lab = silent_lab(machine=was_machine, dhcp=was_dhcp, link_local_ipv4=was_interface)
        lab.pass_time(20)
        lab.apply(AutoconfigurationChanged(machine))
        lab.auto(dhcp=dhcp, link_local_ipv4=interface)
        if not is_enabled(machine, interface, dhcp):
            assert link_local(lab) is None
        lab.pass_time(20)

        assert (link_local(lab) is not None) == is_enabled(machine, interface, dhcp)


@pytest.mark.rule("BIND-64", "SAN-4.3.0")
def test_the_machines_value_takes_the_address_away_and_gives_it_back() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(20)
    address = str(link_local(lab))
    assert lab.ip.bindable(A(address)) == IF1

    lab.apply(AutoconfigurationChanged(False))
    assert lab.addresses() == []
    assert [route for route in lab.ip.routes if route.if_index == IF1] == []
    with pytest.raises(NetError) as error:
        lab.ip.bindable(A(address))
    assert error.value.kind is ErrorKind.NOT_LOCAL
    with pytest.raises(NetError) as error:
        lab.path("192.0.2.1")
    assert error.value.kind is ErrorKind.NO_ROUTE

    lab.apply(AutoconfigurationChanged(True))
    lab.pass_time(CHECKED)
    assert link_local(lab) == address
    assert lab.ip.bindable(A(address)) == IF1
    lab.arrive(IF1, datagram("169.254.50.50", address))
    assert [packet.zone for packet in lab.udp.packets] == [IF1]


def test_interfaces_without_these_settings_stay_as_they_are() -> None:
    for behaviour in (None, LINUX):
        lab = Lab(behaviour) if behaviour else Lab()
        lab.interface(IF1)
        lab.pass_time(1000)
        assert lab.take() == []
        assert lab.ip.interfaces[IF1].addresses == {}
