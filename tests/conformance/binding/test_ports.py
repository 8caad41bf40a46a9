"""Dynamic ranges, excluded ranges, and the page that explains a bind (BIND-1.5, cases 50 and 51)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from itertools import product
from random import Random

import pytest

from tests.conformance.binding.port_tables import (
    KINDS,
    ORDINARY,
    address,
    any_port,
    bind,
    bind_all,
    reserve_all,
    stack,
    table,
)
from wsknet.behaviour import LINUX, WINDOWS, Behaviour, SharingTable
from wsknet.config import PortConfig, PortRange, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.errors import ErrorKind, NetError
from wsknet.stack import Stack
from wsknet.trace import Decision
from wsknet.transport.ports import PortConflictError, PortExcludedError
from wsknet.transport.queries import BindQuery
from wsknet.transport.sharing import Holder, Security, Sharing
from wsknet.types import Cover, Family, LocalName, Proto

LOOPBACK = {Family.IPV4: ip_address("127.0.0.1").packed, Family.IPV6: ip_address("::1").packed}


# Dynamic ranges


@pytest.mark.rule("BIND-1.5.1")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_a_dynamic_range_counts_for_its_protocol_and_family_alone(protocol: Proto, family: Family) -> None:
    of = stack(PortRange(protocol, family, 2000, 2001))
    for kind in KINDS:
        expected = {2000, 2001} if kind == (protocol, family) else set(range(50000, 50004))
        if kind[0] is protocol:
            assert bind_all(of, protocol, any_port(kind[1])) == expected
    other = Proto.UDP if protocol is Proto.TCP else Proto.TCP
    assert bind_all(of, other, any_port(family)) == set(range(50000, 50004))


@pytest.mark.rule("BIND-1.5.1")
@pytest.mark.parametrize(("behaviour", "first", "last"), [(WINDOWS, 49152, 65535), (LINUX, 32768, 60999)])
def test_without_a_range_of_their_own_ports_are_those_of_the_behaviour(
    behaviour: Behaviour, first: int, last: int
) -> None:
    of = Stack(StackConfig(behaviour=behaviour), ScapyCodec(), Random(1))
    assert bind_all(of, Proto.UDP, any_port(Cover.DUAL)) == set(range(first, last + 1))


@pytest.mark.rule("BIND-1.5.1")
def test_a_dual_stack_wildcard_gets_a_port_that_both_families_may_have() -> None:
    ranges = (PortRange(Proto.UDP, Family.IPV4, 2000, 2009), PortRange(Proto.UDP, Family.IPV6, 2005, 2020))
    of = stack(*ranges, excluded=(PortRange(Proto.UDP, Family.IPV4, 2006, 2006),))
    of.udp.ports.exclude(Family.IPV6, 2008, 2008)
    assert bind_all(of, Proto.UDP, any_port(Cover.DUAL)) == {2005, 2007, 2009}
    assert bind_all(of, Proto.UDP, any_port(Cover.IPV6)) == {2006, *range(2010, 2021)}


@pytest.mark.rule("BIND-1.5.1")
def test_ranges_with_nothing_in_common_leave_a_dual_stack_wildcard_without_a_port() -> None:
    of = stack(PortRange(Proto.TCP, Family.IPV4, 2000, 2003), PortRange(Proto.TCP, Family.IPV6, 3000, 3003))
    answer, why = of.explain(BindQuery(Proto.TCP, any_port(Cover.DUAL)))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.NO_PORTS
    assert why.rule == "the dynamic ranges, 2000-2003 of IPv4 and 3000-3003 of IPv6, have no port in common"
    with pytest.raises(NetError) as caught:
        bind(of, Proto.TCP, any_port(Cover.DUAL))
    assert (caught.value.kind, caught.value.detail) == (ErrorKind.NO_PORTS, why.rule)


@pytest.mark.rule("BIND-50", "BIND-1.5.6")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_the_fifth_bind_in_a_range_of_four_ports_finds_none_and_says_why(protocol: Proto, family: Family) -> None:
    of = stack()
    query = BindQuery(protocol, any_port(family))
    assert of.explain(query)[1].rule == "a random free port of the dynamic range 50000-50003; 4 are left"
    assert bind_all(of, protocol, any_port(family)) == set(range(50000, 50004))
    answer, why = of.explain(query)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.NO_PORTS
    assert (why.answer, why.rule) == (
        "no free port",
        "no port of the dynamic range 50000-50003 is free: 4 in use",
    )
    assert bind(of, protocol, any_port(family)._replace(port=50004)) == 50004


def test_a_question_about_port_0_does_not_change_which_port_comes_next() -> None:
    def draw(is_asked: bool) -> list[int]:
        of, ports = stack(PortRange(Proto.TCP, Family.IPV4, 2000, 2999)), []
        for port in (2000, 2500, 2400):
            if is_asked:
                of.explain(BindQuery(Proto.TCP, any_port(Cover.IPV4)))
            bind(of, Proto.TCP, LocalName(Cover.IPV4, None, port))
        for _ in range(20):
            ports.append(bind(of, Proto.TCP, any_port(Cover.IPV4)))
        return ports

    assert draw(True) == draw(False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PortRange(Proto.ICMP, Family.IPV4, 1, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 0, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 3, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 3, 65536),
        lambda: PortConfig(dynamic=(PortRange(Proto.TCP, Family.IPV4, 1, 2), PortRange(Proto.TCP, Family.IPV4, 4, 5))),
    ],
)
def test_ranges_that_cannot_be_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"ports|range"):
        make()


# Excluded ranges


@pytest.mark.rule("BIND-51", "BIND-1.5.5")
@pytest.mark.parametrize("is_persistent", [True, False])
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_a_port_of_an_excluded_range_is_denied_though_nobody_holds_it(
    protocol: Proto, family: Family, is_persistent: bool
) -> None:
    block = PortRange(protocol, family, 5000, 5059)
    of = stack(excluded=(block,) if is_persistent else ())
    if not is_persistent:
        (of.tcp if protocol is Proto.TCP else of.udp).ports.exclude(family, 5000, 5059)
    for where, port in product((None, LOOPBACK[family]), (5000, 5059)):
        name = LocalName(Cover(family.value), where, port)
        with pytest.raises(PortExcludedError) as caught:
            bind(of, protocol, name)
        assert (caught.value.kind, caught.value.excluded) == (ErrorKind.DENIED, block)
        answer, why = of.explain(BindQuery(protocol, name))
        assert answer.error is not None
        assert (answer.error.kind, answer.error.detail) == (ErrorKind.DENIED, caught.value.rule)
        text = f"{protocol.name} over {'IPv4' if family is Family.IPV4 else 'IPv6'}"
        assert why.rule == f"port {port} lies in the excluded range 5000-5059 of {text}"
        assert [candidate.what for candidate in why.candidates][-1] == f"excluded range 5000-5059 of {text}"
    for port in (4999, 5060):
        assert bind(of, protocol, LocalName(Cover(family.value), None, port)) == port


@pytest.mark.rule("BIND-1.5.5")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_an_excluded_range_counts_for_its_protocol_and_family_alone(protocol: Proto, family: Family) -> None:
    of = stack(excluded=(PortRange(protocol, family, 5000, 5000),))
    for kind in KINDS:
        if kind != (protocol, family):
            assert bind(of, kind[0], LocalName(Cover(kind[1].value), None, 5000)) == 5000


@pytest.mark.rule("BIND-1.5.5")
@pytest.mark.parametrize("family", Family)
def test_a_dual_stack_wildcard_is_denied_a_port_excluded_in_either_family(family: Family) -> None:
    with pytest.raises(PortExcludedError):
        bind(stack(excluded=(PortRange(Proto.UDP, family, 5000, 5000),)), Proto.UDP, LocalName(Cover.DUAL, None, 5000))


@pytest.mark.rule("BIND-1.5.5", "BIND-51")
def test_what_is_wrong_first_is_the_exclusion_and_then_the_holder() -> None:
    ports = table()
    holder = ports.reserve(LocalName(Cover.IPV4, None, 5000))
    block = ports.exclude(Family.IPV4, 5000, 5009)
    wanted = Holder(holder.name, Sharing.DEFAULT, Security())
    with pytest.raises(PortExcludedError):
        ports.check(wanted)
    assert ports.is_held(address(1), 5000)
    ports.include(block)
    with pytest.raises(PortConflictError) as caught:
        ports.check(wanted)
    assert caught.value.holder is holder


@pytest.mark.rule("BIND-1.5.5")
def test_dynamic_ports_pass_excluded_ranges_by_and_come_back_with_them() -> None:
    ports = table(excluded=(PortRange(Proto.UDP, Family.IPV4, 50000, 50001),))
    taken = ports.reserve(any_port(Cover.IPV4))
    block = ports.exclude(Family.IPV4, 50002, 50002)
    given = reserve_all(ports, any_port(Cover.IPV4), ORDINARY) | {taken.name.port}
    assert given <= {50002, 50003}
    assert 50003 in given
    [persistent, runtime] = ports.excluded
    assert runtime == block
    ports.include(block)
    ports.include(persistent)
    assert given | reserve_all(ports, any_port(Cover.IPV4), ORDINARY) == set(range(50000, 50004))
    with pytest.raises(ValueError, match="not excluded"):
        ports.include(block)


@pytest.mark.rule("BIND-1.5.5")
def test_a_range_excluded_twice_is_free_when_both_exclusions_are_gone() -> None:
    ports, name = table(), LocalName(Cover.IPV4, None, 5000)
    first, second = (ports.exclude(Family.IPV4, 5000, 5009) for _ in range(2))
    ports.include(first)
    with pytest.raises(PortExcludedError):
        ports.reserve(name)
    ports.include(second)
    assert ports.reserve(name).name == name


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        (50002, "no port of the dynamic range 50000-50003 is free: 1 in use, 3 excluded"),
        (50003, "every port of the dynamic range 50000-50003 is excluded"),
    ],
)
def test_exhaustion_tells_how_many_ports_are_excluded(last: int, rule: str) -> None:
    ports, why = table(excluded=(PortRange(Proto.UDP, Family.IPV4, 50000, last),)), Decision("bind")
    reserve_all(ports, any_port(Cover.IPV4), ORDINARY)
    with pytest.raises(NetError):
        ports.reserve(any_port(Cover.IPV4), why=why)
    assert (why.answer, why.rule) == ("no free port", rule)


# Explanations


@pytest.mark.parametrize(
    ("sharing", "source"),
    [
        (SharingTable.WSK, "Sharing Transport Addresses"),
        (SharingTable.WINSOCK_2003, "2003 and later"),
        (SharingTable.XP, "XP and earlier"),
        (SharingTable.LINUX, "socket(7)"),
    ],
)
@pytest.mark.parametrize("is_taken", [False, True])
def test_a_bind_is_explained_by_the_page_that_has_its_table(sharing: SharingTable, source: str, is_taken: bool) -> None:
    ports, why = table(behaviour=replace(WINDOWS, sharing=sharing)), Decision("bind")
    holder = ports.reserve(LocalName(Cover.IPV4, None, 5000))
    if not is_taken:
        ports.release(holder)
        ports.check(holder.holder, why)
    else:
        with pytest.raises(PortConflictError):
            ports.check(holder.holder, why)
    assert source in why.reference
