"""The functions of `simple`, which stand for the calls they make: what each hands back."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, ok
from wsknet import text
from wsknet.host import Network
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_UDP,
    SO_RCVBUF,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOL_SOCKET,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_ADDRESS_COMPONENT,
    UDP_RECV_MAX_COALESCED_SIZE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    kernel_of,
    require_nothing_left,
    simple,
)

GROUPS = {AF_INET: "239.1.2.3", AF_INET6: "ff05::1:3"}
FAMILIES = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["IPv4", "IPv6"])


def wildcard(family: int, port: int = 0) -> SOCKADDR_IN | SOCKADDR_IN6:
    return simple.address("0.0.0.0" if family == AF_INET else "::", port)


# The application


def test_an_application_that_is_left_has_deregistered() -> None:
    with Network() as network:
        host = network.host("alone")
        with host.activate():
            with simple.Application() as application:
                ok(simple.close(ok(application.open(WSK_FLAG_DATAGRAM_SOCKET))))
            require_nothing_left(host)


def fail_with_an_open_socket() -> None:
    with simple.Application() as application:
        ok(application.open(WSK_FLAG_DATAGRAM_SOCKET))
        raise ZeroDivisionError


def test_an_application_that_fails_waits_for_no_socket() -> None:
    """The exception is what people want to see, not a deadlock."""
    with Network() as network:
        host = network.host("alone")
        with host.activate():
            with pytest.raises(ZeroDivisionError):
                fail_with_an_open_socket()
            assert len(kernel_of(host).leaks()) == 2


# Values


@FAMILIES
def test_addresses_are_of_the_family_of_the_socket(lab: Lab, family: int) -> None:
    kind = SOCKADDR_IN if family == AF_INET else SOCKADDR_IN6
    far_name = FAR if family == AF_INET else FAR6
    listener = lab.listener("0.0.0.0" if family == AF_INET else "::", AddressFamily=family)
    near = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET, AddressFamily=family)
    ok(simple.bind(near, wildcard(family)))
    ok(simple.connect(near, simple.address(far_name, PORT)))
    local, remote = ok(simple.local_address(near)), ok(simple.remote_address(near))

    assert (type(local), type(remote)) == (kind, kind)
    assert simple.host_and_port(remote) == (far_name, PORT)
    ok(simple.close(listener))


@FAMILIES
def test_a_datagram_comes_with_its_source(lab: Lab, family: int) -> None:
    near = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)
    ok(simple.bind(near, wildcard(family, 9000)))
    far = lab.socket(lab.far, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)
    ok(simple.bind(far, wildcard(family, PORT)))
    assert simple.send_to(near, b"data", simple.address(FAR if family == AF_INET else FAR6, PORT)) == (0, 4)
    lab.run()
    data, source = ok(simple.receive_from(far))

    assert (data, type(source)) == (b"data", SOCKADDR_IN if family == AF_INET else SOCKADDR_IN6)
    assert simple.host_and_port(source)[1] == 9000


def test_one_receive_takes_64_kib_unless_it_is_told_otherwise(lab: Lab) -> None:
    near, far = lab.pair()
    for _ in range(2):
        ok(simple.send(near, bytes(50_000)))

    assert len(ok(simple.receive(far))) == 65536
    assert len(ok(simple.receive(far))) == 100_000 - 65536


def test_one_receive_of_a_datagram_takes_as_much(lab: Lab) -> None:
    """Nothing but several that are handed over as one is longer."""
    near, far = lab.datagram(lab.near, 9000), lab.datagram(lab.far, PORT)
    ok(simple.set_option(far, SOL_SOCKET, SO_RCVBUF, 1 << 20))
    ok(simple.set_option(far, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, 1 << 17))
    for _ in range(70):
        ok(simple.send_to(near, bytes(1000), simple.address(FAR, PORT)))
        lab.run(0.01)

    assert len(ok(simple.receive_from(far))[0]) == 65536


def test_where_no_mdl_is_to_be_had_nothing_has_happened(lab: Lab) -> None:
    near, far = lab.pair()
    kernel_of(lab.near).allocation_fails = lambda function: function == "IoAllocateMdl"
    assert simple.send(near, b"data") == (STATUS_INSUFFICIENT_RESOURCES, 0)
    assert simple.disconnect(near, b"data") == (STATUS_INSUFFICIENT_RESOURCES, 0)
    assert simple.receive(near) == (STATUS_INSUFFICIENT_RESOURCES, b"")
    kernel_of(lab.near).allocation_fails = None
    ok(simple.send(near, b"later"))

    assert ok(simple.receive(far)) == b"later"


# Groups


@FAMILIES
def test_a_group_is_joined_on_the_interface_that_is_named_and_left_there(lab: Lab, family: int) -> None:
    other = lab.far.interface("eth1", "198.51.100.1/24", "2001:db8:1::1/64")
    lab.network.link(other, lab.near.interface("eth1", "198.51.100.2/24", "2001:db8:1::2/64"))
    far = lab.socket(lab.far, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)
    ok(simple.bind(far, wildcard(family, PORT)))
    group = GROUPS[family]
    first, second = lab.far_interface.index, other.index

    def heard_on() -> list[int]:
        views = lab.far.stack.view().interfaces
        return [view.index for view in views if text.parse_address(group) in view.groups]

    ok(simple.join_group(far, group, second))
    assert heard_on() == [second]
    ok(simple.join_group(far, group, first))
    ok(simple.leave_group(far, group, second))
    assert heard_on() == [first]
    assert simple.leave_group(far, group, second)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.leave_group(far, group))  # as the route to the group would have it
    assert heard_on() == []
