"""Getting and returning a lease, as the server and the other hosts of the link see it, on virtual time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import UDP
from scapy.utils import wrpcap

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from tests.unit.net.dhcp_server import (
    BROADCAST,
    BROADCAST_MAC,
    CHECKED,
    DHCP_ON,
    EXPIRY,
    OFFERED,
    SERVER,
    SERVER_MAC,
    STEADY,
    T1,
    T2,
    DhcpLab,
    DhcpServer,
    Squatter,
    addressing,
    at,
    bound,
    link_was_down,
    options_of,
    started,
)
from tests.unit.net.lab import IF1, IF2, A, mac_of
from wsknet.config import DhcpConfig
from wsknet.net.changes import AddressOrigin, InterfaceRemoved, LinkDown, LinkUp
from wsknet.net.interface import AddressState
from wsknet.types import SECOND

# Getting a lease.


@pytest.mark.rule("RFC2131-4.4.1", "RFC2131-4.1", "RFC3442-DHCP.Client.Behavior")
def test_a_discover_says_all_that_a_client_without_address_can_say() -> None:
    lab = started(dhcp=replace(STEADY, host_name="lab"))

    [sent] = lab.messages()
    frame, message = sent.frame, sent.frame[BOOTP]
    assert addressing(frame) == (BROADCAST_MAC, mac_of(IF1), "0.0.0.0", BROADCAST, 68, 67)
    assert (message.op, message.htype, message.hlen, message.hops, message.secs) == (1, 1, 6, 0, 0)
    assert (message.ciaddr, message.yiaddr, message.siaddr, message.giaddr) == ("0.0.0.0",) * 4
    assert int(message.flags) == 0
    assert message.chaddr == bytes.fromhex(mac_of(IF1).replace(":", "")) + bytes(10)
    assert len(frame[UDP].payload) == 300
    assert options_of(frame) == {
        "message-type": 1,
        "client_id": b"\x01\x02\x00\x00\x00\x00\x02",
        "hostname": b"lab",
        "param_req_list": [1, 121, 3, 6, 15, 26, 51, 54, 58, 59],
    }
    assert sent.comment == "DHCP discover, attempt 1"


@pytest.mark.rule("RFC2131-3.1", "RFC2131-4.3.2")
def test_a_request_names_server_and_address_of_the_offer() -> None:
    lab = started(DhcpServer())

    discover, request = (sent.frame for sent in lab.messages())
    assert addressing(request) == (BROADCAST_MAC, mac_of(IF1), "0.0.0.0", BROADCAST, 68, 67)
    assert (request[BOOTP].xid, request[BOOTP].secs) == (discover[BOOTP].xid, discover[BOOTP].secs)
    assert request[BOOTP].ciaddr == "0.0.0.0"
    options = options_of(request)
    assert (options["message-type"], options["requested_addr"], options["server_id"]) == (3, OFFERED, SERVER)


@pytest.mark.rule("RFC2131-2.2", "RFC5227-2.1")
def test_the_address_is_ours_after_it_was_checked() -> None:
    lab = started(DhcpServer())
    lab.pass_time(1)

    assert lab.addresses() == []
    assert lab.gateways() == []
    assert lab.ip.interfaces[IF1].unassigned[A(OFFERED)].state is AddressState.TENTATIVE

    lab.pass_time(CHECKED)

    entry = lab.ip.interfaces[IF1].addresses[A(OFFERED)]
    assert (entry.prefix_length, entry.state, entry.origin) == (24, AddressState.PREFERRED, AddressOrigin.DHCP)
    assert lab.where("192.0.2.7") == ("if1", "192.0.2.7", OFFERED)
    assert lab.where("198.51.100.1") == ("if1", "192.0.2.254", OFFERED)


def test_the_lease_can_be_read() -> None:
    lab = bound(DhcpServer())

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert (lease.address, lease.prefix_length, lease.server) == (A(OFFERED), 24, A(SERVER))
    assert lease.routers == (A("192.0.2.254"),)
    assert lease.name_servers == (A("192.0.2.53"), A("192.0.2.54"))
    assert lease.domain == "lab.example"
    instants = (lease.obtained, lease.renewal, lease.rebinding, lease.expiry)
    assert instants == tuple(lab.start + seconds * SECOND for seconds in (0, T1, T2, EXPIRY))
    assert lab.ip.dhcp.describe(IF1) == "bound; 192.0.2.100/24 from 192.0.2.1"
    assert lab.ip.dhcp.lease(IF2) is None
    assert lab.ip.dhcp.describe(IF2) == ""


@pytest.mark.rule("RFC2131-4.1")
def test_answers_may_be_asked_for_as_broadcasts() -> None:
    lab = started(DhcpServer(), dhcp=replace(STEADY, broadcast_replies=True))
    lab.pass_time(CHECKED)

    assert [int(sent.frame[BOOTP].flags) for sent in lab.messages()] == [0x8000, 0x8000]
    assert lab.addresses() == [f"{OFFERED}/24"]


@requires_tool("tshark")
def test_wireshark_finds_nothing_wrong(tmp_path: Path) -> None:
    server = DhcpServer()
    lab = bound(server, Squatter("192.0.2.254"))
    at(lab, T2 + 1)
    lab.ip.dhcp.release(IF1, lab.now)
    lab.settle()
    capture = tmp_path / "dhcp.pcap"
    wrpcap(str(capture), [sent.frame for sent in lab.sent])

    assert judge(capture).is_clean
    kinds = [row[0] for row in fields(capture, "dhcp.option.dhcp", where="dhcp")]
    assert kinds == ["1", "3", "3", "7"]


# Nobody answers.


@pytest.mark.rule("RFC2131-4.1")
def test_a_discover_is_repeated_at_growing_intervals_and_again_after_a_pause() -> None:
    lab = started()
    lab.pass_time(430)

    assert lab.times("discover") == [0, 4, 12, 28, 360, 364, 372, 388]
    first, *others = (sent.frame[BOOTP] for sent in lab.messages())
    assert [message.secs for message in (first, *others[:3])] == [0, 4, 12, 28]
    assert {message.xid for message in others[:3]} == {first.xid}
    assert others[3].xid != first.xid
    assert "no server answered" in lab.ip.dhcp.describe(IF1)


@pytest.mark.rule("RFC2131-4.1")
def test_the_intervals_are_longer_or_shorter_by_up_to_a_second() -> None:
    lab = started(dhcp=DhcpConfig(attempts=7))
    lab.pass_time(400)

    times = lab.times()
    intervals = [later - earlier for earlier, later in pairwise(times)]
    usual = [4, 8, 16, 32, 64, 64]
    assert all(abs(interval - middle) <= 1 for interval, middle in zip(intervals, usual, strict=True))
    assert intervals != usual


@pytest.mark.rule("RFC2131-2")
def test_the_seconds_of_a_search_that_lasts_for_days_stay_at_the_most_their_field_holds() -> None:
    lab = started(dhcp=DhcpConfig(attempts=1200))
    lab.pass_time(70_000)

    seconds = [sent.frame[BOOTP].secs for sent in lab.messages()]
    assert seconds == sorted(seconds)
    assert seconds[-1] == seconds[-50] == 65535


def test_a_client_that_rests_can_be_told_to_ask() -> None:
    lab = started()
    lab.pass_time(100)
    lab.ip.dhcp.renew(IF1, lab.now)
    lab.settle()

    assert lab.times() == [0, 4, 12, 28, 100]


def test_the_first_discover_may_be_delayed() -> None:
    lab = started(dhcp=replace(STEADY, startup_delay=10 * SECOND))
    assert lab.times() == []

    lab.pass_time(10)
    assert 0 < lab.times()[0] < 10


@pytest.mark.rule("RFC2131-3.1")
def test_a_request_without_an_answer_is_repeated_and_then_given_up() -> None:
    server = DhcpServer()
    lab = started()
    [discover] = lab.messages()
    lab.pass_time(1)
    lab.receive(IF1, server.reply("offer", discover.frame))
    lab.settle()
    lab.pass_time(60)

    assert lab.times("request") == [1, 5, 13, 29]
    assert {sent.frame[BOOTP].secs for sent in lab.messages("request")} == {0}
    assert lab.times("discover") == [0, 61]


# Giving it back.


@pytest.mark.rule("RFC2131-4.4.6")
@pytest.mark.parametrize("how", ["settings", "call"])
def test_a_lease_is_released(how: str) -> None:
    lab = bound(DhcpServer())
    if how == "settings":
        lab.auto(dhcp=False)
    else:
        lab.ip.dhcp.release(IF1, lab.now)
        lab.settle()

    [release] = lab.messages("release")
    assert addressing(release.frame) == (SERVER_MAC, mac_of(IF1), OFFERED, SERVER, 68, 67)
    assert release.frame[BOOTP].ciaddr == OFFERED
    options = options_of(release.frame)
    assert set(options) == {"message-type", "client_id", "server_id"}
    assert options["server_id"] == SERVER
    assert lab.addresses() == []
    assert lab.gateways() == []
    assert lab.ip.dhcp.lease(IF1) is None

    lab.pass_time(10_000)
    assert lab.messages(since=CHECKED + 1) == []


def test_after_a_release_it_begins_again_when_told_or_when_the_link_is_back() -> None:
    lab = bound(DhcpServer())
    lab.ip.dhcp.release(IF1, lab.now)
    lab.ip.dhcp.renew(IF1, lab.now)
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]

    lab.ip.dhcp.release(IF1, lab.now)
    lab.apply(LinkDown(IF1))
    lab.ip.dhcp.renew(IF1, lab.now)
    lab.apply(LinkUp(IF1))
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]
    assert len(lab.messages("discover")) == 3


def test_a_removed_interface_leaves_no_client_behind() -> None:
    lab = bound(DhcpServer())
    lab.apply(InterfaceRemoved(IF1))

    assert lab.messages(since=CHECKED) == []
    assert lab.ip.dhcp.lease(IF1) is None
    assert lab.timers.next_deadline() is None

    lab.interface(IF1, auto=DHCP_ON)
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]


# Beside what people have configured.


@pytest.mark.parametrize("end", ["expiry", "refusal", "release", "decline"])
def test_what_was_configured_by_hand_stays(end: str) -> None:
    server = DhcpServer()
    lab = DhcpLab(hosts=(server,))
    lab.interface(IF1, "192.0.2.7/24", "198.51.100.7/24", auto=DHCP_ON)
    lab.route("0.0.0.0/0", IF1, via="192.0.2.254")
    lab.route("203.0.113.0/24", IF1, via="198.51.100.1")
    routes = list(lab.ip.routes)
    lab.pass_time(CHECKED)
    assert lab.addresses() == ["192.0.2.7/24", "198.51.100.7/24", f"{OFFERED}/24"]

    if end == "expiry":
        server.is_silent = True
        at(lab, EXPIRY + 1)
    elif end == "refusal":
        server.acknowledges = False
        at(lab, T1 + 1)
    elif end == "release":
        lab.auto(dhcp=False)
    else:
        lab.hosts.append(Squatter(OFFERED))
        link_was_down(lab, 1)
        lab.pass_time(5)

    assert lab.addresses() == ["192.0.2.7/24", "198.51.100.7/24"]
    assert list(lab.ip.routes) == routes


def test_an_address_that_is_leased_and_given_by_hand_stays_at_the_end() -> None:
    lab = DhcpLab(hosts=(DhcpServer(),))
    lab.interface(IF1, f"{OFFERED}/25", auto=DHCP_ON)
    lab.pass_time(CHECKED)
    assert lab.ip.dhcp.describe(IF1).startswith("bound")

    lab.auto(dhcp=False)
    assert lab.addresses() == [f"{OFFERED}/25"]


# As a whole.


def test_two_runs_are_alike() -> None:
    def run() -> list[tuple[float, bytes]]:
        lab = DhcpLab(DhcpConfig(), hosts=(DhcpServer(),))
        lab.interface(IF1, auto=DHCP_ON)
        lab.pass_time(5000)
        return [(sent.at, bytes(sent.frame)) for sent in lab.sent]

    assert run() == run()


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"attempts": 0}, {"jitter": 4 * SECOND}, {"restart_delay": 0}, {"host_name": "h\xf6st"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            DhcpConfig(**wrong)


def test_a_client_that_is_turned_off_while_it_searches_has_nothing_to_wait_for() -> None:
    lab = DhcpLab(STEADY)
    lab.interface(IF1, auto=DHCP_ON)
    lab.pass_time(2)
    lab.auto(dhcp=False)

    assert lab.timers.next_deadline() is None
