"""Raw sockets (wsk.md 3.2, 4.14 to 4.16; "TCP/IP Raw Sockets" of Winsock)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest
from scapy.packet import Raw

from tests.support.raw_lab import (
    PROTOCOL,
    WHERE,
    body,
    families,
    opened,
    raw,
    set_remote,
    to,
    waiting,
)
from tests.support.wsk_lab import BROADCAST, FAR, NEAR, PORT, Lab, ok, start
from wsknet.net.changes import AddressAdded
from wsknet.text import parse_address as A
from wsknet.trace import DropReason
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    CMSGHDR,
    IP_MULTICAST_LOOP,
    IP_PKTINFO,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_MULTICAST_LOOP,
    IPV6_PKTINFO,
    IPV6_V6ONLY,
    MSG_TRUNC,
    SO_BROADCAST,
    SO_RCVBUF,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_ACCESS_DENIED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_PROTOCOL_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    simple,
)

# Creation and bind


@families
@pytest.mark.rule("R-086", "R-095")
@pytest.mark.parametrize("protocol", [1, 2, 6, 17, 58, 132, 253, 255])
def test_a_raw_socket_of_any_protocol_is_a_datagram_socket(lab: Lab, family: int, protocol: int) -> None:
    Socket = raw(lab, lab.near, family, protocol)
    assert hasattr(Socket.Dispatch, "WskSendTo")


@families
@pytest.mark.rule("R-098")
def test_a_raw_socket_is_created_with_the_protocol_of_the_list_of_transports(lab: Lab, family: int) -> None:
    raw(lab, lab.near, family, IPPROTO_IP)


@families
@pytest.mark.parametrize(
    ("flags", "protocol"),
    [
        (WSK_FLAG_DATAGRAM_SOCKET, 256),
        (WSK_FLAG_BASIC_SOCKET, 256),
        (WSK_FLAG_LISTEN_SOCKET, IPPROTO_TCP),
        (WSK_FLAG_CONNECTION_SOCKET, IPPROTO_TCP),
        (WSK_FLAG_STREAM_SOCKET, IPPROTO_TCP),
    ],
)
@pytest.mark.rule("D-03")
def test_other_categories_and_numbers_beyond_the_header_are_refused(
    lab: Lab, family: int, flags: int, protocol: int
) -> None:
    assert opened(lab, lab.near, family, protocol, flags=flags)[0] == STATUS_NOT_SUPPORTED


@families
def test_several_may_have_one_name_and_the_port_does_not_count(lab: Lab, family: int) -> None:
    near = WHERE[family][0]
    for port in (0, PORT, PORT):
        Socket: WSK_SOCKET = ok(opened(lab, lab.near, family, PROTOCOL))
        ok(simple.bind(Socket, simple.address(near, port)))
        assert simple.host_and_port(ok(simple.local_address(Socket))) == (near, 0)
    lab.datagram(lab.near, PORT)  # and none of them has taken the port


@families
@pytest.mark.rule("D-07", "D-01")
def test_bind_wants_an_address_of_ours_and_comes_once(lab: Lab, family: int) -> None:
    near, far, _ = WHERE[family]
    Socket: WSK_SOCKET = ok(opened(lab, lab.near, family, PROTOCOL))
    assert simple.send_to(Socket, b"data", to(far))[0] == STATUS_INVALID_DEVICE_STATE
    assert simple.bind(Socket, to(far))[0] == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.bind(Socket, to(near)))
    assert simple.bind(Socket, to(near))[0] == STATUS_INVALID_DEVICE_STATE


def test_an_ipv6_socket_never_carries_ipv4(lab: Lab) -> None:
    Socket: WSK_SOCKET = ok(opened(lab, lab.near, AF_INET6, PROTOCOL))
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    assert simple.bind(Socket, to("::ffff:" + NEAR))[0] == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.bind(Socket, to("::")))
    assert simple.send_to(Socket, b"data", to("::ffff:" + FAR))[0] == STATUS_INVALID_ADDRESS_COMPONENT


# Who receives what


@families
@pytest.mark.rule("R-259", "R-266")
def test_ipv4_comes_with_its_header_and_ipv6_without(lab: Lab, family: int) -> None:
    near, far, _ = WHERE[family]
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    assert ok(simple.send_to(sender, b"experiment", to(far))) == 10
    data, source = ok(simple.receive_from(receiver))
    assert simple.host_and_port(source) == (near, 0)
    if family == AF_INET6:
        assert data == b"experiment"
        return
    packet = IP(data)
    assert (packet.src, packet.dst, packet.proto, packet.len) == (NEAR, FAR, PROTOCOL, 30)
    assert data[20:] == b"experiment"


@families
def test_every_socket_that_matches_gets_a_copy(lab: Lab, family: int) -> None:
    _near, far, anywhere = WHERE[family]
    sender = raw(lab, lab.near, family)
    matching = [raw(lab, lab.far, family, PROTOCOL, name) for name in (anywhere, anywhere, far)]
    others = [raw(lab, lab.far, family, PROTOCOL + 1), raw(lab, lab.far, AF_INET + AF_INET6 - family)]
    ok(simple.send_to(sender, b"copied", to(far)))
    lab.run(0.1)
    assert [[body(family, data) for data in waiting(Socket)] for Socket in matching] == [[b"copied"]] * 3
    assert [waiting(Socket) for Socket in others] == [[], []]


@families
def test_a_socket_with_another_address_gets_none(lab: Lab, family: int) -> None:
    with lab.far.pump as now:
        extra = "192.0.2.77" if family == AF_INET else "2001:db8::77"
        length = 24 if family == AF_INET else 64
        lab.far.stack.apply(AddressAdded(lab.far_interface.index, A(extra), length), now)
    lab.run(3)
    sender, other = raw(lab, lab.near, family), raw(lab, lab.far, family, PROTOCOL, extra)
    wildcard = raw(lab, lab.far, family)
    ok(simple.send_to(sender, b"data", to(WHERE[family][1])))
    lab.run(0.1)
    assert len(waiting(wildcard)) == 1
    assert waiting(other) == []


@families
@pytest.mark.rule("R-284", "R-261", "R-287")
def test_a_fixed_remote_address_is_sent_to_and_alone_received_from(lab: Lab, family: int) -> None:
    near, far, _ = WHERE[family]
    here, there = raw(lab, lab.near, family), raw(lab, lab.far, family)
    ok(set_remote(here, to(far)))
    ok(simple.send_to(here, b"there", None))
    assert body(family, ok(simple.receive_from(there))[0]) == b"there"
    ok(simple.send_to(raw(lab, lab.near, family), b"from ourselves", to(near)))
    ok(simple.send_to(there, b"back", to(near)))
    lab.run(0.1)
    assert [body(family, data) for data in waiting(here)] == [b"back"]
    ok(set_remote(here, None))
    ok(simple.send_to(raw(lab, lab.near, family), b"from ourselves", to(near)))
    assert [body(family, data) for data in waiting(here)] == [b"from ourselves"]


@pytest.mark.rule("R-289")
def test_a_broadcast_needs_the_option(lab: Lab) -> None:
    sender, receiver = raw(lab, lab.near, AF_INET), raw(lab, lab.far, AF_INET)
    named = raw(lab, lab.far, AF_INET, PROTOCOL, FAR)
    assert simple.send_to(sender, b"all", to(BROADCAST))[0] == STATUS_ACCESS_DENIED
    ok(simple.set_option(sender, SOL_SOCKET, SO_BROADCAST, 1))
    ok(simple.send_to(sender, b"all", to(BROADCAST)))
    lab.run(0.1)
    # BIND-55: the name of an address hears the broadcasts of its subnet.
    assert [[data[20:] for data in waiting(each)] for each in (receiver, named)] == [[b"all"]] * 2


@families
def test_a_group_is_heard_by_the_wildcard_and_by_who_joined(lab: Lab, family: int) -> None:
    group = "239.1.2.3" if family == AF_INET else "ff05::123"
    sender, wildcard = raw(lab, lab.near, family), raw(lab, lab.far, family)
    member, stranger = (raw(lab, lab.far, family, PROTOCOL, WHERE[family][1]) for _ in range(2))
    ok(simple.join_group(member, group, lab.far_interface.index))
    lab.run(0.1)
    ok(simple.send_to(sender, b"group", to(group)))
    lab.run(0.1)
    heard = [[body(family, data) for data in waiting(Socket)] for Socket in (wildcard, member, stranger)]
    assert heard == [[b"group"], [b"group"], []]


@families
def test_a_receiver_may_refuse_what_its_own_host_sends_to_a_group(lab: Lab, family: int) -> None:
    group = "239.1.2.3" if family == AF_INET else "ff05::123"
    option = (IPPROTO_IP, IP_MULTICAST_LOOP) if family == AF_INET else (IPPROTO_IPV6, IPV6_MULTICAST_LOOP)
    hearing, deaf, sender = (raw(lab, lab.near, family) for _ in range(3))
    ok(simple.join_group(deaf, group, lab.near_interface.index))
    ok(simple.set_option(deaf, *option, 0))
    ok(simple.send_to(sender, b"group", to(group)))
    assert [len(waiting(each)) for each in (hearing, deaf)] == [1, 0]


@families
@pytest.mark.rule("R-267")
def test_what_does_not_fit_is_cut(lab: Lab, family: int) -> None:
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    ok(simple.send_to(sender, b"0123456789", to(WHERE[family][1])))
    lab.run(0.1)
    memory, flags = bytearray(4), [0]
    arguments = (receiver, simple.buffer(memory), 0, None, None, None, flags)
    assert simple.call(receiver.Dispatch.WskReceiveFrom, *arguments) == (STATUS_SUCCESS, 4)
    assert flags == [MSG_TRUNC]


@families
def test_a_full_receive_buffer_is_a_named_drop(lab: Lab, family: int) -> None:
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    ok(simple.set_option(receiver, SOL_SOCKET, SO_RCVBUF, 600))
    for _ in range(3):
        ok(simple.send_to(sender, bytes(40), to(WHERE[family][1])))
    lab.run(0.1)
    dropped = lab.far.stack.trace.drops[DropReason.RAW_BUFFER_FULL]
    assert (len(waiting(receiver)), dropped) == ((1, 2) if family == AF_INET else (2, 1))


@families
@pytest.mark.rule("R-290")
def test_control_information_as_for_udp(lab: Lab, family: int) -> None:
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    level, option = (IPPROTO_IP, IP_PKTINFO) if family == AF_INET else (IPPROTO_IPV6, IPV6_PKTINFO)
    ok(simple.set_option(receiver, level, option, 1))
    ok(simple.send_to(sender, b"data", to(WHERE[family][1])))
    lab.run(0.1)
    control, length = bytearray(64), [64]
    arguments = (receiver, simple.buffer(bytearray(64)), 0, SOCKADDR_STORAGE(), length, CMSGHDR.cast(control), None)
    ok(simple.call(receiver.Dispatch.WskReceiveFrom, *arguments))
    assert length[0]
    assert A(WHERE[family][1]) + lab.far_interface.index.to_bytes(4, "little") in bytes(control)


@families
@pytest.mark.rule("R-276", "R-278")
def test_the_receive_event_brings_packets(lab: Lab, family: int) -> None:
    heard: list[bytes] = []

    def receive(SocketContext: Any, Flags: int, DataIndication: Any) -> int:
        while DataIndication is not None:
            mdl = DataIndication.Buffer
            heard.append(bytes(mdl.Mdl.MappedSystemVa)[: mdl.Length])
            DataIndication = DataIndication.Next
        return STATUS_SUCCESS

    receiver = raw(lab, lab.far, family, PROTOCOL, "", "context", WSK_CLIENT_DATAGRAM_DISPATCH(receive))
    simple.control_events(receiver, WSK_EVENT_RECEIVE_FROM)
    sender = raw(lab, lab.near, family)
    for data in (b"one", b"two"):
        ok(simple.send_to(sender, data, to(WHERE[family][1])))
    lab.run(0.1)
    assert [body(family, data) for data in heard] == [b"one", b"two"]


# ICMP


@families
def test_a_ping(lab: Lab, family: int) -> None:
    """The far stack answers; the near raw socket gets the reply, and neither is disturbed by it."""
    _near, far, _ = WHERE[family]
    protocol = IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6
    pinger, witness = raw(lab, lab.near, family, protocol), raw(lab, lab.far, family, protocol)
    lab.run(3)
    waiting(pinger), waiting(witness)  # neighbour discovery
    if family == AF_INET:
        request = bytes(ICMP(type=8, id=77, seq=1) / Raw(b"ping"))
    else:
        request = bytes.fromhex("80000000004d0001") + b"ping"  # the stack puts the checksum
    ok(simple.send_to(pinger, request, to(far)))
    lab.run(1)
    if family == AF_INET:
        (asked,), (answer,) = ([ICMP(data[20:]) for data in waiting(each)] for each in (witness, pinger))
        assert (asked.type, answer.type, answer.id, answer.seq, bytes(answer.payload)) == (8, 0, 77, 1, b"ping")
        return
    asked6 = [ICMPv6EchoRequest(data) for data in waiting(witness) if data[0] == 128]
    answers = [ICMPv6EchoReply(data) for data in waiting(pinger) if data[0] == 129]
    assert [(each.id, each.seq, each.data) for each in asked6 + answers] == [(77, 1, b"ping")] * 2


@families
def test_the_stack_still_answers_while_a_raw_socket_listens(lab: Lab, family: int) -> None:
    protocol = IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6
    listener = raw(lab, lab.far, family, protocol)
    with lab.near.pump as now:
        endpoint = lab.near.stack.echo.open()
        endpoint.send(A(WHERE[family][1]), 1, b"data", now)
    lab.run(1)
    assert endpoint.receive() is not None
    assert waiting(listener)


def test_udp_and_tcp_are_copied_and_served_all_the_same(lab: Lab) -> None:
    copies = {protocol: raw(lab, lab.far, AF_INET, protocol) for protocol in (IPPROTO_UDP, IPPROTO_TCP)}
    server, client = lab.datagram(lab.far, PORT), lab.datagram(lab.near)
    ok(simple.send_to(client, b"datagram", simple.address(FAR, PORT)))
    lab.run(0.1)
    assert ok(simple.receive_from(server))[0] == b"datagram"
    near, far = lab.pair()
    ok(simple.send(near, b"stream"))
    lab.run(0.1)
    assert ok(simple.receive(far, 6)) == b"stream"
    assert [IP(data)[UDP].dport for data in waiting(copies[IPPROTO_UDP])] == [PORT]
    assert {IP(data).proto for data in waiting(copies[IPPROTO_TCP])} == {IPPROTO_TCP}
    for Socket in copies.values():
        ok(simple.close(Socket))
    ok(simple.send_to(client, b"again", simple.address(FAR, PORT)))
    lab.run(0.1)
    assert ok(simple.receive_from(server))[0] == b"again"


@families
@pytest.mark.rule("RFC1122-3.2.2.1")
def test_an_unknown_protocol_is_refused_unless_a_raw_socket_takes_it(lab: Lab, family: int) -> None:
    _near, far, _ = WHERE[family]
    sender = raw(lab, lab.near, family)
    ok(set_remote(sender, to(far)))

    def is_refused() -> bool:
        memory = bytearray(100)
        request = start(sender.Dispatch.WskReceiveFrom, sender, simple.buffer(memory), 0, None, None, None, None)
        assert request.returned == STATUS_PENDING
        ok(simple.send_to(sender, b"anybody?"))
        lab.run(1)
        if request.is_done:
            # ICMPv6 has no word of its own for it: a parameter problem (RFC 4443 3.4).
            assert request.status != STATUS_SUCCESS
            if family == AF_INET:
                assert request.status == STATUS_PROTOCOL_UNREACHABLE
            return True
        IoCancelIrp(request.Irp)
        return False

    assert is_refused()
    receiver = raw(lab, lab.far, family)
    assert not is_refused()
    assert len(waiting(receiver)) == 1
    elsewhere = raw(lab, lab.far, family, PROTOCOL)
    ok(set_remote(elsewhere, to(far)))  # hears itself alone
    ok(simple.close(receiver))
    assert is_refused()
    ok(simple.close(elsewhere))
    assert is_refused()


@pytest.mark.parametrize(("family", "protocol"), [(AF_INET, IPPROTO_ICMPV6), (AF_INET6, IPPROTO_ICMP), (AF_INET6, 2)])
def test_a_protocol_of_the_other_family_is_like_an_unknown_one(lab: Lab, family: int, protocol: int) -> None:
    far = WHERE[family][1]
    sender = raw(lab, lab.near, family, protocol)
    ok(simple.send_to(sender, b"data", to(far)))
    lab.run(0.1)
    assert lab.far.stack.trace.drops[DropReason.IP_UNKNOWN_PROTOCOL] == 1
    receiver = raw(lab, lab.far, family, protocol)
    ok(simple.send_to(sender, b"data", to(far)))
    lab.run(0.1)
    assert lab.far.stack.trace.drops[DropReason.IP_UNKNOWN_PROTOCOL] == 1
    assert len(waiting(receiver)) == 1
