"""Identification and DF of IPv4 packets, and ICMP messages as each system sends them (`Identification`, `icmp_*`)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

from tests.unit.net.lab import IF1, Lab, Recorder, ping, udp_header
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import AutoConfig, StackConfig
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.net.packet import Packet
from wsknet.types import Instant, Proto

US, PEER, OTHER = "10.1.0.2", "10.1.0.50", "10.1.0.51"
US6, PEER6 = "2001:db8:1::2", "2001:db8:1::50"
ALL = (WINDOWS, LINUX, BSD)
SETS = pytest.mark.parametrize("behaviour", ALL, ids=lambda behaviour: behaviour.name)


class Refuser(Recorder):
    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab

    def input(self, packet: Packet, now: Instant) -> None:
        self.lab.ip.icmp.send_error(IcmpErrorKind.PORT_UNREACHABLE, packet, now)


def lab_of(behaviour: Behaviour) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, f"{US}/24", f"{US6}/64")
    for peer in (PEER, OTHER, PEER6):
        lab.know(IF1, peer)
    lab.ip.protocols[Proto.UDP] = Refuser(lab)
    return lab


def datagrams(lab: Lab, peer: str, count: int = 3) -> list[Any]:
    for _ in range(count):
        lab.send(peer)
    return [frame[IP] for _, frame in lab.take()]


def steps(packets: list[Any]) -> list[int]:
    return [later.id - earlier.id & 0xFFFF for earlier, later in pairwise(packets)]


def valid(packet: Any) -> bool:
    again = packet.copy()
    del again.chksum
    return bytes(IP(bytes(again))) == bytes(packet)


def test_windows_counts_every_packet_of_a_pair_of_addresses() -> None:
    lab = lab_of(WINDOWS)
    packets = datagrams(lab, PEER, 4)
    lab.arrive(IF1, ping(PEER, US))
    lab.send(PEER, bytes(2000))
    packets += [frame[IP] for _, frame in lab.take()]
    assert steps(packets) == [1, 1, 1, 1, 1, 0]  # the last two are fragments of one packet
    assert all(valid(packet) for packet in packets)

    others = datagrams(lab, OTHER, 3)
    assert steps(others) == [1, 1]
    assert abs(others[0].id - packets[-1].id) > 3


def test_linux_alone_discovers_the_path_with_datagrams() -> None:
    """The first of each goes the slow way, as its neighbour has not been used before."""
    flags = {behaviour.name: [str(packet.flags) for packet in datagrams(lab_of(behaviour), PEER)] for behaviour in ALL}
    assert flags == {"windows": [""] * 3, "linux": ["DF"] * 3, "bsd": [""] * 3}


@SETS
@pytest.mark.parametrize(("protocol", "may_fragment"), [(Proto.TCP, True), (Proto.UDP, False)])
def test_segments_have_df_and_so_has_what_must_not_be_cut(
    behaviour: Behaviour, protocol: Proto, may_fragment: bool
) -> None:
    lab = lab_of(behaviour)
    path = lab.path(PEER)
    for _ in range(2):
        lab.ip.send(path, protocol, udp_header(4), (b"data",), lab.now, may_fragment=may_fragment)
    packets = [frame[IP] for _, frame in lab.take()]
    assert [str(packet.flags) for packet in packets] == ["DF"] * 2
    assert all(valid(packet) for packet in packets)


@pytest.mark.rule("RFC6864-4.1", "RFC6864-4.3")
@pytest.mark.parametrize(("behaviour", "count"), [(LINUX, 6), (BSD, 3)], ids=["linux", "bsd"])
def test_elsewhere_atomic_packets_have_none(behaviour: Behaviour, count: int) -> None:
    """And do not take one from those that need it: a conversation of both kinds leaves no gaps."""
    lab = lab_of(behaviour)
    path = lab.path(PEER)
    for may_fragment in (False, False, True, False, True, True):
        lab.ip.send(path, Proto.UDP, udp_header(4), (b"data",), lab.now, may_fragment=may_fragment)
    packets = [frame[IP] for _, frame in lab.take()]
    assert [packet.id for packet in packets if packet.flags.DF] == [0] * count
    assert set(steps([packet for packet in packets if not packet.flags.DF])) == (set() if count == 6 else {1})


@pytest.mark.rule("RFC6864-4.3")
@pytest.mark.parametrize("peer", [PEER, "10.1.0.255", "239.1.2.3"])
@pytest.mark.parametrize("behaviour", [WINDOWS, BSD], ids=lambda behaviour: behaviour.name)
def test_what_may_be_fragmented_is_numbered(behaviour: Behaviour, peer: str) -> None:
    packets = datagrams(lab_of(behaviour), peer, 4)
    assert steps(packets) == [1, 1, 1]
    assert all(valid(packet) for packet in packets)


def test_a_connection_may_bring_its_own_which_windows_does_not_use() -> None:
    for behaviour, expected in ((LINUX, [0xFFFF, 0xFFFE]), (WINDOWS, None)):
        lab = lab_of(behaviour)
        path = lab.path(PEER)
        for own in (0xFFFF, 0xFFFE):
            lab.ip.send(path, Proto.TCP, udp_header(4), (b"data",), lab.now, identification=own)
        packets = [frame[IP] for _, frame in lab.take()]
        assert all(valid(packet) for packet in packets)
        if expected is None:
            assert steps(packets) == [1]
        else:
            assert [packet.id for packet in packets] == expected


@SETS
def test_icmp_may_be_fragmented_and_is_numbered(behaviour: Behaviour) -> None:
    lab = lab_of(behaviour)
    for _ in range(3):
        lab.arrive(IF1, ping(PEER, US, flags="DF"))
    lab.arrive(IF1, IP(src=PEER, dst=US) / UDP(dport=9))
    packets = [frame[IP] for _, frame in lab.take()]
    assert [packet[ICMP].type for packet in packets] == [0, 0, 0, 3]
    assert [str(packet.flags) for packet in packets] == [""] * 4
    assert steps(packets) == [1, 1, 1]
    assert all(valid(packet) for packet in packets)


@pytest.mark.rule("RFC1122-3.2.2", "RFC1812-4.3.2.3")
@pytest.mark.parametrize(
    ("behaviour", "options", "quoted", "traffic_class"),
    [(WINDOWS, 0, 548, 0), (LINUX, 0, 548, 0xC0), (BSD, 0, 28, 0), (BSD, 4, 32, 0)],
    ids=["windows", "linux", "bsd", "bsd, options"],
)
def test_how_much_an_error_quotes(behaviour: Behaviour, options: int, quoted: int, traffic_class: int) -> None:
    lab = lab_of(behaviour)
    offending = IP(src=PEER, dst=US, options=[b"\x01"] * options) / UDP(dport=9) / bytes(1000)
    lab.arrive(IF1, offending)
    error = lab.take_one()[IP]
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)
    assert bytes(error[ICMP])[8:] == bytes(offending)[:quoted]
    assert error.tos == traffic_class


@pytest.mark.parametrize(
    ("behaviour", "code4", "code6"), [(WINDOWS, 0, 0), (LINUX, 9, 9), (BSD, 9, 0)], ids=["windows", "linux", "bsd"]
)
def test_the_code_of_an_echo_reply(behaviour: Behaviour, code4: int, code6: int) -> None:
    lab = lab_of(behaviour)
    lab.arrive(IF1, IP(src=PEER, dst=US) / ICMP(type=8, code=9, id=1, seq=2) / b"data")
    assert lab.take_one()[ICMP].code == code4
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / ICMPv6EchoRequest(code=9, id=1, seq=2, data=b"data"))
    assert lab.take_one()[ICMPv6EchoReply].code == code6


@pytest.mark.rule("RFC6864-4.3")
@pytest.mark.parametrize(("behaviour", "flags", "step"), [(WINDOWS, "", 1), (LINUX, "DF", 0), (BSD, "", 1)])
def test_dhcp_sends_datagrams_like_any_other(behaviour: Behaviour, flags: str, step: int) -> None:
    lab = Lab(config=StackConfig(behaviour=behaviour))
    lab.interface(IF1, auto=AutoConfig(dhcp=True))
    packets = []
    for _ in range(40):
        packets += [frame[IP] for _, frame in lab.take() if frame.haslayer(BOOTP)]
        lab.pass_time(1)
    assert [str(packet.flags) for packet in packets] == [flags] * len(packets)
    assert len(packets) > 2
    assert set(steps(packets)) == {step}
    assert all(valid(packet) for packet in packets)
