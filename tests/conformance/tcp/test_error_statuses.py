"""Soft and hard errors as a WSK program sees them: RFC 1122 4.2.3.9, RFC 5461, RFC 5927, and D-20 for the statuses.

The peer is silent: TCP from it is lost, and routers speak in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, Watch, ok, start
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.icmp import IcmpError, IcmpErrorKind
from wsknet.types import Family, Instant, Proto
from wsknet.wire import ipv4, ipv6
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header
from wsknet.wsk import (
    AF_INET6,
    IPPROTO_TCP,
    NTSTATUS,
    SOCK_STREAM,
    STATUS_CONNECTION_REFUSED,
    STATUS_HOPLIMIT_EXCEEDED,
    STATUS_HOST_UNREACHABLE,
    STATUS_IO_TIMEOUT,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PORT_UNREACHABLE,
    STATUS_PROTOCOL_UNREACHABLE,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    simple,
)
