"""WskBind, local addresses and their sharing (WSK-4.4, 4.17, 5.6)."""

from __future__ import annotations

import pytest

from tests.support.wsk_datagrams import name_of
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    EPROCESS,
    IPPROTO_IPV6,
    IPPROTO_UDP,
    IPV6_V6ONLY,
    SECURITY_DESCRIPTOR,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_ACCESS_DENIED,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
    STATUS_SUCCESS,
    STATUS_TOO_MANY_ADDRESSES,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    BugCheck,
    simple,
)

BINDABLE = [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_STREAM_SOCKET]


@pytest.mark.rule("R-109", "R-138")
@pytest.mark.parametrize("Flags", BINDABLE)
def test_port_0_asks_for_a_dynamic_port_which_can_be_read(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = start(Socket.Dispatch.WskBind, Socket, simple.address("0.0.0.0", 0), 0)

    assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    address, port = name_of(Socket)
    assert address == "0.0.0.0"
    assert 49152 <= port <= 65535


@pytest.mark.rule("R-130")
@pytest.mark.parametrize("Flags", BINDABLE)
def test_an_unbound_socket_has_no_local_address(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_STORAGE())

    assert request.returned == request.status == STATUS_INVALID_DEVICE_STATE
    assert request.was_pending == [False]


@pytest.mark.rule("R-104", "R-131")
def test_the_port_is_there_from_bind_on_and_the_address_not_yet(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)

    assert name_of(Socket) == ("0.0.0.0", 6000)


@pytest.mark.rule("R-103", "R-132")
@pytest.mark.parametrize(("host", "near", "far"), [("0.0.0.0", NEAR, FAR), ("::", NEAR6, FAR6)], ids=["ipv4", "ipv6"])
def test_connecting_gives_the_address(lab: Lab, host: str, near: str, far: str) -> None:
    AddressFamily = AF_INET if host == "0.0.0.0" else AF_INET6
    lab.listener(host, AddressFamily=AddressFamily)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, host, 6000, AddressFamily=AddressFamily)
    ok(simple.connect(Socket, simple.address(far, PORT)))

    assert name_of(Socket) == (near, 6000)
    assert simple.host_and_port(ok(simple.remote_address(Socket))) == (far, PORT)


def test_a_failed_connect_leaves_the_wildcard(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, port=6000)
    assert simple.connect(Socket, simple.address(FAR, PORT))[0] != STATUS_SUCCESS
    assert name_of(Socket) == ("0.0.0.0", 6000)

    lab.listener()
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    assert name_of(Socket) == (NEAR, 6000)


@pytest.mark.rule("R-105", "D-28")
def test_a_stream_socket_keeps_the_wildcard_until_it_connects(lab: Lab) -> None:
    listening, connecting = (lab.bound(lab.far, WSK_FLAG_STREAM_SOCKET, port=port) for port in (PORT, 6000))
    ok(simple.listen(listening))
    assert name_of(listening) == ("0.0.0.0", PORT)

    ok(simple.connect(connecting, simple.address(FAR, PORT)))
    assert name_of(connecting) == (FAR, 6000)


@pytest.mark.rule("R-108", "D-02")
@pytest.mark.parametrize("Flags", BINDABLE)
def test_flags_are_reserved(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = start(Socket.Dispatch.WskBind, Socket, simple.address("0.0.0.0", 0), 1)

    assert request.returned == request.status == STATUS_INVALID_PARAMETER
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))


@pytest.mark.rule("D-01")
@pytest.mark.parametrize("Flags", BINDABLE)
def test_a_socket_is_bound_once(lab: Lab, Flags: int) -> None:
    Socket = lab.bound(lab.near, Flags, port=6000)

    assert simple.bind(Socket, simple.address("0.0.0.0", 6001)) == (STATUS_INVALID_DEVICE_STATE, 0)
    assert name_of(Socket) == ("0.0.0.0", 6000)


@pytest.mark.rule("D-04")
def test_the_address_has_to_be_of_the_sockets_family(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)

    assert simple.bind(Socket, SOCKADDR_IN6())[0] == STATUS_INVALID_PARAMETER
    assert simple.bind(Socket, SOCKADDR_IN(sin_family=AF_INET6))[0] == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-07")
@pytest.mark.parametrize("Flags", BINDABLE)
def test_only_own_addresses_can_be_bound(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)

    assert simple.bind(Socket, simple.address(FAR, 0))[0] == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.bind(Socket, simple.address(NEAR, 0)))


def test_the_dynamic_ports_may_run_out(lab: Lab) -> None:
    ports = lab.near.stack.udp.ports
    first, last = lab.near.stack.config.behaviour.ephemeral_ports
    from wsknet.types import Cover, LocalName

    for port in range(first, last + 1):
        ports.reserve(LocalName(Cover.IPV4, None, port))
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)

    assert simple.bind(Socket, simple.address("0.0.0.0", 0))[0] == STATUS_TOO_MANY_ADDRESSES


@pytest.mark.rule("R-110")
def test_a_listening_socket_for_udp_can_be_made_and_not_bound(lab: Lab) -> None:
    npi = lab.near_application.provider
    kind = (AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_LISTEN_SOCKET)
    Socket = start(npi.Dispatch.WskSocket, npi.Client, *kind, None, None, None, None, None).information

    assert simple.bind(Socket, simple.address("0.0.0.0", 0)) == (STATUS_NOT_IMPLEMENTED, 0)
    ok(simple.close(Socket))


@pytest.mark.rule("R-107")
def test_a_basic_socket_has_no_bind(lab: Lab) -> None:
    assert not hasattr(lab.socket(lab.near, 0).Dispatch, "WskBind")


@pytest.mark.rule("R-352")
def test_an_address_buffer_that_is_too_small_is_seen_before_anything_is_written(lab: Lab) -> None:
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    short = bytearray(15)

    with pytest.raises(BugCheck, match="R-352"):
        Request().start(Socket.Dispatch.WskGetLocalAddress, Socket, short)
    assert short == bytes(15)


@pytest.mark.rule("BIND-1.3.5", "BIND-1.4.9")
@pytest.mark.parametrize(
    ("family", "octets"),
    [(AF_INET, None), (AF_INET, bytes(8)), (AF_INET6, None), (AF_INET6, AF_INET6.to_bytes(2, "little") + bytes(22))],
    ids=["NULL", "too short", "NULL for IPv6", "IPv6 without the scope"],
)
def test_a_name_that_is_no_whole_address_is_refused(lab: Lab, family: int, octets: bytes | None) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)

    assert start(Socket.Dispatch.WskBind, Socket, octets, 0).status == STATUS_INVALID_PARAMETER
    assert (
        start(Socket.Dispatch.WskBind, Socket, SOCKADDR_IN6() if family == AF_INET6 else SOCKADDR_IN(), 0).status == 0
    )


# Sharing: WSK-5.6.  Columns: the first bind; rows: the second.

DEFAULT, REUSE, EXCLUSIVE = "default", "reuse", "exclusive"
FIRST = [(option, name) for option in (DEFAULT, REUSE, EXCLUSIVE) for name in "WS"]
TABLE = {
    (DEFAULT, "W"): "INUSE SUCCESS INUSE SUCCESS INUSE SUCCESS",
    (DEFAULT, "S"): "CHECK INUSE CHECK DENIED DENIED INUSE",
    (REUSE, "W"): "DENIED SUCCESS SUCCESS SUCCESS DENIED SUCCESS",
    (REUSE, "S"): "CHECK DENIED SUCCESS SUCCESS DENIED DENIED",
    (EXCLUSIVE, "W"): "INUSE INUSE INUSE INUSE INUSE INUSE",
    (EXCLUSIVE, "S"): "CHECK INUSE CHECK INUSE DENIED INUSE",
}
RULES = {"INUSE": "R-111", "DENIED": "R-112", "CHECK": "R-113"}
"""By what a cell says."""
CELL_RULES = {
    ("R,w", "R,w"): "R-122", ("R,s", "R,w"): "R-122", ("R,w", "R,s"): "R-123", ("R,s", "R,s"): "R-123",
    ("D,w", "D,w"): "R-115", ("D,s", "D,w"): "R-116", ("D,s", "D,s"): "R-117", ("D,w", "D,s"): "R-118",
    ("E,w", "D,s"): "R-119", ("R,s", "D,s"): "R-120", ("D,w", "R,w"): "R-121", ("E,w", "R,s"): "R-124",
    ("E,s", "R,s"): "R-124", ("E,s", "R,w"): "R-125", ("D,w", "E,s"): "R-127", ("R,w", "E,s"): "R-127",
    ("E,w", "E,s"): "R-127",
}  # fmt: skip
"""By first and second bind; R-126 is the whole row of the exclusive wildcard."""


def cell(first: tuple[str, str], second: tuple[str, str], answer: str) -> object:
    """One cell as a parameter of the test, marked with its number."""
    one, two = (f"{option[0].upper()},{kind.lower()}" for option, kind in (first, second))
    by_cell = "R-126" if two == "E,w" else CELL_RULES.get((one, two))
    rules = [f"BIND-M/wsk/{one}/{two}", *filter(None, (RULES.get(answer), by_cell))]
    return pytest.param(first, second, answer, marks=pytest.mark.rule(*rules), id=f"{one} {two}")


CELLS = [
    cell(first, second, answer)
    for second, answers in TABLE.items()
    for first, answer in zip(FIRST, answers.split(), strict=True)
]


def sharing_socket(
    lab: Lab, Flags: int, option: str, account: str, descriptor: SECURITY_DESCRIPTOR | None
) -> WSK_SOCKET:
    Socket = lab.socket(lab.near, Flags, OwningProcess=EPROCESS(account), SecurityDescriptor=descriptor)
    if option != DEFAULT:
        code = SO_REUSEADDR if option == REUSE else SO_EXCLUSIVEADDRUSE
        ok(simple.set_option(Socket, SOL_SOCKET, code, 1))
    return Socket


@pytest.mark.parametrize("is_granted", [True, False], ids=["granted", "refused"])
@pytest.mark.parametrize("Flags", [WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_CONNECTION_SOCKET], ids=["udp", "tcp"])
@pytest.mark.parametrize(("first", "second", "answer"), CELLS)
def test_every_cell_of_the_sharing_table(
    lab: Lab, first: tuple[str, str], second: tuple[str, str], answer: str, Flags: int, is_granted: bool
) -> None:
    addresses = {"W": simple.address("0.0.0.0", PORT), "S": simple.address(NEAR, PORT)}
    descriptor = SECURITY_DESCRIPTOR("second") if is_granted else None
    holder = sharing_socket(lab, Flags, first[0], "first", descriptor)
    ok(simple.bind(holder, addresses[first[1]]))
    asking = sharing_socket(lab, Flags, second[0], "second", None)
    expected = {
        "SUCCESS": STATUS_SUCCESS,
        "INUSE": STATUS_ADDRESS_ALREADY_EXISTS,
        "DENIED": STATUS_ACCESS_DENIED,
        "CHECK": STATUS_SUCCESS if is_granted else STATUS_ACCESS_DENIED,
    }

    assert simple.bind(asking, addresses[second[1]])[0] == expected[answer]


@pytest.mark.rule("R-092", "R-093", "D-18")
def test_the_default_descriptor_lets_nobody_share_not_even_the_same_process(lab: Lab) -> None:
    lab.datagram(lab.near, PORT)
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)

    assert simple.bind(Socket, simple.address(NEAR, PORT))[0] == STATUS_ACCESS_DENIED


@pytest.mark.rule("R-115", "R-116", "R-129")
def test_without_options_only_the_same_name_is_taken(lab: Lab) -> None:
    lab.datagram(lab.near, PORT, NEAR)
    lab.datagram(lab.near, PORT)
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)

    assert simple.bind(Socket, simple.address("0.0.0.0", PORT))[0] == STATUS_ADDRESS_ALREADY_EXISTS
    ok(simple.bind(Socket, simple.address("0.0.0.0", PORT + 1)))


@pytest.mark.rule("R-114")
@pytest.mark.parametrize("option", [DEFAULT, REUSE, EXCLUSIVE])
def test_different_addresses_never_conflict(lab: Lab, option: str) -> None:
    for address in (NEAR, "127.0.0.1"):
        Socket = sharing_socket(lab, WSK_FLAG_LISTEN_SOCKET, option, "any", None)
        ok(simple.bind(Socket, simple.address(address, PORT)))


@pytest.mark.rule("R-128")
@pytest.mark.parametrize("option", [SO_REUSEADDR, SO_EXCLUSIVEADDRUSE])
def test_sharing_options_come_before_bind(lab: Lab, option: int) -> None:
    Socket = lab.datagram(lab.near)

    assert simple.set_option(Socket, SOL_SOCKET, option, 1)[0] == STATUS_INVALID_DEVICE_STATE
    assert ok(simple.get_option(Socket, SOL_SOCKET, option)) == 0


@pytest.mark.rule("D-17", "BIND-17d")
@pytest.mark.parametrize("Flags", BINDABLE)
@pytest.mark.parametrize(
    ("option", "rival"), [(SO_REUSEADDR, SO_EXCLUSIVEADDRUSE), (SO_EXCLUSIVEADDRUSE, SO_REUSEADDR)]
)
def test_of_the_two_sharing_options_the_second_waits_until_the_first_is_cleared(
    lab: Lab, Flags: int, option: int, rival: int
) -> None:
    Socket = lab.socket(lab.near, Flags)
    ok(simple.set_option(Socket, SOL_SOCKET, option, 1))

    assert simple.set_option(Socket, SOL_SOCKET, rival, 1)[0] == STATUS_INVALID_PARAMETER
    assert [ok(simple.get_option(Socket, SOL_SOCKET, code)) for code in (option, rival)] == [1, 0]
    ok(simple.set_option(Socket, SOL_SOCKET, rival, 0))
    ok(simple.set_option(Socket, SOL_SOCKET, option, 0))
    ok(simple.set_option(Socket, SOL_SOCKET, rival, 1))
    assert [ok(simple.get_option(Socket, SOL_SOCKET, code)) for code in (option, rival)] == [0, 1]


def test_closing_frees_the_name(lab: Lab) -> None:
    for _ in range(2):
        Socket = lab.bound(lab.near, WSK_FLAG_LISTEN_SOCKET, NEAR, PORT)
        ok(simple.close(Socket))


# Both families on one socket


@pytest.mark.rule("R-306")
def test_v6only_is_on_until_it_is_cleared_before_bind(lab: Lab) -> None:
    Socket = lab.socket(lab.far, WSK_FLAG_LISTEN_SOCKET, AddressFamily=AF_INET6)
    assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY)) == 1
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(Socket, simple.address("::", PORT)))
    near = lab.connected()

    far = ok(simple.accept(Socket))
    assert simple.host_and_port(ok(simple.remote_address(far)))[0] == f"::ffff:{NEAR}"
    assert simple.host_and_port(ok(simple.local_address(far))) == (f"::ffff:{FAR}", PORT)
    ok(simple.send(far, b"hello"))
    assert ok(simple.receive(near)) == b"hello"


@pytest.mark.rule("R-306")
def test_a_v6only_socket_serves_no_ipv4(lab: Lab) -> None:
    lab.listener("::", AddressFamily=AF_INET6)
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)

    assert simple.connect(Socket, simple.address(FAR, PORT))[0] != STATUS_SUCCESS
    lab.listener("0.0.0.0")
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
