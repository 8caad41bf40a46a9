"""What a DHCP client takes from the messages that come, and which it does not believe."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP

from tests.unit.net.dhcp_server import (
    CHECKED,
    OFFERED,
    SERVER,
    SERVER_MAC,
    T1,
    T2,
    DhcpLab,
    DhcpServer,
    at,
    bound,
    started,
)
from tests.unit.net.lab import IF1, IF2, A, mac_of
from wsknet.trace import DropReason
from wsknet.types import FrameMeta

# What comes with the lease.


def raw_option(number: int, data: bytes) -> Any:
    """As Scapy takes options that it knows under other types."""
    return bytes((number, len(data))) + data


def with_raw(server: DhcpServer, raw: bytes) -> Any:
    """A host that answers like `server`, with `raw` before the end of the options."""

    def answer(frame: Any) -> list[Any]:
        answers = server(frame)
        for each in answers:
            if DHCP in each:
                each[DHCP].options.insert(-1, raw)
        return answers

    return answer


@pytest.mark.rule("RFC3442-DHCP.Client.Behavior")
def test_classless_routes_replace_the_routers() -> None:
    routes = bytes((25, 10, 1, 2, 128, 192, 0, 2, 9)) + bytes((0, 192, 0, 2, 10)) + bytes((16, 172, 16, 0, 0, 0, 0))
    lab = bound(with_raw(DhcpServer(), raw_option(121, routes)))

    assert lab.gateways() == ["192.0.2.10"]
    assert lab.where("10.1.2.200") == ("if1", "192.0.2.9", OFFERED)
    assert lab.where("172.16.5.5") == ("if1", "172.16.5.5", OFFERED)

    lab.auto(dhcp=False)
    assert [route for route in lab.ip.routes if route.if_index == IF1] == []


def test_routes_that_lead_nowhere_are_left_out() -> None:
    bad = [
        (8, 224, 192, 0, 2, 9),
        (32, 255, 255, 255, 255, 192, 0, 2, 9),
        (8, 127, 192, 0, 2, 9),
        (8, 10, 224, 0, 0, 1),
    ]
    lab = bound(with_raw(DhcpServer(), raw_option(121, b"".join(map(bytes, bad)))))

    assert [route for route in lab.ip.routes if route.if_index == IF1 and route.next_hop] == []


@pytest.mark.rule("RFC2132-5.1")
@pytest.mark.parametrize(("told", "expected"), [(1400, 1400), (576, 576), (575, 1500), (9000, 1500)])
def test_a_smaller_mtu_holds_for_ipv4_as_long_as_the_lease(told: int, expected: int) -> None:
    lab = bound(with_raw(DhcpServer(), raw_option(26, told.to_bytes(2, "big"))))
    assert (lab.path("192.0.2.7").mtu, lab.path("198.51.100.1").mtu) == (expected, expected)

    lab.auto(dhcp=False)
    lab.address(IF1, "192.0.2.7/24")
    assert lab.path("192.0.2.8").mtu == 1500


@pytest.mark.parametrize(("offered", "length"), [("10.0.0.5", 8), ("172.16.0.5", 16), ("192.0.2.5", 24)])
def test_without_a_mask_that_of_the_class_is_used(offered: str, length: int) -> None:
    server = DhcpServer(offers=offered)
    del server.options["subnet_mask"]
    lab = started(server)
    lab.pass_time(CHECKED)

    assert lab.addresses() == [f"{offered}/{length}"]


# Messages that are none.


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("xid", 1, DropReason.DHCP_UNEXPECTED),
        ("chaddr", b"\x02\x00\x00\x00\x00\x77" + bytes(10), DropReason.DHCP_UNEXPECTED),
        ("op", 1, DropReason.DHCP_MALFORMED),
        ("yiaddr", "0.0.0.0", DropReason.DHCP_UNUSABLE),
        ("yiaddr", "127.0.0.1", DropReason.DHCP_UNUSABLE),
        ("yiaddr", "224.0.0.5", DropReason.DHCP_UNUSABLE),
        ("yiaddr", "255.255.255.255", DropReason.DHCP_UNUSABLE),
        ("yiaddr", "192.0.2.0", DropReason.DHCP_UNUSABLE),
        ("yiaddr", "192.0.2.255", DropReason.DHCP_UNUSABLE),
        ("server", "0.0.0.0", DropReason.DHCP_UNUSABLE),
        ("server", None, DropReason.DHCP_UNUSABLE),
        ("subnet_mask", "255.0.255.0", DropReason.DHCP_MALFORMED),
        ("subnet_mask", "0.0.0.0", DropReason.DHCP_UNUSABLE),
        ("lease_time", 0, DropReason.DHCP_UNUSABLE),
        ("lease_time", 19, DropReason.DHCP_UNUSABLE),
        ("lease_time", None, DropReason.DHCP_UNUSABLE),
        ("kind", "ack", DropReason.DHCP_UNEXPECTED),
        ("kind", "nak", DropReason.DHCP_UNEXPECTED),
    ],
)
def test_an_offer_that_is_none_is_dropped_and_the_next_one_taken(field: str, value: Any, reason: DropReason) -> None:
    server = DhcpServer()
    lab = started()
    [discover] = lab.messages()
    options, header, kind = dict(server.options), {}, "offer"
    if field == "kind":
        kind = value
    elif field in ("xid", "chaddr", "op", "yiaddr", "server"):
        header[field] = value
    elif value is None:
        del options[field]
    else:
        options[field] = value
    header.pop("op", None)
    frame = server.reply(kind, discover.frame, options=options, **header)
    frame[IP].dst = "192.0.2.100"
    if field == "op":
        frame[BOOTP].op = value
    lab.receive(IF1, frame)
    lab.settle()

    assert lab.drops == {reason: 1}
    assert lab.messages("request") == []

    lab.hosts.append(server)
    lab.receive(IF1, server.reply("offer", discover.frame))
    lab.settle()
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.rule("RFC2131-4.3.2")
@pytest.mark.parametrize("kind", ["ack", "nak"])
def test_only_the_server_that_was_chosen_may_answer_a_request(kind: str) -> None:
    server = DhcpServer()
    lab = started()
    lab.receive(IF1, server.reply("offer", lab.messages()[0].frame))
    lab.settle()
    request = lab.messages("request")[0].frame
    lab.receive(IF1, server.reply(kind, request, server="192.0.2.2"))

    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 1}
    lab.receive(IF1, server.reply("ack", request))
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.parametrize("when", [T1, T2])
def test_a_renewal_is_no_occasion_for_another_address(when: int) -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    at(lab, when)
    request = lab.messages(since=when)[-1].frame
    other = server.reply("ack", request, yiaddr="192.0.2.101")
    lab.receive(IF1, other)

    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 1}
    assert lab.addresses() == [f"{OFFERED}/24"]


def test_the_first_of_several_offers_is_taken() -> None:
    lab = started(DhcpServer(), DhcpServer("192.0.2.2", offers="192.0.2.200", mac="02:00:00:00:00:54"))
    lab.pass_time(CHECKED)

    assert lab.addresses() == [f"{OFFERED}/24"]
    assert len(lab.messages("request")) == 1
    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 1}


def offer_to(lab: DhcpLab) -> Any:
    return DhcpServer().reply("offer", lab.messages()[0].frame)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"chksum": 0x1234}, DropReason.UDP_BAD_CHECKSUM),
        ({"len": 2000}, DropReason.UDP_BAD_LENGTH),
        ({"len": 7}, DropReason.UDP_BAD_LENGTH),
        ({"len": 100}, DropReason.UDP_BAD_CHECKSUM),
    ],
)
def test_a_damaged_datagram_is_dropped(damage: dict[str, int], reason: DropReason) -> None:
    lab = started()
    frame = offer_to(lab)
    for name, value in damage.items():
        setattr(frame[UDP], name, value)
    lab.receive(IF1, frame)

    assert lab.drops == {reason: 1}
    assert lab.ip.frames == []


def test_a_checksum_that_the_device_vouches_for_is_not_looked_at() -> None:
    lab = started()
    frame = offer_to(lab)
    frame[UDP].chksum = 0x1234
    lab.ip.receive(IF1, bytes(frame), lab.now, FrameMeta(is_checksum_trusted=True))
    lab.settle()

    assert len(lab.messages("request")) == 1


@pytest.mark.rule("RFC768-Fields")
def test_a_datagram_without_checksum_is_taken() -> None:
    lab = started()
    frame = offer_to(lab)
    frame[UDP].chksum = 0
    lab.receive(IF1, frame)
    lab.settle()

    assert len(lab.messages("request")) == 1


def test_the_port_is_a_sockets_where_no_client_runs() -> None:
    lab = started()
    offer = offer_to(lab)
    lab.interface(IF2, f"{OFFERED}/24")
    offer.dst = mac_of(IF2)
    lab.receive(IF2, offer)

    assert [packet.destination for packet in lab.udp.packets] == [A(OFFERED)]

    lab.address(IF1, "192.0.2.7/24")
    lab.ip.dhcp.release(IF1, lab.now)
    lab.arrive(IF1, IP(src=SERVER, dst="192.0.2.7") / UDP(sport=67, dport=68) / b"mine")
    assert len(lab.udp.packets) == 2


def test_what_is_not_for_the_client_is_not_touched() -> None:
    lab = started()
    lab.address(IF1, "192.0.2.7/24")
    for port in (67, 69, 5353):
        lab.arrive(IF1, IP(src=SERVER, dst="192.0.2.7") / UDP(sport=67, dport=port) / b"data")

    assert len(lab.udp.packets) == 3
    assert lab.drops == {}


def test_a_late_answer_is_dropped_without_telling_the_server() -> None:
    server = DhcpServer()
    lab = bound(server)
    lab.receive(IF1, server.reply("offer", lab.messages("discover")[0].frame))

    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 1}
    assert lab.udp.packets == []


def test_a_flood_of_forged_offers_changes_nothing() -> None:
    server = DhcpServer()
    lab = started()
    [discover] = lab.messages()
    forged = [bytes(server.reply("offer", discover.frame, xid=number)) for number in range(50)]
    for number in range(2000):
        lab.receive(IF1, forged[number % 50])
    lab.settle()

    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 2000}
    assert len(lab.messages()) == 1

    lab.hosts.append(server)
    lab.pass_time(4 + CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]


def test_a_server_that_offers_and_refuses_for_ever_costs_two_messages_in_ten_seconds() -> None:
    server = DhcpServer()
    server.acknowledges = False
    lab = started(server)
    lab.pass_time(1000)

    assert len(lab.messages()) <= 2 * 101


@settings(max_examples=60)
@given(st.binary(max_size=400), st.booleans())
def test_no_datagram_raises(data: bytes, has_header: bool) -> None:
    lab = started()
    if has_header:
        data = bytes(offer_to(lab)[BOOTP])[:240] + data
    lab.arrive(IF1, IP(src=SERVER, dst=OFFERED) / UDP(sport=67, dport=68) / data, peer=SERVER_MAC)

    assert sum(lab.drops.values()) + len(lab.ip.frames) == 1


@pytest.mark.parametrize(("offered", "length"), [("126.0.0.5", 8), ("128.0.0.5", 16), ("191.0.0.5", 16)])
def test_the_classes_begin_and_end_where_they_always_did(offered: str, length: int) -> None:
    server = DhcpServer(offers=offered)
    del server.options["subnet_mask"]
    lab = started(server)
    lab.pass_time(CHECKED)

    assert lab.addresses() == [f"{offered}/{length}"]
