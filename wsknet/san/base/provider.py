"""The TCP/IP service provider as one process has it loaded.

Left NULL in the table: WSPSelect, which ws2_32 does; WSPAsyncSelect, WSPCancelBlockingCall, WSPJoinLeaf,
WSPAddressToString and WSPStringToAddress, which are about windows, Windows Sockets 1.1, groups and text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.base.accepting import AcceptFunctions
from wsknet.san.base.address_lists import AddressLists
from wsknet.san.base.closing import CloseFunctions
from wsknet.san.base.controls import ControlFunctions
from wsknet.san.base.creating import TCP, CreateFunctions
from wsknet.san.base.descriptors import Descriptors
from wsknet.san.base.naming import NamingFunctions
from wsknet.san.base.options import OptionFunctions
from wsknet.san.base.selecting import SelectFunctions
from wsknet.san.base.transfers import TransferFunctions
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import WSAEOPNOTSUPP
from wsknet.san.structures import WSPPROC_TABLE

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.base.sockets import Socket
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.types import Endpoint


class TcpipProvider:
    """AF_INET, SOCK_STREAM and SOCK_DGRAM, on `host`, for a program of the user `account`.

    `open_path`, `listening` and `closing` are extended by whoever knows another way for a stream than TCP.
    """

    def __init__(self, host: Host, account: str = "user") -> None:
        self.host = host
        self.account = account
        self.descriptors = Descriptors(host)
        with host.pump:
            self.address_lists = AddressLists(host, self.descriptors)
        self.protocol_info = TCP
        self.table = self._make_table()

    def _make_table(self) -> WSPPROC_TABLE:
        creating, naming, accepting = CreateFunctions(self), NamingFunctions(self), AcceptFunctions(self)
        transfers, closing, selecting = TransferFunctions(self), CloseFunctions(self), SelectFunctions(self)
        options = OptionFunctions(self)
        return WSPPROC_TABLE(
            lpWSPAccept=accepting.WSPAccept,
            lpWSPBind=naming.WSPBind,
            lpWSPCleanup=closing.WSPCleanup,
            lpWSPCloseSocket=closing.WSPCloseSocket,
            lpWSPConnect=naming.WSPConnect,
            lpWSPDuplicateSocket=creating.WSPDuplicateSocket,
            lpWSPEnumNetworkEvents=selecting.WSPEnumNetworkEvents,
            lpWSPEventSelect=selecting.WSPEventSelect,
            lpWSPGetOverlappedResult=transfers.WSPGetOverlappedResult,
            lpWSPGetPeerName=naming.WSPGetPeerName,
            lpWSPGetQOSByName=self.WSPGetQOSByName,
            lpWSPGetSockName=naming.WSPGetSockName,
            lpWSPGetSockOpt=options.WSPGetSockOpt,
            lpWSPIoctl=ControlFunctions(self).WSPIoctl,
            lpWSPListen=naming.WSPListen,
            lpWSPRecv=transfers.WSPRecv,
            lpWSPRecvDisconnect=closing.WSPRecvDisconnect,
            lpWSPRecvFrom=transfers.WSPRecvFrom,
            lpWSPSend=transfers.WSPSend,
            lpWSPSendDisconnect=closing.WSPSendDisconnect,
            lpWSPSendTo=transfers.WSPSendTo,
            lpWSPSetSockOpt=options.WSPSetSockOpt,
            lpWSPShutdown=closing.WSPShutdown,
            lpWSPSocket=creating.WSPSocket,
        )

    @answers(False)
    def WSPGetQOSByName(self, s: Any, lpQOSName: Any, lpQOS: Any) -> bool:
        """There is no quality of service here."""
        self.descriptors.find(s)
        raise WinsockError(WSAEOPNOTSUPP)

    # What may go another way.  No lock is held.

    def open_path(self, socket: StreamSocket, remote: Endpoint) -> None:
        """Let `socket`, which is bound, connect: `socket.connected` or `socket.connect_failed` follows, perhaps before
        this returns.  Raises `WinsockError` or `NetError` where it cannot even be tried; then neither follows.
        """
        with self.host.pump as now:
            socket.endpoint.connect(remote, now)

    def listening(self, socket: StreamSocket, backlog: int) -> None:
        """WSPListen.  Raises `WinsockError`, `NetError`; what is to happen after a success belongs behind this."""
        with self.host.pump as now:
            socket.listen(backlog, now)
            socket.settle(now)

    def closing(self, socket: Socket) -> None:
        """First of all when `socket` has lost its last descriptor, by WSPCloseSocket or WSPCleanup: calls that wait are
        cancelled."""
        with self.host.pump:
            socket.cancel()
