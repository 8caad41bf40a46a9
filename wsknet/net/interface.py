"""One interface: its settings, its addresses, and what it accepts from the link."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.changes import AddressOrigin
from wsknet.net.metrics import automatic_metric
from wsknet.net.packet import Cast
from wsknet.types import LOOPBACK_INDEX, Address, Family, IfIndex, Mac, family_of
from wsknet.wire import ipv4, ipv6
from wsknet.wire.ethernet import BROADCAST_MAC, multicast_mac

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wsknet.config import InterfaceConfig
    from wsknet.net.changes import AddressAdded
    from wsknet.net.neighbours import NeighbourTable

Flow = tuple[Address, Address, int]
"""Source, destination and zone of packets that were found to be unicast, for us and from a possible source."""

MAX_FLOWS = 4096

MIN_MTU = {Family.IPV4: ipv4.MIN_MTU, Family.IPV6: ipv6.MIN_MTU}
"""What every link carries."""


class AddressState(Enum):
    """RFC 4862 2 and 5.4, RFC 4429; NL_DAD_STATE of Windows.  The first two are not ours to use."""

    TENTATIVE = "being checked for a duplicate"
    DUPLICATE = "in use by another host"
    OPTIMISTIC = "in use while it is being checked"
    DEPRECATED = "no longer preferred"
    PREFERRED = "preferred"


class InterfaceAddress(NamedTuple):
    """An address of ours.  The fields that both have are those of `changes.AddressAdded`."""

    address: Address
    prefix_length: int
    skip_as_source: bool = False
    state: AddressState = AddressState.PREFERRED
    origin: AddressOrigin = AddressOrigin.MANUAL
    is_temporary: bool = False
    holder: Mac | None = None
    """Of a DUPLICATE: who has it; of an address of ours: who was last heard to claim it as well."""

    @classmethod
    def of(cls, change: AddressAdded, state: AddressState | None = None, holder: Mac | None = None) -> InterfaceAddress:
        """What `change` gives an interface; with a `state` as long as it is not, or not for sure, ours to use."""
        if state is None:
            state = AddressState.DEPRECATED if change.is_deprecated else AddressState.PREFERRED
        return cls(
            change.address,
            change.prefix_length,
            change.skip_as_source,
            state,
            change.origin,
            change.is_temporary,
            holder,
        )

    @property
    def is_deprecated(self) -> bool:
        """Not to be chosen while there is a better one; RFC 4429 3.2 says so of optimistic addresses too."""
        return self.state is not AddressState.PREFERRED


class Interface:
    """Settings, addresses and what follows from them are written by `tables.Tables` alone; everybody reads.

    The rest has a writer of its own: what routers and servers said is `autoconf`'s, the groups are `multicast`'s, the
    flows `input`'s.
    """

    __slots__ = (
        "accepts",
        "addresses",
        "advertised_mtu",
        "auto",
        "config",
        "fixed_metric",
        "flows",
        "forwarding",
        "group_macs",
        "groups",
        "hop_limit",
        "index",
        "is_loopback",
        "is_up",
        "leased_mtu",
        "mac",
        "metric",
        "mtu",
        "name",
        "neighbours",
        "proxy_arp",
        "speed",
        "unassigned",
        "weak_receive",
        "weak_send",
    )

    def __init__(
        self,
        index: IfIndex,
        config: InterfaceConfig,
        weak_send: bool,
        weak_receive: bool,
        new_neighbours: Callable[[Interface], NeighbourTable],
    ) -> None:
        self.index = index
        self.config = config
        self.name = config.name
        self.mac: Mac = config.mac
        self.mtu = config.mtu
        self.set_metric(config.metric, config.speed)
        self.is_up = True
        self.is_loopback = index == LOOPBACK_INDEX
        self.weak_send = weak_send
        self.weak_receive = weak_receive
        self.auto = config.auto
        self.forwarding = config.forwarding
        self.proxy_arp = config.proxy_arp
        self.advertised_mtu = 0
        """For IPv6 packets, if a router has said so (RFC 4861 6.3.4); else 0."""
        self.hop_limit = 0
        """The same."""
        self.leased_mtu = 0
        """For IPv4 packets, if a DHCP server has said so (RFC 2132 5.1); else 0."""
        self.addresses: dict[Address, InterfaceAddress] = {}
        """Those that are ours to use, in the order in which they were added."""
        self.unassigned: dict[Address, InterfaceAddress] = {}
        """Those that are being checked, and those found to be another host's."""
        self.groups: dict[Address, None] = {}
        """Multicast groups that are listened to here, beside the ones every host belongs to."""
        self.accepts: dict[Address, Cast] = {}
        """Destinations that are ours here: local routes, broadcasts, multicast groups.  Empty while down."""
        self.group_macs: dict[Mac, None] = {}
        """Group addresses that pass the MAC filter; the broadcast is one."""
        self.flows: dict[bytes, Flow] = {}
        """Answers of `net.input` by the two addresses as they stand in the header; bounded by MAX_FLOWS."""
        self.neighbours = new_neighbours(self)

    def set_metric(self, fixed: int, speed: int) -> None:
        """`fixed` 0: by the speed of the link."""
        self.fixed_metric = fixed
        self.speed = speed
        self.metric = fixed or automatic_metric(speed)

    @property
    def carries_ipv6(self) -> bool:
        """RFC 8200 5: every link does that carries packets of 1280 bytes."""
        return self.mtu >= ipv6.MIN_MTU

    @property
    def is_strong(self) -> bool:
        """Whether packets from its addresses leave through it alone, as on hosts that are not routers (RFC 1122
        3.3.4.2)."""
        return not (self.weak_send or self.forwarding)

    def mtu_for(self, family: Family) -> int:
        told = self.advertised_mtu if family is Family.IPV6 else self.leased_mtu
        return min(self.mtu, told) if told else self.mtu

    def addresses_of(self, family: Family) -> Iterator[InterfaceAddress]:
        length = family.address_length
        return (entry for entry in self.addresses.values() if len(entry.address) == length)

    def find(self, address: Address) -> InterfaceAddress | None:
        """An address in any state, ours to use or not."""
        return self.addresses.get(address) or self.unassigned.get(address)

    def claims(self, address: Address) -> bool:
        """Whether `address` is ours or being checked; a duplicate is its holder's, who may be spoken to."""
        entry = self.unassigned.get(address)
        return address in self.addresses or (entry is not None and entry.state is not AddressState.DUPLICATE)

    def source_towards(self, target: Address, preferred: Address | None) -> Address | None:
        """Our address to put into a question about `target`: `preferred` if it is one of this interface, else one
        of the target's subnet, else any (RFC 4861 7.2.2, RFC 826)."""
        if preferred is not None and preferred in self.addresses:
            return preferred
        first: Address | None = None
        for entry in self.addresses_of(family_of(target)):
            if is_in_prefix(target, entry.address, entry.prefix_length):
                return entry.address
            first = first or entry.address
        return first

    def accept(self, destination: Address, cast: Cast) -> None:
        """Let a destination through; that of a group opens the MAC filter too."""
        self.accepts[destination] = cast
        if cast is Cast.BROADCAST:
            self.group_macs[BROADCAST_MAC] = None
        elif cast is Cast.MULTICAST:
            self.group_macs[multicast_mac(destination)] = None


def is_in_prefix(address: Address, prefix: Address, length: int) -> bool:
    """Whether the first `length` bits agree.  Both of one family."""
    shift = len(address) * 8 - length
    return int.from_bytes(address, "big") >> shift == int.from_bytes(prefix, "big") >> shift
