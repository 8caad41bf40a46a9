"""What the name functions accept of their callers: parameters, strings, processes and levels (WSK-6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.names_lab import names_lab
from wsknet.wsk import (
    ADDRINFOEXW,
    AI_CANONNAME,
    AI_FQDN,
    APC_LEVEL,
    EPROCESS,
    IPPROTO_UDP,
    SOCK_STREAM,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    UNICODE_STRING,
    BugCheck,
    KeLowerIrql,
    KeRaiseIrql,
    simple,
    verify,
)


@pytest.mark.rule("R-341")
def test_a_thread_needs_its_process() -> None:
    with names_lab() as lab:
        refused = lab.address_info("127.0.0.1", OwningThread=object())
        assert (refused.returned, refused.status) == (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER)
        for owner in ({"OwningProcess": EPROCESS()}, {"OwningProcess": EPROCESS(), "OwningThread": object()}):
            assert lab.found("127.0.0.1", **owner) == [("127.0.0.1", 0, 0, 0)]


def unterminated() -> UNICODE_STRING:
    made = UNICODE_STRING("127.0.0.1")
    made.MaximumLength = made.Length
    return made


def with_field(name: str, value: object) -> ADDRINFOEXW:
    made = ADDRINFOEXW()
    setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("node", "service", "hints", "status"),
    [
        (None, None, None, STATUS_INVALID_PARAMETER),
        ("", "", None, STATUS_INVALID_PARAMETER),
        (UNICODE_STRING(), None, None, STATUS_INVALID_PARAMETER),
        (unterminated(), None, None, STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_addrlen", 16), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_canonname", "x"), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_addr", simple.address("127.0.0.1", 0)), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_next", ADDRINFOEXW()), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(0x200), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(AI_CANONNAME | AI_FQDN), STATUS_INVALID_PARAMETER),
        (None, "80", ADDRINFOEXW(AI_CANONNAME), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(ai_family=1), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(ai_socktype=5), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(ai_protocol=1), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(0, 0, SOCK_STREAM, IPPROTO_UDP), STATUS_NOT_SUPPORTED),
    ],
)
def test_parameters_that_cannot_be_are_refused_inline(
    node: Any, service: str | None, hints: ADDRINFOEXW | None, status: int
) -> None:
    with names_lab() as lab:
        request = lab.address_info(node, service, hints)
        assert (request.returned, request.status, request.information) == (status, status, 0)
        assert request.was_pending == [False]
        assert lab.result == ["not touched"]


def test_there_has_to_be_a_client_and_a_place_for_the_result() -> None:
    with names_lab() as lab:
        assert lab.address_info("127.0.0.1", Result=None).status == STATUS_INVALID_PARAMETER
        assert lab.address_info("127.0.0.1", Client=None).status == STATUS_INVALID_HANDLE


def test_only_the_length_of_a_counted_string_counts() -> None:
    with names_lab() as lab:
        node = UNICODE_STRING("127.0.0.1 and more")
        node.Length = 18
        assert lab.found(node) == [("127.0.0.1", 0, 0, 0)]


@pytest.mark.parametrize("function", ["WskGetAddressInfo", "WskGetNameInfo", "WskFreeAddressInfo"])
@pytest.mark.parametrize("is_verified", [True, False])
def test_name_functions_are_for_passive_level(function: str, is_verified: bool) -> None:
    with names_lab() as lab:
        assert lab.address_info("127.0.0.1").status == STATUS_SUCCESS
        (head,) = lab.Client.address_lists
        verify(lab.host, is_verified)
        before: list[int] = []
        KeRaiseIrql(APC_LEVEL, before)
        calls: dict[str, Callable[[], object]] = {
            "WskGetAddressInfo": lambda: lab.address_info("127.0.0.1"),
            "WskGetNameInfo": lambda: lab.name_info(simple.address("127.0.0.1", 0), UNICODE_STRING("x")),
            "WskFreeAddressInfo": lambda: lab.free(head),
        }
        try:
            if is_verified:
                with pytest.raises(BugCheck, match=f"IRQL_NOT_LESS_OR_EQUAL.*{function} is for PASSIVE_LEVEL"):
                    calls[function]()
            else:
                calls[function]()
        finally:
            KeLowerIrql(before[0])
        assert list(lab.Client.address_lists) == [head]
