"""Basic sockets: options and IOCTLs of the transport, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.wsk.constants import AF_INET6
from wsknet.wsk.dispatch import WSK_PROVIDER_BASIC_DISPATCH
from wsknet.wsk.sockets.base import Socket
from wsknet.wsk.sockets.transport import Options
from wsknet.wsk.verifier import table

if TYPE_CHECKING:
    from wsknet.wsk.client import Client


class BasicSocket(Socket):
    """Its options have no effect but to be there when they are asked for: which there are is what drivers find out."""

    __slots__ = ("endpoint", "options")

    def __init__(self, Dispatch: Any, client: Client, family: int) -> None:
        super().__init__(Dispatch, client, family)
        config = self.host.stack.config
        self.options = Options(config.behaviour.v6only, config.udp.receive_buffer)
        self.endpoint: None = None

    @property
    def is_dual(self) -> bool:
        return self.family == AF_INET6 and not self.options.v6only

    def steer(self) -> None:
        """Nothing is sent."""


BASIC_DISPATCH = table(WSK_PROVIDER_BASIC_DISPATCH, BasicSocket)
