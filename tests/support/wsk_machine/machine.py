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
from tests.support.wsk_machine.addresses import ADDRESSES, OTHER, PORTS
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
    remove_transport,
    simple,
)

BEHAVIOUR = replace(
    WINDOWS,
    ephemeral_ports=(50000, 50063),
    tcp=replace(WINDOWS.tcp, syn_retries=2, data_retries=5, time_wait=20 * SECOND),
)
"""Few dynamic ports, because a new host looks at all of them; and peers that have gone are given up soon."""
LINKS = (
    Impairment(),
    Impairment(delay=5 * MILLISECOND),
    Impairment(loss=0.1, jitter=3 * MILLISECOND),
    Impairment(reorder=0.2, reorder_by=2 * MILLISECOND),
    Impairment(loss=1),
)
EVENTS = WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_RECEIVE_FROM
STATIC = st.sampled_from((0, 0, 0, EVENTS, WSK_EVENT_RECEIVE))
TABLES = ("address", "route", "link", "interface", "transport", "back", "back")
SEEDS = st.integers(0, 2**16)
HOSTS = st.integers(0, 1)
CONNECTING = st.tuples(
    st.sampled_from(("listening", "stream")), st.sampled_from(("at once", "connection", "connection", "stream"))
)
FAMILIES = st.sampled_from((AF_INET, AF_INET6))


class Programs(RuleBasedStateMachine):
    has_failed = False

    @initialize(static_events=st.tuples(STATIC, STATIC), seed=SEEDS)
    def begin(self, static_events: tuple[int, int], seed: int) -> None:
        self.world = World()
        self.network = Network(seed)
        hosts = [self.network.host(name, BEHAVIOUR) for name in ADDRESSES]
        cards = [
            host.interface("eth0", f"{ADDRESSES[host.name][AF_INET]}/24", f"{ADDRESSES[host.name][AF_INET6]}/64")
            for host in hosts
        ]
        for host in hosts:
            for other, addresses in ADDRESSES.items():
                for address in addresses.values():
                    host.names.hosts.add(f"{other}.lab", address)
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

    @rule(host=HOSTS, kind=st.sampled_from(sorted(KINDS)), family=FAMILIES, seed=SEEDS, count=st.integers(0, 6))
    def open(self, host: int, kind: str, family: int, seed: int, count: int) -> None:
        """And a few calls, the first of which is mostly WskBind."""
        with self.step(host) as party:
            open_socket(party, kind, family, seed)
        self.let_pass(0.001)
        for sock in party.sockets[-1:]:
            self.use_one(host, sock, seed, count)

    @rule(host=HOSTS, family=FAMILIES, seed=SEEDS)
    def open_connected(self, host: int, family: int, seed: int) -> None:
        with self.step(host) as party:
            open_connected(party, family, seed)

    @rule(host=HOSTS, family=FAMILIES, seed=SEEDS, how=CONNECTING, is_conditional=st.integers(0, 2))
    def connect(self, host: int, family: int, seed: int, how: tuple[str, str], is_conditional: int) -> None:
        """A listener and somebody who connects to it: left to chance that would take long."""
        dice = Random(seed)
        port = dice.choice(PORTS)
        with self.step(1 - host) as server:

            def opened(listener: Any) -> None:
                listener.is_listener = True
                if is_conditional == 2:
                    listener.inspect(dice)
                elif is_conditional == 1:
                    listener.be_redirected(dice)
                listener.listen_at(dice, port)

            open_socket(server, how[0], family, seed + 1, opened)
        self.let_pass(0.001)
        for listener in server.sockets[-1:]:
            self.use_one(1 - host, listener, seed, 4)
        with self.step(host) as client:
            if how[1] == "at once":
                open_connected(client, family, seed + 2, port)
            else:
                target = simple.address(ADDRESSES[OTHER[client.host.name]][family], port)

                def bind(stream: Any) -> None:
                    stream.is_listener, stream.target = False, target
                    stream.bind(dice)

                open_socket(client, how[1], family, seed + 2, bind)
        self.let_pass(0.02)
        for side, party in ((host, client), (1 - host, server)):
            for sock in party.sockets[-1:]:
                self.use_one(side, sock, seed, 4)

    @rule(family=FAMILIES, seed=SEEDS)
    def exchange_datagrams(self, family: int, seed: int) -> None:
        """Two sockets with the same port, and what they do in turn."""
        dice = Random(seed)
        port = dice.choice(PORTS)
        pair: list[tuple[int, Any]] = []
        for host in (0, 1):
            with self.step(host) as party:

                def opened(sock: Any, host: int = host) -> None:
                    sock.bind(dice, port)
                    pair.append((host, sock))

                open_socket(party, "datagram", family, seed + host, opened)
        self.let_pass(0.001)
        for count in (3, 3, 2):
            for host, sock in pair:
                self.use_one(host, sock, dice.getrandbits(16), count)
            self.let_pass(0.001)

    def use_one(self, host: int, sock: Any, seed: int, count: int) -> None:
        dice = Random(seed)
        for _ in range(count):
            with self.step(host):
                sock.move(dice)
            if dice.random() < 0.3:
                self.let_pass(0.001)

    def let_pass(self, seconds: float) -> None:
        with self.step(0):
            self.network.run_for(seconds)

    @rule(host=HOSTS, number=st.integers(0, 7), seed=SEEDS, count=st.integers(1, 10))
    def use(self, host: int, number: int, seed: int, count: int) -> None:
        """Calls of one socket."""
        sockets = self.parties[host].sockets
        if sockets:
            self.use_one(host, sockets[number % len(sockets)], seed, count)

    @rule(host=HOSTS, seed=SEEDS)
    def use_all(self, host: int, seed: int) -> None:
        for position, sock in enumerate(list(self.parties[host].sockets)):
            self.use_one(host, sock, seed + position, 2)

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
        self.let_pass(seconds)

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

    @rule(host=HOSTS, family=FAMILIES, what=st.sampled_from(TABLES))
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
                elif what == "transport":
                    remove_transport(party.host, family)
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
