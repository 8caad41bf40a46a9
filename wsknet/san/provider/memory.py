"""Registered memory of a process: what transfers may touch, and what the peer of a connection may (SAN-8).

Pages: registering-memory-for-operations-on-a-san.md, caching-registered-memory.md, and the reference pages of the six
functions.  Registering costs nothing here, so nothing stays registered after it was deregistered: there is no cache.
"""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import TYPE_CHECKING

from wsknet.san.arguments import listed, number, view_of
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import MEM_READ, MEM_READWRITE, MEM_WRITE, WSAEFAULT, WSAEINVAL
from wsknet.san.provider.native import AccessFault
from wsknet.san.structures import WSABUFEX

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTOR = Struct("!QQ")
"""Number and size of the registration."""


class _PyBuffer(ctypes.Structure):
    """Py_buffer of the C API of Python (stable since 3.11)."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


def address_of(memory: memoryview) -> int:
    """Where it begins: two views of the same bytes tell the same."""
    found = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(memory), ctypes.byref(found), 0)
    address = found.buf or 0
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(found))
    return address


class Registration:
    """As long as it stands the bytes stay where they are: a `bytearray` cannot be resized."""

    __slots__ = ("access", "address", "is_exposed", "number", "owner", "users", "view")

    def __init__(self, owner: object, number: int, view: memoryview, access: int, is_exposed: bool) -> None:
        self.owner = owner
        """The socket."""
        self.number = number
        self.view = view
        self.address = address_of(view)
        self.access = access
        self.is_exposed = is_exposed
        """To the peer of the socket (WSPRegisterRdmaMemory)."""
        self.users = 0
        """Transfers under way."""

    @property
    def descriptor(self) -> bytes:
        return _DESCRIPTOR.pack(self.number, len(self.view))

    def part(self, other: memoryview) -> memoryview | None:
        """The same bytes as `other`, if they are all registered."""
        start = address_of(other) - self.address
        return self.view[start : start + len(other)] if 0 <= start <= len(self.view) - len(other) else None


class Hold:
    """The memory of one transfer, which cannot be deregistered before it is released."""

    __slots__ = ("_registrations", "length", "views")

    def __init__(self, views: Sequence[memoryview], registrations: Sequence[Registration]) -> None:
        self.views = views
        self.length = sum(map(len, views))
        self._registrations = registrations
        for registration in registrations:
            registration.users += 1

    def first(self, length: int) -> list[memoryview]:
        """Views of the first `length` bytes."""
        found = []
        for view in self.views:
            found.append(view[:length])
            length = max(length - len(view), 0)
        return found

    def release(self) -> None:
        """Again: no effect."""
        for registration in self._registrations:
            registration.users -= 1
        self._registrations = ()


class Memory:
    """All registrations of a process.  Driver lock held."""

    def __init__(self) -> None:
        self._registrations: dict[int, Registration] = {}
        self._numbers = 0

    def register(
        self, owner: object, buffer: object, length: object, flags: object, *, is_exposed: bool = False
    ) -> Registration:
        """`flags`: what may be done with the memory, by transfers of this process, or by the peer if it is exposed.

        Raises `WinsockError` WSAEINVAL (flags) or WSAEFAULT (not that much memory, or it is read-only).
        """
        access = number(flags)
        if access not in (MEM_READ, MEM_WRITE, MEM_READWRITE):
            raise WinsockError(WSAEINVAL)
        view = view_of(buffer, length, is_filled=bool(access & MEM_WRITE))
        self._numbers += 1
        registration = Registration(owner, self._numbers, view, access, is_exposed)
        self._registrations[registration.number] = registration
        return registration

    def deregister(self, handle: object) -> None:
        """Raises `WinsockError` WSAEINVAL if nothing is registered under it, or a transfer uses it."""
        self._remove(self._registrations.get(handle) if isinstance(handle, int) else None, is_exposed=False)

    def conceal(self, owner: object, descriptor: bytes) -> None:
        """End what WSPRegisterRdmaMemory has begun.  Raises as `deregister`."""
        self._remove(self._described(owner, descriptor), is_exposed=True)

    def _remove(self, registration: Registration | None, is_exposed: bool) -> None:
        if registration is None or registration.is_exposed is not is_exposed or registration.users:
            raise WinsockError(WSAEINVAL)
        del self._registrations[registration.number]

    def hold(self, buffers: object, count: object, access: int) -> Hold:
        """The memory of `count` WSABUFEX, for a transfer that needs `access` to it.

        Raises `WinsockError` WSAEFAULT if one is none, or is not registered, or not for that; WSAEINVAL for no buffer.
        """
        found = [self._find(buffer, access) for buffer in listed(buffers, count)]
        return Hold([view for view, _ in found], [registration for _, registration in found])

    def _find(self, buffer: object, access: int) -> tuple[memoryview, Registration]:
        if not isinstance(buffer, WSABUFEX):
            raise WinsockError(WSAEFAULT)
        registration = self._registrations.get(buffer.handle) if isinstance(buffer.handle, int) else None
        if registration is None or registration.is_exposed or access & ~registration.access:
            raise WinsockError(WSAEFAULT)
        view = registration.part(view_of(buffer.buf, buffer.len))
        if view is None:
            raise WinsockError(WSAEFAULT)
        return view, registration

    def hold_for_peer(
        self, owner: object, descriptor: bytes, offset: int, length: int, access: int
    ) -> Hold | AccessFault:
        """What the peer of `owner` may touch, or why it may not."""
        registration = self._described(owner, descriptor)
        if registration is None or access & ~registration.access:
            return AccessFault.DENIED
        if offset + length > len(registration.view):
            return AccessFault.OUT_OF_BOUNDS
        return Hold([registration.view[offset : offset + length]], [registration])

    def _described(self, owner: object, descriptor: bytes) -> Registration | None:
        number, _ = _DESCRIPTOR.unpack(descriptor)
        found = self._registrations.get(number)
        is_that = found is not None and found.is_exposed and found.owner is owner and found.descriptor == descriptor
        return found if is_that else None

    def release(self, owner: object) -> None:
        """The socket is closed: what it has registered is registered no more."""
        self._registrations = {
            number: registration
            for number, registration in self._registrations.items()
            if registration.owner is not owner
        }

    def forget(self, address: int, size: int) -> None:
        """The memory there is about to be unmapped: whatever touches it is registered no more.

        Raises `WinsockError` WSAEINVAL if nothing was, WSAEFAULT if a transfer uses some of it: then nothing has
        changed.
        """
        end = address + size
        found = [
            registration
            for registration in self._registrations.values()
            if registration.address < end and address < registration.address + len(registration.view)
        ]
        if not found:
            raise WinsockError(WSAEINVAL)
        if any(registration.users for registration in found):
            raise WinsockError(WSAEFAULT)
        for registration in found:
            del self._registrations[registration.number]
