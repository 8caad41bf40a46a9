"""What there is to get and to put, and the answers to requests for it (RFC 9110 9, 15)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar, Protocol

from wsknet.apps.http.contents import Octets, Pattern
from wsknet.apps.http.messages import Answer, Refusal, Request, text_answer
from wsknet.apps.http.ranges import answer_get
from wsknet.apps.http.representations import Representation, check_conditions
from wsknet.apps.http.store import Bounds, Filling, Store

KNOWN_METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "PATCH", "TRACE")
"""Others are answered with 501, these with 405 where they are not of use (RFC 9110 9.1)."""
MAX_BYTES = (1 << 63) - 1
BINARY = "application/octet-stream"

_SIZE = re.compile(r"/bytes/([0-9]{1,19})([KMG]?)")
_SHIFT = {"": 0, "K": 10, "M": 20, "G": 30}
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[ -~\t]*)?")

INDEX = b"""<!DOCTYPE html>
<html lang="en"><title>wsknet</title>
<h1>wsknet serves</h1>
<dl>
<dt><a href="/bytes/1M">/bytes/N</a><dd>N bytes, which may be read in ranges; K, M and G stand for 2^10, 2^20 and 2^30
<dt><a href="/time">/time</a><dd>the time of day of this host
<dt>/discard<dd>takes a PUT of any size, and answers with the number of bytes and their SHA-256
<dt>any other path<dd>keeps in memory what is PUT there, until DELETE
</dl>
"""


class Upload(Protocol):
    """Takes the content of a request as it comes."""

    def write(self, data: memoryview) -> None:
        """Raises the `Refusal` for content that there is no room for."""

    def finish(self) -> Answer:
        """All of it is there."""


class Discarding:
    def __init__(self) -> None:
        self._count = 0
        self._digest = sha256()

    def write(self, data: memoryview) -> None:
        self._count += len(data)
        self._digest.update(data)

    def finish(self) -> Answer:
        return text_answer(200, f"{self._count} {self._digest.hexdigest()}\n", ("Cache-Control", "no-store"))


class Putting:
    """The resource is there when all of it is; until then what was there before is."""

    def __init__(self, store: Store, request: Request, media_type: str) -> None:
        self._store = store
        self._request = request
        self._media_type = media_type
        self._filling = Filling(store, request.path)

    def write(self, data: memoryview) -> None:
        self._filling.write(data)

    def finish(self) -> Answer:
        path = self._request.path
        before = self._store.get(path)
        check_conditions(self._request, before)  # others may have put something there meanwhile
        made = self._store.put(path, self._filling, self._media_type)
        assert made.etag is not None
        if before is not None:
            return Answer(204, [("ETag", made.etag)])
        return text_answer(201, "created\n", ("Location", path), ("ETag", made.etag))


@dataclass(frozen=True)
class Resource:
    represent: Callable[[], Representation | None] = lambda: None
    upload: Callable[[Request, int | None], Upload] | None = None
    """Given the request and the length of its content, if that is known."""
    remove: Callable[[], bool] | None = None
    is_readable: bool = True

    @property
    def methods(self) -> str:
        reading = ["GET", "HEAD"] if self.is_readable else []
        put = ["PUT"] if self.upload is not None else []
        delete = ["DELETE"] if self.remove is not None else []
        return ", ".join([*reading, *put, *delete, "OPTIONS"])


class Site:
    """`clock` gives nanoseconds since 1970."""

    ALL_METHODS: ClassVar[str] = "GET, HEAD, PUT, DELETE, OPTIONS"

    def __init__(self, clock: Callable[[], int], bounds: Bounds | None = None) -> None:
        self.clock = clock
        self.store = Store(bounds or Bounds())
        index = Representation(Octets(INDEX), "text/html; charset=utf-8", f'"{sha256(INDEX).hexdigest()[:32]}"')
        self._fixed = {
            "/": Resource(lambda: index),
            "/time": Resource(self._time),
            "/discard": Resource(upload=lambda request, length: Discarding(), is_readable=False),
        }

    def respond(self, request: Request, length: int | None) -> Answer | Upload:
        """An upload wants the content of the request first; it is of `length` octets, `None`: nobody knows.

        Raises the `Refusal`.
        """
        method = request.method
        if method not in KNOWN_METHODS:
            raise Refusal(501, f"the method {method} is not known here")
        if request.path == "*":
            return Answer(204, [("Allow", self.ALL_METHODS)])
        resource = self._find(request.path)
        if method not in resource.methods.split(", "):
            raise Refusal(405, f"{method} is not for this resource", ("Allow", resource.methods))
        if method == "OPTIONS":
            return Answer(204, [("Allow", resource.methods)])
        current = resource.represent()
        if current is None and method in ("GET", "HEAD", "DELETE"):
            raise Refusal(404, "there is nothing of this name")
        if not check_conditions(request, current):
            assert current is not None
            return Answer(304, current.fields)
        if resource.upload is not None and method == "PUT":
            return resource.upload(request, length)
        if resource.remove is not None and method == "DELETE":
            resource.remove()
            return Answer(204)
        assert current is not None
        return answer_get(request, current)

    def _find(self, path: str) -> Resource:
        name = path.partition("?")[0]
        if name in self._fixed:
            return self._fixed[name]
        if name.startswith("/bytes/"):
            return Resource(lambda: _generated(name))
        store = self.store
        return Resource(lambda: store.get(path), self._put, lambda: store.remove(path))

    def _time(self) -> Representation:
        seconds, nanoseconds = divmod(self.clock(), 1_000_000_000)
        text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z\n"
        return Representation(Octets(text.encode()), "text/plain")

    def _put(self, request: Request, length: int | None) -> Upload:
        """RFC 9110 9.3.4."""
        if "content-range" in request.fields:
            raise Refusal(400, "a part of a resource cannot be put (RFC 9110 14.5)")
        if "content-encoding" in request.fields:
            raise Refusal(415, "resources are kept without content codings")
        media_type = request.get("content-type") or BINARY
        if len(media_type) > 255 or _MEDIA_TYPE.fullmatch(media_type) is None:
            raise Refusal(415, "Content-Type is a media type of at most 255 characters")
        self.store.check_room(request.path, length or 0)
        return Putting(self.store, request, media_type)


def _generated(path: str) -> Representation | None:
    found = _SIZE.fullmatch(path)
    if found is None:
        return None
    length = int(found[1]) << _SHIFT[found[2]]
    return Representation(Pattern(length), BINARY, f'"bytes-{length}"') if length <= MAX_BYTES else None
