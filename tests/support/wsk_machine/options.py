"""Options and IOCTLs of random programs: every row is read, and what was read is set again."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine.addresses import remote_address
from tests.support.wsk_machine.sock import CREATED
from wsknet.wsk import (
    IP_MULTICAST_LOOP,
    IPPROTO_IP,
    IPPROTO_TCP,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    SO_BROADCAST,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_WSK_SECURITY,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    TCP_FASTOPEN,
    TCP_NODELAY,
    WSK_RELEASE_SD,
    WskGetOption,
    WskIoctl,
    WskSetOption,
)
from wsknet.wsk.control.options import OPTIONS

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.sock import Move, Sock

ROWS = sorted(OPTIONS)
SWITCHES = (
    (SOL_SOCKET, SO_REUSEADDR), (SOL_SOCKET, SO_EXCLUSIVEADDRUSE), (SOL_SOCKET, SO_KEEPALIVE),
    (SOL_SOCKET, SO_BROADCAST), (IPPROTO_TCP, TCP_NODELAY), (IPPROTO_TCP, TCP_FASTOPEN),
    (IPPROTO_IP, IP_MULTICAST_LOOP),
)  # fmt: skip
BACKLOGS = (SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, SIO_WSK_QUERY_RECEIVE_BACKLOG)
ROOM = 256


def option_moves(sock: Sock) -> Move:
    moves = (_get, _get, _switch, _receive_buffer, _query, _await_change)
    return lambda dice: dice.choice(moves)(sock, dice)


def may_set(sock: Sock, Level: int, Option: int) -> bool:
    return sock.state == CREATED or not OPTIONS[Level, Option].is_before_bind


def _get(sock: Sock, dice: Random) -> None:
    Level, Option = dice.choice(ROWS)
    if (Level, Option) == (SOL_SOCKET, SO_WSK_SECURITY):
        _get_security(sock)
        return
    is_list = dice.random() < 0.8
    size = 4 if is_list else ROOM
    output: Any = [0] if is_list else bytearray(ROOM)

    def then(call: Call) -> None:
        if call.is_success and not 0 <= call.Information <= size:
            sock.fail(f"{call.Information} bytes of an option of {size}")
        is_read = call.is_success and call.Information == 4 and is_list
        if (
            is_read
            and not sock.is_closing
            and may_set(sock, Level, Option)
            and sock.world.may_act()
            and sock.dice.random() < 0.5
        ):
            sock.call("WskControlSocket", WskSetOption, Option, Level, 4, output, 0, None, None)

    sock.call("WskControlSocket", WskGetOption, Option, Level, 0, None, size, output, None, then=then)


def _get_security(sock: Sock) -> None:
    output: list[Any] = [None]

    def then(call: Call) -> None:
        if call.is_success and output[0] is not None:
            status = sock.party.application.control(WSK_RELEASE_SD, 8, output, 0, None, None)
            if status != 0:
                sock.fail(f"WSK_RELEASE_SD: {status.name}")

    sock.call("WskControlSocket", WskGetOption, SO_WSK_SECURITY, SOL_SOCKET, 0, None, 8, output, None, then=then)


def _switch(sock: Sock, dice: Random) -> None:
    Level, Option = dice.choice(SWITCHES)
    if may_set(sock, Level, Option):
        sock.call("WskControlSocket", WskSetOption, Option, Level, 4, [dice.choice((0, 1, 1))], 0, None, None)


def _receive_buffer(sock: Sock, dice: Random) -> None:
    size = dice.choice((1000, 5000, 65536, 1 << 20))
    sock.call("WskControlSocket", WskSetOption, SO_RCVBUF, SOL_SOCKET, 4, [size], 0, None, None)


def _query(sock: Sock, dice: Random) -> None:
    codes = (SIO_ROUTING_INTERFACE_QUERY, SIO_ADDRESS_LIST_QUERY)
    code = dice.choice(BACKLOGS if sock.is_connected and dice.random() < 0.5 else codes)
    if code == SIO_ADDRESS_LIST_QUERY:
        if not sock.world.depth:
            output, needed = bytearray(dice.choice((1, 1000))), [0]
            sock.functions.WskControlSocket(sock.handle, WskIoctl, code, 0, 0, None, len(output), output, needed, None)
        return
    size, target = 0, None
    answer: Any = [0]
    if code == SIO_ROUTING_INTERFACE_QUERY:
        target, answer = remote_address(sock.party.host.name, sock.family, dice), SOCKADDR_STORAGE()
        size = len(bytes(target))
    room = len(bytes(answer)) if target is not None else 8
    sock.call("WskControlSocket", WskIoctl, code, 0, size, target, room, answer, None)


def _await_change(sock: Sock, dice: Random) -> None:
    if dice.random() < 0.5:
        target = remote_address(sock.party.host.name, sock.family, dice)
        arguments = (SIO_ROUTING_INTERFACE_CHANGE, 0, len(bytes(target)), target, 0, None, None)
    elif sock.world.depth:
        return
    else:
        arguments = (SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    sock.call("WskControlSocket", WskIoctl, *arguments)
