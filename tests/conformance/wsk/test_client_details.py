"""The client object: what passes for one, what keeps it in use, and the structures of the NMR path as they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import Lab, start
from wsknet.wsk import (
    AF_INET,
    GUID,
    IPPROTO_UDP,
    NPI_CLIENT_CHARACTERISTICS,
    NPI_MODULEID,
    NPI_REGISTRATION_INSTANCE,
    SOCK_DGRAM,
    STATUS_INVALID_DEVICE_STATE,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_TDI_BEHAVIOR,
    BugCheck,
    verify,
)

ARGUMENTS = (AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, None, None, None, None, None)


def create(lab: Lab, client: Any) -> object:
    return start(lab.near_application.provider.Dispatch.WskSocket, client, *ARGUMENTS).returned


def control(lab: Lab, client: Any) -> object:
    flags = bytearray(4)
    return lab.near_application.provider.Dispatch.WskControlClient(
        client, WSK_TDI_BEHAVIOR, 4, flags, 0, None, None, None
    )


@pytest.mark.parametrize("call", [create, control])
def test_what_is_no_client_object_is_misuse(lab: Lab, call: Callable[[Lab, Any], object]) -> None:
    with pytest.raises(BugCheck) as stop:
        call(lab, "no client")
    assert (stop.value.code, stop.value.rule) == (0xC4, "WSK-1.3")


@pytest.mark.rule("R-334")
def test_what_comes_before_the_first_socket_is_refused_after_it(lab: Lab) -> None:
    client = lab.near_application.provider.Client
    lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    verify(lab.near, is_strict=False)
    assert control(lab, client) == STATUS_INVALID_DEVICE_STATE
    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        control(lab, client)
    assert (stop.value.code, stop.value.rule) == (0xC4, "R-334")


def test_the_structures_of_the_nmr_path_as_they_are_made() -> None:
    module = NPI_MODULEID()
    assert (module.Length, module.Type, module.Guid, module.IfLuid) == (24, 1, None, 0)
    instance = NPI_REGISTRATION_INSTANCE()
    assert (instance.Version, instance.Size, instance.Number) == (0, 40, 0)
    characteristics = NPI_CLIENT_CHARACTERISTICS()
    assert (characteristics.Version, characteristics.Length) == (0, 72)


def test_the_structures_of_the_nmr_path_hold_what_they_are_given() -> None:
    name = GUID(1)
    module = NPI_MODULEID(25, 2, name, 9)
    assert (module.Length, module.Type, module.Guid, module.IfLuid) == (25, 2, name, 9)
    instance = NPI_REGISTRATION_INSTANCE(1, 41, name, module, 7, "specific")
    assert (instance.Version, instance.Size, instance.NpiId, instance.ModuleId) == (1, 41, name, module)
    assert (instance.Number, instance.NpiSpecificCharacteristics) == (7, "specific")
