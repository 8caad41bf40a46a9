"""Registered memory: who may touch what, and until when."""

from __future__ import annotations

import pytest

from wsknet.san.calls import WinsockError
from wsknet.san.numbers import MEM_READ, MEM_READWRITE, MEM_WRITE, WSAEFAULT, WSAEINVAL
from wsknet.san.provider.memory import Hold, Memory, address_of
from wsknet.san.provider.native import AccessFault
from wsknet.san.structures import WSABUF, WSABUFEX

SOCKET = "one socket"
OTHER = "another socket"


def test_a_handle_serves_any_part_of_its_memory_and_no_byte_beside_it() -> None:
    memory = Memory()
    whole = bytearray(b"0123456789")
    view = memoryview(whole)
    handle = memory.register(SOCKET, view[2:8], 6, MEM_READWRITE).number
    held = memory.hold([WSABUFEX(view[3:6], handle), WSABUFEX(view[2:8], handle, 1)], 2, MEM_WRITE)
    held.views[0][0] = ord("x")
    assert whole == b"012x456789"
    assert held.length == 4
    for part in (view[1:6], view[7:9], view[8:9], whole):
        with pytest.raises(WinsockError) as failure:
            memory.hold([WSABUFEX(part, handle)], 1, MEM_READ)
        assert failure.value.code == WSAEFAULT


@pytest.mark.parametrize(
    ("registered", "wanted", "is_allowed"),
    [
        (MEM_READ, MEM_READ, True),
        (MEM_READ, MEM_WRITE, False),
        (MEM_WRITE, MEM_READ, False),
        (MEM_WRITE, MEM_WRITE, True),
        (MEM_READWRITE, MEM_READ, True),
        (MEM_READWRITE, MEM_WRITE, True),
    ],
)
def test_memory_is_used_as_it_was_registered(registered: int, wanted: int, is_allowed: bool) -> None:
    memory = Memory()
    buffer = bytearray(4)
    handle = memory.register(SOCKET, buffer, 4, registered).number
    exposed = memory.register(SOCKET, buffer, 4, registered, is_exposed=True).descriptor
    remote = memory.hold_for_peer(SOCKET, exposed, 0, 4, wanted)
    if is_allowed:
        assert memory.hold([WSABUFEX(buffer, handle)], 1, wanted).length == 4
        assert isinstance(remote, Hold)
    else:
        with pytest.raises(WinsockError):
            memory.hold([WSABUFEX(buffer, handle)], 1, wanted)
        assert remote is AccessFault.DENIED


@pytest.mark.parametrize("flags", [0, 4, -1, None, "1"])
def test_other_flags_are_invalid(flags: object) -> None:
    with pytest.raises(WinsockError) as failure:
        Memory().register(SOCKET, bytearray(1), 1, flags)
    assert failure.value.code == WSAEINVAL


@pytest.mark.parametrize(
    ("buffer", "length", "flags"),
    [
        (None, 0, MEM_READ),
        (5, 1, MEM_READ),
        (bytearray(4), 5, MEM_READ),
        (bytearray(4), -1, MEM_READ),
        (bytearray(4), None, MEM_READ),
        (memoryview(bytearray(8))[::2], 4, MEM_READ),
        (b"constant", 8, MEM_WRITE),
    ],
)
def test_what_is_not_memory_for_that_is_a_fault(buffer: object, length: object, flags: int) -> None:
    with pytest.raises(WinsockError) as failure:
        Memory().register(SOCKET, buffer, length, flags)
    assert failure.value.code == WSAEFAULT


@pytest.mark.parametrize(("count", "code"), [(0, WSAEINVAL), (-1, WSAEINVAL), (None, WSAEINVAL), (2, WSAEFAULT)])
def test_the_number_of_buffers_has_to_be_right(count: object, code: int) -> None:
    memory = Memory()
    buffer = bytearray(1)
    buffers = [WSABUFEX(buffer, memory.register(SOCKET, buffer, 1, MEM_READ).number)]
    with pytest.raises(WinsockError) as failure:
        memory.hold(buffers, count, MEM_READ)
    assert failure.value.code == code
    assert memory.hold(buffers, 1, MEM_READ).length == 1


def test_what_is_no_registered_buffer_is_a_fault() -> None:
    memory = Memory()
    buffer = bytearray(8)
    handle = memory.register(SOCKET, buffer, 8, MEM_READ).number
    exposed = memory.register(SOCKET, buffer, 8, MEM_READ, is_exposed=True).number
    wrong: list[object] = [None, WSABUF(buffer), WSABUFEX(buffer, 99), WSABUFEX(buffer, exposed), buffer]
    wrong += [WSABUFEX(buffer, handle, 9), WSABUFEX(buffer, handle, -1)]
    nothing = WSABUFEX(buffer, handle)
    nothing.buf = None  # type: ignore[assignment]  # as NULL would be
    for each in (*wrong, nothing):
        with pytest.raises(WinsockError) as failure:
            memory.hold([each], 1, MEM_READ)
        assert failure.value.code == WSAEFAULT
    with pytest.raises(WinsockError):
        memory.hold(None, 1, MEM_READ)


def test_memory_in_use_stays_registered_until_it_is_released() -> None:
    memory = Memory()
    buffer = bytearray(4)
    registration = memory.register(SOCKET, buffer, 4, MEM_READ)
    held = [memory.hold([WSABUFEX(buffer, registration.number)], 1, MEM_READ) for _ in (1, 2)]
    for each in held:
        with pytest.raises(WinsockError) as failure:
            memory.deregister(registration.number)
        assert failure.value.code == WSAEINVAL
        each.release()
        each.release()
    memory.deregister(registration.number)
    with pytest.raises(WinsockError):
        memory.deregister(registration.number)


def test_deregistered_memory_belongs_to_its_owner_again() -> None:
    memory = Memory()
    buffer = bytearray(4)
    registration = memory.register(SOCKET, buffer, 4, MEM_READ)
    with pytest.raises(BufferError):
        buffer.append(0)
    memory.deregister(registration.number)
    del registration
    buffer.append(0)


def test_an_rdma_descriptor_is_good_on_its_socket_only_and_within_its_bounds() -> None:
    memory = Memory()
    buffer = bytearray(b"0123456789")
    descriptor = memory.register(SOCKET, buffer, 8, MEM_READ, is_exposed=True).descriptor
    local = memory.register(SOCKET, buffer, 8, MEM_READ)
    assert isinstance(memory.hold_for_peer(SOCKET, descriptor, 8, 0, MEM_READ), Hold)
    held = memory.hold_for_peer(SOCKET, descriptor, 2, 6, MEM_READ)
    assert isinstance(held, Hold)
    assert [bytes(view) for view in held.views] == [b"234567"]
    assert memory.hold_for_peer(SOCKET, descriptor, 2, 7, MEM_READ) is AccessFault.OUT_OF_BOUNDS
    assert memory.hold_for_peer(SOCKET, descriptor, 9, 0, MEM_READ) is AccessFault.OUT_OF_BOUNDS
    assert memory.hold_for_peer(SOCKET, descriptor, (1 << 64) - 1, 1, MEM_READ) is AccessFault.OUT_OF_BOUNDS
    assert memory.hold_for_peer(OTHER, descriptor, 0, 1, MEM_READ) is AccessFault.DENIED
    assert memory.hold_for_peer(SOCKET, bytes(16), 0, 1, MEM_READ) is AccessFault.DENIED
    assert memory.hold_for_peer(SOCKET, local.descriptor, 0, 1, MEM_READ) is AccessFault.DENIED
    assert memory.hold_for_peer(SOCKET, descriptor[:-1] + b"\xff", 0, 1, MEM_READ) is AccessFault.DENIED


def test_concealed_memory_is_denied_to_the_peer() -> None:
    memory = Memory()
    registration = memory.register(SOCKET, bytearray(4), 4, MEM_READ, is_exposed=True)
    for owner, descriptor in ((OTHER, registration.descriptor), (SOCKET, bytes(16))):
        with pytest.raises(WinsockError) as failure:
            memory.conceal(owner, descriptor)
        assert failure.value.code == WSAEINVAL
    with pytest.raises(WinsockError):
        memory.deregister(registration.number)  # that is the function for the other kind
    memory.conceal(SOCKET, registration.descriptor)
    assert memory.hold_for_peer(SOCKET, registration.descriptor, 0, 1, MEM_READ) is AccessFault.DENIED


def test_a_closed_socket_leaves_nothing_registered() -> None:
    memory = Memory()
    buffer = bytearray(4)
    handles = [memory.register(owner, buffer, 4, MEM_READ).number for owner in (SOCKET, OTHER)]
    descriptor = memory.register(SOCKET, buffer, 4, MEM_READ, is_exposed=True).descriptor
    memory.release(SOCKET)
    with pytest.raises(WinsockError):
        memory.hold([WSABUFEX(buffer, handles[0])], 1, MEM_READ)
    assert memory.hold_for_peer(SOCKET, descriptor, 0, 1, MEM_READ) is AccessFault.DENIED
    assert memory.hold([WSABUFEX(buffer, handles[1])], 1, MEM_READ).length == 4


def test_memory_that_goes_takes_every_registration_of_it_along_and_no_other() -> None:
    memory = Memory()
    whole = memoryview(bytearray(30))
    parts = [memory.register(SOCKET, whole[start : start + 10], 10, MEM_READ).number for start in (0, 10, 20)]
    start = address_of(whole)
    memory.forget(start + 9, 2)
    for index, handle in enumerate(parts):
        buffers = [WSABUFEX(whole[index * 10 : index * 10 + 10], handle)]
        if index < 2:
            with pytest.raises(WinsockError):
                memory.hold(buffers, 1, MEM_READ)
        else:
            memory.hold(buffers, 1, MEM_READ)
    with pytest.raises(WinsockError) as failure:
        memory.forget(start + 9, 2)
    assert failure.value.code == WSAEINVAL
    with pytest.raises(WinsockError) as failure:
        memory.forget(start, 30)
    assert failure.value.code == WSAEFAULT  # the last part is in use


def test_the_same_bytes_have_the_same_address_however_they_are_seen() -> None:
    buffer = bytearray(16)
    constant = b"constant"
    assert address_of(memoryview(buffer)[5:]) == address_of(memoryview(buffer)) + 5
    assert address_of(memoryview(constant)[3:4]) == address_of(memoryview(constant)) + 3
