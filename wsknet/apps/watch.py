"""A system thread that looks for deadlines that have come, once in a while, as long as there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.apps.irps import submit
from wsknet.wsk import (
    HANDLE,
    KEVENT,
    NT_SUCCESS,
    NTSTATUS,
    SOCKADDR_STORAGE,
    THREAD_ALL_ACCESS,
    WSK_SOCKET,
    Executive,
    KeInitializeEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForSingleObject,
    ObDereferenceObject,
    ObReferenceObjectByHandle,
    PsCreateSystemThread,
    PsThreadType,
    SynchronizationEvent,
    ZwClose,
)

PERIOD = 5 * 10_000_000
"""Between two looks: five seconds, in units of 100 ns."""


class Watch:
    """Calls `look` in a completion routine, so that no callback of a connection runs meanwhile.

    `look` tells whether to go on; after it said no, `wake` does it.  `Socket` is any socket that stays open until
    `stop`.
    """

    def __init__(self, Socket: WSK_SOCKET, look: Callable[[], bool]) -> None:
        self._socket = Socket
        self._look = look
        self._is_asleep = False
        self._is_ending = False
        self._wake = KEVENT()
        KeInitializeEvent(self._wake, SynchronizationEvent, False)
        handles: list[Any] = []
        PsCreateSystemThread(handles, THREAD_ALL_ACCESS, None, None, None, self._run, None)
        self._handle: HANDLE = handles[0]

    def wake(self) -> None:
        if self._is_asleep:
            self._is_asleep = False
            KeSetEvent(self._wake, 0, False)

    def stop(self) -> None:
        """Waits until the thread has ended."""
        self._is_ending = True
        KeSetEvent(self._wake, 0, False)
        threads: list[Any] = []
        ObReferenceObjectByHandle(self._handle, THREAD_ALL_ACCESS, PsThreadType, KernelMode, threads, None)
        KeWaitForSingleObject(threads[0], Executive, KernelMode, False, None)
        ObDereferenceObject(threads[0])
        ZwClose(self._handle)

    def _run(self, StartContext: object) -> None:
        while not self._is_ending:
            KeWaitForSingleObject(self._wake, Executive, KernelMode, False, None if self._is_asleep else -PERIOD)
            if not self._is_ending:
                # Asking for a name does nothing; what is wanted is the routine, which runs in turn with all others.
                submit(self._socket.Dispatch.WskGetLocalAddress, self._socket, SOCKADDR_STORAGE(), done=self._looked)

    def _looked(self, Status: NTSTATUS, Information: object) -> None:
        if NT_SUCCESS(Status):
            self._is_asleep = not self._look()
