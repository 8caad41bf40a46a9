"""Which addresses may be bound (BIND-1.4), under every set, and what a socket bound to one of the odd ones does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.binding.multi_homed import IF1, IF2, PORT, A, MultiHomed, local_text, mac_of_group
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import AutoConfig, InterfaceConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import AddressAdded, AddressRemoved, InterfaceAdded, LinkDown
from wsknet.transport.queries import BindQuery
from wsknet.types import Cover, IfIndex, LocalName, Proto, family_of

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)
TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])
OK = None


def outcome(lab: MultiHomed, address: str | None, zone: int = 0, transport: str = "udp") -> ErrorKind | None:
    """The error of a bind, `None` for success; the endpoint is closed again."""
    bind = lab.udp_on if transport == "udp" else lab.tcp_on
    try:
        endpoint = bind(address, zone=zone)
    except NetError as error:
        return error.kind
    endpoint.close(lab.now)
    return None


ROWS = [
    # address, zone, Windows, Linux, BSD
    pytest.param(None, 0, OK, OK, OK, marks=pytest.mark.rule("BIND-1.4.1"), id="wildcard"),
    pytest.param("127.0.0.1", 0, OK, OK, OK, marks=pytest.mark.rule("BIND-1.4.2"), id="127.0.0.1"),
    pytest.param("::1", 0, OK, OK, OK, marks=pytest.mark.rule("BIND-1.4.2"), id="::1"),
    pytest.param("127.0.0.2", 0, OK, OK, ErrorKind.NOT_LOCAL, marks=pytest.mark.rule("BIND-1.4.2", "BIND-42")),
    pytest.param("10.1.0.2", 0, OK, OK, OK),
    pytest.param("2001:db8:1::2", 0, OK, OK, OK),
    pytest.param("10.9.9.9", 0, *[ErrorKind.NOT_LOCAL] * 3, marks=pytest.mark.rule("BIND-1.4.3")),
    pytest.param("2001:db8:9::9", 0, *[ErrorKind.NOT_LOCAL] * 3, marks=pytest.mark.rule("BIND-1.4.3")),
    pytest.param("255.255.255.255", 0, ErrorKind.NOT_LOCAL, OK, OK, marks=pytest.mark.rule("BIND-1.4.6", "BIND-56")),
    pytest.param("10.1.0.255", 0, ErrorKind.NOT_LOCAL, OK, OK, marks=pytest.mark.rule("BIND-1.4.6", "BIND-56")),
    pytest.param("10.9.0.255", 0, *[ErrorKind.NOT_LOCAL] * 3, marks=pytest.mark.rule("BIND-1.4.6")),
    pytest.param("239.1.2.3", 0, ErrorKind.NOT_LOCAL, OK, OK, marks=pytest.mark.rule("BIND-1.4.7")),
    pytest.param("fe80::a", 0, OK, ErrorKind.INVALID_ARGUMENT, OK, marks=pytest.mark.rule("BIND-1.4.8", "BIND-59")),
    pytest.param("fe80::a", IF1, OK, OK, OK, marks=pytest.mark.rule("BIND-1.4.8")),
    pytest.param("fe80::a", IF2, *[ErrorKind.NOT_LOCAL] * 3, marks=pytest.mark.rule("BIND-1.4.8")),
    pytest.param("fe80::a", 7, *[ErrorKind.NOT_LOCAL] * 3, marks=pytest.mark.rule("BIND-1.4.8", "BIND-59")),
]


@TRANSPORTS
@pytest.mark.parametrize(("address", "zone", "windows", "linux", "bsd"), ROWS)
def test_an_address_may_be_bound_or_not(
    address: str | None,
    zone: int,
    windows: ErrorKind | None,
    linux: ErrorKind | None,
    bsd: ErrorKind | None,
    transport: str,
) -> None:
    """What Linux does was seen on Linux 6.18, TCP included; a wrong zone is ENODEV there if there is no such device."""
    told = [outcome(MultiHomed(behaviour), address, zone, transport) for behaviour in (WINDOWS, LINUX, BSD)]

    assert told == [windows, linux, bsd]


@pytest.mark.rule("BIND-1.4.7")
@pytest.mark.parametrize(
    ("address", "zone", "linux"),
    [("ff02::99", 0, ErrorKind.INVALID_ARGUMENT), ("ff02::99", IF1, OK), ("ff0e::99", 0, OK)],
)
def test_an_ipv6_group_is_no_name_on_windows_and_needs_its_link_on_linux(
    address: str, zone: int, linux: ErrorKind | None
) -> None:
    for transport in ("udp", "tcp"):
        assert outcome(MultiHomed(WINDOWS), address, zone, transport) is ErrorKind.NOT_LOCAL
    assert outcome(MultiHomed(LINUX), address, zone) is linux
    assert outcome(MultiHomed(LINUX), address, zone, "tcp") is ErrorKind.INVALID_ARGUMENT  # inet6_bind


@SETS
def test_the_question_is_answered_as_the_bind_would_be(behaviour: Behaviour) -> None:
    for address, zone in (("10.1.0.255", 0), ("239.1.2.3", 0), ("fe80::a", 0), ("fe80::a", IF1), ("10.9.9.9", 0)):
        lab = MultiHomed(behaviour)
        name = LocalName(Cover(family_of(A(address)).value), A(address), PORT, zone)
        answer, why = lab.stack.explain(BindQuery(Proto.UDP, name))
        told = None if answer.error is None else answer.error.kind

        assert told is outcome(lab, address, zone)
        assert why.answer
        assert why.reference


@TRANSPORTS
@pytest.mark.rule("BIND-1.4.4")
@pytest.mark.parametrize("address", ["10.1.0.2", "2001:db8:1::2"])
def test_without_a_cable_an_address_may_be_bound_on_some_systems_only(address: str, transport: str) -> None:
    told = {}
    for behaviour in (WINDOWS, LINUX, BSD):
        lab = MultiHomed(behaviour)
        lab.apply(LinkDown(IF1))
        told[behaviour.name] = outcome(lab, address, 0, transport)

    assert told == {"windows": ErrorKind.NOT_LOCAL, "linux": None, "bsd": None}


@SETS
@pytest.mark.rule("BIND-1.4.5")
@pytest.mark.parametrize("cidr", ["10.3.0.2/24", "2001:db8:3::2/64"])
def test_an_address_cannot_be_bound_before_it_was_checked(behaviour: Behaviour, cidr: str) -> None:
    lab = MultiHomed(behaviour)
    card = InterfaceConfig("if3", bytes((2, 0, 0, 0, 0, 4)), auto=AutoConfig(duplicate_detection=True))
    lab.apply(InterfaceAdded(IfIndex(4), card))
    address, length = cidr.split("/")
    lab.apply(AddressAdded(IfIndex(4), A(address), int(length)))

    assert outcome(lab, address) is ErrorKind.NOT_LOCAL
    lab.pass_time(20)
    assert outcome(lab, address) is None


@SETS
@pytest.mark.rule("BIND-1.4.3")
@pytest.mark.parametrize("address", ["10.9.9.9", "2001:db8:9::9"])
def test_a_switch_lets_addresses_be_bound_that_nobody_here_has(behaviour: Behaviour, address: str) -> None:
    lab = MultiHomed(replace(behaviour, binds_foreign_addresses=True))
    endpoint = lab.udp_on(address)
    peer = "2001:db8:1::50" if ":" in address else "10.1.0.50"
    lab.datagram(IF1, peer, address)
    assert endpoint.readable == 0

    lab.address(IF1, address + ("/64" if ":" in address else "/24"))
    lab.datagram(IF1, peer, address)
    lab.take()
    lab.send_to(endpoint, peer)

    assert endpoint.readable == 1
    assert lab.sent()[2:] == (address, peer)


@pytest.mark.rule("BIND-1.4.8", "BIND-59")
def test_the_name_shows_the_true_zone_of_a_link_local_address() -> None:
    lab = MultiHomed()

    assert local_text(lab.udp_on("fe80::b")) == f"fe80::b%{IF2}"
    assert local_text(lab.tcp_on("fe80::b")) == f"fe80::b%{IF2}"


@pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)
@pytest.mark.rule("BIND-1.4.6", "BIND-56")
@pytest.mark.parametrize("name", ["10.2.0.255", "255.255.255.255"])
def test_a_broadcast_address_is_a_filter_of_what_is_heard(behaviour: Behaviour, name: str) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(name)

    for destination in ("10.2.0.255", "255.255.255.255"):
        lab.datagram(IF2, "10.2.0.50", destination, mac="ff:ff:ff:ff:ff:ff")
    lab.datagram(IF2, "10.2.0.50", "10.2.0.2")

    assert [datagram.destination for datagram in endpoint.peek()] == [A(name)]
    assert local_text(endpoint) == name


@pytest.mark.parametrize(("length", "kind"), [(29, None), (30, None), (31, ErrorKind.NOT_LOCAL)])
@pytest.mark.rule("BIND-1.4.6", "RFC3021-2.1")
def test_a_link_of_two_addresses_has_no_broadcast_address(length: int, kind: ErrorKind | None) -> None:
    lab = MultiHomed(LINUX)
    lab.address(IF1, f"172.16.0.2/{length}")
    last = {29: "172.16.0.7", 30: "172.16.0.3", 31: "172.16.0.3"}[length]

    assert outcome(lab, last) is kind


@pytest.mark.parametrize("name", ["10.1.0.2", "2001:db8:1::2"])
def test_who_may_not_bind_is_told_that_the_interface_is_down(name: str) -> None:
    lab = MultiHomed(replace(WINDOWS, binds_down_addresses=False))
    lab.apply(LinkDown(IF1))

    with pytest.raises(NetError) as caught:
        lab.udp_on(name)
    assert (caught.value.kind, caught.value.detail) == (ErrorKind.NOT_LOCAL, f"if1, which has {name}, is down")


@pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)
@pytest.mark.rule("BIND-1.4.7")
@pytest.mark.parametrize(
    ("group", "other", "peer", "us"),
    [("239.1.2.3", "239.1.2.4", "10.1.0.50", "10.1.0.2"), ("ff0e::3", "ff0e::4", "2001:db8:1::50", "2001:db8:1::2")],
)
def test_a_group_is_a_filter_of_what_is_heard(behaviour: Behaviour, group: str, other: str, peer: str, us: str) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(group)
    for each in (group, other):
        endpoint.multicast.join(A(each), IF1, lab.now)
    lab.take()

    for destination in (group, other):
        lab.datagram(IF1, peer, destination, mac=mac_of_group(destination))
    lab.datagram(IF1, peer, us)

    assert [datagram.destination for datagram in endpoint.peek()] == [A(group)]


@pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)
@pytest.mark.rule("BIND-1.4.6", "BIND-1.4.7")
@pytest.mark.parametrize(
    ("name", "to", "source", "on"),
    [
        ("10.1.0.255", "10.2.0.50", "10.2.0.2", IF2),
        ("239.1.2.3", "10.1.0.50", "10.1.0.2", IF1),
        ("239.1.2.3", "8.8.8.8", "10.1.0.2", IF1),
        ("ff0e::3", "fd00:2::50", "fd00:2::2", IF2),
    ],
)
def test_who_is_bound_to_a_filter_sends_from_the_address_that_routing_chooses(
    behaviour: Behaviour, name: str, to: str, source: str, on: IfIndex
) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(name)

    lab.send_to(endpoint, to)
    index, _, src, dst = lab.sent()
    lab.connect(endpoint, to)

    assert (index, src, dst) == (on, source, to)
    assert local_text(endpoint) == name


@pytest.mark.rule("BIND-1.4.6", "BIND-1.4.7")
def test_a_filter_sends_nothing_from_its_own_name_once_the_subnet_is_gone() -> None:
    lab = MultiHomed(LINUX)
    endpoint = lab.udp_on("10.2.0.255")
    lab.apply(AddressRemoved(IF2, A("10.2.0.2")))

    with pytest.raises(NetError) as caught:
        lab.send_to(endpoint, "10.1.0.50")
    assert caught.value.kind is ErrorKind.NO_ROUTE
    assert lab.take() == []


@pytest.mark.rule("BIND-1.4.6")
def test_a_tcp_listener_on_a_broadcast_address_never_hears_anybody() -> None:
    """Linux 6.18 lets it listen."""
    lab = MultiHomed(LINUX)
    listener = lab.listening("10.1.0.255")

    assert lab.shake_hands(IF1, "10.1.0.50", "10.1.0.255", listener) is None
    assert lab.take() == []


def test_a_bound_group_has_to_be_joined_all_the_same() -> None:
    lab = MultiHomed(replace(LINUX, multicast_to_all=False))
    endpoint, member = lab.udp_on("239.1.2.3"), lab.udp_on(None, PORT + 1)
    member.multicast.join(A("239.1.2.3"), IF1, lab.now)
    lab.datagram(IF1, "10.1.0.50", "239.1.2.3", mac=mac_of_group("239.1.2.3"))

    assert endpoint.readable == 0
