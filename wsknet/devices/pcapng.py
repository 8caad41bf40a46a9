"""draft-ietf-opsawg-pcapng: sections 4.1 (section header), 4.2 (interface), 4.3 (enhanced packet), 3.5 (options).

Scapy's writer knows neither nanoseconds nor names for interfaces that it has not seen a packet of.  Nothing of the
machine goes into the file: no clock, no host name, and little-endian everywhere.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import BinaryIO

from wsknet.errors import UsageError
from wsknet.types import Instant

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
ENHANCED_PACKET = 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_LENGTH = 0xFFFFFFFFFFFFFFFF
LINKTYPE_ETHERNET = 1

OPT_END = b"\0\0\0\0"
OPT_COMMENT = 1
IF_NAME = 2
IF_DESCRIPTION = 3
IF_TSRESOL = 9
EPB_FLAGS = 2

NANOSECONDS = b"\x09"
"""if_tsresol: a negative power of ten."""

_block = Struct("<II")
_length = Struct("<I")
_section = Struct("<IHHQ")
_interface = Struct("<HHI")
_packet = Struct("<IIIII")
_option = Struct("<HH")
_MAX_OPTION = 0xFFFF


class Direction(IntEnum):
    """The two lowest bits of epb_flags."""

    INBOUND = 1
    OUTBOUND = 2


class PcapngWriter:
    """Writes one section.  Every block is one write: a file that breaks off is whole up to its last block."""

    def __init__(self, file: BinaryIO, epoch: int = 0) -> None:
        """`epoch` is the Unix time in nanoseconds of the zero of the instants to come (`Driver.epoch`)."""
        self.epoch = epoch
        self._file = file
        self._interfaces = 0
        self._write(SECTION_HEADER, _section.pack(BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_LENGTH))

    @classmethod
    def open(cls, path: str | Path, epoch: int = 0) -> PcapngWriter:
        """Start a new file, in place of one that is there.  `UsageError` if that cannot be."""
        try:
            file = Path(path).open("wb", buffering=1 << 16)  # noqa: SIM115
        except OSError as error:
            raise UsageError(f"cannot write the capture {path}: {error.strerror}") from None
        return cls(file, epoch)

    def add_interface(self, name: str, description: str = "") -> int:
        """The number by which `write` knows it.  Possible at any time."""
        options = _encode_option(IF_NAME, name.encode())
        if description:
            options += _encode_option(IF_DESCRIPTION, description.encode())
        options += _encode_option(IF_TSRESOL, NANOSECONDS) + OPT_END
        # A snapshot length of 0 means no limit.
        self._write(INTERFACE_DESCRIPTION, _interface.pack(LINKTYPE_ETHERNET, 0, 0) + options)
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self, interface: int, at: Instant, frame: bytes, direction: Direction, comment: str | None = None
    ) -> None:
        time = self.epoch + at
        length = len(frame)
        options = _encode_option(EPB_FLAGS, _length.pack(direction))
        if comment:
            options = _encode_option(OPT_COMMENT, comment.encode()) + options
        body = b"".join(
            (
                _packet.pack(interface, time >> 32, time & 0xFFFFFFFF, length, length),
                frame,
                bytes(-length % 4),
                options,
                OPT_END,
            )
        )
        self._write(ENHANCED_PACKET, body)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> PcapngWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, block_type: int, body: bytes) -> None:
        total = len(body) + 12
        self._file.write(_block.pack(block_type, total) + body + _length.pack(total))


def _encode_option(code: int, value: bytes) -> bytes:
    if len(value) > _MAX_OPTION:
        # Cut between characters.
        value = value[:_MAX_OPTION].decode(errors="ignore").encode()
    return _option.pack(code, len(value)) + value + bytes(-len(value) % 4)
