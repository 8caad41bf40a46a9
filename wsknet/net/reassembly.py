"""Fragments to packets: RFC 791 3.2, RFC 815, RFC 1858, RFC 5722, RFC 6946, RFC 8200 4.5, RFC 8900."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer


class Reassembly:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
