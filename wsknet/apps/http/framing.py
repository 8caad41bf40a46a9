"""The content of requests: where it ends, and its chunks (RFC 9112 6 and 7).

Whatever two readers could understand in two ways is refused, and the connection ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wsknet.apps.http.messages import MAX_FIELDS, MAX_HEAD, MAX_LINE, Lines, Refusal, Request, field_line

MAX_LENGTH = (1 << 63) - 1
"""Octets of content: as far as others count, too."""

Write = Callable[[memoryview], None]

_DIGITS = re.compile(r"[0-9]{1,40}")
_CHUNK_SIZE = re.compile(
    rb"""([0-9A-Fa-f]{1,16})
    (?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+
       (?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?
    )*""",
    re.VERBOSE,
)


class Counted:
    """Content of a known length."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._left = length

    @property
    def is_done(self) -> bool:
        return not self._left

    def feed(self, data: memoryview, write: Write) -> int:
        """Returns how many octets of `data` belong to the content."""
        part = data[: self._left]
        self._left -= len(part)
        write(part)
        return len(part)


class Chunked:
    """Content in chunks.  Chunk extensions and trailer fields are checked and forgotten (RFC 9112 7.1.1, 7.1.2)."""

    length = None

    def __init__(self) -> None:
        self._lines = Lines()
        self._left = 0
        self._step: Callable[[bytes], None] = self._size
        self._octets = 0
        self._count = 0
        self.is_done = False

    def feed(self, data: memoryview, write: Write) -> int:
        taken = 0
        while taken < len(data) and not self.is_done:
            if self._left:
                part = data[taken : taken + self._left]
                self._left -= len(part)
                taken += len(part)
                write(part)
                continue
            line, count = self._lines.next(data[taken:], Refusal(400, f"a line has at most {MAX_LINE} octets"))
            taken += count
            if line is not None:
                self._step(line)
        return taken

    def _size(self, line: bytes) -> None:
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise Refusal(400, "a chunk begins with its size in hexadecimal digits")
        self._left = int(found[1], 16)
        self._step = self._end if self._left else self._trailer

    def _end(self, line: bytes) -> None:
        if line:
            raise Refusal(400, "a chunk ends with CRLF")
        self._step = self._size

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.is_done = True
            return
        self._octets += len(line) + 2
        self._count += 1
        if self._octets > MAX_HEAD or self._count > MAX_FIELDS:
            raise Refusal(431, f"a trailer section has at most {MAX_FIELDS} field lines of {MAX_HEAD} octets together")
        field_line(line)


def content_of(request: Request) -> Counted | Chunked:
    """RFC 9112 6.3, for requests."""
    lengths = request.fields.get("content-length")
    if "transfer-encoding" not in request.fields:
        if lengths is None and request.method == "PUT":
            raise Refusal(411, "PUT needs Content-Length, even if that is 0 (RFC 9110 15.5.12)")
        return Counted(0 if lengths is None else _parse_length(lengths))
    if lengths is not None:
        raise Refusal(400, "a request has Content-Length or Transfer-Encoding, not both")
    if not request.minor:
        raise Refusal(400, "there is no Transfer-Encoding in HTTP/1.0")
    codings = request.tokens("transfer-encoding")
    if codings[-1:] != ["chunked"] or codings.count("chunked") > 1:
        raise Refusal(400, "the last transfer coding of a request is chunked, and no other one is")
    if len(codings) > 1:
        raise Refusal(501, "no transfer coding but chunked is known here")
    return Chunked()


def _parse_length(values: list[str]) -> int:
    if len(values) > 1 or _DIGITS.fullmatch(values[0]) is None:
        raise Refusal(400, "Content-Length is one decimal number")
    length = int(values[0])
    if length > MAX_LENGTH:
        raise Refusal(413, f"content has at most {MAX_LENGTH} octets")
    return length
