"""ULONGs behind pointers: a one-element list, or memory."""

from __future__ import annotations

from typing import Any

from wsknet.errors import ErrorKind, LocalError

ULONG_SIZE = 4


def write_ulongs(OutputBuffer: Any, values: list[int]) -> int:
    """Into an array behind a pointer: a list that becomes as long as that, or memory."""
    if OutputBuffer is None and values:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    size = ULONG_SIZE * len(values)
    if isinstance(OutputBuffer, list):
        OutputBuffer[:] = values
    elif values:
        _require_bytes(OutputBuffer, size)
        OutputBuffer[:size] = b"".join(value.to_bytes(ULONG_SIZE, "little") for value in values)
    return size


def read_ulong(InputSize: int, InputBuffer: Any) -> int:
    """A ULONG behind a pointer: a one-element list, or its four bytes."""
    if InputSize != ULONG_SIZE or InputBuffer is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if isinstance(InputBuffer, list):
        value: int = InputBuffer[0]
        if not -1 << 31 <= value < 1 << 32:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        return value & 0xFFFFFFFF  # -1 is written for it in C
    _require_bytes(InputBuffer, ULONG_SIZE)
    return int.from_bytes(bytes(InputBuffer[:ULONG_SIZE]), "little")


def _require_bytes(memory: Any, size: int) -> None:
    """There may be less than its owner says; a bytearray would become longer with what is written."""
    if len(memory) < size:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
