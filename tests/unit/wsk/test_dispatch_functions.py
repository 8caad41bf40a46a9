"""In each place of each dispatch table stands the function of that name; none is missing but those of the system."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.wsk.test_dispatch import RESERVED, members
from wsknet.wsk.provider import PROVIDER_DISPATCH
from wsknet.wsk.sockets.basic import BASIC_DISPATCH
from wsknet.wsk.sockets.connection import CONNECTION_DISPATCH
from wsknet.wsk.sockets.datagram import DATAGRAM_DISPATCH
from wsknet.wsk.sockets.listening import LISTEN_DISPATCH
from wsknet.wsk.sockets.stream import STREAM_DISPATCH

TABLES = [
    PROVIDER_DISPATCH, BASIC_DISPATCH, LISTEN_DISPATCH, DATAGRAM_DISPATCH, CONNECTION_DISPATCH, STREAM_DISPATCH,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_each_function_stands_in_its_place(table: Any) -> None:
    for name in members(table):
        if name in RESERVED:
            assert getattr(table, name) is None
        elif name not in {"Version", "Reserved"}:
            assert getattr(table, name).__name__ == name


def test_the_version_of_the_provider() -> None:
    assert (PROVIDER_DISPATCH.Version, PROVIDER_DISPATCH.Reserved) == (0x0100, 0)
