"""What an application calls: the functions of winsock2.h, under their names and with their arguments.

    process = Winsock(host)
    process.WSAStartup(MAKEWORD(2, 2), WSADATA())
    s = process.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    if process.connect(s, SOCKADDR_IN(parse_address("10.0.0.2"), 80), SIZE) == SOCKET_ERROR:
        print(name_of(process.WSAGetLastError()))

Nothing raises, whatever the arguments: a function that fails returns SOCKET_ERROR, INVALID_SOCKET or False, and
WSAGetLastError tells why.  `const char *` is bytes-like, `char *` a bytearray, a pointer to a number an `INT`, NULL is
`None`, an fd_set a list of sockets.  A call that has to wait blocks its thread through the driver of the host: not from
a completion.  Codes are those that the pages of the functions list; the provider below decides which.
"""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, Any

from wsknet.san.arguments import is_pointer_to_number
from wsknet.san.numbers import (
    FIONBIO,
    HIBYTE,
    INVALID_SOCKET,
    LOBYTE,
    MAKEWORD,
    NO_ERROR,
    SOCKET_ERROR,
    WSA_FLAG_OVERLAPPED,
    WSAEFAULT,
    WSANOTINITIALISED,
    WSAVERNOTSUPPORTED,
)
from wsknet.san.structures import INT, LINGER, WSABUF, WSADATA
from wsknet.san.switch.dll import Switch
from wsknet.san.ws2_events import EventFunctions
from wsknet.san.ws2_select import select

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.san.base.provider import TcpipProvider

HIGHEST_VERSION = (2, 2)
_VERSIONS = ((2, 2), (2, 1), (2, 0), (1, 1), (1, 0))
_VALUE_SIZE = 4
"""Of an int and of a struct linger."""


class Winsock(EventFunctions):
    """One process on `host`.

    `load` makes the provider that it has loaded between WSAStartup and the last WSACleanup: the switch unless told, or
    `TcpipProvider` for a machine without one.
    """

    def __init__(self, host: Host, load: Callable[[Host], TcpipProvider] = Switch) -> None:
        self.host = host
        self.provider: TcpipProvider | None = None
        """While it is loaded."""
        self._load = load
        self._references = 0
        self._thread = local()

    # Begin and end

    def WSAStartup(self, wVersionRequested: Any, lpWSAData: Any) -> int:
        """Zero, or the error itself: WSAVERNOTSUPPORTED below 1.0, WSAEFAULT."""
        wanted = _version(wVersionRequested)
        version = next((each for each in _VERSIONS if wanted is not None and each <= wanted), None)
        if version is None:
            return WSAVERNOTSUPPORTED
        if not isinstance(lpWSAData, WSADATA):
            return WSAEFAULT
        if self.provider is None:
            self.provider = self._load(self.host)
        self._references += 1
        lpWSAData.wVersion = MAKEWORD(*version)
        lpWSAData.wHighVersion = MAKEWORD(*HIGHEST_VERSION)
        lpWSAData.szDescription = "WinSock 2.0"
        lpWSAData.szSystemStatus = "Running"
        return NO_ERROR

    def WSACleanup(self) -> int:
        """With the last one sockets that are open are reset, and calls that wait are cancelled.  WSANOTINITIALISED."""
        if self.provider is None:
            return self._fail(WSANOTINITIALISED)
        if self._references > 1:
            self._references -= 1
            return NO_ERROR
        answer = self._call("lpWSPCleanup", SOCKET_ERROR)
        self._references = 0
        self.provider = None
        return answer

    def WSAGetLastError(self) -> int:
        """Of the calling thread; a call that succeeds leaves it as it is."""
        return int(getattr(self._thread, "error", NO_ERROR))

    def WSASetLastError(self, iError: int) -> None:
        self._thread.error = iError

    # Sockets and names

    def socket(self, af: Any, type_: Any, protocol: Any) -> int:
        """An overlapped one, as in Windows Sockets 2."""
        return self.WSASocketW(af, type_, protocol, None, 0, WSA_FLAG_OVERLAPPED)

    def WSASocketW(self, af: Any, type_: Any, protocol: Any, lpProtocolInfo: Any, g: Any, dwFlags: Any) -> int:
        return self._call("lpWSPSocket", INVALID_SOCKET, af, type_, protocol, lpProtocolInfo, g, dwFlags)

    def WSADuplicateSocketW(self, s: Any, dwProcessId: Any, lpProtocolInfo: Any) -> int:
        return self._call("lpWSPDuplicateSocket", SOCKET_ERROR, s, dwProcessId, lpProtocolInfo)

    def bind(self, s: Any, name: Any, namelen: Any) -> int:
        return self._call("lpWSPBind", SOCKET_ERROR, s, name, namelen)

    def listen(self, s: Any, backlog: Any) -> int:
        return self._call("lpWSPListen", SOCKET_ERROR, s, backlog)

    def connect(self, s: Any, name: Any, namelen: Any) -> int:
        return self.WSAConnect(s, name, namelen, None, None, None, None)

    def WSAConnect(
        self, s: Any, name: Any, namelen: Any, lpCallerData: Any, lpCalleeData: Any, lpSQOS: Any, lpGQOS: Any
    ) -> int:
        more = (lpCallerData, lpCalleeData, lpSQOS, lpGQOS)
        return self._call("lpWSPConnect", SOCKET_ERROR, s, name, namelen, *more)

    def accept(self, s: Any, addr: Any, addrlen: Any) -> int:
        return self.WSAAccept(s, addr, addrlen, None, 0)

    def WSAAccept(self, s: Any, addr: Any, addrlen: Any, lpfnCondition: Any, dwCallbackData: Any) -> int:
        return self._call("lpWSPAccept", INVALID_SOCKET, s, addr, addrlen, lpfnCondition, dwCallbackData)

    def getsockname(self, s: Any, name: Any, namelen: Any) -> int:
        return self._call("lpWSPGetSockName", SOCKET_ERROR, s, name, namelen)

    def getpeername(self, s: Any, name: Any, namelen: Any) -> int:
        return self._call("lpWSPGetPeerName", SOCKET_ERROR, s, name, namelen)

    def shutdown(self, s: Any, how: Any) -> int:
        return self._call("lpWSPShutdown", SOCKET_ERROR, s, how)

    def WSASendDisconnect(self, s: Any, lpOutboundDisconnectData: Any) -> int:
        return self._call("lpWSPSendDisconnect", SOCKET_ERROR, s, lpOutboundDisconnectData)

    def WSARecvDisconnect(self, s: Any, lpInboundDisconnectData: Any) -> int:
        return self._call("lpWSPRecvDisconnect", SOCKET_ERROR, s, lpInboundDisconnectData)

    def closesocket(self, s: Any) -> int:
        return self._call("lpWSPCloseSocket", SOCKET_ERROR, s)

    # Data

    def send(self, s: Any, buf: Any, len_: Any, flags: Any) -> int:
        """How many bytes were sent."""
        lpSent = INT()
        return self._counted(lpSent, self.WSASend(s, _one(buf, len_), 1, lpSent, flags, None, None))

    def sendto(self, s: Any, buf: Any, len_: Any, flags: Any, to: Any, tolen: Any) -> int:
        lpSent = INT()
        return self._counted(lpSent, self.WSASendTo(s, _one(buf, len_), 1, lpSent, flags, to, tolen, None, None))

    def recv(self, s: Any, buf: Any, len_: Any, flags: Any) -> int:
        """How many bytes were received; 0: the peer has finished.  Of a datagram that was longer WSAEMSGSIZE, and the
        beginning is in `buf`."""
        lpReceived = INT()
        return self._counted(lpReceived, self.WSARecv(s, _one(buf, len_), 1, lpReceived, INT(flags), None, None))

    def recvfrom(self, s: Any, buf: Any, len_: Any, flags: Any, from_: Any, fromlen: Any) -> int:
        lpReceived = INT()
        more = (INT(flags), from_, fromlen, None, None)
        return self._counted(lpReceived, self.WSARecvFrom(s, _one(buf, len_), 1, lpReceived, *more))

    def WSASend(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesSent: Any,
        dwFlags: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
    ) -> int:
        more = (lpNumberOfBytesSent, dwFlags, lpOverlapped, lpCompletionRoutine, None)
        return self._call("lpWSPSend", SOCKET_ERROR, s, lpBuffers, dwBufferCount, *more)

    def WSASendTo(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesSent: Any,
        dwFlags: Any,
        lpTo: Any,
        iToLen: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
    ) -> int:
        more = (lpNumberOfBytesSent, dwFlags, lpTo, iToLen, lpOverlapped, lpCompletionRoutine, None)
        return self._call("lpWSPSendTo", SOCKET_ERROR, s, lpBuffers, dwBufferCount, *more)

    def WSARecv(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesRecvd: Any,
        lpFlags: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
    ) -> int:
        more = (lpNumberOfBytesRecvd, lpFlags, lpOverlapped, lpCompletionRoutine, None)
        return self._call("lpWSPRecv", SOCKET_ERROR, s, lpBuffers, dwBufferCount, *more)

    def WSARecvFrom(
        self,
        s: Any,
        lpBuffers: Any,
        dwBufferCount: Any,
        lpNumberOfBytesRecvd: Any,
        lpFlags: Any,
        lpFrom: Any,
        lpFromlen: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
    ) -> int:
        more = (lpNumberOfBytesRecvd, lpFlags, lpFrom, lpFromlen, lpOverlapped, lpCompletionRoutine, None)
        return self._call("lpWSPRecvFrom", SOCKET_ERROR, s, lpBuffers, dwBufferCount, *more)

    def _counted(self, lpCount: INT, answer: int) -> int:
        return int(lpCount.Value) if answer == NO_ERROR else answer

    def WSAGetOverlappedResult(self, s: Any, lpOverlapped: Any, lpcbTransfer: Any, fWait: Any, lpdwFlags: Any) -> bool:
        """WSA_IO_INCOMPLETE while it is under way, unless `fWait`; else what the operation has failed with."""
        more = (lpOverlapped, lpcbTransfer, fWait, lpdwFlags)
        return bool(self._call("lpWSPGetOverlappedResult", False, s, *more))

    def select(self, nfds: Any, readfds: Any, writefds: Any, exceptfds: Any, timeout: Any) -> int:
        """How many sockets the lists hold afterwards: those that are ready.  `nfds` is not looked at."""
        if self.provider is None:
            return self._fail(WSANOTINITIALISED)
        found = select(self.provider, (readfds, writefds, exceptfds), timeout)
        return found if found >= 0 else self._fail(-found)

    # Options and controls

    def setsockopt(self, s: Any, level: Any, optname: Any, optval: Any, optlen: Any) -> int:
        """`optval` is an `INT`, a `LINGER`, or bytes-like."""
        return self._call("lpWSPSetSockOpt", SOCKET_ERROR, s, level, optname, _memory_of(optval), optlen)

    def getsockopt(self, s: Any, level: Any, optname: Any, optval: Any, optlen: Any) -> int:
        """`optval` is an `INT`, a `LINGER`, or a bytearray."""
        memory = bytearray(_VALUE_SIZE) if isinstance(optval, INT | LINGER) else optval
        answer = self._call("lpWSPGetSockOpt", SOCKET_ERROR, s, level, optname, memory, optlen)
        if answer == NO_ERROR and isinstance(optval, INT):
            optval.Value = int.from_bytes(memory, "little")
        elif answer == NO_ERROR and isinstance(optval, LINGER):
            optval.l_onoff = int.from_bytes(memory[:2], "little")
            optval.l_linger = int.from_bytes(memory[2:], "little")
        return answer

    def ioctlsocket(self, s: Any, cmd: Any, argp: Any) -> int:
        """FIONBIO takes its argument from `argp`; FIONREAD and SIOCATMARK store their answer there."""
        if cmd == FIONBIO:
            return self.WSAIoctl(s, cmd, argp, _VALUE_SIZE, None, 0, INT(), None, None)
        return self.WSAIoctl(s, cmd, None, 0, argp, _VALUE_SIZE, INT(), None, None)

    def WSAIoctl(
        self,
        s: Any,
        dwIoControlCode: Any,
        lpvInBuffer: Any,
        cbInBuffer: Any,
        lpvOutBuffer: Any,
        cbOutBuffer: Any,
        lpcbBytesReturned: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
    ) -> int:
        buffers = (lpvInBuffer, cbInBuffer, lpvOutBuffer, cbOutBuffer, lpcbBytesReturned)
        more = (lpOverlapped, lpCompletionRoutine, None)
        return self._call("lpWSPIoctl", SOCKET_ERROR, s, dwIoControlCode, *buffers, *more)

    # Inside

    def _call(self, function: str, failed: int, *arguments: Any) -> int:
        """`failed` is what the function returns then."""
        if self.provider is None:
            return self._fail(WSANOTINITIALISED, failed)
        lpErrno = INT()
        answer: int = getattr(self.provider.table, function)(*arguments, lpErrno)
        if answer == failed:
            self._thread.error = lpErrno.Value
        return answer

    def _fail(self, error: int, answer: int = SOCKET_ERROR) -> int:
        self._thread.error = error
        return answer


def _version(wanted: Any) -> tuple[int, int] | None:
    return (LOBYTE(wanted), HIBYTE(wanted)) if isinstance(wanted, int) else None


def _one(buf: Any, length: Any) -> list[WSABUF]:
    return [WSABUF(buf, length if isinstance(length, int) else -1)]


def _memory_of(value: Any) -> Any:
    """The bytes of an option; what has none stays as it is, and the provider refuses it."""
    if is_pointer_to_number(value):
        return (value.Value & 0xFFFF_FFFF).to_bytes(_VALUE_SIZE, "little")
    if isinstance(value, LINGER) and isinstance(value.l_onoff, int) and isinstance(value.l_linger, int):
        return b"".join((each & 0xFFFF).to_bytes(2, "little") for each in (value.l_onoff, value.l_linger))
    return value
