"""What random legal programs have found, each cut down to the calls that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import PORT, Lab, ok, start
from tests.support.wsk_packets import V4, V6, Names, sent, traffic_class
from wsknet.wsk import (
    CMSGHDR,
    IP_ECN,
    IP_TOS,
    IPV6_ECN,
    IPV6_TCLASS,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSA_CMSG_LEN,
    WSA_CMSG_SPACE,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    detach_provider,
    simple,
)


@pytest.mark.rule("R-157")
def test_a_connection_is_refused_after_the_provider_has_gone(lab: Lab) -> None:
    refused: list[Any] = []

    def refuse(SocketContext: Any, Flags: int, local: Any, remote: Any, Socket: Any, *out: Any) -> Any:
        refused.append(Socket)
        return STATUS_REQUEST_NOT_ACCEPTED

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(refuse))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    detach_provider(lab.far)
    near = lab.connected(PORT)
    lab.run()

    assert len(refused) == 1
    assert simple.receive(near)[0] != STATUS_SUCCESS
    ok(simple.close(near))
    ok(simple.close(listener))


@pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])
def test_of_two_control_messages_that_tell_the_congestion_bits_their_own_counts(lab: Lab, names: Names) -> None:
    near = lab.datagram(lab.near, 0, names.wildcard, AddressFamily=names.family)
    kinds = (IP_TOS, IP_ECN) if names is V4 else (IPV6_TCLASS, IPV6_ECN)
    octets = b""
    for kind, value in zip(kinds, (0xBA, 1), strict=True):
        head = bytes(CMSGHDR(WSA_CMSG_LEN(4), names.level, kind))
        octets += (head + value.to_bytes(4, "little")).ljust(WSA_CMSG_SPACE(4), b"\0")
    to = simple.address(names.far, PORT)
    request = start(near.Dispatch.WskSendTo, near, simple.buffer(b"data"), 0, to, len(octets), octets)
    lab.run()

    assert request.status == STATUS_SUCCESS
    assert [traffic_class(packet) for packet in sent(lab.near_wire)] == [0xB9]
