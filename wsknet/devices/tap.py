"""A TAP of Linux (tuntap(4), Documentation/networking/tuntap.rst), opened as Scapy's `TunTapInterface`.

Scapy's own sending dissects every frame and logs errors away; here frames go straight to the descriptor.
"""

from __future__ import annotations

import errno
import os
from fcntl import ioctl
from struct import Struct
from typing import TYPE_CHECKING, Any, NoReturn

from scapy.layers.l2 import Ether
from scapy.layers.tuntap import LINUX_IFF_NO_PI, LINUX_IFF_TAP, LINUX_TUNSETIFF, TunTapInterface

from wsknet.errors import UsageError
from wsknet.types import Buffers, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import Entry, Receiver

CLONE_DEVICE = "/dev/net/tun"
MAX_NAME = 15
"""IFNAMSIZ without the closing zero."""

READ_SIZE = 14 + 4 + 65535
"""The largest frame: Ethernet header, VLAN tag and the largest MTU.  A shorter read would cut it silently."""

BATCH = 64
"""Frames read in one turn, so that one device cannot keep the lock from everybody else."""

_NOT_TAKEN = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EIO, errno.EBADFD))
"""What a write answers for a full queue, a link that is down (EIO), and a TAP that is gone, which reading reports."""

_ifreq = Struct("16sH22x")


class TapDevice(TunTapInterface):  # type: ignore[misc]
    """Our end of the TAP `name`, made if there is none; one that was made vanishes on `close`.

    It belongs to the network namespace of the thread that opens it.  `UsageError` tells what is in the way.
    """

    desc = "our end of a Linux TAP"

    def __init__(self, name: str) -> None:
        check_interface_name(name)
        self.name = name
        self.dropped = 0
        """Frames that the kernel did not take."""
        self._receiver: Receiver | None = None
        file = _open(name)
        self._read = file.read
        self._fd = file.fileno()
        # What Scapy's constructor would have set, had it opened the device.
        self.iface = name.encode()
        self.mode_tun = False
        self.strip_packet_info = True
        self.mtu_overhead = 0
        self.kernel_packet_class = Ether
        self.default_read_size = READ_SIZE
        self.ins = self.outs = file
        self.closed = False

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver = receiver

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        try:
            os.writev(self._fd, frame)
        except OSError as error:
            self._refused(error)

    def on_readable(self, now: Instant) -> None:
        read, receiver = self._read, self._receiver
        try:
            for _ in range(BATCH):
                frame = read(READ_SIZE)
                if frame is None:
                    break
                if receiver is not None:
                    receiver(frame, now)
        except OSError as error:
            self._lost(error)

    def recv_raw(self, x: int | None = None) -> tuple[Any, bytes | None, None]:
        """As Scapy's, and without waiting: the data is None if no frame is there.  Time is the driver's business."""
        try:
            return self.kernel_packet_class, self._read(x or self.default_read_size), None
        except OSError as error:
            self._lost(error)

    def send(self, x: Any) -> int:
        """Send one Scapy packet.  For tools: `transmit` is the data path.  Raises `OSError`."""
        return os.write(self._fd, bytes(x))

    def _refused(self, error: OSError) -> None:
        if error.errno not in _NOT_TAKEN:
            raise error
        self.dropped += 1

    def _lost(self, error: OSError) -> NoReturn:
        if error.errno == errno.EBADFD:
            raise OSError(error.errno, f"the TAP {self.name} is gone: somebody has deleted it") from None
        raise error


def check_interface_name(name: str) -> None:
    """`UsageError` for what Linux would not take, or would take as a pattern (%)."""
    if not 1 <= len(name.encode()) <= MAX_NAME or name in (".", "..") or any(c in "/%:" or c.isspace() for c in name):
        raise UsageError(
            f"{name!r} cannot name an interface: use 1 to {MAX_NAME} characters without blanks, '/', ':' and '%'"
        )


def _open(name: str) -> Any:
    try:
        file = open(CLONE_DEVICE, "r+b", buffering=0, opener=_open_without_waiting)  # noqa: SIM115
    except FileNotFoundError:
        raise UsageError(
            f"there is no {CLONE_DEVICE}: load the module (modprobe tun) or give it to the container"
        ) from None
    except PermissionError:
        raise UsageError(f"no right to open {CLONE_DEVICE}: run it as root") from None
    try:
        ioctl(file, LINUX_TUNSETIFF, _ifreq.pack(name.encode(), LINUX_IFF_TAP | LINUX_IFF_NO_PI))
    except OSError as error:
        file.close()
        raise _refusal(name, error) from None
    return file


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _refusal(name: str, error: OSError) -> Exception:
    match error.errno:
        case errno.EPERM:
            return UsageError(f"no right to use the TAP {name}: run as root, or make it for this user beforehand")
        case errno.EBUSY:
            return UsageError(f"the TAP {name} is in use by another program: end that or choose another name")
        case errno.EINVAL:
            return UsageError(f"{name} exists and is not a TAP: choose another name")
    return error
