"""Random legal programs on two hosts: sockets of all categories, faults, a bad link, and tables that change.

Rules give every step a seed, and what is random in it comes from that; what callbacks and completion routines do comes
from the seed of their socket.  So a sequence is short to write down, and Hypothesis can leave steps out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.wsk_machine import ending
from tests.support.wsk_machine.addresses import ADDRESSES
from tests.support.wsk_machine.clients import CLIENT_MOVES
from tests.support.wsk_machine.opening import KINDS, open_connected, open_socket
from tests.support.wsk_machine.party import Party, World
from wsknet.behaviour import WINDOWS
from wsknet.devices.impair import Impairment
from wsknet.host import Network
from wsknet.net import changes
from wsknet.types import MILLISECOND, SECOND
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    Completing,
    faults_of,
)

IMPATIENT = replace(WINDOWS, tcp=replace(WINDOWS.tcp, syn_retries=2, data_retries=5, time_wait=20 * SECOND))
LINKS = (
    Impairment(),
    Impairment(delay=5 * MILLISECOND),
    Impairment(loss=0.1, jitter=3 * MILLISECOND),
    Impairment(reorder=0.2, reorder_by=2 * MILLISECOND),
    Impairment(loss=1),
)
EVENTS = WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_RECEIVE_FROM
STATIC = st.sampled_from((0, 0, 0, EVENTS, WSK_EVENT_RECEIVE))
SEEDS = st.integers(0, 2**16)
HOSTS = st.integers(0, 1)
FAMILIES = st.sampled_from((AF_INET, AF_INET6))


class Programs(RuleBasedStateMachine):
    has_failed = False

    @initialize(static_events=st.tuples(STATIC, STATIC), seed=SEEDS)
    def begin(self, static_events: tuple[int, int], seed: int) -> None:
        self.world = World()
        self.network = Network(seed)
        hosts = [self.network.host(name, IMPATIENT) for name in ADDRESSES]
        cards = [
            host.interface("eth0", f"{ADDRESSES[host.name][AF_INET]}/24", f"{ADDRESSES[host.name][AF_INET6]}/64")
            for host in hosts
        ]
        self.network.link(*cards)
        self.wires: list[Any] = [card.device for card in cards]
        self.parties = [
            Party(self.world, host, card, events, Random(seed + position))
            for position, (host, card, events) in enumerate(zip(hosts, cards, static_events, strict=True))
        ]

    @contextmanager
    def step(self, host: int) -> Iterator[Party]:
        party = self.parties[host]
        self.world.begin()
        try:
            with party.host.activate():
                yield party
            self.world.check()
        except BaseException:
            self.has_failed = True
            raise

    # Sockets

    @rule(host=HOSTS, kind=st.sampled_from(sorted(KINDS)), family=FAMILIES, seed=SEEDS)
    def open(self, host: int, kind: str, family: int, seed: int) -> None:
        with self.step(host) as party:
            open_socket(party, kind, family, seed)

    @rule(host=HOSTS, family=FAMILIES, seed=SEEDS)
    def open_connected(self, host: int, family: int, seed: int) -> None:
        with self.step(host) as party:
            open_connected(party, family, seed)

    @rule(host=HOSTS, family=FAMILIES, seed=SEEDS, is_stream=st.booleans(), is_conditional=st.booleans())
    def meet(self, host: int, family: int, seed: int, is_stream: bool, is_conditional: bool) -> None:
        """A listener and somebody who connects: left to chance that would take long."""
        with self.step(1 - host) as server:

            def opened(listener: Any) -> None:
                if is_conditional:
                    listener.inspect(Random(seed))
                listener.listen_at(Random(seed))

            open_socket(server, "stream" if is_stream else "listening", family, 2 * seed, opened)
        self.network.run_for(0.01)
        for listener in list(server.sockets):
            self.move_of(1 - host, listener, seed)
        with self.step(host) as party:
            open_connected(party, family, seed)
        self.network.run_for(0.01)
        with self.step(host):
            self.world.check()

    def move_of(self, host: int, sock: Any, seed: int) -> None:
        with self.step(host):
            sock.move(Random(seed))

    @rule(host=HOSTS, number=st.integers(0, 7), seeds=st.lists(SEEDS, min_size=1, max_size=6))
    def use(self, host: int, number: int, seeds: list[int]) -> None:
        """Calls of one socket."""
        sockets = self.parties[host].sockets
        if sockets:
            sock = sockets[number % len(sockets)]
            for seed in seeds:
                self.move_of(host, sock, seed)

    @rule(host=HOSTS, seed=SEEDS)
    def use_all(self, host: int, seed: int) -> None:
        for sock in list(self.parties[host].sockets):
            self.move_of(host, sock, seed)

    @rule(host=HOSTS, number=st.integers(0, 7), seed=SEEDS)
    def close(self, host: int, number: int, seed: int) -> None:
        with self.step(host) as party:
            if party.sockets:
                party.sockets[number % len(party.sockets)].close(Random(seed))

    @rule(host=HOSTS, number=st.integers(0, 9))
    def cancel(self, host: int, number: int) -> None:
        with self.step(host) as party:
            if party.pending:
                pending = list(party.pending)
                pending[number % len(pending)].cancel()

    @rule(host=HOSTS, what=st.integers(0, len(CLIENT_MOVES) - 1), seed=SEEDS)
    def use_client(self, host: int, what: int, seed: int) -> None:
        with self.step(host) as party:
            CLIENT_MOVES[what](party, Random(seed))

    # Time and surroundings

    @rule(seconds=st.sampled_from((0.0, 0.002, 0.002, 0.05, 0.3, 1.0, 8.0)))
    def wait(self, seconds: float) -> None:
        with self.step(0):
            self.network.run_for(seconds)

    @rule(
        host=HOSTS,
        completing=st.sampled_from(Completing),
        delay=st.sampled_from((0, 0, 100_000, 5 * MILLISECOND)),
        is_on_thread=st.integers(0, 7),
    )
    def complete_so(self, host: int, completing: Completing, delay: int, is_on_thread: int) -> None:
        with self.step(host) as party:
            faults_of(party.host).complete(completing, delay=delay, is_on_thread=is_on_thread == 7)

    @rule(host=HOSTS, function=st.sampled_from(("", "IoAllocateIrp", "IoAllocateMdl")), nth=st.integers(1, 5))
    def run_out_of_memory(self, host: int, function: str, nth: int) -> None:
        with self.step(host) as party:
            faults_of(party.host).fail_allocation(function, nth)

    @rule(host=HOSTS, number=st.integers(0, 7))
    def kill(self, host: int, number: int) -> None:
        with self.step(host) as party:
            if party.sockets:
                sock = party.sockets[number % len(party.sockets)]
                sock.is_broken = True
                if not sock.is_closing:
                    faults_of(party.host).kill(sock.handle)

    @rule(host=HOSTS, link=st.sampled_from(LINKS))
    def impair(self, host: int, link: Impairment) -> None:
        self.wires[host].impairment = link

    @rule(host=HOSTS, family=FAMILIES, what=st.sampled_from(("address", "route", "link", "interface", "back", "back")))
    def change_tables(self, host: int, family: int, what: str) -> None:
        with self.step(host) as party:
            if what != "back":
                party.break_streams()
            card = party.interface
            with suppress(ValueError):
                if what == "address":
                    card.remove_address(ADDRESSES[party.host.name][family])
                elif what == "route":
                    party.host.route("203.0.113.0/24" if family == AF_INET else "2001:db8:9::/64", interface="eth0")
                elif what == "link":
                    card.set_up(False)
                elif what == "interface":
                    party.host.apply(changes.InterfaceRemoved(card.index))
                else:
                    ending.put_back(party)

    def teardown(self) -> None:
        if not hasattr(self, "parties"):
            return
        try:
            if not self.has_failed:
                ending.end(self)
        finally:
            self.network.close()
