"""Ping and trace route in labs: hosts in virtual time, and one host in real time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from random import Random

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from wsknet.apps import echo_client
from wsknet.apps.ping import ping
from wsknet.apps.trace_route import trace_route
from wsknet.config import StackConfig
from wsknet.devices.impair import Impairment
from wsknet.drivers.blocking import RealDriver
from wsknet.errors import ErrorKind
from wsknet.host import Host, Network
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.text import format_address, parse_address
from wsknet.trace import DropReason
from wsknet.types import MILLISECOND, SECOND, Instant


class Lab:
    """near -- router -- far, both families."""

    def __init__(self, network: Network, router: StackConfig | None = None) -> None:
        self.network = network
        self.near, self.far = network.host("near"), network.host("far")
        self.router = network.host("router", config=router)
        near = self.near.interface("eth0", "192.0.2.1/24", "2001:db8::1/64")
        left = self.router.interface("left", "192.0.2.254/24", "2001:db8::fe/64")
        right = self.router.interface("right", "198.51.100.254/24", "2001:db8:1::fe/64")
        far = self.far.interface("eth0", "198.51.100.7/24", "2001:db8:1::7/64")
        network.link(near, left, impairment=Impairment(delay=MILLISECOND))
        network.link(right, far)
        for interface in (left, right):
            self.router.apply(changes.InterfaceChanged(interface.index, forwarding=True))
        for host, router4, router6 in (
            (self.near, "192.0.2.254", "2001:db8::fe"),
            (self.far, "198.51.100.254", "2001:db8:1::fe"),
        ):
            host.route("0.0.0.0/0", via=router4)
            host.route("::/0", via=router6)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Network(seed=1) as network:
        yield Lab(network)


FAR = pytest.mark.parametrize("far", ["198.51.100.7", "2001:db8:1::7"], ids=["IPv4", "IPv6"])


@FAR
@pytest.mark.rule("RFC1122-3.2.2.6", "RFC4443-4.2")
def test_every_request_is_answered_and_its_round_trip_measured(lab: Lab, far: str) -> None:
    result = ping(lab.near, far, count=3)
    assert (result.sent, result.received, result.errors) == (3, 3, ())
    assert [reply.sequence for reply in result.replies] == [1, 2, 3]
    assert {reply.sender for reply in result.replies} == {parse_address(far)}
    assert {reply.hop_limit for reply in result.replies} == {127}
    assert all(2 * MILLISECOND <= reply.rtt < 10 * MILLISECOND for reply in result.replies)
    assert lab.network.driver.now() < 2.1 * SECOND  # two intervals, and no waiting once all are answered


def test_the_result_reads_like_that_of_ping(lab: Lab) -> None:
    ping(lab.near, "198.51.100.7", count=1)
    lines = str(ping(lab.near, "198.51.100.7", count=2)).splitlines()
    assert lines == [
        "PING 198.51.100.7: 56 data bytes",
        "64 bytes from 198.51.100.7: icmp_seq=1 ttl=127 time=2.100 ms",
        "64 bytes from 198.51.100.7: icmp_seq=2 ttl=127 time=2.100 ms",
        "",
        "--- 198.51.100.7 ping statistics ---",
        "2 packets transmitted, 2 received, 0% packet loss",
        "round-trip min/avg/max = 2.100/2.100/2.100 ms",
    ]


def test_what_does_not_come_back_is_lost_after_the_timeout(lab: Lab) -> None:
    lab.far.interfaces["eth0"].set_up(False)
    before = lab.network.driver.now()
    result = ping(lab.near, "198.51.100.7", count=2, interval=0.5, timeout=1.5)
    assert (result.sent, result.received, result.errors) == (2, 0, ())
    assert lab.network.driver.now() - before == 2 * SECOND
    assert "100% packet loss" in str(result)


@pytest.mark.parametrize(("own", "group"), [("192.0.2.1", False), ("::1", False), ("ff02::1", True)])
def test_our_own_addresses_and_groups_can_be_pinged(lab: Lab, own: str, group: bool) -> None:
    result = ping(lab.near, own, count=1, interface="eth0" if group else None)
    senders = {format_address(reply.sender, reply.zone) for reply in result.replies if reply.sender}
    assert senders == ({"fe80::ff:fe00:102%2", "fe80::ff:fe00:302%2"} if group else {own})
    assert result.received == 1


def test_everybody_may_answer_a_broadcast() -> None:
    with Network(seed=1) as network:
        host, others = network.host("host"), network.host("others")
        network.link(host.interface("eth0", "192.0.2.1/24"), others.interface("eth0"))
        device = others.interfaces["eth0"].device
        assert device is not None

        def answer(frame: bytes, now: Instant) -> None:
            request = Ether(frame)
            if ICMP in request:
                for number in (2, 3):
                    reply = request[ICMP].copy()
                    reply.type, reply.chksum = 0, None
                    packet = Ether(dst=request.src) / IP(src=f"192.0.2.{number}", dst="192.0.2.1") / reply
                    network.driver.call_at(
                        Instant(now + number * SECOND), partial(device.transmit, (bytes(packet),), now)
                    )

        device.attach(answer, others.pump)
        assert len(ping(host, "192.0.2.255", count=1).replies) == 2
        with pytest.raises(ValueError, match="is a group"):
            trace_route(host, "192.0.2.255")


def test_a_flood_of_replies_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, lab: Lab) -> None:
    monkeypatch.setattr(echo_client, "MAX_ANSWERS", 5)
    far = lab.far.interfaces["eth0"]
    assert far.device is not None
    far.device.impairment = Impairment(duplicate=1)  # type: ignore[attr-defined]
    result = ping(lab.near, "198.51.100.7", count=20, interval=0.1)
    assert result.received == 20
    assert len(result.replies) < 25


def test_a_link_local_address_is_found_on_the_interface_that_is_named(lab: Lab) -> None:
    for name in ("right", "3"):
        result = ping(lab.router, f"fe80::ff:fe00:202%{name}", count=1)
        assert [(reply.sender, reply.zone) for reply in result.replies] == [(parse_address("fe80::ff:fe00:202"), 3)]
    assert ping(lab.router, "fe80::ff:fe00:202", count=1, interface="right").received == 1


@pytest.mark.parametrize("far", ["203.0.113.1", "2001:db8:2::1"], ids=["IPv4", "IPv6"])
def test_errors_name_who_reported_them(lab: Lab, far: str) -> None:
    result = ping(lab.near, far, count=1)
    router = parse_address("192.0.2.254" if "." in far else "2001:db8::fe")
    assert [(error.sender, error.problem) for error in result.errors] == [(router, IcmpErrorKind.NETWORK_UNREACHABLE)]
    assert f"From {format_address(router)}: icmp_seq=1 network unreachable" in str(result)
    assert lab.network.driver.now() < SECOND


def test_a_silent_neighbour_is_reported_by_this_host(lab: Lab) -> None:
    result = ping(lab.near, "192.0.2.77", count=1)
    assert [(error.sender, error.problem) for error in result.errors] == [(None, IcmpErrorKind.HOST_UNREACHABLE)]
    assert "From this host: icmp_seq=1 host unreachable" in str(result)


def test_what_cannot_be_sent_is_an_error_of_that_request(lab: Lab) -> None:
    result = ping(lab.near, "192.0.2.254", count=1, size=1473, may_fragment=False)
    assert [(error.sender, error.problem) for error in result.errors] == [(None, ErrorKind.MESSAGE_TOO_LONG)]
    assert ping(lab.near, "192.0.2.254", count=1, size=1472, may_fragment=False).received == 1
    lab.near.interfaces["eth0"].set_up(False)
    assert ping(lab.near, "192.0.2.254", count=1).errors[0].problem is ErrorKind.NO_ROUTE


@FAR
def test_a_large_ping_is_sent_in_fragments(lab: Lab, far: str) -> None:
    ping(lab.near, far, count=1)  # neighbours are known afterwards: a queue for one holds fewer packets than this has
    assert ping(lab.near, far, count=1, size=20000).received == 1


@FAR
def test_the_hop_limit_ends_at_the_router(lab: Lab, far: str) -> None:
    [error] = ping(lab.near, far, count=1, hop_limit=1).errors
    assert (error.problem, error.code) == (IcmpErrorKind.TIME_EXCEEDED, 0)
    assert error.sender == parse_address("192.0.2.254" if "." in far else "2001:db8::fe")


def test_the_source_is_the_one_asked_for(lab: Lab) -> None:
    lab.near.interfaces["eth0"].add_address("192.0.2.9/24")
    assert ping(lab.near, "192.0.2.254", count=1, source="192.0.2.9").received == 1
    left = lab.router.stack.view().interfaces[1]
    assert [address for address, _, _ in left.neighbours] == [parse_address("192.0.2.9")]


@pytest.mark.parametrize(
    ("destination", "options", "message"),
    [
        ("far", {}, "'far' is not an address"),
        ("0.0.0.0", {}, "0.0.0.0 is no destination"),
        ("fe80::1%eth9", {}, "near has no interface eth9: it has loopback, eth0"),
        ("192.0.2.254%eth0", {}, "routes choose the interface towards 192.0.2.254"),
        ("fe80::1%eth0", {"interface": "1"}, "fe80::1%eth0 is on another interface than 1"),
        ("192.0.2.254", {"source": "192.0.2.99"}, "source 192.0.2.99: 192.0.2.99 is not an address of this host"),
        ("192.0.2.254", {"source": "::1"}, "source ::1 is not of the family of the destination"),
        ("192.0.2.254", {"count": 0}, "count 0 is out of range: expected 1 to 65535"),
        ("192.0.2.254", {"size": 65508}, "size 65508 is out of range: an echo request carries 0 to 65507 bytes"),
        ("192.0.2.254", {"hop_limit": 0}, "hop limit 0 is out of range: expected 1 to 255"),
        ("192.0.2.254", {"interval": -1}, "an interval of -1 seconds is out of range"),
        ("192.0.2.254", {"timeout": 1e9}, "a timeout of 1000000000.0 seconds is out of range"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    lab: Lab, destination: str, options: dict[str, object], message: str
) -> None:  # fmt: skip
    with pytest.raises(ValueError, match="^" + re.escape(message)) as refused:
        ping(lab.near, destination, **options)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@FAR
def test_the_way_is_found_router_by_router(lab: Lab, far: str) -> None:
    hops = trace_route(lab.near, far)
    router = "192.0.2.254" if "." in far else "2001:db8::fe"
    assert [hop.number for hop in hops] == [1, 2]
    assert [[format_address(sender) for sender in hop.senders] for hop in hops] == [[router], [far]]
    assert [hop.is_last for hop in hops] == [False, True]
    assert str(hops[0]) == f" 1  {router}" + "  4.000 ms" * 3  # the router had to be asked for its MAC first
    assert lab.network.driver.now() < SECOND


def test_a_hop_that_does_not_answer_is_a_star_and_the_way_goes_on(lab: Lab) -> None:
    lab.far.interfaces["eth0"].set_up(False)
    hops = trace_route(lab.near, "198.51.100.7", max_hops=3, probes=2, timeout=1)
    assert [str(hop) for hop in hops[1:]] == [" 2  *  *", " 3  *  *"]
    assert hops[0].senders == (parse_address("192.0.2.254"),)


def test_requests_that_were_given_up_are_not_waited_for_again() -> None:
    with Network(seed=1) as network:
        lab = Lab(network, StackConfig(icmp_errors_per_second=1, icmp_errors_burst=1))
        hops = trace_route(lab.near, "198.51.100.7", timeout=0.5)
        assert [[answer is not None for answer in hop.answers] for hop in hops] == [[True, False, False], [True] * 3]
        assert network.driver.now() < 0.6 * SECOND


def test_the_way_ends_where_somebody_says_that_there_is_none(lab: Lab) -> None:
    [hop] = trace_route(lab.near, "203.0.113.1", probes=1)
    assert hop.is_last
    assert str(hop).endswith("(network unreachable)")
    with pytest.raises(ValueError, match="is a group"):
        trace_route(lab.near, "ff02::1")
    with pytest.raises(ValueError, match="max_hops 0 is out of range"):
        trace_route(lab.near, "203.0.113.1", max_hops=0)


def test_an_identifier_is_given_back(lab: Lab) -> None:
    ping(lab.near, "192.0.2.254", count=1)
    assert not lab.near.stack.trace.drops
    with lab.near.pump as now:
        endpoint = lab.near.stack.echo.open()
        endpoint.send(parse_address("192.0.2.254"), 1, b"", now)
        endpoint.close()
    lab.network.run_for(1)
    assert lab.near.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 1}


def test_a_thread_of_real_time_waits_for_the_answer_and_for_no_longer() -> None:
    with RealDriver() as driver:
        host = Host("alone", driver, Random(1))
        driver.start()
        before = driver.now()
        result = ping(host, "127.0.0.1", count=3, interval=0.01, timeout=5)
        assert driver.now() - before < 2 * SECOND
    assert (result.received, result.errors) == (3, ())
    assert all(0 <= reply.rtt < SECOND for reply in result.replies)
