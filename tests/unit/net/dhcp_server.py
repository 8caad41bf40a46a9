"""A link with scripted hosts on it, one of them a DHCP server made with Scapy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.lab import IF1, OTHER_MAC, Lab
from wsknet.config import AutoConfig, DhcpConfig, StackConfig
from wsknet.net import changes
from wsknet.text import format_address
from wsknet.types import SECOND, IfIndex, Instant

SERVER_MAC = "02:00:00:00:00:53"
SERVER = "192.0.2.1"
OFFERED = "192.0.2.100"
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
BROADCAST = "255.255.255.255"

STEADY = DhcpConfig(jitter=0)
"""Repeats at round instants."""

DHCP_ON = AutoConfig(dhcp=True)

CHECKED = 10
"""Seconds in which an exchange and the check of the address are certainly over."""

T1, T2, EXPIRY = 1800, 3150, 3600
"""Of a lease of one hour."""

Host = Callable[[Any], list[Any]]
"""Sees every frame that is sent, answers with frames."""


class Sent(NamedTuple):
    at: float
    """Seconds since the lab began."""
    interface: IfIndex
    frame: Any
    comment: str | None


class DhcpLab(Lab):
    """Frames reach the hosts at the instant they are sent."""

    def __init__(self, dhcp: DhcpConfig = STEADY, autoconfiguration: bool = True, hosts: tuple[Host, ...] = ()) -> None:
        super().__init__(config=StackConfig(dhcp=dhcp, autoconfiguration=autoconfiguration))
        self.start = self.now
        self.hosts = list(hosts)
        self.sent: list[Sent] = []

    @property
    def seconds(self) -> float:
        return (self.now - self.start) / SECOND

    def apply(self, change: changes.Change) -> None:
        super().apply(change)
        self.settle()

    def settle(self) -> None:
        """Until nobody has anything to answer."""
        while self.ip.frames:
            frames, self.ip.frames = self.ip.frames, []
            for index, buffers, comment in frames:
                data = b"".join(buffers)
                self.sent.append(Sent(self.seconds, index, Ether(data), comment))
                for host in self.hosts:
                    for answer in host(Ether(data)):
                        self.ip.receive(index, bytes(answer), self.now)

    def pass_time(self, seconds: float) -> None:
        end = Instant(self.now + round(seconds * SECOND))
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.timers.fire(deadline)
            self.settle()
        self.now = end

    def auto(self, index: IfIndex = IF1, **settings: Any) -> None:
        self.apply(changes.InterfaceChanged(index, auto=AutoConfig(**settings)))

    def addresses(self, index: IfIndex = IF1) -> list[str]:
        return [f"{format_address(entry.address)}/{entry.prefix_length}" for entry in
                self.ip.interfaces[index].addresses.values()]  # fmt: skip

    def messages(self, kind: str | None = None, since: float = 0) -> list[Sent]:
        """DHCP messages sent."""
        return [
            sent
            for sent in self.sent
            if sent.at >= since and DHCP in sent.frame and kind in (None, kind_of(sent.frame))
        ]

    def times(self, kind: str | None = None, since: float = 0) -> list[float]:
        return [sent.at for sent in self.messages(kind, since)]

    def gateways(self, index: IfIndex = IF1) -> list[str]:
        """Next hops of the default routes."""
        return [
            format_address(route.next_hop)
            for route in self.ip.routes
            if route.if_index == index and not route.prefix_length and route.next_hop is not None
        ]


_KINDS = {1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release"}


def kind_of(frame: Any) -> str:
    return _KINDS[options_of(frame)["message-type"]]


def options_of(frame: Any) -> dict[str, Any]:
    """Values of the options; a tuple where there are several."""
    return {
        option[0]: option[1] if len(option) == 2 else option[1:]
        for option in frame[DHCP].options
        if isinstance(option, tuple)
    }


class DhcpServer:
    """Leases one address to anybody.  Attributes may be changed while it serves."""

    def __init__(self, address: str = SERVER, offers: str = OFFERED, lease: int = 3600, mac: str = SERVER_MAC) -> None:
        self.address = address
        self.mac = mac
        self.offers = offers
        self.options: dict[str, Any] = {
            "subnet_mask": "255.255.255.0",
            "router": "192.0.2.254",
            "name_server": ["192.0.2.53", "192.0.2.54"],
            "domain": b"lab.example",
            "lease_time": lease,
        }
        self.is_silent = False
        """The host is there, its server is not."""
        self.acknowledges = True
        """Else it refuses."""
        self.heard: list[Any] = []

    def __call__(self, frame: Any) -> list[Any]:
        if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == self.address:
            return [arp_answer(frame, self.mac)]
        if self.is_silent or DHCP not in frame or frame[UDP].dport != 67:
            return []
        self.heard.append(frame)
        kind, chosen = kind_of(frame), options_of(frame).get("server_id", self.address)
        if kind == "discover":
            return [self.reply("offer", frame)]
        if kind == "request" and chosen == self.address:
            return [self.reply("ack" if self.acknowledges else "nak", frame)]
        return []

    def reply(self, kind: str, question: Any, **fields: Any) -> Any:
        """`fields` are those of BOOTP; `options` replaces all but message type and server identifier."""
        asked: Any = question[BOOTP]
        options = fields.pop("options", {} if kind == "nak" else self.options)
        server = fields.pop("server", self.address)
        header = {"xid": asked.xid, "chaddr": asked.chaddr, "ciaddr": asked.ciaddr, "flags": asked.flags}
        header["yiaddr"] = "0.0.0.0" if kind == "nak" else self.offers
        header.update(fields)
        is_broadcast = (kind == "nak" and asked.ciaddr == "0.0.0.0") or int(header["flags"]) & 0x8000
        destination = BROADCAST if is_broadcast else asked.ciaddr if kind == "nak" else header["yiaddr"]
        listed = [("message-type", kind), ("server_id", server)]
        listed += [(name, *value) if isinstance(value, list) else (name, value) for name, value in options.items()]
        if server is None:
            del listed[1]
        return (
            Ether(dst=BROADCAST_MAC if is_broadcast else question.src, src=self.mac, type=0x0800)
            / IP(src=self.address, dst=destination)
            / UDP(sport=67, dport=68)
            / BOOTP(op=2, siaddr=self.address, **header)
            / DHCP(options=[*listed, "end"])
        )


def arp_answer(question: Any, mac: str) -> Any:
    asked = question[ARP]
    answer = ARP(op=2, hwsrc=mac, psrc=asked.pdst, hwdst=asked.hwsrc, pdst=asked.psrc)
    return Ether(dst=asked.hwsrc, src=mac, type=0x0806) / answer


class Squatter:
    """A host that has some addresses and says so when it is asked."""

    def __init__(self, *addresses: str, mac: str = OTHER_MAC) -> None:
        self.addresses = addresses
        self.mac = mac

    def __call__(self, frame: Any) -> list[Any]:
        if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst in self.addresses:
            return [arp_answer(frame, self.mac)]
        return []


def started(*hosts: Host, dhcp: DhcpConfig = STEADY) -> DhcpLab:
    lab = DhcpLab(dhcp, hosts=hosts)
    lab.interface(IF1, auto=DHCP_ON)
    lab.pass_time(0)
    return lab


def bound(*hosts: Host) -> DhcpLab:
    lab = started(*hosts)
    lab.pass_time(CHECKED)
    assert lab.addresses() == [f"{OFFERED}/24"]
    return lab


def at(lab: DhcpLab, seconds: float) -> None:
    """Let time pass until `seconds` after the beginning."""
    lab.pass_time(seconds - lab.seconds)


def link_was_down(lab: DhcpLab, seconds: float) -> None:
    lab.apply(changes.LinkDown(IF1))
    lab.pass_time(seconds)
    lab.apply(changes.LinkUp(IF1))
    lab.pass_time(0)


def addressing(frame: Any) -> tuple[str, str, str, str, int, int]:
    """MAC addresses, IP addresses and ports, each pair as it stands in its header."""
    return frame.dst, frame.src, frame[IP].src, frame[IP].dst, frame[UDP].sport, frame[UDP].dport
