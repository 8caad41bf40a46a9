"""Structures and numbers behind the pointers of a control operation: an object, a one-element list, or memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.structures_tcp import TcpStructure

if TYPE_CHECKING:
    from wsknet.wsk.control.ioctl import Buffers

SIZE_T = 8
"""Bytes, on x64."""

S = TypeVar("S", bound=TcpStructure)


def read_structure(kind: type[S], InputSize: int, InputBuffer: Any) -> S:
    """Raises `LocalError` INVALID_ARGUMENT if there is no whole one."""
    if InputSize >= kind.SIZE:
        if isinstance(InputBuffer, kind):
            return InputBuffer
        if is_memory(InputBuffer) and len(InputBuffer) >= kind.SIZE:
            return kind.cast(InputBuffer)
    raise LocalError(ErrorKind.INVALID_ARGUMENT)


def write_structure(structure: TcpStructure, OutputSize: int, OutputBuffer: Any) -> int:
    """Bytes written.  Raises `LocalError` INVALID_ARGUMENT if there is no room."""
    size = structure.SIZE
    if OutputSize >= size:
        if isinstance(OutputBuffer, type(structure)):
            names: tuple[str, ...] = type(structure).__slots__
            for name in names:
                setattr(OutputBuffer, name, getattr(structure, name))
            return size
        if is_memory(OutputBuffer) and len(OutputBuffer) >= size:
            OutputBuffer[:size] = bytes(structure)
            return size
    raise LocalError(ErrorKind.INVALID_ARGUMENT)


def read_number(size: int, buffers: Buffers) -> int:
    """An unsigned number of `size` bytes in the input; what stands behind it does not count."""
    memory = buffers.InputBuffer
    if buffers.InputSize >= size:
        if isinstance(memory, list) and len(memory) == 1 and 0 <= memory[0] < 1 << 8 * size:
            number: int = memory[0]
            return number
        if is_memory(memory) and len(memory) >= size:
            return int.from_bytes(memory[:size], "little")
    raise LocalError(ErrorKind.INVALID_ARGUMENT)


def write_size(value: int, buffers: Buffers) -> int:
    """A SIZE_T into the output.  Bytes written."""
    memory = buffers.OutputBuffer
    if buffers.OutputSize >= SIZE_T:
        if isinstance(memory, list):
            memory[:] = [value]
            return SIZE_T
        if is_memory(memory) and len(memory) >= SIZE_T:
            memory[:SIZE_T] = value.to_bytes(SIZE_T, "little")
            return SIZE_T
    raise LocalError(ErrorKind.INVALID_ARGUMENT)


def is_memory(buffer: Any) -> bool:
    return isinstance(buffer, bytes | bytearray | memoryview)
