"""Where a scenario takes place.

Hosts are emulated in virtual time (`virtual`), one of them on TAPs (`tap`), or all are the kernel's (`kernel`).  Each
offers the same: sockets by name, changes, tables, and the frames that were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from wsknet.scenario.schema import Change, Inject, OpenSocket
from wsknet.trace import Decision
from wsknet.types import Duration

if TYPE_CHECKING:
    from wsknet.host import Host


class Failed(Exception):  # noqa: N818 - an outcome, and not always an error
    """An operation ended otherwise than well; `outcome` is one of `outcomes`."""

    def __init__(self, outcome: str, detail: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail
        """A sentence for people, if there is one."""


class Attempt(Protocol):
    """An operation that may take time."""

    def poll(self) -> str | None:
        """Its outcome, `None` while there is none.  Raises `Failed`."""

    def give_up(self) -> str:
        """Time is over: what is to be told instead (``pending``, ``nothing``).  A request to receive is taken back."""


class Done:
    """An operation that has ended at once."""

    def __init__(self, outcome: str) -> None:
        self._outcome = outcome

    def poll(self) -> str:
        return self._outcome

    def give_up(self) -> str:
        return self._outcome


class Sockets(Protocol):
    """The sockets of one host, by the names that the scenario gives them.  Every method may raise `Failed`.

    Addresses are text as people write it, ``10.1.0.2:80`` and ``[fe80::1%if2]:80``, with ``0.0.0.0`` and ``[::]`` for
    the wildcard.
    """

    tells_why: bool
    """The kernel does not."""
    decisions: list[Decision]
    """Why the last operations went as they did, newest last; whoever reads them empties it."""

    def open(self, step: OpenSocket) -> None: ...
    def option(self, socket: str, name: str, value: bool | int | str) -> None: ...
    def bind(self, socket: str, to: str) -> Attempt: ...
    def listen(self, socket: str) -> None: ...
    def connect(self, socket: str, to: str | None) -> Attempt:
        """`None` takes the peer of a UDP socket back."""

    def accept(self, socket: str, named: str) -> Attempt:
        """The outcome is ``10.2.0.50:49152 at 10.2.0.2:80``: the peer, and our own name."""

    def send(self, socket: str, data: str, to: str | None, source: str, through: str) -> Attempt: ...
    def receive(self, socket: str) -> Attempt: ...
    def name(self, socket: str) -> str: ...
    def peer(self, socket: str) -> str: ...
    def path(self, socket: str) -> str:
        """The way that a connection goes: SAN or TCP/IP."""

    def default_destination(self, socket: str, to: str | None) -> None: ...
    def join(self, socket: str, group: str, interface: str) -> None: ...
    def route_query(self, socket: str, to: str) -> str: ...
    def address_list(self, socket: str) -> str: ...
    def finish(self, socket: str) -> None: ...
    def close(self, socket: str) -> None: ...
    def kill(self, socket: str) -> None:
        """Let it die under its owner, where the face knows of that."""

    def close_all(self) -> None:
        """At the end of a run."""


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame as it was sent into a link."""

    time: int
    """Nanoseconds since the beginning."""
    sender: str
    """``server.if1``"""
    text: str
    comment: str = ""
    """`said`, and the decision behind it."""
    said: str = ""
    """What is in it beyond what `text` says, as the describers of its interface know it."""

    @property
    def line(self) -> str:
        return f"{self.sender}: {self.text}"


class World(AbstractContextManager[Any], Protocol):
    """``with world: ...`` builds it, and takes it down."""

    @property
    def frames(self) -> Sequence[SeenFrame]:
        """All so far, in order."""

    def sockets(self, host: str) -> Sockets: ...

    def change(self, change: Change) -> None:
        """Raises `Failed` INVALID if the host refuses."""

    def inject(self, step: Inject) -> None: ...

    def table(self, host: str, show: str) -> list[str] | None:
        """`None` where it cannot be seen."""

    def emulated(self, host: str) -> Host:
        """Raises `Failed` INVALID for a host that is not."""

    def begin(self, step: str) -> None:
        """What follows happens because of `step`: captures say so."""

    def run_until(self, ready: Callable[[], bool], limit: Duration) -> bool:
        """Let time pass until `ready()`; False after `limit`."""

    def settle(self) -> None:
        """Let what was begun reach the other hosts, and their answers come back."""

    def pass_time(self, duration: Duration) -> None: ...
