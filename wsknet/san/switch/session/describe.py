"""A control message in the words of people, for captures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.switch.session.messages import CAN_READ, HEADER, HEADER_SIZE, URGENT, WRITTEN, AbortReason, Kind

if TYPE_CHECKING:
    from wsknet.types import Buffer

_ABORTS: dict[int, str] = {
    AbortReason.CLOSED: "closed",
    AbortReason.PROTOCOL: "broke the protocol",
    AbortReason.UNWANTED_DATA: "data came that nobody wants",
}


def describe_message(head: Buffer) -> str:
    """`head` are the first 16 bytes."""
    if len(head) < HEADER_SIZE:
        return "no control message"
    number, flags, new_buffers, length, a, b = HEADER.unpack_from(head)
    try:
        kind = Kind(number)
    except ValueError:
        return f"control message of kind {number}, which does not exist"
    buffers = f", {new_buffers} receive buffer{'s' * (new_buffers != 1)} posted" if new_buffers else ""
    return f"{kind.name}{_details(kind, flags, length, a, b)}{buffers}"


def _bytes(number: int) -> str:
    return f"{number} byte{'s' * (number != 1)}"


def _details(kind: Kind, flags: int, length: int, a: int, b: int) -> str:
    text = ""
    match kind:
        case Kind.HELLO:
            rdma = "reads and writes by RDMA" if flags & CAN_READ else "writes by RDMA"
            text = f", messages to {a} bytes, {rdma} above {b} bytes"
        case Kind.DATA:
            text = f", {_bytes(length)} of the application" + (", urgent" if flags & URGENT else "")
        case Kind.LARGE:
            how = "the rest to be read by RDMA" if b else "the rest by RDMA write"
            text = f", {_bytes(a)} of the application, {how}"
        case Kind.TARGET:
            text = f", {a} bytes may be written by RDMA"
        case Kind.DONE:
            text = ", written by RDMA" if flags & WRITTEN else ", read by RDMA"
        case Kind.ABORT:
            text = f", {_ABORTS.get(a, 'unknown reason')}"
    return text
