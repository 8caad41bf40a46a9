"""WskSocketConnect: each way in which it is refused, and the end of an attempt that was cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR
from tests.support.wsk_lab import NEAR, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_UNIX,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOCKADDR_IN,
    STATUS_CANCELLED,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_NAME_NOT_FOUND,
    WSK_TDI_DEVICENAME_MAPPING,
    WSK_TDI_MAP,
    WSK_TDI_MAP_INFO,
    BugCheck,
    simple,
    verify,
)

ANY = simple.address("0.0.0.0", 0)


def connect(
    lab: Lab, local: Any = ANY, kind: tuple[int, int] = (SOCK_STREAM, IPPROTO_TCP), request: Request | None = None
) -> Request:
    provider = lab.near_application.provider
    rest = (local, TO_FAR, 0, None, None, None, None, None)
    return (request or Request()).start(provider.Dispatch.WskSocketConnect, provider.Client, *kind, *rest)


@pytest.mark.rule("WSK-4.2")
@pytest.mark.parametrize("is_strict", [False, True])
def test_without_a_local_address_it_is_an_invalid_parameter(lab: Lab, is_strict: bool) -> None:
    verify(lab.near, is_strict=is_strict)

    assert connect(lab, None).completions == [(STATUS_INVALID_PARAMETER, 0)]


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("local", [16, "0.0.0.0"])
def test_a_local_address_that_is_none_is_found_at_the_call(lab: Lab, local: Any) -> None:
    with pytest.raises(BugCheck) as stop:
        connect(lab, local)

    assert (stop.value.code, stop.value.rule) == (0x50, "D-19")


@pytest.mark.rule("D-03")
def test_datagrams_are_not_connected_so(lab: Lab) -> None:
    assert connect(lab, kind=(SOCK_DGRAM, IPPROTO_UDP)).completions == [(STATUS_NOT_SUPPORTED, 0)]


@pytest.mark.rule("R-335")
@pytest.mark.parametrize(
    ("family", "kind"), [(AF_INET, (SOCK_STREAM, IPPROTO_SCTP)), (AF_UNIX, (SOCK_STREAM, 0))], ids=["SCTP", "unix"]
)
def test_a_mapping_leads_to_a_device_that_is_not_there(lab: Lab, family: int, kind: tuple[int, int]) -> None:
    local = SOCKADDR_IN(family)
    assert connect(lab, local, kind).status == STATUS_NOT_SUPPORTED
    info = WSK_TDI_MAP_INFO(1, [WSK_TDI_MAP(kind[0], family, kind[1], r"\Device\Other")])
    assert lab.near_application.control(WSK_TDI_DEVICENAME_MAPPING, 16, info, 0, None, None) == 0

    assert connect(lab, local, kind).status == STATUS_OBJECT_NAME_NOT_FOUND


def test_an_attempt_that_was_cancelled_before_it_began_leaves_nothing(lab: Lab) -> None:
    early = Request()
    early.Irp.Cancel = True
    connect(lab, request=early)
    lab.run()

    assert early.completions == [(STATUS_CANCELLED, 0)]
    assert not lab.near_application.provider.Client.sockets
    assert lab.near.stack.view().connections == ()


def test_an_attempt_that_nobody_answers_leaves_its_port(lab: Lab) -> None:
    """It failed, and the next one from the same address may be made."""
    local = simple.address(NEAR, 6000)
    failed = connect(lab, local)
    lab.run()
    assert (failed.is_done, failed.information) == (True, 0)
    listener = lab.listener()
    again = connect(lab, local)
    lab.run()

    assert again.status == 0
    ok(simple.close(again.information))
    accepted = start(listener.Dispatch.WskAccept, listener, 0, None, None, None, None)
    assert accepted.is_done
