"""What the emulated kernel keeps for one host: its pool, its verifier, and switches that make things fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.host import current_host
from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck
from wsknet.wsk.verifier import Verifier

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.wsk.client import Client

__all__ = [
    "Kernel", "current_kernel", "kernel_of", "require_nothing_left", "set_provider_ready", "verify",
    "verify_new_hosts",
]  # fmt: skip


class Allocation:
    """One block of pool."""

    __slots__ = ("Tag", "memory", "place")

    def __init__(self, memory: bytearray, Tag: int, place: str = "") -> None:
        self.memory = memory
        self.Tag = Tag
        self.place = place


class _NewHosts:
    """What hosts begin with."""

    is_verified = False
    is_strict = False


class Kernel:
    """Made with the first call that needs it; `kernel_of(host)` finds it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.verifier = Verifier(_NewHosts.is_strict) if _NewHosts.is_verified else None
        """None: misuse is answered by a status and changes nothing.  See `verify`."""
        self.pool: dict[int, Allocation] = {}
        """The ledger: every block not yet freed, by the identity of its memory."""
        self.allocation_fails: Callable[[str], bool] | None = None
        """Asked with the function's name by everything that allocates and may return NULL; True makes it fail."""
        self.debug_print: Callable[[str], None] | None = None
        """Where DbgPrint goes; nowhere by default."""
        self.provider_is_ready = True
        """False: the WSK subsystem has not started, see `set_provider_ready`."""
        self.at_provider_ready: Callable[[], None] | None = None
        """Called with no lock held each time the subsystem has started."""
        self.clients: dict[Client, None] = {}
        """Attached to the subsystem, oldest first."""
        self.left_behind: dict[Client, None] = {}
        """No longer attached, though something of theirs was not given back then."""

    def refuses(self, function: str) -> bool:
        fails = self.allocation_fails
        return fails is not None and fails(function)

    def leaks(self) -> list[str]:
        """What drivers of this host hold, a line for each: as it would be left when they are unloaded."""
        found = []
        for client in self.clients:
            found += client.leaks()
        for client in self.left_behind:
            found += client.leaks_without_it()
        for allocation in self.pool.values():
            found.append(f"{len(allocation.memory)} bytes of pool, tag 0x{allocation.Tag:X}{at(allocation.place)}")
        if self.verifier is not None:
            found += [f"an IRP{at(place)}" for place in self.verifier.irps.values()]
            found += [f"an MDL{at(place)}" for place in self.verifier.mdls.values()]
            found += [f"a work item{at(place)}" for place in self.verifier.work_items.values()]
        return found


def at(place: str) -> str:
    return f" from {place}" if place else ""


def kernel_of(host: Host) -> Kernel:
    kernel: Kernel | None = host.faces.get(Kernel)
    if kernel is None:
        kernel = host.faces.setdefault(Kernel, Kernel(host))
    return kernel


def current_kernel() -> Kernel:
    return kernel_of(current_host())


def verify(host: Host, is_on: bool = True, is_strict: bool = True) -> None:
    """Verify the drivers of `host` from now on, or no more.  Best before they allocate anything."""
    kernel_of(host).verifier = Verifier(is_strict) if is_on else None


def verify_new_hosts(is_on: bool = True, is_strict: bool = False) -> None:
    """Begin so on every host that nothing has been done on yet."""
    _NewHosts.is_verified, _NewHosts.is_strict = is_on, is_strict


def require_nothing_left(host: Host) -> None:
    """BugCheck that names what drivers of `host` have not given back: call it where they would be unloaded."""
    leaks = kernel_of(host).leaks()
    if leaks:
        what = "left at the end: " + "; ".join(leaks)
        raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "D-19", what)


def set_provider_ready(host: Host, is_ready: bool) -> None:
    """Let WskCaptureProviderNPI succeed or wait on `host`, as around the start of the subsystem.

    Who is attached already stays so: see `detach_provider` for a subsystem that goes away.
    """
    kernel = kernel_of(host)
    with host.pump:
        has_come = is_ready and not kernel.provider_is_ready
        kernel.provider_is_ready = is_ready
    host.driver.wakeup()
    if has_come and kernel.at_provider_ready is not None:
        kernel.at_provider_ready()
