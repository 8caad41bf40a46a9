"""A WSK application that attaches through the Network Module Registrar and notes what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import Request
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    MAKE_WSK_VERSION,
    NPI_CLIENT_CHARACTERISTICS,
    NPI_MODULEID,
    NPI_REGISTRATION_INSTANCE,
    NPI_WSK_INTERFACE_ID,
    NTSTATUS,
    STATUS_NOINTERFACE,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_FLAG_CONNECTION_SOCKET,
    KeGetCurrentIrql,
    NmrClientAttachProvider,
    NmrDeregisterClient,
    NmrRegisterClient,
    NmrWaitForClientDeregisterComplete,
)


class Module:
    def __init__(self) -> None:
        self.log: list[str] = []
        """The names of the callbacks, in order."""
        self.levels: list[int] = []
        """At which they ran."""
        self.versions = [MAKE_WSK_VERSION(1, 0)]
        """To be asked for one after the other."""
        self.attach_statuses: list[NTSTATUS] = []
        self.declines = False
        self.in_attach: Callable[[], object] = lambda: None
        """Called at the end of ClientAttachProvider."""
        self.in_detach: Callable[[], NTSTATUS] = lambda: STATUS_SUCCESS
        """Gives the answer of ClientDetachProvider."""
        self.bindings: list[Any] = []
        self.instance = NPI_REGISTRATION_INSTANCE()
        """Of the provider."""
        self.Client: Any = None
        self.Dispatch: Any = None
        own = NPI_REGISTRATION_INSTANCE(NpiId=NPI_WSK_INTERFACE_ID, ModuleId=NPI_MODULEID())
        callbacks = self._attach, self._detach, self._clean_up
        self.characteristics = NPI_CLIENT_CHARACTERISTICS(0, NPI_CLIENT_CHARACTERISTICS.SIZE, *callbacks, own)
        self.handle: list[Any] = []

    def _note(self, name: str) -> None:
        self.log.append(name)
        self.levels.append(KeGetCurrentIrql())

    def _attach(self, NmrBindingHandle: Any, ClientContext: Any, ProviderRegistrationInstance: Any) -> NTSTATUS:
        assert ClientContext is self
        self._note("attach")
        self.bindings.append(NmrBindingHandle)
        self.instance = ProviderRegistrationInstance
        if self.declines:
            return STATUS_NOINTERFACE
        status = STATUS_NOINTERFACE
        for version in self.versions:
            client: list[Any] = []
            dispatch: list[Any] = []
            context = f"binding {len(self.bindings)}"
            wanted = WSK_CLIENT_DISPATCH(version)
            status = NmrClientAttachProvider(NmrBindingHandle, context, wanted, client, dispatch)
            self.attach_statuses.append(status)
            if status == STATUS_SUCCESS:
                self.Client, self.Dispatch = client[0], dispatch[0]
                break
        self.in_attach()
        return status

    def _detach(self, ClientBindingContext: Any) -> NTSTATUS:
        assert ClientBindingContext == f"binding {len(self.bindings)}"
        self._note("detach")
        return self.in_detach()

    def _clean_up(self, ClientBindingContext: Any) -> None:
        assert ClientBindingContext == f"binding {len(self.bindings)}"
        self._note("cleanup")

    def register(self) -> NTSTATUS:
        return NmrRegisterClient(self.characteristics, self, self.handle)

    def deregister(self) -> NTSTATUS:
        return NmrDeregisterClient(self.handle[0])

    def wait(self) -> NTSTATUS:
        return NmrWaitForClientDeregisterComplete(self.handle[0])

    def open(self, is_ipv6: bool = False) -> Request:
        """WskSocket."""
        family = AF_INET6 if is_ipv6 else AF_INET
        kind = (family, 1, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET)
        return Request().start(self.Dispatch.WskSocket, self.Client, *kind, None, None, None, None, None)


def registered(**attributes: Any) -> Module:
    module = Module()
    for name, value in attributes.items():
        setattr(module, name, value)
    assert module.register() == STATUS_SUCCESS
    return module
