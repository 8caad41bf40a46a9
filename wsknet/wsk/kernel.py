"""What the emulated kernel keeps for one host: its pool, and switches with which a test makes things go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.host import current_host

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = ["Kernel", "current_kernel", "kernel_of", "set_provider_ready"]


class Allocation:
    """One block of pool."""

    __slots__ = ("Tag", "memory")

    def __init__(self, memory: bytearray, Tag: int) -> None:
        self.memory = memory
        self.Tag = Tag


class Kernel:
    """Made with the first call that needs it; `kernel_of(host)` finds it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.pool: dict[int, Allocation] = {}
        """The ledger: every block not yet freed, by the identity of its memory."""
        self.allocation_fails: Callable[[str], bool] | None = None
        """Asked with the function's name by everything that allocates and may return NULL; True makes it fail."""
        self.debug_print: Callable[[str], None] | None = None
        """Where DbgPrint goes; nowhere by default."""
        self.provider_is_ready = True
        """False: the WSK subsystem has not started, see `set_provider_ready`."""

    def refuses(self, function: str) -> bool:
        fails = self.allocation_fails
        return fails is not None and fails(function)


def kernel_of(host: Host) -> Kernel:
    kernel: Kernel | None = host.faces.get(Kernel)
    if kernel is None:
        kernel = host.faces.setdefault(Kernel, Kernel(host))
    return kernel


def current_kernel() -> Kernel:
    return kernel_of(current_host())


def set_provider_ready(host: Host, is_ready: bool) -> None:
    """Let WskCaptureProviderNPI succeed or wait on `host`, as around the start of the subsystem."""
    kernel_of(host).provider_is_ready = is_ready
    host.driver.wakeup()
