"""What a random program asks of its client object, and of the names of its host."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine.addresses import ADDRESSES
from wsknet.wsk import (
    NI_NUMERICHOST,
    SECURITY_DESCRIPTOR,
    STATUS_SUCCESS,
    UNICODE_STRING,
    WSK_CACHE_SD,
    WSK_RELEASE_SD,
    WSK_TRANSPORT_LIST_CHANGE,
    WSK_TRANSPORT_LIST_QUERY,
    RtlInitEmptyUnicodeString,
    simple,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.party import Party

NAMES = ("near.lab", "far.lab", "192.0.2.1", "2001:db8::2", "nobody.lab")


def query_transports(party: Party, dice: Random) -> None:
    found: list[Any] = []
    size = [0]
    party.application.control(WSK_TRANSPORT_LIST_QUERY, 0, None, dice.choice((0, 4096)), found, size)


def await_transports(party: Party, dice: Random) -> None:
    arguments = (party.provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)
    party.call("WskControlClient(WSK_TRANSPORT_LIST_CHANGE)", party.provider.Dispatch.WskControlClient, *arguments)


def cache_descriptor(party: Party, dice: Random) -> None:
    cached: list[Any] = [None]
    status = party.application.control(WSK_CACHE_SD, 8, [SECURITY_DESCRIPTOR("alice")], 8, cached, None)
    if status == STATUS_SUCCESS:
        party.descriptors.append(cached[0])


def release_descriptor(party: Party, dice: Random) -> None:
    if party.descriptors:
        taken = party.descriptors.pop(dice.randrange(len(party.descriptors)))
        status = party.application.control(WSK_RELEASE_SD, 8, [taken], 0, None, None)
        if status != STATUS_SUCCESS:
            party.world.fail(f"WSK_RELEASE_SD: {status.name}")


def look_up(party: Party, dice: Random) -> None:
    result: list[Any] = [None]

    def then(call: Call) -> None:
        if call.is_success:
            party.address_lists.append(result[0])
        elif result[0] is not None:
            party.world.fail(f"a list with {call.Status.name}")

    names = UNICODE_STRING(dice.choice(NAMES)), UNICODE_STRING("80") if dice.random() < 0.5 else None
    arguments = (party.provider.Client, *names, 0, None, None, result, None, None)
    party.call("WskGetAddressInfo()", party.provider.Dispatch.WskGetAddressInfo, *arguments, then=then)


def free_list(party: Party, dice: Random) -> None:
    if party.address_lists:
        party.provider.Dispatch.WskFreeAddressInfo(party.provider.Client, party.address_lists.pop())


def look_up_address(party: Party, dice: Random) -> None:
    address = simple.address(dice.choice(list(ADDRESSES["far"].values())), 80)
    node = UNICODE_STRING()
    RtlInitEmptyUnicodeString(node, bytearray(200), 200)
    flags = dice.choice((0, NI_NUMERICHOST))
    arguments = (party.provider.Client, address, len(bytes(address)), node, None, flags, None, None)
    party.call("WskGetNameInfo()", party.provider.Dispatch.WskGetNameInfo, *arguments)


CLIENT_MOVES: list[Callable[[Party, Random], object]] = [
    query_transports, await_transports, cache_descriptor, release_descriptor, look_up, free_list, look_up_address,
]  # fmt: skip
