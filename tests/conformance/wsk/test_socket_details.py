"""Small things that hold for every socket: what Information says, chains of MDLs, the scopes of addresses."""

from __future__ import annotations

import pytest

from tests.support.raw_lab import PROTOCOL, WHERE, families, raw, to
from tests.support.wsk_lab import FAR, PORT, Lab, ok, start
from wsknet.wsk import (
    AF_INET6,
    MDL,
    NTSTATUS,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    IoAllocateMdl,
    MmBuildMdlForNonPagedPool,
    simple,
)

SUCCESS = [(STATUS_SUCCESS, 0)]


def chain(*pieces: bytes | bytearray) -> MDL:
    mdls = [IoAllocateMdl(piece, len(piece), False, False, None) for piece in pieces]
    first = None
    for Mdl in reversed(mdls):
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = first
        first = Mdl
    assert first is not None
    return first


@pytest.mark.rule("D-05")
def test_information_is_zero_where_nothing_is_documented(lab: Lab) -> None:
    lab.listener()
    Socket = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    functions = Socket.Dispatch
    there = simple.address(FAR, PORT)

    assert start(functions.WskBind, Socket, simple.address("0.0.0.0", 0), 0).completions == SUCCESS
    connect = start(functions.WskConnectEx, Socket, there, simple.buffer(b"greeting"), 0)
    lab.run()
    assert connect.completions == SUCCESS
    assert start(functions.WskGetLocalAddress, Socket, SOCKADDR_IN()).completions == SUCCESS
    remote = SOCKADDR_IN()
    assert start(functions.WskGetRemoteAddress, Socket, remote).completions == SUCCESS
    assert simple.host_and_port(remote) == (FAR, PORT)
    disconnect = start(functions.WskDisconnect, Socket, None, 0)
    lab.run()
    assert disconnect.completions == SUCCESS


@pytest.mark.rule("D-05")
def test_the_same_for_listening_and_closing(lab: Lab) -> None:
    Socket = lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=PORT)

    assert start(Socket.Dispatch.WskListen, Socket).completions == SUCCESS
    close = start(Socket.Dispatch.WskCloseSocket, Socket)
    lab.run(0)
    assert close.completions == SUCCESS


@pytest.mark.rule("R-349")
def test_connecting_with_data_takes_it_from_the_whole_chain(lab: Lab) -> None:
    listener = lab.listener()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    Buffer = WSK_BUF(chain(b"abcd", b"efgh", b"ijkl"), 2, 8)
    start(Socket.Dispatch.WskConnectEx, Socket, simple.address(FAR, PORT), Buffer, 0)
    lab.run()

    assert ok(simple.receive(ok(simple.accept(listener)))) == b"cdefghij"


@pytest.mark.rule("R-349")
def test_a_datagram_fills_a_chain_and_counts_all_of_it(lab: Lab) -> None:
    Socket = lab.datagram(lab.far, PORT)
    pieces = [bytearray(b"...."), bytearray(b"...."), bytearray(b"....")]
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, WSK_BUF(chain(*pieces), 3, 9), 0, None, [0], None, None)
    ok(simple.send_to(lab.datagram(lab.near), b"0123456", simple.address(FAR, PORT)))
    lab.run()

    assert request.completions == [(STATUS_SUCCESS, 7)]
    assert b"|".join(pieces) == b"...0|1234|56.."


def link_local(lab: Lab) -> SOCKADDR_IN6:
    """An address of the far host, as the near one sees it."""
    lab.far_interface.add_address("fe80::88/64")
    lab.run(2)
    far = simple.address("fe80::88", PORT, lab.near_interface.index)
    assert isinstance(far, SOCKADDR_IN6)
    return far


def test_both_addresses_of_a_connection_have_their_scope(lab: Lab) -> None:
    far = link_local(lab)
    ok(simple.bind(lab.socket(lab.far, WSK_FLAG_LISTEN_SOCKET, AddressFamily=AF_INET6), simple.address("::", PORT)))
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, "::", AddressFamily=AF_INET6)
    ok(simple.connect(Socket, far))

    for function in (Socket.Dispatch.WskGetLocalAddress, Socket.Dispatch.WskGetRemoteAddress):
        found = SOCKADDR_IN6()
        assert start(function, Socket, found).completions == SUCCESS
        assert found.sin6_scope_id == lab.near_interface.index


def test_the_sender_of_a_datagram_has_its_scope(lab: Lab) -> None:
    far = link_local(lab)
    Socket = lab.datagram(lab.far, PORT, "::", AddressFamily=AF_INET6)
    RemoteAddress = SOCKADDR_IN6()
    Buffer = simple.buffer(bytearray(9))
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, Buffer, 0, RemoteAddress, [0], None, None)
    ok(simple.send_to(lab.datagram(lab.near, 0, "::", AddressFamily=AF_INET6), b"x", far))
    lab.run()

    assert request.information == 1
    assert bytes(RemoteAddress.sin6_addr)[:2] == b"\xfe\x80"
    assert RemoteAddress.sin6_scope_id == lab.far_interface.index


@families
def test_the_events_of_a_raw_socket_get_its_context(lab: Lab, family: int) -> None:
    contexts: list[object] = []

    def receive_from(SocketContext: object, Flags: int, Indication: object) -> NTSTATUS:
        contexts.append(SocketContext)
        return STATUS_SUCCESS

    table = WSK_CLIENT_DATAGRAM_DISPATCH(receive_from)
    Socket = raw(lab, lab.far, family, PROTOCOL, "", "the context", table)
    with lab.far.activate():
        simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    ok(simple.send_to(raw(lab, lab.near, family), b"x", to(WHERE[family][1])))
    lab.run()

    assert contexts[0] == "the context"
