"""What a session wants done below it (actions), and what it has to say above it (events)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from wsknet.types import Buffer


class Role(Enum):
    """Of exposed memory."""

    SOURCE = "the peer will read it"
    TARGET = "the peer will write it"


class Send(NamedTuple):
    """Answer with `Session.message_sent` once the provider is done with it.  The payload is not kept: copy it at once.

    `is_awaited`: tell as soon as that is so; otherwise at the next opportunity.
    """

    header: bytes
    payload: Buffer
    is_awaited: bool


class Expose(NamedTuple):
    """WSPRegisterRdmaMemory; answer with `Session.exposed`."""

    memory: memoryview
    role: Role


class Conceal(NamedTuple):
    """WSPDeregisterRdmaMemory."""

    descriptor: bytes


class Read(NamedTuple):
    """WSPRdmaRead; answer with `Session.has_read`."""

    memory: memoryview
    descriptor: bytes
    offset: int


class Write(NamedTuple):
    """WSPRdmaWrite; answer with `Session.has_written`."""

    memory: memoryview
    descriptor: bytes
    offset: int


Action: TypeAlias = Send | Expose | Conceal | Read | Write


class Opened(NamedTuple):
    """Both sides know of each other's buffers: first of all events, unless it fails before."""


class Readable(NamedTuple):
    """More bytes have come."""


class Writable(NamedTuple):
    """There is room again, after `write` had not taken all."""


class Finished(NamedTuple):
    """After the readable bytes comes the end of the stream."""


class Flushed(NamedTuple):
    """Our FIN, and all data before it, is with the peer."""


class Failed(NamedTuple):
    error: int


Event: TypeAlias = Opened | Readable | Writable | Finished | Flushed | Failed
