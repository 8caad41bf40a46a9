"""A step as a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.scenario import schema
from wsknet.scenario.schema import Change, Route, Step


def sentence(step: Step) -> str:
    told = _SENTENCES[type(step)]
    return told(step) if callable(told) else told.format(step=step)


def _open(step: schema.OpenSocket) -> str:
    return f"{step.on} opens {step.what}, {step.type} over {step.family}" + (f", as {step.owner}" if step.owner else "")


def _option(step: schema.SetOption) -> str:
    return f"{step.what} sets {step.set}" + ("" if step.to is True else f" to {str(step.to).lower()}")


def _connect(step: schema.Connect) -> str:
    return f"{step.what} disconnects" if step.to == "nobody" else f"{step.what} connects to {step.to}"


def _join(step: schema.Join) -> str:
    return f"{step.what} joins {step.group}" + (f" on {step.interface}" if step.interface else "")


def _send(step: schema.Send) -> str:
    parts = [f"{step.what} sends"]
    if step.to:
        parts.append(f"to {step.to}")
    if step.from_address:
        parts.append(f"from {step.from_address}")
    if step.through:
        parts.append(f"through {step.through}")
    return " ".join(parts)


def _change(change: Change) -> str:
    return f"{change.what} {_changed(change)}"


def _changed(change: Change) -> str:
    for words, told in (
        (change.add_address, "gets the address"),
        (change.remove_address, "loses the address"),
        (change.down, "loses the link of"),
        (change.up, "gets the link back of"),
        (change.remove_interface, "loses the interface"),
        (change.metric, "has the interface metric"),
        (change.weak_send, "sends as a weak host:"),
        (change.weak_receive, "receives as a weak host:"),
    ):
        if words:
            return f"{told} {words}"
    if change.add_route is not None:
        return f"gets the route {_route(change.add_route)}"
    if change.remove_route is not None:
        return f"loses the route {_route(change.remove_route)}"
    return f"switches autoconfiguration {'on' if change.autoconfiguration else 'off'}"


def _route(route: Route) -> str:
    via = f" via {route.via}" if route.via else ""
    return route.to + via + (f" through {route.through}" if route.through else "")


_SENTENCES: dict[type, str | Callable[[Any], str]] = {
    schema.OpenSocket: _open,
    schema.SetOption: _option,
    schema.Bind: "{step.what} binds {step.to}",
    schema.Listen: "{step.what} listens",
    schema.Connect: _connect,
    schema.Accept: "{step.what} accepts {step.named}",
    schema.Send: _send,
    schema.Receive: "{step.what} receives",
    schema.Name: "the name of {step.what}",
    schema.Peer: "the peer of {step.what}",
    schema.Path: "the way of {step.what}",
    schema.DefaultDestination: "{step.what} sends to {step.to} unless told otherwise",
    schema.Join: _join,
    schema.RouteQuery: "{step.what} asks from where it would reach {step.to}",
    schema.AddressList: "{step.what} asks what may be bound",
    schema.Close: lambda step: f"{step.what} {'finishes' if step.how == 'finish' else 'closes'}",
    schema.Change: _change,
    schema.Inject: "{step.what} puts {step.frame} on the link, for {step.to}",
    schema.Table: "the {step.show} of {step.what}",
    schema.LookUp: "{step.what} looks up {step.name}",
    schema.Kill: "{step.what} dies under its owner",
    schema.SetFaults: "completions of {step.what} come {step.completing}",
    schema.Provider: "the WSK subsystem of {step.what} is {step.is_now}",
    schema.Install: "{step.what} gets its SAN service provider",
    schema.Wait: "{step.what} pass",
}
