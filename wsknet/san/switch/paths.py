"""What goes on beside the stream sockets of a host: connects and connections over a SAN, and companions that listen.

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
    from wsknet.san.switch.san_stream import SanStream
    from wsknet.types import Endpoint


class Paths:
    """Driver lock held in every call."""

    def __init__(self) -> None:
        self._connecting: dict[Socket, Connecting] = {}
        self._listening: dict[Socket, Listening] = {}
        self._streams: dict[tuple[Endpoint, Endpoint], SanStream] = {}

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

    def open(self, stream: SanStream) -> None:
        self._streams[stream.local, stream.remote] = stream

    def close(self, stream: SanStream) -> None:
        if self._streams.get((stream.local, stream.remote)) is stream:
            del self._streams[stream.local, stream.remote]

    def has_connection(self, local: Endpoint, remote: Endpoint) -> bool:
        """With these names, under way or established: TCP/IP, which would refuse another one, knows nothing of it."""
        stream = self._streams.get((local, remote))
        if stream is not None and stream.error is None:
            return True
        return any(each.ends == (local, remote) for each in self._connecting.values())

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
