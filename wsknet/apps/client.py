"""A registered WSK client, the way a driver keeps it in its device extension."""

from __future__ import annotations

from typing import Any

from wsknet.apps.irps import call
from wsknet.wsk import (
    AF_INET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MAKE_WSK_VERSION,
    NPI_WSK_INTERFACE_ID,
    NT_SUCCESS,
    NTSTATUS,
    SO_WSK_EVENT_CALLBACK,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOL_SOCKET,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_NO_WAIT,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_SOCKET,
    WskCaptureProviderNPI,
    WskDeregister,
    WskRegister,
    WskReleaseProviderNPI,
    WskSetOption,
    htons,
)


class StatusError(Exception):
    """A call failed that had to succeed.  The message names it and its status."""


def require(what: str, Status: NTSTATUS) -> None:
    if not NT_SUCCESS(Status):
        raise StatusError(f"{what} failed with {Status.name}")


class Client:
    """Registered with the WSK subsystem of the current host until `close`."""

    def __init__(self) -> None:
        self._registration = WSK_REGISTRATION()
        self._provider = WSK_PROVIDER_NPI()
        npi = WSK_CLIENT_NPI(self, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 0, None))
        require("WskRegister", WskRegister(npi, self._registration))
        Status = WskCaptureProviderNPI(self._registration, WSK_NO_WAIT, self._provider)
        if not NT_SUCCESS(Status):
            WskDeregister(self._registration)
            require("WskCaptureProviderNPI", Status)

    def socket(
        self, AddressFamily: int, Flags: int, SocketContext: object = None, Dispatch: object = None
    ) -> WSK_SOCKET:
        """WskSocket for TCP, or for UDP if `Flags` asks for a datagram socket."""
        SocketType, Protocol = SOCK_STREAM, IPPROTO_TCP
        if Flags == WSK_FLAG_DATAGRAM_SOCKET:
            SocketType, Protocol = SOCK_DGRAM, IPPROTO_UDP
        provider = self._provider
        assert provider.Dispatch is not None
        Status, Socket = call(
            provider.Dispatch.WskSocket,
            provider.Client,
            AddressFamily,
            SocketType,
            Protocol,
            Flags,
            SocketContext,
            Dispatch,
            None,
            None,
            None,
        )
        require("WskSocket", Status)
        assert isinstance(Socket, WSK_SOCKET)
        return Socket

    def close(self) -> None:
        """Waits, as WskDeregister does, until every socket of the client is closed."""
        WskReleaseProviderNPI(self._registration)
        WskDeregister(self._registration)


def enable(Socket: WSK_SOCKET, EventMask: int) -> None:
    """Turn the event callbacks in `EventMask` on."""
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, EventMask)
    Status = Socket.Dispatch.WskControlSocket(
        Socket,
        WskSetOption,
        SO_WSK_EVENT_CALLBACK,
        SOL_SOCKET,
        WSK_EVENT_CALLBACK_CONTROL.SIZE,
        Control,
        0,
        None,
        None,
        None,
    )
    require("SO_WSK_EVENT_CALLBACK", Status)


def wildcard(AddressFamily: int, port: int) -> SOCKADDR_IN | SOCKADDR_IN6:
    if AddressFamily == AF_INET:
        return SOCKADDR_IN(sin_port=htons(port))
    return SOCKADDR_IN6(sin6_port=htons(port))


def close_socket(Socket: Any) -> None:
    call(Socket.Dispatch.WskCloseSocket, Socket)
