"""The session protocol between two Windows Sockets switches, without any input or output (SAN-6.6)."""

from wsknet.san.switch.session.actions import (
    Action,
    Conceal,
    Event,
    Expose,
    Failed,
    Finished,
    Flushed,
    Opened,
    Read,
    Readable,
    Send,
    Writable,
    Write,
)  # fmt: skip
from wsknet.san.switch.session.faults import Fault
from wsknet.san.switch.session.session import Session
from wsknet.san.switch.session.settings import Settings

__all__ = [
    "Action", "Conceal", "Event", "Expose", "Failed", "Fault", "Finished", "Flushed", "Opened", "Read", "Readable",
    "Send", "Session", "Settings", "Writable", "Write",
]  # fmt: skip
