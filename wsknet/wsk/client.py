"""One attachment of an application to the subsystem: what a PWSK_CLIENT points to.

WskRegister makes one that lasts until WskDeregister, or until the provider goes away; through the NMR it lasts from
NmrClientAttachProvider until both sides have detached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, IRQL_NOT_LESS_OR_EQUAL, BugCheck, place_of_caller
from wsknet.wsk.irql import PASSIVE_LEVEL, processor
from wsknet.wsk.kernel import at, kernel_of
from wsknet.wsk.requests import Forbidden, complete
from wsknet.wsk.status import STATUS_INVALID_DEVICE_STATE

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.wsk.addrinfo import ADDRINFOEXW
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.status import NTSTATUS
    from wsknet.wsk.structures import SECURITY_DESCRIPTOR, WSK_CLIENT_DISPATCH


def misuse(rule: str, what: str) -> BugCheck:
    return BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, rule, what)


def require_passive(function: str, rule: str) -> None:
    if processor.irql > PASSIVE_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, rule, f"{function} is for PASSIVE_LEVEL, not for {processor.irql}")


def require_client(client: object) -> None:
    """BugCheck for what is no PWSK_CLIENT."""
    if not isinstance(client, Client):
        raise misuse("WSK-1.3", f"a {type(client).__name__} in place of the client object from the provider NPI")


class Client:
    __slots__ = ("ClientContext", "Dispatch", "_calls", "_requests", "address_lists", "at_deregistration", "at_end",
                 "cached_descriptors", "captures", "has_created_socket", "host", "is_deregistered", "is_provider_gone",
                 "place", "sockets", "static_events", "tdi_devices")  # fmt: skip

    def __init__(self, host: Host, ClientContext: Any, Dispatch: WSK_CLIENT_DISPATCH) -> None:
        self.host = host
        self.ClientContext = ClientContext
        self.Dispatch = Dispatch
        self.captures = 0
        """Provider NPIs captured and not yet released; an attachment through the NMR counts as one."""
        self.place = self._place()
        """Where the application registered; empty without a verifier."""
        self.sockets: dict[Socket, str] = {}
        """Not yet closed, oldest first, and where each came about; those of a WskSocketConnect in progress included."""
        self.is_deregistered = False
        """The application ends the attachment."""
        self.is_provider_gone = False
        """The provider does: what goes on may go on, but nothing new begins."""
        self.at_deregistration: list[Callable[[], None]] = []
        """Called once each, in order and with the driver lock held, when either side begins to end the attachment."""
        self.at_end: Callable[[], None] | None = None
        """Called once with no lock held, when the attachment has been ended and nothing of it is in use any more."""
        self.address_lists: dict[ADDRINFOEXW, str] = {}
        """What WskGetAddressInfo has handed out and WskFreeAddressInfo is yet to free: the first element, and where it
        was asked for."""
        self.cached_descriptors: dict[SECURITY_DESCRIPTOR, str] = {}
        """Cached security descriptors that are yet to be released, and where each was asked for."""
        self.has_created_socket = False
        self.static_events = 0
        """The WSK_EVENT_ bits that every new socket has enabled, as far as its category has them."""
        self.tdi_devices: frozenset[tuple[int, int, int]] = frozenset()
        """WSK_TDI_DEVICENAME_MAPPING: families, types and protocols that have a device."""
        # Lists: appending and popping need no lock.
        self._calls: list[None] = []
        self._requests: list[None] = []
        kernel_of(host).clients[self] = None

    # In use

    def enter(self) -> None:
        """A call to a function of WSK_PROVIDER_DISPATCH begins; `leave` must follow.  Callable from any thread."""
        self._calls.append(None)
        if not self.captures:
            self.leave()
            raise misuse("R-017", "a function of WSK_PROVIDER_DISPATCH is called after the provider NPI was released")

    def leave(self) -> None:
        """It has returned.  Driver lock not held, here and wherever something ends."""
        self._calls.pop()
        self._less_in_use()

    def pended(self, Irp: IRP) -> None:
        """A function of WSK_PROVIDER_DISPATCH keeps `Irp` until `finished`.  Driver lock held."""
        self._requests.append(None)
        Irp._keeper = self

    def finished(self, Irp: IRP, Status: NTSTATUS, Information: Any = 0) -> None:
        """Complete an IRP that was `pended`.  Driver lock held; its routine runs once the lock is released."""
        Irp.CancelRoutine = Irp._keeper = None
        Irp.IoStatus.Status = Status
        Irp.IoStatus.Information = Information
        self.host.pump.completions.post(self._complete, Irp)

    def _complete(self, Irp: IRP) -> None:
        try:
            complete(Irp)
        finally:
            self._requests.pop()
            self._less_in_use()

    def _place(self) -> str:
        return "" if kernel_of(self.host).verifier is None else place_of_caller()

    def require_no_socket_yet(self, rule: str) -> None:
        """Raises `Forbidden` for what has to be set before the first socket (R-329, R-334, D-17)."""
        if self.has_created_socket:
            what = "static callbacks and TDI mappings are set before the first socket is created"
            raise Forbidden(STATUS_INVALID_DEVICE_STATE, rule, what)

    def add_socket(self, socket: Socket) -> None:
        self.has_created_socket = True
        self.sockets[socket] = self._place()

    def remove_socket(self, socket: Socket) -> None:
        del self.sockets[socket]
        self._less_in_use()

    def release(self) -> None:
        """One capture fewer."""
        with self.host.pump:
            if not self.captures:
                raise misuse("R-013", "WskReleaseProviderNPI without a capture that it would release")
            self.captures -= 1
        self._less_in_use()

    def is_unused(self) -> bool:
        return not (self.captures or self.sockets or self._calls or self._requests)

    def describe_use(self) -> str:
        """What keeps the attachment from ending."""
        return (
            f"{self.captures} captures, {len(self.sockets)} open sockets, {len(self._calls)} calls in progress, "
            f"{len(self._requests)} requests pending"
        )

    # The end

    def deregister(self) -> None:
        """The application wants no more of it.  Driver lock held; `settle` must follow when it is released."""
        self.is_deregistered = True
        self._begin_end()

    def lose_provider(self) -> None:
        """The same from the side of the provider."""
        self.is_provider_gone = True
        self._begin_end()

    def _begin_end(self) -> None:
        actions, self.at_deregistration = self.at_deregistration, []
        for action in actions:
            action()

    def settle(self) -> None:
        """End it if nothing is in use.  Driver lock not held."""
        self._less_in_use()

    def _less_in_use(self) -> None:
        if not (self.is_deregistered or self.is_provider_gone):
            return
        at_end = None
        with self.host.pump:
            if self.is_unused():
                kernel = kernel_of(self.host)
                kernel.clients.pop(self, None)
                if self.cached_descriptors or self.address_lists:
                    kernel.left_behind[self] = None
                at_end, self.at_end = self.at_end, None
        if at_end is not None:
            at_end()
        self.host.driver.wakeup()

    def leaks(self) -> list[str]:
        """What the application holds, a line for each."""
        sockets = [line for socket, place in self.sockets.items() for line in socket.leaks(place)]
        return [f"a registration with {self.describe_use()}{at(self.place)}", *sockets, *self.leaks_without_it()]

    def leaks_without_it(self) -> list[str]:
        """The same, of what outlives the registration."""
        descriptors = [f"a cached security descriptor{at(place)}" for place in self.cached_descriptors.values()]
        return descriptors + [f"a list of WskGetAddressInfo{at(place)}" for place in self.address_lists.values()]
