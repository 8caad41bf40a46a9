"""The drivers of `examples.wsk` in virtual time, a strict verifier on, under every fault switch.

Whatever is switched on, a driver ends cleanly: it has done its work, or says by a status why it has not, and nothing of
it is left.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from examples.wsk import blocking, echo_events, echo_irps, udp_echo
from tests.support import wsk_fault_sets
from tests.support.wsk_fault_sets import (
    ADDRESSES,
    ALLOCATIONS,
    COMPLETIONS,
    LONGEST,
    PORT,
    Bench,
    Completions,
    fail_allocation,
    kill_sockets,
)
from wsknet.host import Host
from wsknet.types import MICROSECOND, MILLISECOND, Duration
from wsknet.wsk import (
    NT_SUCCESS,
    NTSTATUS,
    STATUS_DEVICE_NOT_READY,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
    Completing,
    Executive,
    KernelMode,
    KeWaitForSingleObject,
    faults_of,
    simple,
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
    moment * MICROSECOND for moment in (0, 1, 60, 120, 160, 210, 260, 310, 360, 410, 460, 510, 610, 810, 1010)
)
"""A round trip takes 100 us here, the whole conversation less than 2 ms."""


@both_families
@pytest.mark.parametrize("is_server", [False, True], ids=["client", "server"])
@every_example
def test_sockets_that_die_at_any_moment(example: ModuleType, is_server: bool, version: int) -> None:
    killed = 0
    for which in (None, 0, 1):
        for moment in MOMENTS:
            with wsk_fault_sets.bench() as bench:
                killed += kill_at(bench, is_server, which, moment, lambda bench: converse(example, bench, version))
    assert killed


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
    step = completions.delay or 100 * MICROSECOND
    killed = 0
    for moment in range(0, 16 * step, step):
        with wsk_fault_sets.bench() as bench:
            completions.apply(*bench.hosts)
            killed += kill_at(bench, is_server, None, moment + 10, lambda bench: converse(example, bench))
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


@both_families
@pytest.mark.parametrize("is_server_first", [False, True], ids=["client first", "server first"])
@pytest.mark.parametrize(
    "completions", [Completions(), Completions(Completing.PENDING, 5 * MILLISECOND), COMPLETIONS[-1]], ids=str
)
@pytest.mark.parametrize("example", TCP, ids=lambda module: module.__name__.split(".")[-1])
def test_unloading_in_the_middle_of_it(
    example: Any, completions: Completions, is_server_first: bool, version: int
) -> None:
    step = completions.delay or 50 * MICROSECOND
    for steps in range(12):
        with wsk_fault_sets.bench() as bench:
            completions.apply(*bench.hosts)
            address = simple.address(ADDRESSES[version], PORT)
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
