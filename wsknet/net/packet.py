"""An accepted IP packet on its way up, and the answer of `path.resolve` for one on its way down."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wsknet.types import Address, Family, Mac
from wsknet.wire import ipv4, ipv6

if TYPE_CHECKING:
    from wsknet.net.fragments import Counter
    from wsknet.net.interface import Interface
    from wsknet.net.neighbours import Neighbour


MAX_PAYLOAD = {Family.IPV4: ipv4.MAX_LENGTH - ipv4.HEADER_LENGTH, Family.IPV6: ipv6.MAX_PAYLOAD}
"""Bytes that one IP packet carries: the total length of IPv4 counts the header, the payload length of IPv6 does not."""


class Cast(Enum):
    """How a packet reached us; sockets are told (MSG_BCAST, MSG_MCAST), and errors are never sent for the last two."""

    UNICAST = "unicast"
    BROADCAST = "broadcast"
    MULTICAST = "multicast"


class Packet:
    """What IP hands to a protocol handler.  Header checked, whole, destination ours on `interface`."""

    __slots__ = (
        "cast",
        "checksum_trusted",
        "destination",
        "family",
        "hop_limit",
        "interface",
        "link_source",
        "payload",
        "protocol",
        "raw",
        "source",
        "traffic_class",
        "zone",
    )

    def __init__(
        self,
        interface: Interface,
        family: Family,
        source: Address,
        destination: Address,
        protocol: int,
        payload: bytes,
        raw: bytes,
        cast: Cast = Cast.UNICAST,
        hop_limit: int = 64,
        traffic_class: int = 0,
        zone: int = 0,
        checksum_trusted: bool = False,
        link_source: Mac | None = None,
    ) -> None:
        self.interface = interface
        self.family = family
        self.source = source
        self.destination = destination
        self.protocol = protocol
        self.payload = payload
        """Transport header and data, cut to the length that the IP header gives."""
        self.raw = raw
        """From the first byte of the IP header: what an ICMP error quotes."""
        self.cast = cast
        self.hop_limit = hop_limit
        self.traffic_class = traffic_class
        self.zone = zone
        """Index of the interface if source or destination is link-local, else 0; part of demux keys."""
        self.checksum_trusted = checksum_trusted
        """The transport checksum was checked or made by the device, or the packet never left the host."""
        self.link_source = link_source
        """Sender of the frame; known where it may be needed, which ordinary traffic between two hosts does not."""


class Path:
    """How packets from `source` reach `destination`: everything but the next hop's MAC address.

    Valid while `IpLayer.generation` is what it was; `IpLayer.path` answers again after that.
    """

    __slots__ = ("addresses", "addresses_sum", "comment", "counter", "destination", "family", "generation", "hop_limit",
                 "interface", "is_broadcast", "is_local", "mtu", "neighbour", "next_hop", "options", "pinned", "room",
                 "source", "zone")  # fmt: skip

    def __init__(
        self,
        interface: Interface,
        family: Family,
        source: Address,
        destination: Address,
        next_hop: Address,
        mtu: int,
        generation: int,
        is_local: bool = False,
        is_broadcast: bool = False,
        zone: int = 0,
        hop_limit: int = 64,
    ) -> None:
        self.interface = interface
        """The outgoing interface; the one owning the address if `is_local`."""
        self.family = family
        self.source = source
        self.destination = destination
        self.next_hop = next_hop
        """The gateway, or the destination itself when it is on the link."""
        self.mtu = mtu
        """Largest IP packet in bytes."""
        self.room = mtu - (ipv4.HEADER_LENGTH if family is Family.IPV4 else ipv6.HEADER_LENGTH)
        """Largest payload of a packet that is not fragmented; 0 where even small ones are cut on the way."""
        self.generation = generation
        self.is_local = is_local
        """The destination is this host: the packet is looped inside and reaches no wire."""
        self.is_broadcast = is_broadcast
        self.zone = zone
        self.hop_limit = hop_limit
        """For packets whose sender names none."""
        self.pinned = 0
        """The interface that the program demanded (IP_UNICAST_IF), for whoever asks again; 0: routing decided."""
        self.comment: str | None = None
        """For the capture of the first frame: why this path, see `IpLayer.annotate`."""
        self.options = b""
        """Of the IPv4 header, if a socket asks for some (`Terms.adapt`), padded to whole words."""
        # What `net.output` wants ready-made for every packet.
        self.neighbour: Neighbour | None = None
        self.counter: Counter | None = None
        """Of identifications, where packets of the pair are counted."""
        self.addresses = source + destination
        self.addresses_sum = int.from_bytes(self.addresses, "big") % 0xFFFF
