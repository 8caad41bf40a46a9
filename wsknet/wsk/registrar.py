"""What the Network Module Registrar keeps: client modules and their bindings to the WSK subsystem (WSK-1.6).

A binding ends in steps: one side deregisters; ClientDetachProvider is called, once; the client says that it has
detached; its sockets are closed and its requests complete; ClientCleanupBindingContext is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.wsk.client import Client, misuse
from wsknet.wsk.kernel import kernel_of
from wsknet.wsk.npi import NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_REGISTRATION_INSTANCE
from wsknet.wsk.ps import PsCreateSystemThread
from wsknet.wsk.registration import HIGHEST_VERSION, LOWEST_VERSION, is_supported
from wsknet.wsk.requests import call_back
from wsknet.wsk.status import NTSTATUS, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS
from wsknet.wsk.structures import GUID, NPI_WSK_INTERFACE_ID, WSK_PROVIDER_CHARACTERISTICS

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.wsk.structures import WSK_CLIENT_DISPATCH

PROVIDER_INSTANCE = NPI_REGISTRATION_INSTANCE(
    NpiId=NPI_WSK_INTERFACE_ID,
    ModuleId=NPI_MODULEID(Guid=GUID(0x77736B6E, 0x6574, 0x4E4D, bytes.fromhex("8052000000000001"))),
    NpiSpecificCharacteristics=WSK_PROVIDER_CHARACTERISTICS(HIGHEST_VERSION, LOWEST_VERSION),
)
"""What the subsystem registers itself with.  The module's GUID is our own: that of Windows is not documented."""


class Binding:
    """Between one client module and the provider; what the client knows as the NmrBindingHandle."""

    __slots__ = ("answer", "client", "has_completed", "is_detaching", "is_offered", "is_unwanted", "module")

    def __init__(self, module: ClientModule) -> None:
        self.module = module
        self.client: Client | None = None
        """Once attached."""
        self.is_offered = True
        """ClientAttachProvider is running."""
        self.is_unwanted = False
        """One of the two sides deregisters."""
        self.is_detaching = False
        """ClientDetachProvider has been called."""
        self.answer: int | None = None
        """What that has returned."""
        self.has_completed = False
        """NmrClientDetachProviderComplete has been called."""

    def offer(self) -> None:
        """Call ClientAttachProvider.  At PASSIVE_LEVEL, no lock held."""
        module = self.module
        try:
            with module.host.activate():
                answer = module.characteristics.ClientAttachProvider(self, module.ClientContext, PROVIDER_INSTANCE)
        finally:
            with module.host.pump:
                self.is_offered = False
            if self.client is None:
                module.unbind(self)
            elif self.is_unwanted:
                self.detach()
        if (answer == STATUS_SUCCESS) != (self.client is not None):
            raise misuse("WSK-1.6", "ClientAttachProvider must return what the last NmrClientAttachProvider did")

    def attach(self, ClientBindingContext: Any, ClientDispatch: WSK_CLIENT_DISPATCH) -> NTSTATUS:
        host = self.module.host
        with host.pump:
            if not self.is_offered or self.client is not None:
                raise misuse("WSK-1.6", "NmrClientAttachProvider is for ClientAttachProvider, and once with success")
            if self.is_unwanted or not is_supported(ClientDispatch.Version):
                return STATUS_NOINTERFACE
            client = self.client = Client(host, ClientBindingContext, ClientDispatch)
            client.captures = 1
            client.at_end = self._post_cleanup
        return STATUS_SUCCESS

    def detach(self) -> None:
        """Call ClientDetachProvider, unless that has been done or cannot be done yet.  No lock held."""
        module = self.module
        with module.host.pump:
            client = self.client  # ClientAttachProvider may be about to return in another thread
            self.is_unwanted = True
            if client is None or self.is_offered or self.is_detaching:
                return
            self.is_detaching = True
            if not client.is_provider_gone:
                client.deregister()
        with module.host.activate():
            answer = module.characteristics.ClientDetachProvider(client.ClientContext)
        with module.host.pump:
            self.answer = answer
            is_pending = answer == STATUS_PENDING
            has_completed = self.has_completed
        if has_completed or not is_pending:
            client.release()
        if has_completed and not is_pending:
            raise self._uncalled_for()

    def complete(self) -> None:
        """The client has detached, after ClientDetachProvider has returned or is about to return STATUS_PENDING."""
        with self.module.host.pump:
            client = self.client
            is_awaited = self.is_detaching and not self.has_completed and self.answer in (None, STATUS_PENDING)
            if client is None or not is_awaited:
                raise self._uncalled_for()
            self.has_completed = True
            has_returned = self.answer is not None
        if has_returned:
            client.release()

    def _uncalled_for(self) -> Exception:
        return misuse("R-039", "NmrClientDetachProviderComplete is for STATUS_PENDING from ClientDetachProvider, once")

    def _post_cleanup(self) -> None:
        pump = self.module.host.pump
        with pump:
            pump.completions.post(self._clean_up)

    def _clean_up(self) -> None:
        routine = self.module.characteristics.ClientCleanupBindingContext
        try:
            if routine is not None and self.client is not None:
                call_back(routine, self.client.ClientContext)
        finally:
            self.module.unbind(self)

    def describe(self) -> str:
        """What keeps it from ending."""
        if self.client is None or not self.is_detaching:
            return "ClientAttachProvider has not returned"
        return self.client.describe_use()


class ClientModule:
    """One NmrRegisterClient; what the client knows as the NmrClientHandle."""

    __slots__ = ("ClientContext", "binding", "characteristics", "host", "is_closed", "is_deregistered")

    def __init__(self, host: Host, characteristics: NPI_CLIENT_CHARACTERISTICS, ClientContext: Any) -> None:
        self.host = host
        self.characteristics: Any = characteristics
        self.ClientContext = ClientContext
        self.binding: Binding | None = None
        self.is_deregistered = False
        self.is_closed = False
        """NmrWaitForClientDeregisterComplete has returned: the handle stands for nothing any more."""

    def offer(self, StartContext: object = None) -> None:
        """Offer the provider to this client, if it is there and not bound to it already.  At PASSIVE_LEVEL."""
        wanted = self.characteristics.ClientRegistrationInstance.NpiId
        with self.host.pump:
            is_possible = kernel_of(self.host).provider_is_ready and wanted == NPI_WSK_INTERFACE_ID
            if self.is_deregistered or self.binding is not None or not is_possible:
                return
            binding = self.binding = Binding(self)
        binding.offer()

    def offer_in_thread(self) -> None:
        with self.host.activate():
            PsCreateSystemThread([], 0, None, None, None, self.offer, None)

    def unbind(self, binding: Binding) -> None:
        """`binding` has ended, or has not come about."""
        with self.host.pump:
            self.binding = None
        self.host.driver.wakeup()
        # Declined: it will not be offered again.  Ended by the provider: that may have come back meanwhile.
        if binding.is_unwanted and not self.is_deregistered and kernel_of(self.host).provider_is_ready:
            self.offer_in_thread()


class Registrar:
    """The client modules of one host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.modules: dict[ClientModule, None] = {}
        kernel_of(host).at_provider_ready = self._offer_all

    def _offer_all(self) -> None:
        for module in list(self.modules):
            if module.binding is None:
                module.offer_in_thread()

    def lose_provider(self) -> None:
        """Driver lock held."""
        for module in self.modules:
            if module.binding is not None:
                module.binding.is_unwanted = True
                self.host.pump.completions.post(call_back, module.binding.detach)


def registrar_of(host: Host) -> Registrar:
    registrar: Registrar | None = host.faces.get(Registrar)
    if registrar is None:
        registrar = host.faces.setdefault(Registrar, Registrar(host))
    return registrar
