"""With which statuses requests of legal programs may end (WSK-4, D-01 to D-07; the faults of the machine included)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.wsk import (
    STATUS_ACCESS_DENIED,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_HOST_UNREACHABLE,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_PORT_UNREACHABLE,
    STATUS_PROTOCOL_UNREACHABLE,
    STATUS_SUCCESS,
    STATUS_TOO_MANY_ADDRESSES,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call

CONNECTION_ENDS = {STATUS_CONNECTION_RESET, STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT}
NO_WAY = {STATUS_NETWORK_UNREACHABLE, STATUS_HOST_UNREACHABLE, STATUS_INVALID_ADDRESS_COMPONENT}
CONNECTING = {STATUS_CONNECTION_REFUSED, STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT, *NO_WAY}
BINDING = {
    STATUS_ADDRESS_ALREADY_EXISTS, STATUS_ACCESS_DENIED, STATUS_INVALID_ADDRESS_COMPONENT, STATUS_TOO_MANY_ADDRESSES,
}  # fmt: skip
SENDING = {STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, *NO_WAY}

FAILURES = {
    "WskAccept": set(),
    "WskBind": BINDING,
    "WskCloseSocket": set(),
    "WskConnect": CONNECTING | BINDING,
    "WskConnectEx": CONNECTING | BINDING,
    "WskDisconnect": CONNECTION_ENDS,
    "WskGetAddressInfo": {STATUS_NOT_FOUND},
    "WskGetLocalAddress": CONNECTION_ENDS | {STATUS_INVALID_DEVICE_STATE},
    "WskGetNameInfo": {STATUS_NOT_FOUND},
    "WskGetRemoteAddress": CONNECTION_ENDS,
    "WskInspectComplete": set(),
    "WskListen": BINDING,
    "WskReceive": CONNECTION_ENDS,
    "WskReceiveFrom": {
        STATUS_PORT_UNREACHABLE, STATUS_PROTOCOL_UNREACHABLE, STATUS_HOST_UNREACHABLE, STATUS_IO_TIMEOUT,
    },
    "WskSend": CONNECTION_ENDS,
    "WskSendMessages": SENDING,
    "WskSendTo": SENDING,
    "WskSocket": {STATUS_NOT_SUPPORTED},
    "WskSocketConnect": CONNECTING | BINDING | {STATUS_NOT_SUPPORTED},
}  # fmt: skip
"""Beyond those that every request may end with."""


def check(call: Call) -> None:
    """STATUS_CANCELLED has somebody who has cancelled or closed."""
    status = call.Status
    if status == STATUS_SUCCESS:
        return
    if status == STATUS_CANCELLED:
        owner = call.owner
        if owner is not None and not (call.is_cancelled or owner.is_closing or owner.is_broken):
            call.fail("is cancelled, and nobody has asked for that")
        return
    allowed = FAILURES.get(call.name.split(".")[-1].split("(")[0])
    if allowed is not None and status not in allowed and status != STATUS_FILE_FORCED_CLOSED:
        call.fail(f"ends with {status.name}")
