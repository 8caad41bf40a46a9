"""Soft and hard errors as a WSK program sees them: RFC 1122 4.2.3.9, RFC 5461, RFC 5927, with the statuses of D-20.

The peer is deaf: TCP to it is swallowed, and a router speaks in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, Request, Watch, ok, start
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.icmp import IcmpError, IcmpErrorKind
from wsknet.types import Buffers, Family, Instant, Proto
from wsknet.wire import ipv4, ipv6
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    NTSTATUS,
    STATUS_HOPLIMIT_EXCEEDED,
    STATUS_HOST_UNREACHABLE,
    STATUS_IO_TIMEOUT,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PORT_UNREACHABLE,
    STATUS_PROTOCOL_UNREACHABLE,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    simple,
)

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
ADDRESSES = {Family.IPV4: (AF_INET, "0.0.0.0", FAR), Family.IPV6: (AF_INET6, "::", FAR6)}
HARD = {
    IcmpErrorKind.PORT_UNREACHABLE: STATUS_PORT_UNREACHABLE,
    IcmpErrorKind.PROTOCOL_UNREACHABLE: STATUS_PROTOCOL_UNREACHABLE,
}
SOFT = {
    IcmpErrorKind.NETWORK_UNREACHABLE: STATUS_NETWORK_UNREACHABLE,
    IcmpErrorKind.HOST_UNREACHABLE: STATUS_HOST_UNREACHABLE,
    IcmpErrorKind.ADMIN_PROHIBITED: STATUS_HOST_UNREACHABLE,
    IcmpErrorKind.TIME_EXCEEDED: STATUS_HOPLIMIT_EXCEEDED,
    IcmpErrorKind.PARAMETER_PROBLEM: STATUS_UNSUCCESSFUL,
}
EACH_HARD = pytest.mark.parametrize(("kind", "status"), HARD.items(), ids=lambda value: value.name)
EACH_SOFT = pytest.mark.parametrize(("kind", "status"), SOFT.items(), ids=lambda value: value.name)


class Hole(Watch):
    """Swallows TCP while it is open, and keeps the last packet that it has swallowed."""

    is_open = True
    last = b""

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        is_tcp = whole[23] == Proto.TCP if whole[12:14] == b"\x08\0" else whole[20] == Proto.TCP
        if self.is_open and is_tcp and len(whole) >= 54:
            self.last = whole
        else:
            super().transmit(frame, now, comment)


class Deaf:
    """The near host of a WSK lab, and the router that answers it."""

    def __init__(self, lab: Lab, family: Family) -> None:
        self.lab, self.family = lab, family
        self.hole = Hole(lab.near_wire.inner)
        lab.near_interface.plug(self.hole)

    def socket(self) -> WSK_SOCKET:
        number, wildcard, _ = ADDRESSES[self.family]
        return self.lab.bound(self.lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, AddressFamily=number)

    def connect(self, socket: WSK_SOCKET) -> Request:
        request = start(socket.Dispatch.WskConnect, socket, simple.address(ADDRESSES[self.family][2], PORT), 0)
        self.lab.run(0.01)
        return request

    def connected(self) -> WSK_SOCKET:
        number, wildcard, far = ADDRESSES[self.family]
        self.lab.listener(wildcard, AddressFamily=number)
        self.hole.is_open = False
        socket = self.socket()
        ok(simple.connect(socket, simple.address(far, PORT)))
        self.lab.run(0.01)
        self.hole.is_open = True
        return socket

    def send(self, socket: WSK_SOCKET) -> Request:
        request = start(socket.Dispatch.WskSend, socket, simple.buffer(b"is anybody there?"), 0)
        self.lab.run(0.01)
        return request

    def complain(self, kind: IcmpErrorKind) -> None:
        """The router says that the last packet did not arrive."""
        packet = self.hole.last[14:]
        error = IcmpError(kind, packet)
        is_ipv4 = self.family is Family.IPV4
        near, far = (packet[12:16], packet[16:20]) if is_ipv4 else (packet[8:24], packet[24:40])
        message = ScapyCodec().encode_icmp(self.family, far, near, error)
        if is_ipv4:
            head = ipv4.build(far, near, Proto.ICMP, len(message), 64)
        else:
            head = ipv6.build(far, near, Proto.ICMPV6, len(message), 64)
        link = header(self.hole.last[6:12], self.hole.last[:6], ETHERTYPE_IPV4 if is_ipv4 else ETHERTYPE_IPV6)
        self.lab.far_wire.transmit((link, head, message), self.lab.network.driver.now())
        self.lab.run(0.01)


@contextmanager
def deaf(family: Family, behaviour: Behaviour = WINDOWS) -> Iterator[Deaf]:
    with wsk_lab.lab(behaviour) as lab:
        yield Deaf(lab, family)


@FAMILIES
@EACH_HARD
@pytest.mark.rule("RFC1122-4.2.3.9", "D-20")
def test_a_hard_error_ends_a_connect_at_once(kind: IcmpErrorKind, status: NTSTATUS, family: Family) -> None:
    with deaf(family) as lab:
        request = lab.connect(lab.socket())
        assert not request.is_done
        lab.complain(kind)

        assert request.status == status


@FAMILIES
@EACH_SOFT
@pytest.mark.rule("RFC1122-4.2.3.9", "RFC5461-4.1", "D-20")
def test_a_soft_error_is_the_status_of_a_connect_whose_retries_are_used_up(
    kind: IcmpErrorKind, status: NTSTATUS, family: Family
) -> None:
    with deaf(family) as lab:
        request = lab.connect(lab.socket())
        lab.complain(kind)
        lab.lab.run(30)
        assert not request.is_done
        lab.lab.run(2)

        assert request.status == status


@FAMILIES
@EACH_SOFT
@pytest.mark.rule("RFC5461-4.1", "D-20")
def test_with_the_rules_of_linux_it_ends_the_connect_at_once(
    kind: IcmpErrorKind, status: NTSTATUS, family: Family
) -> None:
    with deaf(family, LINUX) as lab:
        request = lab.connect(lab.socket())
        lab.complain(kind)

        assert request.status == status


@FAMILIES
@EACH_SOFT
@pytest.mark.rule("RFC1122-4.2.3.9", "D-20")
def test_a_soft_error_is_the_status_of_a_send_that_never_got_through(
    kind: IcmpErrorKind, status: NTSTATUS, family: Family
) -> None:
    with deaf(family) as lab:
        request = lab.send(lab.connected())
        lab.complain(kind)
        lab.lab.run(10)
        assert not request.is_done
        lab.lab.run(600)

        assert request.completions == [(status, 0)]


@FAMILIES
@pytest.mark.parametrize("kind", [*HARD, *SOFT], ids=lambda kind: kind.name)
@pytest.mark.rule("RFC5927-5.2", "RFC1122-4.2.3.9")
def test_no_error_ends_a_connection_that_the_peer_still_answers(kind: IcmpErrorKind, family: Family) -> None:
    with deaf(family) as lab:
        socket = lab.connected()
        request = lab.send(socket)
        lab.complain(kind)
        lab.hole.is_open = False
        lab.lab.run(5)
        assert (request.status, request.information) == (STATUS_SUCCESS, 17)

        lab.hole.is_open = True  # what was said before the answer is forgotten
        later = lab.send(socket)
        lab.lab.run(600)
        assert later.completions == [(STATUS_IO_TIMEOUT, 0)]
