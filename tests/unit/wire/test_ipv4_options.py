"""IPv4 options: which are recognised, which are refused, and where the fault is."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import ipv4_options
from wsknet.wire.fault import Fault
from wsknet.wire.ipv4_options import OptionKind

ROUTER_ALERT = bytes([148, 4, 0, 0])
RECORD_ROUTE = bytes([7, 7, 4, 0, 0, 0, 0])


@pytest.mark.rule("RFC791-3.1", "RFC2113-2.1")
@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (b"", ()),
        (bytes([1, 1, 1, 0]), ()),
        (ROUTER_ALERT, (OptionKind.ROUTER_ALERT,)),
        (b"\1" + RECORD_ROUTE + ROUTER_ALERT, (OptionKind.RECORD_ROUTE, OptionKind.ROUTER_ALERT)),
        (bytes([68, 12, 5, 0]) + bytes(8), (OptionKind.TIMESTAMP,)),
        (bytes([130, 3, 9, 222, 2, 1, 1, 1]), (130, 222)),
        (bytes([0, 131, 200, 9]), ()),
        (bytes([1] * 40), ()),
    ],
)
def test_the_list_is_walked_to_its_end(options: bytes, kinds: tuple[int, ...]) -> None:
    assert ipv4_options.kinds_in(options) == list(kinds)
    assert ipv4_options.judge(options) is None


@pytest.mark.rule("RFC1122-3.2.2.5", "RFC792-Parameter")
@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        (bytes([7, 0, 0, 0]), 21),
        (bytes([7, 1, 0, 0]), 21),
        (bytes([7, 5, 4, 0]), 21),
        (ROUTER_ALERT + bytes([148, 255, 0, 0]), 25),
        (bytes([1, 1, 1, 7]), 23),
        (bytes([1, 1, 222, 3]), 23),
    ],
)
def test_a_list_that_lies_is_pointed_at(options: bytes, pointer: int) -> None:
    assert ipv4_options.judge(options) == Fault(DropReason.IP_BAD_OPTIONS, 0, pointer)


@pytest.mark.rule("RFC7126-4.3", "RFC7126-4.4")
@pytest.mark.parametrize("kind", [OptionKind.LOOSE_SOURCE_ROUTE, OptionKind.STRICT_SOURCE_ROUTE])
@pytest.mark.parametrize("pointer", [4, 8], ids=["on the way", "at the end of the route"])
def test_source_routes_are_refused_without_a_word(kind: int, pointer: int) -> None:
    options = bytes([1, kind, 7, pointer, 192, 0, 2, 1])
    assert ipv4_options.judge(options) == Fault(DropReason.IP_BAD_OPTIONS)
