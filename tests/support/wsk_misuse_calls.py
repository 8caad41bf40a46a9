"""Functions of sockets that are called where they must not be: category, state, flags, after the close (WSK-3, 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import FAR
from tests.support.wsk_misuse_world import BASIC, CONNECTION, DATAGRAM, LISTEN, STREAM, Misuse, World, misuse
from wsknet.wsk import (
    IPPROTO_TCP,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SIO_WSK_SET_TCP_SILENT_MODE,
    SO_KEEPALIVE,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOCKADDR_IN,
    SOL_SOCKET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    WSK_BUF_LIST,
    WSK_DATA_INDICATION,
    WSK_EVENT_DISABLE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_INSPECT_ID,
    WskGetOption,
    WskInspectAccept,
    WskIoctl,
    WskSetOption,
    simple,
)

TABLE: list[Misuse] = []

CATEGORIES = {BASIC: "basic", LISTEN: "listening", CONNECTION: "connection", DATAGRAM: "datagram", STREAM: "stream"}


def arguments(world: World, function: str, Flags: int = 0) -> tuple[Any, ...]:
    """Good ones for a function of any table, but for the socket and the IRP; `Flags` are the reserved ones."""
    there = simple.address(FAR, 9)
    memory = world.buffer(bytearray(4))
    found: dict[str, tuple[Any, ...]] = {
        "WskControlSocket": (WskGetOption, SO_KEEPALIVE, SOL_SOCKET, 0, None, 4, bytearray(4), None),
        "WskBind": (simple.address("0.0.0.0", 0), Flags),
        "WskAccept": (Flags, None, None, None, None),
        "WskInspectComplete": (WSK_INSPECT_ID(), WskInspectAccept),
        "WskConnect": (there, Flags),
        "WskConnectEx": (there, None, Flags),
        "WskSendTo": (memory, Flags, there, 0, None),
        "WskSendMessages": (WSK_BUF_LIST(None, memory), Flags, there, 0, None),
        "WskReceiveFrom": (memory, Flags, None, None, None, None),
        "WskSend": (memory, 0),
        "WskReceive": (memory, 0),
        "WskDisconnect": (None, 0),
        "WskGetLocalAddress": (SOCKADDR_IN(),),
        "WskGetRemoteAddress": (SOCKADDR_IN(),),
    }
    return found.get(function, ())


def call(world: World, Dispatch: Any, name: str, Socket: Any, Flags: int = 0) -> Any:
    function = getattr(Dispatch, name)
    if name == "WskRelease":
        return function(Socket, WSK_DATA_INDICATION())
    return function(Socket, *arguments(world, name, Flags), world.irp())


# Every table against every category


def _with_another(world: World, of_table: int, category: int, name: str) -> Any:
    Dispatch = world.of_category(of_table).Dispatch
    return call(world, Dispatch, name, world.of_category(category))


def _named(of_table: int, category: int, name: str) -> Callable[[World], Any]:
    return lambda world: _with_another(world, of_table, category, name)


MEMBERS = {
    BASIC: "WskControlSocket WskCloseSocket",
    LISTEN: "WskControlSocket WskCloseSocket WskBind WskAccept WskInspectComplete WskGetLocalAddress",
    CONNECTION: "WskControlSocket WskCloseSocket WskBind WskConnect WskGetLocalAddress WskGetRemoteAddress WskSend"
    " WskReceive WskDisconnect WskRelease WskConnectEx",
    DATAGRAM: "WskControlSocket WskCloseSocket WskBind WskSendTo WskReceiveFrom WskRelease WskGetLocalAddress"
    " WskSendMessages",
    STREAM: "WskControlSocket WskCloseSocket WskBind WskAccept WskConnect WskListen WskSend WskReceive WskDisconnect"
    " WskRelease WskGetLocalAddress WskGetRemoteAddress WskConnectEx",
}
for _table, _members in MEMBERS.items():
    for _category in MEMBERS:
        for _member in _members.split():
            if _category == _table or (_member in ("WskSend", "WskReceive") and _category | _table == 10):
                continue  # the two tables have one function for both, which costs less
            _name = f"{_member}-of-the-{CATEGORIES[_table]}-table-with-a-{CATEGORIES[_category]}-socket"
            TABLE.append(Misuse(_name, "WSK-3.3", _named(_table, _category, _member), call))


# After the close


def _after_close(world: World, category: int, name: str) -> Any:
    Socket = world.of_category(category)
    Dispatch = Socket.Dispatch
    world.close(Socket)
    return call(world, Dispatch, name, Socket)


def _closed(category: int, name: str) -> Callable[[World], Any]:
    return lambda world: _after_close(world, category, name)


for _category, _members in MEMBERS.items():
    for _member in _members.split():
        _name = f"{_member}-after-the-close-of-a-{CATEGORIES[_category]}-socket"
        TABLE.append(Misuse(_name, "R-257", _closed(_category, _member), call))


@misuse(TABLE, "R-257")
def _a_function_is_called_while_the_close_waits_for_a_callback(world: World) -> Any:
    """From inside the completion routine, before that of the close has come."""
    Socket, other, answers = world.datagram(), world.bound(DATAGRAM), list[Any]()
    Dispatch = Socket.Dispatch
    world.release(Socket)

    def inside() -> None:
        world.forget(Socket)
        Dispatch.WskCloseSocket(Socket, world.irp())
        answers.append(Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), world.irp()))

    other.Dispatch.WskGetLocalAddress(other, SOCKADDR_IN(), world.irp(inside))
    return answers[0]


# Indications


def _keep_data(world: World) -> Any:
    near, far = world.connect()
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == 0
    simple.call(far.Dispatch.WskSend, far, world.buffer(b"data"), 0)
    assert world.retained
    return near


@misuse(TABLE, "R-255", is_harmless=True)
def _a_connection_is_closed_with_an_indication_retained(world: World) -> Any:
    near = _keep_data(world)
    Status = near.Dispatch.WskCloseSocket(near, world.irp())
    world.retained = [kept for kept in world.retained if kept[0] is not near]
    world.forget(near)
    return Status


@misuse(TABLE, "R-255", is_harmless=True)
def _a_datagram_socket_is_closed_with_an_indication_retained(world: World) -> Any:
    port = world.port()
    Socket = world.bound(DATAGRAM, port, Dispatch=world.datagram_dispatch())
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == 0
    sender = world.datagram()
    there = simple.address("127.0.0.1", port)
    simple.call(sender.Dispatch.WskSendTo, sender, world.buffer(b"data"), 0, there, 0, None)
    assert world.retained
    Status = Socket.Dispatch.WskCloseSocket(Socket, world.irp())
    world.retained = [kept for kept in world.retained if kept[0] is not Socket]
    world.forget(Socket)
    return Status


# Reserved flags


def _with_flags(world: World, category: int, name: str, *, is_fresh: bool = False) -> Any:
    Socket = world.fresh(category) if is_fresh else world.of_category(category)
    return call(world, Socket.Dispatch, name, Socket, 1)


def _flagged(category: int, name: str, is_fresh: bool) -> Callable[[World], Any]:
    return lambda world: _with_flags(world, category, name, is_fresh=is_fresh)


for _member, _category, _is_fresh, _rule in (
    ("WskBind", LISTEN, True, "R-108"),
    ("WskBind", CONNECTION, True, "R-108"),
    ("WskBind", DATAGRAM, True, "R-108"),
    ("WskBind", STREAM, True, "R-108"),
    ("WskAccept", LISTEN, False, "WSK-4.6"),
    ("WskConnect", CONNECTION, True, "R-190"),
    ("WskSendTo", DATAGRAM, False, "WSK-4.14"),
    ("WskSendMessages", DATAGRAM, False, "WSK-4.14"),
    ("WskReceiveFrom", DATAGRAM, False, "WSK-4.16"),
):
    _name = f"{_member}-of-a-{CATEGORIES[_category]}-socket-with-reserved-flags"
    _perform = _flagged(_category, _member, _is_fresh)
    TABLE.append(Misuse(_name, _rule, _perform, call, STATUS_INVALID_PARAMETER))


@misuse(TABLE, "WSK-4.2", STATUS_INVALID_PARAMETER)
def _WskSocketConnect_with_reserved_flags(world: World) -> Any:
    provider = world.application.provider
    kind = (SOCK_STREAM, IPPROTO_TCP, simple.address("0.0.0.0", 0), simple.address(FAR, 9), 1)
    owner = (None, None, None, None, None)
    return provider.Dispatch.WskSocketConnect(provider.Client, *kind, *owner, world.irp())


# States


def _in_state(world: World, make: Callable[[World], Any], name: str) -> Any:
    Socket = make(world)
    return call(world, Socket.Dispatch, name, Socket)


def _made(make: Callable[[World], Any], name: str) -> Callable[[World], Any]:
    return lambda world: _in_state(world, make, name)


def _half_closed(world: World) -> Any:
    near = world.connect()[0]
    simple.call(near.Dispatch.WskDisconnect, near, None, 0)
    world.pairs.pop()
    return near


def _fresh(category: int) -> Callable[[World], Any]:
    return lambda world: world.fresh(category)


def _bound(category: int) -> Callable[[World], Any]:
    return lambda world: world.bound(category)


def _stream_listener(world: World) -> Any:
    Socket = world.bound(STREAM, world.port())
    simple.listen(Socket)
    return Socket


STATES: tuple[tuple[str, Callable[[World], Any], str, str], ...] = (
    ("a bound datagram", World.datagram, "WskBind", "WSK-3.6"),
    ("a listening", World.listener, "WskBind", "WSK-3.6"),
    ("a connected", World.connection, "WskBind", "WSK-3.6"),
    ("a connected", World.connection, "WskConnect", "R-141"),
    ("a connected", World.connection, "WskConnectEx", "R-141"),
    ("an unbound connection", _fresh(CONNECTION), "WskSend", "WSK-4.11"),
    ("a bound connection", _bound(CONNECTION), "WskSend", "WSK-4.11"),
    ("a half-closed", _half_closed, "WskSend", "R-204"),
    ("an unbound connection", _fresh(CONNECTION), "WskReceive", "WSK-4.12"),
    ("a bound connection", _bound(CONNECTION), "WskReceive", "WSK-4.12"),
    ("a bound connection", _bound(CONNECTION), "WskDisconnect", "WSK-4.10"),
    ("a half-closed", _half_closed, "WskDisconnect", "WSK-4.10"),
    ("an unbound listening", _fresh(LISTEN), "WskAccept", "R-106"),
    ("an unbound datagram", _fresh(DATAGRAM), "WskSendTo", "R-106"),
    ("an unbound datagram", _fresh(DATAGRAM), "WskSendMessages", "R-106"),
    ("an unbound datagram", _fresh(DATAGRAM), "WskReceiveFrom", "R-106"),
    ("an unbound stream", _fresh(STREAM), "WskListen", "R-140"),
    ("an unbound stream", _fresh(STREAM), "WskAccept", "R-106"),
    ("a bound stream", _bound(STREAM), "WskAccept", "R-106"),
    ("a listening stream", _stream_listener, "WskConnect", "R-141"),
    ("a listening stream", _stream_listener, "WskSend", "WSK-4.11"),
    ("a listening stream", _stream_listener, "WskReceive", "WSK-4.12"),
    ("a listening stream", _stream_listener, "WskListen", "R-140"),
    ("a plain listening", World.listener, "WskInspectComplete", "WSK-4.7"),
)
for _title, _make, _member, _rule in STATES:
    _name = f"{_member} on {_title} socket".replace(" ", "-")
    TABLE.append(Misuse(_name, _rule, _made(_make, _member), call, STATUS_INVALID_DEVICE_STATE))


def _ioctl(world: World, Socket: Any, code: int, address: Any = None) -> Any:
    given = (0, None) if address is None else (16, address)
    return Socket.Dispatch.WskControlSocket(Socket, WskIoctl, code, 0, *given, 0, None, None, world.irp())


@misuse(TABLE, "R-316", STATUS_INVALID_DEVICE_STATE)
def _silent_mode_with_a_send_pending(world: World) -> Any:
    near = world.connect()[0]
    near.Dispatch.WskSend(near, world.buffer(b"data"), 0, world.irp())
    return near.Dispatch.WskControlSocket(
        near, WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0, 0, None, 0, None, None, world.irp()
    )


for _code, _title in (
    (SIO_WSK_SET_REMOTE_ADDRESS, "a remote address"),
    (SIO_WSK_SET_SENDTO_ADDRESS, "a destination"),
):
    TABLE.append(
        Misuse(
            f"{_title} is fixed before bind".replace(" ", "-"),
            "R-288",
            lambda world, code=_code: _ioctl(world, world.fresh(DATAGRAM), code, simple.address(FAR, 9)),  # type: ignore
            _ioctl,
            STATUS_INVALID_DEVICE_STATE,
        )
    )


@misuse(TABLE, "R-263", STATUS_INVALID_PARAMETER)
def _a_ControlInfoLength_without_ControlInfo(world: World) -> Any:
    Socket, there = world.datagram(), simple.address(FAR, 9)
    return Socket.Dispatch.WskSendTo(Socket, world.buffer(b"data"), 0, there, 16, None, world.irp())


@misuse(TABLE, "R-298", STATUS_INVALID_DEVICE_STATE)
def _events_are_enabled_before_the_connection_is_there(world: World) -> Any:
    Socket = world.bound(CONNECTION, Dispatch=world.connection_dispatch())
    control = simple._event_control(WSK_EVENT_RECEIVE)
    return Socket.Dispatch.WskControlSocket(Socket, *control, world.irp())


@misuse(TABLE, "R-297", STATUS_INVALID_DEVICE_STATE)
def _events_are_enabled_before_bind_and_without_an_irp(world: World) -> Any:
    Socket = world.create(DATAGRAM, Dispatch=world.datagram_dispatch())
    control = simple._event_control(WSK_EVENT_RECEIVE_FROM)
    return Socket.Dispatch.WskControlSocket(Socket, *control, None)


@misuse(TABLE, "R-292", STATUS_INVALID_PARAMETER)
def _two_events_are_disabled_at_once(world: World) -> Any:
    near = world.connection()
    control = simple._event_control(WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_DISABLE)
    return near.Dispatch.WskControlSocket(near, *control, world.irp())


@misuse(TABLE, "R-162", STATUS_INVALID_PARAMETER)
def _a_connection_event_is_disabled_on_a_listening_socket(world: World) -> Any:
    Socket = world.listener()
    control = simple._event_control(WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE)
    return Socket.Dispatch.WskControlSocket(Socket, *control, world.irp())


@misuse(TABLE, "WSK-5.2", STATUS_INVALID_DEVICE_STATE)
def _an_option_is_set_after_bind_that_belongs_before_it(world: World) -> Any:
    Socket = world.datagram()
    return Socket.Dispatch.WskControlSocket(
        Socket, WskSetOption, SO_REUSEADDR, SOL_SOCKET, 4, [1], 0, None, None, world.irp()
    )
