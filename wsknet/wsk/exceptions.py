"""Structured exceptions: the few kernel functions that raise a status instead of returning it.

``__try { MmProbeAndLockPages(...); } __except (EXCEPTION_EXECUTE_HANDLER) { Status = GetExceptionCode(); }`` becomes
``try: ... except EXCEPTION as exception: Status = exception.ExceptionCode``.
"""

from __future__ import annotations

from wsknet.wsk.status import NTSTATUS, STATUS_ACCESS_VIOLATION

__all__ = ["EXCEPTION", "ExRaiseAccessViolation", "ExRaiseStatus"]


class EXCEPTION(Exception):
    """Stops Windows (KMODE_EXCEPTION_NOT_HANDLED) where no handler takes it; here it surfaces as any exception does."""

    def __init__(self, ExceptionCode: int) -> None:
        super().__init__(ExceptionCode.name if isinstance(ExceptionCode, NTSTATUS) else f"0x{ExceptionCode:08X}")
        self.ExceptionCode = ExceptionCode


def ExRaiseStatus(Status: int) -> None:
    raise EXCEPTION(Status)


def ExRaiseAccessViolation() -> None:
    raise EXCEPTION(STATUS_ACCESS_VIOLATION)
