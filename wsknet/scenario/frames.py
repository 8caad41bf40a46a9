"""Frames that a scenario puts on a link by hand: ``udp 127.0.0.1:1 > 10.1.0.2:53``, ``tcp SYN ...``."""

from __future__ import annotations

import re

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from wsknet import text
from wsknet.scenario.addresses import parse_name
from wsknet.scenario.world import Failed
from wsknet.types import Mac

_FORM = re.compile(r"(?P<protocol>udp|tcp)(?: (?P<flags>[A-Z,]+))? (?P<source>\S+) > (?P<destination>\S+)")


def build_frame(words: str, source: Mac, destination: Mac) -> bytes:
    """Every field is given, so nothing of the machine that runs this goes into the frame.  `Failed` if it is none."""
    found = _FORM.fullmatch(words)
    if found is None:
        raise Failed("invalid", f"{words!r} is no frame: expected one like udp 10.9.0.1:1 > 10.1.0.2:53")
    try:
        sender, receiver = parse_name(found["source"]), parse_name(found["destination"])
    except ValueError as error:
        raise Failed("invalid", str(error)) from None
    ends = {"src": text.format_address(sender.address), "dst": text.format_address(receiver.address)}
    ip = IP(**ends, ttl=64, id=1) if len(sender.address) == 4 else IPv6(**ends, hlim=64)
    ports = {"sport": sender.port, "dport": receiver.port}
    if found["protocol"] == "udp":
        above = UDP(**ports) / b"injected"
    else:
        flags = "".join(name[0] for name in (found["flags"] or "SYN").split(","))
        above = TCP(**ports, flags=flags, seq=1000, window=1024)
    ether = Ether(src=text.format_mac(source), dst=text.format_mac(destination))
    return bytes(ether / ip / above)
