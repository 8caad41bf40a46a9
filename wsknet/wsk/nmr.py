"""The Network Module Registrar: the other way to attach to the WSK subsystem (WSK-1.6).

Read the public pages of netioddk.h before editing.  The only provider is the emulated WSK subsystem, under
NPI_WSK_INTERFACE_ID; a client of any other interface is registered and waits for ever.  What a client gets is the same
PWSK_CLIENT as by WskRegister.

ClientAttachProvider runs at PASSIVE_LEVEL: in NmrRegisterClient if the provider is there, else in a system thread once
it is.  ClientDetachProvider runs in NmrDeregisterClient, or from the completion queue at DISPATCH_LEVEL if it is the
provider that goes; ClientCleanupBindingContext always from that queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.host import current_host
from wsknet.wsk.client import misuse, require_passive
from wsknet.wsk.irql import require_may_wait
from wsknet.wsk.kernel import kernel_of
from wsknet.wsk.npi import NPI_CLIENT_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE
from wsknet.wsk.provider import PROVIDER_DISPATCH
from wsknet.wsk.registrar import Binding, ClientModule, registrar_of
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_CLIENT_DISPATCH
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.host import Host

__all__ = [
    "NmrClientAttachProvider", "NmrClientDetachProviderComplete", "NmrDeregisterClient", "NmrRegisterClient",
    "NmrWaitForClientDeregisterComplete", "detach_provider",
]  # fmt: skip


@checked(STATUS_INVALID_PARAMETER)
def NmrRegisterClient(
    ClientCharacteristics: NPI_CLIENT_CHARACTERISTICS, ClientContext: Any, NmrClientHandle: list[Any]
) -> NTSTATUS:
    """On the current host.  `NmrClientHandle` receives the handle, before ClientAttachProvider is called."""
    require_passive("NmrRegisterClient", "WSK-1.6")
    host = current_host()
    if kernel_of(host).refuses("NmrRegisterClient"):
        return STATUS_INSUFFICIENT_RESOURCES
    if not _is_sound(ClientCharacteristics):
        return STATUS_INVALID_PARAMETER
    _require_variables(NmrClientHandle)
    module = ClientModule(host, ClientCharacteristics, ClientContext)
    NmrClientHandle[:] = [module]
    registrar = registrar_of(host)
    with host.pump:
        registrar.modules[module] = None
    module.offer()
    return STATUS_SUCCESS


def _require_variables(*targets: object) -> None:
    """BugCheck unless each is a variable for a pointer: a list."""
    if not all(isinstance(target, list) for target in targets):
        raise misuse("WSK-1.6", "what receives a pointer is a one-element list")


def _is_sound(characteristics: NPI_CLIENT_CHARACTERISTICS) -> bool:
    if not isinstance(characteristics, NPI_CLIENT_CHARACTERISTICS):
        return False
    instance = characteristics.ClientRegistrationInstance
    sizes = characteristics.Length, instance.Size
    return (
        characteristics.Version == instance.Version == 0
        and sizes == (NPI_CLIENT_CHARACTERISTICS.SIZE, NPI_REGISTRATION_INSTANCE.SIZE)
        and characteristics.ClientAttachProvider is not None
        and characteristics.ClientDetachProvider is not None
        and instance.NpiId is not None
        and instance.ModuleId is not None
    )


@checked(STATUS_INVALID_PARAMETER)
def NmrClientAttachProvider(
    NmrBindingHandle: Binding,
    ClientBindingContext: Any,
    ClientDispatch: WSK_CLIENT_DISPATCH | None,
    ProviderBindingContext: list[Any],
    ProviderDispatch: list[Any],
) -> NTSTATUS:
    """The lists receive the PWSK_CLIENT and WSK_PROVIDER_DISPATCH.

    STATUS_NOINTERFACE: the version is unsupported, or one of the sides is deregistering.
    """
    require_passive("NmrClientAttachProvider", "WSK-1.6")
    _require_binding(NmrBindingHandle)
    _require_variables(ProviderBindingContext, ProviderDispatch)
    if not isinstance(ClientDispatch, WSK_CLIENT_DISPATCH) or ClientDispatch.Reserved != 0:
        return STATUS_INVALID_PARAMETER
    status = NmrBindingHandle.attach(ClientBindingContext, ClientDispatch)
    if status is STATUS_SUCCESS:
        ProviderBindingContext[:] = [NmrBindingHandle.client]
        ProviderDispatch[:] = [PROVIDER_DISPATCH]
    return status


@checked(None)
def NmrClientDetachProviderComplete(NmrBindingHandle: Binding) -> None:
    """From now on the functions of WSK_PROVIDER_DISPATCH must not be called; sockets may yet have to be closed."""
    _require_binding(NmrBindingHandle)
    NmrBindingHandle.complete()


def _require_binding(handle: object) -> None:
    if not isinstance(handle, Binding):
        raise misuse("WSK-1.6", f"a {type(handle).__name__} in place of the handle that ClientAttachProvider was given")


@checked(STATUS_INVALID_PARAMETER)
def NmrDeregisterClient(NmrClientHandle: Any) -> NTSTATUS:
    """STATUS_PENDING, always: NmrWaitForClientDeregisterComplete tells the end."""
    if not isinstance(NmrClientHandle, ClientModule) or NmrClientHandle.is_closed:
        return STATUS_INVALID_PARAMETER
    module = NmrClientHandle
    with module.host.pump:
        if module.is_deregistered:
            raise misuse("WSK-1.6", "a second NmrDeregisterClient for one NmrRegisterClient")
        module.is_deregistered = True
        del registrar_of(module.host).modules[module]
        binding = module.binding
    if binding is not None:
        binding.detach()
    return STATUS_PENDING


@checked(STATUS_INVALID_PARAMETER)
def NmrWaitForClientDeregisterComplete(NmrClientHandle: Any) -> NTSTATUS:
    """Until the provider is detached, which takes every socket to be closed, and cleanup has run."""
    require_may_wait("NmrWaitForClientDeregisterComplete")
    if not isinstance(NmrClientHandle, ClientModule) or NmrClientHandle.is_closed:
        return STATUS_INVALID_PARAMETER
    module = NmrClientHandle
    if not module.is_deregistered:
        return STATUS_INVALID_PARAMETER
    binding = module.binding
    if binding is not None:
        what = f"NmrWaitForClientDeregisterComplete ({binding.describe()})"
        module.host.driver.block(lambda: module.binding is None, what, None)
    module.is_closed = True
    return STATUS_SUCCESS


def detach_provider(host: Host) -> None:
    """Let the WSK subsystem of `host` deregister while applications are attached, which is unlikely but possible.

    It is not there any more for WskCaptureProviderNPI and NmrRegisterClient until ``set_provider_ready(host, True)``.
    Attachments end as the documentation has it: clients of the NMR get ClientDetachProvider, those of WskRegister are
    not told; pending WSK_TRANSPORT_LIST_CHANGE requests are cancelled; sockets go on until the application closes
    them.  Not documented, so our choice: functions of WSK_PROVIDER_DISPATCH that take an IRP answer
    STATUS_DEVICE_NOT_READY meanwhile, and who is still attached attaches anew only when that attachment has ended.
    """
    kernel = kernel_of(host)
    registrar = registrar_of(host)
    with host.pump:
        kernel.provider_is_ready = False
        clients = list(kernel.clients)
        for client in clients:
            client.lose_provider()
        registrar.lose_provider()
    for client in clients:
        client.settle()
