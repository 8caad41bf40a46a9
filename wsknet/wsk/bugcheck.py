"""What would stop Windows (D-19).

Raised at the call that breaks the rule, before it has any effect.  A legal sequence never raises.
"""

from __future__ import annotations

import sys
from types import FrameType

__all__ = ["BugCheck"]

_OURS = ("wsknet.", "contextlib")


class BugCheck(Exception):
    """Leaves the call with the verifier on; with it off the call answers a status and nothing changes.

    `code` is the bug check code of Windows, `rule` the number of the rule or section broken, R-nnn, D-nn or WSK-n, and
    `place` the line of the driver that did it, empty if none of it was running.
    """

    def __init__(self, code: int, rule: str, what: str) -> None:
        self.code = code
        self.rule = rule
        self.what = what
        self.place = place_of_caller()
        at = f" (at {self.place})" if self.place else ""
        super().__init__(f"bug check 0x{code:08X} ({NAMES[code]}), rule {rule}: {what}{at}")


def frame_of_caller() -> FrameType | None:
    """The innermost frame that runs outside this package; None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
    return frame


def place_of_caller() -> str:
    """The same as ``file:line in function``; empty if there is none."""
    frame = frame_of_caller()
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


IRQL_NOT_GREATER_OR_EQUAL = 0x09
IRQL_NOT_LESS_OR_EQUAL = 0x0A
SPIN_LOCK_ALREADY_OWNED = 0x0F
SPIN_LOCK_NOT_OWNED = 0x10
NO_MORE_IRP_STACK_LOCATIONS = 0x35
MULTIPLE_IRP_COMPLETE_REQUESTS = 0x44
PAGE_FAULT_IN_NONPAGED_AREA = 0x50
ATTEMPTED_WRITE_TO_READONLY_MEMORY = 0xBE
BAD_POOL_CALLER = 0xC2
DRIVER_VERIFIER_DETECTED_VIOLATION = 0xC4
WORKER_INVALID = 0xE4

NAMES = {
    IRQL_NOT_GREATER_OR_EQUAL: "IRQL_NOT_GREATER_OR_EQUAL",
    IRQL_NOT_LESS_OR_EQUAL: "IRQL_NOT_LESS_OR_EQUAL",
    SPIN_LOCK_ALREADY_OWNED: "SPIN_LOCK_ALREADY_OWNED",
    SPIN_LOCK_NOT_OWNED: "SPIN_LOCK_NOT_OWNED",
    NO_MORE_IRP_STACK_LOCATIONS: "NO_MORE_IRP_STACK_LOCATIONS",
    MULTIPLE_IRP_COMPLETE_REQUESTS: "MULTIPLE_IRP_COMPLETE_REQUESTS",
    PAGE_FAULT_IN_NONPAGED_AREA: "PAGE_FAULT_IN_NONPAGED_AREA",
    ATTEMPTED_WRITE_TO_READONLY_MEMORY: "ATTEMPTED_WRITE_TO_READONLY_MEMORY",
    BAD_POOL_CALLER: "BAD_POOL_CALLER",
    DRIVER_VERIFIER_DETECTED_VIOLATION: "DRIVER_VERIFIER_DETECTED_VIOLATION",
    WORKER_INVALID: "WORKER_INVALID",
}
"""Names of the codes, from the public bug check reference."""
