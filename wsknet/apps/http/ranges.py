"""Range requests (RFC 9110 14)."""

from __future__ import annotations

import re
from itertools import pairwise

from wsknet.apps.http.contents import Slice
from wsknet.apps.http.messages import Answer, Refusal, Request
from wsknet.apps.http.representations import Representation

MAX_RANGES = 16
"""RFC 9110 14.2 lets a server pass over a Range that asks for many small ones, or for the same more than once."""
BOUNDARY = "wsknet-byteranges-3f29c1d7a5b84e60"
"""Between the parts.  Fixed, so that the same request has the same answer."""

_RANGE = re.compile(r"([0-9]{1,40})-([0-9]{1,40})?|-([0-9]{1,40})")


def whole(representation: Representation) -> Answer:
    content = representation.content
    body: list[bytes | Slice] = [Slice(content, 0, content.length)] if content.length else []
    fields = [("Content-Type", representation.media_type), *representation.fields]
    return Answer(200, fields, body, content.length)


def answer_get(request: Request, representation: Representation) -> Answer:
    """200, or 206 with the ranges that were asked for; raises the `Refusal` for ranges beyond the end."""
    if not representation.has_ranges or request.method != "GET" or not _range_applies(request, representation):
        return whole(representation)
    length = representation.content.length
    ranges = parse_ranges(request.get("range") or "", length)
    if ranges is None:
        return whole(representation)
    if not ranges:
        raise Refusal(416, f"there are {length} octets", ("Content-Range", f"bytes */{length}"))
    if len(ranges) > 1:
        return _multipart(representation, ranges)
    ((start, stop),) = ranges
    fields = [
        ("Content-Type", representation.media_type),
        ("Content-Range", f"bytes {start}-{stop - 1}/{length}"),
        *representation.fields,
    ]
    return Answer(206, fields, [Slice(representation.content, start, stop)], stop - start)


def parse_ranges(value: str, length: int) -> list[tuple[int, int]] | None:
    """Those that can be had of `length` octets, as (first, one beyond the last); `None`: pass over the field."""
    unit, equals, specifiers = value.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    asked = [part.strip(" \t") for part in specifiers.split(",")]
    asked = [part for part in asked if part]
    if not 1 <= len(asked) <= MAX_RANGES:
        return None
    ranges = []
    for part in asked:
        found = _RANGE.fullmatch(part)
        if found is None:
            return None
        first, last, suffix = found.groups()
        if suffix is not None:
            start, stop = max(length - int(suffix), 0), length
        else:
            start, stop = int(first), length if last is None else min(int(last) + 1, length)
            if last is not None and int(last) < start:
                return None
        if start < stop:
            ranges.append((start, stop))
    in_order = sorted(ranges)
    if any(before[1] > after[0] for before, after in pairwise(in_order)):
        return None
    return ranges


def _range_applies(request: Request, representation: Representation) -> bool:
    """RFC 9110 13.1.5: with If-Range only if that is our strong entity tag; dates are not given, so none is ours."""
    if "range" not in request.fields:
        return False
    condition = request.get("if-range")
    return condition is None or condition == representation.etag


def _multipart(representation: Representation, ranges: list[tuple[int, int]]) -> Answer:
    """RFC 9110 14.6."""
    content = representation.content
    body: list[bytes | Slice] = []
    total = 0
    line_end = ""
    for start, stop in ranges:
        head = (
            f"{line_end}--{BOUNDARY}\r\nContent-Type: {representation.media_type}\r\n"
            f"Content-Range: bytes {start}-{stop - 1}/{content.length}\r\n\r\n"
        ).encode("latin-1")
        body += [head, Slice(content, start, stop)]
        total += len(head) + stop - start
        line_end = "\r\n"
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    fields = [("Content-Type", f"multipart/byteranges; boundary={BOUNDARY}"), *representation.fields]
    return Answer(206, fields, [*body, end], total + len(end))
