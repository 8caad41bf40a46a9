"""What a capture tells of TCP on each interface."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from scapy.utils import RawPcapNgReader

_ETHERNET = 14
_TCP = 6


class Sent(NamedTuple):
    interface: str
    port: int
    """The lower one of the two."""


def tcp_payload(capture: Path) -> Counter[Sent]:
    """Bytes behind the headers of all IPv4 segments, of those sent again, too."""
    found: Counter[Sent] = Counter()
    with RawPcapNgReader(str(capture)) as reader:
        for frame, about in reader:
            if frame[12:14] != b"\x08\x00" or frame[_ETHERNET + 9] != _TCP:
                continue
            start = _ETHERNET + 4 * (frame[_ETHERNET] & 15)
            end = _ETHERNET + int.from_bytes(frame[_ETHERNET + 2 : _ETHERNET + 4], "big")
            ports = (int.from_bytes(frame[at : at + 2], "big") for at in (start, start + 2))
            payload = end - start - 4 * (frame[start + 12] >> 4)
            if payload:
                found[Sent(about.ifname.decode(), min(ports))] += payload
    return found
