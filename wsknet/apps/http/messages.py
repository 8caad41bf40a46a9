"""Requests, answers, and the reader of request heads (RFC 9112 2, 3 and 5).

Strict where leniency invites request smuggling: lines end with CRLF, no field line is folded, nothing stands between a
field name and its colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.apps.http.contents import Slice

MAX_LINE = 8192
"""Octets of one line.  RFC 9112 3 wants at least 8000 for the request line."""
MAX_HEAD = 32768
"""Octets of all field lines of a head, or of a trailer section."""
MAX_FIELDS = 100
"""Field lines of a head, as Apache httpd has it (LimitRequestFields)."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/([0-9])\.([0-9])")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)")
_HOST = re.compile(r"(?:\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)([^?]*)((?:\?.*)?)")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[0-9A-Za-z._~-]")


_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"}
"""Where older Pythons have the words of RFC 7231."""


class Refusal(Exception):
    """The request gets an answer of this status, with one line that says why."""

    def __init__(self, status: int, why: str, *fields: tuple[str, str]) -> None:
        super().__init__(why)
        self.status = status
        self.fields = fields


@dataclass
class Request:
    method: str
    path: str
    """With its query, if there is one; ``*`` for the server as a whole."""
    minor: int
    """Of the version, whose major number is 1: 0, or 1 for that and everything newer."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    """By name in lower case: the values of its field lines, in order."""

    def get(self, name: str) -> str | None:
        """All values of a field as one (RFC 9110 5.3)."""
        values = self.fields.get(name)
        return None if values is None else ", ".join(values)

    def tokens(self, name: str) -> list[str]:
        """The elements of a list of tokens, in lower case; empty elements do not count (RFC 9110 5.6.1)."""
        elements = (element.strip(" \t").lower() for element in (self.get(name) or "").split(","))
        return [element for element in elements if element]

    @property
    def is_persistent(self) -> bool:
        """Whether the client wants the connection to go on (RFC 9112 9.3)."""
        options = self.tokens("connection")
        return "close" not in options and (self.minor > 0 or "keep-alive" in options)


@dataclass
class Answer:
    """`body` follows the head, unless it answers HEAD; `length` is that of the body."""

    status: int
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: list[bytes | Slice] = field(default_factory=list)
    length: int = 0

    def head(self, seconds: int, connection: str | None) -> bytes:
        """The status line and the fields.  `seconds` since 1970; `connection`: what to say of the connection."""
        lines = [
            f"HTTP/1.1 {self.status} {_phrase(self.status)}",
            f"Date: {formatdate(seconds, usegmt=True)}",
        ]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {self.length}")
        if connection is not None:
            lines.append(f"Connection: {connection}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def text_answer(status: int, text: str, *fields: tuple[str, str]) -> Answer:
    body = text.encode("latin-1", "replace")
    return Answer(status, [("Content-Type", "text/plain; charset=iso-8859-1"), *fields], [body], len(body))


def refusal_answer(refusal: Refusal) -> Answer:
    return text_answer(refusal.status, f"{refusal.status} {_phrase(refusal.status)}: {refusal}\n", *refusal.fields)


class Lines:
    """Cuts a stream into lines.  Keeps at most one unfinished line."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def next(self, data: memoryview, too_long: Refusal) -> tuple[bytes | None, int]:
        """The line that ends in `data`, without its CRLF, and how many octets of `data` that took; `None`: not yet."""
        room = MAX_LINE + 2 - len(self._begun)
        window = bytes(data[:room])
        end = window.find(b"\n") + 1
        if not end:
            self._begun += window
            if len(window) == room:
                raise too_long
            return None, len(window)
        line = bytes(self._begun) + window[:end]
        self._begun.clear()
        if line[-2:] != b"\r\n":
            raise Refusal(400, "a line ends with CRLF, not with a bare LF")
        return line[:-2], end


class HeadReader:
    """Takes the lines of one request head and checks each as it comes."""

    def __init__(self) -> None:
        self.request: Request | None = None
        """As far as its head has come, from its first line on."""
        self._authority: str | None = None
        self._octets = 0
        self._count = 0

    @property
    def too_long(self) -> Refusal:
        """What to say of a line that does not end."""
        if self.request is None:
            return Refusal(414, f"a request line has at most {MAX_LINE} octets")
        return Refusal(431, f"a field line has at most {MAX_LINE} octets")

    def line(self, line: bytes) -> Request | None:
        """The request, once its head is complete.  Empty lines before it do not count (RFC 9112 2.2)."""
        request = self.request
        if request is None:
            if line:
                self._request_line(line)
            return None
        if line:
            self._octets += len(line) + 2
            self._count += 1
            if self._octets > MAX_HEAD or self._count > MAX_FIELDS:
                raise Refusal(431, f"a head has at most {MAX_FIELDS} field lines of {MAX_HEAD} octets together")
            name, value = field_line(line)
            request.fields.setdefault(name, []).append(value)
            return None
        self._check_host(request)
        return request

    def _request_line(self, line: bytes) -> None:
        found = _REQUEST_LINE.fullmatch(line)
        if found is None:
            raise Refusal(400, "a request line is METHOD TARGET HTTP/1.1, with one space between its parts")
        method, target = (part.decode("ascii") for part in found.group(1, 2))
        major, minor = (int(part) for part in found.group(3, 4))
        if major != 1:
            raise Refusal(505, f"HTTP/{major} is not spoken here, but HTTP/1.1 is")
        path, self._authority = _parse_target(method, target)
        self.request = Request(method, path, min(minor, 1))

    def _check_host(self, request: Request) -> None:
        """RFC 9112 3.2: an HTTP/1.1 request has one valid Host; nobody may have two, or an invalid one."""
        hosts = request.fields.get("host", [])
        if len(hosts) > 1 or (not hosts and request.minor):
            raise Refusal(400, "a request has one Host field")
        for host in (*hosts, self._authority or ""):
            if _HOST.fullmatch(host) is None:
                raise Refusal(400, "Host is a name or an address, with or without a port")


def field_line(line: bytes) -> tuple[str, str]:
    """Name in lower case, and value."""
    found = _FIELD_LINE.fullmatch(line)
    if found is None:
        raise Refusal(400, _what_is_wrong(line))
    return found[1].decode("ascii").lower(), found[2].strip(b" \t").decode("latin-1")


def _what_is_wrong(line: bytes) -> str:
    if line[:1] in (b" ", b"\t"):
        return "field lines are not folded (RFC 9112 5.2)"
    name, colon, _ = line.partition(b":")
    if not colon:
        return "a field line has a colon"
    if _TOKEN.fullmatch(name) is None:
        return "a field name is a token, with its colon right behind it (RFC 9112 5.1)"
    return "a field value has no control characters"


def _parse_target(method: str, target: str) -> tuple[str, str | None]:
    """Path with query, and the authority if the target has one (RFC 9112 3.2)."""
    if "#" in target:
        raise Refusal(400, "a request target has no fragment")
    if target == "*":
        if method != "OPTIONS":
            raise Refusal(400, "the target * is for OPTIONS")
        return target, None
    if method == "CONNECT":
        raise Refusal(501, "this is no proxy: there is no CONNECT")
    authority = None
    if not target.startswith("/"):
        found = _ABSOLUTE.fullmatch(target)
        if found is None:
            raise Refusal(400, "a request target is a path that begins with /, or a whole URI")
        scheme, authority, path, query = found.groups()
        if scheme.lower() != "http":
            raise Refusal(421, f"{scheme} URIs are not served here")
        if not authority:
            raise Refusal(400, "an http URI names a host")
        target = (path or "/") + query
    return _ESCAPE.sub(_normalise, target), authority


def _normalise(escape: re.Match[str]) -> str:
    """Escapes of unreserved characters are equal to these, the rest is in upper case (RFC 3986 6.2.2)."""
    if escape[1] is None:
        raise Refusal(400, "% stands before two hexadecimal digits")
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
