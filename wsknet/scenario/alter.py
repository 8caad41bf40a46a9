"""Changes that a scenario makes to an emulated host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet import text
from wsknet.net import changes
from wsknet.scenario import build
from wsknet.scenario.world import Failed
from wsknet.types import IfIndex

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario.schema import Change, Route


def alter(host: Host, change: Change) -> None:
    """Raises `Failed` if the host refuses, or if it is not one change."""
    try:
        _alter(host, change)
    except ValueError as error:
        raise Failed("invalid", str(error)) from None


def _alter(host: Host, change: Change) -> None:
    match change:
        case _ if change.add_address:
            words, index = _on(host, change.add_address)
            build.add_address(host, index, words)
        case _ if change.remove_address:
            words, index = _on(host, change.remove_address)
            host.apply(changes.AddressRemoved(index, text.parse_address(words)))
        case _ if change.add_route is not None:
            build.add_route(host, change.add_route)
        case _ if change.remove_route is not None:
            _remove_route(host, change.remove_route)
        case _ if change.down:
            host.interfaces[change.down].set_up(False)
        case _ if change.up:
            host.interfaces[change.up].set_up(True)
        case _ if change.remove_interface:
            host.apply(changes.InterfaceRemoved(host.interface_index(change.remove_interface)))
        case _ if change.metric:
            metric, index = _on(host, change.metric)
            host.apply(changes.InterfaceChanged(index, metric=int(metric)))
        case _ if change.weak_send:
            is_weak, index = _switch(host, change.weak_send)
            host.apply(changes.InterfaceChanged(index, weak_send=is_weak))
        case _ if change.weak_receive:
            is_weak, index = _switch(host, change.weak_receive)
            host.apply(changes.InterfaceChanged(index, weak_receive=is_weak))
        case _ if change.autoconfiguration is not None:
            host.apply(changes.AutoconfigurationChanged(change.autoconfiguration))
        case _:
            raise ValueError("the change says nothing")


def _remove_route(host: Host, route: Route) -> None:
    prefix, length = text.parse_network(route.to)
    via = text.parse_address(route.via) if route.via else None
    found = [known for known in host.stack.view().routes if known[:2] == (prefix, length) and known.next_hop == via]
    if route.through:
        index = host.interface_index(route.through)
        found = [known for known in found if known.if_index == index]
    if not found:
        raise ValueError(f"there is no route to {route.to}{' via ' + route.via if route.via else ''}")
    host.apply(changes.RouteRemoved(prefix, length, found[0].if_index, via))


def _on(host: Host, words: str) -> tuple[str, IfIndex]:
    """``50 on if1``"""
    what, separator, interface = words.rpartition(" on ")
    if not separator:
        raise ValueError(f"{words!r} names no interface: write it with on, as in 10.1.0.9/24 on if1")
    return what, host.interface_index(interface)


def _switch(host: Host, words: str) -> tuple[bool, IfIndex]:
    """``if1`` or ``off if1``"""
    return not words.startswith("off "), host.interface_index(words.removeprefix("off "))
