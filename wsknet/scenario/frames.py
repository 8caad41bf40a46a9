"""Frames that a scenario puts on a link by hand: ``udp 127.0.0.1:1 > 10.1.0.2:53``, ``tcp SYN ...``."""

from __future__ import annotations

import re
from typing import NamedTuple

from wsknet import text
from wsknet.inspect.summary import TCP_FLAGS
from wsknet.scenario.addresses import Named, parse_name
from wsknet.types import Mac

_FORM = re.compile(r"(?:udp|tcp(?: (?P<flags>[A-Z,]+))?) (?P<source>\S+) > (?P<destination>\S+)")


class Described(NamedTuple):
    """What such words say."""

    flags: str | None
    """Letters, as Scapy has them; `None` for UDP."""
    source: Named
    destination: Named


def parse_frame(words: str) -> Described:
    """`ValueError` tells what was expected."""
    found = _FORM.fullmatch(words)
    if found is None:
        raise ValueError(f"{words!r} is no frame: expected one like udp 10.9.0.1:1 > 10.1.0.2:53")
    source, destination = parse_name(found["source"]), parse_name(found["destination"])
    if len(source.address) != len(destination.address):
        raise ValueError(f"{words!r}: both addresses are of one family")
    if words.startswith("udp"):
        return Described(None, source, destination)
    letters = {name: letter for letter, name in TCP_FLAGS}
    names = (found["flags"] or "SYN").split(",")
    unknown = next((name for name in names if name not in letters), None)
    if unknown is not None:
        raise ValueError(f"{words!r}: there is no flag {unknown!r}: choose from {', '.join(letters)}")
    return Described("".join(letters[name] for name in names), source, destination)


def build_frame(words: str, source: Mac, destination: Mac) -> bytes:
    """Every field is given, so nothing of the machine that runs this goes into the frame.  Raises `ValueError`."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether

    flags, sender, receiver = parse_frame(words)
    ends = {"src": text.format_address(sender.address), "dst": text.format_address(receiver.address)}
    ip = IP(**ends, ttl=64, id=1) if len(sender.address) == 4 else IPv6(**ends, hlim=64)
    ports = {"sport": sender.port, "dport": receiver.port}
    above = UDP(**ports) / b"injected" if flags is None else TCP(**ports, flags=flags, seq=1000, window=1024)
    ether = Ether(src=text.format_mac(source), dst=text.format_mac(destination))
    return bytes(ether / ip / above)
