"""Sockets of a program on a host with SAN NICs: streams over IPv4 by way of the Windows Sockets switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.switch.dll import Switch
from wsknet.scenario.faces.endpoints import EndpointSockets
from wsknet.scenario.faces.manners import WINSOCK
from wsknet.scenario.faces.san_socket import SanSocket
from wsknet.scenario.world import Failed

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.scenario.schema import OpenSocket
    from wsknet.trace import Decision


class SanSockets(EndpointSockets):
    """Each account is a process of its own, with the switch loaded."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, WINSOCK)
        self._switches: dict[str, Switch] = {}

    def open(self, step: OpenSocket) -> None:
        if step.type == "tcp" and step.family == "ipv4":
            self._sockets[step.what] = SanSocket(self._switch_of(step.owner or "user"), self.decisions)
        else:
            super().open(step)

    def _switch_of(self, account: str) -> Switch:
        if account not in self._switches:
            switch = self._switches[account] = Switch(self.host, account)
            switch.on_decision = self._decided
        return self._switches[account]

    def _decided(self, socket: StreamSocket, decision: Decision) -> None:
        for known in self._sockets.values():
            if isinstance(known, SanSocket) and known.stream_socket is socket:
                known.decided(decision)

    def path(self, socket: str) -> str:
        found = self._sockets.get(socket)
        if found is None:
            raise Failed("invalid", "the socket is closed")
        return found.path() if isinstance(found, SanSocket) else super().path(socket)
