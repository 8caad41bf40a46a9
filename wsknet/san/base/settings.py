"""What may be set on a socket at any time, and what an accepted socket takes over from its listener."""

from __future__ import annotations

from dataclasses import dataclass

from wsknet.transport.sharing import Sharing

SEND_BUFFER = 65_536
"""SO_SNDBUF of a socket that was not told; TCP sends more where the path holds more (dynamic send buffering of Windows
7).  The number is what getsockopt of Windows 10 answers; from memory."""


@dataclass
class Settings:
    is_nonblocking: bool = False
    sharing: Sharing = Sharing.DEFAULT
    linger: int | None = None
    """SO_LINGER in seconds; `None`: off, the socket closes in the background."""
    is_oob_inline: bool = False
    send_buffer: int | None = None
    """SO_SNDBUF in bytes, if the application has set it."""
    receive_buffer: int | None = None
    """SO_RCVBUF, likewise."""
    send_timeout: int = 0
    """SO_SNDTIMEO in milliseconds; 0: none."""
    receive_timeout: int = 0
    is_accept_conditional: bool = False
    is_debug: bool = False
    """Kept for whoever asks; it has no effect, and so SO_DONTROUTE."""
    is_unrouted: bool = False
