"""How Winsock and POSIX systems present one stack: what is bound by itself, and what each condition is called.

Sources: the function pages of winsock2.h and the tests of Wine for Winsock; the manual pages of Linux for POSIX.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wsknet.errors import ErrorKind
from wsknet.scenario.outcomes import OUTCOME_OF_KIND


@dataclass(frozen=True)
class Manners:
    shows_unbound_name: bool
    """An unbound socket has the name 0.0.0.0:0; else asking for it is an error."""
    listens_unbound: bool
    """`listen` binds by itself."""
    receives_unbound: bool
    """A datagram socket that is not bound waits for ever; else receiving is an error."""
    has_exclusive: bool
    """SO_EXCLUSIVEADDRUSE, which excludes SO_REUSEADDR."""
    waits_while_connecting: bool
    """A send or receive waits until the connect has ended (EAGAIN if it may not); else it is an error."""
    binds_to_device: bool
    """SO_BINDTODEVICE."""
    words: dict[tuple[str, ErrorKind], str]
    """By operation and kind, with ``*`` for any operation, where the outcome is called otherwise than its kind."""

    def outcome(self, operation: str, kind: ErrorKind) -> str:
        for key in ((operation, kind), ("*", kind)):
            if key in self.words:
                return self.words[key]
        return OUTCOME_OF_KIND[kind]


_COMMON = {
    ("*", ErrorKind.INVALID_STATE): "invalid",
    ("send", ErrorKind.INVALID_STATE): "not-connected",
    ("receive", ErrorKind.INVALID_STATE): "not-connected",
    ("peer", ErrorKind.INVALID_STATE): "not-connected",
    ("finish", ErrorKind.INVALID_STATE): "not-connected",
}

WINSOCK = Manners(
    shows_unbound_name=False,
    listens_unbound=False,
    receives_unbound=False,
    has_exclusive=True,
    waits_while_connecting=False,
    binds_to_device=False,
    words=_COMMON,
)

POSIX = Manners(
    shows_unbound_name=True,
    listens_unbound=True,
    receives_unbound=True,
    has_exclusive=False,
    waits_while_connecting=True,
    binds_to_device=False,
    words={
        **_COMMON,
        # One number for what Windows tells apart, and two for what it calls the same.
        ("bind", ErrorKind.NO_PORTS): "in-use",
        ("*", ErrorKind.NO_PORTS): "not-local",
        ("connect", ErrorKind.IN_USE): "not-local",  # the 4-tuple: EADDRNOTAVAIL
        ("*", ErrorKind.PORT_UNREACHABLE): "refused",
        ("*", ErrorKind.BROADCAST_DENIED): "denied",
        ("listen", ErrorKind.INVALID_STATE): "invalid",
    },
)

LINUX = replace(POSIX, binds_to_device=True)
