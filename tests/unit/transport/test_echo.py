"""Echo endpoints: what they send and what they are told."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

from tests.unit.transport.bench import FAR, IF1, Bench
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.text import parse_address, parse_cidr
from wsknet.trace import DropReason
from wsknet.transport.echo import MAX_ENDPOINTS, MAX_REMEMBERED, EchoFailure, EchoReply
from wsknet.transport.endpoint import QUEUE_OVERHEAD, Ready
from wsknet.types import Family

families = pytest.mark.parametrize("family", [Family.IPV4, Family.IPV6], ids=["IPv4", "IPv6"])


@families
@pytest.mark.rule("RFC792-Echo", "RFC4443-4.1")
def test_a_request_goes_out_with_all_that_was_asked_for(family: Family) -> None:
    bench = Bench(family)
    bench.apply(changes.AddressAdded(IF1, *parse_cidr("192.0.2.9/24" if family is Family.IPV4 else "2001:db8::9/64")))
    source = "192.0.2.9" if family is Family.IPV4 else "2001:db8::9"
    endpoint = bench.stack.echo.open()
    endpoint.send(
        bench.far, 0x10007, b"data", bench.now, source=parse_address(source), hop_limit=3, traffic_class=0xB8
    )  # fmt: skip
    packet = bench.take()
    assert (packet.src, packet.dst) == (source, FAR[family])
    if family is Family.IPV4:
        assert (packet.ttl, packet.tos, packet[ICMP].type, packet[ICMP].code) == (3, 0xB8, 8, 0)
        request = packet[ICMP]
        assert bytes(request.payload) == b"data"
    else:
        assert (packet.hlim, packet.tc) == (3, 0xB8)
        request = packet[ICMPv6EchoRequest]
        assert request.data == b"data"
    assert (request.id, request.seq) == (endpoint.identifier, 7)
    rebuilt = packet.copy()
    for layer in (IP, ICMP) if family is Family.IPV4 else (ICMPv6EchoRequest,):
        field = "cksum" if layer is ICMPv6EchoRequest else "chksum"
        delattr(rebuilt[layer], field)
    assert bytes(rebuilt) == bytes(packet)


@families
@pytest.mark.rule("RFC1122-3.2.2.6", "RFC4443-4.2")
def test_a_reply_reaches_the_endpoint_whose_identifier_it_carries(family: Family) -> None:
    bench = Bench(family)
    endpoint, other = bench.stack.echo.open(), bench.stack.echo.open()
    assert endpoint.identifier != other.identifier
    lifetime, tos = ("ttl", "tos") if family is Family.IPV4 else ("hlim", "tc")
    bench.echo_reply(endpoint.identifier, 7, b"data", **{lifetime: 55, tos: 0x20})
    assert bench.settle() == {endpoint: Ready.READABLE}
    assert endpoint.receive() == EchoReply(bench.far, 0, bench.us, 7, b"data", 55, 0x20, IF1)
    assert (endpoint.receive(), other.receive()) == (None, None)


@families
def test_a_reply_that_nobody_waits_for_is_dropped(family: Family) -> None:
    bench = Bench(family)
    endpoint = bench.stack.echo.open()
    endpoint.close()
    endpoint.close()
    bench.echo_reply(endpoint.identifier, 1, b"")
    bench.echo_reply(endpoint.identifier ^ 1, 1, b"")
    assert bench.settle() == {}
    assert bench.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 2}
    with pytest.raises(LocalError) as refused:
        endpoint.send(bench.far, 1, b"", bench.now)
    assert refused.value.kind is ErrorKind.INVALID_STATE


@pytest.mark.parametrize("own", ["192.0.2.1", "127.0.0.1", "2001:db8::1", "::1"])
def test_our_own_addresses_answer_inside_the_host(own: str) -> None:
    bench = Bench(Family.IPV4)
    endpoint = bench.stack.echo.open()
    endpoint.send(parse_address(own), 1, bytes(3000), bench.now, may_fragment=False)
    bench.settle()
    reply = endpoint.receive()
    assert isinstance(reply, EchoReply)
    assert (reply.source, reply.destination, reply.data) == (parse_address(own), parse_address(own), bytes(3000))
    assert bench.sent == []


def test_a_group_may_answer_many_times_ourselves_included() -> None:
    bench = Bench(Family.IPV6)
    endpoint = bench.stack.echo.open()
    endpoint.send(parse_address("ff02::1"), 1, b"who?", bench.now, zone=IF1)
    for mac in (0x98, 0x99):
        reply = ICMPv6EchoReply(id=endpoint.identifier, seq=1, data=b"who?")
        bench.arrive(IPv6(src=f"fe80::{mac:x}", dst="fe80::1", hlim=64) / reply)
    bench.settle()
    replies = [endpoint.receive() for _ in range(3)]
    assert {(reply.source, reply.zone) for reply in replies if isinstance(reply, EchoReply)} == {
        (parse_address(address), IF1) for address in ("fe80::1", "fe80::98", "fe80::99")
    }
    assert endpoint.receive() is None


@families
def test_what_cannot_be_sent_is_refused_at_once(family: Family) -> None:
    bench = Bench(family)
    endpoint = bench.stack.echo.open()
    most = 65507 if family is Family.IPV4 else 65527
    room = 1500 - (20 if family is Family.IPV4 else 40) - 8

    def kind(destination: bytes, size: int = 0, **options: object) -> ErrorKind:
        with pytest.raises(NetError) as refused:
            endpoint.send(destination, 1, bytes(size), bench.now, **options)  # type: ignore[arg-type]
        return refused.value.kind

    assert kind(bench.far, most + 1) is ErrorKind.MESSAGE_TOO_LONG
    assert kind(bench.far, room + 1, may_fragment=False) is ErrorKind.MESSAGE_TOO_LONG
    assert kind(bench.far, source=bench.far) is ErrorKind.NOT_LOCAL
    assert kind(bytes(len(bench.far))) is ErrorKind.NOT_LOCAL
    endpoint.send(bench.far, 1, bytes(room), bench.now, may_fragment=False)
    assert len(bench.take()) == 1500
    endpoint.send(bench.us, 1, bytes(most), bench.now)
    bench.apply(changes.LinkDown(IF1))
    assert kind(bench.far) is ErrorKind.NO_ROUTE


@families
@pytest.mark.rule("RFC792-Echo")
def test_the_largest_request_goes_out_in_fragments(family: Family) -> None:
    bench = Bench(family)
    most = 65507 if family is Family.IPV4 else 65527
    endpoint = bench.stack.echo.open()
    endpoint.send(bench.far, 1, bytes(most), bench.now)
    bench.settle()
    assert len(bench.sent) > 40
    assert all(len(packet) <= 1500 for packet in bench.sent)


@families
def test_a_neighbour_that_does_not_answer_is_told_for_every_request(family: Family) -> None:
    bench = Bench(family)
    bench.is_router_silent = True
    endpoint = bench.stack.echo.open()
    endpoint.send(bench.far, 1, b"", bench.now)
    endpoint.send(bench.far, 2, b"", bench.now)
    bench.pass_time(5)
    failures = [endpoint.receive(), endpoint.receive()]
    kind = IcmpErrorKind.HOST_UNREACHABLE
    assert failures == [EchoFailure(kind, None, bench.far, sequence, 0, 0) for sequence in (1, 2)]


@families
def test_the_queue_is_bounded_by_bytes_and_what_does_not_fit_is_counted(family: Family) -> None:
    bench = Bench(family)
    endpoint = bench.stack.echo.open()
    endpoint.receive_buffer = 2 * (100 + QUEUE_OVERHEAD)
    for sequence in range(3):
        bench.echo_reply(endpoint.identifier, sequence, bytes(100))
    assert bench.stack.trace.drops == {DropReason.ECHO_BUFFER_FULL: 1}
    assert endpoint.receive() is not None
    bench.echo_reply(endpoint.identifier, 3, bytes(100))
    results = [endpoint.receive(), endpoint.receive()]
    assert [result.sequence for result in results if result is not None] == [1, 3]


def test_old_requests_are_forgotten_so_that_errors_about_them_are_not_believed() -> None:
    bench = Bench(Family.IPV4)
    endpoint = bench.stack.echo.open()
    for sequence in range(MAX_REMEMBERED + 1):
        endpoint.send(bench.us, sequence, b"", bench.now)
    assert not endpoint.has_sent(bench.us, 0)
    assert endpoint.has_sent(bench.us, 1)


def test_endpoints_are_bounded_and_their_identifiers_are_used_again() -> None:
    bench = Bench(Family.IPV4)
    endpoints = [bench.stack.echo.open() for _ in range(MAX_ENDPOINTS)]
    assert len({endpoint.identifier for endpoint in endpoints}) == MAX_ENDPOINTS
    with pytest.raises(NetError) as refused:
        bench.stack.echo.open()
    assert refused.value.kind is ErrorKind.NO_BUFFERS
    endpoints[0].close()
    bench.stack.echo.open()


@pytest.mark.parametrize("group", ["224.0.0.1", "ff02::1"])
def test_without_a_zone_the_routes_choose_the_link_of_a_group(group: str) -> None:
    bench = Bench(Family.IPV6)
    bench.stack.echo.open().send(parse_address(group), 1, b"who?", bench.now)
    assert bench.take().dst == group
