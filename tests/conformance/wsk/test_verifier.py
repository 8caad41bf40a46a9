"""Each misuse with the verifier, with a strict one, and without (design: WSK in Python, Misuse; D-19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.wsk_lab import lab as laboratory
from tests.support.wsk_misuse import TABLE, Misuse, World
from tests.support.wsk_misuse_world import BASIC, CONNECTION, DATAGRAM, LISTEN, STREAM
from wsknet.wsk import (
    AF_INET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MAKE_WSK_VERSION,
    NTSTATUS,
    SECURITY_DESCRIPTOR,
    SOCK_DGRAM,
    SOCK_STREAM,
    STATUS_PENDING,
    STATUS_SUCCESS,
    UNICODE_STRING,
    WSK_CACHE_SD,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_EVENT_RECEIVE,
    WSK_NO_WAIT,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    BugCheck,
    ExAllocatePoolWithTag,
    IoAllocateIrp,
    IoAllocateMdl,
    IoAllocateWorkItem,
    IoFreeIrp,
    KeGetCurrentIrql,
    NonPagedPoolNx,
    WskCaptureProviderNPI,
    WskRegister,
    require_nothing_left,
    simple,
    verify,
)


def rows(*, is_strict: bool | None = None) -> list[Any]:
    return [
        pytest.param(one, id=one.name, marks=[pytest.mark.rule(one.rule)] if one.rule[1] == "-" else [])
        for one in TABLE
        if is_strict is None or one.is_strict is is_strict
    ]


@contextmanager
def world(is_on: bool = True, is_strict: bool = False) -> Iterator[World]:
    """What is done in it leaves two hosts that work and from which everything can be taken away."""
    with laboratory() as lab:
        for host in (lab.near, lab.far):
            verify(host, is_on, is_strict)
        made = World(lab)
        yield made
        assert KeGetCurrentIrql() == 0
        made.require_works()
        made.finish()


def is_failure(answer: Any) -> bool:
    """A status that says so; NULL, FALSE or nothing."""
    return not answer or answer >= 0xC000_0000


@pytest.mark.parametrize("misuse", rows())
def test_it_is_found_where_it_is_done(misuse: Misuse) -> None:
    """A verifier need not be strict to find what crashes."""
    with world(is_strict=misuse.is_strict) as made:
        with pytest.raises(BugCheck) as caught:
            misuse.perform(made)
        assert caught.value.rule == misuse.rule
        assert misuse.is_place(caught.value.place), caught.value.place
        assert misuse.rule in str(caught.value)


@pytest.mark.parametrize("misuse", rows(is_strict=False))
def test_without_a_verifier_it_is_answered_by_a_failure_and_changes_nothing(misuse: Misuse) -> None:
    with world(is_on=False) as made:
        answer = misuse.perform(made)
        assert is_failure(answer) is not (misuse.is_harmless and bool(answer))


@pytest.mark.parametrize("is_on", [True, False], ids=["verifier", "none"])
@pytest.mark.parametrize("misuse", rows(is_strict=True))
def test_what_the_documentation_forbids_is_answered_by_a_status(misuse: Misuse, is_on: bool) -> None:
    with world(is_on) as made:
        known = list(made.completed)
        assert misuse.perform(made) == misuse.status
        *_, last = [[misuse.status]] + [statuses for Irp, statuses in made.completed.items() if Irp not in known]
        assert last == [misuse.status]


# What is left at the end


Leak = Callable[[World], Any]


def irp(world: World) -> Any:
    return IoAllocateIrp(1, False)


def mdl(world: World) -> Any:
    return IoAllocateMdl(bytearray(4), 4, False, False, None)


def pool(world: World) -> Any:
    return ExAllocatePoolWithTag(NonPagedPoolNx, 77, 0x6573696D)


def work_item(world: World) -> Any:
    return IoAllocateWorkItem(None)


def registration(world: World) -> Any:
    block = WSK_REGISTRATION()
    return WskRegister(WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0))), block)


def captured_registration(world: World) -> Any:
    block = WSK_REGISTRATION()
    WskRegister(WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0))), block)
    return [WskCaptureProviderNPI(block, WSK_NO_WAIT, WSK_PROVIDER_NPI()) for _ in range(3)]


def socket(world: World, Flags: int) -> Any:
    provider = world.application.provider
    protocol = (SOCK_DGRAM, IPPROTO_UDP) if Flags == DATAGRAM else (SOCK_STREAM, IPPROTO_TCP)
    kind = (AF_INET, *protocol, Flags, None, None, None, None, None)
    return provider.Dispatch.WskSocket(provider.Client, *kind, world.irp())


def descriptor(world: World) -> Any:
    provider, given = world.application.provider, [SECURITY_DESCRIPTOR("alice")]
    return provider.Dispatch.WskControlClient(provider.Client, WSK_CACHE_SD, 8, given, 8, [None], None, None)


def address_list(world: World) -> Any:
    provider = world.application.provider
    names = (UNICODE_STRING("192.0.2.1"), None, 0, None, None, [None])
    return provider.Dispatch.WskGetAddressInfo(provider.Client, *names, None, None, world.irp())


def retained_indication(world: World) -> Any:
    def WskReceiveEvent(*arguments: object) -> NTSTATUS:
        return STATUS_PENDING

    near, far = world.connect(WSK_CLIENT_CONNECTION_DISPATCH(WskReceiveEvent))
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    simple.call(far.Dispatch.WskSend, far, world.buffer(b"data"), 0)


def sockets() -> list[Any]:
    kinds = {"basic": BASIC, "listening": LISTEN, "connection": CONNECTION, "datagram": DATAGRAM, "stream": STREAM}
    return [
        pytest.param(partial(socket, Flags=Flags), f"a {name} socket that is not bound", socket, id=name)
        for name, Flags in kinds.items()
    ]


@pytest.mark.parametrize(
    ("leak", "expected", "where"),
    [
        pytest.param(leak, expected, leak, id=leak.__name__)
        for leak, expected in {
            irp: "an IRP",
            mdl: "an MDL",
            pool: "77 bytes of pool, tag 0x6573696D",
            work_item: "a work item",
            registration: "a registration with 0 captures",
            captured_registration: "a registration with 3 captures",
            descriptor: "a cached security descriptor",
            address_list: "a list of WskGetAddressInfo",
            retained_indication: "an indication that was retained",
        }.items()
    ]
    + sockets(),
)
def test_what_is_left_is_told_with_the_place_that_it_came_from(leak: Leak, expected: str, where: Leak) -> None:
    with laboratory() as lab:
        verify(lab.near)
        leak(World(lab))
        with pytest.raises(BugCheck) as caught:
            require_nothing_left(lab.near)
    (line,) = [line for line in str(caught.value).split("; ") if expected in line]
    assert caught.value.rule == "D-19"
    place = line.split(" from ")[-1].partition(" (at ")[0]
    assert Misuse("", "", where, where).is_place(place), line


@pytest.mark.parametrize(("leak", "expected"), [(descriptor, "descriptor"), (address_list, "WskGetAddressInfo")])
def test_what_outlives_the_registration_is_told_too(leak: Leak, expected: str) -> None:
    with laboratory() as lab:
        verify(lab.near)
        world = World(lab)
        leak(world)
        for Irp in world.irps:
            IoFreeIrp(Irp)
        lab.near_application.close()
        with pytest.raises(BugCheck, match=expected) as caught:
            require_nothing_left(lab.near)
    assert "a registration" not in str(caught.value)
