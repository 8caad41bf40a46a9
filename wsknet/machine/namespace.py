"""Network namespaces of Linux: network_namespaces(7), setns(2), ip-netns(8).

A namespace belongs to a thread.  Only the calling thread is moved, and never for longer than a ``with`` block; sockets
and TAPs opened inside stay where they were opened.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from wsknet.errors import UsageError
from wsknet.machine.netlink import pyroute2

NAMED = Path("/var/run/netns")
"""Where ip-netns(8) keeps the names."""

CLONE_NEWNET = 0x40000000
NS_GET_NSTYPE = 0xB703
"""ioctl_ns(2)."""

OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """An open network namespace; it exists at least as long as this does."""

    def __init__(self, fd: int, name: str | None) -> None:
        self.name = name
        """None for one that no name leads to."""
        self._fd = fd

    @classmethod
    def own(cls) -> Namespace:
        """The one the calling thread is in."""
        return cls(os.open(OWN, os.O_RDONLY | os.O_CLOEXEC), None)

    @classmethod
    def unnamed(cls) -> Namespace:
        """A new one.  It vanishes with the last thing that uses it, at the latest with this process."""
        with cls.own()._kept() as back:
            if _libc.unshare(CLONE_NEWNET) != 0:
                raise _refusal("make a network namespace", ctypes.get_errno())
            try:
                return cls.own()
            finally:
                _enter(back)

    @classmethod
    def named(cls, name: str) -> Namespace | None:
        """The existing namespace `name`, or None."""
        check_name(name)
        try:
            fd = os.open(NAMED / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refusal(f"enter the network namespace {name}", error.errno) from None
        try:
            is_one = ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET
        except OSError:
            is_one = False
        if not is_one:
            os.close(fd)
            raise UsageError(f"{NAMED / name} is no network namespace any more: remove it (ip netns delete {name})")
        return cls(fd, name)

    @classmethod
    def make(cls, name: str) -> Namespace:
        """A new one under a name that is free."""
        check_name(name)
        namespace = cls.unnamed()
        try:
            with namespace.entered():
                pyroute2().netns.attach(name, "thread-self")
        except OSError as error:
            namespace.close()
            if error.errno != errno.EEXIST:
                (NAMED / name).unlink(missing_ok=True)
            raise _refusal(f"make the network namespace {name}", error.errno) from None
        namespace.name = name
        return namespace

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What the calling thread opens or starts inside the block is in this namespace: sockets, TAPs, processes."""
        with Namespace.own()._kept() as back:
            _enter(self._fd)
            try:
                yield
            finally:
                _enter(back)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @contextmanager
    def _kept(self) -> Iterator[int]:
        try:
            yield self._fd
        finally:
            self.close()


def remove_name(name: str) -> None:
    """What `Namespace.make` did, undone; nothing if the name is gone already."""
    try:
        pyroute2().netns.remove(name)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _refusal(f"remove the network namespace {name}", error.errno) from None


def check_name(name: str) -> None:
    if not name or "/" in name or name in (".", ".."):
        raise UsageError(f"{name!r} cannot name a network namespace: use a word without '/'")


def _enter(fd: int) -> None:
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise _refusal("enter a network namespace", ctypes.get_errno())


def _refusal(action: str, number: int | None) -> Exception:
    if number in (errno.EPERM, errno.EACCES):
        return UsageError(f"no right to {action}: run it as root")
    if number == errno.EEXIST:
        return UsageError(f"cannot {action}: the name is taken")
    return OSError(number, f"cannot {action}: {os.strerror(number or 0)}")
