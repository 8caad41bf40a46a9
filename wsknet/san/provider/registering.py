"""The extension functions that register memory (SAN-8), and the notice that memory is about to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.arguments import unsigned, view_of
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import NO_ERROR, SOCKET_ERROR, WSAEFAULT, WSAENOTCONN
from wsknet.san.provider.memory import address_of
from wsknet.san.provider.native import DESCRIPTOR_SIZE
from wsknet.san.provider.transferring import read_descriptor
from wsknet.san.structures import INT

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.sockets import SanSocket

NULL = 0


@answers(NULL)
def WSPRegisterMemory(process: Process, s: object, lpBuffer: object, dwBufferLength: object, dwFlags: object) -> int:
    """A handle that is good for all sockets of the process, until the one that it was made with is closed.

    NULL otherwise: WSAENOTCONN, WSAEFAULT (not that much memory, or it is read-only), WSAEINVAL (flags).
    """
    with process.host.pump:
        return process.memory.register(_connected(process, s), lpBuffer, dwBufferLength, dwFlags).number


@answers(SOCKET_ERROR)
def WSPDeregisterMemory(process: Process, s: object, Handle: object) -> int:
    """WSAEINVAL for what is no handle, and while a transfer uses the memory."""
    with process.host.pump:
        process.socket(s)
        process.memory.deregister(Handle)
    return NO_ERROR


@answers(SOCKET_ERROR)
def WSPRegisterRdmaMemory(
    process: Process,
    s: object,
    lpBuffer: object,
    dwBufferLength: object,
    dwFlags: object,
    lpRdmaBufferDescriptor: object,
    lpdwDescriptorLength: object,
) -> int:
    """Expose memory to the peer of this socket and to nobody else: `dwFlags` tells what the peer may do.

    Errors of WSPRegisterMemory; WSAEFAULT also if there is too little room for the descriptor, and then
    `lpdwDescriptorLength` tells how much it takes.
    """
    with process.host.pump:
        socket = _connected(process, s)
        if not isinstance(lpdwDescriptorLength, INT):
            raise WinsockError(WSAEFAULT)
        length, lpdwDescriptorLength.Value = lpdwDescriptorLength.Value, DESCRIPTOR_SIZE
        room = view_of(lpRdmaBufferDescriptor, length, least=DESCRIPTOR_SIZE, is_filled=True)
        registration = process.memory.register(socket, lpBuffer, dwBufferLength, dwFlags, is_exposed=True)
        room[:DESCRIPTOR_SIZE] = registration.descriptor
    return NO_ERROR


@answers(SOCKET_ERROR)
def WSPDeregisterRdmaMemory(
    process: Process, s: object, lpRdmaBufferDescriptor: object, dwDescriptorLength: object
) -> int:
    """WSAEINVAL for what this socket has not registered, and while the peer uses the memory; WSAEFAULT for what cannot
    be a descriptor."""
    with process.host.pump:
        socket = process.socket(s)
        process.memory.conceal(socket, read_descriptor(lpRdmaBufferDescriptor, dwDescriptorLength))
    return NO_ERROR


@answers(SOCKET_ERROR)
def WSPMemoryRegistrationCacheCallback(process: Process, lpvAddress: object, Size: object) -> int:
    """`Size` bytes from `lpvAddress` on, which is memory or a number, are about to be unmapped: what is registered of
    them is registered no more.  WSAEINVAL if nothing is, WSAEFAULT while a transfer uses it."""
    size = unsigned(Size, WSAEFAULT)
    address = lpvAddress if isinstance(lpvAddress, int) else address_of(view_of(lpvAddress, size))
    with process.host.pump:
        process.memory.forget(address, size)
    return NO_ERROR


def _connected(process: Process, s: object) -> SanSocket:
    socket = process.socket(s)
    if socket.transfers is None:
        raise WinsockError(WSAENOTCONN)
    return socket
