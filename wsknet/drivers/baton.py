"""Emulated system threads: each is a Python thread, exactly one of them runs, a wait hands the baton on.

The main program is one of them.  Who is next depends only on the order in which the waits ended, so a program with
any number of threads does the same thing every time.  Nothing here knows of time: a thread that waits while no other
can run calls `advance`, which makes something happen, and only then looks for who is next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread, current_thread, get_ident

from wsknet.drivers.base import DeadlockError, ThreadEnd


class Wait:
    """One thread blocked.  Over once somebody has found it ready (then `is_satisfied`) or has given up on it."""

    __slots__ = ("is_over", "is_satisfied", "ready", "thread", "what")

    def __init__(self, thread: EmulatedThread, ready: Callable[[], bool], what: str) -> None:
        self.thread = thread
        self.ready = ready
        self.what = what
        self.is_over = False
        self.is_satisfied = False


class EmulatedThread:
    __slots__ = ("gate", "is_ending", "name", "thread", "wait")

    def __init__(self, name: str) -> None:
        self.name = name
        self.gate = Lock()
        """Released by whoever hands over the baton."""
        self.gate.acquire()
        self.thread: Thread | None = None
        """None for the main program."""
        self.wait: Wait | None = None
        self.is_ending = False


class Baton:
    """`advance()` is called by whichever thread holds the baton while every thread is blocked.

    It returns after it has made one runnable, and raises what a callback raises; that surfaces in the main program.
    """

    def __init__(self, advance: Callable[[], None]) -> None:
        self.runnable: deque[EmulatedThread] = deque()
        self._advance = advance
        self._main = EmulatedThread("main")
        self._current = self._main
        self._others: list[EmulatedThread] = []
        self._finished: list[Thread] = []
        self._waits: list[Wait] = []
        self._failure: BaseException | None = None
        self._is_ending_all = False

    @property
    def is_main(self) -> bool:
        return self._current is self._main

    def spawn(self, run: Callable[[], object], name: str) -> None:
        """Add a thread, behind those that can run already."""
        self._reap()
        thread = EmulatedThread(name)
        thread.thread = Thread(target=self._life, args=(thread, run), name=name, daemon=True)
        thread.thread.start()
        self._others.append(thread)
        self.runnable.append(thread)

    def start_wait(self, ready: Callable[[], bool], what: str) -> Wait:
        """Make the running thread a waiting one.  `finish_wait` must follow, whatever happens."""
        thread = self._current
        if thread.thread is not None and thread.thread.ident != get_ident():
            raise RuntimeError("in virtual time only the main program and threads of Driver.spawn may wait")
        if thread.is_ending:
            raise ThreadEnd
        wait = thread.wait = Wait(thread, ready, what)
        self._waits.append(wait)
        return wait

    def finish_wait(self, wait: Wait) -> bool:
        """Hand the baton on until the wait is over; the answer is whether it was satisfied."""
        thread = wait.thread
        try:
            while True:
                if thread is self._main and self._failure is not None:
                    self._surface()
                if thread.is_ending:
                    raise ThreadEnd
                if wait.is_over:
                    return wait.is_satisfied
                self._pass_on(thread)
        finally:
            self._close(wait)
            thread.wait = None

    def end_wait(self, wait: Wait, is_satisfied: bool) -> None:
        """Let the thread of `wait` go on, after those that can already."""
        if not wait.is_over:
            wait.is_satisfied = is_satisfied
            self._close(wait)
            self.runnable.append(wait.thread)

    def wakeup(self) -> None:
        """Ask every waiting thread, the one that blocked first before the others."""
        for wait in self._waits[:]:
            if not wait.is_over and wait.ready():
                self.end_wait(wait, True)

    def fail(self, error: BaseException) -> None:
        """Raise `error` in the main program, now or at its next wait.  The first one wins."""
        if self._failure is None:
            self._failure = error
        if self._main.wait is not None:
            self.end_wait(self._main.wait, False)

    def deadlock(self) -> DeadlockError:
        waits = [f"{wait.thread.name} waits for {wait.what}" for wait in self._waits]
        return DeadlockError("nothing will ever happen: " + "; ".join(waits or ["no thread can run"]))

    def end_others(self) -> None:
        """Unwind every other thread and join it.  Main program only; raises what one of them raised meanwhile."""
        if self._current is not self._main:
            raise RuntimeError("only the main program may close the simulation")
        self._is_ending_all = True
        try:
            while self._others:
                thread = self._others[0]
                thread.is_ending = True
                self._give(thread)
                self._await(self._main)
        finally:
            self._is_ending_all = False
        self._reap()
        self.runnable.clear()
        if self._failure is not None:
            self._surface()

    def _surface(self) -> None:
        failure, self._failure = self._failure, None
        assert failure is not None
        if isinstance(failure, DeadlockError):
            try:
                self.end_others()
            except BaseException as unwinding:
                raise failure from unwinding
        raise failure

    def _close(self, wait: Wait) -> None:
        wait.is_over = True
        with suppress(ValueError):  # closed already, or this moment by `fail`
            self._waits.remove(wait)

    def _pass_on(self, thread: EmulatedThread) -> None:
        """Let the next runnable thread run, and return when `thread` has the baton back, or earlier.

        Ctrl-C, which only the main program gets, may break this off at any point, also while another thread runs.  So
        each step can be repeated or left out, and nothing but `fail` is done by a thread without the baton.
        """
        is_passed_on = False
        while True:
            try:
                if not is_passed_on:
                    following = self._next()
                    is_passed_on = True
                    if following is not thread:
                        self._give(following)
                self._await(thread)
            except BaseException as interruption:
                self.fail(interruption)
                if not self.is_main:
                    self._give(self._current)
            else:
                return

    def _await(self, thread: EmulatedThread) -> None:
        # The gate alone would not do: it may have been opened for a turn that is over.
        while self._current is not thread:
            thread.gate.acquire()
        if thread in self.runnable:
            self.runnable.remove(thread)

    def _next(self) -> EmulatedThread:
        """The thread to give the baton to.  It leaves the queue when it has it, so that none is lost on the way."""
        while not self.runnable:
            try:
                self._advance()
            except BaseException as error:
                self.fail(error)
        return self.runnable[0]

    def _give(self, thread: EmulatedThread) -> None:
        self._current = thread
        if thread.gate.locked():
            thread.gate.release()

    def _life(self, thread: EmulatedThread, run: Callable[[], object]) -> None:
        self._await(thread)
        try:
            if not thread.is_ending:
                run()
        except (ThreadEnd, SystemExit):
            pass
        except BaseException as error:
            self.fail(error)
        self._others.remove(thread)
        while thread in self.runnable:
            self.runnable.remove(thread)
        if thread.thread is not None:
            self._finished.append(thread.thread)
        self._give(self._main if self._is_ending_all else self._next())

    def _reap(self) -> None:
        """Join threads that have run to their end; each has given the baton away as its last act.

        One that has still to find somebody to give it to makes things happen meanwhile, and may so come here itself.
        """
        running = current_thread()
        ended = [thread for thread in self._finished if thread is not running]
        self._finished = [thread for thread in self._finished if thread is running]
        for thread in ended:
            thread.join()
