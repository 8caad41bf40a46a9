"""Counted strings and memory by their edges: bases and prefixes, units that are no characters, misuse with its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wsknet import wsk as w
from wsknet.host import Host
from wsknet.wsk import BugCheck


@pytest.mark.parametrize(
    ("string", "base", "number"),
    [
        ("101", 2, 5),
        ("102", 2, 2),
        ("17", 8, 15),
        ("Ff", 16, 255),
        ("-2", 16, 0xFFFFFFFE),
        ("017", 0, 17),
        ("0", 0, 0),
        ("1b11", 0, 1),
        ("0x", 0, 0),
        ("\x01\x1f\t 12", 0, 12),
        ("!1", 0, 0),
        ("X1", 0, 0),
        ("\xa012", 0, 0),
    ],
)
def test_text_becomes_a_number_in_each_base(string: str, base: int, number: int) -> None:
    value: list[int] = []

    assert w.RtlUnicodeStringToInteger(w.UNICODE_STRING(string), base, value) == w.STATUS_SUCCESS
    assert value == [number]


@pytest.mark.parametrize("base", [-1, 1, 3, 11, 32])
def test_other_bases_are_refused(base: int) -> None:
    value: list[int] = [5]

    assert w.RtlUnicodeStringToInteger(w.UNICODE_STRING("1"), base, value) == w.STATUS_INVALID_PARAMETER
    assert value == [5]


@pytest.mark.parametrize("kind", [w.UNICODE_STRING, w.ANSI_STRING])
def test_a_fresh_string_is_empty(kind: Callable[[], Any]) -> None:
    string = kind()

    assert (string.Buffer, string.Length, string.MaximumLength, str(string)) == (None, 0, 0, "")


@pytest.mark.parametrize(
    ("kind", "memory"),
    [(w.UNICODE_STRING, b"a\0\x00\xd8"), (w.UNICODE_STRING, b"a\0b"), (w.ANSI_STRING, b"a\x81")],
    ids=["half of a pair", "an odd length", "no character of the code page"],
)
def test_what_is_no_text_reads_as_a_replacement_character(kind: Callable[[], Any], memory: bytes) -> None:
    string = kind()
    string.Buffer, string.Length = bytearray(memory), len(memory)

    assert str(string) == "a\ufffd"


def test_what_has_no_memory_reads_as_nothing() -> None:
    string, target = w.UNICODE_STRING(), w.UNICODE_STRING("before")
    string.Length = 4
    w.RtlCopyUnicodeString(target, string)

    assert (str(string), str(target), target.Length) == ("", "", 0)


def test_a_copy_into_text_that_cuts_a_pair_keeps_its_length() -> None:
    target = w.UNICODE_STRING()
    w.RtlInitEmptyUnicodeString(target, "", 4)
    w.RtlCopyUnicodeString(target, w.UNICODE_STRING("a\U0001f600"))

    assert (str(target), target.Length) == ("a\ufffd", 4)


@pytest.mark.usefixtures("host")
def test_characters_that_the_code_page_has_not_become_question_marks() -> None:
    ansi, wide = w.ANSI_STRING(), w.UNICODE_STRING("a\u0416b")
    assert w.RtlUnicodeStringToAnsiString(ansi, wide, True) == w.STATUS_SUCCESS
    assert (ansi.Buffer, ansi.Length) == (bytearray(b"a?b\0"), 3)
    w.RtlInitAnsiString(ansi, "\u0416")
    assert (str(ansi), ansi.Length) == ("?", 1)
    w.RtlInitUnicodeString(wide, "\ud800")
    assert (str(wide), wide.Length) == ("?", 2)


@pytest.mark.parametrize("name", ["RtlAnsiStringToUnicodeString", "RtlUnicodeStringToAnsiString"])
def test_memory_of_an_allocated_string_ends_with_the_terminator(host: Host, name: str) -> None:
    strings: list[Any] = [w.UNICODE_STRING("ab"), w.ANSI_STRING("ab")]
    to, source = strings if name == "RtlAnsiStringToUnicodeString" else strings[::-1]
    assert getattr(w, name)(to, source, True) == w.STATUS_SUCCESS

    assert to.Buffer == (bytearray(b"a\0b\0\0\0") if isinstance(to, w.UNICODE_STRING) else bytearray(b"ab\0"))


@pytest.mark.parametrize(
    ("one", "other"), [("stra\xdfe", "STRASSE"), ("stra\xdfe", "STRASE"), ("a", "ab"), ("\xff", "y")]
)
def test_upper_case_is_one_to_one(one: str, other: str) -> None:
    assert w.RtlEqualString(w.ANSI_STRING(one), w.ANSI_STRING(other), True) is False
    assert w.RtlEqualUnicodeString(w.UNICODE_STRING(one), w.UNICODE_STRING(other), True) is False
    upper = one.upper() if len(one.upper()) == len(one) else one
    assert w.RtlEqualString(w.ANSI_STRING(one), w.ANSI_STRING(upper), True) is True


PAGE_FAULT, READONLY = 0x50, 0xBE


@pytest.mark.rule("D-19")
@pytest.mark.parametrize(
    ("code", "misuse"),
    [
        (PAGE_FAULT, lambda: w.RtlCopyMemory(w.WSK_BUF(), w.WSK_INSPECT_ID(), 16)),
        (PAGE_FAULT, lambda: w.RtlCopyMemory(bytearray(8), bytearray(4), 8)),
        (PAGE_FAULT, lambda: w.RtlCopyMemory(bytearray(4), bytearray(8), 8)),
        (PAGE_FAULT, lambda: w.RtlZeroMemory(w.SOCKADDR_IN(), 17)),
        (READONLY, lambda: w.RtlFillMemory(b"abcd", 4, 0)),
        (READONLY, lambda: w.RtlZeroMemory(memoryview(b"abcd"), 4)),
    ],
)
@pytest.mark.usefixtures("host")
def test_misuse_of_memory_has_its_rule_and_the_code_of_windows(code: int, misuse: Callable[[], object]) -> None:
    with pytest.raises(BugCheck) as stop:
        misuse()

    assert (stop.value.code, stop.value.rule) == (code, "D-19")
