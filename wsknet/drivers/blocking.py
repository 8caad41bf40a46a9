"""The machine's own time: one loop for all devices, one lock around every core, threads that really wait."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from threading import Lock, Thread, current_thread, get_ident, main_thread
from types import TracebackType
from typing import TYPE_CHECKING, cast

from wsknet.drivers.base import ThreadEnd
from wsknet.drivers.waits import Waits
from wsknet.timers import Timer, Timers
from wsknet.types import MILLISECOND, SECOND, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import PollableDevice
    from wsknet.drivers.pump import Pump

NEVER = Instant(1 << 62)
PRECISE = 2 * MILLISECOND
"""epoll counts milliseconds: a longer sleep ends up to two early, and the rest goes through select, which counts
microseconds and costs a system call more."""

LONGEST = 86400 * SECOND
"""epoll refuses more than 2^31 milliseconds, 24.8 days: less than a lease or an advertised prefix may last."""

FD_SETSIZE = 1024
"""select takes no descriptor from here on."""

CATCH_UP = 16
"""Batches read before a deadline fires.  A TAP holds 500 frames, and gives 64 in a batch."""

JOIN_SECONDS = 5.0
"""How long `close` lets a thread take to unwind before it names it in an error."""


class RealDriver:
    """The `Driver` of real time.  Needs Linux (epoll, eventfd).

    The loop runs in a thread of its own (`start`) or in the caller's (`run`).  It sleeps without the lock, so calls
    from other threads never wait for it, and wakes for frames and deadlines only.  An exception in a callback or in a
    thread of `spawn` stops the driver and surfaces in `run`, `block` or `close`.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.now = cast("Callable[[], Instant]", time.monotonic_ns)
        self.epoch = time.time_ns() - time.monotonic_ns()
        self._poller = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poller.register(self._bell, select.EPOLLIN)
        self._devices: dict[int, tuple[Pump, PollableDevice]] = {}
        self._deadlines: dict[Pump, Instant] = {}
        self._calls = Timers()
        self._calls_mutex = Lock()
        self._wake_at = NEVER
        """No deadline is earlier; written with the calls mutex held."""
        self._is_asleep = False
        self._waits = Waits()
        self._threads: list[Thread] = []
        self._loop_claim = Lock()
        self._loop_ident = 0
        self._loop_thread: Thread | None = None
        self._until: Callable[[], bool] | None = None
        self._is_stopping = False
        self._is_closed = False
        self._failure: BaseException | None = None
        self._has_surfaced = False

    # The loop

    def start(self) -> None:
        """Run the loop in a daemon thread until `stop` or `close`."""
        self._check()
        self._claim_loop()
        self._loop_thread = Thread(target=self._background, name="wsknet driver", daemon=True)
        self._loop_thread.start()

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Run the loop in this thread until `until()`, which is asked after every turn and `wakeup`, or `stop`."""
        self._check()
        self._claim_loop()
        try:
            self._loop(until)
        except ThreadEnd:
            pass  # closed by another thread, while a callback wanted something of the driver
        except BaseException as error:
            self._fail(error)
            self._has_surfaced = True
            raise
        if self._failure is not None:
            self._check()

    def stop(self) -> None:
        """Ask the loop to end and return at once.  Callable from callbacks and signal handlers.

        Before `run` it makes `run` return at once.
        """
        if not self._is_closed:
            self._is_stopping = True
            self._ring()

    def close(self) -> None:
        """Stop the loop and end the threads of `spawn`.  Raises what has not surfaced yet.  Not from a callback.

        Devices stay open: they belong to whoever made them.
        """
        if self._is_closed:
            return
        if get_ident() == self._loop_ident:
            raise RuntimeError("the driver cannot be closed from its own loop: call stop() there")
        self.stop()
        self._is_closed = True
        self._waits.interrupt()
        stuck = self._join(self._loop_thread, *self._threads)
        with self.lock, self._calls_mutex:
            self._poller.close()
            os.close(self._bell)
        if self._failure is not None and not self._has_surfaced:
            self._has_surfaced = True
            raise self._failure
        if stuck:
            raise RuntimeError(f"threads that do not end: {', '.join(stuck)}")

    def __enter__(self) -> RealDriver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What hosts and faces ask for

    def add_device(self, pump: Pump, device: PollableDevice) -> None:
        """Let the loop read `device`, entering `pump` around each batch of frames."""
        with self.lock:
            self._devices[device.fileno()] = (pump, device)
            self._poller.register(device.fileno(), select.EPOLLIN)

    def remove_device(self, device: PollableDevice) -> None:
        """Read `device` no more.  Call it before the device is closed."""
        with self.lock:
            for fd, (_, known) in list(self._devices.items()):
                if known is device:
                    del self._devices[fd]
                    self._poller.unregister(fd)

    def rearm(self, pump: Pump, deadline: Instant | None) -> None:
        if deadline is None:
            deadline = NEVER
        self._deadlines[pump] = deadline
        if deadline < self._wake_at:
            with self._calls_mutex:
                self._wake_by(deadline)

    def call_at(self, at: Instant, run: Callable[[], object]) -> Callable[[], None]:
        with self._calls_mutex:
            timer = Timer(self._calls, lambda now: run())
            timer.arm(at)
            self._wake_by(at)
        return timer.cancel

    def spawn(self, run: Callable[[], object], name: str) -> None:
        self._check()

        def life() -> None:
            try:
                run()
            except (ThreadEnd, SystemExit):
                pass
            except BaseException as error:
                self._fail(error)
            finally:
                self._threads.remove(thread)

        thread = Thread(target=life, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def block(self, ready: Callable[[], bool], what: str, deadline: Instant | None) -> bool:
        if get_ident() == self._loop_ident:
            raise RuntimeError(f"a callback must not wait ({what}): it runs in the loop that everything waits for")
        self._check()
        if not self._loop_claim.locked() and current_thread() is main_thread():
            raise RuntimeError(f"waiting for {what}, and the driver is not running: call its start() first")
        if self._waits.wait(ready, None if deadline is None else deadline - self.now()):
            return True
        self._check()
        return False

    def wakeup(self) -> None:
        self._waits.wakeup()
        if self._until is not None and get_ident() != self._loop_ident:
            with self._calls_mutex:
                if not self._is_closed:
                    self._ring()

    # Inside

    def _background(self) -> None:
        try:
            self._loop(None)
        except ThreadEnd:
            pass  # as in `run`
        except BaseException as error:
            self._fail(error)

    def _claim_loop(self) -> None:
        if not self._loop_claim.acquire(blocking=False):
            raise RuntimeError("the driver is running already")

    def _loop(self, until: Callable[[], bool] | None) -> None:
        """Loop claim held; it is released at the end."""
        self._loop_ident = get_ident()
        self._until = until
        try:
            while not self._is_stopping and (until is None or not until()):
                self._turn()
        finally:
            self._is_asleep = False
            self._until = None
            self._loop_ident = 0
            self._is_stopping = False
            self._loop_claim.release()

    def _turn(self) -> None:
        """Sleep until something is to be done, then do it."""
        # In this order: whoever sets an earlier time does it before it looks whether the loop is asleep.
        self._is_asleep = True
        ready = self._sleep(self._wake_at - self.now())
        self._is_asleep = False
        self._read(ready)
        if self._wake_at <= self.now():
            # If this thread was kept from running, what has arrived may be the answer that a deadline waits for.
            for _ in range(CATCH_UP):
                if not self._read(self._poller.poll(0)):
                    break
            self._fire_due(self.now())

    def _read(self, ready: list[tuple[int, int]]) -> bool:
        """A batch of each device that is `ready`.  False if none is."""
        has_read = False
        for fd, _ in ready:
            entry = self._devices.get(fd)
            if entry is not None:
                has_read = True
                pump, device = entry
                with pump as entered_at:
                    device.on_readable(entered_at)
            elif fd == self._bell:
                os.eventfd_read(fd)
        return has_read

    def _sleep(self, duration: int) -> list[tuple[int, int]]:
        """What can be read, after at most `duration` nanoseconds; at once if that is not positive."""
        if duration >= NEVER >> 1:
            return self._poller.poll()
        if 0 < duration < PRECISE and self._poller.fileno() < FD_SETSIZE:
            select.select((self._poller,), (), (), duration / SECOND)
            duration = 0
        # Rounded up to milliseconds, so one is taken off: the turn after this one sleeps for what is left.
        return self._poller.poll(max(min(duration, LONGEST) - MILLISECOND, 0) / SECOND)

    def _fire_due(self, now: Instant) -> None:
        """Call what is due, and find out when the next is.

        `_wake_at` is not raised before it has come: a retransmission timer that is set by every call and cleared by
        every answer wakes the loop once in its time, and not once for every call.
        """
        while True:  # these first: a call may be a link that delivers a frame
            with self._calls_mutex:
                call = self._calls.take_due(now)
            if call is None:
                break
            call.expired(now)
        with self.lock:
            due = [pump for pump, deadline in self._deadlines.items() if deadline <= now]
            for pump in due:
                self._deadlines[pump] = NEVER
        for pump in due:
            pump.fire()
        with self.lock, self._calls_mutex:
            earliest = min(self._deadlines.values(), default=NEVER)
            at = self._calls.next_deadline()
            self._wake_at = earliest if at is None else min(earliest, at)

    def _wake_by(self, at: Instant) -> None:
        """See to it that the loop is awake at `at`.  Calls mutex held."""
        if at < self._wake_at:
            self._wake_at = at
            if self._is_asleep and not self._is_closed:
                self._ring()

    def _ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self.stop()
        self._waits.interrupt()

    def _check(self) -> None:
        """Raise what ends the calling thread's business with this driver, if anything does."""
        if self._failure is None and not self._is_closed:
            return
        is_ours = current_thread() in self._threads or (get_ident() == self._loop_ident and self._failure is None)
        if is_ours:
            raise ThreadEnd
        if self._failure is not None:
            self._has_surfaced = True
            raise self._failure
        raise RuntimeError("the driver is closed")

    def _join(self, *threads: Thread | None) -> list[str]:
        """Wait for each; the names of those that are still alive."""
        stuck = []
        for thread in threads:
            if thread is not None and thread is not current_thread():
                thread.join(JOIN_SECONDS)
                if thread.is_alive():
                    stuck.append(thread.name)
        return stuck
