"""WSPIoctl, WSPGetSockOpt and WSPSetSockOpt of a SAN provider: SAN-9, SAN-6.1.3, SAN-6.1.4."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, san_lab
from wsknet.san import guids
from wsknet.san.numbers import (
    FD_ACCEPT,
    FIONBIO,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_GET_GROUP_QOS,
    SIO_GET_QOS,
    SIO_SET_GROUP_QOS,
    SIO_SET_QOS,
    SO_DEBUG,
    SO_EXCLUSIVEADDRUSE,
    SO_GROUP_ID,
    SO_GROUP_PRIORITY,
    SO_KEEPALIVE,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SO_REUSEADDR,
    SOL_SOCKET,
    WSAEFAULT,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, SOCKET_ADDRESS_LIST
from wsknet.text import format_address

MANDATORY = ("REGISTERMEMORY", "DEREGISTERMEMORY", "REGISTERRDMAMEMORY", "DEREGISTERRDMAMEMORY", "RDMAWRITE")
OPTIONAL = ("RDMAREAD", "MEMORYREGISTRATIONCACHECALLBACK")


def ioctl(
    caller: Caller, s: object, code: object, given: object, size: object, out: object, room: object, returned: object
) -> tuple[Any, int]:
    return caller.call("WSPIoctl", s, code, given, size, out, room, returned, None, None, None)


def addresses(caller: Caller) -> list[str]:
    found = SOCKET_ADDRESS_LIST()
    assert ioctl(caller, caller.socket(), SIO_ADDRESS_LIST_QUERY, None, 0, found, 1000, INT()) == (0, UNTOUCHED)
    assert found.iAddressCount == len(found.Address)
    assert all(each.port == 0 for each in found.Address)
    return [format_address(each.sin_addr) for each in found.Address]


@pytest.mark.rule("SAN-6.1.3", "SAN-9.1", "SAN-11.1")
def test_the_address_list_is_that_of_the_nics_of_the_provider_at_that_moment() -> None:
    with san_lab(1) as lab:
        caller, nic = lab.callers[0], lab.hosts[0].interfaces["san0"]
        assert addresses(caller) == ["10.0.0.1"]
        nic.add_address("169.254.3.4/16")
        nic.add_address("2001:db8::1/64")
        assert addresses(caller) == ["10.0.0.1", "169.254.3.4"]
        nic.remove_address("10.0.0.1")
        assert addresses(caller) == ["169.254.3.4"]
        nic.set_up(False)
        assert addresses(caller) == []


@pytest.mark.rule("SAN-7.WSPIoctl", "SAN-9.1")
def test_a_list_that_does_not_fit_is_a_fault_that_tells_its_size() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        lab.hosts[0].interfaces["san0"].add_address("10.0.1.1/24")
        s, needed = caller.socket(), 4 + 2 * 24
        for out, room in ((SOCKET_ADDRESS_LIST(), needed - 1), (SOCKET_ADDRESS_LIST(), 0), (None, 0)):
            returned = INT()
            assert ioctl(caller, s, SIO_ADDRESS_LIST_QUERY, None, 0, out, room, returned) == (-1, WSAEFAULT)
            assert returned.Value == needed
            assert out is None or out.iAddressCount == 0
        returned = INT()
        assert ioctl(caller, s, SIO_ADDRESS_LIST_QUERY, None, 0, SOCKET_ADDRESS_LIST(), needed, returned)[0] == 0
        assert returned.Value == needed


@pytest.mark.rule("SAN-7.WSPIoctl")
@pytest.mark.parametrize(
    ("out", "room", "returned"),
    [(bytearray(100), 100, INT()), (SOCKET_ADDRESS_LIST(), -1, INT()), (SOCKET_ADDRESS_LIST(), 100, None)],
)
def test_no_place_for_the_list_is_a_fault(out: object, room: object, returned: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        answer = ioctl(caller, caller.socket(), SIO_ADDRESS_LIST_QUERY, None, 0, out, room, returned)
        assert answer == (-1, WSAEFAULT)


@pytest.mark.rule("SAN-6.1.4", "SAN-11.2", "SAN-9.1")
@pytest.mark.parametrize("reads", [True, False])
def test_each_extension_function_has_its_guid_and_an_optional_one_may_be_missing(reads: bool) -> None:
    with san_lab(1, SanPolicy(supports_rdma_read=reads)) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        for extension in (*MANDATORY, *OPTIONAL):
            guid, found, returned = getattr(guids, f"WSAID_{extension}"), INT(None), INT()
            answer = ioctl(caller, s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 16, found, 8, returned)
            if extension == "RDMAREAD" and not reads:
                assert (answer, found.Value) == ((-1, WSAEOPNOTSUPP), None)
            else:
                assert (answer, returned.Value) == ((0, UNTOUCHED), 8)
                assert found.Value.func.__name__.upper() == f"WSP{extension}"


@pytest.mark.rule("SAN-6.1.4", "SAN-7.WSPIoctl")
def test_an_unknown_function_is_not_supported_and_what_is_no_guid_or_no_pointer_is_a_fault() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s, code, guid = caller.socket(), SIO_GET_EXTENSION_FUNCTION_POINTER, guids.WSAID_RDMAWRITE
        assert ioctl(caller, s, code, bytes(16), 16, INT(), 8, INT()) == (-1, WSAEOPNOTSUPP)
        for given, size, out, room in (
            (guid, 15, INT(), 8), (guid[:15], 16, INT(), 8), (None, 16, INT(), 8), (guid, None, INT(), 8),
            (guid, 16, None, 8), (guid, 16, INT(), 7),
        ):  # fmt: skip
            assert ioctl(caller, s, code, given, size, out, room, INT()) == (-1, WSAEFAULT)


@pytest.mark.rule("SAN-7.WSPIoctl", "SAN-9.1")
@pytest.mark.parametrize(
    "code",
    [SIO_GET_QOS, SIO_GET_GROUP_QOS, SIO_SET_QOS, SIO_SET_GROUP_QOS, SIO_ADDRESS_LIST_CHANGE, FIONBIO, 0, None, "x"],
)
def test_other_codes_are_not_supported(code: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert ioctl(caller, caller.socket(), code, None, 0, None, 0, INT()) == (-1, WSAEOPNOTSUPP)
        assert ioctl(caller, 1, code, None, 0, None, 0, INT()) == (-1, WSAENOTSOCK)


def get(caller: Caller, s: object, option: object, level: object = SOL_SOCKET, room: int = 8) -> tuple[int, int]:
    """The value and the length that was stored, of a call that succeeds; else the result and the error."""
    optval, optlen = bytearray(room), INT(room)
    result, error = caller.call("WSPGetSockOpt", s, level, option, optval, optlen)
    return (result, error) if result else (int.from_bytes(optval, "little"), optlen.Value)


@pytest.mark.rule("SAN-9.1", "SAN-7.WSPSetSockOpt")
def test_the_sizes_are_those_of_the_policy() -> None:
    with san_lab(1, SanPolicy(max_message_size=1000, max_rdma_size=2000, rdma_threshold=3000)) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        assert get(caller, s, SO_MAX_MSG_SIZE) == (1000, 4)
        assert get(caller, s, SO_MAX_RDMA_SIZE) == (2000, 4)
        assert get(caller, s, SO_RDMA_THRESHOLD_SIZE) == (3000, 4)


@pytest.mark.rule("SAN-9.1", "SAN-7.WSPSetSockOpt")
def test_so_debug_is_remembered_and_inherited_by_accepted_sockets() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        listener, _ = b.listening("10.0.0.2", 80)
        assert get(b, listener, SO_DEBUG) == (0, 4)
        b.ok("WSPSetSockOpt", listener, SOL_SOCKET, SO_DEBUG, b"\1\0\0\0", 4)
        assert get(b, listener, SO_DEBUG) == (1, 4)
        a.connecting(a.bound("10.0.0.1", 4000), "10.0.0.2", 80)
        lab.run()
        accepted, _ = b.accept(listener)
        assert get(b, accepted, SO_DEBUG) == (1, 4)
        b.ok("WSPSetSockOpt", listener, SOL_SOCKET, SO_DEBUG, bytes(4), 4)
        assert get(b, listener, SO_DEBUG) == (0, 4)


@pytest.mark.rule("SAN-9.2", "SAN-9.1", "SAN-7.WSPSetSockOpt")
@pytest.mark.parametrize(
    "option", [SO_REUSEADDR, SO_EXCLUSIVEADDRUSE, SO_GROUP_ID, SO_GROUP_PRIORITY, SO_KEEPALIVE, None, "x"]
)
def test_options_that_are_not_the_provider_s_are_refused_both_ways(option: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        assert get(caller, s, option) == (-1, WSAENOPROTOOPT)
        assert caller.error("WSPSetSockOpt", s, SOL_SOCKET, option, bytes(4), 4) == WSAENOPROTOOPT


@pytest.mark.rule("SAN-9.1", "SAN-7.WSPSetSockOpt")
def test_sizes_cannot_be_set_and_other_levels_and_small_buffers_do_not_do() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        assert caller.error("WSPSetSockOpt", s, SOL_SOCKET, SO_MAX_MSG_SIZE, bytes(4), 4) == WSAENOPROTOOPT
        assert get(caller, s, SO_DEBUG, level=6) == (-1, WSAENOPROTOOPT)
        assert caller.error("WSPSetSockOpt", s, 6, SO_DEBUG, bytes(4), 4) == WSAENOPROTOOPT
        assert get(caller, s, SO_DEBUG, room=3) == (-1, WSAEFAULT)
        assert get(caller, 1, SO_DEBUG, room=3) == (-1, WSAENOTSOCK)
        for value, length in ((None, 4), (bytes(4), 3), (bytes(3), 4), (bytes(4), None)):
            assert caller.error("WSPSetSockOpt", s, SOL_SOCKET, SO_DEBUG, value, length) == WSAEFAULT
        assert caller.error("WSPSetSockOpt", 1, SOL_SOCKET, SO_DEBUG, bytes(4), 4) == WSAENOTSOCK
        for optval, optlen in (
            (bytes(4), INT(4)), (None, INT(4)), (bytearray(4), None), (bytearray(4), INT("4")), (bytearray(4), INT(5)),
        ):  # fmt: skip
            assert caller.error("WSPGetSockOpt", s, SOL_SOCKET, SO_DEBUG, optval, optlen) == WSAEFAULT


@pytest.mark.rule("SAN-11.1", "SAN-11.3")
def test_the_first_steps_of_the_shortest_path() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.socket()
        assert addresses(caller) == ["10.0.0.1"]
        caller.ok("WSPCloseSocket", s)
        listener, event = caller.listening("10.0.0.1", 80)
        assert not event.is_set
        assert caller.fetch(listener).lNetworkEvents & FD_ACCEPT == 0
