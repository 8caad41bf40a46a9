"""A user-mode TCP/UDP stack with the binding and routing rules of Windows, that can say why it decided what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsknet.host import Host, HostInterface, Network, current_host

__all__ = ["Host", "HostInterface", "Network", "current_host"]


def __getattr__(name: str) -> Any:
    """Loaded on first use: importing `wsknet.wire` or the core must not bring Scapy in."""
    if name in __all__:
        from wsknet import host

        return getattr(host, name)
    raise AttributeError(f"module 'wsknet' has no attribute {name!r}")
