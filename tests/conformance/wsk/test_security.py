"""Cached security descriptors, SO_WSK_SECURITY and the CHECK cells that they decide (wsk.md 5.2, 5.6, 5.7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    EPROCESS,
    ETHREAD,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SECURITY_DESCRIPTOR,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSEADDR,
    SO_WSK_SECURITY,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    STATUS_ACCESS_DENIED,
    STATUS_BUFFER_OVERFLOW,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_CACHE_SD,
    WSK_RELEASE_SD,
    WSK_SOCKET,
    BugCheck,
    IoCancelIrp,
    PsGetCurrentThread,
    WskGetOption,
    WskSetOption,
    kernel_of,
    simple,
)

FRIEND = SECURITY_DESCRIPTOR("friend")


def begin(lab: Lab, Flags: int, descriptor: Any, *, process: Any = None, thread: Any = None) -> Request:
    """WskSocket as it is, without what `simple` does about descriptors."""
    provider = lab.near_application.provider
    kind = (AF_INET, SOCK_DGRAM, IPPROTO_UDP) if Flags == D else (AF_INET, SOCK_STREAM, IPPROTO_TCP)
    owner = (process, thread, descriptor)
    return start(provider.Dispatch.WskSocket, provider.Client, *kind, Flags, None, None, *owner)


def opened(lab: Lab, Flags: int, descriptor: Any = None, **context: Any) -> WSK_SOCKET:
    request = begin(lab, Flags, descriptor, **context)
    assert request.status == STATUS_SUCCESS
    Socket: WSK_SOCKET = request.information
    return Socket


def set_security(Socket: WSK_SOCKET, descriptor: Any, size: int = 8) -> Request:
    arguments = (WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, size, [descriptor], 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def get_security(Socket: WSK_SOCKET, found: Any, size: int = 8) -> Request:
    arguments = (WskGetOption, SO_WSK_SECURITY, SOL_SOCKET, 0, None, size, found, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def bind(Socket: WSK_SOCKET, host: str = NEAR) -> int:
    status: int = simple.bind(Socket, simple.address(host, PORT))[0]
    return status


def left(lab: Lab) -> int:
    """Cached descriptors that the client has not released."""
    return len(lab.near_application.provider.Client.cached_descriptors)


def asks(lab: Lab, Flags: int = D, **context: Any) -> int:
    """Whether a socket of that context may bind to an address under the wildcard of another."""
    return bind(opened(lab, Flags, **(context or {"process": EPROCESS("friend")})))


# The CHECK cells

CELLS = [
    pytest.param(first, second, marks=pytest.mark.rule(rule), id=f"{first} then {second}")
    for first, second, rule in [
        (None, None, "R-118"),
        (None, SO_REUSEADDR, "R-113"),
        (None, SO_EXCLUSIVEADDRUSE, "R-127"),
        (SO_REUSEADDR, None, "R-113"),
        (SO_REUSEADDR, SO_EXCLUSIVEADDRUSE, "R-127"),
    ]
]


@pytest.mark.parametrize("Flags", [D, C, L, S])
@pytest.mark.parametrize("account", ["friend", "stranger"])
@pytest.mark.parametrize(("first", "second"), CELLS)
def test_the_descriptor_of_the_first_socket_decides_about_the_second(
    lab: Lab, first: int | None, second: int | None, account: str, Flags: int
) -> None:
    cached = lab.near_application.cache(FRIEND)
    holder, asking = opened(lab, Flags, cached), opened(lab, Flags, process=EPROCESS(account))
    for Socket, option in ((holder, first), (asking, second)):
        if option is not None:
            ok(simple.set_option(Socket, SOL_SOCKET, option, 1))
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS

    assert bind(asking) == (STATUS_SUCCESS if account == "friend" else STATUS_ACCESS_DENIED)


@pytest.mark.rule("R-113")
@pytest.mark.parametrize("account", ["friend", "stranger"])
def test_so_it_does_for_ipv6(lab: Lab, account: str) -> None:
    holder = lab.socket(lab.near, D, AddressFamily=AF_INET6, SecurityDescriptor=FRIEND)
    asking = lab.socket(lab.near, D, AddressFamily=AF_INET6, OwningProcess=EPROCESS(account))
    assert bind(holder, "::") == STATUS_SUCCESS

    assert bind(asking, NEAR6) == (STATUS_SUCCESS if account == "friend" else STATUS_ACCESS_DENIED)


@pytest.mark.rule("R-113")
@pytest.mark.parametrize(
    ("process", "thread", "is_granted"),
    [
        ("friend", None, True),
        ("friend", ETHREAD(), True),
        ("stranger", ETHREAD(), False),
        ("stranger", ETHREAD("friend"), True),
        ("friend", ETHREAD("stranger"), False),
        (None, ETHREAD("friend"), True),
        (None, None, False),
        ("friend", "a thread of another kind", True),
    ],
)
def test_the_context_is_that_of_the_process_unless_its_thread_impersonates(
    lab: Lab, process: str | None, thread: Any, is_granted: bool
) -> None:
    holder = opened(lab, D, lab.near_application.cache(FRIEND))
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS
    owner = None if process is None else EPROCESS(process)

    assert asks(lab, process=owner, thread=thread) == (STATUS_SUCCESS if is_granted else STATUS_ACCESS_DENIED)


@pytest.mark.rule("R-093")
@pytest.mark.parametrize("process", [None, EPROCESS("SYSTEM")])
def test_without_a_process_the_socket_is_of_the_one_that_drivers_run_in(lab: Lab, process: EPROCESS | None) -> None:
    holder = opened(lab, D, lab.near_application.cache(SECURITY_DESCRIPTOR("SYSTEM")))
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS

    assert asks(lab, process=process, thread=PsGetCurrentThread()) == STATUS_SUCCESS


@pytest.mark.rule("R-092", "D-18")
@pytest.mark.parametrize("account", ["SYSTEM", "friend"])
def test_the_default_descriptor_denies_even_the_account_of_the_holder(lab: Lab, account: str) -> None:
    assert bind(opened(lab, D, process=EPROCESS(account)), "0.0.0.0") == STATUS_SUCCESS

    assert asks(lab, process=EPROCESS(account)) == STATUS_ACCESS_DENIED


@pytest.mark.rule("R-113")
def test_the_descriptor_of_the_second_socket_does_not_matter(lab: Lab) -> None:
    assert bind(opened(lab, D), "0.0.0.0") == STATUS_SUCCESS
    cached = lab.near_application.cache(SECURITY_DESCRIPTOR("SYSTEM", "friend"))

    assert bind(opened(lab, D, cached, process=EPROCESS("friend"))) == STATUS_ACCESS_DENIED


# Caching and releasing


@pytest.mark.rule("R-327", "R-091")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
def test_a_cached_descriptor_makes_a_socket_and_an_uncached_one_stops_windows(lab: Lab, Flags: int) -> None:
    cached = lab.near_application.cache(FRIEND)
    assert cached is not FRIEND
    assert (cached.AccessAllowed, left(lab)) == (("friend",), 1)
    ok(simple.close(opened(lab, Flags, cached)))

    for uncached in (FRIEND, SECURITY_DESCRIPTOR(), "no descriptor"):
        with pytest.raises(BugCheck, match="R-091"):
            begin(lab, Flags, uncached)


@pytest.mark.rule("R-327", "R-091")
def test_the_same_goes_for_wsk_socket_connect(lab: Lab) -> None:
    lab.listener()
    request = connecting(lab, lab.near_application.cache(FRIEND))
    lab.run()
    assert request.status == STATUS_SUCCESS
    assert asks(lab, C) == STATUS_SUCCESS
    with pytest.raises(BugCheck, match="R-091"):
        connecting(lab, FRIEND)


def connecting(lab: Lab, descriptor: Any) -> Request:
    provider = lab.near_application.provider
    local, remote = simple.address("0.0.0.0", PORT), simple.address(FAR, PORT)
    arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, None, None, None, None, descriptor)
    return start(provider.Dispatch.WskSocketConnect, provider.Client, *arguments)


@pytest.mark.rule("R-091")
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_it_must_not_be_released_before_wsk_socket_connect_has_completed(lab: Lab, is_cancelled: bool) -> None:
    lab.listener()
    cached = lab.near_application.cache(FRIEND)
    request = connecting(lab, cached)
    with pytest.raises(BugCheck, match="R-091"):
        lab.near_application.release(cached)
    assert left(lab) == 1
    if is_cancelled:
        IoCancelIrp(request.Irp)
    lab.run()
    assert request.is_done
    lab.near_application.release(cached)
    assert left(lab) == 0


@pytest.mark.rule("R-327")
def test_the_copy_does_not_change_with_its_original(lab: Lab) -> None:
    original = SECURITY_DESCRIPTOR("friend")
    cached = lab.near_application.cache(original)
    original.AccessAllowed = ()
    assert bind(opened(lab, D, cached), "0.0.0.0") == STATUS_SUCCESS

    assert asks(lab) == STATUS_SUCCESS


@pytest.mark.rule("R-327")
def test_a_socket_keeps_what_it_was_given_after_the_release(lab: Lab) -> None:
    cached = lab.near_application.cache(FRIEND)
    holder = opened(lab, D, cached)
    lab.near_application.release(cached)
    assert (bind(holder, "0.0.0.0"), left(lab)) == (STATUS_SUCCESS, 0)

    assert asks(lab) == STATUS_SUCCESS


@pytest.mark.rule("R-091")
def test_what_has_been_released_is_not_cached_any_more(lab: Lab) -> None:
    cached = lab.near_application.cache(FRIEND)
    Socket = opened(lab, D)
    lab.near_application.release(cached)

    with pytest.raises(BugCheck, match="R-091"):
        begin(lab, D, cached)
    with pytest.raises(BugCheck, match="R-091"):
        set_security(Socket, cached)


@pytest.mark.rule("WSK-5.7")
def test_it_is_released_once_and_only_if_it_was_cached(lab: Lab) -> None:
    cached, other = lab.near_application.cache(FRIEND), lab.near_application.cache(FRIEND)
    lab.near_application.release(cached)
    for wrong in (cached, FRIEND, "no descriptor"):
        with pytest.raises(BugCheck, match=r"0x000000C2 .*WSK-5.7"):
            lab.near_application.control(WSK_RELEASE_SD, 8, [wrong], 0, None, None)

    assert list(lab.near_application.provider.Client.cached_descriptors) == [other]


@pytest.mark.rule("R-256")
def test_closing_a_socket_releases_no_descriptor(lab: Lab) -> None:
    cached = lab.near_application.cache(FRIEND)
    ok(simple.close(opened(lab, D, cached)))
    assert left(lab) == 1

    assert bind(opened(lab, D, cached), "0.0.0.0") == STATUS_SUCCESS
    assert asks(lab) == STATUS_SUCCESS


@pytest.mark.rule("R-256", "R-327")
def test_what_is_never_released_is_a_leak_with_a_place(lab: Lab) -> None:
    before = kernel_of(lab.near).leaks()
    cached = lab.near_application.cache(FRIEND)
    (leak,) = [line for line in kernel_of(lab.near).leaks() if line not in before]
    assert "a cached security descriptor from" in leak
    assert "test_security.py" in leak or "simple.py" in leak
    lab.near_application.release(cached)

    assert kernel_of(lab.near).leaks() == before


@pytest.mark.rule("R-327")
def test_another_client_may_use_and_release_it(lab: Lab) -> None:
    cached = lab.near_application.cache(FRIEND)
    other = simple.Application()
    lab.near_application, first = other, lab.near_application
    ok(simple.close(opened(lab, D, cached)))
    other.release(cached)

    assert not first.provider.Client.cached_descriptors


@pytest.mark.rule("D-17", "R-328")
@pytest.mark.parametrize(
    ("code", "buffers", "status"),
    [
        (WSK_CACHE_SD, (0, None, 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, None, 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (4, [FRIEND], 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, FRIEND, 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, [None], 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, [FRIEND, FRIEND], 8, [None], None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, [FRIEND], 8, None, None), STATUS_INVALID_PARAMETER),
        (WSK_CACHE_SD, (8, [FRIEND], 4, [None], None), STATUS_BUFFER_OVERFLOW),
        (WSK_RELEASE_SD, (0, None, 0, None, None), STATUS_INVALID_PARAMETER),
        (WSK_RELEASE_SD, (8, [None], 0, None, None), STATUS_INVALID_PARAMETER),
        (WSK_RELEASE_SD, (8, [FRIEND], 8, [None], None), STATUS_INVALID_PARAMETER),
    ],
)
def test_malformed_requests_cache_and_release_nothing(
    lab: Lab, code: int, buffers: tuple[Any, ...], status: int
) -> None:
    lab.near_application.cache(FRIEND)
    assert lab.near_application.control(code, *buffers) == status

    assert (left(lab), buffers[3] in (None, [None])) == (1, True)


# SO_WSK_SECURITY


@pytest.mark.rule("R-307", "R-327")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_setting_it_replaces_the_descriptor_of_before(lab: Lab, Flags: int) -> None:
    cache = lab.near_application.cache
    holder = opened(lab, Flags, cache(SECURITY_DESCRIPTOR("stranger")))
    for descriptor in (SECURITY_DESCRIPTOR("another"), FRIEND):
        request = set_security(holder, cache(descriptor))
        assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS

    for account in ("stranger", "another"):
        assert asks(lab, Flags, process=EPROCESS(account)) == STATUS_ACCESS_DENIED
    assert asks(lab, Flags) == STATUS_SUCCESS


@pytest.mark.rule("R-307")
def test_setting_it_leaves_the_context_of_the_socket(lab: Lab) -> None:
    cache = lab.near_application.cache
    assert bind(opened(lab, D, cache(FRIEND)), "0.0.0.0") == STATUS_SUCCESS
    asking = opened(lab, D, process=EPROCESS("friend"))
    assert set_security(asking, cache(SECURITY_DESCRIPTOR())).status == STATUS_SUCCESS

    assert bind(asking) == STATUS_SUCCESS


@pytest.mark.rule("R-128")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_it_is_set_before_bind(lab: Lab, Flags: int) -> None:
    holder = opened(lab, Flags)
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS
    request = set_security(holder, lab.near_application.cache(FRIEND))

    assert request.completions == [(STATUS_INVALID_DEVICE_STATE, 0)]
    assert asks(lab, Flags) == STATUS_ACCESS_DENIED


@pytest.mark.rule("R-308")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@pytest.mark.parametrize("accounts", [(), ("friend",), ("one", "two")])
@pytest.mark.parametrize("is_bound", [False, True])
def test_getting_it_gives_a_cached_copy_that_has_to_be_released(
    lab: Lab, Flags: int, accounts: tuple[str, ...], is_bound: bool
) -> None:
    application = lab.near_application
    original = application.cache(SECURITY_DESCRIPTOR(*accounts)) if accounts else None
    Socket = opened(lab, Flags, original)
    if is_bound:
        assert bind(Socket) == STATUS_SUCCESS
    if original is not None:
        application.release(original)
    found: list[Any] = [None]
    request = get_security(Socket, found)
    ok(simple.close(Socket))

    assert (request.status, request.information) == (STATUS_SUCCESS, 8)
    assert (found[0].AccessAllowed, left(lab)) == (accounts, 1)
    holder = opened(lab, Flags, found[0])  # it is a cached one
    application.release(found[0])
    assert left(lab) == 0
    assert bind(holder, "0.0.0.0") == STATUS_SUCCESS
    assert asks(lab, Flags) == (STATUS_SUCCESS if "friend" in accounts else STATUS_ACCESS_DENIED)


@pytest.mark.rule("D-17", "R-308")
def test_malformed_requests_for_the_option(lab: Lab) -> None:
    Socket, basic, cached = opened(lab, D), opened(lab, B), lab.near_application.cache(FRIEND)
    for request in (set_security(Socket, cached, 4), set_security(Socket, None), set_security(basic, cached)):
        assert request.completions == [(STATUS_INVALID_PARAMETER, 0)]
    arguments = (WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, 8, cached, 0, None, None)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == STATUS_INVALID_PARAMETER
    assert Socket.Dispatch.WskControlSocket(Socket, *arguments, None) == STATUS_INVALID_PARAMETER
    found: list[Any] = [None]
    assert get_security(Socket, found, 4).status == STATUS_BUFFER_OVERFLOW
    assert get_security(Socket, None).status == STATUS_INVALID_PARAMETER
    assert (found, left(lab)) == ([None], 1)


@pytest.mark.rule("R-091", "R-327")
def test_an_uncached_descriptor_is_refused_before_the_irp_is_touched(lab: Lab) -> None:
    Socket, request = opened(lab, D), Request()
    arguments: tuple[Any, ...] = (WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, 8, [FRIEND], 0, None, None)
    with pytest.raises(BugCheck, match="R-091"):
        request.start(Socket.Dispatch.WskControlSocket, Socket, *arguments)
    assert not request.is_done
    arguments[4][0] = lab.near_application.cache(FRIEND)

    assert request.start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == STATUS_SUCCESS


@pytest.mark.rule("R-327")
def test_the_simple_layer_caches_for_the_call_alone(lab: Lab) -> None:
    holder = lab.socket(lab.near, D, SecurityDescriptor=FRIEND)
    assert (left(lab), bind(holder, "0.0.0.0")) == (0, STATUS_SUCCESS)

    assert asks(lab) == STATUS_SUCCESS
