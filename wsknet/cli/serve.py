"""`wsknet serve`: an application on real frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsknet.cli.platform import require_linux
from wsknet.config import ETHERNET_MTU, MAX_MTU, MIN_INTERFACE_MTU, AutoConfig
from wsknet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.apps.serving import InterfaceOptions

_AUTOMATIC = ("dhcp", "no_link_local", "router_discovery", "check_addresses")
_PER_INTERFACE = ("address", "peer", "mac", "mtu", "create", *_AUTOMATIC)


class GroupedCommand(click.Command):
    """Options of one interface belong to the nearest ``--tap`` before them: ``--tap a --address x --tap b ...``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        require_linux("serve")
        ctx.meta["interfaces"] = self._interfaces(ctx, args)
        return super().parse_args(ctx, args)

    def _interfaces(self, ctx: click.Context, args: list[str]) -> list[InterfaceOptions]:
        if any(arg in {"-h", "--help"} for arg in args):
            return []
        starts = [i for i, arg in enumerate(args) if arg == "--tap" or arg.startswith("--tap=")]
        head = self._parse(ctx, args[: starts[0]] if starts else args)
        for name in _PER_INTERFACE:
            if head.get(name):
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} belongs to an interface: put it after the --tap NAME it is for", ctx)
        ends = [*starts[1:], len(args)]
        return [_interface(self._parse(ctx, args[start:end])) for start, end in zip(starts, ends, strict=False)]

    def _parse(self, ctx: click.Context, args: list[str]) -> dict[str, Any]:
        values, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        return values


def _interface(values: dict[str, Any]) -> InterfaceOptions:
    from wsknet.apps.serving import InterfaceOptions

    return InterfaceOptions(
        name=values["tap"][0],
        addresses=tuple(values.get("address") or ()),
        peers=tuple(values.get("peer") or ()),
        create=bool(values.get("create")),
        mac=(values.get("mac") or (None,))[-1],
        mtu=int((values.get("mtu") or (ETHERNET_MTU,))[-1]),
        auto=AutoConfig(
            dhcp=bool(values.get("dhcp")),
            link_local_ipv4=False if values.get("no_link_local") else None,
            router_discovery=bool(values.get("router_discovery")),
            duplicate_detection=bool(values.get("check_addresses")),
        ),
    )


def _switch(name: str, meaning: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option without a value, of one interface."""
    return click.option(name, multiple=True, is_flag=True, flag_value="yes", help=meaning)


@click.command(cls=GroupedCommand, short_help="Serve echo, discard, chargen, time or http on TAPs.")
@click.argument("app", metavar="APP")
@click.option("--tap", multiple=True, metavar="NAME", help="Attach to TAP interface NAME; once per interface.")
@click.option("--address", multiple=True, metavar="CIDR", help="Our address on it, e.g. 198.51.100.2/24; repeatable.")
@_switch("--create", "Make the TAP; it is gone at the end.")
@click.option("--peer", multiple=True, metavar="CIDR", help="Give the kernel's side of a made TAP this address.")
@click.option("--mac", multiple=True, metavar="MAC", help="Our MAC address on it.")
@click.option(
    "--mtu",
    multiple=True,
    type=click.IntRange(MIN_INTERFACE_MTU, MAX_MTU),
    help=f"Largest IP packet in bytes ({ETHERNET_MTU}).",
)
@_switch("--dhcp", "Get an IPv4 address by DHCP, or a link-local one if no server answers.")
@_switch("--no-link-local", "No address at all if no DHCP server answers (IPAutoconfigurationEnabled = 0).")
@_switch("--router-discovery", "Get IPv6 addresses and routes from router advertisements.")
@_switch("--check-addresses", "Use --address only after nobody else was found to have it.")
@click.option("--forward", is_flag=True, help="Pass on packets between the interfaces, as a router does.")
@click.option("--netns", metavar="NAME", help="Work in network namespace NAME; if new, it is made and removed again.")
@click.option("--route", multiple=True, metavar="PREFIX=VIA", help="A route, e.g. 0.0.0.0/0=198.51.100.1.")
@click.option("--port", type=click.IntRange(1, 65535), help="Serve on this port instead of the usual one.")
@click.option("--pcap", type=click.Path(dir_okay=False), metavar="FILE", help="Write every frame to a pcapng file.")
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    app: str,
    netns: str | None,
    route: tuple[str, ...],
    forward: bool,
    port: int | None,
    pcap: str | None,
    **_: object,
) -> None:
    """Serve APP over IPv4 and IPv6, on the Winsock Kernel interface.

    APP is echo, discard, chargen, time (each over TCP and UDP) or http (over TCP).

    \b
    One interface, made here, with the kernel as its neighbour:
      wsknet serve echo --netns lab --tap tap0 --create \\
          --peer 198.51.100.1/24 --address 198.51.100.2/24 --pcap echo.pcapng
      ip netns exec lab nc -N 198.51.100.2 7

    Several --tap make a multi-homed host; the options from --address to --check-addresses belong to the nearest --tap
    before them.  Ctrl-C or SIGTERM ends it; what it made is gone then.
    """
    from wsknet.apps.serving import ServeOptions, Server

    interfaces = tuple(ctx.meta["interfaces"])
    routes = tuple(map(_route, route))
    options = ServeOptions(app, interfaces, netns, routes, forward, port, Path(pcap) if pcap else None)
    with Server(options) as server:
        for line in server.description():
            click.echo(line)
        server.announce(click.echo)
        server.run()
        click.echo(server.summary())


def _route(text: str) -> tuple[str, str]:
    prefix, separator, via = text.partition("=")
    if not separator:
        raise UsageError(f"--route {text}: expected PREFIX=VIA, e.g. 0.0.0.0/0=198.51.100.1")
    return prefix, via
