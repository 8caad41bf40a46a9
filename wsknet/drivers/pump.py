"""The one place where a core is entered and drained.

After any call into a stack somebody must send its frames, deliver its events and re-arm its timer.  `with pump as now`
does all three, for a frame from a device, an expired deadline and an application's call alike; no face can forget it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from wsknet.drivers.completions import Completions
from wsknet.types import IfIndex, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import Device
    from wsknet.drivers.base import Driver
    from wsknet.stack import Stack


class Pump:
    """Joins one stack with its devices and its driver.

    ``with pump as now:`` holds the driver lock and gives the time to pass on; on the way out frames, events and the
    deadline are settled, the lock is released and completions run.  Not reentrant: user code runs outside.
    """

    def __init__(self, stack: Stack, driver: Driver, surroundings: Callable[[], AbstractContextManager[Any]]) -> None:
        self.stack = stack
        self.driver = driver
        self.completions = Completions(surroundings)
        self._devices: dict[IfIndex, Device] = {}
        # Entered three times in a round trip of one byte: the look-ups below would be a twentieth of its cost.
        self._lock = driver.lock.__enter__
        self._unlock = driver.lock.__exit__
        self._clock = driver.now

    def attach(self, if_index: IfIndex, device: Device) -> None:
        """Let interface `if_index` send and receive through `device`.  Lock not held."""
        self._devices[if_index] = device
        receive = self.stack.receive

        def receiver(frame: bytes, now: Instant) -> None:
            receive(if_index, frame, now)

        device.attach(receiver, self)

    def detach(self, if_index: IfIndex) -> None:
        self._devices.pop(if_index, None)

    def __enter__(self) -> Instant:
        self._lock()
        return self._clock()

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.settle(self._clock())  # not the time of entry: captures tell how long an answer took
        finally:
            self._unlock(None, None, None)
        self.completions.drain()

    def settle(self, now: Instant) -> None:
        """Send, deliver, re-arm.  Lock held; owners may call endpoints, so it goes on until nothing is left."""
        stack = self.stack
        while True:
            event = stack.next_event()
            while event is not None:
                owner = event.endpoint.owner
                if owner is not None:
                    owner.on_ready(event.readiness, now)
                event = stack.next_event()
            if not stack.ip.deliver_looped(now):
                break
        devices = self._devices
        for if_index, frame, comment in stack.take_frames():
            device = devices.get(if_index)
            if device is not None:
                device.transmit(frame, now, comment)
        self.driver.rearm(self, stack.next_deadline())

    def fire(self) -> None:
        """The deadline given to `Driver.rearm` has come.  Lock not held."""
        with self as now:
            self.stack.poll(now)
