"""What a resource is at the moment, and what is asked of that before anything is done (RFC 9110 8.8, 13)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wsknet.apps.http.contents import Content
from wsknet.apps.http.messages import Refusal, Request

_TAGS = re.compile(r'(?:(?:W/)?"[!#-~\x80-\xff]*"|[ \t,])*')
_TAG = re.compile(r'(W/)?("[!#-~\x80-\xff]*")')


@dataclass(frozen=True)
class Representation:
    content: Content
    media_type: str
    etag: str | None = None
    """Strong, with its quotation marks.  `None`: the content is another one each time, and no part of it can be had."""

    @property
    def has_ranges(self) -> bool:
        return self.etag is not None

    @property
    def fields(self) -> list[tuple[str, str]]:
        if self.etag is None:
            return [("Cache-Control", "no-store")]
        return [("ETag", self.etag), ("Accept-Ranges", "bytes")]


def check_conditions(request: Request, current: Representation | None) -> bool:
    """False: the client has what it asks for (304).  Raises the `Refusal` for a condition that does not hold.

    RFC 9110 13.2.2; conditions about dates are passed over, as no resource has one (13.1.3, 13.1.4).
    """
    if "if-match" in request.fields and not _matches(request, "if-match", current, is_weak=False):
        raise Refusal(412, "If-Match does not hold")
    if "if-none-match" in request.fields and _matches(request, "if-none-match", current, is_weak=True):
        if request.method in ("GET", "HEAD"):
            return False
        raise Refusal(412, "If-None-Match does not hold")
    return True


def _matches(request: Request, name: str, current: Representation | None, *, is_weak: bool) -> bool:
    value = request.get(name) or ""
    if value == "*":
        return current is not None
    if _TAGS.fullmatch(value) is None:
        raise Refusal(400, f"{name} is * or a list of entity tags")
    if current is None or current.etag is None:
        return False
    return any(tag == current.etag and (is_weak or not weak) for weak, tag in _TAG.findall(value))
