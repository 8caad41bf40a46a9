"""A connection of the HTTP server without a network, and a strict reader of what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_128
from itertools import pairwise

from wsknet.apps.http.protocol import ServerConnection
from wsknet.apps.http.site import Site
from wsknet.apps.http.store import Bounds

NEW_YEAR = 1_767_225_600
DATE = re.compile("Thu, 01 Jan 2026 00:[0-9]{2}:[0-9]{2} GMT")
"""The morning of the epoch of virtual time."""
BOUNDS = Bounds(resource=1000, total=2500, resources=5)

PERIOD = shake_128(b"wsknet").digest(1_048_573)


def pattern(start: int, stop: int) -> bytes:
    """What /bytes/N has there."""
    at = start % len(PERIOD)
    return (PERIOD[at:] + PERIOD * ((stop - start) // len(PERIOD) + 1))[: stop - start]


@dataclass
class Received:
    status: int
    fields: dict[str, str]
    body: bytes


def make_site(bounds: Bounds = BOUNDS) -> Site:
    return Site(lambda: NEW_YEAR * 1_000_000_000, bounds)


class Client:
    def __init__(self, site: Site | None = None) -> None:
        self.site = site or make_site()
        self.server = ServerConnection(self.site)
        self.received = b""

    def send(self, data: bytes, cuts: Sequence[int] = ()) -> Client:
        """In pieces that end at `cuts`; reads what comes back all the time."""
        edges = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
        for start, stop in pairwise(edges):
            left = memoryview(data)[start:stop]
            while left:
                taken = self.server.take(left)
                self.read()
                left = left[taken:]
        return self

    def read(self) -> None:
        while piece := self.server.fetch():
            self.received += piece

    def close(self) -> Client:
        self.server.end_of_input()
        self.read()
        return self

    def answers(self, *methods: str) -> list[Received]:
        """What has been received; `methods` names those of the requests, as far as they are not GET."""
        found: list[Received] = []
        rest = self.received
        self.received = b""
        while rest:
            method = methods[len(found)] if len(found) < len(methods) else "GET"
            one, rest = read_answer(rest, method)
            if one.status != 100:
                found.append(one)
        return found


def ask(site: Site, method: str, path: str, *lines: str, content: bytes | None = None) -> Received:
    """One request on a connection of its own, and its only answer."""
    fields = ["Host: h", *lines, *([] if content is None else [f"Content-Length: {len(content)}"])]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode("latin-1")
    (answer,) = Client(site).send(head + (content or b"")).answers(method)
    return answer


def read_answer(data: bytes, method: str = "GET") -> tuple[Received, bytes]:
    """The first answer in `data`, checked for what every answer has to have, and the rest."""
    head, end, rest = data.partition(b"\r\n\r\n")
    assert end, data
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, status_text, phrase = status_line.split(" ", 2)
    status = int(status_text)
    assert version == "HTTP/1.1"
    assert phrase
    fields = {}
    for line in lines:
        name, value = line.split(": ", 1)
        assert name.lower() not in fields, line
        fields[name.lower()] = value
    if status == 100:
        assert not fields
        return Received(status, fields, b""), rest
    assert DATE.fullmatch(fields["date"])
    if status in (204, 304):
        assert "content-length" not in fields
        return Received(status, fields, b""), rest
    length = 0 if method == "HEAD" else int(fields["content-length"])
    assert len(rest) >= length, "cut off"
    return Received(status, fields, rest[:length]), rest[length:]
