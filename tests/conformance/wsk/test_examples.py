"""The drivers of `examples.wsk` in virtual time, a strict verifier on, under every fault switch.

Whatever is switched on, a driver ends cleanly: it has done its work, or says by a status why it has not, and nothing of
it is left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle
from random import Random
from types import ModuleType
from typing import Any

import pytest

from examples.wsk import addresses, blocking, echo_events, echo_irps, udp_echo
from tests.support import wsk_fault_sets
from tests.support.wsk_fault_sets import (
    ADDRESSES,
    ALLOCATIONS,
    CLIENT,
    CLIENT6,
    COMPLETIONS,
    LONGEST,
    PORT,
    Bench,
    Completions,
    fail_allocation,
    kill_sockets,
)
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.types import MICROSECOND, MILLISECOND, SECOND, Duration
from wsknet.wsk import (
    NT_SUCCESS,
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_CONNECTION_REFUSED,
    STATUS_DEVICE_NOT_READY,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_REMOTE_DISCONNECT,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    THREAD_ALL_ACCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_WAITALL,
    Completing,
    Executive,
    KernelMode,
    KeWaitForSingleObject,
    PsCreateSystemThread,
    faults_of,
    require_nothing_left,
    simple,
    verify,
)

TCP = (echo_events, echo_irps, blocking)
ALL = (*TCP, udp_echo)

MESSAGES = (b"first", b"the second one", bytes(range(256)) * 12)
"""The last one takes more than one segment."""

every_example = pytest.mark.parametrize("example", ALL, ids=lambda module: module.__name__.split(".")[-1])
both_families = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])


@pytest.fixture
def bench() -> Any:
    with wsk_fault_sets.bench() as made:
        yield made


class Outcome:
    """Of one conversation between a server and a client, both unloaded since."""

    def __init__(self) -> None:
        self.server_entry: NTSTATUS | None = None
        self.client_entry: NTSTATUS | None = None
        self.status: NTSTATUS | None = None
        self.received = b""

    @property
    def is_done(self) -> bool:
        return self.status == STATUS_SUCCESS and self.received == b"".join(MESSAGES)

    @property
    def has_failed(self) -> bool:
        """And said so."""
        return any(
            status is not None and not NT_SUCCESS(status)
            for status in (self.server_entry, self.client_entry, self.status)
        )


def converse(example: Any, bench: Bench, version: int = 4) -> Outcome:
    """Load both drivers, wait until the client has done, unload both."""
    outcome = Outcome()
    address = simple.address(ADDRESSES[version], PORT)
    server, client = example.SERVER(address), example.CLIENT(address, MESSAGES)
    with bench.server.activate():
        outcome.server_entry = example.ServerEntry(server)
    with bench.client.activate():
        outcome.client_entry = example.ClientEntry(client)
        if NT_SUCCESS(outcome.client_entry):
            waited = KeWaitForSingleObject(client.Done, Executive, KernelMode, False, -LONGEST // 100)
            assert waited != STATUS_TIMEOUT, "the client hangs"
            example.ClientUnload(client)
            outcome.status, outcome.received = client.Status, client.Received
    if NT_SUCCESS(outcome.server_entry):
        with bench.server.activate():
            example.ServerUnload(server)
    bench.require_nothing_left()
    return outcome


# Completions


@both_families
@pytest.mark.parametrize("completions", COMPLETIONS, ids=str)
@every_example
def test_however_completions_come(example: ModuleType, completions: Completions, version: int, bench: Bench) -> None:
    completions.apply(*bench.hosts)
    assert converse(example, bench, version).is_done


@every_example
def test_the_same_again_takes_the_same_steps(example: ModuleType) -> None:
    ends = []
    for _ in range(2):
        with wsk_fault_sets.bench() as bench:
            assert converse(example, bench).is_done
            ends.append(bench.network.driver.now())
    assert ends[0] == ends[1]


# Allocations


@pytest.mark.parametrize("is_server", [False, True], ids=["client", "server"])
@pytest.mark.parametrize("function", ALLOCATIONS, ids=lambda name: name or "any")
@every_example
def test_whichever_allocation_fails(example: ModuleType, function: str, is_server: bool) -> None:
    """The first, the second and so on, until there are not so many."""
    failures = 0
    for nth in range(1, 100):
        with wsk_fault_sets.bench() as bench:
            has_failed = fail_allocation(bench.server if is_server else bench.client, function, nth)
            outcome = converse(example, bench)
            assert outcome.is_done or outcome.has_failed
            if not has_failed():
                assert outcome.is_done
                break
            failures += 1
    assert failures or (function, is_server) in ALLOCATES_NONE[example.__name__.split(".")[-1]]


ALLOCATES_NONE = {
    "echo_events": {("IoAllocateMdl", True), ("ExAllocatePool2", True)},
    "echo_irps": set(),
    "blocking": set(),
    "udp_echo": {("IoAllocateMdl", True), ("ExAllocatePool2", True)},
}
"""A server that sends back what was indicated needs no memory of its own."""


@every_example
def test_a_driver_that_gets_no_memory_at_all_says_so(example: ModuleType, bench: Bench) -> None:
    server, client = (
        example.SERVER(simple.address(ADDRESSES[4], PORT)),
        example.CLIENT(simple.address(ADDRESSES[4], PORT), MESSAGES),
    )
    for host, entry, driver in (
        (bench.server, example.ServerEntry, server),
        (bench.client, example.ClientEntry, client),
    ):
        fail_allocation(host, "", 1)
        with host.activate():
            assert entry(driver) == STATUS_INSUFFICIENT_RESOURCES
    bench.require_nothing_left()


# Sockets that are killed

MOMENTS: tuple[Duration, ...] = tuple(
    moment * MICROSECOND
    for moment in (0, 60, 160, 210, 260, 310, 360, 410, 510, 610, 810, 1010, 20_000, 60_000, 80_610, 80_710)
)
"""A round trip takes 100 us here; the whole conversation 81 ms with TCP, because of delayed acknowledgements."""


@pytest.mark.parametrize(
    ("is_server", "which"), [(False, 0), (True, 0), (True, 1)], ids=["client", "server", "accepted"]
)
@every_example
def test_sockets_that_die_at_any_moment(example: ModuleType, is_server: bool, which: int) -> None:
    killed = 0
    for moment, version in zip(MOMENTS, cycle((4, 4, 6, 6))):
        with wsk_fault_sets.bench() as bench:
            killed += kill_at(bench, is_server, which, moment, partial(converse, example, version=version))
    assert killed or (example is udp_echo and which == 1), "a datagram socket accepts nothing"


@pytest.mark.parametrize(
    "completions",
    [Completions(Completing.PENDING, 5 * MILLISECOND), Completions(Completing.INLINE), COMPLETIONS[-1]],
    ids=str,
)
@pytest.mark.parametrize("is_server", [False, True], ids=["client", "server"])
@every_example
def test_sockets_that_die_while_completions_come_otherwise(
    example: ModuleType, is_server: bool, completions: Completions
) -> None:
    step = 2 * completions.delay or 150 * MICROSECOND
    killed = 0
    for moment in range(0, 8 * step, step):
        with wsk_fault_sets.bench() as bench:
            completions.apply(*bench.hosts)
            killed += kill_at(bench, is_server, None, moment + 10, partial(converse, example))
    assert killed


def kill_at(bench: Bench, is_server: bool, which: int | None, moment: Duration, run: Callable[[Bench], Outcome]) -> int:
    host = bench.server if is_server else bench.client
    counts: list[int] = []
    bench.after(moment, lambda: counts.append(kill_sockets(host, which)))
    outcome = run(bench)
    assert outcome.is_done or outcome.has_failed
    return sum(counts)


# A provider that goes away


@every_example
def test_without_a_provider_a_driver_does_not_load(example: ModuleType, bench: Bench) -> None:
    for host in bench.hosts:
        faults_of(host).detach_provider()
    outcome = converse(example, bench)
    assert (outcome.server_entry, outcome.client_entry) == (STATUS_DEVICE_NOT_READY,) * 2


def detach_at(host: Host, bench: Bench, moment: Duration) -> None:
    bench.after(moment, faults_of(host).detach_provider)


@pytest.mark.parametrize("is_server", [False, True], ids=["client", "server"])
@every_example
def test_a_provider_that_goes_away_meanwhile(example: ModuleType, is_server: bool) -> None:
    for moment in MOMENTS:
        with wsk_fault_sets.bench() as bench:
            detach_at(bench.server if is_server else bench.client, bench, moment)
            outcome = converse(example, bench)
            assert outcome.is_done or outcome.has_failed


# Unloading early


@pytest.mark.parametrize("is_server_first", [False, True], ids=["client first", "server first"])
@pytest.mark.parametrize(
    "completions", [Completions(), Completions(Completing.PENDING, 5 * MILLISECOND), COMPLETIONS[-1]], ids=str
)
@every_example
def test_unloading_in_the_middle_of_it(example: Any, completions: Completions, is_server_first: bool) -> None:
    step = completions.delay or 50 * MICROSECOND
    for steps in range(8):
        with wsk_fault_sets.bench() as bench:
            completions.apply(*bench.hosts)
            address = simple.address(ADDRESSES[4 + steps % 2 * 2], PORT)
            server, client = example.SERVER(address), example.CLIENT(address, MESSAGES)
            with bench.server.activate():
                assert NT_SUCCESS(example.ServerEntry(server))
            with bench.client.activate():
                assert NT_SUCCESS(example.ClientEntry(client))
            bench.network.driver.run_for(steps * step)
            unloads = [(bench.client, example.ClientUnload, client), (bench.server, example.ServerUnload, server)]
            for host, unload, driver in unloads[::-1] if is_server_first else unloads:
                with host.activate():
                    unload(driver)
            bench.require_nothing_left()
            assert client.Status != STATUS_SUCCESS or client.Received == b"".join(MESSAGES)


# Peers that are not what they should be


def run_client(example: Any, bench: Bench, address: str) -> NTSTATUS:
    """Without its server; the status with which it ends."""
    client = example.CLIENT(simple.address(address, PORT), MESSAGES)
    with bench.client.activate():
        assert NT_SUCCESS(example.ClientEntry(client))
        KeWaitForSingleObject(client.Done, Executive, KernelMode, False, None)
        example.ClientUnload(client)
    require_nothing_left(bench.client)
    status: NTSTATUS = client.Status
    return status


@every_example
def test_a_client_without_a_route_says_so(example: ModuleType, bench: Bench) -> None:
    assert run_client(example, bench, "203.0.113.1") == STATUS_NETWORK_UNREACHABLE


@pytest.mark.parametrize("example", TCP, ids=lambda module: module.__name__.split(".")[-1])
def test_a_client_says_that_the_server_has_finished_early(example: ModuleType, bench: Bench) -> None:
    def Server(StartContext: object) -> None:
        with simple.Application() as application:
            _, listener = application.open(WSK_FLAG_LISTEN_SOCKET)
            simple.bind(listener, simple.address(ADDRESSES[4], PORT))
            _, connection = simple.accept(listener)
            simple.disconnect(connection)
            simple.receive(connection, Flags=WSK_FLAG_WAITALL)
            simple.close(connection)
            simple.close(listener)

    with bench.server.activate():
        PsCreateSystemThread([], THREAD_ALL_ACCESS, None, None, None, Server, None)
    assert run_client(example, bench, ADDRESSES[4]) == STATUS_REMOTE_DISCONNECT


@pytest.mark.parametrize("example", [echo_events, echo_irps], ids=["echo_events", "echo_irps"])
@pytest.mark.parametrize("moment", [0, MILLISECOND], ids=["at once", "later"])
def test_a_client_that_is_connecting_can_be_unloaded(example: Any, moment: Duration, bench: Bench) -> None:
    client = example.CLIENT(simple.address("192.0.2.99", PORT), MESSAGES)
    with bench.client.activate():
        assert NT_SUCCESS(example.ClientEntry(client))
        bench.network.driver.run_for(moment)
        example.ClientUnload(client)
    assert client.Status == STATUS_CANCELLED
    assert bench.network.driver.now() < SECOND, "it has not waited until nobody answered"
    require_nothing_left(bench.client)


@pytest.mark.parametrize("example", TCP, ids=lambda module: module.__name__.split(".")[-1])
def test_a_server_lets_go_of_a_connection_that_has_died(example: Any, bench: Bench) -> None:
    server = example.SERVER(simple.address(ADDRESSES[4], PORT))
    with bench.server.activate():
        assert NT_SUCCESS(example.ServerEntry(server))
    with bench.client.activate(), simple.Application() as application:
        _, client = application.open(WSK_FLAG_CONNECTION_SOCKET)
        simple.bind(client, simple.address("0.0.0.0", 0))
        simple.connect(client, simple.address(ADDRESSES[4], PORT))
        bench.network.run_for(0.01)
        assert kill_sockets(bench.server, 1) == 1
        bench.network.run_for(0.01)
        simple.close(client)
    assert kill_sockets(bench.server) == 1, "only the listening socket is left"
    with bench.server.activate():
        example.ServerUnload(server)
    bench.require_nothing_left()


@pytest.mark.parametrize("tenths", range(0, 80, 5))
@every_example
def test_unloading_a_client_whose_completions_are_late(example: Any, tenths: int, bench: Bench) -> None:
    """Requests have ended, and their routines are yet to be called."""
    Completions(Completing.PENDING, 5 * MILLISECOND).apply(bench.client)
    server = example.SERVER(simple.address(ADDRESSES[4], PORT))
    client = example.CLIENT(simple.address(ADDRESSES[4], PORT), MESSAGES)
    with bench.server.activate():
        assert NT_SUCCESS(example.ServerEntry(server))
    with bench.client.activate():
        assert NT_SUCCESS(example.ClientEntry(client))
        bench.network.driver.run_for(tenths * MILLISECOND // 10)
        example.ClientUnload(client)
    with bench.server.activate():
        example.ServerUnload(server)
    bench.require_nothing_left()


# The same in real time


def test_on_the_real_clock() -> None:
    with RealDriver() as driver:
        driver.start()
        host = Host("real", driver, Random(1))
        verify(host)
        for example in ALL:
            for address in ("127.0.0.1", "::1"):
                client = converse_with_itself(example, host, address)
                assert (client.Status, client.Received) == (STATUS_SUCCESS, b"".join(MESSAGES))
                require_nothing_left(host)


def converse_with_itself(example: Any, host: Host, address: str) -> Any:
    server = example.SERVER(simple.address(address, PORT))
    client = example.CLIENT(simple.address(address, PORT), MESSAGES)
    with host.activate():
        assert NT_SUCCESS(example.ServerEntry(server))
        assert NT_SUCCESS(example.ClientEntry(client))
        KeWaitForSingleObject(client.Done, Executive, KernelMode, False, None)
        example.ClientUnload(client)
        example.ServerUnload(server)
    return client


# Addresses


@both_families
@pytest.mark.rule("R-072", "R-109", "R-053")
def test_a_listening_socket_is_created_and_bound(version: int, bench: Bench) -> None:
    context = addresses.SOCKET_CONTEXT()
    with bench.server.activate():
        status = addresses.OpenListeningSocket(simple.address(ADDRESSES[version], PORT), context)
    assert (status, context.CreateStatus, context.BindStatus) == (STATUS_SUCCESS,) * 3
    bench.require_nothing_left()


@both_families
@pytest.mark.rule("R-130", "R-131", "R-132")
def test_the_local_address_before_bind_after_bind_and_after_connect(version: int, bench: Bench) -> None:
    server = echo_irps.SERVER(simple.address(ADDRESSES[version], PORT))
    answers: list[addresses.LOCAL_ADDRESS] = []
    with bench.server.activate():
        echo_irps.ServerEntry(server)
    with bench.client.activate():
        assert addresses.AskForLocalAddresses(simple.address(ADDRESSES[version], PORT), answers) == STATUS_SUCCESS
    with bench.server.activate():
        echo_irps.ServerUnload(server)
    bench.require_nothing_left()

    created, bound, connected = answers
    wildcard, ours = ("0.0.0.0", CLIENT) if version == 4 else ("::", CLIENT6)
    assert created.Status == STATUS_INVALID_DEVICE_STATE
    assert (bound.Status, connected.Status) == (STATUS_SUCCESS, STATUS_SUCCESS)
    port = simple.host_and_port(bound.Address)[1]
    assert port >= 49152
    assert simple.host_and_port(bound.Address) == (wildcard, port)
    assert simple.host_and_port(connected.Address) == (ours, port)


@pytest.mark.parametrize("completions", COMPLETIONS, ids=str)
def test_addresses_however_completions_come(completions: Completions, bench: Bench) -> None:
    """Nobody listens, which is no matter for the addresses before."""
    completions.apply(*bench.hosts)
    answers: list[addresses.LOCAL_ADDRESS] = []
    remote = simple.address(ADDRESSES[4], PORT)
    with bench.client.activate():
        assert addresses.AskForLocalAddresses(remote, answers) == STATUS_CONNECTION_REFUSED
        assert addresses.OpenListeningSocket(remote, addresses.SOCKET_CONTEXT()) == STATUS_INVALID_ADDRESS_COMPONENT
    assert [answer.When for answer in answers] == ["created", "bound"]
    bench.require_nothing_left()


def test_addresses_whichever_allocation_fails() -> None:
    statuses = set()
    for nth in range(1, 10):
        with wsk_fault_sets.bench() as bench:
            fail_allocation(bench.client, "", nth)
            with bench.client.activate():
                context = addresses.SOCKET_CONTEXT()
                statuses.add(addresses.OpenListeningSocket(simple.address(CLIENT, PORT), context))
            bench.require_nothing_left()
    assert statuses == {STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS}
