"""Two hosts for drivers that are yet to be loaded, a strict verifier on each, and the fault switches to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wsknet.host import Host, Network
from wsknet.types import MILLISECOND, SECOND, Duration, Instant
from wsknet.wsk import Completing, faults_of, require_nothing_left, verify
from wsknet.wsk.kernel import kernel_of

SERVER, CLIENT = "192.0.2.2", "192.0.2.1"
SERVER6, CLIENT6 = "2001:db8::2", "2001:db8::1"
ADDRESSES = {4: SERVER, 6: SERVER6}
"""Of the server, by IP version."""
PORT = 7


@dataclass(frozen=True)
class Completions:
    """One way in which completions come."""

    completing: Completing = Completing.AS_READY
    delay: Duration = 0
    is_on_thread: bool = False

    def apply(self, *hosts: Host) -> None:
        for host in hosts:
            faults_of(host).complete(self.completing, delay=self.delay, is_on_thread=self.is_on_thread)

    def __str__(self) -> str:
        late = f", {self.delay // MILLISECOND} ms late" if self.delay else ""
        return f"{self.completing.value}{late}{', in a thread' if self.is_on_thread else ''}"


COMPLETIONS = [
    Completions(completing, delay, is_on_thread)
    for completing in Completing
    for delay in (0, 5 * MILLISECOND)
    for is_on_thread in (False, True)
]

ALLOCATIONS = ("IoAllocateIrp", "IoAllocateMdl", "ExAllocatePool2", "")
"""What can be told to fail; "" counts them all."""


class Bench:
    """`server` and `client`, one cable, virtual time."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.server, self.client = network.host("server"), network.host("client")
        for host in self.hosts:
            verify(host, is_strict=True)
        network.link(
            self.server.interface("eth0", f"{SERVER}/24", f"{SERVER6}/64"),
            self.client.interface("eth0", f"{CLIENT}/24", f"{CLIENT6}/64"),
        )

    @property
    def hosts(self) -> tuple[Host, Host]:
        return self.server, self.client

    def after(self, delay: Duration, action: Callable[[], object]) -> None:
        """Do it at that time, whatever goes on."""
        self.network.driver.call_at(Instant(self.network.driver.now() + delay), action)

    def require_nothing_left(self) -> None:
        for host in self.hosts:
            require_nothing_left(host)


@contextmanager
def bench() -> Iterator[Bench]:
    with Network(seed=5) as network:
        yield Bench(network)


def fail_allocation(host: Host, function: str, nth: int) -> Callable[[], bool]:
    """Let the `nth` allocation on `host` fail; the result tells whether it has come to that."""
    faults_of(host).fail_allocation(function, nth)
    kernel = kernel_of(host)
    fails = kernel.allocation_fails
    assert fails is not None
    failed: list[str] = []

    def watched(name: str) -> bool:
        if fails(name):
            failed.append(name)
            return True
        return False

    kernel.allocation_fails = watched
    return lambda: bool(failed)


def kill_sockets(host: Host, which: int | None = None) -> int:
    """Kill the socket of that number, by age, or all that `host` has; how many there were to kill."""
    sockets = [socket for client in list(kernel_of(host).clients) for socket in list(client.sockets)]
    chosen = sockets if which is None else sockets[which : which + 1]
    for socket in chosen:
        faults_of(host).kill(socket)
    return len(chosen)


LONGEST = 120 * SECOND
"""Virtual time after which a program hangs."""
