"""`Stack.resolve` and `Stack.explain`: the same answer, what really happens then, and every candidate on request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Host, Network
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.transport.queries import Answer, ArrivalQuery, BindQuery, OrderQuery, PathQuery, Query
from wsknet.transport.sharing import Sharing
from wsknet.types import Cover, Endpoint, LocalName, Proto, family_of

ADDRESSES = [
    "10.1.0.2", "10.2.0.2", "10.1.0.50", "10.2.0.50", "8.8.8.8", "127.0.0.1", "10.9.9.9",
    "2001:db8:1::2", "2001:db8:1::9", "2001:4860::8", "::1",
]  # fmt: skip
PACKED = [parse_address(address) for address in ADDRESSES]


def two_homed(network: Network, name: str = "multi") -> Host:
    """The standard host of the binding catalogue: two interfaces, the default route on the first."""
    host = network.host(name)
    host.interface("if1", "10.1.0.2/24", "2001:db8:1::2/64")
    host.interface("if2", "10.2.0.2/24")
    host.route("0.0.0.0/0", via="10.1.0.1")
    return host


@pytest.fixture
def host() -> Iterator[Host]:
    with Network(seed=1) as network:
        yield two_homed(network)


def outcome(answer: Answer) -> object:
    if answer.error is not None:
        return answer.error.kind
    if answer.path is not None:
        path = answer.path
        return path.interface.name, path.source, path.next_hop, path.is_local
    return answer.name or answer.receiver


queries = st.one_of(
    st.builds(
        PathQuery,
        destination=st.sampled_from(PACKED),
        source=st.none() | st.sampled_from(PACKED),
    ).filter(lambda query: query.source is None or len(query.source) == len(query.destination)),
    st.builds(
        lambda protocol, address, port, sharing: BindQuery(
            protocol, LocalName(Cover(family_of(address).value), address, port), sharing
        ),
        st.sampled_from([Proto.TCP, Proto.UDP]),
        st.sampled_from(PACKED),
        st.sampled_from([7, 80]),
        st.sampled_from(list(Sharing)),
    ),
    st.builds(
        ArrivalQuery,
        st.sampled_from([Proto.TCP, Proto.UDP]),
        st.builds(Endpoint, st.sampled_from(PACKED[:2]), st.sampled_from([7, 80])),
        st.builds(Endpoint, st.sampled_from(PACKED[2:5]), st.just(5000)),
    ),
)
bound = st.lists(
    st.tuples(st.sampled_from([None, PACKED[0], PACKED[1]]), st.sampled_from([7, 80]), st.sampled_from(list(Sharing))),
    max_size=4,
)


@settings(max_examples=60)
@given(holders=bound, asked=st.lists(queries, min_size=1, max_size=5))
def test_explaining_changes_no_answer_and_has_no_effect(
    holders: list[tuple[bytes | None, int, Sharing]], asked: list[Query]
) -> None:
    with Network(seed=1) as network:
        stack = two_homed(network).stack
        for address, port, sharing in holders:
            endpoint = stack.udp.open(Cover.IPV4)
            try:
                endpoint.bind(LocalName(Cover.IPV4, address, port), network.driver.now(), sharing)
            except NetError:
                endpoint.close(network.driver.now())
        before = stack.view()
        for query in asked:
            answer, why = stack.explain(query)
            assert outcome(answer) == outcome(stack.resolve(query))
            assert why.question
            assert why.answer
            assert why.rule
        assert stack.view() == before


@pytest.mark.rule("BIND-20", "BIND-35")
@pytest.mark.parametrize(
    ("destination", "source", "expected"),
    [
        ("8.8.8.8", None, ("if1", "10.1.0.2", "10.1.0.1", False)),
        ("10.2.0.50", None, ("if2", "10.2.0.2", "10.2.0.50", False)),
        ("10.1.0.2", None, ("if1", "10.1.0.2", "10.1.0.2", True)),
        ("8.8.8.8", "10.2.0.2", ErrorKind.NO_ROUTE),
        ("8.8.8.8", "10.3.0.2", ErrorKind.NOT_LOCAL),
    ],
)
def test_the_path_is_the_one_that_windows_takes(
    host: Host, destination: str, source: str | None, expected: tuple[str, str, str, bool] | ErrorKind
) -> None:
    found = outcome(
        host.stack.resolve(PathQuery(parse_address(destination), parse_address(source) if source else None))
    )
    if isinstance(expected, tuple):
        name, own, hop, is_local = expected
        assert found == (name, parse_address(own), parse_address(hop), is_local)
    else:
        assert found is expected


def test_a_bind_answers_what_binding_then_does(host: Host) -> None:
    name = LocalName(Cover.IPV4, None, 7)
    assert host.stack.resolve(BindQuery(Proto.UDP, name)).name == name
    endpoint = host.stack.udp.open(Cover.IPV4)
    with host.pump as now:
        endpoint.bind(name, now)
    answer, why = host.stack.explain(BindQuery(Proto.UDP, name))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.IN_USE
    assert why.candidates[0].what == "the IPV4 wildcard port 7, default"
    assert host.stack.resolve(BindQuery(Proto.TCP, name)).error is None


@pytest.mark.rule("RFC5227-2.1", "RFC4862-5.4")
@pytest.mark.parametrize("cidr", ["10.1.0.2/24", "2001:db8:1::2/64"])
def test_an_address_that_another_host_has_is_explained(cidr: str) -> None:
    with Network(seed=1) as network:
        holder = network.host("holder").interface("if1", cidr)
        late = network.host("late").interface("if1", auto=AutoConfig(duplicate_detection=True))
        network.link(holder, late)
        late.add_address(cidr)
        network.run_for(10)

        address = parse_address(cidr.split("/", maxsplit=1)[0])
        cover = Cover(family_of(address).value)
        answer, why = late.host.stack.explain(BindQuery(Proto.UDP, LocalName(cover, address, 7)))

        assert answer.error is not None
        assert answer.error.kind is ErrorKind.NOT_LOCAL
        text = f"{cidr.split('/', maxsplit=1)[0]} is in use by {holder.mac.hex(':')} on if1: not ours to use"
        assert (why.rule, why.reference.startswith("RFC")) == (text, True)
        assert address in holder.host.addresses()
        assert address not in late.host.addresses()


def test_an_arrival_names_the_socket_that_gets_the_packet(host: Host) -> None:
    query = ArrivalQuery(Proto.UDP, Endpoint(PACKED[0], 7), Endpoint(PACKED[2], 5000))
    assert host.stack.resolve(query).receiver is None
    endpoint = host.stack.udp.open(Cover.IPV4)
    with host.pump as now:
        endpoint.bind(LocalName(Cover.IPV4, None, 7), now)
    answer, why = host.stack.explain(query)
    assert answer.receiver is endpoint
    assert why.answer == "wildcard"


@pytest.mark.rule("RFC6724-6")
def test_an_order_tells_which_rule_puts_one_before_the_other(host: Host) -> None:
    far, near = parse_address("2001:4860::8"), parse_address("2001:db8:1::9")
    query = OrderQuery((far, near))
    assert host.stack.resolve(query).order == (near, far)
    answer, why = host.stack.explain(query)
    assert answer.order == (near, far)
    assert [candidate.what for candidate in why.candidates] == ["2001:db8:1::9", "2001:4860::8"]
    assert why.rule == "1: avoid unusable destinations"


@pytest.mark.rule("BIND-1.7.10", "BIND-31")
@pytest.mark.parametrize(("address", "index"), [("10.2.0.2", 2), ("10.9.9.9", 2)])
def test_an_arrival_on_an_interface_asks_first_whether_it_is_ours(host: Host, address: str, index: int) -> None:
    endpoint = host.stack.udp.open(Cover.IPV4)
    with host.pump as now:
        endpoint.bind(LocalName(Cover.IPV4, None, 7), now)
    query = ArrivalQuery(Proto.UDP, Endpoint(parse_address(address), 7), Endpoint(PACKED[2], 5000), index)
    answer, why = host.stack.explain(query)
    assert (answer.receivers, answer.drop) == ((), DropReason.IP_NOT_LOCAL)
    assert why.answer == "nobody"
    assert why.parts[0].answer == "no, it is dropped: not locally destined"


def test_an_arrival_on_an_interface_that_is_not_there_is_refused(host: Host) -> None:
    query = ArrivalQuery(Proto.UDP, Endpoint(PACKED[0], 7), Endpoint(PACKED[2], 5000), 9)
    error = host.stack.resolve(query).error
    assert error is not None
    assert error.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.rule("BIND-1.7.7")
def test_a_broadcast_goes_to_everybody_who_hears_it(host: Host) -> None:
    listeners = []
    for address in (None, PACKED[0], PACKED[1]):
        endpoint = host.stack.udp.open(Cover.IPV4)
        with host.pump as now:
            endpoint.bind(LocalName(Cover.IPV4, address, 7), now, Sharing.REUSE)
        listeners.append(endpoint)
    query = ArrivalQuery(Proto.UDP, Endpoint(parse_address("10.1.0.255"), 7), Endpoint(PACKED[2], 5000), 2)
    answer, why = host.stack.explain(query)
    assert set(answer.receivers) == set(listeners[:2])
    assert why.answer == "2 sockets"


@pytest.mark.rule("BIND-1.7.10")
@pytest.mark.parametrize("arrives_on", [2, 3])
@pytest.mark.parametrize("is_up", [True, False])
def test_whose_address_it_is_is_told_and_why_it_does_not_count(host: Host, arrives_on: int, is_up: bool) -> None:
    host.interfaces["if2"].set_up(is_up)
    query = ArrivalQuery(Proto.UDP, Endpoint(PACKED[1], 7), Endpoint(PACKED[2], 5000), arrives_on)
    _, why = host.stack.explain(query)
    [owner] = why.parts[0].candidates
    here = "the interface that the packet arrives on"
    verdict = here if arrives_on == 3 else "counts on if2 alone (strong host receive)"
    assert (owner.what, owner.verdict) == ("10.2.0.2 on if2", verdict if is_up else "if2 is down")
    assert owner.is_winner == (is_up and arrives_on == 3)
