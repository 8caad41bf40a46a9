"""Win32 event objects, and waits for them: in a thread that blocks, or as a registered wait that calls back.

`SetEvent` may be called from anywhere, also while a core runs.  A callback runs as all user code does: in the order of
the host's completions, with no lock held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from wsknet.types import MILLISECOND, Instant

if TYPE_CHECKING:
    from wsknet.host import Host

WAIT_OBJECT_0 = 0
WAIT_TIMEOUT = 258
WSA_INFINITE = 0xFFFFFFFF


class WSAEVENT:
    """Manual-reset, not signalled at first, as WSACreateEvent makes them."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.is_set = False
        self._lock = Lock()
        """Of whoever changes `_callbacks`; nothing is called while it is held."""
        self._callbacks: tuple[Callable[[], None], ...] = ()
        """Replaced and never changed, so that whoever goes through it sees one state of it."""

    def SetEvent(self) -> None:
        self.is_set = True
        self.host.driver.wakeup()
        for callback in self._callbacks:
            self.host.pump.completions.post(self._call, callback)

    def ResetEvent(self) -> None:
        self.is_set = False

    def register(self, callback: Callable[[], None]) -> Callable[[], None]:
        """RegisterWaitForSingleObject: call `callback`, which is not registered yet, each time that the event has
        become set, until the returned function is called.  It runs in the next drain of the host's completions, and
        finds the event set."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

        def unregister() -> None:
            with self._lock:
                self._callbacks = tuple(each for each in self._callbacks if each is not callback)

        return unregister

    def _call(self, callback: Callable[[], None]) -> None:
        if self.is_set and callback in self._callbacks:
            callback()


def WSACreateEvent(host: Host) -> WSAEVENT:
    return WSAEVENT(host)


def WSAWaitForMultipleEvents(events: Sequence[WSAEVENT], wait_all: bool, milliseconds: int) -> int:
    """WAIT_OBJECT_0 and the index of the first that is set (with `wait_all`: 0), or WAIT_TIMEOUT.

    Blocks the calling thread through the driver of the host: never from a completion.
    """
    found = [WAIT_TIMEOUT]

    def ready() -> bool:
        at = [index for index, event in enumerate(events) if event.is_set]
        if len(at) < (len(events) if wait_all else 1):
            return False
        found[0] = WAIT_OBJECT_0 + at[0]
        return True

    driver = events[0].host.driver
    deadline = None if milliseconds == WSA_INFINITE else Instant(driver.now() + milliseconds * MILLISECOND)
    driver.block(ready, "WSAWaitForMultipleEvents", deadline)
    return found[0]
