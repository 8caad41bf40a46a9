"""Each step of a socket as a call of `Sockets`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.scenario import schema
from wsknet.scenario.outcomes import NOTHING, OK
from wsknet.scenario.world import Done

if TYPE_CHECKING:
    from wsknet.scenario.world import Attempt, Sockets

_Named = Callable[[str], str]
"""Puts names and ports of sockets into an address."""


def _connect(sockets: Sockets, step: Any, named: _Named) -> Attempt:
    return sockets.connect(step.what, None if step.to == "nobody" else named(step.to))


def _send(sockets: Sockets, step: Any, named: _Named) -> Attempt:
    to = named(step.to) if step.to else None
    return sockets.send(step.what, step.data, to, step.from_address, step.through)


def _close(sockets: Sockets, step: Any, named: _Named) -> Done:
    (sockets.finish if step.how == "finish" else sockets.close)(step.what)
    return Done(OK)


OPERATIONS: dict[type, Callable[[Sockets, Any, _Named], Attempt | str | None]] = {
    schema.SetOption: lambda sockets, step, named: sockets.option(step.what, step.set, step.to),
    schema.Bind: lambda sockets, step, named: sockets.bind(step.what, named(step.to)),
    schema.Listen: lambda sockets, step, named: sockets.listen(step.what),
    schema.Connect: _connect,
    schema.Accept: lambda sockets, step, named: sockets.accept(step.what, step.named),
    schema.Send: _send,
    schema.Receive: lambda sockets, step, named: sockets.receive(step.what),
    schema.Name: lambda sockets, step, named: sockets.name(step.what),
    schema.Peer: lambda sockets, step, named: sockets.peer(step.what),
    schema.Path: lambda sockets, step, named: sockets.path(step.what),
    schema.DefaultDestination: lambda sockets, step, named: sockets.default_destination(
        step.what, None if step.to == "nobody" else named(step.to)
    ),
    schema.Join: lambda sockets, step, named: sockets.join(step.what, step.group, step.interface),
    schema.RouteQuery: lambda sockets, step, named: sockets.route_query(step.what, step.to),
    schema.AddressList: lambda sockets, step, named: sockets.address_list(step.what) or NOTHING,
    schema.Close: _close,
    schema.Kill: lambda sockets, step, named: sockets.kill(step.what),
}
