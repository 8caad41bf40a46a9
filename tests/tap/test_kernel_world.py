"""Scenarios on the kernel, and with one emulated host among the kernel's: real frames, nothing left afterwards."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.rights import without_rights
from tests.support.tshark import judge
from wsknet.behaviour import LINUX
from wsknet.errors import UsageError
from wsknet.scenario.columns import Column, column
from wsknet.scenario.kernel import KernelWorld
from wsknet.scenario.load import read
from wsknet.scenario.runner import Result, run
from wsknet.scenario.schema import Scenario
from wsknet.scenario.tap import TapWorld
from wsknet.scenario.yaml_tree import Document

pytestmark = pytest.mark.tap

HOSTS = """
title: A host with two interfaces, and a peer beyond each.
topic: test
hosts:
  server:
    interfaces:
      if1: {link: near, addresses: [10.1.0.2/24, 10.1.0.9/24, "fd00:1::2/64"], metric: 25}
      if2: {link: far, addresses: [10.2.0.2/24, "fd00:2::2/64"], metric: 35}
  client:
    interfaces:
      eth0: {link: near, addresses: [10.1.0.50/24, "fd00:1::50/64"]}
  other:
    interfaces:
      eth0: {link: far, addresses: [10.2.0.50/24, "fd00:2::50/64"]}
"""

IDLE = "  - {wait: 1us}"


def scenario(steps: str, hosts: str = HOSTS) -> Scenario:
    return read(Document("test.yaml", f"{hosts}\nsteps:\n{steps}"))


def on_the_kernel(steps: str, hosts: str = HOSTS, pcap: Path | None = None) -> Result:
    described = scenario(steps, hosts)
    return run("test", described, Column("kernel", LINUX), KernelWorld(described, pcap), "kernel")


def failures(result: Result) -> list[str]:
    return [f"{step.number}. {step.sentence}: {failure}" for step in result.steps for failure in step.failures]


UDP = """
  - {socket: s, on: server, family: FAMILY}
  - {bind: s, to: "WILDCARD:53"}
  - {name: s, expect: "WILDCARD:53"}
  - {socket: c, on: client, family: FAMILY}
  - {bind: c, to: "CLIENT:4000"}
  - {send: c, to: "SERVER:53", expect: ok, frames: ["client.eth0: udp CLIENT:4000 > SERVER:53"]}
  - {receive: s, expect: "hello from CLIENT:4000"}
  - {receive: s, expect: nothing, within: 50ms}
  - {connect: c, to: "SERVER:9", expect: ok}
  - {peer: c, expect: "SERVER:9"}
  - {send: c, expect: ok, frames: ["server.if1: icmp port-unreachable *"]}
  - {receive: c, expect: refused}
"""
TCP = """
  - {socket: l, on: server, type: tcp, family: FAMILY}
  - {bind: l, to: "WILDCARD:80"}
  - {listen: l}
  - {socket: c, on: client, type: tcp, family: FAMILY}
  - {connect: c, to: "SERVER:80", expect: ok,
     frames: ["client.eth0: tcp SYN *", "server.if1: tcp SYN,ACK *", "client.eth0: tcp ACK *"]}
  - {accept: l, named: a, expect: "CLIENT:* at SERVER:80"}
  - {accept: l, named: b, expect: nothing, within: 50ms}
  - {send: c, data: hi, expect: ok}
  - {receive: a, expect: hi}
  - {close: c, how: finish}
  - {receive: a, expect: closed}
  - {name: a, expect: "SERVER:80"}
  - {close: a}
  - {socket: d, on: client, type: tcp, family: FAMILY}
  - {connect: d, to: "SERVER:81", expect: refused}
"""
FAMILIES = {
    "ipv4": {"WILDCARD": "0.0.0.0", "CLIENT": "10.1.0.50", "SERVER": "10.1.0.2"},
    "ipv6": {"WILDCARD": "[::]", "CLIENT": "[fd00:1::50]", "SERVER": "[fd00:1::2]"},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("steps", [UDP, TCP], ids=["udp", "tcp"])
def test_hosts_of_the_kernel_talk_and_each_step_has_its_outcome(steps: str, family: str) -> None:
    for word, value in {**FAMILIES[family], "FAMILY": family}.items():
        steps = steps.replace(word, value)
    assert failures(on_the_kernel(steps)) == []


def test_errors_of_the_kernel_have_the_names_of_scenarios() -> None:
    result = on_the_kernel("""
  - {socket: a, on: server}
  - {bind: a, to: "0.0.0.0:80", expect: ok}
  - {socket: b, on: server}
  - {bind: b, to: "10.1.0.2:80", expect: in-use}
  - {bind: b, to: "10.9.9.9:80", expect: not-local}
  - {bind: b, to: "[::1]:80", expect: wrong-family}
  - {send: b, to: "192.0.2.1:9", expect: no-route}
  - {send: b, to: "10.1.0.255:9", expect: denied}
  - {send: b, expect: no-destination}
  - {option: b, set: exclusive, expect: no-such-option}
  - {option: b, set: interface-list, to: if1, expect: no-such-option}
  - {option: b, set: unicast-if, to: if9, expect: not-local}
  - {default-destination: b, to: "10.1.0.50:9", expect: not-supported}
  - {close: b}
  - {socket: t, on: server, type: tcp}
  - {send: t, expect: reset}
  - {connect: t, to: "10.1.0.77:80", expect: pending, within: 50ms}
  - {connect: t, to: "10.1.0.77:80", expect: already}
  - {socket: g, on: server, family: ipv6}
  - {bind: g, to: "[fe80::1]:80", expect: invalid}
""")
    assert failures(result) == []


def test_packet_info_and_options_steer_datagrams_of_the_kernel() -> None:
    result = on_the_kernel("""
  - {socket: s, on: server, family: dual}
  - {option: s, set: packet-info}
  - {bind: s, to: "[::]:53"}
  - {socket: c, on: client}
  - {bind: c, to: "0.0.0.0:4000"}
  - {send: c, to: "10.1.0.9:53"}
  - {receive: s, expect: "hello from [::ffff:10.1.0.50]:4000 to ::ffff:10.1.0.9 on if1"}
  - {socket: t, on: server}
  - {bind: t, to: "0.0.0.0:54"}
  - {send: t, to: "10.1.0.50:4000", from: 10.1.0.9, through: if1, expect: ok,
     frames: ["server.if1: udp 10.1.0.9:54 > 10.1.0.50:4000"]}
  - {receive: c, expect: "hello from 10.1.0.9:54"}
  - {option: t, set: bind-to-device, to: if2}
  - {send: t, to: "10.1.0.50:4000", expect: ok, no_frames: ["server.if1: udp *"]}
  - {route-query: t, to: 10.2.0.50, expect: 10.2.0.2}
  - {route-query: t, to: "fd00:1::50", expect: "fd00:1::2"}
  - {connect: t, to: "10.2.0.50:9", expect: ok}
  - {name: t, expect: "10.2.0.2:54"}
  - {connect: t, to: nobody, expect: ok}
  - {name: t, expect: "0.0.0.0:54"}
  - {join: s, group: "ff05::1234", interface: if1}
  - {socket: m, on: client, family: ipv6}
  - {option: m, set: multicast-if, to: eth0}
  - {send: m, to: "[ff05::1234]:53", expect: ok}
  - {receive: s, expect: "hello from [fd00:1::50]:* to ff05::1234 on if1"}
""")
    assert failures(result) == []


def test_changes_reach_the_kernel_and_it_follows_them() -> None:
    result = on_the_kernel("""
  - {change: server, add_route: {to: 192.0.2.0/24, via: 10.1.0.50, metric: 5}}
  - {change: server, add_route: {to: 192.0.2.0/24, via: 10.2.0.50}}
  - {socket: s, on: server}
  - {route-query: s, to: 192.0.2.1, expect: 10.1.0.2, note: "25 + 5 is less than 35."}
  - {change: server, metric: 31 on if1}
  - {route-query: s, to: 192.0.2.1, expect: 10.2.0.2}
  - {change: server, down: if2}
  - {route-query: s, to: 192.0.2.1, expect: 10.1.0.2}
  - {bind: s, to: "10.2.0.2:53", expect: ok, note: Linux keeps the address of a link that is down.}
  - {change: server, up: if2}
  - {send: s, to: "10.2.0.50:9", expect: ok, frames: ["server.if2: udp *"]}
  - {change: server, remove_route: {to: 192.0.2.0/24, via: 10.2.0.50}}
  - {route-query: s, to: 192.0.2.1, expect: 10.1.0.2}
  - {change: server, remove_address: 10.1.0.2 on if1}
  - {route-query: s, to: 10.1.0.50, expect: 10.1.0.9}
  - {change: server, add_address: 10.3.0.2/24 on if1}
  - {route-query: s, to: 10.3.0.50, expect: 10.3.0.2}
  - {change: server, remove_route: {to: "fd00:2::/64"}}
  - {route-query: s, to: "fd00:2::50", expect: no-route}
  - {change: server, remove_interface: if1}
  - {route-query: s, to: 10.1.0.50, expect: no-route}
  - {change: server, add_route: {to: 192.0.2.0/24, via: 10.7.0.1}, expect: invalid}
  - {change: server, remove_route: {to: 198.51.100.0/24, via: 10.2.0.50}, expect: invalid}
  - {change: server, weak_send: if2, expect: not-supported}
""")
    assert failures(result) == []


def test_a_router_of_the_kernel_forwards_and_injected_frames_arrive() -> None:
    hosts = HOSTS.replace("  server:\n", "  server:\n    is_router: true\n").replace(
        "\n  other:", "\n    routes: [{to: 0.0.0.0/0, via: 10.1.0.2}]\n  other:"
    )
    result = on_the_kernel(
        """
  - {socket: o, on: other}
  - {bind: o, to: "0.0.0.0:53"}
  - {socket: c, on: client}
  - {send: c, to: "10.2.0.50:53", frames: ["client.eth0: udp *", "server.if2: udp 10.1.0.50:* > 10.2.0.50:53"]}
  - {receive: o, expect: "hello from 10.1.0.50:*"}
  - {inject: server.if2, frame: "udp 10.9.0.1:7 > 10.2.0.50:53", to: other.eth0,
     frames: ["server.if2: udp 10.9.0.1:7 > 10.2.0.50:53"]}
  - {receive: o, expect: "injected from 10.9.0.1:7"}
""",
        hosts,
    )
    assert failures(result) == []


def test_ports_come_from_the_range_that_the_scenario_gives_without_those_it_excludes() -> None:
    hosts = HOSTS.replace("  server:\n", "  server:\n    dynamic_ports: 50000-50003\n    excluded_ports: 50000-50002\n")
    result = on_the_kernel(
        """
  - {socket: a, on: server}
  - {bind: a, to: "10.1.0.2:0"}
  - {name: a, expect: "10.1.0.2:50003"}
  - {socket: b, on: server}
  - {bind: b, to: "10.1.0.2:0", expect: in-use}
""",
        hosts,
    )
    assert failures(result) == []


def test_settings_that_decide_are_fixed_and_told() -> None:
    with KernelWorld(scenario(IDLE)) as world:
        assert world.settings["net.ipv4.conf.all.rp_filter"] == "0"
        assert world.settings["net.ipv6.bindv6only"] == "0"
        assert "net.ipv4.tcp_congestion_control" in world.settings


def test_link_local_addresses_are_those_of_the_emulated_hosts_and_have_zones() -> None:
    result = on_the_kernel("""
  - {socket: s, on: server, family: ipv6}
  - {bind: s, to: "[fe80::ff:fe00:102%if1]:53", expect: ok}
  - {name: s, expect: "[fe80::ff:fe00:102%if1]:53"}
  - {socket: c, on: client, family: ipv6}
  - {send: c, to: "[fe80::ff:fe00:102%eth0]:53", expect: ok}
  - {receive: s, expect: "hello from [fe80::ff:fe00:202%if1]:*"}
""")
    assert failures(result) == []


@requires_tool("tshark")
def test_the_capture_of_the_kernel_is_wire_true(tmp_path: Path) -> None:
    steps = TCP
    for word, value in {**FAMILIES["ipv4"], "FAMILY": "ipv4"}.items():
        steps = steps.replace(word, value)
    on_the_kernel(steps.replace("data: hi", f"data: {'x' * 5000}").replace("expect: hi", 'expect: "x*"'),
                  pcap=tmp_path / "kernel.pcapng")  # fmt: skip
    verdict = judge(tmp_path / "kernel.pcapng")
    assert verdict.frames > 10
    assert not verdict.bad_checksums
    assert not verdict.malformed


@pytest.mark.parametrize(
    ("where", "words", "reason"),
    [
        ("if1: {", "if1: {dhcp: true, ", "has its address by DHCP"),
        ("if1: {", "if1: {weak_send: false, ", "strong host model"),
        ("10.1.0.9/24", "10.1.0.9/24 skip-as-source", "skip-as-source"),
    ],
)
def test_what_the_kernel_has_not_is_said_before_anything_is_made(where: str, words: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason), KernelWorld(scenario(IDLE, HOSTS.replace(where, words))):
        pytest.fail("it was made")


def test_without_rights_one_line_says_so() -> None:
    with without_rights(), pytest.raises(UsageError, match="run it as root"), KernelWorld(scenario(IDLE)):
        pytest.fail("it was made")


def test_nothing_is_left_of_a_world() -> None:
    def machine() -> tuple[list[str], str, str]:
        names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
        links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
        return sorted(os.listdir("/proc/self/fd")), names, links  # noqa: PTH208 - a Path would need a descriptor itself

    described = scenario("  - {socket: s, on: server}\n  - {bind: s, to: '0.0.0.0:53'}")
    chosen = column("winsock", {})
    for warm_up in (KernelWorld(described), TapWorld(described, chosen)):  # opens what is opened once and kept
        with warm_up:
            pass
    before = machine()
    worlds = [KernelWorld(described), TapWorld(described, chosen)]
    for world in worlds:
        run("test", described, chosen, world)
        assert machine() == before


ON_A_TAP = """
  - {socket: s, on: server, family: FAMILY}
  - {bind: s, to: "WILDCARD:53"}
  - {socket: c, on: client, family: FAMILY}
  - {bind: c, to: "CLIENT:4000"}
  - {send: c, to: "SERVER:53", expect: ok, frames: ["client.eth0: udp CLIENT:4000 > SERVER:53"]}
  - {receive: s, expect: "hello from CLIENT:4000"}
  - {send: s, data: answer, to: "CLIENT:4000", expect: ok, frames: ["server.if1: udp SERVER:53 > CLIENT:4000"]}
  - {receive: c, expect: "answer from SERVER:53"}
  - {socket: l, on: server, type: tcp, family: FAMILY}
  - {bind: l, to: "WILDCARD:80"}
  - {listen: l}
  - {socket: d, on: client, type: tcp, family: FAMILY}
  - {connect: d, to: "SERVER:80", expect: ok}
  - {accept: l, named: a, expect: "CLIENT:* at SERVER:80"}
  - {send: d, data: hi, expect: ok}
  - {receive: a, expect: hi}
  - {inject: server.if1, frame: "udp 10.9.0.1:7 > 10.1.0.50:4001", to: client.eth0, frames: ["server.if1: udp *"]}
  - {table: server, show: addresses, has: ["if1 10.1.0.2/24*"]}
  - {table: client, show: addresses, has: [nobody can see it]}
  - {change: server, down: if1}
  - {send: s, to: "CLIENT:4000", expect: no-route, no_frames: ["server.if1: *"]}
"""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("face", ["wsk", "winsock", "linux"])
def test_one_emulated_host_talks_with_the_kernel_over_taps(face: str, family: str) -> None:
    steps = ON_A_TAP
    for word, value in {**FAMILIES[family], "FAMILY": family}.items():
        steps = steps.replace(word, value)
    described = scenario(steps)
    chosen = column(face, {})
    result = run("test", described, chosen, TapWorld(described, chosen), "tap")
    assert failures(result) == []
    answer = next(frame for step in result.steps for frame in step.frames if frame.text.startswith("udp")
                  and frame.sender == "server.if1")  # fmt: skip
    assert "if1" in answer.comment, "the decision behind a frame of ours is told"


def test_frames_are_in_order_and_have_rising_times() -> None:
    described = scenario(IDLE)
    with KernelWorld(described) as world:
        sockets = world.sockets("client")
        sockets.open(scenario("  - {socket: c, on: client}").steps[0])  # type: ignore[arg-type]
        for _ in range(3):
            sockets.send("c", "hello", "10.1.0.2:9", "", "")
        world.settle()
        frames = [frame for frame in world.frames if frame.text.startswith(("arp", "udp"))]
        assert [frame.sender for frame in frames][:2] == ["client.eth0", "server.if1"]
        assert frames[0].text == "arp who-has 10.1.0.2 tell 10.1.0.50"
        assert sum(frame.text.startswith("udp") for frame in frames) == 3
        times = [frame.time for frame in world.frames]
        assert times == sorted(times)
        assert times[0] > 0


def test_a_scenario_that_is_not_for_a_tap_says_why() -> None:
    described = scenario(IDLE, HOSTS + "no_tap: the kernel would have to fail\n")
    with pytest.raises(UsageError, match="the kernel would have to fail"):
        TapWorld(described, column("wsk", {}))
