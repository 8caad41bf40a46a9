"""Emulated hosts and links from what a scenario says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet import text
from wsknet.behaviour import SETS, Behaviour
from wsknet.config import AutoConfig, PortConfig, PortRange, StackConfig
from wsknet.devices.impair import Impairment
from wsknet.devices.wire import CABLE
from wsknet.net import changes
from wsknet.scenario.columns import Column
from wsknet.scenario.terms import nanoseconds, port_range, split_address
from wsknet.types import LOOPBACK_INDEX, Family, Proto

if TYPE_CHECKING:
    from wsknet import host as wsknet_host
    from wsknet.scenario import schema


def behaviour_of(host: schema.Host, column: Column) -> Behaviour:
    return SETS[host.behaves] if host.behaves else column.behaviour


def stack_config(host: schema.Host, column: Column) -> StackConfig:
    return StackConfig(
        behaviour=behaviour_of(host, column),
        ports=PortConfig(_ranges(host.dynamic_ports), _ranges(host.excluded_ports)),
        autoconfiguration=host.autoconfiguration,
    )


def _ranges(words: str) -> tuple[PortRange, ...]:
    if not words:
        return ()
    first, last = port_range(words)
    return tuple(PortRange(protocol, family, first, last) for protocol in (Proto.TCP, Proto.UDP) for family in Family)


def impairment_of(link: schema.Link | None) -> Impairment:
    if link is None:
        return CABLE
    return Impairment(
        delay=nanoseconds(link.delay) if link.delay else CABLE.delay,
        jitter=nanoseconds(link.jitter) if link.jitter else 0,
        loss=link.loss,
        duplicate=link.duplicate,
        reorder=link.reorder,
        corrupt=link.corrupt,
        mark=link.mark,
        rate=link.rate,
    )


def add_interfaces(host: wsknet_host.Host, described: schema.Host) -> None:
    """Interfaces and their addresses, and what is on the loopback interface."""
    for name, card in described.interfaces.items():
        add_interface(host, name, card)
    for words in described.loopback:
        add_address(host, LOOPBACK_INDEX, words)


def add_interface(host: wsknet_host.Host, name: str, card: schema.Interface) -> None:
    interface = host.interface(
        name,
        mac=card.mac or None,
        mtu=card.mtu,
        metric=card.metric,
        auto=AutoConfig(dhcp=card.dhcp, link_local_ipv4=card.autoconfiguration),
        link_local=card.link_local,
    )
    for words in card.addresses:
        add_address(host, interface.index, words)
    if card.weak_send is not None or card.weak_receive is not None:
        host.apply(changes.InterfaceChanged(interface.index, weak_send=card.weak_send, weak_receive=card.weak_receive))
    if not card.up:
        interface.set_up(False)


def add_routes(host: wsknet_host.Host, described: schema.Host) -> None:
    for route in described.routes:
        add_route(host, route)


def add_route(host: wsknet_host.Host, route: schema.Route) -> None:
    host.route(route.to, route.via or None, route.through or None, route.metric, source=route.source or None)


def add_address(host: wsknet_host.Host, index: int, words: str) -> None:
    cidr, attributes = split_address(words)
    address, length = text.parse_cidr(cidr)
    host.apply(
        changes.AddressAdded(
            index,  # type: ignore[arg-type]
            address,
            length,
            skip_as_source="skip-as-source" in attributes,
            is_deprecated="deprecated" in attributes,
            is_temporary="temporary" in attributes,
        )
    )
