"""Why: drop reasons, and the decisions a person may ask about.

Counting a drop is one dict update.  Everything richer is made only while somebody listens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class DropReason(Enum):
    """Why a frame or packet went no further.  Tests and users rely on these names."""

    FRAME_TRUNCATED = "frame shorter than its Ethernet header"
    FRAME_OTHER_HOST = "frame for another MAC address"
    FRAME_OTHER_GROUP = "frame for a group that nobody here has joined"
    FRAME_UNKNOWN_ETHERTYPE = "EtherType without a protocol"
    INTERFACE_DOWN = "interface is down"
    ARP_MALFORMED = "malformed ARP message"
    ARP_NOT_FOR_US = "ARP question for another host"
    ARP_UNSOLICITED = "ARP reply that nobody waits for"
    OWN_MESSAGE = "message of our own, come back from the link"
    ADDRESS_CONFLICT = "another host claims our address"
    IP_TRUNCATED = "IP packet shorter than it claims"
    IP_BAD_VERSION = "IP version does not fit the EtherType"
    IP_BAD_HEADER_LENGTH = "IP header length below 20 bytes"
    IP_BAD_CHECKSUM = "IPv4 header checksum wrong"
    IP_BAD_OPTIONS = "IPv4 options that lie or are dangerous"
    IP_HOP_LIMIT = "hop limit used up on the way"
    IP_TOO_BIG = "larger than the next link carries, and must not be cut"
    IP_JUMBO = "jumbogram"
    IP_UNKNOWN_OPTION = "IPv6 option that may not be ignored where it is unknown"
    IP_MARTIAN_SOURCE = "source address that must not appear on the wire"
    IP_MARTIAN_DESTINATION = "loopback or unspecified destination from the wire"
    IP_NOT_LOCAL = "not locally destined"
    IP_LINK_BROADCAST = "unicast packet in a broadcast or multicast frame"
    IP_UNKNOWN_PROTOCOL = "IP protocol without a handler"
    IP_BAD_EXTENSION = "malformed or unknown IPv6 extension header"
    FRAGMENT_MALFORMED = "fragment whose length or offset cannot be right"
    FRAGMENT_TINY = "first fragment too small for a transport header"
    FRAGMENT_OVERLAP = "fragment that overlaps another of its packet"
    FRAGMENT_DUPLICATE = "fragment that has come before"
    FRAGMENT_ECN = "fragments of one packet that disagree about ECN"
    FRAGMENT_TIMEOUT = "fragments whose packet was never completed"
    FRAGMENTS_FULL = "fragments given up for newer ones"
    FORWARD_NO_ROUTE = "no route to pass the packet on"
    FORWARD_NOT_ALLOWED = "packet that must not leave its link"
    ICMP_TRUNCATED = "ICMP message too short"
    ICMP_BAD_CHECKSUM = "ICMP checksum wrong"
    ICMP_UNKNOWN_TYPE = "ICMP type without a meaning here"
    ICMP_BAD_QUOTE = "ICMP error whose quoted packet makes no sense"
    ICMP_BAD_MTU = "packet too big with an MTU that no link may have"
    ICMP_BROADCAST_ECHO = "echo request to a broadcast or IPv4 multicast address"
    ICMP_NO_ENDPOINT = "ICMP error about a packet nobody sent"
    ECHO_BUFFER_FULL = "more echo replies than their receiver has room for"
    ICMP_RATE_LIMITED = "ICMP error withheld by the rate limit"
    ND_MALFORMED = "malformed neighbour discovery message"
    ND_BAD_HOP_LIMIT = "neighbour discovery message from beyond the link"
    ND_NOT_FOR_US = "solicitation for an address of another host"
    ND_UNSOLICITED = "advertisement that nobody waits for"
    ROUTERS_NOT_ASKED = "router advertisement or solicitation where nobody follows it"
    ROUTER_NEWS_FULL = "more routers, prefixes or routes advertised than are kept"
    REDIRECT_REFUSED = "redirect that is not from the router in use, or leads nowhere"
    DHCP_MALFORMED = "malformed DHCP message"
    DHCP_UNEXPECTED = "DHCP message that nobody waits for"
    DHCP_UNUSABLE = "DHCP offer or acknowledgement without a usable lease"
    GROUP_MALFORMED = "malformed IGMP or MLD message"
    GROUP_IGNORED = "IGMP or MLD message of another host or from beyond the link"
    GROUP_FILTERED = "multicast that no socket wants from this sender on this interface"
    UDP_TRUNCATED = "UDP header incomplete"
    UDP_BAD_LENGTH = "UDP length does not fit the packet"
    UDP_BAD_CHECKSUM = "UDP checksum wrong"
    UDP_NO_ENDPOINT = "no UDP socket on the port"
    UDP_OTHER_PEER = "UDP socket has a fixed remote address"
    UDP_NOT_ADMITTED = "broadcast or interface that the UDP socket does not receive from"
    UDP_BUFFER_FULL = "UDP receive buffer full"
    DNS_MALFORMED = "malformed DNS response"
    DNS_UNEXPECTED = "DNS message that answers no question of ours"
    RAW_BAD_CHECKSUM = "checksum wrong that a raw socket asks for (IPV6_CHECKSUM)"
    RAW_NOT_ADMITTED = "broadcast or interface that the raw socket does not receive from"
    RAW_BUFFER_FULL = "receive buffer of a raw socket full"
    RAW_SPOOFED_SOURCE = "UDP with a source that is not ours, from a raw socket that is restricted"
    TCP_TRUNCATED = "TCP header incomplete"
    TCP_BAD_OFFSET = "TCP data offset does not fit the packet"
    TCP_BAD_OPTIONS = "TCP options that lie about their length"
    TCP_BAD_CHECKSUM = "TCP checksum wrong"
    TCP_BAD_ADDRESS = "TCP segment to or from a broadcast or multicast address"
    TCP_NO_ENDPOINT = "no TCP socket on the port"
    TCP_BACKLOG_FULL = "accept queue full"
    TCP_SYN_QUEUE_FULL = "too many connections half open"
    TCP_BAD_COOKIE = "acknowledgement that fits no SYN cookie"
    TCP_UNACCEPTABLE = "segment outside the receive window"
    TCP_OLD_TIMESTAMP = "TCP timestamp older than the latest one (PAWS)"
    TCP_NO_TIMESTAMP = "TCP segment without the timestamp that was agreed on"
    TCP_BAD_ACK = "acknowledges data never sent"
    TCP_BAD_RESET = "reset with the wrong sequence number"
    TCP_BAD_FLAGS = "flags that no valid segment carries"
    TCP_RECEIVE_CLOSED = "data after the receiving side was closed"
    TCP_SILENT = "segment of a connection in silent mode"
    TCP_REASSEMBLY_FULL = "out-of-order data beyond the reassembly bound"
    NEIGHBOUR_QUEUE_FULL = "too many packets waiting for one neighbour"
    NEIGHBOUR_FAILED = "neighbour did not answer"
    NO_ROUTE = "no route for a packet of the stack itself"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that could have been chosen, and why it was or was not."""

    what: str
    verdict: str
    is_winner: bool = False


@dataclass(slots=True)
class Decision:
    """The answer to one "why?": what was asked, what came out, the rule that decided, its reference."""

    question: str
    answer: str = ""
    rule: str = ""
    reference: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    parts: list[Decision] = field(default_factory=list)
    """Decisions this one rests on (a path rests on a route and a source)."""

    def consider(self, what: str, verdict: str, is_winner: bool = False) -> None:
        self.candidates.append(Candidate(what, verdict, is_winner))

    def conclude(self, answer: str, rule: str, reference: str = "") -> None:
        self.answer, self.rule, self.reference = answer, rule, reference

    def rules(self) -> list[str]:
        """Every rule that had a part in it, the decisive one first."""
        return [self.rule, *(rule for part in self.parts for rule in part.rules())]


DropSink = Callable[[DropReason, bytes], None]


class Trace:
    """Counts drops; `on_drop(reason, frame or packet)` hears each one while set."""

    __slots__ = ("drops", "on_drop")

    def __init__(self) -> None:
        self.drops: Counter[DropReason] = Counter()
        self.on_drop: DropSink | None = None

    def drop(self, reason: DropReason, what: bytes = b"") -> None:
        self.drops[reason] += 1
        if self.on_drop is not None:
            self.on_drop(reason, what)
