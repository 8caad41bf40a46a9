"""Run-time library: debug output and random numbers."""

from __future__ import annotations

import re
from typing import Any

from wsknet.host import current_host
from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.status import NTSTATUS, STATUS_SUCCESS

__all__ = [
    "DPFLTR_ERROR_LEVEL",
    "DPFLTR_IHVDRIVER_ID",
    "DPFLTR_IHVNETWORK_ID",
    "DPFLTR_INFO_LEVEL",
    "DPFLTR_TRACE_LEVEL",
    "DPFLTR_WARNING_LEVEL",
    "DbgPrint",
    "DbgPrintEx",
    "KdPrint",
    "KdPrintEx",
    "RtlRandomEx",
]  # fmt: skip

DPFLTR_ERROR_LEVEL = 0
DPFLTR_WARNING_LEVEL = 1
DPFLTR_TRACE_LEVEL = 2
DPFLTR_INFO_LEVEL = 3
DPFLTR_IHVDRIVER_ID = 77
DPFLTR_IHVNETWORK_ID = 80

MAXLONG = 0x7FFFFFFF

_CONVERSION = re.compile(r"%(?P<flags>[-+ #0]*\d*(?:\.\d+)?)(?P<size>I64|I32|ll|hh|[hlwIz])?(?P<type>[diuoxXcCsSpZ%])")


def DbgPrint(Format: str, *Arguments: Any) -> NTSTATUS:
    """Send one formatted message to `Kernel.debug_print` of the current host.  Size prefixes (%lu, %I64x) are legal."""
    sink = current_kernel().debug_print
    if sink is not None:
        sink(_CONVERSION.sub(_python_conversion, Format) % Arguments)
    return STATUS_SUCCESS


KdPrint = DbgPrint


def DbgPrintEx(ComponentId: int, Level: int, Format: str, *Arguments: Any) -> NTSTATUS:
    """The same: no message is filtered out by its component or level."""
    return DbgPrint(Format, *Arguments)


KdPrintEx = DbgPrintEx


def _python_conversion(match: re.Match[str]) -> str:
    kind = match["type"]
    if kind == "p":
        return "%s"
    return "%" + match["flags"] + {"S": "s", "Z": "s", "C": "c"}.get(kind, kind)


def RtlRandomEx(Seed: list[int]) -> int:
    """0 to MAXLONG - 1, from the generator of the current host; `Seed` receives the number, too."""
    number = current_host().rng.randrange(MAXLONG)
    Seed[:] = [number]
    return number
