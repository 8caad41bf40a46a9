"""Run-time library: counted strings and debug output."""

from __future__ import annotations

import re
from typing import Any

from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.status import NTSTATUS, STATUS_SUCCESS

__all__ = ["UNICODE_STRING", "DbgPrint", "RtlInitUnicodeString"]

_CONVERSION = re.compile(r"%(?P<flags>[-+ #0]*\d*(?:\.\d+)?)(?P<size>I64|I32|ll|hh|[hlwIz])?(?P<type>[diuoxXcCsSpZ%])")


class UNICODE_STRING:
    """`Length` and `MaximumLength` count bytes of UTF-16, without and with the terminator."""

    __slots__ = ("Buffer", "Length", "MaximumLength")
    SIZE = 16

    def __init__(self, Buffer: str | None = None) -> None:
        self.Length = 0
        self.MaximumLength = 0
        self.Buffer: str | None = None
        RtlInitUnicodeString(self, Buffer)

    def __str__(self) -> str:
        return self.Buffer or ""


def RtlInitUnicodeString(DestinationString: UNICODE_STRING, SourceString: str | None) -> None:
    DestinationString.Buffer = SourceString
    if SourceString is None:
        DestinationString.Length = DestinationString.MaximumLength = 0
    else:
        DestinationString.Length = len(SourceString.encode("utf-16-le"))
        DestinationString.MaximumLength = DestinationString.Length + 2


def DbgPrint(Format: str, *Arguments: Any) -> NTSTATUS:
    """Send one formatted message to `Kernel.debug_print` of the current host.  Size prefixes (%lu, %I64x) are legal."""
    sink = current_kernel().debug_print
    if sink is not None:
        sink(_CONVERSION.sub(_python_conversion, Format) % Arguments)
    return STATUS_SUCCESS


def _python_conversion(match: re.Match[str]) -> str:
    kind = match["type"]
    if kind == "p":
        return "%s"
    return "%" + match["flags"] + {"S": "s", "Z": "s", "C": "c"}.get(kind, kind)
