"""Lists that are not what they should be, and IPv6 addresses with scopes and ports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wsknet import wsk
from wsknet.wsk import LIST_ENTRY, BugCheck

pytestmark = pytest.mark.usefixtures("host")


def linked() -> tuple[LIST_ENTRY, LIST_ENTRY]:
    head, entry = LIST_ENTRY(), LIST_ENTRY()
    wsk.InitializeListHead(head)
    wsk.InsertTailList(head, entry)
    return head, entry


def not_initialized() -> None:
    wsk.RemoveEntryList(LIST_ENTRY())


def half_initialized() -> None:
    entry = LIST_ENTRY()
    entry.Flink = LIST_ENTRY()
    wsk.RemoveEntryList(entry)


def cut_before() -> None:
    head, entry = linked()
    head.Flink = head
    wsk.RemoveEntryList(entry)


def cut_behind() -> None:
    head, entry = linked()
    head.Blink = head
    wsk.RemoveEntryList(entry)


def of_no_record() -> None:
    wsk.CONTAINING_RECORD(LIST_ENTRY(), int, "real")


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    ("misuse", "code"),
    [(not_initialized, 0x50), (half_initialized, 0x50), (cut_before, 0x139), (cut_behind, 0x139), (of_no_record, 0x50)],
)
def test_a_list_that_is_none_is_reported(misuse: Callable[[], None], code: int) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()
    assert (stop.value.code, stop.value.rule) == (code, "D-19")


def test_a_new_entry_is_linked_to_nothing() -> None:
    assert (LIST_ENTRY().Flink, LIST_ENTRY().Blink) == (None, None)


def test_the_first_of_an_empty_list_is_none() -> None:
    head, lock = LIST_ENTRY(), wsk.KSPIN_LOCK()
    wsk.InitializeListHead(head)
    first, second = LIST_ENTRY(), LIST_ENTRY()
    assert wsk.ExInterlockedInsertHeadList(head, first, lock) is None
    assert wsk.ExInterlockedInsertHeadList(head, second, lock) is first


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2001:db8::1", (0, 0)),
        ("fe80::1%4294967295", (0xFFFFFFFF, 0)),
        ("fe80::1%4294967296", None),
        ("[fe80::1%7]:80", (7, 80)),
        ("[2001:db8::1]", (0, 0)),
        ("[2001:db8::1]:0", (0, 0)),
        ("[2001:db8::1]:", None),
        ("2001:db8::1x", None),
        ("", None),
    ],
)
def test_an_ipv6_address_is_read_with_its_scope_and_port(written: str, expected: tuple[int, int] | None) -> None:
    scope, port = [99], [99]
    status = wsk.RtlIpv6StringToAddressEx(written, wsk.IN6_ADDR(), scope, port)

    assert (status == 0) is (expected is not None)
    if expected is not None:
        assert (scope[0], wsk.ntohs(port[0])) == expected
