"""The decision behind an operation on an emulated host, asked before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.queries import ArrivalQuery, BindQuery, PathQuery, Query

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.trace import Decision
    from wsknet.transport.sharing import Security, Sharing
    from wsknet.types import Address, Endpoint, LocalName, Proto


def why_bind(
    host: Host, protocol: Proto, name: LocalName, sharing: Sharing, security: Security, device: int = 0
) -> Decision:
    return _ask(host, BindQuery(protocol, name, sharing, security, device))


def why_path(host: Host, destination: Address, source: Address | None, zone: int = 0, interface: int = 0) -> Decision:
    return _ask(host, PathQuery(destination, source, zone, interface))


def why_arrival(host: Host, protocol: Proto, local: Endpoint, remote: Endpoint) -> Decision:
    return _ask(host, ArrivalQuery(protocol, local, remote))


def _ask(host: Host, query: Query) -> Decision:
    with host.pump:
        return host.stack.explain(query)[1]
