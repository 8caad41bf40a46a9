"""What a snapshot shows of addresses, groups, routers and path MTUs."""

from __future__ import annotations

from scapy.layers.inet import ICMP

from tests.unit.transport.bench import IF1, Bench
from wsknet.net import changes
from wsknet.net.interface import AddressState, InterfaceAddress
from wsknet.text import parse_address, parse_cidr
from wsknet.transport.view import InterfaceView
from wsknet.types import Endpoint, Family


def card(bench: Bench) -> InterfaceView:
    [found] = [interface for interface in bench.stack.view().interfaces if interface.index == IF1]
    return found


def test_addresses_are_shown_with_state_and_origin() -> None:
    bench = Bench(Family.IPV6)
    bench.apply(
        changes.AddressAdded(
            IF1,
            *parse_cidr("2001:db8:5::1/64"),
            is_deprecated=True,
            origin=changes.AddressOrigin.ROUTER,
            is_temporary=True,
        )
    )
    shown = {entry.address: entry for entry in card(bench).address_states}
    assert list(shown) == [address for address, _ in card(bench).addresses]
    assert shown[bench.us].state is AddressState.PREFERRED
    assert shown[parse_address("2001:db8:5::1")] == InterfaceAddress(
        *parse_cidr("2001:db8:5::1/64"), False, AddressState.DEPRECATED, changes.AddressOrigin.ROUTER, True
    )


def test_addresses_that_are_not_ours_to_use_are_shown_apart_with_their_holder() -> None:
    bench = Bench(Family.IPV6)
    interface = bench.stack.ip.interfaces[IF1]
    holder = bytes.fromhex("0200000000aa")
    entry = InterfaceAddress(*parse_cidr("2001:db8::5/64"), state=AddressState.DUPLICATE, holder=holder)
    bench.stack.ip.tables.withhold(interface, entry)
    assert card(bench).unassigned == (entry,)
    assert entry.address not in [address for address, _ in card(bench).addresses]


def test_groups_are_shown_while_the_interface_is_up() -> None:
    bench = Bench(Family.IPV6)
    groups = card(bench).groups
    assert {parse_address(group) for group in ("224.0.0.1", "ff02::1", "ff02::1:ff00:1")} <= set(groups)
    assert parse_address("192.0.2.255") not in groups
    bench.apply(changes.LinkDown(IF1))
    assert card(bench).groups == ()


def test_forwarding_is_shown() -> None:
    bench = Bench(Family.IPV6)
    assert not card(bench).is_forwarding
    bench.apply(changes.InterfaceChanged(IF1, forwarding=True))
    assert card(bench).is_forwarding


def test_path_mtus_and_silent_routers_are_shown() -> None:
    bench = Bench(Family.IPV4)
    endpoint = bench.udp()
    bench.error(ICMP(type=3, code=4, nexthopmtu=1300), bench.sent_by(endpoint, bytes(1400)))
    assert bench.stack.view().path_mtus == ((bench.far, 0, 1300),)
    assert bench.stack.view().suspects == ()
    bench.is_router_silent = True
    bench.pass_time(60)  # the router is still known, so it is probed before it is given up
    endpoint.send((b"?",), Endpoint(bench.far, 53), bench.now)
    bench.pass_time(60)
    assert bench.stack.view().suspects == ((IF1, parse_address("192.0.2.254")),)
