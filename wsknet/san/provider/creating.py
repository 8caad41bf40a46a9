"""WSPSocket: a companion for a stream socket of TCP/IP (SAN-6.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.arguments import asked_protocol
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_STREAM,
    WSAEAFNOSUPPORT,
    WSAENETDOWN,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESOCKTNOSUPPORT,
)
from wsknet.san.provider.duplicating import take_over
from wsknet.san.structures import WSAPROTOCOL_INFOW

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process


@answers(INVALID_SOCKET)
def WSPSocket(
    process: Process,
    af: int,
    type: int,  # noqa: A002  # its name in ws2spi.h
    protocol: int,
    lpProtocolInfo: WSAPROTOCOL_INFOW | None,
    g: int,
    dwFlags: int,
) -> int:
    """A descriptor.  FROM_PROTOCOL_INFO takes a value from `lpProtocolInfo`; of 0 the protocol is the only one there
    is.  Every socket is overlapped, whatever `dwFlags` says, and in no group.

    WSAENETDOWN: the NICs were removed, or WSPCleanup was called as often as WSPStartupEx.  It is no matter that they
    are down, since the address list is asked for through a socket.  WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT (no stream),
    WSAEPROTOTYPE (UDP), WSAEPROTONOSUPPORT, WSAENOBUFS (`SanPolicy.sockets_limit`), WSAEMFILE (the switch has no
    handle).  WSAEINVAL: `lpProtocolInfo` is of a duplicated socket that is no more.
    """
    with process.host.pump:
        process.check_running()
        if process.proxy.is_gone:
            raise WinsockError(WSAENETDOWN)
        info = lpProtocolInfo if isinstance(lpProtocolInfo, WSAPROTOCOL_INFOW) else process.protocol_info
        family, kind, chosen = asked_protocol(af, type, protocol, info)
        if family != AF_INET:
            raise WinsockError(WSAEAFNOSUPPORT)
        if kind != SOCK_STREAM:
            raise WinsockError(WSAESOCKTNOSUPPORT)
        if chosen not in (0, IPPROTO_TCP):
            raise WinsockError(WSAEPROTOTYPE if chosen == IPPROTO_UDP else WSAEPROTONOSUPPORT)
    if info.dwServiceFlags2:
        return take_over(process, info.dwServiceFlags2).descriptor
    return process.create_socket().descriptor
