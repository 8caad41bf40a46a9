"""Datagram sockets.  Read WSK-4.14 to 4.16 and 4.24 before editing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.packet import Cast
from wsknet.types import Cover
from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck
from wsknet.wsk.cmsg import CMSGHDR, store
from wsknet.wsk.constants import (
    IPPROTO_IP,
    IPPROTO_IPV6,
    MSG_BCAST,
    MSG_CTRUNC,
    MSG_MCAST,
    MSG_TRUNC,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_DATAGRAM_SOCKET,
)
from wsknet.wsk.control.messages import lengths_of_reports, messages_of, packet_info
from wsknet.wsk.control.option import DATAGRAM
from wsknet.wsk.control.static_events import start_static_events
from wsknet.wsk.dispatch import WSK_PROVIDER_DATAGRAM_DISPATCH
from wsknet.wsk.irp import IRP
from wsknet.wsk.mdl import mdl_of, views_of, writable_views_of
from wsknet.wsk.pointers import held, read_ulong, require_kind, require_ulong, write_ulong
from wsknet.wsk.requests import Forbidden, call_back, forbid_flags, perform
from wsknet.wsk.sockaddr import (
    SockAddr,
    remote_endpoint,
    require_room,
    sockaddr_octets,
    sockaddr_of,
    store_sockaddr,
)
from wsknet.wsk.sockets.base import NOT_CALLED
from wsknet.wsk.sockets.states import BOUND, FORCED_CLOSED
from wsknet.wsk.sockets.transport import OutAddress, TransportSocket
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_OF_KIND,
    STATUS_PENDING,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_BUF, WSK_BUF_LIST, WSK_DATAGRAM_INDICATION
from wsknet.wsk.verifier import table

if TYPE_CHECKING:
    from wsknet.transport.datagram import Datagram, DatagramEndpoint
    from wsknet.types import Endpoint, Instant
    from wsknet.wsk.client import Client

BATCH_LIMIT = 64
"""Most datagrams in one indication; the next follows when it has been taken."""

_CAST_FLAGS = {Cast.UNICAST: 0, Cast.BROADCAST: MSG_BCAST, Cast.MULTICAST: MSG_MCAST}


class DatagramSocket(TransportSocket):
    __slots__ = ("destination", "is_unreachable", "receives", "refused")

    CATEGORY = WSK_FLAG_DATAGRAM_SOCKET
    CHECKS_ITSELF = frozenset({"WskSendTo", "WskReceiveFrom"})
    EVENTS = WSK_EVENT_RECEIVE_FROM

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.destination: Endpoint | None = None
        """SIO_WSK_SET_SENDTO_ADDRESS: where a send without an address goes, unless a remote address is fixed."""
        self.receives: deque[IRP] = deque()
        """WskReceiveFrom requests, first come first served (D-12)."""
        self.refused: Datagram | None = None
        """The last of those that waited when a static WskReceiveFromEvent refused them: the next call is for a later
        one (R-282)."""
        self.is_unreachable = False
        """What was sent has met a port that nobody has; the next receive hears of it."""

    def default_receive_buffer(self) -> int:
        return self.host.stack.config.udp.receive_buffer

    def open_endpoint(self, cover: Cover) -> DatagramEndpoint:
        return self.host.stack.udp.open(cover, self)

    def bound(self, now: Instant) -> None:
        self.state = BOUND
        start_static_events(self, now)

    def apply_options(self) -> None:
        self.endpoint.may_broadcast = bool(self.options.broadcast)
        self.endpoint.receive_buffer = self.options.receive_buffer
        multicast = self.endpoint.multicast
        multicast.hop_limit = self.options.multicast_hops
        multicast.if_index = self.options.multicast_index or None
        multicast.loops = bool(self.options.multicast_loop)
        receiving = self.options.receiving
        self.endpoint.admission = receiving.admission
        self.endpoint.tells_port_unreachable = receiving.tells_port_unreachable
        self.endpoint.coalesced_size = receiving.coalesced_size
        self.endpoint.reports_errors = lengths_of_reports(receiving.control_info)
        self.is_unreachable = self.is_unreachable and receiving.tells_port_unreachable

    def steer_packets(self) -> None:
        self.endpoint.manner = self.options.sending.manner

    def find_callback(self, event: int) -> Callable[..., Any] | None:
        return getattr(self.ClientDispatch, "WskReceiveFromEvent", None)

    def check_may_enable(self, events: int) -> None:
        if self.state != BOUND:
            raise self.refuse_state("R-297", "events are enabled after bind")

    def events_changed(self, now: Instant) -> None:
        self.deliver(now)

    # Fixed addresses

    def set_remote_address(self, address: SockAddr | None, now: Instant) -> None:
        """Send there by default and receive from there only; None takes that back."""
        if self.state != BOUND:
            raise self.refuse_state("R-288", "a remote address is fixed after bind")
        self.endpoint.connect(self._endpoint_of(address), now)

    def set_destination(self, address: SockAddr | None) -> None:
        """Send there by default; None takes that back."""
        if self.state != BOUND:
            raise self.refuse_state("R-288", "a destination is fixed after bind")
        self.destination = self._endpoint_of(address)

    def _endpoint_of(self, address: SockAddr | None) -> Endpoint | None:
        return None if address is None else remote_endpoint(address, self.family, self.is_dual)

    # Sending

    def WskSendTo(
        self,
        Buffer: WSK_BUF,
        Flags: int,
        RemoteAddress: SockAddr | None,
        ControlInfoLength: int,
        ControlInfo: Any,
        Irp: IRP | None,
    ) -> NTSTATUS:
        """One datagram; its memory is free again at once."""
        try:
            if self.is_closing or not self.CATEGORY & DATAGRAM:
                self.require_usable(DatagramSocket, "WskSendTo")
            messages = (views_of(Buffer),)
            return perform(self.host, Irp, self._send, messages, Flags, RemoteAddress, ControlInfoLength, ControlInfo)
        except BugCheck:
            return self.stopped()

    def WskSendMessages(
        self,
        BufferList: WSK_BUF_LIST,
        Flags: int,
        RemoteAddress: SockAddr | None,
        ControlInfoLength: int,
        ControlInfo: Any,
        Irp: IRP | None,
    ) -> NTSTATUS:
        """One datagram for each element.  The first that cannot be sent fails the request; those before it are out."""
        messages: dict[WSK_BUF_LIST, list[memoryview]] = {}
        element: WSK_BUF_LIST | None = BufferList
        while element is not None:
            require_kind(element, WSK_BUF_LIST, "an element of BufferList")
            if element in messages:
                what = "an element of BufferList leads back to one before it: the list has no end"
                raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-264", what)
            messages[element] = views_of(element.Buffer)
            element = element.Next
        views = list(messages.values())
        return self.perform(Irp, self._send, views, Flags, RemoteAddress, ControlInfoLength, ControlInfo)

    def _send(
        self,
        Irp: IRP,
        now: Instant,
        messages: tuple[list[memoryview]] | list[list[memoryview]],
        Flags: int,
        RemoteAddress: SockAddr | None,
        ControlInfoLength: int,
        ControlInfo: Any,
    ) -> Any:
        if Flags:
            forbid_flags(Flags, "WSK-4.14")
        if not messages:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "BufferList is NULL")
        if bool(ControlInfoLength) != (ControlInfo is not None):
            raise Forbidden(STATUS_INVALID_PARAMETER, "R-263", "ControlInfoLength and ControlInfo do not agree")
        if self.state != BOUND:
            raise self.refuse_state("R-106", "a datagram socket sends once it is bound")
        endpoint: DatagramEndpoint = self.endpoint
        if RemoteAddress is not None:
            to: Endpoint | None = remote_endpoint(RemoteAddress, self.family, self.is_dual)
        else:
            to = endpoint.remote or self.destination
        info = None
        if ControlInfoLength and to is not None:
            usual = self.options.sending.terms[len(to.address)].traffic_class
            level = IPPROTO_IP if len(to.address) == 4 else IPPROTO_IPV6
            info = packet_info(ControlInfo, ControlInfoLength, level, usual)
        sent = 0
        for views in messages:
            # A copy: the datagram may have to wait for the neighbour while the caller has its memory back.
            data = bytes(views[0]) if len(views) == 1 else b"".join(views)
            endpoint.send((data,), to, now, info)
            sent += len(data)
        return sent

    # Receiving

    def WskReceiveFrom(
        self,
        Buffer: WSK_BUF,
        Flags: int,
        RemoteAddress: OutAddress | None,
        ControlLength: list[int] | None,
        ControlInfo: Any,
        ControlFlags: list[int] | None,
        Irp: IRP | None,
    ) -> NTSTATUS:
        """One datagram; what does not fit is lost and MSG_TRUNC says so (D-14), of ControlInfo MSG_CTRUNC (R-268).

        With the latter ControlLength is the length of the messages that are there.
        """
        try:
            if self.is_closing or not self.CATEGORY & DATAGRAM:
                self.require_usable(DatagramSocket, "WskReceiveFrom")
            views = writable_views_of(Buffer)
            if RemoteAddress is not None:
                require_room(RemoteAddress, self.family)
            if ControlLength is not None:
                require_ulong(ControlLength, "ControlLength")
            if ControlFlags is not None:
                require_ulong(ControlFlags, "ControlFlags")
            out = RemoteAddress, ControlLength, ControlInfo, ControlFlags
            return perform(self.host, Irp, self._receive, views, Buffer, Flags, out)
        except BugCheck:
            return self.stopped()

    def _receive(
        self, Irp: IRP, now: Instant, views: list[memoryview], Buffer: WSK_BUF, Flags: int, out: tuple[Any, ...]
    ) -> Any:
        if Flags:
            forbid_flags(Flags, "WSK-4.16")
        if self.state != BOUND:
            raise self.refuse_state("R-106", "a datagram socket receives once it is bound")
        if self.is_unreachable and not self.receives:
            self.is_unreachable = False
            raise NetError(ErrorKind.PORT_UNREACHABLE)
        Irp._buffers = views
        Irp._out = out
        if not self.receives and not self.busy:
            datagram = self.endpoint.receive()
            if datagram is not None:
                return self._store(Irp, datagram)
        if self.verifier is not None:
            self.lend(Irp, views, Buffer)
        Irp._out = tuple(map(held, out))
        self.receives.append(Irp)
        return self.pend(Irp, now)

    def _store(self, Irp: IRP, datagram: Datagram) -> int:
        """Copy `datagram` into the buffers and out parameters of `Irp`; how many bytes that were."""
        views: list[memoryview] = Irp._buffers
        RemoteAddress, ControlLength, ControlInfo, ControlFlags = Irp._out
        Irp._buffers = Irp._out = None
        data = datagram.data
        copied = 0
        for view in views:
            piece = data[copied : copied + len(view)]
            view[: len(piece)] = piece
            copied += len(piece)
        if RemoteAddress is not None:
            source = datagram.source
            store_sockaddr(RemoteAddress, sockaddr_octets(self.family, source.address, source.port, source.zone))
        flags = _CAST_FLAGS[datagram.cast] | (MSG_TRUNC if copied < len(data) else 0)
        if ControlLength is not None:
            filled = 0
            wanted = self.options.receiving.control_info
            if wanted:
                filled, has_fitted = store(messages_of(datagram, wanted), ControlInfo, read_ulong(ControlLength))
                flags |= 0 if has_fitted else MSG_CTRUNC
            write_ulong(ControlLength, filled)
        if ControlFlags is not None:
            write_ulong(ControlFlags, flags)
        return copied

    def deliver(self, now: Instant) -> None:
        """Give waiting datagrams to whoever comes first.  Bound, driver lock held."""
        if self.busy:
            return
        endpoint: DatagramEndpoint = self.endpoint
        receives = self.receives
        while receives:
            datagram = endpoint.receive()
            if datagram is None:
                break
            Irp = receives.popleft()
            if self.verifier is not None:
                self.take_back(Irp)
            self.finish(Irp, STATUS_SUCCESS, self._store(Irp, datagram))
        if not receives and self.events & WSK_EVENT_RECEIVE_FROM and endpoint.readable:
            newest = endpoint.newest
            if newest is not self.refused:
                self._post_indication(endpoint.peek(), newest)

    def _post_indication(self, waiting: list[Datagram], newest: Datagram) -> None:
        """Datagrams that reached us in the same way make one list; they stay queued until they are accepted."""
        cast = waiting[0].cast
        batch = []
        for datagram in waiting[:BATCH_LIMIT]:
            if datagram.cast is not cast:
                break
            batch.append(datagram)
        self.busy |= WSK_EVENT_RECEIVE_FROM
        self.completions.post(self._indicate, batch, newest, _CAST_FLAGS[cast] | WSK_FLAG_AT_DISPATCH_LEVEL)

    def _indicate(self, batch: list[Datagram], newest: Datagram, flags: int) -> None:
        """A completion: no lock held."""
        elements = [self._element(datagram) for datagram in batch]
        for element, following in pairwise(elements):
            element.Next = following
        status: Any = NOT_CALLED
        try:
            if self.is_wanted(WSK_EVENT_RECEIVE_FROM):
                callback = self.callbacks[WSK_EVENT_RECEIVE_FROM]
                status = STATUS_DATA_NOT_ACCEPTED  # should it raise
                status = call_back(callback, self.SocketContext, flags, elements[0])
        finally:
            if status != STATUS_PENDING:
                for element in elements:
                    element._holder = None
            elif self.verifier is not None:
                self.verifier.retain(elements, callback)
            with self.pump as now:
                self._indicated(status, sum(datagram.parts for datagram in batch), newest, now)

    def _element(self, datagram: Datagram) -> WSK_DATAGRAM_INDICATION:
        data = datagram.data
        Buffer = WSK_BUF(mdl_of(data), 0, len(data)) if data else WSK_BUF()
        element = WSK_DATAGRAM_INDICATION(None, Buffer, None, 0, sockaddr_of(self.family, datagram.source))
        wanted = self.options.receiving.control_info
        if wanted:
            control = b"".join(messages_of(datagram, wanted))
            if control:
                element.ControlInfo, element.ControlInfoLength = CMSGHDR.cast(control), len(control)
        # It may be released by another thread before the callback has returned STATUS_PENDING.
        element._holder = self
        return element

    def _indicated(self, status: Any, count: int, newest: Datagram, now: Instant) -> None:
        """Apply what the callback returned; NOT_CALLED if it was not.  Anything but a refusal takes them all."""
        self.end_callback(WSK_EVENT_RECEIVE_FROM)
        if self.is_closing or self.state != BOUND:
            return
        if status == STATUS_DATA_NOT_ACCEPTED:
            self.events &= self.static_events
            self.refused = newest if self.static_events else None
        elif status != NOT_CALLED:
            self.endpoint.take(count)
        self.deliver(now)

    def WskRelease(self, DatagramIndication: WSK_DATAGRAM_INDICATION | None) -> NTSTATUS:
        return self.release(DatagramIndication)

    # What the endpoint reports

    def on_ready(self, readiness: int, now: Instant) -> None:
        """An ICMP error is told to the request that waits now, an unreachable port else to the next one (BIND-65)."""
        if self.endpoint.error is not None:
            error = self.endpoint.take_error()
            if error is ErrorKind.INTERFACE_REMOVED:
                self.force_close(now)
                return
            if self.receives:
                self.finish(self.receives.popleft(), STATUS_OF_KIND[error])
            elif error is ErrorKind.PORT_UNREACHABLE:
                self.is_unreachable = True
        self.deliver(now)

    def force_close(self, now: Instant) -> None:
        """The interface with the local address has gone: nothing but WskCloseSocket is of use any more (D-23)."""
        self.state = FORCED_CLOSED
        self.end_notifications(STATUS_FILE_FORCED_CLOSED)
        while self.receives:
            self.finish(self.receives.popleft(), STATUS_FILE_FORCED_CLOSED)
        self.tell_dead(WSK_EVENT_RECEIVE_FROM, None)
        if self.endpoint is not None:
            self.endpoint.close(now)

    def cancel(self, Irp: IRP, now: Instant) -> None:
        self.receives.remove(Irp)
        self.finish(Irp, STATUS_CANCELLED)

    def cancel_all(self, now: Instant) -> None:
        while self.receives:
            self.finish(self.receives.popleft(), STATUS_CANCELLED)
        super().cancel_all(now)


DATAGRAM_DISPATCH = table(WSK_PROVIDER_DATAGRAM_DISPATCH, DatagramSocket)
