"""Switches with which the author of a driver finds out what it takes for granted, one set for each host.

    faults = faults_of(host)
    faults.complete(Completing.PENDING, delay=5 * MILLISECOND)
    faults.fail_allocation("IoAllocateIrp", nth=3)

Nothing here breaks a rule: all of it may happen on Windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.drivers.disturbance import Completing, Disturbance
from wsknet.wsk.kernel import kernel_of, set_provider_ready
from wsknet.wsk.nmr import detach_provider
from wsknet.wsk.sockets.base import Socket
from wsknet.wsk.sockets.states import FORCED_CLOSED

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.types import Duration
    from wsknet.wsk.structures import WSK_SOCKET

__all__ = ["Completing", "Faults", "faults_of"]


class Faults:
    """Made with the first call that needs it; `faults_of(host)` finds it.

    For the main program, not for a completion.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self._countdowns: dict[str, int] = {}
        """Calls until one fails, by function; "" counts those of all."""

    def complete(
        self, completing: Completing = Completing.AS_READY, *, delay: Duration = 0, is_on_thread: bool = False
    ) -> None:
        """Let completions and callbacks come so from now on.

        What does not come inline comes `delay` nanoseconds later, with `is_on_thread` in a thread that is made for it.
        Without arguments everything comes as usual.
        """
        is_usual = completing is Completing.AS_READY and not delay and not is_on_thread
        completions = self.host.pump.completions
        disturbance = Disturbance(completions, self.host.driver, completing, delay, is_on_thread)
        completions.disturb(None if is_usual else disturbance)

    def fail_allocation(self, function: str = "", nth: int = 1) -> None:
        """Let the `nth` allocation from now fail, of those by `function` (such as IoAllocateIrp) or of all; once."""
        self._countdowns[function] = nth
        kernel_of(self.host).allocation_fails = self._fails

    def _fails(self, function: str) -> bool:
        fails = False
        for counted in (function, ""):
            if counted in self._countdowns:
                self._countdowns[counted] -= 1
                if not self._countdowns[counted]:
                    del self._countdowns[counted]
                    fails = True
        return fails

    def kill(self, socket: WSK_SOCKET) -> None:
        """Let `socket` be dead under its owner: STATUS_FILE_FORCED_CLOSED everywhere, NULL in callbacks (D-23)."""
        assert isinstance(socket, Socket)
        with self.host.pump as now:
            if not socket.is_closing and socket.state != FORCED_CLOSED:
                socket.force_close(now)

    def detach_provider(self) -> None:
        """Let the WSK subsystem go away, as when its driver is stopped."""
        detach_provider(self.host)

    def attach_provider(self) -> None:
        """Let it come again."""
        set_provider_ready(self.host, True)


def faults_of(host: Host) -> Faults:
    faults: Faults | None = host.faces.get(Faults)
    if faults is None:
        faults = host.faces.setdefault(Faults, Faults(host))
    return faults
