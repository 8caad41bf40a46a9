"""WSPStartupEx, WSPCleanup, WSPSocket and the table: SAN-6.1, SAN-6.2.3, SAN-7."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, answer_of, name, san_lab
from wsknet.san.numbers import (
    AF_INET,
    AF_INET6,
    FROM_PROTOCOL_INFO,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MAKEWORD,
    PFL_HIDDEN,
    SIO_ADDRESS_LIST_QUERY,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEMFILE,
    WSAENETDOWN,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESOCKTNOSUPPORT,
    WSANOTINITIALISED,
    WSASYSNOTREADY,
    WSAVERNOTSUPPORTED,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.dll import SanProvider
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import (
    INT,
    SOCKET_ADDRESS_LIST,
    WSAPROTOCOL_INFOW,
    WSPDATA,
    WSPPROC_TABLE,
    WSPUPCALLTABLEEX,
)
from wsknet.types import Cover, LocalName

TCPIP = WSAPROTOCOL_INFOW("TCP/IP", b"tcpip provider..")
OVERLAPPED = (None, 0, WSA_FLAG_OVERLAPPED)


@pytest.mark.rule("SAN-7.WSPStartupEx", "SAN-6.1.2")
@pytest.mark.parametrize(
    ("requested", "given"),
    [(MAKEWORD(2, 0), MAKEWORD(2, 0)), (MAKEWORD(2, 2), MAKEWORD(2, 2)), (MAKEWORD(3, 0), MAKEWORD(2, 2))],
)
def test_the_version_is_the_one_asked_for_up_to_the_highest(requested: int, given: int) -> None:
    with san_lab(1) as lab:
        caller = Caller(lab.callers[0].provider)
        assert caller.start(requested) == 0
        assert (caller.data.wVersion, caller.data.wHighVersion) == (given, MAKEWORD(2, 2))
        assert caller.data.szDescription


@pytest.mark.rule("SAN-7.WSPStartupEx")
@pytest.mark.parametrize("version", [MAKEWORD(1, 1), MAKEWORD(0, 2), MAKEWORD(1, 9), -1, None, "2.2"])
def test_versions_before_2_are_not_supported(version: Any) -> None:
    with san_lab(1) as lab:
        table = WSPPROC_TABLE()
        provider = lab.callers[0].provider
        assert provider.WSPStartupEx(version, WSPDATA(), TCPIP, lab.callers[0].upcalls, table) == WSAVERNOTSUPPORTED
        assert table.lpWSPBind is None


@pytest.mark.rule("SAN-7.WSPStartupEx", "SAN-6.2.3")
@pytest.mark.parametrize("missing", range(5))
def test_a_structure_or_an_up_call_that_is_missing_is_a_fault(missing: int) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        whole: list[Any] = [WSPDATA(), TCPIP, caller.upcalls, WSPPROC_TABLE()]
        if missing < len(whole):
            whole[missing] = None
        else:
            whole[2] = WSPUPCALLTABLEEX(lpWPUCreateSocketHandle=caller.upcalls.lpWPUCreateSocketHandle)
        assert caller.provider.WSPStartupEx(MAKEWORD(2, 2), *whole) == WSAEFAULT


@pytest.mark.rule("SAN-6.1.2", "SAN-6.1.1")
def test_only_the_switch_may_start_it_and_applications_do_not_see_it() -> None:
    """The switch shows itself by the protocol information of TCP/IP."""
    with san_lab(1) as lab:
        caller = lab.callers[0]
        own = caller.provider.protocol_info
        assert own.dwProviderFlags & PFL_HIDDEN
        answer = caller.provider.WSPStartupEx(MAKEWORD(2, 2), WSPDATA(), own, caller.upcalls, WSPPROC_TABLE())
        assert answer == WSASYSNOTREADY


@pytest.mark.rule("SAN-7.WSPStartupEx")
def test_it_is_not_ready_where_the_native_port_is_taken() -> None:
    with san_lab(1, SanPolicy(native_port=9999)) as lab:
        caller = lab.callers[0]
        caller.ok("WSPCleanup")
        endpoint = lab.hosts[0].stack.tcp.open(Cover.IPV4)
        with lab.hosts[0].pump as now:
            endpoint.bind(LocalName(Cover.IPV4, None, 9999), now)
        assert caller.start() == WSASYSNOTREADY
        with lab.hosts[0].pump as now:
            endpoint.close(now)
        assert caller.start() == 0


@pytest.mark.rule("SAN-7.WSPStartupEx", "SAN-7.WSPCleanup")
def test_starts_are_counted_and_the_last_cleanup_ends_it() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.bound("10.0.0.1", 80)
        assert caller.start() == 0
        caller.ok("WSPCleanup")
        caller.ok("WSPListen", s, 1)
        assert caller.handles
        caller.ok("WSPCleanup")
        assert (caller.handles, caller.told[-1][0]) == ({}, "closed")
        assert caller.error("WSPListen", s, 1) == WSAENOTSOCK
        assert caller.error("WSPCleanup") == WSANOTINITIALISED
        assert caller.error("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, *OVERLAPPED) == WSAENETDOWN


@pytest.mark.rule("SAN-7.WSPCleanup")
def test_cleanup_of_one_process_leaves_the_other_its_sockets_and_its_nics() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        other = Caller(b.provider)
        listener, _ = other.listening("10.0.0.2", 80)
        b.ok("WSPCleanup")
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert other.accept(listener)[1] == UNTOUCHED
        lab.run()
        assert a.connect_error(s, event) == 0


@pytest.mark.rule("SAN-7.WSPCleanup")
def test_after_the_last_cleanup_the_nics_do_not_answer_and_after_a_new_start_they_do() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        b.ok("WSPCleanup")
        assert not lab.hosts[1].stack.view().tcp_ports
        assert b.start() == 0
        s = a.bound("10.0.0.1", 4000)
        event = a.connecting(s, "10.0.0.2", 80)
        lab.run()
        assert a.connect_error(s, event) == WSAECONNRESET


@pytest.mark.rule("SAN-7.WSPSocket", "SAN-6.2.3")
def test_a_socket_has_a_descriptor_of_the_provider_and_a_handle_of_the_switch() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        first, second = caller.socket(), caller.socket()
        assert list(caller.handles.values()) == [first, second]
        assert not {first, second} & set(caller.handles)


@pytest.mark.rule("SAN-7.WSPSocket")
@pytest.mark.parametrize(
    ("triple", "code"),
    [
        ((AF_INET6, SOCK_STREAM, IPPROTO_TCP), WSAEAFNOSUPPORT),
        ((0, SOCK_STREAM, IPPROTO_TCP), WSAEAFNOSUPPORT),
        ((None, None, None), WSAEAFNOSUPPORT),
        ((AF_INET6, SOCK_DGRAM, 300), WSAEAFNOSUPPORT),
        ((AF_INET, SOCK_DGRAM, IPPROTO_UDP), WSAESOCKTNOSUPPORT),
        ((AF_INET, SOCK_RAW, 1), WSAESOCKTNOSUPPORT),
        ((AF_INET, "1", IPPROTO_TCP), WSAESOCKTNOSUPPORT),
        ((AF_INET, SOCK_STREAM, IPPROTO_UDP), WSAEPROTOTYPE),
        ((AF_INET, SOCK_STREAM, 132), WSAEPROTONOSUPPORT),
        ((AF_INET, SOCK_STREAM, "tcp"), WSAEPROTONOSUPPORT),
    ],
)
def test_only_stream_sockets_of_tcp_over_ipv4_exist(triple: tuple[Any, Any, Any], code: int) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert caller.call("WSPSocket", *triple, *OVERLAPPED) == (INVALID_SOCKET, code)
        assert caller.handles == {}


@pytest.mark.rule("SAN-7.WSPSocket")
def test_the_kind_may_come_from_the_protocol_information() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        unknown = (FROM_PROTOCOL_INFO,) * 3
        assert caller.call("WSPSocket", *unknown, TCPIP, 0, 1)[1] == UNTOUCHED
        udp = WSAPROTOCOL_INFOW()
        udp.iSocketType = SOCK_DGRAM
        assert caller.error("WSPSocket", *unknown, udp, 0, 1) == WSAESOCKTNOSUPPORT
        assert caller.call("WSPSocket", AF_INET, SOCK_STREAM, 0, *OVERLAPPED)[1] == UNTOUCHED


@pytest.mark.rule("SAN-7.WSPSocket")
def test_the_provider_has_so_many_sockets_for_all_processes_together() -> None:
    with san_lab(1, SanPolicy(sockets_limit=2)) as lab:
        caller = lab.callers[0]
        other = Caller(caller.provider)
        s = caller.socket()
        other.socket()
        assert caller.error("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, *OVERLAPPED) == WSAENOBUFS
        caller.ok("WSPCloseSocket", s)
        other.socket()


@pytest.mark.rule("SAN-7.WSPSocket", "SAN-6.2.3")
@pytest.mark.parametrize("code", [WSAEMFILE, WSAENOBUFS])
def test_what_the_switch_says_of_handles_is_what_the_caller_hears_and_costs_no_socket(code: int) -> None:
    with san_lab(1, SanPolicy(sockets_limit=1)) as lab:
        caller = lab.callers[0]
        caller.handle_error = code
        for _ in range(3):
            assert caller.error("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, *OVERLAPPED) == code
        caller.handle_error = 0
        caller.socket()


@pytest.mark.rule("SAN-7.WSPSocket", "SAN-6.1.3")
def test_the_address_list_can_be_asked_for_while_the_nics_are_down_but_nothing_after_they_were_removed() -> None:
    from wsknet.net.changes import InterfaceRemoved

    with san_lab(1) as lab:
        caller, host = lab.callers[0], lab.hosts[0]
        host.interfaces["san0"].set_up(False)
        found = SOCKET_ADDRESS_LIST()
        s = caller.socket()
        caller.ok("WSPIoctl", s, SIO_ADDRESS_LIST_QUERY, None, 0, found, 100, INT(), None, None, None)
        assert found.iAddressCount == 0
        host.apply(InterfaceRemoved(host.interfaces["san0"].index))
        assert caller.error("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, *OVERLAPPED) == WSAENETDOWN
        assert caller.error("WSPBind", s, name("10.0.0.1", 80), SIZE) == WSAENETDOWN
        other = Caller(caller.provider)
        assert other.started == WSASYSNOTREADY


NEVER_CALLED = {
    "WSPGetSockName": {"WSPGetSockName": 3},
    "WSPGetPeerName": {"WSPGetPeerName": 3},
    "WSPSelect": {"WSPSelect": 5, "WSPAsyncSelect": 4},
    "WSPShutdown": {"WSPShutdown": 2, "WSPSendDisconnect": 2, "WSPRecvDisconnect": 2},
    "WSPSendTo": {"WSPSendTo": 9, "WSPRecvFrom": 9},
    "WSPCancelBlockingCall": {"WSPCancelBlockingCall": 0},
    "WSPJoinLeaf": {"WSPJoinLeaf": 8, "WSPAddressToString": 5, "WSPStringToAddress": 5},
}
"""By row of the sheet: functions, and how many arguments come before `lpErrno` (ws2spi.h)."""
CALLED = {
    "WSPAccept": 5, "WSPBind": 3, "WSPCloseSocket": 1, "WSPConnect": 7, "WSPDuplicateSocket": 3,
    "WSPEnumNetworkEvents": 3, "WSPEventSelect": 3, "WSPGetOverlappedResult": 5, "WSPGetSockOpt": 5,
    "WSPGetQOSByName": 3, "WSPIoctl": 10, "WSPListen": 2, "WSPRecv": 8, "WSPSend": 8, "WSPSetSockOpt": 5,
    "WSPSocket": 6,
}  # fmt: skip


@pytest.mark.parametrize(
    "functions", [pytest.param(each, marks=pytest.mark.rule(f"SAN-7.{row}")) for row, each in NEVER_CALLED.items()]
)
def test_what_the_switch_never_calls_is_not_supported(functions: dict[str, int]) -> None:
    with san_lab(1) as lab:
        for function, count in functions.items():
            assert lab.callers[0].error(function, *[None] * count) == WSAEOPNOTSUPP


@pytest.mark.rule("SAN-7.WSPGetQOSByName")
def test_quality_of_service_by_name_is_not_supported() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert caller.call("WSPGetQOSByName", caller.socket(), None, None) == (False, WSAEOPNOTSUPP)


@pytest.mark.rule("SAN-7.WSPStartup", "SAN-7.WSPStartupEx")
def test_the_table_is_full_and_the_dll_exports_no_plain_startup() -> None:
    with san_lab(1) as lab:
        table = lab.callers[0].table
        assert all(callable(getattr(table, member)) for member in WSPPROC_TABLE.__slots__)
        assert not hasattr(SanProvider, "WSPStartup")


HOSTILE = [None, -1, 1 << 70, "text", b"", [], object(), 1.5, INT()]


@pytest.mark.parametrize("function", CALLED)
def test_no_argument_makes_a_function_raise(function: str) -> None:
    with san_lab() as lab:
        client, _, listener = lab.connected()
        for caller, s in ((lab.callers[0], client), (lab.callers[1], listener), (lab.callers[0], None)):
            for value in HOSTILE:
                first = value if function == "WSPCloseSocket" else s
                answer_of(getattr(caller.table, f"lp{function}"), first, *[value] * (CALLED[function] - 1))


def test_the_nics_of_a_provider_are_named_one_by_one_or_all_at_once() -> None:
    with san_lab() as lab:
        host = lab.hosts[0]
        for nics, served in (("san0", ["san0"]), (["san0"], ["san0"]), (("lan0", "san0"), ["lan0", "san0"])):
            provider = SanProvider(host, nics)
            indices = [host.interfaces[name].index for name in served]
            assert [each.nic for each in provider.proxy.addresses()] == indices
        with pytest.raises(ValueError, match="a has no interface san7: it has loopback, lan0, san0"):
            SanProvider(host, "san7")
