"""What can be done wrong with a registration, with the NPI and with what it hands out (WSK-1, 5.7, 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import FAR
from tests.support.wsk_misuse_world import DATAGRAM, Misuse, World, misuse
from tests.support.wsk_registration import capture, register
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    IPPROTO_TCP,
    MAKE_WSK_VERSION,
    NPI_WSK_INTERFACE_ID,
    SECURITY_DESCRIPTOR,
    SO_WSK_SECURITY,
    SOCK_STREAM,
    SOL_SOCKET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    UNICODE_STRING,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_NO_WAIT,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_RELEASE_SD,
    WSK_SET_STATIC_EVENT_CALLBACKS,
    WSK_TDI_BEHAVIOR,
    WSK_TDI_BEHAVIOR_BYPASS_TDI,
    WSK_TRANSPORT_LIST_QUERY,
    WskCaptureProviderNPI,
    WskDeregister,
    WskQueryProviderCharacteristics,
    WskRegister,
    WskReleaseProviderNPI,
    WskSetOption,
    simple,
)

TABLE: list[Misuse] = []

NPI = WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0)))


# Registration


@misuse(TABLE, "R-003")
def _a_second_WskDeregister(world: World) -> Any:
    registration = register()
    WskDeregister(registration)
    return WskDeregister(registration)


@misuse(TABLE, "R-002")
def _a_block_is_registered_twice(world: World) -> Any:
    registration = register()
    try:
        return WskRegister(NPI, registration)
    finally:
        WskDeregister(registration)


@misuse(TABLE, "R-002")
def _a_block_is_registered_again_while_captured(world: World) -> Any:
    return WskRegister(NPI, world.application.registration)


@misuse(TABLE, "R-001")
def _a_block_without_WskRegister_is_deregistered(world: World) -> Any:
    return WskDeregister(WSK_REGISTRATION())


@misuse(TABLE, "R-001")
def _a_block_without_WskRegister_is_captured(world: World) -> Any:
    return WskCaptureProviderNPI(WSK_REGISTRATION(), WSK_NO_WAIT, WSK_PROVIDER_NPI())


@misuse(TABLE, "R-001")
def _a_block_without_WskRegister_is_released(world: World) -> Any:
    return WskReleaseProviderNPI(WSK_REGISTRATION())


@misuse(TABLE, "R-001")
def _characteristics_are_asked_of_a_block_without_WskRegister(world: World) -> Any:
    return WskQueryProviderCharacteristics(WSK_REGISTRATION(), WSK_PROVIDER_CHARACTERISTICS())


@misuse(TABLE, "R-013")
def _a_release_without_a_capture(world: World) -> Any:
    registration = register()
    try:
        return WskReleaseProviderNPI(registration)
    finally:
        WskDeregister(registration)


@misuse(TABLE, "R-013")
def _one_release_more_than_captures(world: World) -> Any:
    registration = register()
    for _ in range(2):
        capture(registration)
    for _ in range(2):
        WskReleaseProviderNPI(registration)
    try:
        return WskReleaseProviderNPI(registration)
    finally:
        WskDeregister(registration)


@misuse(TABLE, "R-030", STATUS_INVALID_PARAMETER)
def _a_client_dispatch_with_a_reserved_member(world: World) -> Any:
    return WskRegister(WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 1)), WSK_REGISTRATION())


# After the release


def _socket(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    kind = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, None)
    return npi.Dispatch.WskSocket(npi.Client, *kind, world.irp())


def _socket_connect(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    kind = (SOCK_STREAM, IPPROTO_TCP, simple.address("0.0.0.0", 0), simple.address(FAR, 9), 0)
    return npi.Dispatch.WskSocketConnect(npi.Client, *kind, None, None, None, None, None, world.irp())


def _control(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    return npi.Dispatch.WskControlClient(npi.Client, WSK_TRANSPORT_LIST_QUERY, 0, None, 0, None, [0], None)


def _address_info(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    names = (UNICODE_STRING("192.0.2.1"), None, 0, None, None, [None])
    return npi.Dispatch.WskGetAddressInfo(npi.Client, *names, None, None, world.irp())


def _name_info(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    arguments = (simple.address(FAR, 9), 16, UNICODE_STRING("x" * 40), None, 0, None, None)
    return npi.Dispatch.WskGetNameInfo(npi.Client, *arguments, world.irp())


def _free_info(world: World, npi: WSK_PROVIDER_NPI) -> Any:
    return npi.Dispatch.WskFreeAddressInfo(npi.Client, ADDRINFOEXW())


def _released(call: Callable[[World, WSK_PROVIDER_NPI], Any]) -> Callable[[World], Any]:
    def perform(world: World) -> Any:
        registration = register()
        npi = capture(registration)
        WskReleaseProviderNPI(registration)
        try:
            return call(world, npi)
        finally:
            WskDeregister(registration)

    return perform


for _call in (_socket, _socket_connect, _control, _address_info, _name_info, _free_info):
    _name = f"{_call.__name__[1:]} after the release".replace(" ", "-").replace("_", "-")
    TABLE.append(Misuse(_name, "R-017", _released(_call), _call))


# Security descriptors


@misuse(TABLE, "R-091")
def _a_socket_with_a_descriptor_that_is_not_cached(world: World) -> Any:
    provider = world.application.provider
    kind = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, SECURITY_DESCRIPTOR("alice"))
    return provider.Dispatch.WskSocket(provider.Client, *kind, world.irp())


@misuse(TABLE, "R-091")
def _a_socket_with_a_descriptor_that_was_released(world: World) -> Any:
    provider, descriptor = world.application.provider, world.application.cache(SECURITY_DESCRIPTOR("alice"))
    world.application.release(descriptor)
    kind = (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, None, None, None, None, descriptor)
    return provider.Dispatch.WskSocket(provider.Client, *kind, world.irp())


@misuse(TABLE, "R-091")
def _SO_WSK_SECURITY_with_a_descriptor_that_is_not_cached(world: World) -> Any:
    Socket, given = world.fresh(DATAGRAM), [SECURITY_DESCRIPTOR("alice")]
    return Socket.Dispatch.WskControlSocket(
        Socket, WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, 8, given, 0, None, None, world.irp()
    )


def _release(world: World, descriptor: SECURITY_DESCRIPTOR) -> Any:
    provider = world.application.provider
    return provider.Dispatch.WskControlClient(provider.Client, WSK_RELEASE_SD, 8, [descriptor], 0, None, None, None)


def _release_twice(world: World) -> Any:
    descriptor = world.application.cache(SECURITY_DESCRIPTOR("alice"))
    world.application.release(descriptor)
    return _release(world, descriptor)


TABLE.append(Misuse("a-descriptor-is-released-twice", "WSK-5.7", _release_twice, _release))
TABLE.append(
    Misuse(
        "a-descriptor-is-released-that-is-not-cached",
        "WSK-5.7",
        lambda world: _release(world, SECURITY_DESCRIPTOR("alice")),
        _release,
    )
)


@misuse(TABLE, "R-091")
def _a_descriptor_is_released_while_a_connect_has_it(world: World) -> Any:
    provider, descriptor = world.application.provider, world.application.cache(SECURITY_DESCRIPTOR("alice"))
    kind = (SOCK_STREAM, IPPROTO_TCP, simple.address("0.0.0.0", 0), simple.address(FAR, 9), 0)
    provider.Dispatch.WskSocketConnect(provider.Client, *kind, None, None, None, None, descriptor, world.irp())
    try:
        return provider.Dispatch.WskControlClient(provider.Client, WSK_RELEASE_SD, 8, [descriptor], 0, None, None, None)
    finally:
        world.lab.run()
        world.application.release(descriptor)


# Lists of addresses


def _list(world: World) -> Any:
    provider, found = world.application.provider, [None]
    names = (UNICODE_STRING("192.0.2.1"), None, 0, None, None, found)
    simple.call(provider.Dispatch.WskGetAddressInfo, provider.Client, *names, None, None)
    assert found[0] is not None
    return found[0]


@misuse(TABLE, "R-342")
def _a_list_of_addresses_is_freed_twice(world: World) -> Any:
    provider, head = world.application.provider, _list(world)
    provider.Dispatch.WskFreeAddressInfo(provider.Client, head)
    return provider.Dispatch.WskFreeAddressInfo(provider.Client, head)


@misuse(TABLE, "R-342")
def _a_list_of_addresses_is_freed_that_is_none(world: World) -> Any:
    provider = world.application.provider
    return provider.Dispatch.WskFreeAddressInfo(provider.Client, ADDRINFOEXW())


# What comes before the first socket


@misuse(TABLE, "R-329", STATUS_INVALID_DEVICE_STATE)
def _static_callbacks_after_the_first_socket(world: World) -> Any:
    provider, Control = world.application.provider, WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT)
    world.datagram()
    return provider.Dispatch.WskControlClient(
        provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, Control.SIZE, Control, 0, None, None, None
    )


@misuse(TABLE, "R-334", STATUS_INVALID_DEVICE_STATE)
def _tdi_behaviour_after_the_first_socket(world: World) -> Any:
    provider = world.application.provider
    world.datagram()
    return provider.Dispatch.WskControlClient(
        provider.Client, WSK_TDI_BEHAVIOR, 4, [WSK_TDI_BEHAVIOR_BYPASS_TDI], 0, None, None, None
    )
