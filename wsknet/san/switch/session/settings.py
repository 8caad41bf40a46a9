"""What one side of a session brings along, and what it hears of the other in HELLO."""

from __future__ import annotations

from dataclasses import dataclass

from wsknet.san.switch.session.credits import FEWEST_BUFFERS
from wsknet.san.switch.session.faults import Fault
from wsknet.san.switch.session.messages import (
    CAN_READ,
    HEADER_SIZE,
    HELLO_LIMIT,
    HELLO_PAYLOAD,
    MOST_CREDITS,
    VERSION,
    Message,
)  # fmt: skip

MESSAGE_SIZE_LIMIT = 1 << 20
"""More is not used, whatever a provider could carry: each buffer is that large."""
DESCRIPTOR_LIMIT = 128
"""Bytes of an RDMA descriptor.  Ours: half the smallest message, so that each LARGE has room for data."""


@dataclass(frozen=True)
class Settings:
    """The sizes are bytes.  Ours where no option of the provider gives them."""

    can_read: bool = True
    """The provider has WSPRdmaRead."""
    message_size: int = 16_384
    """SO_MAX_MSG_SIZE of the provider, and the size of each buffer posted.  Brought between 256 and 1 MiB."""
    max_rdma: int = 1 << 20
    """SO_MAX_RDMA_SIZE."""
    threshold: int = 8_192
    """SO_RDMA_THRESHOLD_SIZE.  The larger one of both sides counts, so a huge one of either means messages only."""
    receive_buffers: int = 8
    """Posted for receiving; at least `FEWEST_BUFFERS`."""
    send_buffers: int = 8
    """For sending."""
    send_limit: int = 65_536
    """Bytes of copied data that may wait for being sent: SO_SNDBUF of the application's socket, 0 included."""
    receive_limit: int = 262_144
    """Bytes that wait unread before the peer is held back.  The messages that it may already send come on top."""

    @property
    def buffer_size(self) -> int:
        return min(max(self.message_size, HELLO_LIMIT), MESSAGE_SIZE_LIMIT)

    @property
    def posted(self) -> int:
        return min(max(self.receive_buffers, FEWEST_BUFFERS), MOST_CREDITS)

    @property
    def slots(self) -> int:
        return max(self.send_buffers, 1)

    @property
    def hello_payload(self) -> bytes:
        return HELLO_PAYLOAD.pack(VERSION, _u32(self.max_rdma))

    @property
    def hello_threshold(self) -> int:
        return _u32(self.threshold)


def _u32(number: int) -> int:
    return min(max(number, 1), 0xFFFF_FFFF)


@dataclass(frozen=True)
class Agreement:
    """What counts for both."""

    peer_can_read: bool
    peer_buffers: int
    capacity: int
    """Payload bytes of a message to the peer."""
    max_rdma: int
    threshold: int


def agree(own: Settings, hello: Message) -> Agreement | Fault:
    if len(hello.payload) != HELLO_PAYLOAD.size:
        return Fault.BAD_HELLO
    version, max_rdma = HELLO_PAYLOAD.unpack(hello.payload)
    if version != VERSION:
        return Fault.BAD_VERSION
    if hello.a < HELLO_LIMIT or not max_rdma:
        return Fault.BAD_HELLO
    if hello.credits < FEWEST_BUFFERS:
        return Fault.TOO_FEW_BUFFERS
    return Agreement(
        peer_can_read=bool(hello.flags & CAN_READ),
        peer_buffers=hello.credits,
        capacity=min(own.buffer_size, hello.a) - HEADER_SIZE,
        max_rdma=min(_u32(own.max_rdma), max_rdma),
        threshold=max(own.threshold, hello.b),
    )
