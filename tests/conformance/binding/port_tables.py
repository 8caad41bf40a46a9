"""Stacks and tables with a dynamic range of four ports, and how they are used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import PortConfig, PortRange, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.errors import ErrorKind, NetError
from wsknet.stack import Stack
from wsknet.transport.ports import PortChoice, PortTable
from wsknet.types import Address, Cover, Family, Instant, LocalName, Proto

NOW = Instant(0)
ORDINARY, SCALABLE = PortChoice.ORDINARY, PortChoice.SCALABLE
FOUR = (50000, 50003)
KINDS = list(product((Proto.TCP, Proto.UDP), Family))


def any_port(cover: Cover | Family, address: Address | None = None) -> LocalName:
    return LocalName(Cover(cover.value), address, 0)


def stack(*dynamic: PortRange, excluded: tuple[PortRange, ...] = ()) -> Stack:
    behaviour = replace(WINDOWS, ephemeral_ports=FOUR)
    config = StackConfig(behaviour=behaviour, ports=PortConfig(dynamic, excluded))
    return Stack(config, ScapyCodec(), Random(1))


def bind(of: Stack, protocol: Proto, name: LocalName) -> int:
    endpoint = of.tcp.open(name.cover) if protocol is Proto.TCP else of.udp.open(name.cover)
    endpoint.bind(name, NOW)
    assert endpoint.local is not None
    return endpoint.local.port


def bind_all(of: Stack, protocol: Proto, name: LocalName) -> set[int]:
    """The ports that `name` gets until there are none."""
    return until_exhausted(lambda: bind(of, protocol, name))


def until_exhausted(draw: Callable[[], int]) -> set[int]:
    ports: set[int] = set()
    kind = None
    while kind is None:
        try:
            port = draw()
        except NetError as error:
            kind = error.kind
        else:
            assert port not in ports
            ports.add(port)
    assert kind is ErrorKind.NO_PORTS
    return ports


def table(
    ports: tuple[int, int] = FOUR, excluded: tuple[PortRange, ...] = (), behaviour: Behaviour = WINDOWS
) -> PortTable:
    behaviour = replace(behaviour, ephemeral_ports=ports)
    return PortTable(Proto.UDP, behaviour, Random(1), PortConfig(excluded=excluded))


def reserve_all(ports: PortTable, name: LocalName, choice: PortChoice) -> set[int]:
    return until_exhausted(lambda: ports.reserve(name, choice=choice).name.port)


def address(number: int) -> Address:
    return (0x0A000000 + number).to_bytes(4, "big")
