"""Control information of datagrams: what a random program asks for, what it sends, and what has to come with each."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet import text
from wsknet.types import is_multicast
from wsknet.wsk import (
    AF_INET,
    CMSGHDR,
    IN6_PKTINFO,
    IN_PKTINFO,
    IP_ECN,
    IP_HOPLIMIT,
    IP_MULTICAST_TTL,
    IP_PKTINFO,
    IP_RECVDSTADDR,
    IP_RECVIF,
    IP_RECVTOS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_MULTICAST_HOPS,
    IPV6_PKTINFO,
    IPV6_RECVDSTADDR,
    IPV6_RECVIF,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSA_CMSG_LEN,
    WSA_CMSG_NXTHDR,
    WSA_CMSG_SPACE,
    WSABUF,
    WSAMSG,
    WskSetOption,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.datagrams import Datagrams

Message = tuple[int, int, bytes]
"""Level, type and data."""

CLASSES = (0, 0x28, 0xB8, 0xFF)
"""Traffic classes, two of RFC 4594 among them."""
HOPS = (5, 64, 255)
ECN = 0x03


class Terms(NamedTuple):
    """What the two families call the same."""

    level: int
    packet_info: int
    wanted: dict[int, int]
    """The type of the message that each option brings."""
    traffic_class: int
    ecn: int
    unicast_hops: int
    multicast_hops: int


V4 = Terms(
    IPPROTO_IP, IP_PKTINFO,
    {IP_PKTINFO: IP_PKTINFO, IP_HOPLIMIT: IP_TTL, IP_RECVIF: IP_RECVIF, IP_RECVDSTADDR: IP_RECVDSTADDR,
     IP_RECVTOS: IP_TOS, IP_ECN: IP_ECN},
    IP_TOS, IP_ECN, IP_TTL, IP_MULTICAST_TTL,
)  # fmt: skip
V6 = Terms(
    IPPROTO_IPV6, IPV6_PKTINFO,
    {IPV6_PKTINFO: IPV6_PKTINFO, IPV6_HOPLIMIT: IPV6_HOPLIMIT, IPV6_RECVIF: IPV6_RECVIF,
     IPV6_RECVDSTADDR: IPV6_RECVDSTADDR, IPV6_RECVTCLASS: IPV6_TCLASS, IPV6_ECN: IPV6_ECN},
    IPV6_TCLASS, IPV6_ECN, IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS,
)  # fmt: skip


def terms_of(family: int) -> Terms:
    return V4 if family == AF_INET else V6


class Sent(NamedTuple):
    """A datagram as it has to arrive."""

    data: bytes
    moment: int
    """By `World.tick`."""
    to: bytes | None
    """`None`: to the address that the socket had been given."""
    traffic_class: int
    hops: int


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def want(sock: Datagrams, dice: Random) -> None:
    """Ask for a message, or for it no more."""
    terms = terms_of(sock.family)
    option = dice.choice(list(terms.wanted))
    is_on = dice.random() < 0.7
    before = sock.wanted

    def then(call: Call) -> None:
        sock.require(call, 0)

    sock.wanted = before | {option} if is_on else before - {option}
    arguments = (WskSetOption, option, terms.level, 4, [int(is_on)], 0, None, None)
    if sock.call("WskControlSocket", *arguments, then=then) is None:
        sock.wanted = before
    sock.wanted_changes += 1


def set_hops(sock: Datagrams, dice: Random) -> None:
    terms = terms_of(sock.family)
    is_group, hops = dice.random() < 0.5, dice.choice(HOPS)
    before = dict(sock.hops)
    sock.hops[is_group] = hops
    option = terms.multicast_hops if is_group else terms.unicast_hops

    def then(call: Call) -> None:
        sock.require(call, 0)

    arguments = (WskSetOption, option, terms.level, 4, [hops], 0, None, None)
    if sock.call("WskControlSocket", *arguments, then=then) is None:
        sock.hops = before


class Sending(NamedTuple):
    """Control information to send with."""

    octets: bytes
    traffic_class: int
    status: int | None
    """Which no socket can escape: the information is no good."""


NOTHING = Sending(b"", 0, None)


def choose(sock: Datagrams, to: Any, dice: Random) -> Sending:
    if dice.random() < 0.5:
        return NOTHING
    terms = terms_of(sock.family)
    if to is not None and dice.random() < 0.1:
        return dice.choice((
            Sending(_memory((terms.level, terms.traffic_class, b"\0")), 0, STATUS_INVALID_PARAMETER),
            Sending(_memory((terms.level, terms.ecn, number(4))), 0, STATUS_INVALID_PARAMETER),
            Sending(_memory((terms.level, 9999, number(1))), 0, STATUS_NOT_SUPPORTED),
        ))  # fmt: skip
    messages, traffic_class = [], 0
    if dice.random() < 0.6:
        traffic_class = dice.choice(CLASSES)
        messages.append((terms.level, terms.traffic_class, number(traffic_class)))
    if dice.random() < 0.4:
        ecn = dice.randrange(4)
        traffic_class = traffic_class & ~ECN | ecn
        messages.append((terms.level, terms.ecn, number(ecn)))
    if not messages or dice.random() < 0.3:
        index = dice.choice((0, sock.party.interface.index))
        info = IN_PKTINFO(bytes(4), index) if sock.family == AF_INET else IN6_PKTINFO(bytes(16), index)
        messages.append((terms.level, terms.packet_info, bytes(info)))
    return Sending(_memory(*messages), traffic_class, None)


def _memory(*messages: Message) -> bytes:
    octets = b""
    for level, kind, data in messages:
        head = bytes(CMSGHDR(WSA_CMSG_LEN(len(data)), level, kind))
        octets += (head + data).ljust(WSA_CMSG_SPACE(len(data)), b"\0")
    return octets


def messages_in(ControlInfo: Any, length: int) -> list[Message]:
    found = []
    msg = WSAMSG(Control=WSABUF(length, ControlInfo))
    header = WSA_CMSG_FIRSTHDR(msg) if length else None
    while header is not None:
        found.append((header.cmsg_level, header.cmsg_type, bytes(WSA_CMSG_DATA(header))))
        header = WSA_CMSG_NXTHDR(msg, header)
    return found


def check(sock: Datagrams, found: list[Message], wanted: frozenset[int] | None, sent: Sent | None) -> None:
    """`wanted`: the options in force, if the model is sure, and all has fitted."""
    terms = terms_of(sock.family)
    kinds = sorted(kind for _, kind, _ in found)
    if wanted is not None and kinds != sorted(terms.wanted[option] for option in wanted):
        sock.fail(f"messages {kinds} for the options {sorted(wanted)}")
    for level, kind, data in found:
        if level != terms.level:
            sock.fail(f"a control message of level {level}")
        elif sent is not None and not _is_right(sock, terms, kind, data, sent):
            sock.fail(f"control message {kind} is {data.hex()} for {sent}")


def _is_right(sock: Datagrams, terms: Terms, kind: int, data: bytes, sent: Sent) -> bool:
    numbers = [number(view.index) for view in sock.party.host.stack.view().interfaces]
    own = number(sock.party.interface.index)
    if sent.to is not None and not is_multicast(sent.to):
        is_loopback = sent.to in LOOPBACK
        numbers = [each for each in numbers if is_loopback or each == own]
    if kind == terms.packet_info:
        return data[:-4] in (sent.to, data[:-4] if sent.to is None else None) and data[-4:] in numbers
    if kind in (IP_RECVIF, IPV6_RECVIF) and kind in terms.wanted:
        return data in numbers
    if kind == terms.wanted[IP_RECVDSTADDR if terms is V4 else IPV6_RECVDSTADDR]:
        return sent.to is None or data == sent.to
    if kind == terms.wanted[IP_HOPLIMIT if terms is V4 else IPV6_HOPLIMIT]:
        return sent.to is None or data == number(sent.hops)
    return data == number(sent.traffic_class & ECN if kind == terms.ecn else sent.traffic_class)


LOOPBACK = tuple(text.parse_address(each) for each in ("127.0.0.1", "::1"))
