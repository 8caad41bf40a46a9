"""What we find out from real servers: radvd and dnsmasq, and from a kernel that has our address."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tap_host import Segment, TapBench, tap_bench
from wsknet.config import AutoConfig
from wsknet.net.changes import AddressOrigin
from wsknet.net.interface import AddressState, Interface, InterfaceAddress
from wsknet.text import format_address, parse_address

pytestmark = [pytest.mark.tap, requires_tool("ping", "radvd", "dnsmasq", "arping", "tshark")]

KERNEL, POOL = "198.51.100.1", "198.51.100.60"
KERNEL6, PREFIX, ROUTE = "2001:db8:5::1", "2001:db8:5::", "2001:db8:77::"

RADVD = f"""interface tap0 {{
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;
    AdvLinkMTU 1400; AdvCurHopLimit 55; AdvDefaultPreference high;
    prefix {PREFIX}/64 {{ AdvValidLifetime 600; AdvPreferredLifetime 300; }};
    route {ROUTE}/48 {{ AdvRoutePreference low; AdvRouteLifetime 600; }};
}};
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TapBench]:
    with tap_bench(tmp_path) as made:
        yield made


def card(bench: TapBench) -> Interface:
    return bench.host.stack.ip.interfaces[bench.host.interfaces["tap0"].index]


def addresses(bench: TapBench, origin: AddressOrigin) -> list[InterfaceAddress]:
    return [entry for entry in list(card(bench).addresses.values()) if entry.origin is origin]


def has_route(bench: TapBench, prefix: str, length: int) -> bool:
    wanted = (parse_address(prefix), length)
    return any((route.prefix, route.prefix_length) == wanted for route in bench.host.stack.view().routes)


def advertising_kernel(bench: TapBench, **auto: bool) -> Segment:
    """A kernel with an address of the prefix that it will advertise."""
    settings = AutoConfig(router_discovery=True, **auto)
    kernel = bench.segment(peer=(f"{KERNEL6}/64",), auto=settings)
    kernel.run("sysctl", "-w", "net.ipv6.conf.all.forwarding=1")
    (bench.directory / "radvd.conf").write_text(RADVD)
    return kernel


def radvd(bench: TapBench) -> tuple[str, ...]:
    directory = bench.directory
    return ("radvd", "-n", "-m", "stderr", "-C", f"{directory}/radvd.conf", "-p", f"{directory}/radvd.pid")


def dnsmasq(bench: TapBench, *options: str) -> tuple[str, ...]:
    return (
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=tap0", "--bind-dynamic",
        "--user=root", "--pid-file=", "--no-ping", "--log-dhcp", "--log-facility=-",
        f"--dhcp-leasefile={bench.directory}/leases", *options,
    )  # fmt: skip


@pytest.mark.parametrize("is_stable", [False, True])
def test_radvd_gives_address_routes_mtu_and_hop_limit(bench: TapBench, is_stable: bool) -> None:
    kernel = advertising_kernel(bench, stable_identifiers=is_stable)
    with bench.running(kernel, *radvd(bench)):
        bench.wait(lambda: bool(addresses(bench, AddressOrigin.ROUTER)), "an address from the advertised prefix")
        [entry] = addresses(bench, AddressOrigin.ROUTER)
        assert entry.address[:8] == parse_address(PREFIX)[:8]
        assert (b"\xff\xfe" in entry.address[8:]) is not is_stable
        assert has_route(bench, "::", 0)
        assert has_route(bench, ROUTE, 48)
        assert has_route(bench, PREFIX, 64)
        path = bench.host.stack.ip.path(parse_address("2001:db8:abcd::1"))
        assert (path.mtu, path.hop_limit) == (1400, 55)
        assert "2 received" in kernel.run("ping", "-n", "-c2", "-i0.2", "-s2000", format_address(entry.address))


def test_the_default_route_goes_with_the_router(bench: TapBench) -> None:
    """radvd says good-bye with a lifetime of zero (RFC 4861 6.2.5)."""
    kernel = advertising_kernel(bench)
    with bench.running(kernel, *radvd(bench)):
        bench.wait(lambda: has_route(bench, "::", 0), "a default route")
    bench.wait(lambda: not has_route(bench, "::", 0), "its end")


def test_temporary_addresses_are_preferred_for_sending(bench: TapBench) -> None:
    kernel = advertising_kernel(bench, temporary_addresses=True)
    with bench.running(kernel, *radvd(bench)):
        bench.wait(lambda: len(addresses(bench, AddressOrigin.ROUTER)) == 2, "two addresses")
        [temporary] = [entry for entry in addresses(bench, AddressOrigin.ROUTER) if entry.is_temporary]
        assert bench.host.stack.ip.path(parse_address(KERNEL6)).source == temporary.address
        assert "2 received" in kernel.run("ping", "-n", "-c2", "-i0.2", format_address(temporary.address))


def test_dnsmasq_advertises_too(bench: TapBench) -> None:
    kernel = advertising_kernel(bench)
    options = ("--enable-ra", f"--dhcp-range={PREFIX},ra-only,64,600")
    with bench.running(kernel, *dnsmasq(bench, *options)):
        bench.wait(lambda: bool(addresses(bench, AddressOrigin.ROUTER)), "an address from the advertised prefix")
        assert has_route(bench, "::", 0)


def test_dnsmasq_leases_an_address_and_takes_it_back(bench: TapBench) -> None:
    kernel = bench.segment(peer=(f"{KERNEL}/24",), auto=AutoConfig(dhcp=True))
    options = (f"--dhcp-range={POOL},{POOL},255.255.255.0,600", f"--dhcp-option=3,{KERNEL}")
    with bench.running(kernel, *dnsmasq(bench, *options)):
        bench.wait(lambda: bool(addresses(bench, AddressOrigin.DHCP)), "a lease")
        [entry] = addresses(bench, AddressOrigin.DHCP)
        assert (format_address(entry.address), entry.prefix_length) == (POOL, 24)
        path = bench.host.stack.ip.path(parse_address("203.0.113.9"))
        assert (format_address(path.next_hop), format_address(path.source)) == (KERNEL, POOL)
        assert "2 received" in kernel.run("ping", "-n", "-c2", "-i0.2", POOL)
        assert POOL in (bench.directory / "leases").read_text()

        interface = bench.host.interfaces["tap0"]
        first = interface.lease
        interface.renew_lease()
        bench.wait(lambda: interface.lease != first, "the renewed lease")
        interface.release_lease()
        assert interface.lease is None
        assert not addresses(bench, AddressOrigin.DHCP)
        # An exchange through the same socket: dnsmasq has handled the release before it.
        kernel.run("arping", "-c", "1", "-w", "5", "-I", "tap0", POOL)
    assert "DHCPRELEASE" in (bench.directory / "dnsmasq.log").read_text()


def test_static_and_leased_addresses_live_side_by_side(bench: TapBench) -> None:
    kernel = bench.segment("192.0.2.2/24", peer=(f"{KERNEL}/24", "192.0.2.1/24"), auto=AutoConfig(dhcp=True))
    with bench.running(kernel, *dnsmasq(bench, f"--dhcp-range={POOL},{POOL},255.255.255.0,600")):
        bench.wait(lambda: bool(addresses(bench, AddressOrigin.DHCP)), "a lease")
        for address in ("192.0.2.2", POOL):
            assert "1 received" in kernel.run("ping", "-n", "-c1", address)


@pytest.mark.parametrize("taken", [f"{KERNEL}/24", f"{KERNEL6}/64"])
def test_an_address_that_the_kernel_has_is_not_used(bench: TapBench, taken: str) -> None:
    kernel = bench.segment(taken, peer=(taken,), auto=AutoConfig(duplicate_detection=True))
    address = parse_address(taken.partition("/")[0])

    def is_refused() -> bool:
        entry = card(bench).unassigned.get(address)
        return entry is not None and entry.state is AddressState.DUPLICATE

    bench.wait(is_refused, "the duplicate")
    assert address not in card(bench).addresses
    holder = card(bench).unassigned[address].holder
    assert holder is not None
    assert holder.hex(":") == kernel.lab.mac("tap0")


def test_the_kernel_finds_that_we_have_its_address(bench: TapBench) -> None:
    """Its duplicate address detection (RFC 4862 5.4) is answered."""
    kernel = bench.segment(f"{KERNEL6}/64", peer=())
    kernel.lab.sysctl("net.ipv6.conf.tap0.accept_dad", "1")
    kernel.run("ip", "-6", "address", "add", f"{KERNEL6}/64", "dev", "tap0")
    shown = partial(kernel.run, "ip", "-6", "address", "show", "dev", "tap0")
    bench.wait(lambda: "dadfailed" in shown(), "the kernel gives the address up")


def test_a_kernel_that_claims_our_address_later_is_told_off(bench: TapBench) -> None:
    """A gratuitous ARP from elsewhere is answered with an announcement of ours (RFC 5227 2.4)."""
    kernel = bench.segment("198.51.100.2/24", peer=(f"{KERNEL}/24",))
    kernel.run("ip", "address", "add", "198.51.100.2/32", "dev", "lo")
    kernel.run("arping", "-c", "1", "-w", "2", "-U", "-I", "tap0", "-s", "198.51.100.2", "198.51.100.2")
    assert parse_address("198.51.100.2") in card(bench).addresses
    assert "Received 1 response(s)" in kernel.run(
        "arping", "-c", "1", "-w", "2", "-I", "tap0", "-s", KERNEL, "198.51.100.2"
    )
