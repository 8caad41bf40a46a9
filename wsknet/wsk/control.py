"""WskControlSocket: options, IOCTLs, and the enabling of event callbacks (WSK-5).

What is not in the tables below answers STATUS_NOT_SUPPORTED and completes the IRP, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.wsk import multicast_options, steering_options
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_V6ONLY,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SO_REUSEADDR,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    TCP_NODELAY,
    WSK_EVENT_DISABLE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
)
from wsknet.wsk.requests import KEPT, Refusal, mark_pending
from wsknet.wsk.sockets.states import CREATED, FORCED_CLOSED
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_OF_KIND,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import NPI_WSK_INTERFACE_ID, WSK_EVENT_CALLBACK_CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.sockets.datagram import DatagramSocket
    from wsknet.wsk.sockets.transport import TransportSocket

_LISTEN = WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_STREAM_SOCKET
_CONNECTION = WSK_FLAG_CONNECTION_SOCKET | WSK_FLAG_STREAM_SOCKET
_DATAGRAM = WSK_FLAG_DATAGRAM_SOCKET
_ALL = _LISTEN | _CONNECTION | _DATAGRAM


class Option(NamedTuple):
    """An option of one ULONG."""

    attribute: str
    """Of `Options`; empty for one that cannot be set and reads 0."""
    categories: int
    """Flags of the socket categories that have it."""
    is_before_bind: bool = False
    is_boolean: bool = True


OPTIONS = {
    (SOL_SOCKET, SO_REUSEADDR): Option("reuse", _ALL, is_before_bind=True),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE): Option("exclusive", _ALL, is_before_bind=True),
    (SOL_SOCKET, SO_KEEPALIVE): Option("keep_alive", _LISTEN | _CONNECTION),
    (SOL_SOCKET, SO_BROADCAST): Option("broadcast", _DATAGRAM),
    (SOL_SOCKET, SO_RCVBUF): Option("receive_buffer", _ALL, is_boolean=False),
    (SOL_SOCKET, SO_CONDITIONAL_ACCEPT): Option("", _LISTEN),
    (IPPROTO_IPV6, IPV6_V6ONLY): Option("v6only", _ALL, is_before_bind=True),
    (IPPROTO_TCP, TCP_NODELAY): Option("no_delay", _LISTEN | _CONNECTION),
}

SHARING = {"reuse": "exclusive", "exclusive": "reuse"}
"""Options that exclude each other."""

ULONG_SIZE = 4
SMALLEST_RECEIVE_BUFFER = 1


def control_socket(
    socket: Socket,
    RequestType: int,
    ControlCode: int,
    Level: int,
    InputSize: int,
    InputBuffer: Any,
    OutputSize: int,
    OutputBuffer: Any,
    Irp: IRP | None,
) -> NTSTATUS:
    if RequestType == WskSetOption:
        if ControlCode == SO_WSK_EVENT_CALLBACK and Level == SOL_SOCKET:
            return _control_events(socket, InputSize, InputBuffer, Irp)
        return _run(socket, Irp, _set_option, socket, Level, ControlCode, InputSize, InputBuffer)
    if RequestType == WskGetOption:
        return _run(socket, Irp, _get_option, socket, Level, ControlCode, OutputSize, OutputBuffer)
    if RequestType == WskIoctl:
        buffers = InputSize, InputBuffer, OutputSize, OutputBuffer
        return _run(socket, Irp, _ioctl, socket, ControlCode, *buffers)
    return _run(socket, Irp, _unknown_request)


def _run(socket: Socket, Irp: IRP | None, operation: Any, *arguments: Any) -> NTSTATUS:
    """Everything but event control needs an IRP; an unknown code is told even without one."""
    if Irp is not None:
        return socket.perform(Irp, operation, *arguments)
    if operation is _ioctl and arguments[1] not in IOCTLS:
        return STATUS_OF_KIND[ErrorKind.NOT_SUPPORTED]
    return STATUS_INVALID_PARAMETER


def _unknown_request(Irp: IRP, now: Instant) -> Any:
    raise LocalError(ErrorKind.INVALID_ARGUMENT)


# Options


def _find_option(socket: Any, Level: int, ControlCode: int) -> Option:
    option = OPTIONS.get((Level, ControlCode))
    if option is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if not option.categories & socket.CATEGORY or (option.attribute == "v6only" and socket.family != AF_INET6):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return option


def _set_option(
    Irp: IRP, now: Instant, socket: Any, Level: int, ControlCode: int, InputSize: int, InputBuffer: Any
) -> Any:
    if socket.state == FORCED_CLOSED:
        raise socket.refuse_state()
    change_membership = multicast_options.find_membership(socket, Level, ControlCode)
    if change_membership is not None:
        change_membership(socket, InputSize, InputBuffer, now)
        return 0
    attribute = steering_options.find_value(socket, Level, ControlCode)
    if attribute is not None:
        steering_options.set_value(socket, attribute, _read_ulong(InputSize, InputBuffer))
        return 0
    attribute = multicast_options.find_value(socket, Level, ControlCode)
    if attribute is not None:
        multicast_options.set_value(socket, Level, attribute, _read_ulong(InputSize, InputBuffer))
    else:
        _set_number(socket, Level, ControlCode, InputSize, InputBuffer)
    if socket.endpoint is not None:
        socket.apply_options()
    return 0


def _set_number(socket: Any, Level: int, ControlCode: int, InputSize: int, InputBuffer: Any) -> None:
    option = _find_option(socket, Level, ControlCode)
    if not option.attribute:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    value = _read_ulong(InputSize, InputBuffer)
    if option.is_before_bind and socket.state != CREATED:
        raise LocalError(ErrorKind.INVALID_STATE)
    if option.is_boolean:
        value = int(value != 0)
    elif value < SMALLEST_RECEIVE_BUFFER:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    rival = SHARING.get(option.attribute)
    if rival is not None and value and getattr(socket.options, rival):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    setattr(socket.options, option.attribute, value)


def _get_option(
    Irp: IRP, now: Instant, socket: Any, Level: int, ControlCode: int, OutputSize: int, OutputBuffer: Any
) -> Any:
    if socket.state == FORCED_CLOSED:
        raise socket.refuse_state()
    attribute = multicast_options.find_value(socket, Level, ControlCode)
    if attribute is None:
        attribute = steering_options.find_value(socket, Level, ControlCode)
    if attribute is None:
        attribute = _find_option(socket, Level, ControlCode).attribute
    value = getattr(socket.options, attribute) if attribute else 0
    if OutputBuffer is None or OutputSize < ULONG_SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if isinstance(OutputBuffer, list):
        OutputBuffer[:] = [value]
    else:
        OutputBuffer[:ULONG_SIZE] = value.to_bytes(ULONG_SIZE, "little")
    return ULONG_SIZE


def _read_ulong(InputSize: int, InputBuffer: Any) -> int:
    """A ULONG behind a pointer: a one-element list, or its four bytes."""
    if InputSize != ULONG_SIZE or InputBuffer is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if isinstance(InputBuffer, list):
        value: int = InputBuffer[0]
        if not -1 << 31 <= value < 1 << 32:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        return value & 0xFFFFFFFF  # -1 is written for it in C
    return int.from_bytes(bytes(InputBuffer[:ULONG_SIZE]), "little")


# IOCTLs


def _ioctl(
    Irp: IRP,
    now: Instant,
    socket: Any,
    ControlCode: int,
    InputSize: int,
    InputBuffer: Any,
    OutputSize: int,
    OutputBuffer: Any,
) -> Any:
    """All that are there take an address."""
    ioctl = IOCTLS.get(ControlCode)
    if ioctl is None:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if not socket.CATEGORY & ioctl.categories or (InputSize == 0) != (InputBuffer is None):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if InputSize and InputSize < (16 if socket.family == AF_INET else 28):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return ioctl.operation(socket, InputBuffer, OutputSize, OutputBuffer, now)


def _set_remote_address(socket: DatagramSocket, address: Any, OutputSize: int, Output: Any, now: Instant) -> int:
    socket.set_remote_address(address, now)
    return 0


def _set_sendto_address(socket: DatagramSocket, address: Any, OutputSize: int, Output: Any, now: Instant) -> int:
    socket.set_destination(address)
    return 0


def _query_routing_interface(socket: TransportSocket, address: Any, OutputSize: int, Output: Any, now: Instant) -> int:
    if address is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if socket.state == FORCED_CLOSED:
        raise socket.refuse_state()
    return steering_options.routing_interface(socket, address, OutputSize, Output)


class Ioctl(NamedTuple):
    operation: Callable[..., int]
    """Returns the bytes that it has written."""
    categories: int


IOCTLS = {
    SIO_WSK_SET_REMOTE_ADDRESS: Ioctl(_set_remote_address, _DATAGRAM),
    SIO_WSK_SET_SENDTO_ADDRESS: Ioctl(_set_sendto_address, _DATAGRAM),
    SIO_ROUTING_INTERFACE_QUERY: Ioctl(_query_routing_interface, _ALL),
}


# SO_WSK_EVENT_CALLBACK


def _control_events(socket: Socket, InputSize: int, Control: Any, Irp: IRP | None) -> NTSTATUS:
    """Works with and without an IRP, both ways (C-05)."""
    if Irp is not None:
        return socket.perform(Irp, _change_events, socket, InputSize, Control)
    with socket.pump as now:
        try:
            mask = _event_mask(socket, InputSize, Control)
            if mask & WSK_EVENT_DISABLE:
                event = _disable(socket, mask)
                return STATUS_EVENT_PENDING if socket.busy & event else STATUS_SUCCESS
            _enable(socket, mask, now)
        except NetError as error:
            return STATUS_OF_KIND[error.kind]
        except Refusal as refusal:
            return refusal.Status
    return STATUS_SUCCESS


def _change_events(Irp: IRP, now: Instant, socket: Socket, InputSize: int, Control: Any) -> Any:
    mask = _event_mask(socket, InputSize, Control)
    if not mask & WSK_EVENT_DISABLE:
        _enable(socket, mask, now)
        return 0
    event = _disable(socket, mask)
    if not socket.busy & event:
        return 0
    mark_pending(Irp)
    socket.disabling.append((event, Irp))
    return KEPT


def _event_mask(socket: Socket, InputSize: int, Control: Any) -> int:
    if not isinstance(Control, WSK_EVENT_CALLBACK_CONTROL) or InputSize != Control.SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    events = Control.EventMask & ~WSK_EVENT_DISABLE
    if Control.NpiId != NPI_WSK_INTERFACE_ID or not events or events & ~socket.EVENTS:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return Control.EventMask


def _enable(socket: Socket, events: int, now: Instant) -> None:
    socket.check_may_enable(events)
    callbacks = {}
    for bit in range(events.bit_length()):
        if events >> bit & 1:
            callback = socket.find_callback(1 << bit)
            if callback is None:
                raise LocalError(ErrorKind.INVALID_ARGUMENT)
            callbacks[1 << bit] = callback
    socket.callbacks.update(callbacks)
    socket.events |= events
    socket.events_changed(now)


def _disable(socket: Socket, mask: int) -> int:
    """One event at a time, and none that is only there to be inherited."""
    event = mask & ~WSK_EVENT_DISABLE
    if event & (event - 1) or event & socket.never_disabled():
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.events &= ~event
    return event
