"""Which way, from which address: the cases of BIND-3 and BIND-6, on their standard hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.net.lab import IF1, IF2, IF3, LO, A, Lab, udp_header
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, HostModel
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.trace import Decision
from wsknet.types import Proto


def h1(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.2/24", metric=25)
    lab.interface(IF2, "10.2.0.2/24", metric=35)
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")
    return lab


def h2(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = h1(behaviour)
    lab.route("0.0.0.0/0", IF2, "10.2.0.1")
    return lab


def h3(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.2/24")
    lab.interface(IF2, "10.1.0.3/24")
    return lab


def v6(behaviour: Behaviour = WINDOWS) -> Lab:
    lab = Lab(behaviour)
    lab.interface(IF1, "fe80::a/64", "2001:db8:1::2/64")
    lab.interface(IF2, "fe80::b/64", "fd00:2::2/64")
    return lab


def error_of(lab: Lab, destination: str, source: str | None = None, zone: int = 0) -> ErrorKind:
    with pytest.raises(NetError) as caught:
        lab.path(destination, source, zone)
    assert "\n" not in str(caught.value)
    return caught.value.kind


@pytest.mark.rule("BIND-6")
def test_two_destinations_have_two_sources() -> None:
    lab = h1()
    assert lab.where("10.1.0.50") == ("if1", "10.1.0.50", "10.1.0.2")
    assert lab.where("10.2.0.50") == ("if2", "10.2.0.50", "10.2.0.2")


@pytest.mark.rule("BIND-7")
def test_a_route_that_goes_takes_its_source_along() -> None:
    lab = h2()
    before = lab.where("8.8.8.8")
    lab.remove_route("0.0.0.0/0", IF1, "10.1.0.1")

    assert (before, lab.where("8.8.8.8")) == (("if1", "10.1.0.1", "10.1.0.2"), ("if2", "10.2.0.1", "10.2.0.2"))


@pytest.mark.rule("BIND-8")
def test_a_committed_source_does_not_follow_the_route() -> None:
    strong, weak = h2(), h2(LINUX)
    for lab in (strong, weak):
        lab.remove_route("0.0.0.0/0", IF1, "10.1.0.1")

    assert error_of(strong, "8.8.8.8", "10.1.0.2") is ErrorKind.NO_ROUTE
    assert weak.where("8.8.8.8", "10.1.0.2") == ("if2", "10.2.0.1", "10.1.0.2")


@pytest.mark.rule("BIND-18", "BIND-3.2.3")
def test_a_bound_source_uses_its_interfaces_routes_on_strong_hosts() -> None:
    assert h2().where("8.8.8.8", "10.2.0.2") == ("if2", "10.2.0.1", "10.2.0.2")
    assert h2(LINUX).where("8.8.8.8", "10.2.0.2") == ("if1", "10.1.0.1", "10.2.0.2")


@pytest.mark.rule("BIND-19")
def test_the_lower_sum_of_metrics_wins_and_may_change() -> None:
    lab = h2()
    assert lab.where("8.8.8.8")[0] == "if1"
    lab.apply(changes.InterfaceChanged(IF1, metric=50))
    assert lab.where("8.8.8.8")[0] == "if2"
    lab.route("0.0.0.0/0", IF2, "10.2.0.1", metric=20)
    assert lab.where("8.8.8.8")[0] == "if1"


@pytest.mark.rule("BIND-20", "BIND-3.2.1")
def test_a_more_specific_route_on_another_interface_is_invisible_to_a_bound_source() -> None:
    for behaviour, bound in ((WINDOWS, ("if1", "10.1.0.1", "10.1.0.2")), (LINUX, ("if2", "10.2.0.1", "10.1.0.2"))):
        lab = h1(behaviour)
        lab.route("192.0.2.0/24", IF2, "10.2.0.1")
        assert lab.where("192.0.2.7", "10.1.0.2") == bound
        assert lab.where("192.0.2.7") == ("if2", "10.2.0.1", "10.2.0.2")


@pytest.mark.rule("BIND-21", "BIND-3.2.2")
def test_no_route_on_the_owning_interface_is_no_route() -> None:
    lab = h1()
    assert error_of(lab, "8.8.8.8", "10.2.0.2") is ErrorKind.NO_ROUTE
    lab.apply(changes.InterfaceChanged(IF2, weak_send=True))
    assert lab.where("8.8.8.8", "10.2.0.2") == ("if1", "10.1.0.1", "10.2.0.2")


@pytest.mark.rule("BIND-22")
def test_a_vpn_that_splits_the_default_route_does_not_catch_bound_sources() -> None:
    for behaviour, bound in ((WINDOWS, "if1"), (LINUX, "if3")):
        lab = h1(behaviour)
        lab.interface(IF3, "10.8.0.2/24")
        lab.route("0.0.0.0/1", IF3)
        lab.route("128.0.0.0/1", IF3)
        assert lab.where("8.8.8.8")[0] == lab.where("192.0.2.1")[0] == "if3"
        assert lab.where("8.8.8.8", "10.1.0.2")[0] == bound


@pytest.mark.rule("BIND-24")
def test_a_host_route_beats_everything_but_the_strong_host() -> None:
    for behaviour, bound in ((WINDOWS, ("if1", "10.1.0.50")), (LINUX, ("if2", "10.2.0.1"))):
        lab = h1(behaviour)
        lab.route("10.1.0.50/32", IF2, "10.2.0.1")
        assert lab.where("10.1.0.50") == ("if2", "10.2.0.1", "10.2.0.2")
        assert lab.where("10.1.0.50", "10.1.0.2") == (*bound, "10.1.0.2")


@pytest.mark.rule("BIND-25")
def test_overlapping_prefixes() -> None:
    for behaviour, bound in ((WINDOWS, "if1"), (LINUX, "if2")):
        lab = Lab(behaviour)
        lab.interface(IF1, "10.0.0.2/8")
        lab.interface(IF2, "10.1.0.2/16")
        assert lab.where("10.1.5.5") == ("if2", "10.1.5.5", "10.1.0.2")
        assert lab.where("10.9.0.1") == ("if1", "10.9.0.1", "10.0.0.2")
        assert lab.where("10.1.5.5", "10.0.0.2") == (bound, "10.1.5.5", "10.0.0.2")


@pytest.mark.rule("BIND-26")
@pytest.mark.parametrize(("first", "second", "chosen"), [(30, 31, "if1"), (31, 30, "if2"), (30, 30, "if1")])
def test_equal_prefixes_are_decided_by_metric_then_by_age(first: int, second: int, chosen: str) -> None:
    lab = Lab()
    lab.interface(IF1, "192.0.2.2/24", metric=first)
    lab.interface(IF2, "192.0.2.3/24", metric=second)

    assert lab.where("192.0.2.50")[0] == chosen
    assert lab.where("192.0.2.50", "192.0.2.2")[0] == "if1"
    assert lab.where("192.0.2.50", "192.0.2.3")[0] == "if2"


@pytest.mark.rule("BIND-29")
def test_two_cards_in_one_subnet() -> None:
    assert h3().where("10.1.0.50") == ("if1", "10.1.0.50", "10.1.0.2")
    assert h3().where("10.1.0.50", "10.1.0.3") == ("if2", "10.1.0.50", "10.1.0.3")
    assert h3(LINUX).where("10.1.0.50", "10.1.0.3") == ("if1", "10.1.0.50", "10.1.0.3")


@pytest.mark.rule("BIND-31")
def test_an_answer_from_the_address_asked_may_use_only_its_own_interface() -> None:
    assert h1().where("10.2.0.50", "10.2.0.2")[0] == "if2"
    assert error_of(h1(), "8.8.8.8", "10.2.0.2") is ErrorKind.NO_ROUTE
    assert h2().where("8.8.8.8", "10.2.0.2")[:2] == ("if2", "10.2.0.1")


@pytest.mark.rule("BIND-37", "BIND-38")
def test_loopback_and_the_world_do_not_mix() -> None:
    assert error_of(h1(), "10.1.0.50", "127.0.0.1") is ErrorKind.NO_ROUTE
    assert error_of(h1(LINUX), "10.1.0.50", "127.0.0.1") is ErrorKind.INVALID_ARGUMENT
    assert error_of(h1(), "127.0.0.1", "10.1.0.2") is ErrorKind.NOT_LOCAL
    assert h1(LINUX).where("127.0.0.1", "10.1.0.2") == ("loopback", "127.0.0.1", "10.1.0.2")


@pytest.mark.rule("BIND-39")
@pytest.mark.parametrize("destination", ["0.0.0.0", "::"])
def test_nobody_has_the_unspecified_address(destination: str) -> None:
    assert error_of(h1(), destination) is ErrorKind.NOT_LOCAL


@pytest.mark.rule("BIND-42", "BIND-1.4.2")
def test_the_loopback_block_is_local_by_policy() -> None:
    assert h1().path("127.0.0.2").is_local
    assert error_of(h1(BSD), "127.0.0.2") is ErrorKind.NO_ROUTE
    assert h1(BSD).path("127.0.0.1").is_local


@pytest.mark.rule("BIND-44", "BIND-5.2")
def test_an_address_that_was_removed_is_no_source() -> None:
    lab = h1()
    lab.apply(changes.AddressRemoved(IF2, A("10.2.0.2")))

    assert error_of(lab, "10.2.0.50", "10.2.0.2") is ErrorKind.NOT_LOCAL
    assert lab.where("8.8.8.8")[2] == "10.1.0.2"


@pytest.mark.rule("BIND-47")
def test_a_route_added_later_serves_the_next_question() -> None:
    lab = h1()
    lab.remove_route("0.0.0.0/0", IF1, "10.1.0.1")
    assert error_of(lab, "8.8.8.8") is ErrorKind.NO_ROUTE
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")
    assert lab.where("8.8.8.8")[0] == "if1"


@pytest.mark.rule("BIND-52", "BIND-3.1.1")
def test_routes_of_an_interface_that_is_down_are_ignored() -> None:
    lab = h1()
    lab.apply(changes.LinkDown(IF1))
    assert error_of(lab, "8.8.8.8") is ErrorKind.NO_ROUTE
    assert error_of(lab, "10.1.0.50", "10.1.0.2") is ErrorKind.NO_ROUTE
    assert lab.where("10.2.0.50")[0] == "if2"
    lab.apply(changes.LinkUp(IF1))
    assert lab.where("8.8.8.8")[0] == "if1"


@pytest.mark.rule("BIND-54", "BIND-55")
def test_broadcasts_know_their_interface() -> None:
    lab = h1()
    assert lab.where("255.255.255.255") == ("if1", "255.255.255.255", "10.1.0.2")
    assert lab.where("255.255.255.255", "10.2.0.2")[0] == "if2"
    assert lab.where("10.2.0.255") == ("if2", "10.2.0.255", "10.2.0.2")
    assert lab.path("10.2.0.255").is_broadcast
    assert not lab.path("10.2.0.254").is_broadcast
    assert h1(LINUX).where("255.255.255.255", "10.2.0.2")[0] == "if2"


@pytest.mark.rule("BIND-58", "BIND-59")
def test_a_link_local_destination_takes_its_link_from_zone_source_or_table() -> None:
    lab = v6()
    assert lab.where("fe80::99", zone=IF2) == ("if2", "fe80::99", "fe80::b")
    assert lab.where("fe80::99", "fe80::b") == ("if2", "fe80::99", "fe80::b")
    assert lab.where("fe80::99") == ("if1", "fe80::99", "fe80::a")
    assert lab.path("fe80::99", zone=IF2).zone == IF2
    assert error_of(lab, "fe80::99", "fe80::a", IF2) is ErrorKind.NOT_LOCAL
    assert error_of(lab, "fe80::99", zone=9) is ErrorKind.NO_ROUTE


def test_a_zone_means_nothing_for_other_destinations() -> None:
    assert v6().where("2001:db8:1::50", zone=IF2)[0] == "if1"


@pytest.mark.rule("BIND-60")
def test_the_outgoing_interface_comes_before_the_label() -> None:
    for behaviour in (WINDOWS, replace(WINDOWS, host_send=HostModel.WEAK)):
        lab = v6(behaviour)
        lab.route("::/0", IF1, "fe80::1")
        assert lab.where("fd00:9::9") == ("if1", "fe80::1", "2001:db8:1::2")
        lab.address(IF1, "fd00:1::2/64")
        assert lab.where("fd00:9::9")[2] == "fd00:1::2"


@pytest.mark.rule("BIND-62", "RFC3927-2.6.2")
def test_two_links_with_automatic_addresses() -> None:
    lab = Lab()
    lab.interface(IF1, "169.254.7.7/16")
    lab.interface(IF2, "169.254.9.9/16")
    lab.interface(IF3, "10.1.0.2/24")
    lab.route("0.0.0.0/0", IF3, "10.1.0.1")

    assert lab.where("169.254.50.50") == ("if1", "169.254.50.50", "169.254.7.7")
    assert lab.where("169.254.50.50", "169.254.9.9") == ("if2", "169.254.50.50", "169.254.9.9")
    for index in (IF1, IF2):
        lab.apply(changes.LinkDown(index))
    assert error_of(lab, "169.254.50.50") is ErrorKind.NO_ROUTE


@pytest.mark.rule("BIND-63")
def test_an_automatic_address_does_not_reach_the_world() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    lab.interface(IF2, "169.254.9.9/16")
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")

    assert lab.where("8.8.8.8")[0] == "if1"
    assert error_of(lab, "8.8.8.8", "169.254.9.9") is ErrorKind.NO_ROUTE
    assert lab.path("169.254.1.1").zone == IF2


@pytest.mark.rule("BIND-64")
def test_without_an_address_nothing_can_be_sent() -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")

    assert error_of(lab, "8.8.8.8") is ErrorKind.NO_ROUTE
    assert error_of(lab, "fe80::1") is ErrorKind.NO_ROUTE
    lab.address(IF1, "169.254.9.9/16")
    assert lab.where("8.8.8.8")[2] == "169.254.9.9"


def test_a_bound_source_on_the_wrong_interface_for_the_zone_has_no_route() -> None:
    lab = h1()
    assert error_of(lab, "224.0.0.9", "10.1.0.2", IF2) is ErrorKind.NO_ROUTE
    assert lab.where("224.0.0.9", zone=IF2) == ("if2", "224.0.0.9", "10.2.0.2")
    lab.apply(changes.InterfaceChanged(IF1, weak_send=True))
    assert lab.where("224.0.0.9", "10.1.0.2", IF2) == ("if2", "224.0.0.9", "10.1.0.2")


@pytest.mark.rule("RFC4007-6", "RFC4291-2.5.6")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX])
@pytest.mark.parametrize("is_router", [False, True])
def test_a_link_local_source_does_not_leave_its_link(behaviour: Behaviour, is_router: bool) -> None:
    lab = v6(behaviour)
    lab.route("::/0", IF2, "fe80::1")
    lab.apply(changes.InterfaceChanged(IF1, forwarding=is_router))
    assert lab.where("2001:db8:9::9", "fe80::b", IF2) == ("if2", "fe80::1", "fe80::b")

    why = Decision("path")
    with pytest.raises(NetError, match="on if1, which owns the bound address"):
        lab.path("2001:db8:9::9", "fe80::a", IF1, why)
    is_strong = behaviour is WINDOWS and not is_router
    assert ("link-local address stays on its link" in why.rule) is not is_strong
    assert ("RFC 4007" in why.reference) is not is_strong


def test_the_mtu_is_that_of_the_interface_or_of_the_host_inside() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", mtu=1280)
    assert [lab.path(address).mtu for address in ("10.1.0.50", "10.1.0.2", "127.0.0.1")] == [1280, 65535, 65535]
    lab.apply(changes.InterfaceChanged(IF1, mtu=9000))
    assert lab.path("10.1.0.50").mtu == 9000


def test_an_answer_is_kept_until_something_changes() -> None:
    lab = h1()
    path = lab.path("8.8.8.8")
    assert lab.path("8.8.8.8") is path
    assert path.generation == lab.ip.generation

    lab.address(IF2, "10.2.0.9/24")

    assert path.generation != lab.ip.generation
    assert lab.path("8.8.8.8") is not path


@pytest.mark.parametrize(
    "change",
    [
        changes.InterfaceChanged(IF1, forwarding=True),
        changes.AutoconfigurationChanged(False),
        changes.LinkDown(IF2),
        changes.RouteAdded(A("198.51.100.0"), 24, IF2),
    ],
)
def test_an_answer_after_a_change_is_not_out_of_date_again(change: changes.Change) -> None:
    lab = h1()
    lab.path("8.8.8.8")
    lab.apply(change)

    assert lab.path("8.8.8.8").generation == lab.ip.generation


@pytest.mark.rule("RFC4007-6")
def test_the_zone_of_a_path_to_ourselves_is_where_its_link_local_source_is() -> None:
    lab = v6()
    path = lab.path("fd00:2::2", "fe80::a", IF1)
    assert (path.is_local, path.zone) == (True, IF1)
    assert lab.path("fe80::a", "fd00:2::2", path.zone).is_local

    lab.address(IF1, "2001:db8:1::3/64")
    lab.ip.send(path, Proto.UDP, udp_header(0), (), lab.now)
    lab.ip.deliver_looped(lab.now)
    assert [packet.zone for packet in lab.udp.packets] == [IF1]


@pytest.mark.rule("BIND-1.4.3", "BIND-1.4.4", "BIND-1.4.6")
def test_addresses_that_may_not_be_bound() -> None:
    lab = h1()
    lab.apply(changes.LinkDown(IF2))
    for address in ("10.9.9.9", "10.2.0.2", "255.255.255.255", "10.1.0.255", "224.0.0.1", "ff02::1", "2001:db8::1"):
        with pytest.raises(NetError) as caught:
            lab.ip.bindable(A(address))
        assert caught.value.kind is ErrorKind.NOT_LOCAL
        assert address in str(caught.value)


def test_an_address_of_a_card_without_cable_may_be_bound_on_linux() -> None:
    lab = h1(LINUX)
    lab.apply(changes.LinkDown(IF2))

    assert lab.ip.bindable(A("10.2.0.2")) == 0


@pytest.mark.rule("BIND-1.4.8", "BIND-59")
def test_binding_a_link_local_address_reports_its_true_zone() -> None:
    lab = v6()
    lab.address(IF2, "fe80::c/64")
    lab.address(IF1, "169.254.1.1/16")
    assert lab.ip.bindable(A("fe80::c"), 0) == IF2
    assert lab.ip.bindable(A("fe80::c"), IF2) == IF2
    assert lab.ip.bindable(A("169.254.1.1"), 0) == IF1
    for zone in (IF1, 7):
        with pytest.raises(NetError):
            lab.ip.bindable(A("fe80::c"), zone)


@pytest.mark.rule("BIND-1.4.2")
def test_loopback_addresses_that_may_be_bound() -> None:
    for behaviour in (WINDOWS, LINUX, BSD):
        for address in ("127.0.0.1", "::1"):
            assert h1(behaviour).ip.bindable(A(address)) == 0
    for behaviour in (WINDOWS, LINUX):
        assert h1(behaviour).ip.bindable(A("127.255.0.9")) == 0
    with pytest.raises(NetError) as caught:
        h1(BSD).ip.bindable(A("127.255.0.9"))
    assert caught.value.kind is ErrorKind.NOT_LOCAL


def test_a_service_address_on_loopback_is_reached_from_inside_and_leads_nowhere_else() -> None:
    lab = h1()
    lab.address(LO, "10.0.0.1/24")
    assert lab.where("10.0.0.1", "10.1.0.2") == ("loopback", "10.0.0.1", "10.1.0.2")
    assert error_of(lab, "10.0.0.7", "10.0.0.1") is ErrorKind.NO_ROUTE
    assert lab.where("10.0.0.7")[0] == "if1"


def test_what_is_local_where() -> None:
    lab = h1()
    lab.address(LO, "10.0.0.1/32")
    assert lab.ip.is_local(A("10.1.0.2"))
    assert lab.ip.is_local(A("10.1.0.2"), IF1)
    assert not lab.ip.is_local(A("10.1.0.2"), IF2)
    assert not lab.ip.is_local(A("10.1.0.255"))
    assert lab.ip.is_local(A("10.0.0.1"), LO)


def test_why_a_path_carries_less_than_its_interface_is_told() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64")
    lab.apply(changes.RouteAdded(A("10.9.0.0"), 16, IF1, A("10.1.0.1"), mtu=1400))
    lab.ip.interfaces[IF1].advertised_mtu = 1300
    lab.ip.tables.path_mtus[A("10.9.0.7"), 0] = 1200
    lab.ip.forget_paths()

    told = {}
    for destination in ("10.1.0.9", "10.9.0.5", "10.9.0.7", "2001:db8:1::9"):
        why = Decision(destination)
        lab.path(destination, why=why)
        told[destination] = [(part.answer, part.rule) for part in why.parts if part.question == "MTU"]
    assert told == {
        "10.1.0.9": [],
        "10.9.0.5": [("1400 instead of 1500", "the route has it")],
        "10.9.0.7": [("1200 instead of 1500", "a packet was too big on the way")],
        "2001:db8:1::9": [("1300 instead of 1500", "a router advertised it")],
    }
