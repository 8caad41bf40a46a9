"""Basic sockets: options and IOCTLs of the transport, nothing else."""

from __future__ import annotations

from wsknet.wsk.dispatch import WSK_PROVIDER_BASIC_DISPATCH
from wsknet.wsk.sockets.base import Socket
from wsknet.wsk.verifier import table


class BasicSocket(Socket):
    __slots__ = ()


BASIC_DISPATCH = table(WSK_PROVIDER_BASIC_DISPATCH, BasicSocket)
