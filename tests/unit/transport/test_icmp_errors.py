"""ICMP errors on their way to the socket that sent the packet, for every error, protocol and state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    ICMPv6Unknown,
    IPv6,
)

from tests.unit.transport.bench import FAR, IF1, ROUTER, US, Bench
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.transport.echo import EchoFailure
from wsknet.transport.endpoint import Ready
from wsknet.transport.icmp_errors import ERROR_KINDS
from wsknet.transport.sharing import Sharing
from wsknet.types import Cover, Endpoint, Family, LocalName

families = pytest.mark.parametrize("family", [Family.IPV4, Family.IPV6], ids=["IPv4", "IPv6"])


class Case(NamedTuple):
    ipv4: Any
    ipv6: Any
    kind: IcmpErrorKind
    error: ErrorKind
    is_hard: bool = False
    """Ends a connect whatever the policy."""
    code: int = 0

    def of(self, family: Family) -> Any:
        return (self.ipv4 if family is Family.IPV4 else self.ipv6).copy()


CASES = {
    "no route": Case(
        ICMP(type=3, code=0), ICMPv6DestUnreach(code=0), IcmpErrorKind.NETWORK_UNREACHABLE, ErrorKind.NO_ROUTE
    ),
    "host": Case(
        ICMP(type=3, code=1), ICMPv6DestUnreach(code=3), IcmpErrorKind.HOST_UNREACHABLE, ErrorKind.HOST_UNREACHABLE
    ),
    "protocol": Case(
        ICMP(type=3, code=2),
        ICMPv6ParamProblem(code=1, ptr=6),
        IcmpErrorKind.PROTOCOL_UNREACHABLE,
        ErrorKind.PROTOCOL_UNREACHABLE,
        is_hard=True,
    ),
    "port": Case(
        ICMP(type=3, code=3),
        ICMPv6DestUnreach(code=4),
        IcmpErrorKind.PORT_UNREACHABLE,
        ErrorKind.PORT_UNREACHABLE,
        is_hard=True,
    ),
    "prohibited": Case(
        ICMP(type=3, code=13), ICMPv6DestUnreach(code=1), IcmpErrorKind.ADMIN_PROHIBITED, ErrorKind.HOST_UNREACHABLE
    ),
    "hop limit": Case(
        ICMP(type=11, code=0), ICMPv6TimeExceeded(code=0), IcmpErrorKind.TIME_EXCEEDED, ErrorKind.HOP_LIMIT_EXCEEDED
    ),
    "reassembly": Case(
        ICMP(type=11, code=1), ICMPv6TimeExceeded(code=1), IcmpErrorKind.TIME_EXCEEDED, ErrorKind.TIMED_OUT, code=1
    ),
    "parameter": Case(
        ICMP(type=12, code=0, ptr=1),
        ICMPv6ParamProblem(code=0, ptr=1),
        IcmpErrorKind.PARAMETER_PROBLEM,
        ErrorKind.PROTOCOL_ERROR,
    ),
    "unknown": Case(
        ICMP(type=3, code=99), ICMPv6Unknown(type=100, code=7, msgbody=bytes(4)), IcmpErrorKind.OTHER,
        ErrorKind.PROTOCOL_ERROR,
    ),
}  # fmt: skip
TOO_BIG = Case(
    ICMP(type=3, code=4, nexthopmtu=1300),
    ICMPv6PacketTooBig(mtu=1300),
    IcmpErrorKind.PACKET_TOO_BIG,
    ErrorKind.MESSAGE_TOO_LONG,
)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_the_table_is_complete() -> None:
    assert set(ERROR_KINDS) == set(IcmpErrorKind)
    assert {case.kind for case in CASES.values()} | {TOO_BIG.kind} == set(IcmpErrorKind)


# UDP


@families
@cases
@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "wildcard"])
@pytest.mark.rule("RFC1122-4.1.3.3", "RFC4443-2.4")
def test_a_datagram_socket_hears_of_every_error(family: Family, case: Case, is_connected: bool) -> None:
    bench = Bench(family)
    endpoint = bench.udp(is_connected=is_connected)
    told = bench.error(case.of(family), bench.sent_by(endpoint))
    assert told == {endpoint: Ready.READABLE}
    assert endpoint.take_error() is case.error
    assert not bench.stack.trace.drops


@families
@cases
@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "wildcard"])
@pytest.mark.rule("BIND-65")
def test_where_errors_need_a_peer_a_socket_without_one_hears_of_none(
    family: Family, case: Case, is_connected: bool
) -> None:
    bench = Bench(family, replace(WINDOWS, udp_errors_need_peer=True))
    endpoint = bench.udp(is_connected=is_connected)
    bench.error(case.of(family), bench.sent_by(endpoint))
    assert endpoint.take_error() is (case.error if is_connected else None)


@families
@pytest.mark.rule("RFC1191-3", "RFC8201-4")
def test_a_packet_too_big_is_told_to_a_socket_with_a_fixed_peer_and_cuts_what_comes_next(family: Family) -> None:
    for is_connected in (True, False):
        bench = Bench(family)
        endpoint = bench.udp(is_connected=is_connected)
        bench.error(TOO_BIG.of(family), bench.sent_by(endpoint, bytes(1400)))
        assert endpoint.take_error() is (ErrorKind.MESSAGE_TOO_LONG if is_connected else None)
        assert bench.stack.ip.path(bench.far).mtu == 1300


@families
def test_an_error_reaches_the_connected_socket_before_the_wildcard_that_shares_its_port(family: Family) -> None:
    bench = Bench(family)
    cover = Cover(family.value)
    wildcard, connected = bench.udp(sharing=Sharing.REUSE), bench.stack.udp.open(cover)
    connected.bind(LocalName(cover, bench.us, 5000), bench.now, Sharing.REUSE)
    connected.connect(Endpoint(bench.far, 53), bench.now)
    quoted = bench.sent_by(wildcard)
    bench.error(CASES["port"].of(family), quoted)
    assert (wildcard.take_error(), connected.take_error()) == (None, ErrorKind.PORT_UNREACHABLE)
    layer = IP if family is Family.IPV4 else IPv6
    other_peer = layer(src=US[family], dst=ROUTER[family]) / UDP(sport=5000, dport=53) / bytes(20)
    bench.error(CASES["port"].of(family), other_peer)
    # The connected socket cannot have sent that.
    assert (wildcard.take_error(), connected.take_error()) == (ErrorKind.PORT_UNREACHABLE, None)


@families
@pytest.mark.rule("RFC5927-4")
def test_an_error_about_a_port_that_nobody_holds_is_not_believed(family: Family) -> None:
    bench = Bench(family)
    bench.udp(port=5001)
    layer = IP if family is Family.IPV4 else IPv6
    forged = layer(src=US[family], dst=FAR[family]) / UDP(sport=5000, dport=53) / bytes(1400)
    assert bench.error(TOO_BIG.of(family), forged) == {}
    assert bench.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 1}
    assert bench.stack.ip.path(bench.far).mtu == 1500


def test_an_error_about_a_link_local_peer_stays_on_its_link() -> None:
    bench = Bench(Family.IPV6)
    other = changes.InterfaceAdded(type(IF1)(3), bench.stack.ip.interfaces[IF1].config)
    bench.apply(other)
    ours, theirs = parse_address("fe80::1"), parse_address("fe80::99")
    bench.apply(changes.AddressAdded(type(IF1)(3), ours, 64))
    here, there = (bench.stack.udp.open(Cover.IPV6) for _ in range(2))
    here.bind(LocalName(Cover.IPV6, ours, 5000, IF1), bench.now)
    there.bind(LocalName(Cover.IPV6, ours, 5000, 3), bench.now)
    for endpoint, zone in ((here, 2), (there, 3)):
        endpoint.connect(Endpoint(theirs, 53, zone), bench.now)
    quoted = IPv6(src="fe80::1", dst="fe80::99") / UDP(sport=5000, dport=53) / bytes(20)
    bench.arrive(IPv6(src="fe80::99", dst="fe80::1") / ICMPv6DestUnreach(code=4) / quoted)
    assert (here.take_error(), there.take_error()) == (ErrorKind.PORT_UNREACHABLE, None)


@families
@pytest.mark.rule("D-29")
@pytest.mark.parametrize(("behaviour", "error"), [(WINDOWS, None), (LINUX, ErrorKind.HOST_UNREACHABLE)], ids=str)
def test_a_silent_neighbour_is_told_where_the_policy_says_so(
    family: Family, behaviour: Behaviour, error: ErrorKind | None
) -> None:
    bench = Bench(family, behaviour)
    bench.is_router_silent = True
    endpoint = bench.udp(is_connected=True)
    endpoint.send((b"question",), Endpoint(bench.far, 53), bench.now)
    bench.pass_time(10)
    assert bench.stack.trace.drops[DropReason.NEIGHBOUR_FAILED] == 1
    assert endpoint.take_error() is error


# TCP


@families
@cases
@pytest.mark.rule("RFC1122-4.2.3.9", "RFC5461-4.1")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["windows", "linux"])
def test_an_error_while_connecting_ends_it_or_is_told_when_the_retries_are_used_up(
    family: Family, case: Case, behaviour: Behaviour
) -> None:
    bench = Bench(family, behaviour)
    endpoint, syn = bench.connecting()
    told = bench.error(case.of(family), syn)
    is_final = case.is_hard or behaviour is LINUX
    assert told == ({endpoint: Ready.FAILED} if is_final else {})
    if not is_final:
        assert bench.pass_time(60) == {endpoint: Ready.FAILED}
    assert endpoint.error is case.error
    assert not bench.stack.view().connections


@families
@cases
@pytest.mark.rule("RFC1122-4.2.3.9", "RFC5927-5.2")
def test_no_error_ends_an_established_connection_but_it_is_the_reason_when_the_retries_are_used_up(
    family: Family, case: Case
) -> None:
    bench = Bench(family)
    endpoint, segment = bench.connected()
    assert bench.error(case.of(family), segment) == {}
    assert bench.pass_time(200) == {endpoint: Ready.FAILED}
    assert endpoint.error is case.error


@families
@pytest.mark.rule("RFC1191-6.4")
def test_a_packet_too_big_makes_segments_smaller_and_is_no_error(family: Family) -> None:
    bench = Bench(family)
    endpoint, segment = bench.connected(bytes(1400))
    assert bench.error(TOO_BIG.of(family), segment) == {}
    assert max(len(packet) for packet in bench.sent) == 1300
    bench.pass_time(200)
    assert endpoint.error is ErrorKind.TIMED_OUT


@families
@pytest.mark.rule("RFC5927-4.1")
def test_an_error_about_a_segment_that_is_not_in_flight_is_not_believed(family: Family) -> None:
    bench = Bench(family)
    endpoint, syn = bench.connecting()
    syn.seq = syn.seq + 1 & 0xFFFFFFFF
    assert bench.error(CASES["port"].of(family), syn) == {}
    assert bench.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 1}
    bench.pass_time(60)
    assert endpoint.error is ErrorKind.TIMED_OUT


# Echo


@families
@pytest.mark.parametrize("case", [*CASES.values(), TOO_BIG], ids=[*CASES, "too big"])
@pytest.mark.rule("RFC1122-3.2.2.6", "RFC4443-4.2")
def test_an_echo_request_that_did_not_arrive_is_told_with_all_that_is_known(family: Family, case: Case) -> None:
    bench = Bench(family)
    endpoint = bench.stack.echo.open()
    endpoint.send(bench.far, 7, bytes(1400), bench.now)
    told = bench.error(case.of(family), bench.take())
    assert told == {endpoint: Ready.READABLE}
    mtu = 1300 if case is TOO_BIG else 0
    code = case.of(family).code if case.kind is IcmpErrorKind.OTHER else case.code
    reporter = parse_address(ROUTER[family])
    assert endpoint.receive() == EchoFailure(case.kind, reporter, bench.far, 7, mtu, code)
    assert endpoint.receive() is None
    assert bench.stack.ip.path(bench.far).mtu == (mtu or 1500)


@families
@pytest.mark.rule("RFC5927-4")
def test_an_error_about_an_echo_request_that_was_never_sent_is_not_believed(family: Family) -> None:
    bench = Bench(family)
    endpoint = bench.stack.echo.open()
    endpoint.send(bench.far, 7, bytes(1400), bench.now)
    request = bench.take()
    for offset in (5, 7):  # identifier and sequence number, of eight bytes
        raw = bytearray(bytes(request))
        raw[(20 if family is Family.IPV4 else 40) + offset] ^= 1
        assert bench.error(TOO_BIG.of(family), bytes(raw)) == {}
    assert bench.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 2}
    assert bench.stack.ip.path(bench.far).mtu == 1500


@pytest.mark.rule("BIND-65")
@families
@cases
def test_who_wants_to_hear_nothing_of_unreachable_ports_hears_of_all_else(family: Family, case: Case) -> None:
    bench = Bench(family)
    endpoint = bench.udp(is_connected=True)
    endpoint.tells_port_unreachable = False
    bench.error(case.of(family), bench.sent_by(endpoint))
    assert endpoint.take_error() is (None if case.error is ErrorKind.PORT_UNREACHABLE else case.error)
