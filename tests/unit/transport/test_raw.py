"""Raw endpoints beside what the rest of the stack does: routers on the way, silence, addresses that go, odd headers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6TimeExceeded

from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.host import Host, Network
from wsknet.inspect.tables import tables
from wsknet.net.changes import InterfaceChanged, InterfaceRemoved
from wsknet.net.packet import Cast
from wsknet.net.terms import Terms
from wsknet.text import parse_address as A
from wsknet.trace import DropReason
from wsknet.transport.manner import Manner
from wsknet.transport.raw.checksums import with_checksum
from wsknet.transport.raw.endpoint import RawEndpoint
from wsknet.types import Cover, Endpoint, Family, LocalName
from wsknet.wire import ipv4, ipv6

PROTOCOL = 253
HERE = {Family.IPV4: A("192.0.2.1"), Family.IPV6: A("2001:db8::1")}
ROUTER = {Family.IPV4: A("192.0.2.254"), Family.IPV6: A("2001:db8::fe")}
THERE = {Family.IPV4: A("198.51.100.2"), Family.IPV6: A("2001:db8:1::2")}
SILENT = {Family.IPV4: A("192.0.2.99"), Family.IPV6: A("2001:db8::99")}
families = pytest.mark.parametrize("family", list(Family), ids=["IPv4", "IPv6"])


class Street:
    """here - router - there."""

    def __init__(self, network: Network, behaviour: Behaviour = WINDOWS) -> None:
        self.network = network
        self.here, self.there = network.host("here", behaviour), network.host("there", behaviour)
        self.router = network.router("router", behaviour)
        self.near = self.here.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        self.far = self.there.interface("eth0", "198.51.100.2/24", "2001:db8:1::2/64")
        left = self.router.interface("eth0", "192.0.2.254/24", "2001:db8::fe/64")
        right = self.router.interface("eth1", "198.51.100.254/24", "2001:db8:1::fe/64")
        network.link(self.near, left)
        network.link(self.far, right)
        for host, gateway, gateway6 in (
            (self.here, "192.0.2.254", "2001:db8::fe"),
            (self.there, "198.51.100.254", "2001:db8:1::fe"),
        ):
            host.route("0.0.0.0/0", gateway)
            host.route("::/0", gateway6)
        network.run_for(5)


@pytest.fixture
def street() -> Iterator[Street]:
    with Network(seed=3) as network:
        yield Street(network)


def bound(host: Host, family: Family, number: int = PROTOCOL, address: bytes | None = None) -> RawEndpoint:
    cover = Cover(family.value)
    endpoint = host.stack.raw.open(number, cover)
    with host.pump as now:
        endpoint.bind(LocalName(cover, address, 0), now)
    return endpoint


def send(host: Host, endpoint: RawEndpoint, data: bytes, to: bytes) -> None:
    with host.pump as now:
        endpoint.send((data,), Endpoint(to, 0), now)


def received(endpoint: RawEndpoint) -> list[bytes]:
    found = []
    while (datagram := endpoint.receive()) is not None:
        found.append(datagram.data)
    return found


# On the way


@families
def test_a_traceroute(street: Street, family: Family) -> None:
    """Who lets a packet die tells so, to whoever listens for ICMP; the last hop takes it."""
    listener = bound(street.here, family, 1 if family is Family.IPV4 else 58)
    prober, target = bound(street.here, family), bound(street.there, family)
    reporters = []
    for hop_limit in (1, 2):
        prober.manner = Manner(dict.fromkeys((4, 16), Terms(hop_limit=hop_limit)))
        send(street.here, prober, b"probe %d" % hop_limit, THERE[family])
        street.network.run_for(1)
        while (datagram := listener.receive()) is not None:
            if family is Family.IPV4:
                message = IP(datagram.data)[ICMP]
                is_exceeded = message.type == 11
                quoted = bytes(message.payload)
            else:
                is_exceeded = datagram.data[0] == 3
                quoted = bytes(ICMPv6TimeExceeded(datagram.data).payload)
            if is_exceeded:
                assert b"probe 1" in quoted
                reporters.append(datagram.source.address)
    assert reporters == [ROUTER[family]]
    assert [data[-7:] for data in received(target)] == [b"probe 2"]


@families
@pytest.mark.parametrize("has_peer", [True, False])
def test_an_icmp_error_is_told_to_who_has_a_peer(street: Street, family: Family, has_peer: bool) -> None:
    endpoint = bound(street.here, family)
    if has_peer:
        with street.here.pump as now:
            endpoint.connect(Endpoint(THERE[family], 0), now)
    send(street.here, endpoint, b"nobody takes it", THERE[family])
    street.network.run_for(1)
    told = ErrorKind.PROTOCOL_UNREACHABLE if family is Family.IPV4 else ErrorKind.PROTOCOL_ERROR
    expected = told if has_peer else None
    found = endpoint.take_error()
    assert (found is not None) is has_peer
    assert family is Family.IPV6 or found is expected
    assert not street.here.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT]


@families
def test_an_icmp_error_is_received_by_who_wants_reports(street: Street, family: Family) -> None:
    endpoint = bound(street.here, family)
    endpoint.reports_errors = (4, 16)
    send(street.here, endpoint, b"nobody takes it", THERE[family])
    street.network.run_for(1)
    datagram = endpoint.receive()
    assert datagram is not None
    assert datagram.report is not None
    assert (datagram.source, datagram.destination) == (Endpoint(THERE[family], 0), HERE[family])


@families
def test_after_the_last_has_closed_errors_find_nobody(street: Street, family: Family) -> None:
    endpoint = bound(street.here, family)
    send(street.here, endpoint, b"nobody takes it", THERE[family])
    with street.here.pump as now:
        endpoint.close(now)
        endpoint.close(now)
    street.network.run_for(1)
    assert street.here.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT] == 1
    assert street.here.stack.ip.protocols.keys() == street.there.stack.ip.protocols.keys()


@families
def test_an_error_that_no_name_fits_is_a_named_drop(street: Street, family: Family) -> None:
    """Even while the protocol has a socket."""
    gone, other = bound(street.here, family), bound(street.here, family)
    with street.here.pump as now:
        other.connect(Endpoint(SILENT[family], 0), now)
    send(street.here, gone, b"nobody takes it", THERE[family])
    with street.here.pump as now:
        gone.close(now)
    street.network.run_for(1)
    assert street.here.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT] == 1


def test_a_ping_of_a_raw_socket_discovers_the_path_mtu(street: Street) -> None:
    street.router.apply(InterfaceChanged(street.router.interface_index("eth1"), mtu=1300))
    pinger = bound(street.here, Family.IPV6, 58)
    to = THERE[Family.IPV6]
    for expected in (1500, 1300):
        assert street.here.stack.ip.path(to).mtu == expected
        send(street.here, pinger, b"\x80" + bytes(1400), to)
        street.network.run_for(1)


def test_icmpv6_with_a_wrong_checksum_is_not_copied(street: Street) -> None:
    listener = bound(street.there, Family.IPV6, 58)
    forger = bound(street.here, Family.IPV6)
    forger.has_header = True
    to = THERE[Family.IPV6]
    head = ipv6.build(HERE[Family.IPV6], to, 58, 12, 64)
    send(street.here, forger, head + b"\x81" + bytes(11), to)
    street.network.run_for(1)
    assert street.there.stack.trace.drops[DropReason.ICMP_BAD_CHECKSUM] == 1
    assert not [data for data in received(listener) if data[0] == 129]


@families
@pytest.mark.parametrize("number", [1, 2, 6, 17, 58, PROTOCOL])
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
def test_a_silent_neighbour_of_a_short_packet(family: Family, number: int, behaviour: Behaviour) -> None:
    """Even one that is shorter than any header of its protocol."""
    with Network(seed=3) as network:
        street = Street(network, behaviour)
        endpoint = bound(street.here, family, number)
        with street.here.pump as now:
            endpoint.connect(Endpoint(SILENT[family], 0), now)
        send(street.here, endpoint, bytes(4) if (family, number) == (Family.IPV6, 58) else b"", SILENT[family])
        network.run_for(10)
        assert endpoint.take_error() is (ErrorKind.HOST_UNREACHABLE if behaviour is LINUX else None)
        assert street.here.stack.trace.drops[DropReason.NEIGHBOUR_FAILED]


# Names


@families
def test_who_loses_his_interface_is_told(street: Street, family: Family) -> None:
    specific, wildcard = bound(street.here, family, address=HERE[family]), bound(street.here, family)
    with street.here.pump as now:
        street.here.stack.apply(InterfaceRemoved(street.near.index), now)
    assert specific.take_error() is ErrorKind.INTERFACE_REMOVED
    assert wildcard.take_error() is None


@families
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
def test_the_unspecified_destination(family: Family, behaviour: Behaviour) -> None:
    nowhere = bytes(family.address_length)
    with Network(seed=3) as network:
        street = Street(network, behaviour)
        endpoint = bound(street.here, family)
        if behaviour is WINDOWS:
            with pytest.raises(NetError) as refused:
                send(street.here, endpoint, b"data", nowhere)
            assert refused.value.kind is ErrorKind.NOT_LOCAL
            with street.here.pump as now, pytest.raises(NetError):
                endpoint.connect(Endpoint(nowhere, 0), now)
            return
        send(street.here, endpoint, b"to ourselves", nowhere)
        assert [data[-12:] for data in received(endpoint)] == [b"to ourselves"]
        with street.here.pump as now:
            endpoint.connect(Endpoint(nowhere, 0), now)


@families
def test_connecting_gives_the_wildcard_an_address_until_it_is_taken_back(street: Street, family: Family) -> None:
    endpoint = bound(street.here, family)
    with street.here.pump as now:
        endpoint.connect(Endpoint(THERE[family], 9), now)
        assert endpoint.local is not None
        assert (endpoint.local.address, endpoint.local.port) == (HERE[family], 0)
        assert endpoint.remote == Endpoint(THERE[family], 0)
        endpoint.connect(None, now)
    assert endpoint.local.address is None
    assert endpoint.remote is None


@families
def test_the_tables_show_it(street: Street, family: Family) -> None:
    specific, wildcard = bound(street.here, family, 17, HERE[family]), bound(street.here, family)
    shown = tables(street.here.stack.view())
    where = ("192.0.2.1", "0.0.0.0") if family is Family.IPV4 else ("2001:db8::1", "::")
    at = shown.index("raw sockets")
    assert shown[at + 1 : at + 3] == [f"  protocol 17 {where[0]}", f"  protocol 253 {where[1]}"]
    with street.here.pump as now:
        specific.close(now)
        wildcard.close(now)
    assert "raw sockets" not in tables(street.here.stack.view())


@families
def test_closed_and_opened_again(street: Street, family: Family) -> None:
    """Whoever stands in front of UDP does so once, and only as long as he is wanted."""
    cover = Cover(family.value)
    server, client = street.there.stack.udp.open(cover), street.here.stack.udp.open(cover)
    with street.there.pump as now:
        server.bind(LocalName(cover, None, 7), now)
    with street.here.pump as now:
        client.bind(LocalName(cover, None, 0), now)
    for round_number in range(3):
        listeners = [bound(street.there, family, 17) for _ in range(2)]
        with street.here.pump as now:
            client.send((b"datagram",), Endpoint(THERE[family], 7), now)
        street.network.run_for(0.1)
        assert [len(received(each)) for each in listeners] == [1, 1], round_number
        assert server.receive() is not None
        assert server.receive() is None
        with street.there.pump as now:
            for each in listeners:
                each.close(now)


@families
def test_a_fixed_peer_is_the_default(street: Street, family: Family) -> None:
    endpoint, target = bound(street.here, family), bound(street.there, family)
    with street.here.pump as now:
        with pytest.raises(LocalError):
            endpoint.send((b"where to?",), None, now)
        endpoint.connect(Endpoint(THERE[family], 0), now)
        endpoint.send((b"there",), None, now)
    street.network.run_for(1)
    assert [data[-5:] for data in received(target)] == [b"there"]


def test_a_restricted_socket_hears_its_site_alone(street: Street) -> None:
    restricted, other = bound(street.there, Family.IPV6), bound(street.there, Family.IPV6)
    restricted.is_restricted = True
    send(street.here, bound(street.here, Family.IPV6), b"from afar", THERE[Family.IPV6])
    send(street.router, bound(street.router, Family.IPV6), b"from the link", THERE[Family.IPV6])
    street.network.run_for(1)
    assert [received(each) for each in (restricted, other)] == [[b"from the link"], [b"from the link", b"from afar"]]
    assert street.there.stack.trace.drops[DropReason.RAW_NOT_ADMITTED] == 1


@families
@pytest.mark.parametrize("has_header", [False, True])
@pytest.mark.parametrize("loops", [True, False])
def test_a_sender_decides_on_linux_whether_its_own_host_hears_the_group(
    family: Family, has_header: bool, loops: bool
) -> None:
    group = A("239.1.2.3") if family is Family.IPV4 else A("ff05::123")
    with Network(seed=3) as network:
        street = Street(network, LINUX)
        sender, receiver = bound(street.here, family), bound(street.here, family)
        with street.here.pump as now:
            receiver.multicast.join(group, street.near.index, now)
        sender.multicast.loops, sender.has_header = loops, has_header
        sender.multicast.if_index = street.near.index
        build = ipv4.build if family is Family.IPV4 else ipv6.build
        head = build(HERE[family], group, PROTOCOL, 4, 1) if has_header else b""
        send(street.here, sender, head + b"data", group)
        got = []
        while (datagram := receiver.receive()) is not None:
            got.append((datagram.data[-4:], datagram.cast))
        assert got == ([(b"data", Cast.MULTICAST)] if loops else [])


# IPv6 extension headers


@pytest.mark.parametrize("number", [0, 43, 44, 59, 60])
def test_a_number_of_an_extension_header_does_not_hinder_ipv6(street: Street, number: int) -> None:
    """Such a socket receives over IPv4 alone: over IPv6 the stack reads these headers itself."""
    receivers = [bound(street.there, family, number) for family in Family]
    plain, target = bound(street.here, Family.IPV6), bound(street.there, Family.IPV6)
    for _ in range(3):  # the later ones on the fast path
        send(street.here, plain, bytes(3000), THERE[Family.IPV6])
        send(street.here, bound(street.here, Family.IPV4, number), b"data", THERE[Family.IPV4])
        street.network.run_for(0.1)
    assert [len(data) for data in received(target)] == [3000] * 3
    assert [len(received(each)) for each in receivers] == [3, 0]


# Limits


@families
def test_terms_of_the_socket_hold(street: Street, family: Family) -> None:
    endpoint, target = bound(street.here, family), bound(street.there, family)
    terms = Terms(mtu=1280, dont_fragment=True, options=b"\1\1\1\0")
    endpoint.manner = Manner(dict.fromkeys((4, 16), terms))
    with pytest.raises(NetError) as refused:
        send(street.here, endpoint, bytes(1300), THERE[family])
    assert refused.value.kind is ErrorKind.MESSAGE_TOO_LONG
    send(street.here, endpoint, b"data", THERE[family])
    street.network.run_for(1)
    expected = b"\1\1\1\0data" if family is Family.IPV4 else b"data"
    assert [data[20 if family is Family.IPV4 else 0 :] for data in received(target)] == [expected]


@families
@pytest.mark.parametrize("to", [HERE, SILENT], ids=["to ourselves", "to the link"])
def test_nothing_is_longer_than_an_ip_packet(street: Street, family: Family, to: dict[Family, bytes]) -> None:
    endpoint = bound(street.here, family)
    for has_header in (False, True):
        endpoint.has_header = has_header
        first = b"\x45" if family is Family.IPV4 else b"\x60"
        with pytest.raises(NetError) as refused:
            send(street.here, endpoint, first + bytes(0x10000 + 40), to[family])
        assert refused.value.kind is ErrorKind.MESSAGE_TOO_LONG


@pytest.mark.rule("RFC791-3.1")
@pytest.mark.parametrize("to", [HERE, THERE], ids=["to ourselves", "to the link"])
def test_options_take_their_room_of_the_longest_packet(street: Street, to: dict[Family, bytes]) -> None:
    endpoint = bound(street.here, Family.IPV4)
    endpoint.manner = Manner(dict.fromkeys((4, 16), Terms(options=b"\1\1\1\0")))
    endpoint.receive_buffer = 1 << 20
    with pytest.raises(NetError) as refused:
        send(street.here, endpoint, bytes(65535 - 20 - 4 + 1), to[Family.IPV4])
    assert refused.value.kind is ErrorKind.MESSAGE_TOO_LONG
    send(street.here, endpoint, bytes(65535 - 20 - 4), to[Family.IPV4])
    street.network.run_for(1)
    assert [len(data) for data in received(endpoint)] == ([65535] if to is HERE else [])


@pytest.mark.rule("RFC8200-8.1")
def test_a_checksum_of_udp_is_never_zero() -> None:
    ours, theirs = HERE[Family.IPV6], THERE[Family.IPV6]
    first = with_checksum(bytes(10), ours, theirs, 17, 6)
    rest = first[6:8]  # what is missing to a sum of zeros
    assert with_checksum(bytes(8) + rest, ours, theirs, 17, 6)[6:8] == b"\xff\xff"
    other = with_checksum(bytes(10), ours, theirs, PROTOCOL, 6)[6:8]
    assert with_checksum(bytes(8) + other, ours, theirs, PROTOCOL, 6)[6:8] == b"\0\0"


@families
def test_no_group_is_a_source_on_the_way_to_ourselves(street: Street, family: Family) -> None:
    sender, receiver = bound(street.here, family), bound(street.here, family)
    sender.has_header = True
    group = A("224.1.1.1") if family is Family.IPV4 else A("ff02::1")
    build = ipv4.build if family is Family.IPV4 else ipv6.build
    for source in (group, HERE[family]):
        send(street.here, sender, build(source, HERE[family], PROTOCOL, 4, 9) + b"data", HERE[family])
    assert len(received(receiver)) == 1
    assert street.here.stack.trace.drops[DropReason.IP_MARTIAN_SOURCE] == 1


# Anything


WORDS = st.binary(max_size=120)
NUMBERS = st.sampled_from((0, 1, 2, 6, 17, 43, 44, 58, 59, 60, PROTOCOL))
SOURCES = st.none() | st.sampled_from((0, 127, 224, 254, 255))
"""Every byte of the address; `None`: ours."""


@settings(max_examples=200, deadline=None)
@given(
    family=st.sampled_from(list(Family)),
    header=WORDS,
    is_local=st.booleans(),
    number=NUMBERS,
    is_head=st.booleans(),
    source_byte=SOURCES,
)
def test_whatever_an_application_writes_is_refused_dropped_or_sent(
    family: Family, header: bytes, is_local: bool, number: int, is_head: bool, source_byte: int | None
) -> None:
    with Network(seed=3) as network:
        here = network.host("here")
        near = here.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        network.link(near, network.host("there").interface("eth0", "192.0.2.2/24", "2001:db8::2/64"))
        to = HERE[family] if is_local else (A("192.0.2.2") if family is Family.IPV4 else A("2001:db8::2"))
        source = HERE[family] if source_byte is None else bytes((source_byte,)) * len(to)
        if is_head:  # a good beginning, so that what follows is read
            if family is Family.IPV4:
                header = ipv4.build(source, to, number, 0, 9)[: 20 - len(header) % 9] + header
            else:
                header = ipv6.build(source, to, number, len(header), 9)[: 40 - len(header) % 9] + header
        endpoint, witness = bound(here, family, number or 1), bound(here, family, header[9] if len(header) > 9 else 1)
        endpoint.has_header = True
        with suppress(NetError):  # and nothing else
            send(here, endpoint, header, to)
        network.run_for(70)
        received(witness)
