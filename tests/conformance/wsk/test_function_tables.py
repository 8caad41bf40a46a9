"""The functions as programs find them, in modules and tables: names, arguments, and sockets of another table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab, start
from wsknet.wsk import (
    STATUS_INVALID_PARAMETER,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    BugCheck,
    IoAllocateMdl,
    IoFreeMdl,
    KeLowerIrql,
    KeRaiseIrql,
    simple,
    verify,
)

ANY = simple.address("0.0.0.0", 0)


def test_a_function_is_known_by_its_name_and_takes_its_arguments_by_theirs(lab: Lab) -> None:
    levels: list[int] = []
    KeRaiseIrql(NewIrql=2, OldIrql=levels)
    KeLowerIrql(NewIrql=levels[0])
    Mdl = IoAllocateMdl(VirtualAddress=bytearray(4), Length=4, SecondaryBuffer=False, ChargeQuota=False, Irp=None)
    assert Mdl is not None
    IoFreeMdl(Mdl)
    table: Any = lab.datagram(lab.near).Dispatch
    found = KeRaiseIrql, lab.near_application.provider.Dispatch.WskSocket, table.WskBind, table.WskSendTo

    assert [each.__name__ for each in found] == ["KeRaiseIrql", "WskSocket", "WskBind", "WskSendTo"]
    assert KeRaiseIrql.__doc__


@pytest.mark.rule("WSK-3.3")
@pytest.mark.parametrize("Socket", [None, "no socket", object()])
def test_what_is_no_socket_is_of_no_table(lab: Lab, Socket: Any) -> None:
    table: Any = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET).Dispatch
    with pytest.raises(BugCheck) as stop:
        table.WskBind(Socket, ANY, 0, None)

    assert stop.value.rule == "WSK-3.3"


@pytest.mark.rule("WSK-3.3")
def test_whose_socket_it_is_decides_who_is_stopped(lab: Lab) -> None:
    """The near host is the current one."""
    table: Any = lab.socket(lab.far, WSK_FLAG_CONNECTION_SOCKET).Dispatch
    near, far = (lab.socket(host, WSK_FLAG_DATAGRAM_SOCKET) for host in (lab.near, lab.far))
    verify(lab.far, False)
    assert table.WskBind(far, ANY, 0, None) == STATUS_INVALID_PARAMETER
    verify(lab.far)
    verify(lab.near, False)
    assert table.WskBind(near, ANY, 0, None) == STATUS_INVALID_PARAMETER
    with pytest.raises(BugCheck):
        table.WskBind(far, ANY, 0, None)


@pytest.mark.rule("R-017")
def test_without_a_verifier_a_function_of_the_provider_answers_a_status(lab: Lab) -> None:
    verify(lab.near, False)
    application = simple.Application()
    provider = application.provider
    application.close()
    request = start(provider.Dispatch.WskSocket, provider.Client, 2, 1, 6, 0, None, None, None, None, None)

    assert request.returned == STATUS_INVALID_PARAMETER
