"""How sockets of random programs come to be: WskSocket of every category, and WskSocketConnect."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine.addresses import ADDRESSES, OTHER, local_address, remote_address
from tests.support.wsk_machine.datagrams import DATAGRAM_EVENTS, Datagrams, Raw
from tests.support.wsk_machine.listeners import LISTEN_EVENTS, STREAM_EVENTS, Both, Listener
from tests.support.wsk_machine.options import option_moves
from tests.support.wsk_machine.sock import Move, Sock
from tests.support.wsk_machine.streams import CONNECTION_EVENTS, Stream
from wsknet.wsk import (
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    simple,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.party import Party

EXPERIMENTAL = 253
"""Protocol number for tests (RFC 3692)."""


class Basic(Sock):
    def moves(self) -> list[Move]:
        return [option_moves(self)]


KINDS: dict[str, tuple[type[Sock], int, int, int, Any]] = {
    "basic": (Basic, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_BASIC_SOCKET, None),
    "listening": (Listener, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, LISTEN_EVENTS),
    "connection": (Stream, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, CONNECTION_EVENTS),
    "datagram": (Datagrams, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, DATAGRAM_EVENTS),
    "raw": (Raw, SOCK_RAW, EXPERIMENTAL, WSK_FLAG_DATAGRAM_SOCKET, DATAGRAM_EVENTS),
    "stream": (Both, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_STREAM_SOCKET, STREAM_EVENTS),
}


def open_socket(party: Party, kind: str, family: int, seed: int, then: Any = None) -> None:
    make, SocketType, Protocol, Flags, events = KINDS[kind]
    sock = make(party, family, seed)

    def opened(call: Call) -> None:
        if call.is_success:
            sock.handle = call.Information
            party.sockets.append(sock)
            if then is not None:
                then(sock)

    owner = (None, None, None)
    context = None if kind == "basic" else sock
    arguments = (party.provider.Client, family, SocketType, Protocol, Flags, context, events, *owner)
    party.call(f"{sock.name}.WskSocket({kind}, {family})", party.provider.Dispatch.WskSocket, *arguments, then=opened)


def open_connected(party: Party, family: int, seed: int, port: int = 0) -> None:
    """With `port`, to the other host."""
    stream = Stream(party, family, seed)
    dice = Random(seed)
    local = local_address(party.host.name, family, dice, (0, 0, 5002))
    if port:
        remote: Any = simple.address(ADDRESSES[OTHER[party.host.name]][family], port)
    else:
        remote = remote_address(party.host.name, family, dice)
    stream.begin(remote)

    def opened(call: Call) -> None:
        if call.is_success:
            stream.handle = call.Information
            party.sockets.append(stream)
            stream._connected(call)

    arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, stream, CONNECTION_EVENTS, None, None, None)
    name = f"{stream.name}.WskSocketConnect()"
    party.call(name, party.provider.Dispatch.WskSocketConnect, party.provider.Client, *arguments, then=opened)
