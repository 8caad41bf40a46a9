"""Names of hosts from dnsmasq, beyond a TAP: the servers are learnt by DHCP, the answers come by UDP and TCP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.names_lab import entries, room
from tests.support.needs import requires_tool
from tests.support.tap_host import TapBench, tap_bench
from wsknet.config import AutoConfig
from wsknet.text import parse_address
from wsknet.types import Endpoint, Family
from wsknet.wsk import (
    ADDRINFOEXW,
    AI_CANONNAME,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
    UNICODE_STRING,
    simple,
)

pytestmark = [pytest.mark.tap, requires_tool("dnsmasq", "tshark")]

KERNEL, POOL = "198.51.100.1", "198.51.100.60"
KERNEL6, OURS6 = "2001:db8:5::1", "2001:db8:5::60"
WEB, WEB6 = "198.51.100.80", "2001:db8:5::80"
MANY = [f"2001:db8:6::{number:x}" for number in range(1, 100)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapBench]:
    with tap_bench(tmp_path_factory.mktemp("names")) as made:
        yield made


@pytest.fixture(scope="module")
def dnsmasq(bench: TapBench) -> Iterator[subprocess.Popen[bytes]]:
    """Serving, and our servers learnt from it."""
    kernel = bench.segment(f"{OURS6}/64", peer=(f"{KERNEL}/24", f"{KERNEL6}/64"), auto=AutoConfig(dhcp=True))
    hosts = bench.directory / "hosts"
    hosts.write_text("".join(f"{address} many.lab.example\n" for address in MANY))
    command = (
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--interface=tap0",
        "--bind-dynamic", "--user=root", "--pid-file=", "--no-ping", "--log-queries", "--log-facility=-",
        f"--dhcp-leasefile={bench.directory}/leases", f"--dhcp-range={POOL},{POOL}", "--domain=lab.example",
        "--local=/lab.example/", "--local=/in-addr.arpa/", f"--host-record=web.lab.example,{WEB},{WEB6},600",
        "--cname=www.lab.example,web.lab.example", "--txt-record=text.lab.example,words", f"--addn-hosts={hosts}",
    )  # fmt: skip
    with bench.running(kernel, *command) as process:
        bench.wait(lambda: parse_address(POOL) in bench.host.addresses(), "the leased address, checked")
        yield process


def test_names_and_addresses_are_found_at_dnsmasq(bench: TapBench, dnsmasq: subprocess.Popen[bytes]) -> None:
    names = bench.host.names
    names.use_servers()
    assert names.servers == (Endpoint(parse_address(KERNEL), 53),)
    for server in ((), (KERNEL6,)):
        names.use_servers(*server)
        assert names.look_up("web") == [WEB6, WEB]
        assert names.look_up("www.lab.example", Family.IPV4) == [WEB]
        assert names.look_up_address(WEB) == names.look_up_address(WEB6) == "web.lab.example"
        assert sorted(names.look_up("many", Family.IPV6)) == sorted(MANY)
        with pytest.raises(LookupError, match=r"none\.lab\.example: no such name"):
            names.look_up("none.lab.example")
        with pytest.raises(LookupError, match="nothing of the kind"):
            names.look_up("text.lab.example")


def test_a_driver_finds_them_too(bench: TapBench, dnsmasq: subprocess.Popen[bytes]) -> None:
    with bench.host.activate(), simple.Application() as application:
        dispatch, client = application.provider.Dispatch, application.provider.Client
        Result: list[Any] = [None]

        def ask(name: str) -> tuple[int, Any]:
            hints = ADDRINFOEXW(AI_CANONNAME)
            arguments = (UNICODE_STRING(name), UNICODE_STRING("80"), 0, None, hints, Result, None, None)
            return simple.call(dispatch.WskGetAddressInfo, client, *arguments)

        assert ask("www.lab.example") == (STATUS_SUCCESS, 0)
        head = Result[0]
        assert head.ai_canonname == "web.lab.example"
        assert entries(head) == [(WEB6, 80, 0, 0), (WEB, 80, 0, 0)]
        assert ask("none.lab.example") == (STATUS_NOT_FOUND, 0)
        node, service = room(200), room(20)
        arguments = (head.ai_addr, head.ai_addrlen, node, service, 0, None, None)
        assert simple.call(dispatch.WskGetNameInfo, client, *arguments) == (STATUS_SUCCESS, 0)
        assert (str(node), str(service)) == ("web.lab.example", "http")
        dispatch.WskFreeAddressInfo(client, head)
