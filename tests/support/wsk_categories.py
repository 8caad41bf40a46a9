"""The categories of WSK sockets by their letters: what a table of all of them is written with."""

from __future__ import annotations

from wsknet.wsk import (
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)

L, C, D, S, B = (
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_FLAG_BASIC_SOCKET,
)
