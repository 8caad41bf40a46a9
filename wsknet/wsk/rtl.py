"""Run-time library: counted strings.

`Buffer` is a Python string, which is constant, or memory (bytearray, memoryview) that holds the characters: UTF-16 in
a UNICODE_STRING, the ANSI code page (1252) in an ANSI_STRING.  A function that writes fills memory in place and puts a
new Python string where there was one, never more of it than `MaximumLength` bytes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from wsknet.wsk.kernel import current_kernel
from wsknet.wsk.scalars import MAXUSHORT
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_INVALID_PARAMETER,
    STATUS_NAME_TOO_LONG,
    STATUS_NO_MEMORY,
    STATUS_SUCCESS,
)

__all__ = [
    "ANSI_STRING",
    "UNICODE_STRING",
    "RtlAnsiStringToUnicodeString",
    "RtlAppendUnicodeStringToString",
    "RtlAppendUnicodeToString",
    "RtlCompareUnicodeString",
    "RtlCopyUnicodeString",
    "RtlEqualString",
    "RtlEqualUnicodeString",
    "RtlFreeAnsiString",
    "RtlFreeUnicodeString",
    "RtlInitAnsiString",
    "RtlInitAnsiStringEx",
    "RtlInitEmptyAnsiString",
    "RtlInitEmptyUnicodeString",
    "RtlInitString",
    "RtlInitUnicodeString",
    "RtlInitUnicodeStringEx",
    "RtlIntegerToUnicodeString",
    "RtlUnicodeStringToAnsiString",
    "RtlUnicodeStringToInteger",
]  # fmt: skip


class _CountedString:
    """`Length` and `MaximumLength` count bytes, without and with the terminator."""

    __slots__ = ("Buffer", "Length", "MaximumLength")
    SIZE: ClassVar[int] = 16
    ENCODING: ClassVar[str]
    UNIT: ClassVar[int]

    def __init__(self, Buffer: str | None = None) -> None:
        self.point_to(Buffer)

    def __str__(self) -> str:
        return self.octets().decode(self.ENCODING, "replace")

    def octets(self) -> bytes:
        """The `Length` bytes that it has."""
        whole = self.encode(self.Buffer) if isinstance(self.Buffer, str) else bytes(self.Buffer or b"")
        return whole[: self.Length]

    @classmethod
    def encode(cls, text: str) -> bytes:
        return text.encode(cls.ENCODING, "replace")

    def point_to(self, text: str | None) -> None:
        self.Buffer: Any = text
        self.Length = len(self.encode(text)) if text is not None else 0
        self.MaximumLength = self.Length + self.UNIT if text is not None else 0

    def store(self, octets: bytes) -> None:
        """Replace the characters, within `MaximumLength`; the caller has checked that they fit."""
        self.Length = len(octets)
        if isinstance(self.Buffer, bytearray | memoryview):
            terminated = octets + bytes(self.UNIT) if len(octets) + self.UNIT <= self.MaximumLength else octets
            memoryview(self.Buffer).cast("B")[: len(terminated)] = terminated
        else:
            self.Buffer = octets.decode(self.ENCODING, "replace")


class UNICODE_STRING(_CountedString):
    __slots__ = ()
    ENCODING = "utf-16-le"
    UNIT = 2


class ANSI_STRING(_CountedString):
    __slots__ = ()
    ENCODING = "cp1252"
    UNIT = 1


def RtlInitUnicodeString(DestinationString: UNICODE_STRING, SourceString: str | None) -> None:
    DestinationString.point_to(SourceString)


def RtlInitAnsiString(DestinationString: ANSI_STRING, SourceString: str | None) -> None:
    DestinationString.point_to(SourceString)


RtlInitString = RtlInitAnsiString


def RtlInitUnicodeStringEx(DestinationString: _CountedString, SourceString: str | None) -> NTSTATUS:
    """The same without Ex, but STATUS_NAME_TOO_LONG, and no change, for more bytes than a USHORT counts."""
    size = 0 if SourceString is None else len(DestinationString.encode(SourceString))
    if size + DestinationString.UNIT > MAXUSHORT:
        return STATUS_NAME_TOO_LONG
    DestinationString.point_to(SourceString)
    return STATUS_SUCCESS


RtlInitAnsiStringEx = RtlInitUnicodeStringEx


def RtlInitEmptyUnicodeString(DestinationString: UNICODE_STRING, Buffer: Any, BufferSize: int) -> None:
    """Room for `BufferSize` bytes of characters; `Buffer` is memory, or a string that will be replaced."""
    DestinationString.Buffer = Buffer
    DestinationString.Length = 0
    DestinationString.MaximumLength = BufferSize


def RtlInitEmptyAnsiString(DestinationString: ANSI_STRING, Buffer: Any, BufferSize: int) -> None:
    DestinationString.Buffer = Buffer
    DestinationString.Length = 0
    DestinationString.MaximumLength = BufferSize


def RtlCopyUnicodeString(DestinationString: UNICODE_STRING, SourceString: UNICODE_STRING | None) -> None:
    """As much as there is room for; nothing for NULL."""
    octets = b"" if SourceString is None else SourceString.octets()
    DestinationString.store(octets[: DestinationString.MaximumLength & ~1])


def RtlAppendUnicodeStringToString(Destination: UNICODE_STRING, Source: UNICODE_STRING) -> NTSTATUS:
    """STATUS_BUFFER_TOO_SMALL, and nothing is appended, if there is no room for all of it."""
    octets = Destination.octets() + Source.octets()
    if len(octets) > Destination.MaximumLength:
        return STATUS_BUFFER_TOO_SMALL
    Destination.store(octets)
    return STATUS_SUCCESS


def RtlAppendUnicodeToString(Destination: UNICODE_STRING, Source: str | None) -> NTSTATUS:
    return RtlAppendUnicodeStringToString(Destination, UNICODE_STRING(Source))


def RtlCompareUnicodeString(String1: UNICODE_STRING, String2: UNICODE_STRING, CaseInSensitive: bool) -> int:
    """Below 0, 0 or above 0: by the first characters that differ, else by length."""
    one, other = _units(String1, CaseInSensitive), _units(String2, CaseInSensitive)
    for a, b in zip(one, other, strict=False):
        if a != b:
            return a - b
    return (len(one) - len(other)) * 2


def RtlEqualUnicodeString(String1: UNICODE_STRING, String2: UNICODE_STRING, CaseInSensitive: bool) -> bool:
    return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0


def RtlEqualString(String1: ANSI_STRING, String2: ANSI_STRING, CaseInSensitive: bool) -> bool:
    if CaseInSensitive:
        return RtlEqualUnicodeString(UNICODE_STRING(str(String1)), UNICODE_STRING(str(String2)), True)
    return String1.octets() == String2.octets()


def _units(string: UNICODE_STRING, is_folded: bool) -> list[int]:
    octets = string.octets()
    units = [int.from_bytes(octets[at : at + 2], "little") for at in range(0, len(octets), 2)]
    return [_upcase(unit) for unit in units] if is_folded else units


def _upcase(unit: int) -> int:
    """One to one, as RtlUpcaseUnicodeChar: what has no single upper-case character stays."""
    upper = chr(unit).upper()
    return ord(upper) if len(upper) == 1 else unit


def RtlAnsiStringToUnicodeString(
    DestinationString: UNICODE_STRING, SourceString: ANSI_STRING, AllocateDestinationString: bool
) -> NTSTATUS:
    """STATUS_BUFFER_OVERFLOW without room, STATUS_NO_MEMORY (`Kernel.allocation_fails`) if it is to be allocated."""
    return _convert("RtlAnsiStringToUnicodeString", DestinationString, SourceString, AllocateDestinationString)


def RtlUnicodeStringToAnsiString(
    DestinationString: ANSI_STRING, SourceString: UNICODE_STRING, AllocateDestinationString: bool
) -> NTSTATUS:
    """The same the other way; characters that the code page has not become question marks."""
    return _convert("RtlUnicodeStringToAnsiString", DestinationString, SourceString, AllocateDestinationString)


def _convert(function: str, target: _CountedString, source: _CountedString, is_allocated: bool) -> NTSTATUS:
    octets = target.encode(str(source))
    if is_allocated:
        if current_kernel().refuses(function):
            return STATUS_NO_MEMORY
        target.MaximumLength = len(octets) + target.UNIT
        target.Buffer = bytearray(target.MaximumLength)
    elif len(octets) + target.UNIT > target.MaximumLength:
        return STATUS_BUFFER_OVERFLOW
    target.store(octets)
    return STATUS_SUCCESS


def RtlFreeUnicodeString(UnicodeString: UNICODE_STRING) -> None:
    UnicodeString.point_to(None)


def RtlFreeAnsiString(AnsiString: ANSI_STRING) -> None:
    AnsiString.point_to(None)


_PREFIXES = {"b": 2, "o": 8, "x": 16}


def RtlUnicodeStringToInteger(String: UNICODE_STRING, Base: int, Value: list[int]) -> NTSTATUS:
    """Reads a sign and as many digits as there are; other text is 0.  Base 0 goes by the prefix 0b, 0o or 0x, else 10.

    STATUS_INVALID_PARAMETER for a base other than 0, 2, 8, 10 and 16.  `Value` receives 32 bits.
    """
    if Base not in (0, 2, 8, 10, 16):
        return STATUS_INVALID_PARAMETER
    text = str(String).lstrip("".join(map(chr, range(33))))
    sign = -1 if text.startswith("-") else 1
    if text[:1] in ("+", "-"):
        text = text[1:]
    if Base == 0:
        Base = _PREFIXES.get(text[1:2], 10) if text.startswith("0") else 10
        if Base != 10:
            text = text[2:]
    number = 0
    for character in text:
        digit = "0123456789abcdef".find(character.lower())
        if not 0 <= digit < Base:
            break
        number = number * Base + digit
    Value[:] = [sign * number & 0xFFFF_FFFF]
    return STATUS_SUCCESS


_FORMATS = {0: "d", 2: "b", 8: "o", 10: "d", 16: "X"}


def RtlIntegerToUnicodeString(Value: int, Base: int, String: UNICODE_STRING) -> NTSTATUS:
    """STATUS_BUFFER_OVERFLOW without room for digits and terminator; STATUS_INVALID_PARAMETER for another base."""
    if Base not in _FORMATS:
        return STATUS_INVALID_PARAMETER
    octets = String.encode(format(Value & 0xFFFF_FFFF, _FORMATS[Base]))
    if len(octets) + 2 > String.MaximumLength:
        return STATUS_BUFFER_OVERFLOW
    String.store(octets)
    return STATUS_SUCCESS
