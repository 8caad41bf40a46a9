"""The end of a random program: connections are read to their ends, all is given back, and nothing may be left."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.support.wsk_machine.addresses import ADDRESSES
from tests.support.wsk_machine.clients import free_list, release_descriptor
from tests.support.wsk_machine.liveness import require_deliveries, require_end_told
from tests.support.wsk_machine.sock import CONNECTED
from tests.support.wsk_machine.streams import Stream
from wsknet.devices.impair import Impairment
from wsknet.net import changes
from wsknet.wsk import add_transport, faults_of, require_nothing_left

if TYPE_CHECKING:
    from tests.support.wsk_machine.machine import Programs
    from tests.support.wsk_machine.party import Party

PATIENCE = 300
"""Seconds in which every retransmission has come to its end, and TIME_WAIT too."""
OF_CLIENT = ("WskSocketConnect", "WskControlClient", "WskGetAddressInfo", "WskGetNameInfo")
ROUNDS = 2
"""A socket may come to be while the others are being closed."""
MOST_EVENTS = 2000
"""That may still happen when everything has been closed that long."""


def put_back(party: Party) -> None:
    card = party.interface
    with suppress(ValueError):
        party.host.apply(changes.InterfaceAdded(card.index, card.config))
    card.set_up(True)
    add_transport(party.host)
    if not party.is_whole:
        party.is_whole = True
        party.changes += 1  # sockets that came to be meanwhile know other tables
    for address, length in zip(ADDRESSES[party.host.name].values(), (24, 64), strict=True):
        card.add_address(f"{address}/{length}")


def end(machine: Programs) -> None:
    world, parties = machine.world, machine.parties
    for wire in machine.wires:
        wire.impairment = Impairment()
    for party in parties:
        party.have_memory()
    world.left_inside = 0
    if len(world.events) % 2:
        require_deliveries(machine)
        _require_ends_told(machine)
        world.check()
    if len(world.events) % 3:
        _read_to_the_ends(machine)
        world.check()
    for party in parties:
        if len(world.events) % 5 == 0:
            faults_of(party.host).detach_provider()
    for _ in range(ROUNDS):
        for party in parties:
            _close_all(party)
        machine.network.run_for(0.1)
    world.check()
    for party in parties:
        _give_back(machine, party)
    world.check()
    _require_rest(machine)


def _require_rest(machine: Programs) -> None:
    machine.network.run_for(PATIENCE)
    for party in machine.parties:
        view = party.host.stack.view()
        assert (view.tcp_ports, view.udp_ports, view.connections) == ((), (), ()), view
    for _ in range(MOST_EVENTS):
        if not machine.network.driver.step():
            break
    else:
        raise AssertionError("something happens again and again on hosts where nothing is open")


def _read_to_the_ends(machine: Programs) -> None:
    machine.network.run_for(PATIENCE)  # who is still connecting, or is told late that he is connected, reads too
    streams = [sock for party in machine.parties for sock in party.sockets if isinstance(sock, Stream)]
    for stream in streams:
        with stream.party.host.activate():
            stream.read_on()
    machine.network.run_for(PATIENCE)
    for sender, receiver in _pairs(machine):
        _require_equal(sender, receiver)


def _require_ends_told(machine: Programs) -> None:
    for sender, receiver in _pairs(machine):
        require_end_told(sender, receiver)


def _pairs(machine: Programs) -> list[tuple[Stream, Stream]]:
    """The two ends of each connection, both ways round."""
    found = []
    for stream in (sock for party in machine.parties for sock in party.sockets if isinstance(sock, Stream)):
        if stream.state == CONNECTED and stream.is_accepted and stream.peer_name is not None:
            others = machine.world.connected.get(stream.peer_name, [])
            if len(others) == 1:
                found += [(stream, others[0]), (others[0], stream)]
    return found


def _require_equal(sender: Stream, receiver: Stream) -> None:
    if sender.is_broken or receiver.is_broken or sender.is_closing or receiver.is_closing:
        return
    if receiver.has_ended is None:
        receiver.fail(f"has never heard that {sender.name} has finished")
    elif not receiver.is_drained and receiver.received != sender.sent:
        receiver.fail(f"has received {receiver.received} of the {sender.sent} bytes that {sender.name} has sent")
    if sender.sends:
        sender.fail("a send has not completed")


def _close_all(party: Party) -> None:
    with party.host.activate():
        for call in list(party.pending):
            if not call.is_done and any(name in call.name for name in OF_CLIENT):
                call.cancel()
        for sock in list(party.sockets):
            sock.close(party.dice)


def _give_back(machine: Programs, party: Party) -> None:
    with party.host.activate():
        assert not party.sockets, [sock.name for sock in party.sockets]
        assert not party.pending, [call.name for call in party.pending]
        while party.address_lists:
            free_list(party, party.dice)
        while party.descriptors:
            release_descriptor(party, party.dice)
        party.free_irps()
        party.application.close()
        require_nothing_left(party.host)
