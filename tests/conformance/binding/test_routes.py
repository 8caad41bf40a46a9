"""Which route and source weak hosts choose (BIND-3.6, 3.8), and metrics by the speed of a link (BIND-3.1)."""

from __future__ import annotations

import pytest

from tests.conformance.binding.multi_homed import (
    IF1,
    IF2,
    PORT,
    A,
    MultiHomed,
)
from tests.conformance.binding.outcomes import cover_of
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import InterfaceConfig
from wsknet.host import Network
from wsknet.inspect.tables import tables
from wsknet.net.changes import AddressRemoved, InterfaceAdded, InterfaceChanged, LinkDown, RouteAdded
from wsknet.text import parse_network
from wsknet.trace import Decision, DropReason
from wsknet.types import IfIndex

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)
BOTH_WEAK = pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)
IF3 = IfIndex(4)
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.mark.rule("BIND-25")
@pytest.mark.parametrize(("behaviour", "index"), [(WINDOWS, IF1), (LINUX, IF2), (BSD, IF2)])
def test_a_bound_source_on_the_shorter_of_two_prefixes(behaviour: Behaviour, index: IfIndex) -> None:
    """On Windows its interface is asked, where nobody answers."""
    lab = MultiHomed(behaviour)
    lab.address(IF1, "172.16.0.2/12")
    lab.address(IF2, "172.17.0.2/16")
    lab.take()

    lab.send_to(lab.udp_on("172.16.0.2"), "172.17.5.5")
    [(asked_on, question)] = lab.take()
    lab.pass_time(10)

    assert (asked_on, question.dst, question.payload.pdst) == (index, BROADCAST, "172.17.5.5")
    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 1}


def hinted(lab: MultiHomed, prefix: str, via: str, source: str) -> None:
    lab.apply(RouteAdded(*parse_network(prefix), IF1, A(via), preferred_source=A(source)))


@SETS
@pytest.mark.rule("BIND-3.6")
@pytest.mark.parametrize(
    ("prefix", "via", "source", "to", "usual"),
    [
        ("192.0.2.0/24", "10.1.0.1", "10.1.0.200", "192.0.2.7", "10.1.0.2"),
        ("2001:db8:9::/48", "fe80::1", "2001:db8:1::200", "2001:db8:9::7", "2001:db8:1::2"),
    ],
)
def test_the_source_that_a_route_names_comes_before_every_rule(
    behaviour: Behaviour, prefix: str, via: str, source: str, to: str, usual: str
) -> None:
    lab = MultiHomed(behaviour)
    lab.address(IF1, source + ("/64" if ":" in source else "/24"))
    hinted(lab, prefix, via, source)
    endpoint = lab.udp_on(None, cover=cover_of(to))
    lab.take()

    lab.send_to(endpoint, to)
    assert lab.sent()[2] == source
    lab.connect(lab.tcp_on(None, cover=cover_of(to)), to)
    assert lab.sent()[2] == source
    lab.send_to(lab.udp_on(usual, PORT + 1), to)
    assert lab.sent()[2] == usual

    lab.apply(AddressRemoved(IF1, A(source)))
    lab.take()
    lab.send_to(endpoint, to)
    assert lab.sent()[2] == usual


@pytest.mark.rule("BIND-3.6")
@pytest.mark.parametrize(("behaviour", "source"), [(WINDOWS, "10.1.0.2"), (LINUX, "10.2.0.2")])
def test_another_interfaces_address_is_named_in_vain_on_strong_hosts(behaviour: Behaviour, source: str) -> None:
    """`ip route get` of Linux 6.18 shows 10.2.0.2."""
    lab = MultiHomed(behaviour)
    hinted(lab, "203.0.113.0/24", "10.1.0.1", "10.2.0.2")
    why = Decision("path")
    lab.path("203.0.113.9", why=why)

    assert lab.where("203.0.113.9") == ("if1", "10.1.0.1", source)
    assert any("named by the route" in candidate.verdict for candidate in why.parts[1].candidates)
    assert ("named by the route" in why.parts[1].rule) is (behaviour is LINUX)


@pytest.mark.rule("BIND-3.6")
def test_on_linux_a_named_source_counts_while_its_own_interface_is_down() -> None:
    """`ip route get` of Linux 6.18 goes on showing it, with the link down and with the interface down."""
    lab = MultiHomed(LINUX)
    hinted(lab, "203.0.113.0/24", "10.1.0.1", "10.2.0.2")
    lab.apply(LinkDown(IF2))

    assert lab.where("203.0.113.9")[2] == "10.2.0.2"


def test_a_route_cannot_name_a_source_that_is_not_ours() -> None:
    """Nor one of the other family: "Invalid prefsrc address"."""
    lab = MultiHomed()
    for source in ("10.9.9.9", "2001:db8:1::2"):
        with pytest.raises(ValueError, match="not ours"):
            hinted(lab, "192.0.2.0/24", "10.1.0.1", source)
    assert lab.where("192.0.2.7")[2] == "10.1.0.2"


def test_the_source_of_a_route_is_shown_with_it() -> None:
    with Network(seed=1) as network:
        host = network.host("host")
        network.link(host.interface("eth0", "10.1.0.2/24", "10.1.0.9/24"), network.host("peer").interface("eth0"))
        host.route("192.0.2.0/24", via="10.1.0.1", source="10.1.0.9")
        host.route("198.51.100.0/24", via="10.1.0.1")
        lines = [line for line in tables(host.stack.view()) if "via 10.1.0.1" in line]

        assert [", source 10.1.0.9" in line for line in lines] == [True, False]


@BOTH_WEAK
@pytest.mark.rule("BIND-3.6", "BIND-3.8")
def test_weak_hosts_take_the_address_on_the_next_hops_subnet(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    lab.address(IF1, "10.3.0.5/24")
    lab.route("198.51.100.0/24", IF1, "10.3.0.1")

    assert lab.where("198.51.100.7") == ("if1", "10.3.0.1", "10.3.0.5")
    assert lab.where("8.8.8.8") == ("if1", "10.1.0.1", "10.1.0.2")


@BOTH_WEAK
@pytest.mark.rule("BIND-3.6", "BIND-3.8")
def test_weak_hosts_lend_an_address_to_an_interface_without_one(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    lab.apply(InterfaceAdded(IF3, InterfaceConfig("if3", bytes((2, 0, 0, 0, 0, 4)))))
    lab.route("203.0.115.0/24", IF3)

    assert lab.where("203.0.115.1") == ("if3", "203.0.115.1", "10.1.0.2")


@BOTH_WEAK
@pytest.mark.rule("BIND-3.6", "BIND-3.8")
def test_weak_hosts_route_a_bound_source_like_any_other(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)

    lab.send_to(lab.udp_on("10.2.0.2"), "8.8.8.8")
    assert lab.sent()[::2] == (IF1, "10.2.0.2")
    lab.connect(lab.tcp_on("10.2.0.2"), "10.1.0.50")
    assert lab.sent()[::2] == (IF1, "10.2.0.2")


@pytest.mark.rule("BIND-3.1.3")
@pytest.mark.parametrize(
    ("speed", "metric"),
    [
        (100_000_000_000, 5), (99_999_999_999, 10), (40_000_000_000, 10), (39_999_999_999, 15), (10_000_000_000, 15),
        (9_999_999_999, 20), (2_000_000_000, 20), (1_999_999_999, 25), (1_000_000_000, 25), (200_000_000, 25),
        (199_999_999, 35), (80_000_000, 35), (79_999_999, 45), (20_000_000, 45), (19_999_999, 55), (10_000_000, 55),
        (4_000_000, 55), (3_999_999, 65), (500_000, 65), (499_999, 75), (1, 75),
    ],
)  # fmt: skip
def test_an_automatic_metric_follows_the_speed_of_the_link(speed: int, metric: int) -> None:
    """KB 299540, the table of Windows 10 for links that are not wireless."""
    with Network(seed=1) as network:
        card = network.host("host").interface("eth0", "10.1.0.2/24", speed=speed)

        assert card.host.stack.view().interfaces[1].metric == metric


@pytest.mark.rule("BIND-3.1.3", "BIND-19")
def test_the_faster_link_wins_until_a_metric_is_fixed_and_again_when_it_is_automatic() -> None:
    lab = MultiHomed(is_bare=True)
    for index, gateway in ((IF1, "10.1.0.1"), (IF2, "10.2.0.1")):
        lab.route("0.0.0.0/0", index, gateway)
        lab.apply(InterfaceChanged(index, metric=0))
    changes = [
        InterfaceChanged(IF2, speed=10_000_000_000),
        InterfaceChanged(IF1, metric=1),
        InterfaceChanged(IF1, speed=500_000),
        InterfaceChanged(IF1, metric=0),
    ]

    told = [lab.where("8.8.8.8")[0]]
    for change in changes:
        lab.apply(change)
        told.append(lab.where("8.8.8.8")[0])

    assert told == ["if1", "if2", "if1", "if1", "if2"]
