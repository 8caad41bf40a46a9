"""A host that checks its addresses, and another on its link that may have the same ones."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP

from tests.unit.net.lab import IF1, PEER_MAC, A, Lab, arp, datagram, mac_of, ping
from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.net.changes import (
    AddressAdded,
    AddressOrigin,
    InterfaceChanged,
)
from wsknet.net.interface import AddressState, Interface, InterfaceAddress
from wsknet.types import SECOND, Address, Instant, Mac

BROADCAST = "ff:ff:ff:ff:ff:ff"
ALL_NODES_MAC = "33:33:00:00:00:01"
MLD_ROUTERS_MAC = "33:33:00:00:00:16"
LONG_ENOUGH = 12


class Owner:
    """Of a claim: remembers how it ended."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        assert address in interface.addresses
        self.heard.append("assigned")

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        assert address not in interface.addresses
        self.heard.append(f"lost to {holder.hex(':')}")


class Host:
    """One that checks what it is given, and the link around it."""

    def __init__(self, is_ipv4: bool, optimistic: bool = False) -> None:
        self.is_ipv4 = is_ipv4
        self.us, self.length = ("10.1.0.2", 24) if is_ipv4 else ("2001:db8::1:2", 64)
        self.peer = "10.1.0.50" if is_ipv4 else "2001:db8::50"
        self.group, self.group_mac = "ff02::1:ff01:2", "33:33:ff:01:00:02"
        self.lab = Lab()
        self.lab.interface(IF1)
        self.lab.route(f"{'10.1.0.0' if is_ipv4 else '2001:db8::'}/{self.length}", IF1)
        self.lab.apply(InterfaceChanged(IF1, auto=AutoConfig(duplicate_detection=True, optimistic=optimistic)))

    def configure(self) -> None:
        self.lab.address(IF1, f"{self.us}/{self.length}")

    def claim(self, owner: Owner | None = None, is_deprecated: bool = False) -> Owner:
        owner = owner or Owner()
        origin = AddressOrigin.DHCP if self.is_ipv4 else AddressOrigin.ROUTER
        change = AddressAdded(IF1, A(self.us), self.length, is_deprecated=is_deprecated, origin=origin)
        self.lab.ip.duplicates.claim(change, owner, self.lab.now)
        return owner

    def take(self) -> list[Any]:
        """What was sent since the last time, but for membership reports."""
        return [frame for _, frame in self.lab.take() if frame.dst != MLD_ROUTERS_MAC]

    def take_one(self) -> Any:
        [frame] = self.take()
        return frame

    def step_until_sent(self) -> float:
        """Let time pass until something other than a membership report leaves; how many seconds that took."""
        began = self.lab.now
        while all(buffers[0][:6].hex(":") == MLD_ROUTERS_MAC for _, buffers, _ in self.lab.ip.frames):
            deadline = self.lab.timers.next_deadline()
            assert deadline is not None
            self.lab.pass_time((deadline - self.lab.now) / SECOND)
        return (self.lab.now - began) / SECOND

    @property
    def interface(self) -> Interface:
        return self.lab.ip.interfaces[IF1]

    @property
    def entry(self) -> InterfaceAddress | None:
        return self.interface.find(A(self.us))

    @property
    def state(self) -> AddressState | None:
        return self.entry.state if self.entry is not None else None

    def use(self, mac: str = PEER_MAC) -> None:
        """Another host acts as if the address were its own."""
        if self.is_ipv4:
            self.lab.receive(IF1, arp("who-has", self.us, "10.1.0.77", sender_mac=mac))
        else:
            message = ICMPv6ND_NA(tgt=self.us, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac)
            packet = IPv6(src=self.us, dst="ff02::1", hlim=255) / message
            self.lab.arrive(IF1, packet, mac=ALL_NODES_MAC, peer=mac)

    def probe(self, mac: str = PEER_MAC) -> None:
        """Another host wishes for the address."""
        if self.is_ipv4:
            self.lab.receive(IF1, arp("who-has", "0.0.0.0", self.us, sender_mac=mac))
        else:
            packet = IPv6(src="::", dst=self.group, hlim=255) / ICMPv6ND_NS(tgt=self.us)
            self.lab.arrive(IF1, packet, mac=self.group_mac, peer=mac)

    def ask(self) -> None:
        """A neighbour wants our MAC."""
        if self.is_ipv4:
            self.lab.receive(IF1, arp("who-has", self.peer, self.us))
        else:
            message = ICMPv6ND_NS(tgt=self.us) / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC)
            self.lab.arrive(IF1, IPv6(src=self.peer, dst=self.group, hlim=255) / message, mac=self.group_mac)

    def ping(self) -> None:
        if self.is_ipv4:
            self.lab.arrive(IF1, ping(self.peer, self.us))
        else:
            self.lab.arrive(IF1, IPv6(src=self.peer, dst=self.us) / ICMPv6EchoRequest(id=1, seq=1))

    def sent_probes(self) -> int:
        """Since the last time, and nothing else was sent."""
        frames = self.take()
        for frame in frames:
            self.check_probe(frame)
        return len(frames)

    def check_probe(self, frame: Any) -> None:
        if self.is_ipv4:
            assert (frame.dst, frame.src) == (BROADCAST, mac_of(IF1))
            assert (frame[ARP].op, frame[ARP].hwsrc, frame[ARP].psrc) == (1, mac_of(IF1), "0.0.0.0")
            assert (frame[ARP].hwdst, frame[ARP].pdst) == ("00:00:00:00:00:00", self.us)
        else:
            assert (frame.dst, frame.src) == (self.group_mac, mac_of(IF1))
            assert (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim) == ("::", self.group, 255)
            assert frame[ICMPv6ND_NS].tgt == self.us
            assert not frame.haslayer(ICMPv6NDOptSrcLLAddr)

    def pass_time_until_probing(self) -> None:
        """At least one probe has been sent, and the address is not ours yet."""
        self.lab.pass_time(1)
        assert self.state is AddressState.TENTATIVE
        assert self.sent_probes() == 1

    def objection_to_bind(self) -> str:
        with pytest.raises(NetError) as caught:
            self.lab.ip.bindable(A(self.us))
        assert caught.value.kind is ErrorKind.NOT_LOCAL
        return caught.value.detail

    def assert_not_used(self) -> None:
        """Neither answered for nor chosen nor bound, whatever is asked."""
        self.take()
        self.ask()
        self.ping()
        self.lab.arrive(IF1, datagram(self.peer, self.us))
        assert self.take() == []
        assert self.lab.udp.packets == []
        with pytest.raises(NetError):
            self.lab.path(self.peer)
        with pytest.raises(NetError):
            self.lab.path(self.peer, source=self.us)
        assert not self.lab.ip.is_local(A(self.us))
        self.objection_to_bind()
