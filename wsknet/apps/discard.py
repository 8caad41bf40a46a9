"""The Discard service (RFC 863): takes everything, answers nothing."""

from __future__ import annotations

from wsknet.apps.service import Connection, Service
from wsknet.wsk import NTSTATUS, STATUS_SUCCESS, WSK_DATA_INDICATION


class DiscardConnection(Connection):
    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        return STATUS_SUCCESS


class Discard(Service):
    name = "discard"
    default_port = 9
    summary = "takes everything and answers nothing (RFC 863)"
    connection_class = DiscardConnection
