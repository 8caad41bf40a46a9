"""What must not be done at DISPATCH_LEVEL, from all places that are there; levels and spin locks (WSK-2.6, 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.wsk_lab import FAR
from tests.support.wsk_misuse_world import Misuse, World, misuse
from tests.support.wsk_registration import at_level
from wsknet.wsk import (
    DISPATCH_LEVEL,
    FAST_MUTEX,
    KEVENT,
    KMUTEX,
    KSPIN_LOCK,
    MAKE_WSK_VERSION,
    NTSTATUS,
    PASSIVE_LEVEL,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT,
    SOCKADDR_IN,
    UNICODE_STRING,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_EVENT_RECEIVE,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    ExAcquireFastMutex,
    ExAllocatePoolWithTag,
    Executive,
    ExInitializeFastMutex,
    KeAcquireSpinLock,
    KeAcquireSpinLockAtDpcLevel,
    KeDelayExecutionThread,
    KeInitializeEvent,
    KeInitializeMutex,
    KeInitializeSpinLock,
    KeLowerIrql,
    KeRaiseIrql,
    KeReleaseSpinLock,
    KernelMode,
    KeWaitForMultipleObjects,
    KeWaitForSingleObject,
    NotificationEvent,
    PagedPool,
    WaitAny,
    WskCaptureProviderNPI,
    WskDeregister,
    WskIoctl,
    WskRegister,
    simple,
)

TABLE: list[Misuse] = []

Call = Callable[[World], Any]


# Calls


def _event() -> KEVENT:
    Event = KEVENT()
    KeInitializeEvent(Event, NotificationEvent, False)
    return Event


def wait_for_an_event(world: World) -> Any:
    return KeWaitForSingleObject(_event(), Executive, KernelMode, False, None)


def wait_with_a_timeout(world: World) -> Any:
    return KeWaitForSingleObject(_event(), Executive, KernelMode, False, -10_000)


def wait_for_a_mutex(world: World) -> Any:
    Mutex = KMUTEX()
    KeInitializeMutex(Mutex, 0)
    return KeWaitForSingleObject(Mutex, Executive, KernelMode, False, None)


def wait_for_several(world: World) -> Any:
    return KeWaitForMultipleObjects(2, [_event(), _event()], WaitAny, Executive, KernelMode, False, None)


def delay(world: World) -> Any:
    return KeDelayExecutionThread(KernelMode, False, -10_000)


def take_a_fast_mutex(world: World) -> Any:
    Mutex = FAST_MUTEX()
    ExInitializeFastMutex(Mutex)
    return ExAcquireFastMutex(Mutex)


def capture_with_a_timeout(world: World) -> Any:
    return WskCaptureProviderNPI(world.application.registration, 1, WSK_PROVIDER_NPI())


def deregister(world: World) -> Any:
    return WskDeregister(world.application.registration)


def register_here(world: World) -> Any:
    Dispatch = WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0))
    return WskRegister(WSK_CLIENT_NPI(None, Dispatch), WSK_REGISTRATION())


def get_address_info(world: World) -> Any:
    Dispatch, Client = world.application.provider.Dispatch, world.application.provider.Client
    name = UNICODE_STRING("192.0.2.1")
    return Dispatch.WskGetAddressInfo(Client, name, None, 0, None, None, [None], None, None, world.irp())


def get_name_info(world: World) -> Any:
    Dispatch, Client = world.application.provider.Dispatch, world.application.provider.Client
    address, name = simple.address(FAR, 9), UNICODE_STRING("x" * 40)
    return Dispatch.WskGetNameInfo(Client, address, 16, name, None, 0, None, None, world.irp())


def free_address_info(world: World) -> Any:
    Dispatch, Client = world.application.provider.Dispatch, world.application.provider.Client
    return Dispatch.WskFreeAddressInfo(Client, None)


def _ioctl(world: World, code: int, size: int, target: Any) -> Any:
    Socket = world.datagrams[-1]
    return Socket.Dispatch.WskControlSocket(Socket, WskIoctl, code, 0, 0, None, size, target, None, world.irp())


def allocate_paged_pool(world: World) -> Any:
    return ExAllocatePoolWithTag(PagedPool, 4, 0x6573696D)


def _passive_ioctl(code: int) -> Call:
    size = 0 if code == SIO_ADDRESS_LIST_CHANGE else 200
    return lambda world: _ioctl(world, code, size, bytearray(200) if size else None)


WAITING: list[tuple[str, Call, str]] = [
    *((call.__name__, call, "R-071") for call in (
        wait_for_an_event, wait_with_a_timeout, wait_for_a_mutex, wait_for_several, delay, take_a_fast_mutex,
    )),
    ("capture_with_a_timeout", capture_with_a_timeout, "R-016"),
    ("deregister", deregister, "WSK-1.1"),
    ("register", register_here, "R-007"),
    ("get_address_info", get_address_info, "WSK-6"),
    ("get_name_info", get_name_info, "WSK-6"),
    ("free_address_info", free_address_info, "WSK-6"),
    ("query_the_address_list", _passive_ioctl(SIO_ADDRESS_LIST_QUERY), "WSK-2.6"),
    ("await_a_change_of_the_address_list", _passive_ioctl(SIO_ADDRESS_LIST_CHANGE), "WSK-2.6"),
    ("sort_the_address_list", _passive_ioctl(SIO_ADDRESS_LIST_SORT), "WSK-2.6"),
    ("allocate_paged_pool", allocate_paged_pool, "D-19"),
]  # fmt: skip


# Places


def in_a_routine(world: World, call: Call) -> Any:
    Socket = world.datagram()
    answers: list[Any] = []
    Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), world.irp(lambda: answers.append(call(world))))
    return answers[0]


def in_a_routine_of_what_failed(world: World, call: Call) -> Any:
    """Which is completed in the calling thread."""
    world.datagram()
    Socket = world.fresh(2)
    answers: list[Any] = []
    Socket.Dispatch.WskGetLocalAddress(Socket, SOCKADDR_IN(), world.irp(lambda: answers.append(call(world))))
    return answers[0]


def in_a_callback(world: World, call: Call) -> Any:
    answers: list[Any] = []

    def WskReceiveEvent(*arguments: Any) -> NTSTATUS:
        answers.append(call(world))
        return NTSTATUS.STATUS_SUCCESS

    world.datagram()
    port = world.port()
    listener = world.note(world.lab.listener(port=port))
    near = world.note(world.lab.connected(port, Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(WskReceiveEvent)))
    far = world.note(simple.accept(listener)[1])
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == NTSTATUS.STATUS_SUCCESS
    far.Dispatch.WskSend(far, world.buffer(b"x"), 0, world.irp())
    world.lab.run()
    return answers[0]


def under_a_spin_lock(world: World, call: Call) -> Any:
    world.datagram()
    Lock, level = KSPIN_LOCK(), list[int]()
    KeInitializeSpinLock(Lock)
    KeAcquireSpinLock(Lock, level)
    try:
        return call(world)
    finally:
        KeReleaseSpinLock(Lock, level[0])


def _placed(place: Callable[[World, Call], Any], call: Call) -> Call:
    return lambda world: place(world, call)


for _place in (in_a_routine, in_a_routine_of_what_failed, in_a_callback, under_a_spin_lock):
    for _name, _call, _rule in WAITING:
        _title = f"{_place.__name__}-{_name}".replace("_", "-")
        _where = _ioctl if _rule == "WSK-2.6" else _call
        TABLE.append(Misuse(_title, _rule, _placed(_place, _call), _where))


# Levels and spin locks


@misuse(TABLE, "WSK-2.6")
def _the_level_is_raised_to_a_lower_one(world: World) -> Any:
    with at_level(DISPATCH_LEVEL):
        return KeRaiseIrql(PASSIVE_LEVEL, [])


@misuse(TABLE, "WSK-2.6")
def _the_level_is_lowered_to_a_higher_one(world: World) -> Any:
    return KeLowerIrql(DISPATCH_LEVEL)


@misuse(TABLE, "D-19")
def _a_spin_lock_is_taken_twice(world: World) -> Any:
    Lock, level = KSPIN_LOCK(), list[int]()
    KeInitializeSpinLock(Lock)
    KeAcquireSpinLock(Lock, level)
    try:
        return KeAcquireSpinLock(Lock, [])
    finally:
        KeReleaseSpinLock(Lock, level[0])


@misuse(TABLE, "D-19")
def _a_spin_lock_is_released_that_is_not_held(world: World) -> Any:
    Lock = KSPIN_LOCK()
    KeInitializeSpinLock(Lock)
    return KeReleaseSpinLock(Lock, PASSIVE_LEVEL)


@misuse(TABLE, "D-19")
def _a_spin_lock_is_taken_at_passive_level_as_at_dispatch_level(world: World) -> Any:
    Lock = KSPIN_LOCK()
    KeInitializeSpinLock(Lock)
    return KeAcquireSpinLockAtDpcLevel(Lock)
