"""Link-local names, ports and groups as destinations: cases 58, 59, 62, 63, 66, 68 and 69 of the binding catalogue."""

from __future__ import annotations

import pytest
from scapy.layers.inet import UDP

from tests.conformance.binding.multi_homed import (
    IF1,
    IF2,
    PEER_MAC,
    PEER_PORT,
    PORT,
    A,
    MultiHomed,
    mac_of_group,
)
from tests.conformance.binding.outcomes import cover_of, error_of, everywhere, outcomes
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.net.changes import InterfaceChanged
from wsknet.types import Cover, Endpoint, IfIndex

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)


@pytest.mark.rule("BIND-58")
@pytest.mark.parametrize(("behaviour", "connects"), [(WINDOWS, None), (LINUX, ErrorKind.INVALID_ARGUMENT), (BSD, None)])
def test_a_link_local_peer_without_a_zone(behaviour: Behaviour, connects: ErrorKind | None) -> None:
    """On Linux 6.18 sending goes by the routing table, as on Windows, and connecting is EINVAL."""
    lab = MultiHomed(behaviour)

    told = outcomes(lab, None, "fe80::99")

    assert told == {"tcp connect": connects, "udp connect": connects, "udp send": None}
    frames = lab.take()
    assert {index for index, _ in frames} == {IF1}
    assert UDP in frames[-1][1]


@SETS
@pytest.mark.parametrize("group", ["239.1.2.3", "255.255.255.255"])
def test_no_group_is_reached_through_the_loopback_interface(behaviour: Behaviour, group: str) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on()
    assert error_of(lambda: lab.send_to(endpoint, group, zone=1)) is ErrorKind.NO_ROUTE


@SETS
@pytest.mark.rule("BIND-58", "BIND-59")
@pytest.mark.parametrize(("bound", "zone"), [("fe80::b", 0), (None, IF2)])
def test_the_bound_source_or_the_zone_tells_the_link(behaviour: Behaviour, bound: str | None, zone: int) -> None:
    lab = MultiHomed(behaviour)
    tcp = lab.tcp_on(bound, zone=IF2 if bound else 0, cover=Cover.IPV6)
    udp = lab.udp_on(bound, zone=IF2 if bound else 0, cover=Cover.IPV6)

    lab.connect(tcp, "fe80::99", zone=zone)
    assert lab.sent() == (IF2, PEER_MAC, "fe80::b", "fe80::99")
    lab.connect(udp, "fe80::99", zone=zone)
    udp.send((b"data",), None, lab.now)
    assert lab.sent() == (IF2, PEER_MAC, "fe80::b", "fe80::99")
    assert tcp.remote == udp.remote == Endpoint(A("fe80::99"), PEER_PORT, IF2)


@pytest.mark.parametrize(("behaviour", "bound_leaves"), [(WINDOWS, IF2), (LINUX, IF1), (BSD, IF2)])
@pytest.mark.rule("BIND-62", "RFC3927-2.6.2")
def test_of_two_links_with_automatic_addresses_binding_decides(behaviour: Behaviour, bound_leaves: IfIndex) -> None:
    """But not on Linux 6.18, to which they are addresses like all others."""
    lab = MultiHomed(behaviour)
    for index, address in ((IF1, "169.254.7.7/16"), (IF2, "169.254.9.9/16")):
        lab.address(index, address)
        lab.apply(InterfaceChanged(index, metric=25))
        lab.know(index, "169.254.50.50")
    lab.take()

    told = []
    for bound in (None, "169.254.7.7", "169.254.9.9"):
        endpoint = lab.udp_on(bound)
        lab.send_to(endpoint, "169.254.50.50")
        told.append(lab.sent()[:3])
        endpoint.close(lab.now)

    first, second = (IF1, PEER_MAC, "169.254.7.7"), (bound_leaves, PEER_MAC, "169.254.9.9")
    assert told == [first, first, second]


@pytest.mark.parametrize("behaviour", [WINDOWS, BSD], ids=lambda each: each.name)
@pytest.mark.rule("BIND-62")
def test_an_automatic_destination_is_never_given_to_the_default_gateway(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)

    assert outcomes(lab, None, "169.254.50.50") == everywhere(ErrorKind.NO_ROUTE)
    assert lab.take() == []


@pytest.mark.rule("BIND-62")
def test_on_linux_the_gateway_gets_it() -> None:
    """Linux 6.18, against RFC 3927 2.6.2."""
    lab = MultiHomed(LINUX)

    lab.send_to(lab.udp_on(), "169.254.50.50")

    assert lab.sent()[::2] == (IF1, "10.1.0.2")


@pytest.mark.rule("BIND-63")
@pytest.mark.parametrize(
    ("behaviour", "kind"), [(WINDOWS, ErrorKind.NO_ROUTE), (LINUX, None), (BSD, ErrorKind.NO_ROUTE)]
)
def test_an_automatic_source_beside_a_routable_interface(behaviour: Behaviour, kind: ErrorKind | None) -> None:
    """Linux 6.18 lets it out, which RFC 3927 2.7 forbids."""
    lab = MultiHomed(behaviour)
    lab.address(IF2, "169.254.9.9/16")
    lab.take()
    endpoint = lab.udp_on("169.254.9.9")

    assert error_of(lambda: lab.send_to(endpoint, "8.8.8.8")) is kind
    told = [(index, frame.payload.src) for index, frame in lab.take()]
    assert told == ([] if kind else [(IF1, "169.254.9.9")])
    endpoint.close(lab.now)
    lab.send_to(lab.udp_on(), "8.8.8.8")
    assert lab.sent()[::2] == (IF1, "10.1.0.2")


@SETS
@pytest.mark.rule("BIND-66")
@pytest.mark.parametrize("to", ["10.1.0.50", "2001:db8:1::50"])
def test_nothing_is_sent_to_port_0(behaviour: Behaviour, to: str) -> None:
    """GVISOR SendToZeroPort and Linux 6.18: EINVAL."""
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(None, cover=cover_of(to))

    kind = error_of(lambda: lab.send_to(endpoint, to, 0))

    assert kind is (ErrorKind.INVALID_ARGUMENT if behaviour is LINUX else ErrorKind.NOT_LOCAL)
    assert lab.take() == []


@pytest.mark.rule("BIND-68")
@pytest.mark.parametrize("group", ["239.1.2.3", "ff0e::3"])
def test_a_multicast_follows_the_group_route_with_the_best_metric(group: str) -> None:
    lab = MultiHomed(is_bare=True)
    endpoint = lab.udp_on(None, cover=cover_of(group))

    told = []
    for metric in (25, 90):
        lab.apply(InterfaceChanged(IF1, metric=metric))
        lab.send_to(endpoint, group)
        told.append(lab.sent()[:2])

    assert told == [(IF1, mac_of_group(group)), (IF2, mac_of_group(group))]


@pytest.mark.rule("BIND-68")
def test_on_linux_an_ipv4_multicast_follows_the_default_route_or_the_source() -> None:
    lab = MultiHomed(LINUX, is_bare=True)
    wildcard, bound = lab.udp_on(), lab.udp_on("10.2.0.2", PORT + 1)
    assert error_of(lambda: lab.send_to(wildcard, "239.1.2.3")) is ErrorKind.NO_ROUTE

    lab.send_to(bound, "239.1.2.3")
    assert lab.sent() == (IF2, mac_of_group("239.1.2.3"), "10.2.0.2", "239.1.2.3")
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")
    lab.send_to(wildcard, "239.1.2.3")
    assert lab.sent() == (IF1, mac_of_group("239.1.2.3"), "10.1.0.2", "239.1.2.3")
    wildcard.multicast.if_index = IF2
    lab.send_to(wildcard, "239.1.2.3")
    assert lab.sent() == (IF2, mac_of_group("239.1.2.3"), "10.2.0.2", "239.1.2.3")


@SETS
@pytest.mark.rule("BIND-69")
@pytest.mark.parametrize("group", ["239.1.2.3", "ff0e::3"])
def test_joining_without_an_interface_picks_one(behaviour: Behaviour, group: str) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(None, cover=cover_of(group))
    endpoint.multicast.join(A(group), None, lab.now)
    lab.take()

    for index, peers in ((IF1, ("10.1.0.50", "2001:db8:1::50")), (IF2, ("10.2.0.50", "fd00:2::50"))):
        lab.datagram(index, peers[":" in group], group, mac=mac_of_group(group))

    assert [datagram.if_index for datagram in endpoint.peek()] == [IF1]


@pytest.mark.rule("BIND-69")
@pytest.mark.parametrize(("behaviour", "kind"), [(WINDOWS, ErrorKind.HOST_UNREACHABLE), (LINUX, ErrorKind.NOT_LOCAL)])
def test_joining_without_an_interface_fails_where_no_route_leads(behaviour: Behaviour, kind: ErrorKind) -> None:
    lab = MultiHomed(behaviour, is_bare=True)
    if behaviour.ipv4_group_routes:
        for index in (IF1, IF2):
            lab.remove_route("224.0.0.0/4", index)
    endpoint = lab.udp_on()

    assert error_of(lambda: endpoint.multicast.join(A("239.1.2.3"), None, lab.now)) is kind
