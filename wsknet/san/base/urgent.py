"""Out-of-band data: the last byte of what the peer calls urgent (RFC 6093 3.1, Winsock "Protocol-Independent
Out-of-Band Data"), taken out of the stream unless SO_OOBINLINE is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.base.arguments import scatter

if TYPE_CHECKING:
    from wsknet.san.base.settings import Settings
    from wsknet.san.base.stream import Stream
    from wsknet.types import Instant


class UrgentReader:
    """All reading of a stream socket goes through this."""

    __slots__ = ("_held", "_settings", "_stream", "_taken_at", "_total")

    def __init__(self, stream: Stream, settings: Settings) -> None:
        self._stream = stream
        self._settings = settings
        self._total = 0
        """Bytes read so far: it makes places in the stream comparable."""
        self._held = b""
        """The byte, if ordinary reading has passed its place before anybody has asked for it."""
        self._taken_at: int | None = None
        """The end of the urgent data whose byte was handed out before ordinary reading came there."""

    @property
    def ordinary(self) -> int:
        """Bytes that the next receive may take: never some before the mark and some behind it."""
        readable, urgent = self._stream.readable, self._stream.urgent
        if urgent is None:
            return readable
        if urgent == 1 and self._settings.is_oob_inline:
            return min(readable, 1)
        return min(readable, urgent - 1)

    @property
    def has_byte(self) -> bool:
        """Out-of-band data can be received."""
        return not self._settings.is_oob_inline and bool(self._held or self._is_byte_here)

    @property
    def is_at_mark(self) -> bool:
        """SIOCATMARK: no urgent data is ahead, or it is next."""
        return self._stream.urgent is None or self._stream.urgent == 1

    @property
    def _is_byte_here(self) -> bool:
        urgent = self._stream.urgent
        return urgent is not None and self._stream.readable >= urgent and self._total + urgent != self._taken_at

    def take(self, views: list[memoryview], now: Instant) -> int:
        """Fill `views` with ordinary data, in order; how many bytes that was."""
        left = self.ordinary
        count = 0
        for view in views:
            part = view[: left - count]
            if part:
                self._stream.receive_into(part, now)
                count += len(part)
        self._total += count
        self.skip(now)
        return count

    def peek(self, views: list[memoryview]) -> int:
        return scatter(self._stream.peek(min(self.ordinary, sum(map(len, views)))), views)

    def take_byte(self, *, is_peek: bool) -> bytes:
        """The out-of-band byte; empty if there is none."""
        if self._held:
            byte = self._held
            if not is_peek:
                self._held = b""
            return byte
        urgent = self._stream.urgent
        if urgent is None or not self._is_byte_here:
            return b""
        if not is_peek:
            self._taken_at = self._total + urgent
        return self._stream.peek(urgent)[-1:]

    def skip(self, now: Instant) -> None:
        """Ordinary reading has come to the byte: put it aside, so that what is behind it can be read."""
        stream = self._stream
        if self._settings.is_oob_inline or stream.urgent != 1 or not stream.readable:
            return
        byte = bytearray(1)
        stream.receive_into(memoryview(byte), now)
        self._total += 1
        if self._total != self._taken_at:
            self._held = bytes(byte)
