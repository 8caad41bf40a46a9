"""TDI: mappings to devices, and whether filters count (WSK-5.7).

TDI went with Windows Vista.  The emulated host has neither TDI transports nor TDI filters: a mapping leads to a device
that is not there, and WSK_TDI_BEHAVIOR_BYPASS_TDI asks for what happens anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import WSK_TDI_BEHAVIOR_BYPASS_TDI
from wsknet.wsk.control.ulong import read_ulong
from wsknet.wsk.requests import Refusal
from wsknet.wsk.status import STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_NOT_FOUND
from wsknet.wsk.structures_client import WSK_TDI_MAP, WSK_TDI_MAP_INFO

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client
    from wsknet.wsk.control.ioctl import Buffers


def map_devices(now: Instant, client: Client, buffers: Buffers) -> None:
    """The last list counts."""
    buffers.require_no_output()
    client.require_no_socket_yet("R-334")
    info = buffers.InputBuffer
    if not isinstance(info, WSK_TDI_MAP_INFO) or buffers.InputSize != info.SIZE:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    entries = list(info.Map or ())[: info.ElementCount]
    if len(entries) != info.ElementCount or not all(map(_names_a_device, entries)):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    client.tdi_devices = frozenset((entry.AddressFamily, entry.SocketType, entry.Protocol) for entry in entries)


def _names_a_device(entry: object) -> bool:
    return isinstance(entry, WSK_TDI_MAP) and bool(entry.TdiDeviceName)


def set_behavior(now: Instant, client: Client, buffers: Buffers) -> None:
    buffers.require_no_output()
    client.require_no_socket_yet("R-334")
    flags = read_ulong(buffers.InputSize, buffers.InputBuffer)
    if flags & ~WSK_TDI_BEHAVIOR_BYPASS_TDI:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)


def refusal_without_native_transport(client: Client, AddressFamily: int, SocketType: int, Protocol: int) -> Refusal:
    """Why WskSocket fails: there is no device of the name that is mapped (R-335), or nothing at all."""
    is_mapped = (AddressFamily, SocketType, Protocol) in client.tdi_devices
    return Refusal(STATUS_OBJECT_NAME_NOT_FOUND if is_mapped else STATUS_NOT_SUPPORTED)
