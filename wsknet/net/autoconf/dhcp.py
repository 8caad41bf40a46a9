"""DHCP on every interface that is told to use it: RFC 2131.  What one of them does is in `dhcp_client`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.autoconf.dhcp_client import DhcpClient
from wsknet.net.autoconf.dhcp_state import DhcpState
from wsknet.net.autoconf.dhcp_transport import is_for_client, payload_of
from wsknet.trace import DropReason
from wsknet.types import Address, IfIndex

if TYPE_CHECKING:
    from wsknet.net.autoconf.lease import Lease
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Instant


class DhcpClients:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._clients: dict[IfIndex, DhcpClient] = {}

    def lease(self, if_index: IfIndex) -> Lease | None:
        """Remembered while the link is down; the address is ours only if it is among those of the interface."""
        client = self._clients.get(if_index)
        return client.lease if client is not None else None

    def describe(self, if_index: IfIndex) -> str:
        """For people; empty where DHCP is off."""
        client = self._clients.get(if_index)
        return client.describe() if client is not None else ""

    def is_unanswered(self, if_index: IfIndex) -> bool:
        """Whether the client has looked for a server long enough that a link-local address should help out."""
        client = self._clients.get(if_index)
        return client is not None and client.is_unanswered

    def renew(self, if_index: IfIndex, now: Instant) -> None:
        """``ipconfig /renew``: ask at once instead of when it is time; begin again after a release."""
        client = self._clients.get(if_index)
        if client is not None:
            client.renew(now)

    def release(self, if_index: IfIndex, now: Instant) -> None:
        """``ipconfig /release``: give the lease back, and ask no more until told or until the link was down."""
        client = self._clients.get(if_index)
        if client is not None:
            client.release(now)

    def address_changed(self, if_index: IfIndex, address: Address, now: Instant) -> None:
        client = self._clients.get(if_index)
        if client is not None:
            client.address_changed(address, now)

    def expects(self, interface: Interface) -> bool:
        """Whether an answer may come: then no datagram may get around `takes` on a short way."""
        client = self._clients.get(interface.index)
        return client is not None and client.is_asking

    def takes(
        self,
        interface: Interface,
        source: Address,
        destination: Address,
        datagram: bytes,
        now: Instant,
        checksum_trusted: bool,
    ) -> bool:
        """Whether a UDP datagram was for the client of `interface`; if so it has been taken, or dropped with a reason.

        `datagram` starts at the UDP header.  Asked before the destination is looked at: a lease is told to an address
        that is not ours yet.  A client that is switched off leaves its port to any socket.
        """
        client = self._clients.get(interface.index)
        if client is None or client.state is DhcpState.OFF or not is_for_client(datagram):
            return False
        reason: DropReason | None
        payload = payload_of(source, destination, datagram, checksum_trusted)
        if isinstance(payload, DropReason):
            reason = payload
        else:
            message = self._ip.codec.decode_dhcp(payload)
            reason = message if isinstance(message, DropReason) else client.receive(message, now)
        if reason is not None:
            self._ip.trace.drop(reason, datagram)
        return True

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
        index = interface.index
        client = self._clients.get(index)
        if self._ip.interfaces.get(index) is not interface or not interface.auto.dhcp:
            if client is not None:
                del self._clients[index]
                client.close(now)
            return
        if client is None:
            client = self._clients[index] = DhcpClient(self._ip, interface)
        client.adjust(now)
