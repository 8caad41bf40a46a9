"""A transfer as a Winsock program of 1999 has it: the client sends a file and gets one back.

Nothing here knows of a SAN.  Names, order of the calls and checks are those of the same program in C; the functions of
ws2_32.dll are methods of the process that calls them.
"""

from __future__ import annotations

from wsknet.san.numbers import *
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSADATA
from wsknet.san.ws2_32 import Winsock

BUFFER_SIZE = 65536


class TRANSFER:
    """What one side sends, what it has received, and how it went."""

    __slots__ = ("Data", "Error", "Name", "Peer", "Received")

    def __init__(self, Data: bytes) -> None:
        self.Data = Data
        self.Received = b""
        self.Error = -1
        """0 when it is done, or the WSAE code of the call that failed."""
        self.Name = SOCKADDR_IN()
        self.Peer = SOCKADDR_IN()


def SendAll(ws: Winsock, s: int, Data: bytes) -> bool:
    Left = memoryview(Data)
    while len(Left) > 0:
        Sent = ws.send(s, Left, min(len(Left), BUFFER_SIZE), 0)
        if Sent == SOCKET_ERROR:
            return False
        Left = Left[Sent:]
    return ws.shutdown(s, SD_SEND) != SOCKET_ERROR


def ReceiveAll(ws: Winsock, s: int, Transfer: TRANSFER) -> bool:
    Received = bytearray()
    Buffer = bytearray(BUFFER_SIZE)
    while True:
        Count = ws.recv(s, Buffer, BUFFER_SIZE, 0)
        if Count == SOCKET_ERROR:
            return False
        if Count == 0:
            Transfer.Received = bytes(Received)
            return True
        Received += Buffer[:Count]


def Names(ws: Winsock, s: int, Transfer: TRANSFER) -> bool:
    if ws.getsockname(s, Transfer.Name, INT(SIZE)) == SOCKET_ERROR:
        return False
    return ws.getpeername(s, Transfer.Peer, INT(SIZE)) != SOCKET_ERROR


def Fail(ws: Winsock, Transfer: TRANSFER) -> None:
    """What WSACleanup closes is reset."""
    Transfer.Error = ws.WSAGetLastError()
    ws.WSACleanup()


def Server(ws: Winsock, Port: int, Transfer: TRANSFER) -> None:
    Error = ws.WSAStartup(MAKEWORD(2, 2), WSADATA())
    if Error != NO_ERROR:
        Transfer.Error = Error
        return
    Listener = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    if Listener == INVALID_SOCKET:
        Fail(ws, Transfer)
        return
    if ws.bind(Listener, SOCKADDR_IN(port=Port), SIZE) == SOCKET_ERROR or ws.listen(Listener, 5) == SOCKET_ERROR:
        Fail(ws, Transfer)
        return
    s = ws.accept(Listener, None, None)
    if s == INVALID_SOCKET:
        Fail(ws, Transfer)
        return
    if not (Names(ws, s, Transfer) and ReceiveAll(ws, s, Transfer) and SendAll(ws, s, Transfer.Data)):
        Fail(ws, Transfer)
        return
    if ws.closesocket(s) == SOCKET_ERROR or ws.closesocket(Listener) == SOCKET_ERROR:
        Fail(ws, Transfer)
        return
    ws.WSACleanup()
    Transfer.Error = NO_ERROR


def Client(ws: Winsock, Address: bytes, Port: int, Transfer: TRANSFER) -> None:
    Error = ws.WSAStartup(MAKEWORD(2, 2), WSADATA())
    if Error != NO_ERROR:
        Transfer.Error = Error
        return
    s = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    if s == INVALID_SOCKET:
        Fail(ws, Transfer)
        return
    if ws.connect(s, SOCKADDR_IN(Address, Port), SIZE) == SOCKET_ERROR:
        Fail(ws, Transfer)
        return
    if not (Names(ws, s, Transfer) and SendAll(ws, s, Transfer.Data) and ReceiveAll(ws, s, Transfer)):
        Fail(ws, Transfer)
        return
    if ws.closesocket(s) == SOCKET_ERROR:
        Fail(ws, Transfer)
        return
    ws.WSACleanup()
    Transfer.Error = NO_ERROR
