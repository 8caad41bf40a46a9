"""Sockets of scenarios through WSK: what is asked of it, and how its statuses are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wsknet.host import Network
from wsknet.net import changes
from wsknet.scenario.faces.wsk import WskSockets
from wsknet.scenario.schema import OpenSocket
from wsknet.scenario.world import Attempt, Failed

PATIENCE = 1.0
LINK_LOCAL = "fe80::ff:fe00:1"
"""Of the server's first interface."""


class Lab:
    """A host with two interfaces, and a neighbour on the first."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.server = network.host("server")
        self.client = network.host("client")
        if1 = self.server.interface("if1", "10.1.0.2/24", "2001:db8:1::2/64", mac="02:00:00:00:00:01")
        self.server.interface("if2", "10.2.0.2/24")
        network.link(if1, self.client.interface("eth0", "10.1.0.50/24", "2001:db8:1::50/64"))
        self.here, self.there = WskSockets(self.server), WskSockets(self.client)
        network.run_for(2)

    def wait(self, attempt: Attempt) -> str:
        found: list[str] = []

        def is_ready() -> bool:
            found[:] = [outcome for outcome in [attempt.poll()] if outcome is not None]
            return bool(found)

        self.network.run_until(is_ready, PATIENCE)
        return found[0] if found else attempt.give_up()

    def udp(self, sockets: WskSockets, name: str, at: str, family: str = "ipv4") -> None:
        sockets.open(opened(name, family=family))
        self.wait(sockets.bind(name, at))

    def connected(self) -> None:
        """`c` of the client with `a`, which `l` of the server accepted."""
        self.here.open(opened("l", "tcp"))
        self.there.open(opened("c", "tcp"))
        self.wait(self.here.bind("l", "10.1.0.2:80"))
        self.here.listen("l")
        self.wait(self.there.bind("c", "0.0.0.0:5000"))
        assert self.wait(self.there.connect("c", "10.1.0.2:80")) == "ok"
        self.wait(self.here.accept("l", "a"))


def opened(name: str, kind: str = "udp", family: str = "ipv4", owner: str = "", *shares_with: str) -> OpenSocket:
    return OpenSocket(what=name, on="server", type=kind, family=family, owner=owner, shares_with=shares_with)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Network(seed=1) as network:
        yield Lab(network)


def outcome(lab: Lab, attempt: Attempt) -> str:
    try:
        return lab.wait(attempt)
    except Failed as failed:
        return failed.outcome


# Datagrams


@pytest.mark.parametrize(
    ("family", "wildcard", "server", "client"),
    [
        ("ipv4", "0.0.0.0", "10.1.0.2:7", "10.1.0.50:5000"),
        ("ipv6", "[::]", "[2001:db8:1::2]:7", "[2001:db8:1::50]:5000"),
        ("dual", "[::]", "[::ffff:10.1.0.2]:7", "[::ffff:10.1.0.50]:5000"),
    ],
)
def test_a_datagram_is_told_with_its_sender(lab: Lab, family: str, wildcard: str, server: str, client: str) -> None:
    lab.udp(lab.here, "s", f"{wildcard}:7", family)
    lab.udp(lab.there, "c", f"{wildcard}:5000", family)
    assert lab.wait(lab.there.send("c", "hello", server, "", "")) == "ok"
    assert lab.wait(lab.here.receive("s")) == f"hello from {client}"
    assert lab.here.name("s") == f"{wildcard}:7"


@pytest.mark.parametrize(
    ("family", "told"),
    [("ipv4", "10.1.0.2"), ("dual", "::ffff:10.1.0.2")],
)
def test_packet_info_adds_where_the_datagram_came_in(lab: Lab, family: str, told: str) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7" if family == "ipv4" else "[::]:7", family)
    lab.here.option("s", "packet-info", True)
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    lab.wait(lab.there.send("c", "hi", "10.1.0.2:7", "", ""))
    assert lab.wait(lab.here.receive("s")).endswith(f" to {told} on if1")


def test_a_link_local_name_has_its_interface(lab: Lab) -> None:
    lab.udp(lab.here, "s", f"[{LINK_LOCAL}%if1]:7", "ipv6")
    assert lab.here.name("s") == f"[{LINK_LOCAL}%if1]:7"
    lab.udp(lab.there, "c", "[::]:5000", "ipv6")
    lab.there.decisions.clear()
    lab.wait(lab.there.send("c", "hi", f"[{LINK_LOCAL}%eth0]:7", "", ""))
    assert [decision.question for decision in lab.there.decisions] == [f"path to {LINK_LOCAL}%2"]
    assert lab.wait(lab.here.receive("s")).endswith("%if1]:5000")


def test_nothing_comes_and_the_request_is_taken_back(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    assert lab.wait(lab.here.receive("s")) == "nothing"
    lab.wait(lab.there.send("c", "late", "10.1.0.2:7", "", ""))
    assert lab.wait(lab.here.receive("s")) == "late from 10.1.0.50:5000"


def test_a_fixed_peer_is_sent_to_and_given_up_again(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    assert lab.wait(lab.there.connect("c", "10.1.0.2:7")) == "ok"
    lab.wait(lab.there.send("c", "one", None, "", ""))
    assert lab.wait(lab.here.receive("s")) == "one from 10.1.0.50:5000"
    assert lab.wait(lab.there.connect("c", None)) == "ok"
    assert outcome(lab, lab.there.send("c", "two", None, "", "")) != "ok"


def test_a_default_destination_is_sent_to(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    lab.there.default_destination("c", "10.1.0.2:7")
    lab.wait(lab.there.send("c", "one", None, "", ""))
    assert lab.wait(lab.here.receive("s")) == "one from 10.1.0.50:5000"


def test_a_datagram_may_name_its_source(lab: Lab) -> None:
    lab.client.interfaces["eth0"].add_address("10.1.0.51/24")
    lab.network.run_for(2)
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    assert lab.wait(lab.there.send("c", "hi", "10.1.0.2:7", "10.1.0.51", "eth0")) == "ok"
    assert lab.wait(lab.here.receive("s")) == "hi from 10.1.0.51:5000"


def test_a_group_that_was_joined_is_received(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.here.join("s", "239.1.2.3", "if1")
    lab.udp(lab.there, "c", "10.1.0.50:5000")
    lab.wait(lab.there.send("c", "all", "239.1.2.3:7", "", ""))
    assert lab.wait(lab.here.receive("s")) == "all from 10.1.0.50:5000"


# Errors


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("10.1.0.77:80", "not-local"),
        ("[2001:db8:1::2]:80", "invalid"),
        ("10.1.0.2", "invalid"),
        ("10.1.0.2:70000", "invalid"),
    ],
)
def test_a_name_that_cannot_be_bound_is_an_outcome(lab: Lab, name: str, told: str) -> None:
    lab.here.open(opened("s"))
    with pytest.raises(Failed) as failed:
        lab.wait(lab.here.bind("s", name))
    assert failed.value.outcome == told


def test_a_failure_tells_the_status(lab: Lab) -> None:
    lab.udp(lab.here, "one", "0.0.0.0:7")
    lab.here.open(opened("two"))
    with pytest.raises(Failed) as failed:
        lab.wait(lab.here.bind("two", "0.0.0.0:7"))
    assert (failed.value.outcome, failed.value.detail) == ("in-use", "STATUS_ADDRESS_ALREADY_EXISTS")


def test_denied_and_broadcast_denied_are_told_apart(lab: Lab) -> None:
    lab.here.open(opened("one"))
    lab.here.option("one", "exclusive", True)
    lab.wait(lab.here.bind("one", "0.0.0.0:7"))
    lab.here.open(opened("two"))
    lab.here.option("two", "reuse", True)
    assert outcome(lab, lab.here.bind("two", "0.0.0.0:7")) == "denied"
    assert outcome(lab, lab.here.send("one", "all", "255.255.255.255:7", "", "")) == "broadcast-denied"


def test_what_was_not_bound_has_no_name_and_sends_nothing(lab: Lab) -> None:
    lab.here.open(opened("s"))
    with pytest.raises(Failed, match="invalid-state"):
        lab.here.name("s")
    assert outcome(lab, lab.here.send("s", "hi", "10.1.0.50:7", "", "")) == "invalid-state"
    assert not lab.here.decisions


def test_a_datagram_socket_has_no_peer_to_ask_for_and_does_not_listen(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    for ask in (lab.here.peer, lab.here.listen, lab.here.finish):
        with pytest.raises(Failed, match="not-supported"):
            ask("s")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("bind-to-device", "if1", "no-such-option"),
        ("reuse", "if1", "invalid"),
        ("unicast-if", "eth7", "not-local"),
    ],
)
def test_an_option_that_cannot_be_set_is_an_outcome(lab: Lab, option: str, value: str, told: str) -> None:
    lab.here.open(opened("s"))
    with pytest.raises(Failed, match=told):
        lab.here.option("s", option, value)


def test_a_socket_that_was_closed_is_gone(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.here.close("s")
    with pytest.raises(Failed, match="invalid"):
        lab.here.name("s")
    lab.udp(lab.here, "t", "0.0.0.0:7")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_socket_whose_interface_was_removed_is_dead(lab: Lab, kind: str) -> None:
    lab.here.open(opened("s", kind))
    lab.wait(lab.here.bind("s", "10.1.0.2:7"))
    if kind == "tcp":
        lab.here.listen("s")
    attempt = lab.here.receive("s") if kind == "udp" else lab.here.accept("s", "a")
    lab.server.apply(changes.InterfaceRemoved(lab.server.interface_index("if1")))
    with pytest.raises(Failed) as failed:
        lab.wait(attempt)
    assert (failed.value.outcome, failed.value.detail) == ("interface-removed", "STATUS_FILE_FORCED_CLOSED")


# Owners


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("",), ("",), "ok"),
        (("user",), ("user",), "denied"),
        (("user", "user"), ("user",), "ok"),
        (("alice", "bob"), ("bob",), "ok"),
        (("alice", "bob"), ("alice",), "denied"),
        (("alice",), ("",), "denied"),
    ],
)
def test_who_shares_a_port_is_told_by_owner_and_descriptor(
    lab: Lab, first: tuple[str, ...], second: tuple[str, ...], told: str
) -> None:
    """Without an owner a descriptor admits the socket's own account; with one, those that are listed."""
    lab.here.open(opened("one", "udp", "ipv4", *first))
    lab.wait(lab.here.bind("one", "0.0.0.0:7"))
    lab.here.open(opened("two", "udp", "ipv4", *second))
    assert outcome(lab, lab.here.bind("two", "10.1.0.2:7")) == told


# Options that steer


def test_a_socket_sends_through_the_interface_that_was_named(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.here.option("s", "unicast-if", "if2")
    assert outcome(lab, lab.here.send("s", "hi", "10.1.0.50:7", "", "")) in ("no-route", "not-local")
    lab.here.option("s", "unicast-if", "if1")
    assert lab.wait(lab.here.send("s", "hi", "10.1.0.50:7", "", "")) == "ok"


@pytest.mark.rule("BIND-32")
def test_a_raw_number_in_the_wrong_order_is_no_interface(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    index = lab.server.interface_index("if1")
    with pytest.raises(Failed, match="not-local"):
        lab.here.option("s", "unicast-if", int(index))
    lab.here.option("s", "unicast-if", int(index) << 24)


def test_a_list_of_interfaces_keeps_the_others_out(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    lab.here.option("s", "interface-list", "if2")
    lab.wait(lab.there.send("c", "out", "10.1.0.2:7", "", ""))
    assert lab.wait(lab.here.receive("s")) == "nothing"
    lab.here.option("s", "interface-list", "if1, if2")
    lab.wait(lab.there.send("c", "in", "10.1.0.2:7", "", ""))
    assert lab.wait(lab.here.receive("s")) == "in from 10.1.0.50:5000"


@pytest.mark.parametrize(("is_told", "told"), [(True, "port-unreachable"), (False, "nothing")])
def test_an_unreachable_port_is_told_unless_switched_off(lab: Lab, is_told: bool, told: str) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.here.option("s", "connection-reset", is_told)
    attempt = lab.here.receive("s")
    lab.wait(lab.here.send("s", "hi", "10.1.0.50:9", "", ""))
    assert outcome(lab, attempt) == told


@pytest.mark.parametrize(
    ("family", "to", "source"),
    [
        ("ipv4", "10.1.0.50", "10.1.0.2"),
        ("ipv4", "10.2.0.9:80", "10.2.0.2"),
        ("ipv6", "2001:db8:1::50", "2001:db8:1::2"),
        ("dual", "10.1.0.50", "::ffff:10.1.0.2"),
    ],
)
def test_a_route_query_tells_the_source(lab: Lab, family: str, to: str, source: str) -> None:
    lab.here.open(opened("s", family=family))
    assert lab.here.route_query("s", to) == source


def test_a_route_query_without_a_route_is_an_outcome(lab: Lab) -> None:
    lab.here.open(opened("s"))
    with pytest.raises(Failed, match="no-route"):
        lab.here.route_query("s", "192.0.2.1")


def test_the_address_list_has_what_may_be_bound(lab: Lab) -> None:
    lab.here.open(opened("s"))
    assert set(lab.here.address_list("s").split()) == {"10.1.0.2", "10.2.0.2"}
    lab.here.open(opened("t", family="ipv6"))
    assert any(address.endswith("%if1") for address in lab.here.address_list("t").split())


# Connections


def test_a_connection_is_accepted_with_both_names(lab: Lab) -> None:
    lab.here.open(opened("l", "tcp"))
    lab.there.open(opened("c", "tcp"))
    lab.wait(lab.here.bind("l", "0.0.0.0:80"))
    lab.here.listen("l")
    lab.wait(lab.there.bind("c", "0.0.0.0:5000"))
    waiting = lab.here.accept("l", "a")
    assert waiting.poll() is None
    assert lab.wait(lab.there.connect("c", "10.1.0.2:80")) == "ok"
    assert lab.wait(waiting) == "10.1.0.50:5000 at 10.1.0.2:80"
    assert (lab.here.name("a"), lab.here.peer("a")) == ("10.1.0.2:80", "10.1.0.50:5000")
    assert (lab.there.name("c"), lab.there.peer("c")) == ("10.1.0.50:5000", "10.1.0.2:80")


def test_data_goes_both_ways_until_one_side_finishes(lab: Lab) -> None:
    lab.connected()
    assert lab.wait(lab.there.send("c", "hello", None, "", "")) == "ok"
    assert lab.wait(lab.here.receive("a")) == "hello"
    lab.there.finish("c")
    assert lab.wait(lab.here.receive("a")) == "closed"
    assert lab.wait(lab.here.send("a", "bye", None, "", "")) == "ok"
    assert lab.wait(lab.there.receive("c")) == "bye"


def test_a_socket_closed_before_it_has_finished_resets_the_connection(lab: Lab) -> None:
    lab.connected()
    lab.there.close("c")
    assert outcome(lab, lab.here.receive("a")) == "reset"


def test_nobody_to_accept_and_nobody_to_connect_to(lab: Lab) -> None:
    lab.here.open(opened("l", "tcp"))
    lab.wait(lab.here.bind("l", "10.1.0.2:80"))
    with pytest.raises(Failed, match="invalid-state"):
        lab.wait(lab.here.accept("l", "a"))
    lab.there.open(opened("c", "tcp"))
    lab.wait(lab.there.bind("c", "0.0.0.0:0"))
    assert outcome(lab, lab.there.connect("c", "10.1.0.2:81")) in ("refused", "pending")
    lab.here.listen("l")
    assert lab.wait(lab.here.accept("l", "a")) == "nothing"


def test_a_connect_that_nobody_answers_goes_on(lab: Lab) -> None:
    lab.server.interfaces["if1"].set_up(False)
    lab.there.open(opened("c", "tcp"))
    lab.wait(lab.there.bind("c", "0.0.0.0:5000"))
    attempt = lab.there.connect("c", "10.1.0.2:80")
    assert lab.wait(attempt) == "pending"
    lab.there.close("c")
    with pytest.raises(Failed, match="cancelled"):
        attempt.poll()


# Decisions


def test_a_bind_leaves_the_decision_behind_it(lab: Lab) -> None:
    lab.udp(lab.here, "one", "0.0.0.0:7")
    lab.here.decisions.clear()
    lab.here.open(opened("two"))
    assert outcome(lab, lab.here.bind("two", "0.0.0.0:7")) == "in-use"
    assert [decision.question for decision in lab.here.decisions] == ["bind UDP the wildcard port 7"]
    assert lab.here.decisions[0].answer == "address in use"


def test_a_send_leaves_its_path_and_a_receive_its_arrival(lab: Lab) -> None:
    lab.udp(lab.here, "s", "0.0.0.0:7")
    lab.udp(lab.there, "c", "0.0.0.0:5000")
    lab.there.decisions.clear()
    lab.here.decisions.clear()
    lab.wait(lab.there.send("c", "hi", "10.1.0.2:7", "", ""))
    lab.wait(lab.here.receive("s"))
    assert [decision.question for decision in lab.there.decisions] == ["path to 10.1.0.2"]
    (arrival,) = lab.here.decisions
    assert arrival.question == "UDP from 10.1.0.50 port 5000 to 10.1.0.2 port 7"
    assert any(candidate.is_winner for candidate in arrival.candidates)


def test_a_path_is_explained_with_what_the_socket_is_bound_to(lab: Lab) -> None:
    lab.udp(lab.there, "c", "10.1.0.50:5000")
    lab.there.decisions.clear()
    lab.wait(lab.there.connect("c", "10.1.0.2:7"))
    assert [decision.question for decision in lab.there.decisions] == ["path to 10.1.0.2 from 10.1.0.50"]
