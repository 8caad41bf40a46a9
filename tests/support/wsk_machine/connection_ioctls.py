"""IOCTLs of connections in random programs: the numbers of SIO_TCP_INFO, and what a filter has left behind."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.support.wsk_machine.sock import BOUND, CONNECTED, CREATED
from tests.support.wsk_machine.statuses import CONNECTION_ENDS
from wsknet.wsk import (
    SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_TCP_INFO,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
    TCPSTATE,
    TCP_INFO_v0,
    WskIoctl,
)
from wsknet.wsk.control.redirect import redirect, redirect_records

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.sock import Sock
    from tests.support.wsk_machine.streams import Stream

OF_CONNECTION = {
    TCPSTATE.TCPSTATE_ESTABLISHED, TCPSTATE.TCPSTATE_FIN_WAIT_1, TCPSTATE.TCPSTATE_FIN_WAIT_2,
    TCPSTATE.TCPSTATE_CLOSE_WAIT, TCPSTATE.TCPSTATE_CLOSING, TCPSTATE.TCPSTATE_LAST_ACK, TCPSTATE.TCPSTATE_TIME_WAIT,
    TCPSTATE.TCPSTATE_CLOSED,
}  # fmt: skip
BEFORE_FIN = (TCPSTATE.TCPSTATE_ESTABLISHED, TCPSTATE.TCPSTATE_CLOSE_WAIT)
RECORDS = (b"records", bytes(40))
ROOM = (0, 6, 64)


def query_info(stream: Stream, dice: Random) -> None:
    memory = bytearray(TCP_INFO_v0.SIZE)
    received = stream.received
    is_finishing = stream.is_finishing

    def then(call: Call) -> None:
        if not call.is_success:
            if call.Status not in CONNECTION_ENDS:
                stream.require(call, STATUS_SUCCESS)
            stream.is_broken = True
            return
        info = TCP_INFO_v0.cast(memory)
        if call.Information != len(memory):
            stream.fail(f"{call.Information} bytes of SIO_TCP_INFO")
        if info.State not in OF_CONNECTION or (not is_finishing and info.State not in BEFORE_FIN
                                               and not stream.is_finishing and not stream.is_broken):  # fmt: skip
            stream.fail(f"a connection in state {info.State}")
        if info.BytesOut > stream.sent or (not stream.is_drained and info.BytesIn < received):
            stream.fail(f"{info} after {stream.sent} bytes sent, {received} received")
        if info.BytesInFlight > info.BytesOut + 1:
            stream.fail(f"{info.BytesInFlight} of {info.BytesOut} bytes in flight")

    arguments = (WskIoctl, SIO_TCP_INFO, 0, 4, [0], len(memory), memory, None)
    stream.call("WskControlSocket", *arguments, then=then)


def be_redirected(sock: Sock, dice: Random) -> None:
    """What the filter of a lab does."""
    sock.redirection = dice.choice(RECORDS), dice.choice((None, b"context"))
    redirect(sock.handle, *sock.redirection)


def query_redirection(stream: Stream, dice: Random) -> None:
    """At PASSIVE_LEVEL only."""
    if stream.world.depth:
        return
    if stream.redirection is None and dice.random() < 0.6:
        be_redirected(stream, dice)
    for which in (0, 1):
        if not stream.is_closing:
            _query_redirection(stream, dice, which)


def _query_redirection(stream: Stream, dice: Random, which: int) -> None:
    code = (SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT)[which]
    left = None if stream.redirection is None else stream.redirection[which]
    room = dice.choice(ROOM)
    memory, needed = bytearray(room) if room else None, [0]

    def then(call: Call) -> None:
        if call.Status in CONNECTION_ENDS:
            stream.is_broken = True
        elif left is None:
            stream.require(call, STATUS_NOT_FOUND)
        elif len(left) > room:
            stream.require(call, STATUS_BUFFER_TOO_SMALL)
        else:
            stream.require(call, STATUS_SUCCESS)
        if call.Status not in (STATUS_SUCCESS, STATUS_BUFFER_TOO_SMALL) or left is None:
            return
        if needed != [len(left)]:
            stream.fail(f"{needed[0]} bytes of redirection, there are {len(left)}")
        if call.is_success and (memory is None or memory[: call.Information] != left):
            stream.fail("is redirected otherwise")

    stream.call("WskControlSocket", WskIoctl, code, 0, 0, None, room, memory, needed, then=then)


def set_records(stream: Stream, dice: Random) -> None:
    """Before it connects, at PASSIVE_LEVEL."""
    if stream.world.depth or stream.state not in (CREATED, BOUND):
        return
    records, before = dice.choice(RECORDS), stream.records
    stream.records = records

    def then(call: Call) -> None:
        stream.require(call, STATUS_SUCCESS)
        if call.is_success and not stream.is_closing and redirect_records(stream.handle) != stream.records:
            stream.fail("its redirect records are others")

    arguments = (WskIoctl, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, 0, len(records), records, 0, None, None)
    if stream.call("WskControlSocket", *arguments, then=then) is None:
        stream.records = before


def ioctl_moves(stream: Stream, dice: Random) -> None:
    moves = (query_info, query_redirection) if stream.state == CONNECTED else (set_records,)
    dice.choice(moves)(stream, dice)
