"""One question, and what each behaviour set makes of it."""

from __future__ import annotations

import pytest

from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.host import Host, Network
from wsknet.inspect.explain import explain_result, result_data
from wsknet.inspect.what_if import Arrives, Held, MayBind, Name, Result, Towards, ask
from wsknet.net.changes import InterfaceChanged
from wsknet.text import format_address, parse_address
from wsknet.transport.sharing import Sharing
from wsknet.types import Endpoint, IfIndex, Proto

IF1, IF2 = IfIndex(2), IfIndex(3)
SETS = {"windows": WINDOWS, "linux": LINUX, "bsd": BSD}
WILDCARD = {4: bytes(4), 6: bytes(16)}


def two_homed(behaviour: Behaviour) -> Host:
    """The standard host of the binding catalogue, IPv6 alike, with a second address on the first interface."""
    host = Network().host("server", behaviour)
    host.interface("if1", "10.1.0.2/24", "10.1.0.9/24", "2001:db8:1::2/64", "2001:db8:1::9/64", metric=25)
    host.interface("if2", "10.2.0.2/24", "2001:db8:2::2/64", metric=35)
    host.route("0.0.0.0/0", via="10.1.0.1", metric=0)
    host.route("::/0", via="2001:db8:1::1", metric=0)
    return host


def end(address: str, port: int, zone: int = 0) -> Endpoint:
    return Endpoint(parse_address(address), port, zone)


def name(address: str, port: int) -> Name:
    return Name(parse_address(address), port)


def arrival(to: str, asker: str, *held: Held, on: int = IF1, protocol: Proto = Proto.UDP) -> dict[str, Result]:
    return ask(two_homed, Arrives(protocol, end(to, 53), end(asker, 4000), on, held), SETS)


def source(result: Result) -> str | None:
    return None if result.source is None else format_address(result.source)


@pytest.mark.rule("BIND-1")
@pytest.mark.parametrize("protocol", [Proto.UDP, Proto.TCP])
def test_a_wildcard_server_answers_from_the_other_address_but_a_listener_from_the_one_dialled(protocol: Proto) -> None:
    answers = arrival("10.1.0.9", "10.1.0.50", Held(name("0.0.0.0", 53)), protocol=protocol)
    expected = "10.1.0.2" if protocol is Proto.UDP else "10.1.0.9"
    assert {system: source(result) for system, result in answers.items()} == dict.fromkeys(SETS, expected)
    for result in answers.values():
        is_other = "not from 10.1.0.9, which was asked" in result.outcome
        assert is_other == (protocol is Proto.UDP)
        assert ("IP_PKTINFO" in result.advice) == (protocol is Proto.UDP)
        assert [part.question for part in result.parts] == [
            "Is 10.1.0.9 ours on if1?",
            "Which socket gets it?",
            "From which address does the answer leave?",
        ]


@pytest.mark.rule("BIND-4")
def test_a_socket_on_the_address_itself_answers_from_it_and_needs_no_advice() -> None:
    result = arrival("10.1.0.9", "10.1.0.50", Held(name("10.1.0.9", 53)))["windows"]
    assert (source(result), result.advice) == ("10.1.0.9", "")


def test_ipv6_is_answered_by_its_own_rules() -> None:
    answers = arrival("2001:db8:1::9", "2001:db8:1::50", Held(name("::", 53)))
    assert {source(result) for result in answers.values()} == {"2001:db8:1::2"}
    assert "IPV6_PKTINFO" in answers["windows"].advice


@pytest.mark.rule("BIND-31", "BIND-1.7.10")
@pytest.mark.parametrize(
    ("to", "asker"), [("10.2.0.2", "10.1.0.50"), ("2001:db8:2::2", "2001:db8:1::50")], ids=["ipv4", "ipv6"]
)
def test_the_address_of_another_interface_is_dropped_by_the_strong_host_alone(to: str, asker: str) -> None:
    answers = arrival(to, asker, Held(Name(bytes(len(parse_address(to))), 53)))
    dropped = f"is dropped before any socket sees it: {to} belongs to if2, and the packet arrives on if1"
    assert answers["windows"].outcome == dropped
    assert answers["linux"].outcome.startswith("reaches ")
    assert answers["linux"].source == answers["bsd"].source != parse_address(to)
    decision = answers["linux"].parts[0].decision
    assert decision is not None
    assert decision.rule == "an address of the host counts on every interface, on if1, too"


def test_a_router_has_its_addresses_on_every_interface() -> None:
    def router(behaviour: Behaviour) -> Host:
        host = two_homed(behaviour)
        host.apply(InterfaceChanged(IF1, forwarding=True))
        return host

    question = Arrives(Proto.UDP, end("10.2.0.2", 53), end("10.1.0.50", 4000), IF1, (Held(name("0.0.0.0", 53)),))
    result = ask(router, question, SETS)["windows"]
    assert result.outcome.startswith("reaches ")
    decision = result.parts[0].decision
    assert decision is not None
    assert decision.rule == "a router's address counts on every interface, on if1, too"


def test_without_an_interface_the_packet_arrives_where_its_destination_is() -> None:
    result = arrival("10.2.0.2", "10.1.0.50", Held(name("0.0.0.0", 53)), on=0)["windows"]
    assert result.outcome == (
        "reaches 0.0.0.0:53; the answer leaves from 10.1.0.2, not from 10.2.0.2, which was asked, "
        "and through if1, not if2"
    )


def linked(behaviour: Behaviour) -> Host:
    """The same link-local address on both interfaces."""
    host = two_homed(behaviour)
    for each in host.interfaces.values():
        each.add_address("fe80::a/64")
    return host


@pytest.mark.parametrize(("on", "is_heard"), [(IF1, True), (IF2, False)])
def test_a_link_local_socket_hears_its_own_link_and_answers_there(on: IfIndex, is_heard: bool) -> None:
    held = Held(Name(parse_address("fe80::a"), 53, IF1))
    question = Arrives(Proto.UDP, end("fe80::a", 53), end("fe80::99", 4000), on, (held,))
    for result in ask(linked, question, SETS).values():
        assert (source(result) == "fe80::a") == is_heard
        assert result.outcome.startswith("reaches [fe80::a%2]:53" if is_heard else "reaches nobody")


@pytest.mark.rule("BIND-1.7.8")
@pytest.mark.parametrize(
    ("asker", "outcome"),
    [
        ("10.1.0.50", "reaches 10.1.0.2:53"),
        ("10.1.0.51", "reaches nobody, and nothing is sent back: the socket takes datagrams of its peer alone"),
    ],
)
def test_a_connected_socket_takes_its_peer_alone(asker: str, outcome: str) -> None:
    held = Held(name("10.1.0.2", 53), peer=end("10.1.0.50", 4000))
    result = arrival("10.1.0.2", asker, held)["windows"]
    assert result.outcome.startswith(outcome)


@pytest.mark.parametrize(("protocol", "told"), [(Proto.UDP, "port unreachable"), (Proto.TCP, "reset")])
def test_what_nobody_takes_is_refused_to_the_sender(protocol: Proto, told: str) -> None:
    result = arrival("10.1.0.2", "10.1.0.50", Held(name("10.1.0.9", 53)), protocol=protocol)["windows"]
    assert told in result.outcome
    assert result.parts[-1].answer == "nobody"


@pytest.mark.rule("BIND-18", "BIND-21")
@pytest.mark.parametrize(
    ("destination", "bound"), [("8.8.8.8", "10.2.0.2"), ("2001:4860::8", "2001:db8:2::2")], ids=["ipv4", "ipv6"]
)
def test_a_strong_host_has_no_way_from_the_other_address_and_a_weak_one_has(destination: str, bound: str) -> None:
    answers = ask(two_homed, Towards(Proto.TCP, end(destination, 443), name(bound, 0)), SETS)
    assert answers["windows"].error is ErrorKind.NO_ROUTE
    assert answers["windows"].source is None
    for system in ("linux", "bsd"):
        assert answers[system].error is None
        assert source(answers[system]) == bound
        assert answers[system].outcome.startswith("leaves through if1 to the router ")


def test_an_address_that_is_not_ours_fails_at_bind_already() -> None:
    result = ask(two_homed, Towards(Proto.UDP, end("8.8.8.8", 53), name("10.9.9.9", 0)), SETS)["windows"]
    assert result.error is ErrorKind.NOT_LOCAL
    assert result.outcome.startswith("fails at bind already")


@pytest.mark.rule("BIND-55")
@pytest.mark.parametrize(
    ("protocol", "words"), [(Proto.UDP, "must set SO_BROADCAST"), (Proto.TCP, "a broadcast address cannot be a peer")]
)
def test_a_broadcast_needs_an_option_and_is_nobody_to_connect_to(protocol: Proto, words: str) -> None:
    result = ask(two_homed, Towards(protocol, end("10.1.0.255", 9)), SETS)["windows"]
    assert words in result.outcome
    assert (result.error is None) == (protocol is Proto.UDP)


def test_the_interface_that_the_program_demands_is_kept_to() -> None:
    question = Towards(Proto.UDP, end("8.8.8.8", 53), through=IF2)
    assert ask(two_homed, question, SETS)["windows"].error is ErrorKind.NO_ROUTE


@pytest.mark.rule("BIND-35")
def test_our_own_address_is_reached_without_a_wire() -> None:
    result = ask(two_homed, Towards(Proto.TCP, end("10.2.0.2", 80)), SETS)["windows"]
    assert result.outcome == "stays inside the host, whose own address 10.2.0.2 is, from the address 10.2.0.2"


@pytest.mark.rule("BIND-16", "BIND-11")
@pytest.mark.parametrize(
    ("first", "second", "sharing", "windows", "linux"),
    [
        ("10.1.0.2", "0.0.0.0", Sharing.EXCLUSIVE, None, ErrorKind.IN_USE),
        ("0.0.0.0", "10.1.0.2", Sharing.EXCLUSIVE, ErrorKind.DENIED, ErrorKind.IN_USE),
        ("10.1.0.2", "10.1.0.9", Sharing.DEFAULT, None, None),
        ("2001:db8:1::2", "::", Sharing.DEFAULT, None, ErrorKind.IN_USE),
        ("0.0.0.0", "::", Sharing.DEFAULT, None, ErrorKind.IN_USE),
    ],
)
def test_a_bind_beside_another_is_judged_by_the_table_of_each_set(
    first: str, second: str, sharing: Sharing, windows: ErrorKind | None, linux: ErrorKind | None
) -> None:
    """``::`` alone is for IPv6 on Windows and for both families on Linux."""
    question = MayBind(Proto.TCP, name(second, 80), held=(Held(name(first, 80), sharing),))
    answers = ask(two_homed, question, SETS)
    assert (answers["windows"].error, answers["linux"].error) == (windows, linux)
    for result in answers.values():
        [part] = result.parts
        assert part.decision is not None
        assert part.decision.candidates[0].what.endswith(f"port 80, {sharing.value}")


def test_sockets_that_cannot_be_there_together_are_told() -> None:
    held = (Held(name("0.0.0.0", 80)), Held(name("0.0.0.0", 80)))
    result = ask(two_homed, MayBind(Proto.UDP, name("10.1.0.2", 80), held=held), SETS)["windows"]
    assert result.error is ErrorKind.IN_USE
    assert result.outcome.startswith("does not come to that: the socket 0.0.0.0:80 fails at its bind already")
    assert explain_result(result) == []


def test_a_v4_mapped_name_is_the_ipv4_name() -> None:
    question = MayBind(Proto.TCP, name("::ffff:10.1.0.2", 80), held=(Held(name("10.1.0.2", 80)),))
    assert ask(two_homed, question, SETS)["windows"].error is ErrorKind.IN_USE


def test_an_answer_as_data_has_every_candidate() -> None:
    data = result_data(arrival("10.1.0.9", "10.1.0.50", Held(name("0.0.0.0", 53)))["windows"])
    path = data["why"][2]["decision"]
    sources = {candidate["what"]: candidate["taken"] for candidate in path["parts"][1]["candidates"]}
    assert sources == {"10.1.0.9/24 on if1": False, "10.1.0.2/24 on if1": True}
    assert (data["source"], data["error"]) == ("10.1.0.2", None)


@pytest.mark.parametrize("protocol", [Proto.UDP, Proto.TCP])
def test_nobody_is_told_of_a_broadcast_that_came_in_vain(protocol: Proto) -> None:
    """No ICMP error and no reset answer a broadcast (RFC 1122 3.2.2 and 4.2.3.10), and TCP hears none."""
    result = arrival("10.1.0.255", "10.1.0.50", Held(name("0.0.0.0", 54)), protocol=protocol)["windows"]
    assert result.outcome.startswith("reaches nobody, and nothing is sent back")


def test_a_broadcast_is_answered_from_an_address_and_nothing_else_is_advised() -> None:
    result = arrival("10.1.0.255", "10.1.0.50", Held(name("0.0.0.0", 53)))["windows"]
    assert (result.outcome, source(result)) == ("reaches 0.0.0.0:53; the answer leaves from 10.1.0.2", "10.1.0.2")
    assert result.advice == ""


def without_routes(behaviour: Behaviour) -> Host:
    host = Network().host("server", behaviour)
    host.interface("if1", "10.1.0.2/24")
    return host


def test_what_is_not_ours_is_dropped_though_nothing_leads_back_to_the_asker() -> None:
    question = Arrives(Proto.UDP, end("9.9.9.9", 53), end("1.1.1.1", 4000), 0, (Held(name("0.0.0.0", 53)),))
    result = ask(without_routes, question, SETS)["windows"]
    assert result.outcome == "is dropped before any socket sees it: 9.9.9.9 is not an address of this host"


def test_a_broadcast_may_be_heard_and_the_answer_fail() -> None:
    question = Arrives(Proto.UDP, end("10.1.0.255", 53), end("1.1.1.1", 4000), IF1, (Held(name("0.0.0.0", 53)),))
    result = ask(without_routes, question, SETS)["windows"]
    assert result.outcome.startswith("reaches 0.0.0.0:53, but the answer fails: network unreachable")
    assert (result.error, result.source) == (ErrorKind.NO_ROUTE, None)


def test_every_socket_that_hears_a_broadcast_is_told() -> None:
    held = (Held(name("0.0.0.0", 53), Sharing.REUSE), Held(name("10.1.0.2", 53), Sharing.REUSE))
    result = arrival("10.1.0.255", "10.1.0.50", *held)["windows"]
    assert result.outcome == "every one of 0.0.0.0:53, 10.1.0.2:53 gets a copy"


def test_what_the_host_sends_to_itself_arrives_on_no_wire() -> None:
    result = arrival("10.2.0.2", "10.1.0.2", Held(name("0.0.0.0", 53)), on=0)["windows"]
    assert result.parts[0].question == "Which socket gets it?"
    assert result.outcome.startswith("reaches 0.0.0.0:53; the answer leaves from ")
