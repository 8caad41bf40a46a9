"""What goes on beside the stream sockets of a host: connects over a SAN that are under way, and companions that listen.

Of the host and not of a switch: a socket may have descriptors in several processes (WSPDuplicateSocket), and the one
that closes the last of them need not be the one that has connected it or made it listen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.host import Host
    from wsknet.san.base.sockets import Socket
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.connecting import Connecting
    from wsknet.san.switch.dll import Switch
    from wsknet.san.switch.listening import Listening


class Paths:
    """Driver lock held in every call."""

    def __init__(self) -> None:
        self._connecting: dict[Socket, Connecting] = {}
        self._listening: dict[Socket, Listening] = {}

    @classmethod
    def of(cls, host: Host) -> Paths:
        found: Paths = host.faces.setdefault(cls, cls())
        return found

    def connect(self, socket: StreamSocket, attempt: Connecting) -> None:
        self._connecting[socket] = attempt

    def listen(self, socket: StreamSocket, listening: Listening) -> bool:
        """False if it does already."""
        return self._listening.setdefault(socket, listening) is listening

    def end_connecting(self, socket: StreamSocket) -> None:
        self._connecting.pop(socket, None)

    def take(self, socket: Socket) -> list[Connecting | Listening]:
        """All that there is beside `socket`, which is being closed."""
        found = (self._connecting.pop(socket, None), self._listening.pop(socket, None))
        return [each for each in found if each is not None]

    def listening(self, switch: Switch) -> list[Listening]:
        """What `switch` has begun, in order of age."""
        return [each for each in self._listening.values() if each.switch is switch]

    def is_used(self, switch: Switch) -> bool:
        return any(each.switch is switch for each in self._all())

    def _all(self) -> Iterator[Connecting | Listening]:
        yield from self._connecting.values()
        yield from self._listening.values()
