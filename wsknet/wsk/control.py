"""WskControlSocket: options, IOCTLs, and the enabling of event callbacks (WSK-5).

What is not in the tables below answers STATUS_NOT_SUPPORTED and completes the IRP, if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.wsk import control_info, multicast_options, steering_options
from wsknet.wsk.constants import (
    AF_INET6,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_V6ONLY,
    SIO_ADDRESS_LIST_QUERY,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_DONTROUTE,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SO_WSK_EVENT_CALLBACK,
    SOL_SOCKET,
    TCP_FASTOPEN,
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
from wsknet.wsk.ioctls import IOCTLS, Buffers, perform_ioctl, query_address_list
from wsknet.wsk.requests import KEPT, Refusal, mark_pending
from wsknet.wsk.sockets.states import CREATED
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_PARAMETER,
    STATUS_OF_KIND,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import NPI_WSK_INTERFACE_ID, WSK_EVENT_CALLBACK_CONTROL
from wsknet.wsk.ulong import ULONG_SIZE, read_ulong, write_ulongs

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket

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
    (SOL_SOCKET, SO_RANDOMIZE_PORT): Option("random_port", _ALL, is_before_bind=True),
    (SOL_SOCKET, SO_PORT_SCALABILITY): Option("port_scalability", _ALL, is_before_bind=True),
    (SOL_SOCKET, SO_REUSE_UNICASTPORT): Option("reuse_unicast_port", _ALL, is_before_bind=True),
    (SOL_SOCKET, SO_KEEPALIVE): Option("keep_alive", _LISTEN | _CONNECTION),
    (SOL_SOCKET, SO_BROADCAST): Option("broadcast", _DATAGRAM),
    (SOL_SOCKET, SO_DONTROUTE): Option("dont_route", _ALL),
    (SOL_SOCKET, SO_RCVBUF): Option("receive_buffer", _ALL, is_boolean=False),
    (SOL_SOCKET, SO_CONDITIONAL_ACCEPT): Option("", _LISTEN),
    (IPPROTO_IPV6, IPV6_V6ONLY): Option("v6only", _ALL, is_before_bind=True),
    (IPPROTO_TCP, TCP_NODELAY): Option("no_delay", _LISTEN | _CONNECTION),
    (IPPROTO_TCP, TCP_FASTOPEN): Option("fast_open", _LISTEN | _CONNECTION),
}

RIVALS = {"reuse": "exclusive", "exclusive": "reuse", "random_port": "reuse_unicast_port"}
"""Options, and those that keep them from being set."""

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
    OutputSizeReturned: list[int] | None,
    Irp: IRP | None,
) -> NTSTATUS:
    if RequestType == WskSetOption:
        if ControlCode == SO_WSK_EVENT_CALLBACK and Level == SOL_SOCKET:
            return _control_events(socket, InputSize, InputBuffer, Irp)
        return _run(socket, Irp, _set_option, socket, Level, ControlCode, InputSize, InputBuffer)
    if RequestType == WskGetOption:
        return _run(socket, Irp, _get_option, socket, Level, ControlCode, OutputSize, OutputBuffer)
    if RequestType == WskIoctl:
        buffers = Buffers(InputSize, InputBuffer, OutputSize, OutputBuffer, OutputSizeReturned)
        if Irp is None and ControlCode == SIO_ADDRESS_LIST_QUERY:
            return query_address_list(socket, buffers)
        return _run(socket, Irp, perform_ioctl, socket, ControlCode, buffers)
    return _run(socket, Irp, _unknown_request)


def _run(socket: Socket, Irp: IRP | None, operation: Any, *arguments: Any) -> NTSTATUS:
    """Everything else needs an IRP; an unknown code is told even without one."""
    if Irp is not None:
        return socket.perform(Irp, operation, *arguments)
    if operation is perform_ioctl and arguments[1] not in IOCTLS:
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
    socket.require_alive()
    change_membership = multicast_options.find_membership(socket, Level, ControlCode)
    if change_membership is not None:
        change_membership(socket, InputSize, InputBuffer, now)
        return 0
    if steering_options.is_settable(socket, Level, ControlCode):
        steering_options.set_value(socket, Level, ControlCode, read_ulong(InputSize, InputBuffer))
        return 0
    if control_info.is_item(socket, Level, ControlCode):
        control_info.set_item(socket, Level, ControlCode, read_ulong(InputSize, InputBuffer) != 0)
        return 0
    attribute = multicast_options.find_value(socket, Level, ControlCode)
    if attribute is not None:
        multicast_options.set_value(socket, Level, attribute, read_ulong(InputSize, InputBuffer))
    else:
        _set_number(socket, Level, ControlCode, InputSize, InputBuffer)
    if socket.endpoint is not None:
        socket.apply_options()
    return 0


def _set_number(socket: Any, Level: int, ControlCode: int, InputSize: int, InputBuffer: Any) -> None:
    option = _find_option(socket, Level, ControlCode)
    if not option.attribute:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    value = read_ulong(InputSize, InputBuffer)
    if option.is_before_bind and socket.state != CREATED:
        raise LocalError(ErrorKind.INVALID_STATE)
    if option.is_boolean:
        value = int(value != 0)
    elif value < SMALLEST_RECEIVE_BUFFER:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    rival = RIVALS.get(option.attribute)
    if rival is not None and value and getattr(socket.options, rival):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    setattr(socket.options, option.attribute, value)


def _get_option(
    Irp: IRP, now: Instant, socket: Any, Level: int, ControlCode: int, OutputSize: int, OutputBuffer: Any
) -> Any:
    socket.require_alive()
    numbers = steering_options.list_of(socket, Level, ControlCode)
    if numbers is not None:
        if OutputSize < ULONG_SIZE * len(numbers):
            raise Refusal(STATUS_BUFFER_OVERFLOW)
        return write_ulongs(OutputBuffer, numbers)
    value = _value_of(socket, Level, ControlCode)
    if OutputSize < ULONG_SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return write_ulongs(OutputBuffer, [value])


def _value_of(socket: Any, Level: int, ControlCode: int) -> int:
    if control_info.is_item(socket, Level, ControlCode):
        return int((Level, ControlCode) in socket.options.receiving.control_info)
    value = steering_options.value_of(socket, Level, ControlCode)
    if value is not None:
        return value
    attribute = multicast_options.find_value(socket, Level, ControlCode)
    if attribute is None:
        attribute = _find_option(socket, Level, ControlCode).attribute
    return getattr(socket.options, attribute) if attribute else 0


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
