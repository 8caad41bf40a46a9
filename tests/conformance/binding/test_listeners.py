"""Two sockets that share a port by SO_REUSEADDR, and one of them listens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.binding.two_links import PORT, Names, families, h1
from wsknet.behaviour import WINDOWS
from wsknet.scenario.columns import column
from wsknet.scenario.load import read
from wsknet.scenario.testing import run_virtually
from wsknet.scenario.yaml_tree import Document
from wsknet.transport.sharing import Sharing

FILE = """\
title: Who shares a port with a listener.
topic: Tests
hosts: {{server: {{interfaces: {{if1: {{link: near, addresses: [10.1.0.2/24, "2001:db8::2/64"]}}}}}}}}
steps:
  - {{socket: A, on: server, type: tcp, family: {family}}}
  - {{option: A, set: reuse}}
  - {{bind: A, to: "{first}:7000"}}
  - {{socket: B, on: server, type: tcp, family: {family}}}
  - {{option: B, set: reuse}}
  - {{bind: B, to: "{second}:7000", expect: ok}}
  - {{listen: A, expect: ok}}
  - {{listen: B, expect: {{windows: ok, linux: in-use}}}}
  - {{socket: C, on: server, type: tcp, family: {family}}}
  - {{option: C, set: reuse}}
  - bind: C
    to: "{second}:7000"
    expect: {{windows: ok, linux: in-use}}
    rule: {{windows: both allow reuse, linux: somebody listens on the port}}
  - {{close: A}}
  - {{listen: B, expect: {{windows: "*", linux: ok}}}}
  - {{socket: D, on: server, type: tcp, family: {family}}}
  - {{option: D, set: reuse}}
  - {{bind: D, to: "{other}:7000", expect: ok}}
"""


@pytest.mark.rule("BIND-17")
@pytest.mark.parametrize("face", ["wsk", "winsock", "linux"])
@pytest.mark.parametrize(
    ("family", "first", "second", "other"),
    [
        ("ipv4", "10.1.0.2", "10.1.0.2", "127.0.0.1"),
        ("ipv4", "0.0.0.0", "10.1.0.2", "127.0.0.1"),
        ("ipv6", "[::]", "[2001:db8::2]", "[::1]"),
    ],
)
def test_on_linux_one_listener_has_the_port_alone(face: str, family: str, first: str, second: str, other: str) -> None:
    text = FILE.format(family=family, first=first, second=second, other=other)
    scenario = read(Document("it.yaml", text))
    chosen = column(face, {})
    result = run_virtually("it", scenario, chosen)
    assert [failure for step in result.steps for failure in step.failures] == []


@pytest.mark.rule("BIND-1.6.2")
@families
def test_what_the_connections_of_a_closed_listener_hold_listens_no_more(names: Names) -> None:
    with h1(names, replace(WINDOWS, listeners_share_port=False)) as lab:
        listener = lab.host.stack.tcp.open(names.cover)
        with lab.host.pump as now:
            listener.bind(lab.name(names.ours[0], PORT), now, Sharing.EXCLUSIVE)
            listener.listen(now)
        lab.dial(names.ours[0])
        accepted = lab.call(listener.accept)
        lab.call(listener.close)
        assert lab.host.stack.view().tcp_ports == (lab.name(names.ours[0], PORT),)
        lab.listener()
        lab.call(accepted.close)
        assert lab.host.stack.view().tcp_ports == (lab.name(None, PORT),)
