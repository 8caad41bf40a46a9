"""Whether a packet would be ours on the interface that it arrives on: level 0 of BIND-1.7.

`input` asks `Admission` about every packet; here it is asked about one that nobody has sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.packet import Cast, Packet
from wsknet.net.withheld import withheld
from wsknet.net.wording import address_text
from wsknet.trace import DropReason
from wsknet.types import Address, Family, family_of, is_link_local, is_multicast
from wsknet.wire import ipv4, ipv6
from wsknet.wire.ethernet import BROADCAST_MAC, multicast_mac

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.trace import Decision

STRONG_HOST = "RFC 1122 3.3.4.2, strong host receive"
WEAK_HOST = "RFC 1122 3.3.4.2, weak host receive"
_LOCAL = "RFC 1122 3.3.4.2"
_REFERENCES = {
    DropReason.IP_MARTIAN_SOURCE: "RFC 1122 3.2.1.3, RFC 4291 2.5",
    DropReason.IP_MARTIAN_DESTINATION: "RFC 1122 3.2.1.3 (g)",
    DropReason.GROUP_FILTERED: "RFC 3376 3.2, RFC 3810 4.2",
}


def example(interface: Interface, source: Address, destination: Address, protocol: int) -> Packet:
    """A packet without data, as it would arrive on `interface`."""
    build = ipv4.build if family_of(destination) is Family.IPV4 else ipv6.build
    raw = build(source, destination, protocol, 0, 64)
    zone = interface.index if is_link_local(source) or is_link_local(destination) else 0
    return Packet(interface, family_of(destination), source, destination, protocol, b"", raw, zone=zone)


def admit(ip: IpLayer, packet: Packet, why: Decision | None) -> Cast | DropReason | None:
    """How `packet` reaches us, why it does not, or `None` if it would be passed on.  Nothing is counted."""
    interface, mac = packet.interface, _frame_mac(packet)
    verdict: Cast | DropReason | None
    if not interface.is_up:
        verdict = DropReason.INTERFACE_DOWN
    elif mac != interface.mac and mac not in interface.group_macs:
        verdict = DropReason.FRAME_OTHER_GROUP
    elif ip.input.admission.is_martian(packet):
        verdict = DropReason.IP_MARTIAN_SOURCE
    else:
        verdict = ip.input.admission.accept(packet, mac)
    if why is not None:
        _explain(ip, packet, verdict, why)
    return verdict


def _frame_mac(packet: Packet) -> bytes:
    """What the sender writes into the frame: the MAC of a group for a group, else ours."""
    if is_multicast(packet.destination):
        return multicast_mac(packet.destination)
    is_for_all = packet.interface.accepts.get(packet.destination) is Cast.BROADCAST
    return BROADCAST_MAC if is_for_all else packet.interface.mac


def _explain(ip: IpLayer, packet: Packet, verdict: Cast | DropReason | None, why: Decision) -> None:
    interface, destination = packet.interface, packet.destination
    owners = [each for each in ip.interfaces.values() if destination in each.addresses]
    for each in owners:
        is_taken = verdict is Cast.UNICAST and (each is interface or interface not in owners)
        why.consider(f"{address_text(destination)} on {each.name}", _owner_text(each, interface, verdict), is_taken)
    if verdict is None:
        why.conclude("no, it is passed on", f"{interface.name} forwards packets that are not ours", "RFC 1812 5.2.1")
    elif isinstance(verdict, DropReason):
        rule, reference = _refusal(ip, packet, verdict, owners)
        why.conclude(f"no, it is dropped: {verdict.value}", rule, reference)
    elif verdict is not Cast.UNICAST:
        why.conclude(f"yes, as a {verdict.value}", f"{interface.name} listens to {address_text(destination)}", _LOCAL)
    elif interface in owners or not owners:
        why.conclude("yes", f"an address of {interface.name}", _LOCAL)
    else:
        kind = "a router's address" if not interface.weak_receive else "an address of the host"
        why.conclude("yes", f"{kind} counts on every interface, on {interface.name}, too", WEAK_HOST)


def _owner_text(owner: Interface, interface: Interface, verdict: Cast | DropReason | None) -> str:
    if owner is interface:
        return "the interface that the packet arrives on" if owner.is_up else f"{owner.name} is down"
    if not owner.is_up:
        return f"{owner.name} is down"
    if verdict is Cast.UNICAST:
        return f"counts on {interface.name}, too"
    return f"counts on {owner.name} alone (strong host receive)"


def _refusal(ip: IpLayer, packet: Packet, reason: DropReason, owners: list[Interface]) -> tuple[str, str]:
    """The rule and its reference."""
    if reason is DropReason.IP_NOT_LOCAL:
        return _not_local(ip, packet, owners)
    source, destination = address_text(packet.source), address_text(packet.destination)
    match reason:
        case DropReason.INTERFACE_DOWN:
            rule = f"nothing arrives on {packet.interface.name} while it is down"
        case DropReason.IP_MARTIAN_SOURCE if packet.source in ip.tables.local:
            rule = f"{source} is our own address, and nobody else's packets come from it"
        case DropReason.IP_MARTIAN_SOURCE:
            rule = f"{source} is no address that a sender can have"
        case DropReason.FRAME_OTHER_GROUP:
            rule = f"nobody here has joined {destination} on {packet.interface.name}"
        case DropReason.GROUP_FILTERED:
            rule = f"nobody here wants {destination} from {source}"
        case _:
            rule = f"{destination} is never accepted from a link"
    return rule, _REFERENCES.get(reason, _LOCAL)


def _not_local(ip: IpLayer, packet: Packet, owners: list[Interface]) -> tuple[str, str]:
    interface, name = packet.interface, address_text(packet.destination)
    held = withheld(ip.tables, packet.destination)
    if held is not None:
        return held
    if interface in owners:
        return f"the local route to {name} is not in the table", _LOCAL
    if owners:
        return f"{name} belongs to {owners[0].name}, and the packet arrives on {interface.name}", STRONG_HOST
    return f"{name} is not an address of this host", _LOCAL
