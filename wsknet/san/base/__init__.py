"""The TCP/IP service provider under the Winsock Direct switch: the application's sockets, their ports and names."""

from wsknet.san.base.provider import TcpipProvider

__all__ = ["TcpipProvider"]
