"""When all has settled, nothing waits for somebody who wants it; and what comes anew arrives.

Only sockets of which the model knows enough: they are alive, and the tables of their host have not changed.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine.addresses import ADDRESSES, LOOPBACK, OTHER, WILDCARD
from tests.support.wsk_machine.connection_ioctls import query_redirection
from tests.support.wsk_machine.control_info import Sent, terms_of
from tests.support.wsk_machine.datagrams import HEAD, USUAL_HOPS, Datagrams
from tests.support.wsk_machine.listeners import Listener
from tests.support.wsk_machine.sock import BOUND, CONNECTED, LISTENING, Sock
from tests.support.wsk_machine.streams import Stream
from wsknet import text
from wsknet.types import is_multicast
from wsknet.wsk import (
    NT_SUCCESS,
    SIO_WSK_QUERY_RECEIVE_BACKLOG,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_CANCELLED,
    STATUS_SUCCESS,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WskIoctl,
    faults_of,
    simple,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.machine import Programs
    from tests.support.wsk_machine.party import Party

BATCH = 3
"""Datagrams that wait when an event is enabled."""
ROOM = 1 << 16
"""Of the receive buffer, so that all of them can wait."""
MOST_PROBED = 4
"""Sockets in a sequence: each takes time."""
HOPS = 7
"""Of probes to groups."""
SOON = 0.1
"""Seconds."""
PATIENCE = 10.0
CANCELLABLE = ("WskReceive(", "WskReceiveFrom(", "WskAccept(", "WskSend(", "WskConnect(", "WskConnectEx(")


def require_deliveries(machine: Programs) -> None:
    machine.world.is_ending = True
    for party in machine.parties:
        faults_of(party.host).complete()
    machine.network.run_for(PATIENCE)
    _require_cancelled_ended(machine)
    _send_more(machine)
    live = [sock for party in machine.parties for sock in party.sockets if sock.is_steady and not sock.is_closing]
    for sock in live:
        if isinstance(sock, Stream) and sock.state == CONNECTED:
            _require_taken(sock)
    machine.world.check()
    _cancel_receives(live)
    probed = [sock for sock in live if sock.state in (BOUND, LISTENING)]
    for sock in machine.parties[0].dice.sample(probed, min(MOST_PROBED, len(probed))):
        if isinstance(sock, Datagrams) and not sock.IS_RAW and sock.state == BOUND:
            _require_datagrams(machine, sock)
        elif isinstance(sock, Listener) and sock.state == LISTENING:
            _require_connections(machine, sock)
        machine.world.check()


def _require_cancelled_ended(machine: Programs) -> None:
    for party in machine.parties:
        for call in party.pending:
            if call.is_cancelled and any(name in call.name for name in CANCELLABLE):
                call.fail("was cancelled, and pends")


# Connections


def _send_more(machine: Programs) -> None:
    """So that something new comes to every connection."""
    for party in machine.parties:
        with party.host.activate():
            for stream in list(party.sockets):
                if isinstance(stream, Stream) and stream.is_live:
                    query_redirection(stream, stream.dice)
                    if not stream.is_finishing:
                        stream.send(stream.dice)
    machine.network.run_for(PATIENCE)


def _cancel_receives(live: list[Sock]) -> None:
    """What one has taken already is not lost by that."""
    for sock in live:
        if isinstance(sock, Stream) and sock.number % 2:
            with sock.party.host.activate():
                for call in list(sock.receives):
                    call.cancel()


def _require_taken(stream: Stream) -> None:
    if stream.is_silent or not stream.is_live:
        return
    is_wanted = stream.enabled & WSK_EVENT_RECEIVE and stream.is_armed and not stream.receives
    if not (is_wanted or stream.waits_for_any):
        return
    waiting = [0]
    arguments = (WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG, 0, 0, None, 8, waiting, None)
    with stream.party.host.activate():
        Status, _ = simple.call(stream.handle.Dispatch.WskControlSocket, stream.handle, *arguments)
    if NT_SUCCESS(Status) and waiting[0]:
        stream.fail(f"{waiting[0]} bytes wait, and somebody wants them")


def require_end_told(sender: Stream, receiver: Stream) -> None:
    """`sender` has finished gracefully, and `receiver` has had all that it sent."""
    if not (sender.is_finishing and sender.is_live and receiver.is_live) or sender.sends or receiver.is_drained:
        return
    if sender.is_broken or receiver.is_broken or receiver.received != sender.sent:
        return
    if receiver.enabled & WSK_EVENT_DISCONNECT and receiver.has_ended is None:
        receiver.fail("the peer has finished, which WskDisconnectEvent has not told")
    if receiver.receives:
        receiver.fail("a receive pends, and the peer has finished")


# Datagrams


def _is_alone(sock: Sock, port: int) -> bool:
    """Whether nobody else of this host has the port."""
    for other in sock.party.sockets:
        is_rival = type(other) is Datagrams if isinstance(sock, Datagrams) else isinstance(other, Listener)
        if other is not sock and is_rival:
            Status, found = simple.local_address(other.handle)
            if NT_SUCCESS(Status) and simple.host_and_port(found)[1] == port:
                return False
    return True


def _name(sock: Sock) -> tuple[str, int] | None:
    """Where the other host reaches it; None if it is not alone there."""
    Status, found = simple.local_address(sock.handle)
    if Status != STATUS_SUCCESS:
        return None
    host, port = simple.host_and_port(found)
    if host == LOOPBACK[sock.family] or not _is_alone(sock, port):
        return None
    return ADDRESSES[sock.party.host.name][sock.family], port


def _require_datagrams(machine: Programs, sock: Datagrams) -> None:
    with sock.party.host.activate():
        name = _name(sock)
        arguments = (WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS, 0, 0, None, 0, None, None)
        simple.call(sock.handle.Dispatch.WskControlSocket, sock.handle, *arguments)
        simple.set_option(sock.handle, SOL_SOCKET, SO_RCVBUF, ROOM)
        terms = terms_of(sock.family)
        for option in terms.wanted if sock.number % 2 else ():
            simple.set_option(sock.handle, terms.level, option, 1)
            sock.wanted |= {option}
    if name is None:
        return
    sender = next(party for party in machine.parties if party.host.name == OTHER[sock.party.host.name])
    if not sender.is_whole:
        return
    with sender.host.activate():
        Status, prober = sender.application.open(WSK_FLAG_DATAGRAM_SOCKET, sock.family)
        assert Status == STATUS_SUCCESS, Status.name
        Status, _ = simple.bind(prober, simple.address(WILDCARD[sock.family], 0))
        assert Status == STATUS_SUCCESS, Status.name
        simple.set_option(prober, terms.level, terms.multicast_hops, HOPS)

    def send(host: str, count: int) -> list[bytes]:
        with sender.host.activate():
            heads = [_send(sock, prober, host, name[1]) for _ in range(count)]
        machine.network.run_for(SOON)
        return heads

    try:
        _require_arrivals(machine, sock, send, name[0])
    finally:
        with sender.host.activate():
            simple.close(prober)


def _send(sock: Datagrams, prober: Any, host: str, port: int) -> bytes:
    world = sock.world
    head = len(world.sent).to_bytes(HEAD, "big")
    data = head + b"probe"
    to = text.parse_address(host)
    world.sent[head] = Sent(data, world.tick(), to, 0, HOPS if is_multicast(to) else USUAL_HOPS)
    Status, _ = simple.send_to(prober, data, simple.address(host, port))
    if Status != STATUS_SUCCESS:
        sock.fail(f"cannot be reached: {Status.name}")
    return head


def _require_arrivals(machine: Programs, sock: Datagrams, send: Any, host: str) -> None:
    waiting = list(sock.receives)
    if waiting:
        send(host, len(waiting))
        if any(not call.is_done for call in waiting):
            sock.fail("a receive pends, and datagrams have come")
    _enable(machine, sock, WSK_EVENT_RECEIVE_FROM)
    if not sock.has_refused:
        _require_none_waits(machine, sock)
    is_static = sock.party.static_events & WSK_EVENT_RECEIVE_FROM
    if not is_static:
        with sock.party.host.activate():
            sock.enabled &= ~WSK_EVENT_RECEIVE_FROM
            simple.disable_event(sock.handle, WSK_EVENT_RECEIVE_FROM)
    card = sock.party.interface.index
    groups = [text.format_address(group) for group, index in sock.memberships.joined if index == card]
    heads = send(host, BATCH)
    for group in groups:
        heads += send(group, 1)
    _enable(machine, sock, WSK_EVENT_RECEIVE_FROM)
    arrived = [head for head in sock.seen if head in heads]
    if arrived != heads and sock.is_steady:
        sock.fail(f"of {[head.hex() for head in heads]} have come {[head.hex() for head in arrived]}; groups: {groups}")
    lost = [head.hex() for head in sock.refused if head not in sock.seen]
    if lost and sock.is_steady and not sock.is_unsure:
        sock.fail(f"has refused {lost}, which have not come again")


def _enable(machine: Programs, sock: Sock, event: int) -> None:
    with sock.party.host.activate():
        sock.enable(Random(0), event)
    machine.network.run_for(SOON)


def _require_none_waits(machine: Programs, sock: Datagrams) -> None:
    """An enabled event has had them all, so a receive has to wait."""
    with sock.party.host.activate():
        Status, _ = simple.receive_from(sock.handle, seconds=SOON)
    if Status == STATUS_SUCCESS:
        sock.fail("a datagram waits, and the event is enabled")


# Listening sockets


def _require_connections(machine: Programs, listener: Listener) -> None:
    with listener.party.host.activate():
        name = None if listener.is_conditional else _name(listener)
    if name is None:
        return
    _enable(machine, listener, WSK_EVENT_ACCEPT)
    with listener.party.host.activate():
        if not listener.accepts:
            Status, _ = simple.accept(listener.handle, seconds=SOON)
            if Status != STATUS_CANCELLED:
                listener.fail(f"a connection waits, and the event is enabled: {Status.name}")
        if not (listener.party.static_events & WSK_EVENT_ACCEPT):
            listener.enabled &= ~WSK_EVENT_ACCEPT
            simple.disable_event(listener.handle, WSK_EVENT_ACCEPT)
    client = next(party for party in machine.parties if party.host.name == OTHER[listener.party.host.name])
    if not client.is_whole:
        return
    before, count = listener.children, len(listener.accepts) + BATCH
    probers = [_connect(listener, client, name) for _ in range(count)]
    _enable(machine, listener, WSK_EVENT_ACCEPT)
    if listener.children != before + count and listener.is_steady:
        listener.fail(f"{count} have connected, and it was told of {listener.children - before}")
    with client.host.activate():
        for prober in probers:
            simple.close(prober)
    machine.network.run_for(SOON)


def _connect(listener: Listener, client: Party, name: tuple[str, int]) -> Any:
    with client.host.activate():
        Status, prober = client.application.open(WSK_FLAG_CONNECTION_SOCKET, listener.family)
        assert Status == STATUS_SUCCESS, Status.name
        simple.bind(prober, simple.address(WILDCARD[listener.family], 0))
        Status, _ = simple.connect(prober, simple.address(*name), seconds=PATIENCE)
        if Status != STATUS_SUCCESS:
            listener.fail(f"cannot be reached: {Status.name}")
    return prober
