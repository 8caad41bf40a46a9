"""Frame headers and the MAC addresses of multicast groups."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from wsknet.wire import ethernet


def test_destination_comes_first() -> None:
    header = ethernet.header(b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", ethernet.ETHERTYPE_IPV6)
    assert header == bytes.fromhex("020000000001 020000000002 86dd")
    assert len(header) == ethernet.HEADER_LENGTH


@pytest.mark.rule("RFC1112-6.4", "RFC2464-7")
@pytest.mark.parametrize(
    ("group", "mac"),
    [
        ("224.0.0.1", "01005e000001"),
        ("239.255.255.250", "01005e7ffffa"),
        ("224.129.1.2", "01005e010102"),
        ("ff02::1", "333300000001"),
        ("ff02::1:ff12:3456", "3333ff123456"),
    ],
)
def test_a_group_has_its_mac_address(group: str, mac: str) -> None:
    assert ethernet.multicast_mac(ip_address(group).packed) == bytes.fromhex(mac)
