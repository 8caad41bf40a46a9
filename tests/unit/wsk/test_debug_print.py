"""The conversions of DbgPrint that Python does not have."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.host import Host
from wsknet.wsk import STATUS_SUCCESS, UNICODE_STRING, DbgPrint, DbgPrintEx, kernel_of


@pytest.mark.parametrize(
    ("Format", "arguments", "text"),
    [
        ("at %p.", ("a socket",), "at a socket."),
        ("%S and %s", ("wide", "narrow"), "wide and narrow"),
        ("[%-6S][%.2S]", ("wide", "wide"), "[wide  ][wi]"),
        ("%wZ", (UNICODE_STRING("counted"),), "counted"),
        ("%C%c", ("W", "n"), "Wn"),
        ("%3C|", ("W",), "  W|"),
    ],
)
def test_what_c_writes_is_written(host: Host, Format: str, arguments: tuple[Any, ...], text: str) -> None:
    lines: list[str] = []
    kernel_of(host).debug_print = lines.append

    assert DbgPrint(Format, *arguments) == STATUS_SUCCESS
    assert DbgPrintEx(0, 0, Format, *arguments) == STATUS_SUCCESS
    assert lines == [text, text]
