"""The order of the members in each dispatch table, as C programs rely on it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from wsknet import wsk
from wsknet.wsk.provider import PROVIDER_DISPATCH
from wsknet.wsk.sockets.basic import BASIC_DISPATCH
from wsknet.wsk.sockets.connection import CONNECTION_DISPATCH
from wsknet.wsk.sockets.datagram import DATAGRAM_DISPATCH
from wsknet.wsk.sockets.listening import LISTEN_DISPATCH
from wsknet.wsk.sockets.stream import STREAM_DISPATCH

BASIC = ["WskControlSocket", "WskCloseSocket"]
RESERVED = ["WskSendEx", "WskReceiveEx"]


def members(table: Any) -> list[str]:
    return [field.name for field in fields(table)]


def assert_filled(table: Any) -> None:
    assert all(callable(getattr(table, name)) for name in members(table) if name not in RESERVED)


@pytest.mark.rule("R-077")
def test_basic() -> None:
    assert members(BASIC_DISPATCH) == BASIC
    assert_filled(BASIC_DISPATCH)


@pytest.mark.rule("R-078", "R-137", "R-139")
def test_listening() -> None:
    assert members(LISTEN_DISPATCH) == [*BASIC, "WskBind", "WskAccept", "WskInspectComplete", "WskGetLocalAddress"]
    assert_filled(LISTEN_DISPATCH)


@pytest.mark.rule("R-079", "R-137")
def test_datagram() -> None:
    assert members(DATAGRAM_DISPATCH) == [
        *BASIC, "WskBind", "WskSendTo", "WskReceiveFrom", "WskRelease", "WskGetLocalAddress", "WskSendMessages",
    ]  # fmt: skip
    assert_filled(DATAGRAM_DISPATCH)


@pytest.mark.rule("R-080", "R-082")
def test_connection() -> None:
    assert members(CONNECTION_DISPATCH) == [
        *BASIC, "WskBind", "WskConnect", "WskGetLocalAddress", "WskGetRemoteAddress", "WskSend", "WskReceive",
        "WskDisconnect", "WskRelease", "WskConnectEx", *RESERVED,
    ]  # fmt: skip
    assert_filled(CONNECTION_DISPATCH)


@pytest.mark.rule("R-081", "R-082")
def test_stream() -> None:
    assert members(STREAM_DISPATCH) == [
        *BASIC, "WskBind", "WskAccept", "WskConnect", "WskListen", "WskSend", "WskReceive", "WskDisconnect",
        "WskRelease", "WskGetLocalAddress", "WskGetRemoteAddress", "WskConnectEx", *RESERVED,
    ]  # fmt: skip
    assert_filled(STREAM_DISPATCH)


@pytest.mark.rule("R-028")
def test_provider() -> None:
    assert members(PROVIDER_DISPATCH) == [
        "Version", "Reserved", "WskSocket", "WskSocketConnect", "WskControlClient", "WskGetAddressInfo",
        "WskFreeAddressInfo", "WskGetNameInfo",
    ]  # fmt: skip
    assert PROVIDER_DISPATCH.Version >= 0x0100
    assert PROVIDER_DISPATCH.Reserved == 0


@pytest.mark.rule("R-031", "R-083", "R-084")
def test_client_tables_and_their_nulls() -> None:
    assert members(wsk.WSK_CLIENT_LISTEN_DISPATCH()) == ["WskAcceptEvent", "WskInspectEvent", "WskAbortEvent"]
    assert members(wsk.WSK_CLIENT_DATAGRAM_DISPATCH()) == ["WskReceiveFromEvent"]
    assert members(wsk.WSK_CLIENT_CONNECTION_DISPATCH()) == [
        "WskReceiveEvent", "WskDisconnectEvent", "WskSendBacklogEvent",
    ]  # fmt: skip
    assert members(wsk.WSK_CLIENT_STREAM_DISPATCH()) == ["Listen", "Connect"]
    assert wsk.WSK_CLIENT_DISPATCH(0x0100).WskClientEvent is None
    assert wsk.WSK_CLIENT_CONNECTION_DISPATCH().WskReceiveEvent is None


@pytest.mark.parametrize(
    "table", [BASIC_DISPATCH, LISTEN_DISPATCH, DATAGRAM_DISPATCH, CONNECTION_DISPATCH, STREAM_DISPATCH]
)
def test_the_basic_functions_have_two_spellings(table: wsk.WSK_PROVIDER_BASIC_DISPATCH) -> None:
    assert table.Basic.WskControlSocket is table.WskControlSocket
    assert table.Basic.WskCloseSocket is table.WskCloseSocket
    assert isinstance(table, wsk.WSK_PROVIDER_BASIC_DISPATCH)
