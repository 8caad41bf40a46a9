"""IPv6 flow labels of packets that we send.  Read RFC 6437 3 and appendix A before editing."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

from wsknet.types import Address

if TYPE_CHECKING:
    from random import Random

MAX_FLOWS = 4096
"""Labels kept so that they need not be made for every datagram; like `net.layer.MAX_PATHS`, for the same reason."""

_MASK = 0xFFFFF
"""20 bits (RFC 8200 3)."""

Flow: TypeAlias = tuple[Address, int, Address, int]
"""Source address and port, destination address and port; 0 for the ports of a protocol without any."""


class FlowLabels(dict[Flow, int]):
    """Labels of one protocol's flows, made when first asked for: `labels[flow]`.

    A keyed hash of the 5-tuple: the same for the whole of a flow, evenly spread (RFC 6437 2), not to be guessed from
    outside (6.1) and never 0, which means none (3).  0 over IPv4, and where labels are off.
    """

    def __init__(self, protocol: int, rng: Random, is_enabled: bool) -> None:
        super().__init__()
        self._protocol = protocol
        self._rng = rng
        self._is_enabled = is_enabled

    def __missing__(self, flow: Flow) -> int:
        source, source_port, destination, destination_port = flow
        if len(source) == 4 or not self._is_enabled:
            return 0
        names = b"%b%b%d,%d,%d" % (source, destination, source_port, destination_port, self._protocol)
        digest = blake2b(names, digest_size=4, key=self._secret).digest()
        if len(self) >= MAX_FLOWS:
            del self[next(iter(self))]
        label = self[flow] = int.from_bytes(digest, "big") & _MASK or 1
        return label

    @cached_property
    def _secret(self) -> bytes:
        """Drawn when first needed: a host without IPv6 behaves the same whether labels are on or off."""
        return self._rng.randbytes(16)
