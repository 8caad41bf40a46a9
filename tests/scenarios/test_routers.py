"""Networks with routers: whole hosts in virtual time, every frame forwarded, cut, answered or redirected by them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_Redirect, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgReader, RawPcapNgReader

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from wsknet.apps.ping import ping
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.host import Host, HostInterface, Network, link_local_address
from wsknet.net import changes
from wsknet.net.handler import Undelivered
from wsknet.net.messages.icmp import EchoMessage, IcmpErrorKind
from wsknet.net.packet import Packet
from wsknet.text import format_address, parse_address, parse_network
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, Family, Instant, LocalName, Proto

PORT = 80
PROBE = 253
"""A protocol number for experiments (RFC 3692): what probes carry."""

NEAR = {Family.IPV4: "10.0.0.1", Family.IPV6: "2001:db8:0::1"}
FAR = {Family.IPV4: "10.0.3.2", Family.IPV6: "2001:db8:3::2"}
families = pytest.mark.parametrize("family", list(Family), ids=["IPv4", "IPv6"])


class Listener:
    """Hears what becomes of probes and pings."""

    def __init__(self, host: Host) -> None:
        self.errors: list[Undelivered] = []
        self.echoes: list[str] = []
        host.stack.ip.protocols[PROBE] = self
        host.stack.ip.icmp.echo = self

    def input(self, packet: Packet, now: Instant) -> None:
        raise AssertionError("nobody answers a probe with a probe")

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        self.errors.append(error)
        return True

    def error(self, undelivered: Undelivered, now: Instant) -> bool:
        return self.icmp_error(undelivered, now)

    def reply(self, packet: Packet, message: EchoMessage, now: Instant) -> bool:
        self.echoes.append(format_address(packet.source))
        return True

    @property
    def reports(self) -> list[tuple[str, IcmpErrorKind]]:
        return [(format_address(error.reporter) if error.reporter else "", error.kind) for error in self.errors]


def send(host: Host, destination: str, payload: bytes = b"probe of a path", hop_limit: int | None = None) -> None:
    ip = host.stack.ip
    with host.pump as now:
        ip.send(ip.path(parse_address(destination)), PROBE, b"", (payload,), now, hop_limit)


def send_echo(host: Host, destination: str) -> None:
    ip = host.stack.ip
    with host.pump as now:
        path = ip.path(parse_address(destination))
        message = ip.codec.encode_icmp(path.family, path.source, path.destination, EchoMessage(False, 1, 1))
        ip.send(path, Proto.ICMP if path.family is Family.IPV4 else Proto.ICMPV6, b"", (message,), now)


def make_router(*interfaces: HostInterface) -> None:
    for interface in interfaces:
        interface.host.apply(changes.InterfaceChanged(interface.index, forwarding=True))


class Chain:
    """here - r1 - r2 - r3 - there.  Link n is 10.0.n.0/24 and 2001:db8:n::/64: .1 on its left end, .2 on its right."""

    def __init__(self, network: Network, middle_mtu: int = 1500, behaviour: Behaviour = WINDOWS) -> None:
        self.network = network
        names = ["here", "r1", "r2", "r3", "there"]
        self.here, *self.routers, self.there = hosts = [network.host(name, behaviour) for name in names]
        for number, (left, right) in enumerate(pairwise(hosts)):
            mtu = middle_mtu if number == 1 else 1500
            ends = [
                host.interface(f"link{number}", f"10.0.{number}.{end}/24", f"2001:db8:{number}::{end}/64", mtu=mtu)
                for end, host in ((1, left), (2, right))
            ]
            network.link(*ends)
        for host in self.routers:
            make_router(*host.interfaces.values())
        for position, host in enumerate(hosts):
            for number in range(4):
                if number < position - 1:
                    self._route(host, number, position - 1, 1)
                elif number > position:
                    self._route(host, number, position, 2)

    @staticmethod
    def _route(host: Host, target: int, link: int, end: int) -> None:
        host.route(f"10.0.{target}.0/24", f"10.0.{link}.{end}")
        host.route(f"2001:db8:{target}::/64", f"2001:db8:{link}::{end}")


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=1) as network:
        yield network


def cover_of(family: Family) -> Cover:
    return Cover(family.value)


def tcp_pair(network: Network, client: Host, server: Host, address: str) -> tuple[TcpEndpoint, TcpEndpoint]:
    """A connection from `client` to `server` at `address`."""
    cover = cover_of(Family.IPV6 if ":" in address else Family.IPV4)
    port = PORT + len(server.stack.view().tcp_ports)
    listener = server.stack.tcp.open(cover)
    with server.pump as now:
        listener.bind(LocalName(cover, None, port), now)
        listener.listen(now)
    near = client.stack.tcp.open(cover)
    with client.pump as now:
        near.bind(LocalName(cover, None, 0), now)
        near.connect(Endpoint(parse_address(address), port), now)
    network.run_for(0.1)
    with server.pump as now:
        far = listener.accept(now)
    assert far is not None
    return near, far


def transfer(network: Network, sender: tuple[Host, TcpEndpoint], to: tuple[Host, TcpEndpoint], size: int) -> None:
    """All bytes arrive, in order, within 10 seconds."""
    data = bytes(range(251)) * (size // 251 + 1)
    host, endpoint = sender
    with host.pump as now:
        endpoint.send(data[:size], now)
    received = b""
    for _ in range(100):
        network.run_for(0.1)
        with to[0].pump as now:
            received += bytes(to[1].receive(1 << 30, now))
        if len(received) == size:
            break
    assert received == data[:size]


def udp_socket(host: Host, family: Family, port: int = 0) -> UdpEndpoint:
    endpoint = host.stack.udp.open(cover_of(family))
    with host.pump as now:
        endpoint.bind(LocalName(cover_of(family), None, port), now)
    return endpoint


def frames(capture: Path) -> list[Ether]:
    with RawPcapNgReader(str(capture)) as reader:
        return [Ether(data) for data, _ in reader]


# --- finding the way ---


@pytest.mark.rule("RFC1812-5.3.1", "RFC8200-3")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
@families
def test_probes_with_growing_hop_limits_show_every_router_on_the_way(
    network: Network, family: Family, behaviour: Behaviour
) -> None:
    chain = Chain(network, behaviour=behaviour)
    listener = Listener(chain.here)
    for hop_limit in (1, 2, 3, 4):
        send(chain.here, FAR[family], hop_limit=hop_limit)
        network.run_for(1)

    pattern = "10.0.{}.2" if family is Family.IPV4 else "2001:db8:{}::2"
    assert listener.reports == [
        *((format_address(parse_address(pattern.format(n))), IcmpErrorKind.TIME_EXCEEDED) for n in range(3)),
        (FAR[family], IcmpErrorKind.PROTOCOL_UNREACHABLE),
    ]
    assert [error.code for error in listener.errors[:3]] == [0, 0, 0]


@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
@families
def test_every_address_of_every_router_answers(network: Network, family: Family, behaviour: Behaviour) -> None:
    chain = Chain(network, behaviour=behaviour)
    listener = Listener(chain.here)
    pattern = "10.0.{}.{}" if family is Family.IPV4 else "2001:db8:{}::{}"
    addresses = [format_address(parse_address(pattern.format(n, end))) for n in range(4) for end in (1, 2)][1:]
    for address in addresses:
        send_echo(chain.here, address)
        network.run_for(1)

    assert listener.echoes == addresses


@pytest.mark.rule("RFC1812-5.2.7.1", "RFC4443-3.1")
@families
def test_what_cannot_be_delivered_is_reported_by_the_router_that_knows(network: Network, family: Family) -> None:
    chain = Chain(network)
    listener = Listener(chain.here)
    for prefix in ("0.0.0.0/0", "::/0"):
        chain.here.route(prefix, "10.0.0.2" if prefix == "0.0.0.0/0" else "2001:db8:0::2")
    absent, unknown = {
        Family.IPV4: ("10.0.3.99", "203.0.113.1"),
        Family.IPV6: ("2001:db8:3::99", "2001:db9::1"),
    }[family]
    send(chain.here, absent)
    send(chain.here, unknown)
    network.run_for(5)

    last, first = {Family.IPV4: ("10.0.2.2", "10.0.0.2"), Family.IPV6: ("2001:db8:2::2", "2001:db8::2")}[family]
    assert listener.reports == [
        (first, IcmpErrorKind.NETWORK_UNREACHABLE),
        (last, IcmpErrorKind.HOST_UNREACHABLE),
    ]


@families
def test_a_packet_in_a_loop_comes_to_an_end(network: Network, family: Family) -> None:
    chain = Chain(network)
    listener = Listener(chain.here)
    first, second = chain.routers[:2]
    prefix = "203.0.113.0/24" if family is Family.IPV4 else "2001:db9::/32"
    pattern = "10.0.{}.{}" if family is Family.IPV4 else "2001:db8:{}::{}"
    chain.here.route(prefix, pattern.format(0, 2))
    first.route(prefix, pattern.format(1, 2))
    second.route(prefix, pattern.format(1, 1))
    send(chain.here, "203.0.113.1" if family is Family.IPV4 else "2001:db9::1", hop_limit=40)
    network.run_for(5)

    # The 40th router to have it is the second one.
    ended_at = pattern.format(1, 2)
    assert listener.reports == [(format_address(parse_address(ended_at)), IcmpErrorKind.TIME_EXCEEDED)]


@requires_tool("tshark")
@families
def test_the_way_back_may_be_another(network: Network, family: Family, tmp_path: Path) -> None:
    """Two routers join two links; each host uses another one of them."""
    network.capture(tmp_path / "asymmetric.pcapng")
    here, there = network.host("here"), network.host("there")
    left, right = here.interface("a", "10.0.0.1/24", "2001:db8:0::1/64"), there.interface(
        "b", "10.0.3.2/24", "2001:db8:3::2/64"
    )  # fmt: skip
    routers = [network.host("out"), network.host("back")]
    ends = [
        (
            router.interface("a", f"10.0.0.{n}/24", f"2001:db8:0::{n}/64"),
            router.interface("b", f"10.0.3.{n}/24", f"2001:db8:3::{n}/64"),
        )
        for n, router in ((11, routers[0]), (12, routers[1]))
    ]
    network.link(left, ends[0][0], ends[1][0])
    network.link(right, ends[0][1], ends[1][1])
    for pair in ends:
        make_router(*pair)
    here.route("10.0.3.0/24", "10.0.0.11")
    here.route("2001:db8:3::/64", "2001:db8:0::11")
    there.route("10.0.0.0/24", "10.0.3.12")
    there.route("2001:db8:0::/64", "2001:db8:3::12")
    client, server = tcp_pair(network, here, there, FAR[family])
    transfer(network, (here, client), (there, server), 50_000)
    transfer(network, (there, server), (here, client), 50_000)
    network.close()

    senders = {
        (frame.src, frame[TCP].dport == PORT)
        for frame in frames(tmp_path / "asymmetric.pcapng")
        if TCP in frame and frame.src not in (_mac(left), _mac(right))
    }
    assert senders == {(_mac(ends[0][1]), True), (_mac(ends[1][0]), False)}
    verdict = judge(tmp_path / "asymmetric.pcapng")  # it sees every segment twice and thinks it sent again
    assert (verdict.bad_checksums, verdict.malformed) == ((), ())


def _mac(interface: HostInterface) -> str:
    return interface.mac.hex(":")


# --- a smaller MTU on the way ---


@requires_tool("tshark")
@pytest.mark.rule("RFC1191-6.4", "RFC8201-5.4")
@families
def test_tcp_gets_through_a_smaller_mtu(network: Network, family: Family, tmp_path: Path) -> None:
    network.capture(tmp_path / "mtu.pcapng")
    chain = Chain(network, middle_mtu=1300)
    client, server = tcp_pair(network, chain.here, chain.there, FAR[family])
    transfer(network, (chain.here, client), (chain.there, server), 200_000)
    transfer(network, (chain.there, server), (chain.here, client), 200_000)
    network.close()

    for host, address in ((chain.here, FAR[family]), (chain.there, NEAR[family])):
        assert host.stack.ip.path(parse_address(address)).mtu == 1300
    sent = frames(tmp_path / "mtu.pcapng")
    assert not any(IPv6ExtHdrFragment in frame or (IP in frame and frame[IP].flags == 1) for frame in sent)
    # Of a quoted segment that was cut off tshark computes the checksum all the same.
    wanted = ("frame.number", "icmp.checksum.status", "icmpv6.checksum.status")
    errors = fields(tmp_path / "mtu.pcapng", *wanted, where="icmp.type == 3 || icmpv6.type == 2")
    assert errors
    assert {"".join(row[1:]) for row in errors} == {"1"}
    verdict = judge(tmp_path / "mtu.pcapng")
    assert set(verdict.bad_checksums) <= {int(row[0]) for row in errors}
    assert verdict.malformed == ()


@families
def test_other_connections_to_the_host_go_on_with_smaller_segments(
    network: Network, family: Family, tmp_path: Path
) -> None:
    """Only one of them got the error, whose news is the path's: the other does not fall back on fragments."""
    network.capture(tmp_path / "mtu.pcapng")
    chain = Chain(network, middle_mtu=1300)
    one = tcp_pair(network, chain.here, chain.there, FAR[family])
    other = tcp_pair(network, chain.here, chain.there, FAR[family])
    transfer(network, (chain.here, one[0]), (chain.there, one[1]), 100_000)
    transfer(network, (chain.here, other[0]), (chain.there, other[1]), 100_000)
    later = tcp_pair(network, chain.here, chain.there, FAR[family])
    transfer(network, (chain.here, later[0]), (chain.there, later[1]), 100_000)
    network.close()

    fragments = [
        frame
        for frame in frames(tmp_path / "mtu.pcapng")
        if IPv6ExtHdrFragment in frame or (IP in frame and frame[IP].flags == 1)
    ]
    assert len(fragments) <= 4 * 2  # of the one segment that was made before the news was heard, on 4 links


@families
def test_tcp_follows_a_path_that_becomes_narrower_later(network: Network, family: Family) -> None:
    chain = Chain(network)
    client, server = tcp_pair(network, chain.here, chain.there, FAR[family])
    transfer(network, (chain.here, client), (chain.there, server), 100_000)
    for host in chain.routers[:2]:
        host.apply(changes.InterfaceChanged(host.interfaces["link1"].index, mtu=1280))
    transfer(network, (chain.here, client), (chain.there, server), 100_000)
    assert chain.here.stack.ip.path(parse_address(FAR[family])).mtu == 1280
    network.run_for(600)
    assert chain.here.stack.ip.path(parse_address(FAR[family])).mtu == 1500
    transfer(network, (chain.here, client), (chain.there, server), 100_000)


@pytest.mark.parametrize(
    ("family", "behaviour", "arrived"),
    [
        (Family.IPV4, WINDOWS, [b"first", b"second"]),
        (Family.IPV4, LINUX, [b"second"]),
        (Family.IPV4, BSD, [b"first", b"second"]),
        (Family.IPV6, WINDOWS, [b"second"]),
        (Family.IPV6, LINUX, [b"second"]),
        (Family.IPV6, BSD, [b"second"]),
    ],
)
def test_a_datagram_too_large_for_the_way_arrives_the_next_time_and_without_df_at_once(
    network: Network, family: Family, behaviour: Behaviour, arrived: list[bytes]
) -> None:
    chain = Chain(network, middle_mtu=1300, behaviour=behaviour)
    sender, receiver = udp_socket(chain.here, family), udp_socket(chain.there, family, 7)
    for text in (b"first", b"second"):
        with chain.here.pump as now:
            sender.send((text.ljust(1400),), Endpoint(parse_address(FAR[family]), 7), now)
        network.run_for(1)

    found = []
    while (datagram := receiver.receive()) is not None:
        assert len(datagram.data) == 1400
        found.append(datagram.data.rstrip())
    assert found == arrived


@pytest.mark.rule("RFC791-3.2")
def test_fragments_are_cut_again_on_the_way_and_put_together_at_its_end(network: Network) -> None:
    chain = Chain(network, middle_mtu=1300)
    sender, receiver = udp_socket(chain.here, Family.IPV4), udp_socket(chain.there, Family.IPV4, 7)
    data = bytes(range(250)) * 40
    for payload in (b"to make the neighbours known", data):
        with chain.here.pump as now:
            sender.send((payload,), Endpoint(parse_address(FAR[Family.IPV4]), 7), now)
        network.run_for(1)

    assert receiver.receive() is not None
    datagram = receiver.receive()
    assert datagram is not None
    assert datagram.data == data


@families
def test_a_route_of_a_router_may_be_narrower_than_its_link(network: Network, family: Family) -> None:
    chain = Chain(network)
    router = chain.routers[1]
    prefix, via = {
        Family.IPV4: ("10.0.3.0/24", "10.0.2.2"),
        Family.IPV6: ("2001:db8:3::/64", "2001:db8:2::2"),
    }[family]
    index = router.interfaces["link2"].index
    router.apply(changes.RouteAdded(*parse_network(prefix), index, parse_address(via), 256, mtu=1400))
    client, server = tcp_pair(network, chain.here, chain.there, FAR[family])
    transfer(network, (chain.here, client), (chain.there, server), 100_000)

    assert chain.here.stack.ip.path(parse_address(FAR[family])).mtu == 1400
    assert chain.routers[0].stack.ip.path(parse_address(FAR[family])).mtu == 1500


def test_a_link_narrower_than_any_error_brings_about_still_carries_tcp(network: Network) -> None:
    """Below 552 bytes the sender lets the router cut (Linux: min_pmtu)."""
    chain = Chain(network)
    router = chain.routers[1]
    index = router.interfaces["link2"].index
    router.apply(changes.RouteAdded(*parse_network("10.0.3.0/24"), index, parse_address("10.0.2.2"), 256, mtu=296))
    client, server = tcp_pair(network, chain.here, chain.there, FAR[Family.IPV4])
    transfer(network, (chain.here, client), (chain.there, server), 20_000)


# --- redirects ---


@requires_tool("tshark")
@pytest.mark.rule("RFC4861-8.2", "RFC1812-5.2.7.2")
@families
def test_a_host_learns_the_nearer_router(network: Network, family: Family, tmp_path: Path) -> None:
    network.capture(tmp_path / "redirect.pcapng")
    here, there = network.host("here"), network.host("there")
    card = here.interface("a", "10.0.0.1/24", "2001:db8:0::1/64")
    wrong, right = network.host("wrong"), network.host("right")
    wrong_end = wrong.interface("a", "10.0.0.11/24", "2001:db8:0::11/64")
    right_end = right.interface("a", "10.0.0.12/24", "2001:db8:0::12/64")
    far_end = right.interface("b", "10.0.3.12/24", "2001:db8:3::12/64")
    network.link(card, wrong_end, right_end)
    network.link(far_end, there.interface("b", "10.0.3.2/24", "2001:db8:3::2/64"))
    make_router(wrong_end, right_end, far_end)
    here.route("0.0.0.0/0", "10.0.0.11")
    here.route("::/0", format_address(link_local_address(wrong_end.mac)), "a")
    wrong.route("10.0.3.0/24", "10.0.0.12")
    wrong.route("2001:db8:3::/64", format_address(link_local_address(right_end.mac)), "a")
    there.route("10.0.0.0/24", "10.0.3.12")
    there.route("2001:db8:0::/64", "2001:db8:3::12")
    sender, receiver = udp_socket(here, family), udp_socket(there, family, 7)
    for number in range(3):
        with here.pump as now:
            sender.send((b"datagram %d" % number,), Endpoint(parse_address(FAR[family]), 7), now)
        network.run_for(1)
    network.close()

    assert [receiver.receive() is not None for _ in range(4)] == [True, True, True, False]
    sent = frames(tmp_path / "redirect.pcapng")
    redirects = [f for f in sent if ICMPv6ND_Redirect in f or (ICMP in f and f[ICMP].type == 5)]
    assert len(redirects) == 1
    taken_by = [frame.dst for frame in sent if UDP in frame and frame.src == _mac(card) and frame not in redirects]
    assert taken_by == [_mac(wrong_end), _mac(right_end), _mac(right_end)]
    assert judge(tmp_path / "redirect.pcapng").is_clean


def test_a_router_does_not_follow_redirects_it_is_sent(network: Network) -> None:
    chain = Chain(network)
    router = chain.routers[0]
    before = router.stack.ip.path(parse_address(FAR[Family.IPV4])).next_hop
    ip = chain.routers[1].stack.ip
    packet = IP(src="10.0.1.1", dst=FAR[Family.IPV4]) / UDP(sport=1, dport=2) / b"8 bytes."
    message = ICMP(type=5, code=1, gw="10.0.1.77") / packet
    with chain.routers[1].pump as now:
        ip.send(ip.path(parse_address("10.0.1.1")), Proto.ICMP, b"", (bytes(message),), now)
    network.run_for(1)

    assert router.stack.ip.path(parse_address(FAR[Family.IPV4])).next_hop == before


def test_the_first_frame_that_a_router_passes_on_tells_its_route(tmp_path: Path) -> None:
    with Network(seed=1) as network:
        network.capture(tmp_path / "routed.pcapng")
        host, router, far = network.host("host"), network.router("router"), network.host("far")
        network.link(host.interface("eth0", "192.0.2.1/24"), router.interface("eth0", "192.0.2.254/24"))
        network.link(router.interface("eth1", "203.0.113.254/24"), far.interface("eth0", "203.0.113.2/24"))
        host.route("0.0.0.0/0", via="192.0.2.254")
        far.route("0.0.0.0/0", via="203.0.113.254")
        assert ping(host, "203.0.113.2", count=3).received == 3
    with PcapNgReader(str(tmp_path / "routed.pcapng")) as reader:
        comments = [(frame.comments or [b""])[0].decode() for frame in reader]
    assert [comment for comment in comments if comment.startswith("passed on")] == [
        "passed on to 203.0.113.2: 203.0.113.0/24 on-link on eth1, metric 256+25 (only usable route)",
        "passed on to 192.0.2.1: 192.0.2.0/24 on-link on eth0, metric 256+25 (only usable route)",
    ]
