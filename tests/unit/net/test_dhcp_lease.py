"""A DHCP lease from T1 to its end: renewed, rebound, refused, lost, and verified when the link is back."""

from __future__ import annotations

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.dhcp_server import (
    BROADCAST,
    BROADCAST_MAC,
    CHECKED,
    DHCP_ON,
    EXPIRY,
    OFFERED,
    SERVER,
    SERVER_MAC,
    T1,
    T2,
    DhcpLab,
    DhcpServer,
    Squatter,
    addressing,
    at,
    bound,
    kind_of,
    link_was_down,
    options_of,
    started,
)
from tests.unit.net.lab import IF1, OTHER_MAC, A, mac_of
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.net.changes import LinkDown, LinkUp
from wsknet.net.interface import AddressState
from wsknet.trace import Decision, DropReason
from wsknet.types import SECOND

# Keeping it.


@pytest.mark.rule("RFC2131-4.4.5", "RFC2131-4.3.2")
def test_a_lease_is_renewed_at_half_its_time_by_the_server_alone() -> None:
    lab = bound(DhcpServer())
    at(lab, T1 + 1)

    [request] = lab.messages(since=CHECKED)
    assert request.at == T1
    assert addressing(request.frame) == (SERVER_MAC, mac_of(IF1), OFFERED, SERVER, 68, 67)
    assert request.frame[BOOTP].ciaddr == OFFERED
    assert set(options_of(request.frame)) == {"message-type", "client_id", "param_req_list"}
    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.expiry == lab.start + (T1 + EXPIRY) * SECOND
    assert lab.ip.dhcp.describe(IF1).startswith("bound")

    at(lab, 2 * T1 + 1)
    assert lab.times(since=CHECKED) == [T1, 2 * T1]
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.rule("RFC2131-4.4.5")
def test_an_unanswered_lease_is_renewed_then_rebound_and_then_over() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    at(lab, EXPIRY - 1)

    # Half of what is left until T2, then until the end, but at least a minute.
    unicast = [1800, 2475, 2812.5, 2981.25, 3065.625, 3125.625]
    broadcast = [3150, 3375, 3487.5, 3547.5]
    requests = lab.messages(since=CHECKED)
    assert [(sent.at, sent.frame[IP].dst) for sent in requests] == [
        *((time, SERVER) for time in unicast),
        *((time, BROADCAST) for time in broadcast),
    ]
    last = requests[-1].frame
    assert (last.dst, last[IP].src, last[BOOTP].ciaddr) == (BROADCAST_MAC, OFFERED, OFFERED)
    assert not {"requested_addr", "server_id"} & set(options_of(last))
    assert lab.addresses() == [f"{OFFERED}/24"]

    at(lab, EXPIRY)

    assert lab.addresses() == []
    assert lab.gateways() == []
    assert [route for route in lab.ip.routes if route.if_index == IF1] == []
    assert lab.ip.dhcp.lease(IF1) is None
    assert lab.times("discover", since=CHECKED) == [EXPIRY]


@pytest.mark.rule("RFC2131-4.4.5")
def test_another_server_may_extend_the_lease_when_it_is_rebound() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    lab.hosts.append(DhcpServer("192.0.2.2", mac="02:00:00:00:00:54"))
    at(lab, T2 + 1)

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.server == A("192.0.2.2")
    assert lease.expiry == lab.start + (T2 + EXPIRY) * SECOND


@pytest.mark.rule("RFC2131-4.4.5")
@pytest.mark.parametrize(
    ("renewal", "rebinding", "expected"),
    [(600, 1200, 600), (0, 1200, T1), (1200, 600, T1), (600, 3600, T1), (600, None, T1)],
)
def test_the_server_may_set_the_times_in_this_order(renewal: int, rebinding: int | None, expected: int) -> None:
    server = DhcpServer()
    server.options["renewal_time"] = renewal
    if rebinding is not None:
        server.options["rebinding_time"] = rebinding
    lab = bound(server)
    at(lab, 1900)

    assert lab.times("request", since=CHECKED)[0] == expected


@pytest.mark.rule("RFC2131-3.3")
def test_a_lease_may_be_for_ever() -> None:
    lab = bound(DhcpServer(lease=0xFFFFFFFF))
    lab.pass_time(1)

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert (lease.renewal, lease.rebinding, lease.expiry) == (None, None, None)
    assert lab.timers.next_deadline() is None


def test_a_renewal_may_be_asked_for() -> None:
    lab = bound(DhcpServer())
    at(lab, 100)
    lab.ip.dhcp.renew(IF1, lab.now)
    lab.settle()

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.obtained == lab.start + 100 * SECOND


def test_a_renewal_changes_what_came_with_the_lease() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.options.update(subnet_mask="255.255.0.0", router=["192.0.2.9", "192.0.2.10"])
    at(lab, T1 + 1)

    assert lab.addresses() == [f"{OFFERED}/16"]
    assert lab.gateways() == ["192.0.2.9", "192.0.2.10"]
    assert lab.where("192.0.77.1") == ("if1", "192.0.77.1", OFFERED)


def test_its_routes_say_where_they_come_from_and_one_given_by_hand_instead_outlives_it() -> None:
    lab = bound(DhcpServer())
    why = Decision("")
    lab.path("203.0.113.1", why=why)
    assert why.parts[0].candidates[0].what.endswith("given by DHCP")

    lab.route("0.0.0.0/0", IF1, "192.0.2.254", metric=7)
    lab.ip.dhcp.release(IF1, lab.now)
    assert lab.gateways() == ["192.0.2.254"]


@pytest.mark.parametrize("when", [T1 - 1, T1 + 1])
def test_a_renewal_is_heard_although_packets_of_the_server_may_take_the_short_way(when: int) -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = when > T1
    at(lab, when)
    for _ in range(3):
        lab.arrive(IF1, IP(src=SERVER, dst=OFFERED) / ICMP(type=8), peer=SERVER_MAC)
    lab.settle()
    server.is_silent = False
    at(lab, 2476)

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.obtained == lab.start + (T1 if when < T1 else 2475) * SECOND


def test_a_renewal_without_a_way_to_the_server_is_counted() -> None:
    server = DhcpServer("203.0.113.1")
    del server.options["router"]
    lab = bound(server)
    at(lab, T1)

    assert lab.drops == {DropReason.NO_ROUTE: 1}
    at(lab, T2 + 1)
    assert lab.ip.dhcp.describe(IF1).startswith("bound")


def test_an_address_taken_away_by_hand_is_asked_for_again_when_it_is_renewed() -> None:
    server = DhcpServer()
    lab = bound(server)
    lab.apply(changes.AddressRemoved(IF1, A(OFFERED)))
    with pytest.raises(NetError) as error:
        lab.path("192.0.2.7", OFFERED)
    assert error.value.kind is ErrorKind.NOT_LOCAL
    at(lab, T2 + CHECKED)

    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.parametrize("is_removed", [True, False], ids=["taken away", "given"])
def test_what_is_done_by_hand_while_the_address_is_checked_does_not_hold_the_client_up(is_removed: bool) -> None:
    lab = started(DhcpServer())
    lab.auto(dhcp=True, duplicate_detection=True)
    lab.pass_time(1)
    if is_removed:
        lab.apply(changes.AddressRemoved(IF1, A(OFFERED)))
    else:
        lab.address(IF1, f"{OFFERED}/24")
    lab.pass_time(CHECKED)
    assert lab.ip.dhcp.describe(IF1).startswith("bound")
    at(lab, T2 + 2 * CHECKED)

    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.rule("RFC2131-4.4.5")
def test_a_lease_counts_from_the_request_that_was_answered() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    at(lab, 2000)
    server.is_silent = False
    at(lab, 2476)

    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.obtained == lab.start + 2475 * SECOND


# Losing it.


@pytest.mark.rule("RFC2131-3.1")
def test_an_offer_that_is_refused_when_requested_is_followed_by_a_rest() -> None:
    server = DhcpServer()
    server.acknowledges = False
    lab = started(server)
    lab.pass_time(25)

    assert lab.times("discover") == [0, 10, 20]
    assert "192.0.2.1 refused: no reason given" in lab.ip.dhcp.describe(IF1)


@pytest.mark.rule("RFC2131-4.4.5", "RFC2131-3.2")
@pytest.mark.parametrize("when", [T1, T2])
def test_a_refusal_takes_the_address_away_at_once(when: int) -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = when != T1
    at(lab, when - 1)
    server.is_silent, server.acknowledges = False, False
    server.heard.clear()
    at(lab, when)

    assert [kind_of(frame) for frame in server.heard][:2] == ["request", "discover"]
    assert lab.addresses() == []
    assert lab.gateways() == []


@pytest.mark.rule("RFC2131-4.3.2")
def test_a_refusal_that_names_no_server_is_none() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    at(lab, T2)
    lab.receive(IF1, server.reply("nak", lab.messages(since=T2)[0].frame, server=None))

    assert lab.drops == {DropReason.DHCP_UNEXPECTED: 1}
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.rule("RFC2131-3.1", "RFC2131-4.4.4", "RFC5227-2.1.1")
def test_an_address_that_another_host_has_is_declined() -> None:
    server = DhcpServer()
    lab = started(server, Squatter(OFFERED))
    lab.pass_time(2)

    [decline] = lab.messages("decline")
    assert addressing(decline.frame) == (BROADCAST_MAC, mac_of(IF1), "0.0.0.0", BROADCAST, 68, 67)
    assert (decline.frame[BOOTP].ciaddr, decline.frame[BOOTP].secs, int(decline.frame[BOOTP].flags)) == (
        "0.0.0.0", 0, 0,
    )  # fmt: skip
    options = options_of(decline.frame)
    assert set(options) == {"message-type", "client_id", "requested_addr", "server_id", "error_message"}
    assert (options["requested_addr"], options["server_id"]) == (OFFERED, SERVER)
    assert lab.addresses() == []
    assert f"{OFFERED} is used by {OTHER_MAC}" in lab.ip.dhcp.describe(IF1)

    duplicate = lab.ip.interfaces[IF1].unassigned[A(OFFERED)]
    assert (duplicate.state, duplicate.holder) == (AddressState.DUPLICATE, bytes.fromhex(OTHER_MAC.replace(":", "")))

    server.offers = "192.0.2.101"
    lab.pass_time(20)

    assert lab.times("discover") == [0, decline.at + 10]
    assert lab.addresses() == ["192.0.2.101/24"]


@pytest.mark.rule("RFC5227-2.4", "RFC2131-3.1")
def test_an_address_that_cannot_be_defended_is_declined() -> None:
    lab = bound(DhcpServer())
    claim = Ether(dst=BROADCAST_MAC, src=OTHER_MAC, type=0x0806) / ARP(op=1, hwsrc=OTHER_MAC, psrc=OFFERED, pdst=SERVER)
    lab.receive(IF1, claim)
    lab.pass_time(1)
    assert lab.addresses() == [f"{OFFERED}/24"]

    lab.receive(IF1, claim)
    lab.settle()

    assert len(lab.messages("decline")) == 1
    assert lab.addresses() == []
    assert lab.gateways() == []
    assert lab.ip.dhcp.lease(IF1) is None


# The link was down.


@pytest.mark.rule("RFC2131-3.2", "RFC2131-4.3.2", "RFC2131-4.4.2")
def test_a_lease_is_verified_when_the_link_is_back() -> None:
    lab = bound(DhcpServer())
    before = lab.seconds
    link_was_down(lab, 100)

    [request] = lab.messages(since=before)
    assert addressing(request.frame) == (BROADCAST_MAC, mac_of(IF1), "0.0.0.0", BROADCAST, 68, 67)
    assert request.frame[BOOTP].ciaddr == "0.0.0.0"
    options = options_of(request.frame)
    assert (options["message-type"], options["requested_addr"]) == (3, OFFERED)
    assert "server_id" not in options

    lab.pass_time(CHECKED)
    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.obtained == lab.start + 110 * SECOND
    assert lab.addresses() == [f"{OFFERED}/24"]
    assert lab.gateways() == ["192.0.2.254"]
    assert lab.ip.dhcp.describe(IF1).startswith("bound")


@pytest.mark.rule("RFC2131-3.2")
def test_a_lease_of_another_link_is_refused() -> None:
    server = DhcpServer()
    lab = bound(server)
    lab.hosts = [other := DhcpServer("198.51.100.1", offers="198.51.100.7")]
    other.options["router"] = "198.51.100.254"
    other.acknowledges = False
    lab.apply(LinkDown(IF1))
    lab.apply(LinkUp(IF1))
    other.acknowledges = True
    lab.pass_time(CHECKED)

    assert lab.addresses() == ["198.51.100.7/24"]
    assert lab.gateways() == ["198.51.100.254"]


@pytest.mark.rule("RFC2131-3.2", "RFC2131-3.7")
def test_a_lease_that_nobody_verifies_goes_on() -> None:
    server = DhcpServer()
    lab = bound(server)
    server.is_silent = True
    link_was_down(lab, 100)
    at(lab, 180)

    assert lab.times("request", since=CHECKED) == [110, 114, 122, 138]
    assert lab.addresses() == [f"{OFFERED}/24"]
    assert lab.ip.dhcp.describe(IF1).startswith("bound")
    assert lab.ip.dhcp.describe(IF1).endswith("no server answered, the lease of before goes on")

    server.is_silent = False
    at(lab, T1 + 1)
    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    assert lease.obtained == lab.start + T1 * SECOND


@pytest.mark.rule("RFC2131-4.4.5")
def test_a_lease_ends_while_the_link_is_down() -> None:
    lab = bound(DhcpServer())
    lab.apply(LinkDown(IF1))
    at(lab, EXPIRY)

    assert lab.ip.dhcp.lease(IF1) is None
    assert lab.addresses() == []
    assert lab.ip.dhcp.describe(IF1) == "not asking; the lease has expired"

    lab.apply(LinkUp(IF1))
    lab.pass_time(CHECKED)
    assert len(lab.messages("discover")) == 2
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.parametrize("seconds", [0.1, 2.0, 5.0, 30.0])
def test_a_link_that_goes_and_comes_at_any_moment_ends_with_a_lease(seconds: float) -> None:
    server = DhcpServer()
    lab = DhcpLab(hosts=(server,))
    lab.interface(IF1, auto=DHCP_ON)
    for _ in range(5):
        lab.pass_time(seconds)
        lab.apply(LinkDown(IF1))
        lab.pass_time(seconds)
        lab.apply(LinkUp(IF1))
    lab.pass_time(30)

    assert lab.addresses() == [f"{OFFERED}/24"]
    assert lab.ip.dhcp.describe(IF1) == f"bound; {OFFERED}/24 from {SERVER}"


def test_another_host_has_taken_the_address_while_the_link_was_down() -> None:
    lab = bound(DhcpServer())
    lab.hosts.append(Squatter(OFFERED))
    link_was_down(lab, 100)
    lab.pass_time(5)

    assert len(lab.messages("decline")) == 1
    assert lab.addresses() == []
    assert lab.gateways() == []


@pytest.mark.rule("RFC2132-5.1")
def test_a_renewal_may_change_nothing_but_the_mtu_and_paths_follow() -> None:
    server = DhcpServer()
    lab = bound(server)
    assert lab.path("198.51.100.1").mtu == 1500
    server.options["interface-mtu"] = 1400
    at(lab, T1 + 1)

    assert lab.path("198.51.100.1").mtu == 1400


@pytest.mark.rule("RFC2131-4.4.5")
def test_renewing_and_rebinding_at_one_time_is_out_of_order() -> None:
    server = DhcpServer()
    server.options.update(renewal_time=600, rebinding_time=600)
    lab = bound(server)
    at(lab, 1900)

    assert lab.times("request", since=CHECKED)[0] == T1
