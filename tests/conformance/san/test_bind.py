"""WSPBind of a SAN provider: SAN-3, both policies of SAN-4.2, the names of SAN-5."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.san_lab import UNTOUCHED, Caller, SanLab, answer_of, name, san_lab
from wsknet.san.numbers import (
    AF_INET6,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINPROGRESS,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENOBUFS,
    WSAENOTSOCK,
)
from wsknet.san.policy import SanPolicy, Wildcard
from wsknet.san.sockaddr import SIZE

ORDER = {
    "handle": WSAENOTSOCK,
    "pointer": WSAEFAULT,
    "length": WSAEFAULT,
    "family": WSAEFAULT,
    "bound": WSAEINVAL,
    "down": WSAENETDOWN,
    "address": WSAEADDRNOTAVAIL,
    "resources": WSAENOBUFS,
}
"""Faults, and what each alone is answered by, in the order of 3.3."""
OURS = "10.0.0.1"
ADDRESSES = {
    "foreign": ("10.0.0.9", 5000),
    "port 0": (OURS, 0),
    "lan": ("192.0.2.1", 5000),
    "wildcard": ("0.0.0.0", 5000),
}
"""What is not available; the wildcard under the policy `vista`."""


def bind(caller: Caller, s: object, address: object, length: object = SIZE) -> tuple[int, int]:
    return answer_of(caller.table.lpWSPBind, s, address, length)


@dataclass
class Faulty:
    """A call of WSPBind with these faults, and how to mend them."""

    lab: SanLab
    faults: tuple[str, ...]
    address: str
    s: int = 0

    def __post_init__(self) -> None:
        caller = self.lab.callers[0]
        self.s = caller.socket()
        if "bound" in self.faults:
            caller.ok("WSPBind", self.s, name(OURS, 7), SIZE)
        if "resources" in self.faults:
            other = caller.socket()
            while bind(caller, other, name(OURS, 7))[0] == 0:
                other = caller.socket()
        if "down" in self.faults:
            self.lab.hosts[0].interfaces["san0"].set_up(False)

    def clear(self) -> None:
        """As if nothing had been."""
        self.lab.hosts[0].interfaces["san0"].set_up(True)
        self.lab.callers[0].ok("WSPCleanup")
        self.lab.callers[0].start()

    def call(self) -> tuple[int, int]:
        to = name(*ADDRESSES[self.address]) if "address" in self.faults else name(OURS, 5000)
        if "family" in self.faults:
            to.sin_family = AF_INET6
        return bind(
            self.lab.callers[0],
            self.s + 1 if "handle" in self.faults else self.s,
            None if "pointer" in self.faults else to,
            SIZE - 1 if "length" in self.faults else SIZE,
        )


COMBINATIONS = [
    faults
    for count in range(1, len(ORDER) + 1)
    for faults in combinations(ORDER, count)
]  # fmt: skip


@pytest.mark.rule("SAN-3.3.1", "SAN-7.WSPBind")
@pytest.mark.parametrize("address", ADDRESSES)
def test_of_several_faults_at_once_the_first_in_the_order_is_told(address: str) -> None:
    """All 255 combinations of the eight faults."""
    with san_lab(1, SanPolicy(Wildcard.VISTA, names_limit=3)) as lab:
        for faults in COMBINATIONS:
            expected = ORDER[min(faults, key=list(ORDER).index)]
            faulty = Faulty(lab, faults, address)
            assert faulty.call() == (-1, expected), faults
            faulty.clear()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param("down", 10050, marks=pytest.mark.rule("SAN-3.2.WSAENETDOWN")),
        pytest.param("address", 10049, marks=pytest.mark.rule("SAN-3.2.WSAEADDRNOTAVAIL")),
        pytest.param("length", 10014, marks=pytest.mark.rule("SAN-3.2.WSAEFAULT", "SAN-3.1.3")),
        pytest.param("pointer", 10014, marks=pytest.mark.rule("SAN-3.2.WSAEFAULT")),
        pytest.param("family", 10014, marks=pytest.mark.rule("SAN-3.2.WSAEFAULT", "SAN-3.1.2")),
        pytest.param("bound", 10022, marks=pytest.mark.rule("SAN-3.2.WSAEINVAL", "SAN-3.1.1")),
        pytest.param("resources", 10055, marks=pytest.mark.rule("SAN-3.2.WSAENOBUFS")),
        pytest.param("handle", 10038, marks=pytest.mark.rule("SAN-3.2.WSAENOTSOCK")),
    ],
)
def test_each_fault_alone_has_its_number(fault: str, code: int) -> None:
    with san_lab(1, SanPolicy(names_limit=3)) as lab:
        assert Faulty(lab, (fault,), "foreign").call() == (-1, code)


@pytest.mark.rule("SAN-3.4.1", "SAN-7.WSPBind")
def test_success_is_zero_and_stores_no_error() -> None:
    with san_lab(1) as lab:
        assert Faulty(lab, (), "foreign").call() == (0, UNTOUCHED)


@pytest.mark.rule("SAN-11.a3", "SAN-3.2.WSAEFAULT")
@pytest.mark.parametrize(
    ("to", "length"),
    [
        (None, SIZE),
        (5, SIZE),
        ("10.0.0.1", SIZE),
        ([1, 2], SIZE),
        (bytes(15), SIZE),
        (name(OURS, 1), 0),
        (name(OURS, 1), -16),
        (name(OURS, 1), 17),
        (name(OURS, 1), None),
        (name(OURS, 1), "16"),
        (name(OURS, 1), 16.0),
        (name(OURS, 1), True),
        (name(OURS, 1), 1 << 70),
    ],
)
def test_what_is_no_sockaddr_in_is_a_fault_and_raises_nothing(to: object, length: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), to, length) == (-1, WSAEFAULT)


@pytest.mark.rule("SAN-3.2.WSAEFAULT")
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sin_family", None),
        ("sin_port", 1 << 20),
        ("sin_addr", "10.0.0.1"),
        ("sin_addr", bytes(3)),
        ("sin_addr", bytes(16)),
    ],
)
def test_members_that_no_sockaddr_in_could_hold_are_a_fault(member: str, value: object) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        to = name(OURS, 5000)
        setattr(to, member, value)
        assert bind(caller, caller.socket(), to) == (-1, WSAEFAULT)


@pytest.mark.rule("SAN-3.2.WSAENOTSOCK", "SAN-3.1.1")
@pytest.mark.parametrize("s", [0, -1, None, "3", 1.0, [], (), {}, 1 << 80])
def test_what_is_no_descriptor_is_no_socket(s: object) -> None:
    with san_lab(1) as lab:
        assert bind(lab.callers[0], s, None, -1) == (-1, WSAENOTSOCK)


@pytest.mark.rule("SAN-3.2.WSAENOTSOCK", "SAN-6.2.3")
def test_neither_the_handle_of_the_switch_nor_a_closed_descriptor_nor_that_of_another_process_is_a_socket() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        other = Caller(caller.provider)
        s = caller.socket()
        (handle,) = caller.handles
        assert handle != s
        assert bind(caller, handle, name(OURS, 1)) == (-1, WSAENOTSOCK)
        assert bind(other, s, name(OURS, 1)) == (-1, WSAENOTSOCK)
        caller.ok("WSPCloseSocket", s)
        assert bind(caller, s, name(OURS, 1)) == (-1, WSAENOTSOCK)


@pytest.mark.rule("SAN-7.WSPBind")
def test_without_a_place_for_the_error_the_result_still_tells() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        for place in (None, 0, [0]):
            assert caller.table.lpWSPBind(caller.socket(), None, SIZE, place) == -1
            assert caller.table.lpWSPBind(caller.socket(), name(OURS, 1), SIZE, place) == 0


@pytest.mark.rule("SAN-3.1.2")
def test_the_name_may_be_the_bytes_of_a_longer_structure() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        storage = bytes(name(OURS, 5000)) + bytes(112)
        for kind in (bytes, bytearray, memoryview):
            assert bind(caller, caller.socket(), kind(storage), 128) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-3.3.1")
def test_a_failed_bind_leaves_the_socket_unbound() -> None:
    for fault in ("pointer", "length", "family", "down", "address"):
        with san_lab(1) as lab:
            faulty = Faulty(lab, (fault,), "foreign")
            faulty.call()
            lab.hosts[0].interfaces["san0"].set_up(True)
            faulty.faults = ()
            assert faulty.call() == (0, UNTOUCHED), fault
            assert faulty.call() == (-1, WSAEINVAL), fault


@pytest.mark.rule("SAN-11.a2", "SAN-3.2.WSAEINVAL")
def test_bind_twice_is_invalid_whether_to_the_same_name_or_to_another() -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        s = caller.bound(OURS, 5000)
        assert bind(caller, s, name(OURS, 5000)) == (-1, WSAEINVAL)
        assert bind(caller, s, name("10.0.0.9", 0)) == (-1, WSAEINVAL)
        caller.ok("WSPListen", s, 1)
        assert bind(caller, s, name(OURS, 5000)) == (-1, WSAEINVAL)


@pytest.mark.rule("SAN-11.a4", "SAN-3.2.WSAEADDRNOTAVAIL", "SAN-3.4.2")
@pytest.mark.parametrize(
    "address", ["10.0.0.9", "192.0.2.1", "127.0.0.1", "224.0.0.1", "10.0.0.255", "255.255.255.255"]
)
def test_only_addresses_of_the_nics_of_the_provider_are_available(address: str) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), name(address, 5000)) == (-1, WSAEADDRNOTAVAIL)


@pytest.mark.rule("SAN-3.4.4")
@pytest.mark.parametrize("address", [OURS, "0.0.0.0"])
def test_port_zero_is_not_available_because_the_provider_chooses_none(address: str) -> None:
    with san_lab(1) as lab:
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), name(address, 0)) == (-1, WSAEADDRNOTAVAIL)


@pytest.mark.rule("SAN-4.2.2", "SAN-11.a1", "SAN-3.4.3")
@pytest.mark.parametrize(
    ("policy", "expected"), [(Wildcard.PRE_VISTA, (0, UNTOUCHED)), (Wildcard.VISTA, (-1, WSAEADDRNOTAVAIL))]
)
def test_the_wildcard_is_taken_before_vista_and_not_available_from_then_on(
    policy: Wildcard, expected: tuple[int, int]
) -> None:
    with san_lab(1, SanPolicy(policy)) as lab:
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), name("0.0.0.0", 80)) == expected


@pytest.mark.rule("SAN-4.2.2", "SAN-5.1")
@pytest.mark.parametrize("policy", Wildcard)
def test_under_both_policies_each_nic_address_can_be_bound_with_the_same_port(policy: Wildcard) -> None:
    with san_lab(1, SanPolicy(policy)) as lab:
        lab.hosts[0].interfaces["san0"].add_address("10.0.1.1/24")
        caller = lab.callers[0]
        for address in (OURS, "10.0.1.1"):
            assert bind(caller, caller.socket(), name(address, 80)) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-4.3.3", "SAN-4.3.4", "SAN-3.2.WSAEADDRNOTAVAIL")
def test_a_nic_without_an_address_has_none_to_bind_and_that_is_not_a_network_that_is_down() -> None:
    with san_lab(1) as lab:
        lab.hosts[0].interfaces["san0"].remove_address(OURS)
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), name(OURS, 80)) == (-1, WSAEADDRNOTAVAIL)


@pytest.mark.rule("SAN-4.3.5")
def test_a_link_local_address_is_a_fully_qualified_name() -> None:
    with san_lab(1) as lab:
        lab.hosts[0].interfaces["san0"].add_address("169.254.7.7/16")
        caller = lab.callers[0]
        assert bind(caller, caller.socket(), name("169.254.7.7", 80)) == (0, UNTOUCHED)


@pytest.mark.rule("SAN-3.2.WSAENOBUFS")
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_provider_has_exactly_as_many_names_as_the_policy_says(limit: int) -> None:
    with san_lab(1, SanPolicy(names_limit=limit)) as lab:
        caller = lab.callers[0]
        errors = [bind(caller, caller.socket(), name(OURS, 5000))[1] for _ in range(limit + 2)]
        assert errors == [UNTOUCHED] * limit + [WSAENOBUFS] * 2


NAMES = st.tuples(st.sampled_from([OURS, OURS, "10.0.0.9", "0.0.0.0"]), st.sampled_from([80, 80, 81, 0]))
CALLS = st.lists(st.tuples(st.integers(0, 4), NAMES, st.sampled_from([15, SIZE, SIZE, SIZE])), max_size=12)


@pytest.mark.rule("SAN-3.2.WSAEINPROGRESS", "SAN-3.2.WSAEADDRINUSE", "SAN-5.1")
@settings(max_examples=40)
@given(calls=CALLS, policy=st.sampled_from(Wildcard), limit=st.integers(0, 4))
def test_any_row_of_binds_answers_as_a_naive_list_of_rules_says_and_never_in_progress_or_in_use(
    calls: list[tuple[int, tuple[str, int], int]], policy: Wildcard, limit: int
) -> None:
    with san_lab(1, SanPolicy(policy, names_limit=limit)) as lab:
        caller = lab.callers[0]
        sockets = [caller.socket() for _ in range(4)]
        bound: set[int] = set()
        for index, (address, port), length in calls:
            s = sockets[index] if index < len(sockets) else 1
            is_available = port and (address == OURS or (address == "0.0.0.0" and policy is Wildcard.PRE_VISTA))
            expected = (
                WSAENOTSOCK if index == len(sockets)
                else WSAEFAULT if length < SIZE
                else WSAEINVAL if index in bound
                else WSAEADDRNOTAVAIL if not is_available
                else WSAENOBUFS if len(bound) == limit
                else UNTOUCHED
            )  # fmt: skip
            result, error = bind(caller, s, name(address, port), length)
            assert (result, error) == (0 if expected == UNTOUCHED else -1, expected)
            assert error not in (WSAEINPROGRESS, WSAEADDRINUSE)
            if expected == UNTOUCHED:
                bound.add(index)
