"""An interface that finds out everything by itself, while people, routers, servers and other hosts interfere."""

from __future__ import annotations

from contextlib import suppress

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6

from tests.unit.net.dhcp_server import OFFERED, DhcpLab, DhcpServer
from tests.unit.net.lab import IF1, OTHER_MAC, A, arp
from tests.unit.net.router_frames import ALL_NODES_MAC, FOREVER, advertise, prefix, route
from wsknet.config import AutoConfig, InterfaceConfig
from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.net.autoconf.link_local_ipv4 import candidate
from wsknet.net.changes import AddressOrigin, RouteOrigin
from wsknet.net.interface import AddressState
from wsknet.text import format_address
from wsknet.trace import Decision

MAC = bytes((2, 0, 0, 0, 0, IF1))
FIXED = [A(OFFERED), A("10.1.0.2"), candidate(MAC, 0), A("fe80::ff:fe00:2"), A("2001:db8:1::ff:fe00:2"), A("fe80::77")]
FAR = [A("2600::1"), A("198.51.100.1"), A("ff02::5"), *FIXED]

flags = st.booleans()
settings = st.builds(AutoConfig, flags, flags, flags, flags, flags, flags, st.sampled_from([None, True, False]))
seconds = st.sampled_from([0, 1, 60, 1800, 7201, FOREVER - 1, FOREVER])


class Interface(RuleBasedStateMachine):
    @initialize(auto=settings, answers=flags)
    def begin(self, auto: AutoConfig, answers: bool) -> None:
        self.server = DhcpServer(lease=600)
        self.server.is_silent = not answers
        self.lab = DhcpLab(hosts=(self.server,))
        self.add(auto)

    @property
    def is_there(self) -> bool:
        return IF1 in self.lab.ip.interfaces

    @property
    def is_up(self) -> bool:
        return self.is_there and self.lab.ip.interfaces[IF1].is_up

    def an_address(self, number: int) -> bytes:
        """One of those there are, or of those there may be."""
        here = self.lab.ip.interfaces[IF1]
        known = [*here.addresses, *here.unassigned, *FIXED]
        return known[number % len(known)]

    @precondition(lambda self: not self.is_there)
    @rule(auto=settings)
    def add(self, auto: AutoConfig) -> None:
        self.lab.apply(changes.InterfaceAdded(IF1, InterfaceConfig("if1", MAC, auto=auto)))

    @precondition(lambda self: self.is_there)
    @rule()
    def remove(self) -> None:
        self.lab.apply(changes.InterfaceRemoved(IF1))
        self.lab.pass_time(60)  # what is not of the interface is over
        assert self.lab.timers.next_deadline() is None
        assert {each.if_index for each in self.lab.ip.routes} == {1}

    @precondition(lambda self: self.is_there)
    @rule()
    def flip_the_link(self) -> None:
        self.lab.apply(changes.LinkDown(IF1) if self.is_up else changes.LinkUp(IF1))

    @precondition(lambda self: self.is_there)
    @rule(auto=settings, forwarding=st.sampled_from([None, None, True, False]))
    def change(self, auto: AutoConfig, forwarding: bool | None) -> None:
        self.lab.apply(changes.InterfaceChanged(IF1, auto=auto, forwarding=forwarding))

    @rule(is_enabled=flags)
    def change_the_machine(self, is_enabled: bool) -> None:
        self.lab.apply(changes.AutoconfigurationChanged(is_enabled))

    @precondition(lambda self: self.is_there)
    @rule(number=st.integers(0, 30))
    def give_an_address(self, number: int) -> None:
        address = self.an_address(number)
        self.lab.apply(changes.AddressAdded(IF1, address, 24 if len(address) == 4 else 64))

    @precondition(lambda self: self.is_there)
    @rule(number=st.integers(0, 30))
    def take_an_address_away(self, number: int) -> None:
        with suppress(ValueError):
            self.lab.apply(changes.AddressRemoved(IF1, self.an_address(number)))

    @precondition(lambda self: self.is_up)
    @rule(lifetime=st.sampled_from([0, 1, 1800, 65535]), valid=seconds, preferred=seconds, for_route=seconds, L=flags)
    def hear_a_router(self, lifetime: int, valid: int, preferred: int, for_route: int, L: bool) -> None:
        options = [prefix("2001:db8:1::", valid=valid, preferred=preferred, L=L), route("2001:db8:7::", 48, for_route)]
        advertise(self.lab, *options, lifetime=lifetime)
        self.lab.settle()

    @precondition(lambda self: self.is_up)
    @rule(number=st.integers(0, 30), is_probe=flags)
    def meet_another_with_the_address(self, number: int, is_probe: bool) -> None:
        text = format_address(self.an_address(number))
        if ":" in text:
            message = ICMPv6ND_NA(tgt=text, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=OTHER_MAC)
            self.lab.arrive(IF1, IPv6(src=text, dst="ff02::1", hlim=255) / message, ALL_NODES_MAC, OTHER_MAC)
        else:
            self.lab.receive(IF1, arp("who-has", "0.0.0.0" if is_probe else text, text, sender_mac=OTHER_MAC))
        self.lab.settle()

    @rule(how_long=st.sampled_from([0, 0.5, 1, 3, 8, 60, 700, 7300]))
    def wait(self, how_long: float) -> None:
        self.lab.pass_time(how_long)

    @rule(is_silent=flags)
    def the_server(self, is_silent: bool) -> None:
        self.server.is_silent = is_silent

    @rule(zone=st.sampled_from([0, IF1]))
    def ask_why(self, zone: int) -> None:
        for address in FAR:
            with suppress(NetError):
                self.lab.ip.path(address, None, zone, Decision("path"))
            with suppress(NetError):
                self.lab.ip.bindable(address, zone, Decision("bind"))

    @invariant()
    def every_address_has_a_reason(self) -> None:
        if not self.is_there:
            return
        ip, here = self.lab.ip, self.lab.ip.interfaces[IF1]
        assert not here.addresses.keys() & here.unassigned.keys()
        is_following = here.is_up and here.auto.router_discovery and not here.forwarding
        lease = ip.dhcp.lease(IF1)
        for entry in [*here.addresses.values(), *here.unassigned.values()]:
            if entry.state is AddressState.DUPLICATE:
                continue
            assert entry.origin is not AddressOrigin.ROUTER or is_following
            assert entry.origin is not AddressOrigin.DHCP or (lease is not None and lease.address == entry.address)
        assert len(here.addresses) + len(here.unassigned) <= 16 + 16 + len(FIXED)
        origins = {each.origin for each in ip.routes}
        assert RouteOrigin.ROUTER not in origins or is_following
        assert RouteOrigin.DHCP not in origins or lease is not None

    @invariant()
    def nothing_is_checked_for_ever(self) -> None:
        """With no other host about every check comes to an end; so does what the DHCP client does with a lease."""
        if not self.is_up:
            return
        states = {entry.state for entry in self.lab.ip.interfaces[IF1].unassigned.values()}
        if AddressState.TENTATIVE in states:
            assert self.lab.timers.next_deadline() is not None


TestInterface = Interface.TestCase
TestInterface.settings = hypothesis.settings(max_examples=30)


class ManyMore(Interface):
    """The same for long runs."""


TestManyMore = pytest.mark.long(ManyMore.TestCase)
TestManyMore.settings = hypothesis.settings(max_examples=1000)
