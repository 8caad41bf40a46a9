"""BIND-1.3: what each refusal is called by Winsock, by WSK and by Linux, seen where it happens."""

from __future__ import annotations

import pytest

from wsknet.scenario.columns import column
from wsknet.scenario.load import read
from wsknet.scenario.outcomes import OUTCOME_OF_KIND, RENDERINGS
from wsknet.scenario.runner import StepResult
from wsknet.scenario.testing import run_virtually
from wsknet.scenario.yaml_tree import Document
from wsknet.wsk.status import STATUS_OF_KIND

HOSTS = """\
title: One refusal.
topic: Tests
hosts:
  server:
    interfaces:
      if1: {link: near, addresses: [10.1.0.2/24, "2001:db8:1::2/64"]}
    dynamic_ports: 50000-50000
  client:
    interfaces:
      eth0: {link: near, addresses: [10.1.0.50/24, "2001:db8:1::50/64"]}
steps:
"""

TCP = "  - {socket: s, on: server, type: tcp}\n  - {socket: t, on: server, type: tcp}\n"
UDP = "  - {socket: s, on: server}\n  - {socket: t, on: server}\n"
BOUND = '  - {bind: s, to: "10.1.0.2:7000"}\n'
REUSED = "".join(f'  - {{option: {s}, set: reuse}}\n  - {{bind: {s}, to: "10.1.0.2:7000"}}\n' for s in "st")
CONNECTED = """\
  - {socket: l, on: client, type: tcp}
  - {bind: l, to: "0.0.0.0:7000"}
  - {listen: l}
  - {connect: s, to: "10.1.0.50:7000", expect: ok}
"""

CASES = [
    (1, TCP + BOUND + '  - {bind: t, to: "10.1.0.2:7000"}',
     "10048 WSAEADDRINUSE", "STATUS_ADDRESS_ALREADY_EXISTS", "EADDRINUSE"),
    (2, TCP + BOUND + '  - {option: t, set: reuse}\n  - {bind: t, to: "10.1.0.2:7000"}',
     "10013 WSAEACCES", "STATUS_ACCESS_DENIED", "EADDRINUSE"),
    (3, UDP + '  - {bind: t, to: "10.1.0.3:7000"}',
     "10049 WSAEADDRNOTAVAIL", "STATUS_INVALID_ADDRESS_COMPONENT", "EADDRNOTAVAIL"),
    (4, UDP + '  - {bind: t, to: "[2001:db8:1::2]:7000"}',
     "10014 WSAEFAULT", "STATUS_INVALID_PARAMETER", "EAFNOSUPPORT"),
    (6, UDP + BOUND + '  - {bind: s, to: "10.1.0.2:7001"}',
     "10022 WSAEINVAL", "STATUS_INVALID_DEVICE_STATE", "EINVAL"),
    (7, UDP + "  - {name: s}", "10022 WSAEINVAL", "STATUS_INVALID_DEVICE_STATE", ""),
    (8, TCP + REUSED + CONNECTED + '  - {connect: t, to: "10.1.0.50:7000"}',
     "10048 WSAEADDRINUSE", "STATUS_ADDRESS_ALREADY_EXISTS", "EADDRNOTAVAIL"),
    (9, UDP + '  - {bind: s, to: "0.0.0.0:0"}\n  - {bind: t, to: "0.0.0.0:0"}',
     "10055 WSAENOBUFS", "STATUS_TOO_MANY_ADDRESSES", "EADDRINUSE"),
    (10, TCP + BOUND + '  - {connect: s, to: "10.9.0.1:7000"}',
     "10051 WSAENETUNREACH", "STATUS_NETWORK_UNREACHABLE", "ENETUNREACH"),
    (12, TCP + BOUND + '  - {connect: s, to: "10.1.0.50:7000", within: 5s}',
     "10061 WSAECONNREFUSED", "STATUS_CONNECTION_REFUSED", "ECONNREFUSED"),
    (13, UDP + BOUND + '  - {connect: s, to: "10.1.0.50:7000"}\n  - {send: s}\n  - {receive: s}',
     "10054 WSAECONNRESET", "STATUS_PORT_UNREACHABLE", "ECONNREFUSED"),
]  # fmt: skip


def last_step(steps: str, face: str) -> StepResult:
    scenario = read(Document("it.yaml", HOSTS + steps + "\n"))
    chosen = column(face, {})
    return run_virtually("it", scenario, chosen).steps[-1]


@pytest.mark.parametrize(
    ("steps", "winsock", "wsk", "linux"),
    [pytest.param(*case[1:], id=f"row {case[0]}", marks=pytest.mark.rule(f"BIND-1.3.{case[0]}")) for case in CASES],
)
def test_a_refusal_by_its_names(steps: str, winsock: str, wsk: str, linux: str) -> None:
    assert [last_step(steps, face).rendering for face in ("winsock", "wsk", "linux")] == [winsock, wsk, linux]


@pytest.mark.rule("BIND-1.3.11")
def test_a_host_that_is_silent_is_unreachable_on_linux() -> None:
    steps = TCP + BOUND + '  - {connect: s, to: "10.1.0.99:7000", within: 10s}'
    step = last_step(steps, "linux")
    assert (step.outcome, step.rendering) == ("host-unreachable", "EHOSTUNREACH")
    assert RENDERINGS["host-unreachable"].winsock == "10065 WSAEHOSTUNREACH"


def test_every_kind_has_a_name_on_every_face() -> None:
    for kind, outcome in OUTCOME_OF_KIND.items():
        assert kind in STATUS_OF_KIND
        assert outcome in RENDERINGS
